/* Parameters as tables in Markdown (docs.h). */

#include "program/docs.h"

#include "program/param.h"

/* What may stand there, in a few words. */
static void put_kind(struct ho_text *t, const struct ho_param *p)
{
    char min[32], max[32];

    switch (p->kind) {
    case HO_PARAM_TEXT:
        ho_text_put(t, "text");
        break;
    case HO_PARAM_NAME:
        ho_text_put(t, "name");
        break;
    case HO_PARAM_COUNT:
        if (p->max == INT64_MAX) {
            ho_text_printf(t, "number from %lld", (long long)p->min);
        } else {
            ho_text_printf(t, "%lld to %lld", (long long)p->min, (long long)p->max);
        }
        break;
    case HO_PARAM_BYTES:
        ho_text_put(t, "bytes");
        break;
    case HO_PARAM_PORT:
        ho_text_put(t, "port");
        break;
    case HO_PARAM_ADDR:
        ho_text_put(t, "address");
        break;
    case HO_PARAM_DUR:
        ho_dur_write(min, sizeof(min), p->min);
        ho_dur_write(max, sizeof(max), p->max);
        ho_text_printf(t, "duration, %s to %s", min, max);
        break;
    case HO_PARAM_CHOICE:
        for (const char *s = p->choices; *s != '\0'; s++) {
            ho_text_put(t, *s == '|' ? ", " : "");
            if (*s != '|') {
                ho_text_char(t, *s);
            }
        }
        break;
    case HO_PARAM_OPTIONS:
        ho_text_put(t, "socket options");
        break;
    case HO_PARAM_KIND_COUNT:
        break;
    }
}

void ho_program_docs(struct ho_text *t, const struct ho_program_spec *spec)
{
    if (spec->n_params == 0) {
        return;
    }
    ho_text_put(
        t, "| argument | default | what stands there | meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < spec->n_params; i++) {
        const struct ho_param *p = &spec->params[i];

        ho_text_printf(t, "| `%s`%s | ", p->key, p->positional ? " *" : "");
        if (p->fallback == NULL) {
            ho_text_put(t, "must be given");
        } else if (*p->fallback == '\0') {
            ho_text_put(t, "none");
        } else {
            ho_text_printf(t, "`%s`", p->fallback);
        }
        ho_text_put(t, " | ");
        put_kind(t, p);
        ho_text_printf(t, " | %s |\n", p->help);
    }
}
