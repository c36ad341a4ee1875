/* Which connections of a diagnosis are of one kind: what they have in common makes them a group.
 * The kinds are numbered in the order of their first connections.
 */

#ifndef HO_DOCTOR_GROUP_KIND_H
#define HO_DOCTOR_GROUP_KIND_H

#include "doctor/report.h"

struct ho_group_kinds {
    size_t n;
    size_t *size;      /* connections of each kind */
    uint32_t *of_conn; /* the kind of each connection of the scan */
};

/* Of a diagnosis whose connections are done. Returns 0 with *ret to be freed; -ENOMEM. */
int ho_group_kinds_make(struct ho_group_kinds *ret, const struct ho_diagnosis *d);
void ho_group_kinds_free(struct ho_group_kinds *k);

#endif
