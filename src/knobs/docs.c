/* Tables in Markdown from the lists. */

#include "knobs/docs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "knobs/sockopt.h"
#include "knobs/state.h"
#include "knobs/sysctl.h"

struct out {
    char *buf;
    size_t size, len; /* bytes of room; bytes that the whole text needs */
};

static void put(struct out *o, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    size_t room = o->len < o->size ? o->size - o->len : 0;
    int n = vsnprintf(room > 0 ? o->buf + o->len : NULL, room, format, args);
    va_end(args);
    o->len += n > 0 ? (size_t)n : 0;
}

/* One row a name: a sysctl of three numbers shows three defaults and three meanings. */
static void sysctl_row(struct out *o, enum ho_sysctl id)
{
    const struct ho_sysctl_info *info = ho_sysctl_info(id);
    unsigned n = ho_sysctl_numbers(id);
    struct ho_sysctls s;
    char def[HO_SYSCTL_TEXT];

    ho_sysctls_init(&s);
    if (ho_sysctl_print(&s, info->name, def, sizeof(def)) != 0) {
        return;
    }
    put(o, "| `%s` | %s | ", info->name, def);
    if (ho_sysctl_word(id, info->min) != NULL) {
        put(o, "words");
    } else {
        put(o, "%" PRId64 " to %" PRId64, info->min, info->max);
    }
    put(o, " | %s | ", ho_unit_text(info->unit));
    for (unsigned i = 0; i < n; i++) {
        put(o, "%s%s", i == 0 ? "" : "; ", ho_sysctl_info((enum ho_sysctl)(id + i))->meaning);
    }
    put(o, " |\n");
}

size_t ho_docs_sysctls(char *buf, size_t size)
{
    struct out o = { buf, size, 0 };

    put(&o, "| sysctl | default | range | unit | meaning |\n|---|---|---|---|---|\n");
    for (unsigned id = 0; id < HO_SYSCTL_COUNT; id += ho_sysctl_numbers((enum ho_sysctl)id)) {
        sysctl_row(&o, (enum ho_sysctl)id);
    }
    return o.len;
}

static void sockopt_row(struct out *o, enum ho_sockopt id)
{
    const struct ho_sockopt_info *info = ho_sockopt_info(id);

    put(o, "| `%s` | %s | ", info->name, ho_sockopt_level_name(info->level));
    if (info->read_only) {
        put(o, "read only");
    } else if (info->from >= 0) {
        put(o, "`%s`", ho_sysctl_info((enum ho_sysctl)info->from)->name);
    } else {
        put(o, "%" PRId64, info->def);
    }
    put(o, " | ");
    if (info->type == HO_SOCKOPT_TYPE_INT && !info->read_only) {
        put(o, "%" PRId64 " to %" PRId64, info->min, info->max);
    }
    put(o, " | %s | %s |\n", ho_unit_text(info->unit), info->meaning);
}

size_t ho_docs_sockopts(char *buf, size_t size)
{
    struct out o = { buf, size, 0 };

    put(&o, "| option | level | default | range | unit | meaning |\n|---|---|---|---|---|---|\n");
    for (unsigned id = 0; id < HO_SOCKOPT_COUNT; id++) {
        sockopt_row(&o, (enum ho_sockopt)id);
    }
    return o.len;
}

size_t ho_docs_states(char *buf, size_t size)
{
    struct out o = { buf, size, 0 };

    put(&o, "| state (RFC 9293) | ss(8) | Linux |\n|---|---|---|\n");
#define X(id, number, ss, rfc) put(&o, "| %s | %s | `TCP_%s` (%d) |\n", rfc, ss, #id, number);
    HO_TCP_STATES(X)
#undef X
    return o.len;
}

size_t ho_docs_errnos(char *buf, size_t size)
{
    struct out o = { buf, size, 0 };

    put(&o, "| error | Linux | meaning |\n|---|---|---|\n");
#define X(name, number, sentence) put(&o, "| `%s` | %d | %s |\n", #name, number, sentence);
#include "knobs/errno.def"
#undef X
    return o.len;
}
