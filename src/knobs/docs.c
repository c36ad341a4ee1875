/* Tables in Markdown from the lists. */

#include "knobs/docs.h"

#include <inttypes.h>

#include "knobs/sockopt.h"
#include "knobs/state.h"
#include "knobs/sysctl.h"

/* One row a name: a sysctl of three numbers shows three defaults and three meanings. */
static void sysctl_row(struct ho_text *t, enum ho_sysctl id)
{
    const struct ho_sysctl_info *info = ho_sysctl_info(id);
    unsigned n = ho_sysctl_numbers(id);
    struct ho_sysctls s;
    char def[HO_SYSCTL_TEXT];

    ho_sysctls_init(&s);
    if (ho_sysctl_print(&s, info->name, def, sizeof(def)) != 0) {
        return;
    }
    ho_text_printf(t, "| `%s` | %s | ", info->name, def);
    if (ho_sysctl_word(id, info->min) != NULL) {
        ho_text_printf(t, "words");
    } else {
        ho_text_printf(t, "%" PRId64 " to %" PRId64, info->min, info->max);
    }
    ho_text_printf(t, " | %s | ", ho_unit_text(info->unit));
    for (unsigned i = 0; i < n; i++) {
        ho_text_printf(t, "%s%s", i == 0 ? "" : "; ",
                       ho_sysctl_info((enum ho_sysctl)(id + i))->meaning);
    }
    ho_text_printf(t, " |\n");
}

void ho_docs_sysctls(struct ho_text *t)
{
    ho_text_printf(t, "| sysctl | default | range | unit | meaning |\n|---|---|---|---|---|\n");
    for (unsigned id = 0; id < HO_SYSCTL_COUNT; id += ho_sysctl_numbers((enum ho_sysctl)id)) {
        sysctl_row(t, (enum ho_sysctl)id);
    }
}

static void sockopt_row(struct ho_text *t, enum ho_sockopt id)
{
    const struct ho_sockopt_info *info = ho_sockopt_info(id);

    ho_text_printf(t, "| `%s` | %s | ", info->name, ho_sockopt_level_name(info->level));
    if (info->read_only) {
        ho_text_printf(t, "read only");
    } else if (info->from >= 0) {
        ho_text_printf(t, "`%s`", ho_sysctl_info((enum ho_sysctl)info->from)->name);
    } else {
        ho_text_printf(t, "%" PRId64, info->def);
    }
    ho_text_printf(t, " | ");
    if (info->type == HO_SOCKOPT_TYPE_INT && !info->read_only) {
        ho_text_printf(t, "%" PRId64 " to %" PRId64, info->min, info->max);
    }
    ho_text_printf(t, " | %s | %s |\n", ho_unit_text(info->unit), info->meaning);
}

void ho_docs_sockopts(struct ho_text *t)
{
    ho_text_printf(
        t, "| option | level | default | range | unit | meaning |\n|---|---|---|---|---|---|\n");
    for (unsigned id = 0; id < HO_SOCKOPT_COUNT; id++) {
        sockopt_row(t, (enum ho_sockopt)id);
    }
}

void ho_docs_states(struct ho_text *t)
{
    ho_text_printf(t, "| state (RFC 9293) | ss(8) | Linux |\n|---|---|---|\n");
#define X(id, number, ss, rfc) \
    ho_text_printf(t, "| %s | %s | `TCP_%s` (%d) |\n", rfc, ss, #id, number);
    HO_TCP_STATES(X)
#undef X
}

void ho_docs_errnos(struct ho_text *t)
{
    ho_text_printf(t, "| error | Linux | meaning |\n|---|---|---|\n");
#define X(name, number, sentence) \
    ho_text_printf(t, "| `%s` | %d | %s |\n", #name, number, sentence);
#include "knobs/errno.def"
#undef X
}
