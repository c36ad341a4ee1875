/* What `halfopen doctor` is asked, and `policy` and `watch` with it: which connections, what is
 * known beside, which form.
 */

#ifndef HO_CLI_DOCTOR_IN_H
#define HO_CLI_DOCTOR_IN_H

#include "doctor/report.h"

struct ho_doctor_ask {
    struct ho_scan_options scan;
    struct ho_finding_rules rules;
    struct ho_report_options report;
    enum ho_report_form form;
    bool never_fails; /* --fail-on never */
};

/* Which options a command has beside the filters. */
#define HO_DOCTOR_FORMAT 1u   /* --format */
#define HO_DOCTOR_JUDGING 2u  /* --fail-on, --middlebox */
#define HO_DOCTOR_LENGTH 4u   /* --all */
#define HO_DOCTOR_RULES 16u   /* --middlebox alone */
#define HO_DOCTOR_ONE_FILE 8u /* one word that is no option */

/* Reads the arguments behind the command's name; `has` are bits from above. *ret_file (may be NULL
 * without HO_DOCTOR_ONE_FILE) is the word, NULL if there was none. Returns HO_EXIT_OK; otherwise
 * has said what was wrong.
 */
int ho_doctor_ask(struct ho_doctor_ask *ret, const char **ret_file, unsigned has, int argc,
                  char **argv);

/* Whether ho_doctor_ask() with these bits knows the option of that name, with or without a value.
 */
bool ho_doctor_has_option(const char *arg, unsigned has);

/* Scans and diagnoses. Returns HO_EXIT_OK with *ret_scan and *ret, both to be freed; otherwise has
 * said what was wrong, and neither is to be freed.
 */
int ho_doctor_look(struct ho_scan *ret_scan, struct ho_diagnosis *ret,
                   const struct ho_doctor_ask *a, const char *command);

#endif
