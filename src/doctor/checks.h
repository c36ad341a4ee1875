/* Checks that passed or failed, as the two formats that CI services read: TAP, version 14
 * (testanything.org), and JUnit's XML. A finding of the doctor is a check, a policy's rule is one.
 */

#ifndef HO_DOCTOR_CHECKS_H
#define HO_DOCTOR_CHECKS_H

#include "base/text.h"

struct ho_check {
    const char *name; /* printable */
    bool ok;
    const char *found; /* one line: what was found; "" */
    const char *lines; /* by what: one a line, each with its line break; "" */
    const char *file;  /* where the check stands; NULL */
    unsigned line;
};

void ho_checks_tap(struct ho_text *out, const struct ho_check *checks, size_t n);

/* One suite of that name; times are 0. */
void ho_checks_junit(struct ho_text *out, const char *suite, const struct ho_check *checks,
                     size_t n);

#endif
