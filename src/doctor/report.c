/* Which form a diagnosis takes. */

#include "doctor/report.h"

#include <string.h>

#include "doctor/group.h"

int ho_report_form_find(const char *word)
{
    static const char *const words[] = {
#define X(id, text) text,
        HO_REPORT_FORMS(X)
#undef X
    };

    for (int i = 0; i < HO_REPORT_FORM_COUNT; i++) {
        if (strcmp(words[i], word) == 0) {
            return i;
        }
    }
    return -1;
}

void ho_report(struct ho_text *out, enum ho_report_form form, const struct ho_diagnosis *d,
               const struct ho_report_options *o)
{
    size_t at = 0;

    while (ho_report_next(out, form, d, o, &at)) {
    }
}

bool ho_report_next(struct ho_text *out, enum ho_report_form form, const struct ho_diagnosis *d,
                    const struct ho_report_options *o, size_t *at)
{
    switch (form) {
    case HO_REPORT_JSON:
        return ho_report_json_next(out, d, at);
    case HO_REPORT_MARKDOWN:
        ho_report_markdown(out, d, o);
        break;
    case HO_REPORT_PROMETHEUS:
        ho_report_prometheus(out, d);
        break;
    case HO_REPORT_TAP:
        ho_report_tap(out, d, o);
        break;
    case HO_REPORT_JUNIT:
        ho_report_junit_findings(out, d, o);
        break;
    default:
        ho_report_text(out, d, o);
        break;
    }
    return false;
}
