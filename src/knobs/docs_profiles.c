/* What the profiles differ in, as tables in Markdown. */

#include <inttypes.h>

#include "knobs/docs.h"
#include "knobs/profile.h"

static void put_value(struct ho_text *t, enum ho_profile_id id, enum ho_sysctl sysctl)
{
    struct ho_sysctls s;

    ho_profile_sysctls(id, &s);
    if (ho_profile_has_sysctl(id, sysctl)) {
        ho_text_printf(t, " %" PRId64 " |", s.v[sysctl]);
    } else {
        ho_text_put(t, " - |");
    }
}

/* A sysctl with several numbers: which of them, by its meaning. */
static void sysctl_row(struct ho_text *t, enum ho_sysctl sysctl, const char *release,
                       const char *source)
{
    const struct ho_sysctl_info *info = ho_sysctl_info(sysctl);

    ho_text_printf(t, "| `%s`", info->name);
    if (ho_sysctl_numbers(sysctl) > 1) {
        ho_text_printf(t, " (%s)", info->meaning);
    }
    ho_text_put(t, " |");
    for (int id = 0; id < HO_PROFILE_COUNT; id++) {
        put_value(t, (enum ho_profile_id)id, sysctl);
    }
    ho_text_printf(t, " %s | %s |\n", release, source);
}

static void option_row(struct ho_text *t, enum ho_sockopt option, const char *release,
                       const char *source)
{
    ho_text_printf(t, "| `%s` |", ho_sockopt_info(option)->name);
    for (int id = 0; id < HO_PROFILE_COUNT; id++) {
        ho_text_put(t, ho_profile_has_sockopt((enum ho_profile_id)id, option) ? " yes |" : " - |");
    }
    ho_text_printf(t, " %s | %s |\n", release, source);
}

static void head(struct ho_text *t, const char *first, const char *more)
{
    ho_text_printf(t, "| %s |", first);
    for (int id = 0; id < HO_PROFILE_COUNT; id++) {
        ho_text_printf(t, " %s |", ho_profile((enum ho_profile_id)id)->name);
    }
    ho_text_printf(t, "%s source |\n|---|---|---|---|%s---|\n", more, *more != '\0' ? "---|" : "");
}

static const char *word(bool yes)
{
    return yes ? "yes" : "no";
}

void ho_docs_profiles(struct ho_text *t)
{
    head(t, "sysctl or socket option", " since |");
#define ADDED(id, first, before, release, source) sysctl_row(t, HO_SYSCTL_##id, release, source);
#define DEFAULT(id, first, before, release, source) sysctl_row(t, HO_SYSCTL_##id, release, source);
#define OPTION(id, first, release, source) option_row(t, HO_SOCKOPT_##id, release, source);
#include "knobs/profile_knobs.def"
#undef OPTION
#undef DEFAULT
#undef ADDED
    ho_text_char(t, '\n');
    head(t, "behaviour", "");
#define X(id, what, v6_18, v6_12, v6_1, source)                                                   \
    ho_text_printf(t, "| %s | %s | %s | %s | %s |\n", what, word(v6_18), word(v6_12), word(v6_1), \
                   source);
#include "knobs/profile.def"
#undef X
}
