/* Two timelines side by side: do they tell the same story, and how far apart in time?
 *
 * Both are aligned at a fault: times count from it. Records are walked stream by stream - a stream
 * is what one host did in one kind of record on one connection - and paired in order. What
 * must be equal: of a segment flags, numbers, length and fate; of ARP and neighbour discovery what
 * is asked of whom, and the fate; of ICMP its kind; of a call its name, result, error and events;
 * of a socket the states it passes; of a neighbour its state. Where a stream has records that the
 * other lacks, it is looked for the next ones that agree.
 *
 * Times may differ by the tolerance. By default the difference is taken of the times since the
 * fault; with `by_interval` of the times since the record before of that host that had a partner,
 * so that one late timer is one difference and not a shift of all that follows.
 *
 * A kernel in real time arms a timer now and then a jiffy later than the model does; where that
 * jiffy is the last of a step of the timer wheel (base/clk.h), the timer fires a whole step later.
 * With `wheel_hz` a time that is beyond the tolerance may be that much further apart, and counts as
 * a step: the step of the longest timer that could have made it - the socket's last one, or one for
 * the time since the record before. What a step late makes late on its host is not late for
 * it: the difference is then the smaller of both ways to take it. And a state that lasts less than
 * the tolerance may be missed by one of them.
 */

#ifndef HO_TIMELINE_COMPARE_H
#define HO_TIMELINE_COMPARE_H

#include "base/text.h"
#include "timeline/record.h"

/* Bits for ho_compare_opts.kinds. */
#define HO_COMPARE_KIND(kind) (1u << (kind))
#define HO_COMPARE_DEFAULT                                                                     \
    (HO_COMPARE_KIND(HO_REC_SEG) | HO_COMPARE_KIND(HO_REC_ND) | HO_COMPARE_KIND(HO_REC_ICMP) | \
     HO_COMPARE_KIND(HO_REC_APP) | HO_COMPARE_KIND(HO_REC_SOCK))

struct ho_compare_opts {
    const char *fault; /* align at the fault of this name; NULL: the first one, or 0 */
    struct ho_dur tolerance;
    bool by_interval;
    unsigned kinds;    /* 0: HO_COMPARE_DEFAULT */
    uint32_t wheel_hz; /* ticks a second of the wheel whose steps are allowed; 0: they are not */
};

enum ho_compare_status {
    HO_COMPARE_SAME,
    HO_COMPARE_STEP,  /* the same, one step of the wheel apart */
    HO_COMPARE_TIME,  /* the same, beyond the tolerance */
    HO_COMPARE_OTHER, /* something else at the same place */
    HO_COMPARE_ONLY_A,
    HO_COMPARE_ONLY_B
};

struct ho_compare_row {
    enum ho_compare_status status;
    const struct ho_record *a, *b; /* NULL: none */
    int64_t a_ns, b_ns;            /* since the fault */
    int64_t apart_ns;              /* b later than a, as `by_interval` says; 0 without a pair */
};

struct ho_comparison {
    struct ho_compare_row *row; /* by time */
    size_t n, same, steps;      /* rows; those with status SAME; with status STEP */
    size_t first;               /* the first row that is neither; n if there is none */
    int64_t worst_ns;      /* the largest |apart_ns| of a pair of equal records, STEPs excepted */
    int64_t worst_step_ns; /* the same of the STEPs */
};

/* Compares. The timelines must outlive the result; free it with ho_comparison_free().
 *
 * Returns 0, whether they agree or not (first == n: they do); -ENOENT if one lacks the fault;
 * -ENOMEM. *ret is untouched on failure.
 */
int ho_compare(const struct ho_timeline *a, const struct ho_timeline *b,
               const struct ho_compare_opts *opts, struct ho_comparison *ret);

/* NULL is ignored. */
void ho_comparison_free(struct ho_comparison *c);

/* The table: times of both and their difference, what happened; only rows that differ with
 * `differences`. Then one line that sums up: "A and B agree within 12 ms (57 events)", or the first
 * difference. `a` and `b` name the two.
 */
void ho_comparison_text(struct ho_text *out, const struct ho_comparison *c, const char *a,
                        const char *b, bool differences);

/* The table alone, and one row of it (which ends in a line's end). */
void ho_comparison_table(struct ho_text *out, const struct ho_comparison *c, const char *a,
                         const char *b, bool differences);
void ho_comparison_row(struct ho_text *out, const struct ho_compare_row *r, const char *a,
                       const char *b);

/* Do two records say the same of the same host and connection, whatever their times? */
bool ho_compare_same(const struct ho_record *a, const struct ho_record *b);

/* One record in words, as the table has it: "FPA 801 +1000 ack 801, cut". */
void ho_compare_words(struct ho_text *out, const struct ho_record *rec);

#endif
