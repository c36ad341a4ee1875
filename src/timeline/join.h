/* Several timelines beside one: comparisons (timeline/compare.h) made into one table.
 *
 * One timeline is the base, the others are its sides. A side was compared with the base itself, or
 * with a base of its own that tells the base's story in other circumstances - a model with the
 * jiffy of another kernel. Rows of a side belong to the base's record that they were paired with;
 * of own bases, to the record that `base` pairs it with. What the base lacks and several sides have
 * is one row.
 */

#ifndef HO_TIMELINE_JOIN_H
#define HO_TIMELINE_JOIN_H

#include "base/text.h"
#include "timeline/compare.h"

#define HO_JOIN_SIDES 4 /* at most */

struct ho_join_side {
    const char *name;
    const struct ho_comparison *c;    /* a: its base; b: the side */
    const struct ho_comparison *base; /* a: the base; b: its own base; NULL: that is the base */
};

struct ho_join_row {
    const struct ho_record *base; /* NULL: it has none */
    int64_t base_ns;              /* since the fault */
    /* One a side: where it stands there; NULL: neither the side nor its base has it. */
    const struct ho_compare_row *side[HO_JOIN_SIDES];
};

struct ho_join {
    const char *name; /* of the base */
    const struct ho_join_side *side;
    size_t sides;
    struct ho_join_row *row; /* by time */
    size_t n;
};

/* Joins `sides` (1 to HO_JOIN_SIDES) comparisons, which must outlive the result, as must `side` and
 * `name`. Returns 0 with *ret to be freed; -ENOMEM with *ret untouched.
 */
int ho_join(struct ho_join *ret, const char *name, const struct ho_join_side *side, size_t sides);

/* NULL is ignored. */
void ho_join_free(struct ho_join *j);

/* How a row differs: the worst status of its sides. */
enum ho_compare_status ho_join_status(const struct ho_join *j, const struct ho_join_row *r);

/* The record that says what a row is about: the base's, or else a side's. */
const struct ho_record *ho_join_record(const struct ho_join *j, const struct ho_join_row *r);

/* The side's record of a row; NULL: it has none. */
const struct ho_record *ho_join_of(const struct ho_join_row *r, size_t side);

/* The table: a column of times for the base, and one with its difference for each side. A row that
 * differs begins with '!', one a step of the wheel apart with '~'; with several sides the mark
 * stands before the difference of each that differs, too. With `differences` other rows are left
 * out.
 */
void ho_join_table(struct ho_text *out, const struct ho_join *j, bool differences);

/* Its first line, and one row of it (which ends in a line's end). */
void ho_join_head(struct ho_text *out, const struct ho_join *j);
void ho_join_row(struct ho_text *out, const struct ho_join *j, const struct ho_join_row *r);

#endif
