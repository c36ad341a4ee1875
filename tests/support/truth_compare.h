/* Compares what was expected of a truth script with what the model did.
 *
 * Segments, ARP packets and ICMP messages are compared host by host in their order, calls and
 * events process by process. What answers a stream of data is folded first: reads, and events that
 * only say that there is something to read or room to write, within FOLD_US of each other are one
 * record with the sum of the bytes, because how many wake-ups a process needs for them depends on
 * the speed of the machine.
 *
 * A time is right within two jiffies (8 ms), and the noise of the measured machine (20 ms, none in
 * virtual time), counted from the event that it follows from: the one that armed its timer, the
 * frame that arrived, the call or fault of the script. The player knows which that was
 * (truth_cause.h); in the file it is the record paired with it.
 *
 * Records are put side by side by the comparison that `halfopen compare` makes (truth_align.h).
 *
 * A sample is right if the model was in that state at some moment within the tolerance of it, on
 * the model's clock: as early or late as what the host did before and after it.
 */

#ifndef HO_TESTS_TRUTH_COMPARE_H
#define HO_TESTS_TRUTH_COMPARE_H

#include <stdio.h>

#include "support/truth_script.h"

enum ho_truth_class {
    HO_TRUTH_C_ORDER, /* a record too many, too few, or another one */
    HO_TRUTH_C_TIME,
    HO_TRUTH_C_STATE,  /* a sample of a socket: state, timer, retransmits, probes, backoff */
    HO_TRUTH_C_NEIGH,  /* a sample of the neighbour */
    HO_TRUTH_C_WINDOW, /* a segment's window */
    HO_TRUTH_C_DETAIL, /* other numbers of a sample */
    HO_TRUTH_CLASSES
};

/* Upper bounds of what `within` counts, in microseconds: a tenth of a jiffy, one, two, and two with
 * the noise of the measured machine.
 */
#define HO_TRUTH_BANDS 4
extern const int64_t HO_TRUTH_BAND_US[HO_TRUTH_BANDS];

const char *ho_truth_class_name(enum ho_truth_class c);

struct ho_truth_diff {
    enum ho_truth_class what;
    int64_t t_us;
    int64_t error_us; /* HO_TRUTH_C_TIME: how far, counted from the cause */
    char where[12];   /* "seg s", "app c2" */
    char expected[128], got[128];
};

struct ho_truth_result {
    struct ho_truth_recs expected, got; /* folded, with their pairs */
    struct ho_truth_states socks, got_socks, neighs, got_neighs;
    struct ho_truth_diff *diffs; /* ordered by time; at most `room` of each class are kept */
    size_t n_diffs, room;
    size_t count[HO_TRUTH_CLASSES];
    size_t compared[HO_TRUTH_CLASSES];
    size_t fields;  /* numbers and words of all records and samples that were compared */
    size_t unknown; /* those that the file does not have */
    size_t n_of_field[HO_TRUTH_FIELDS], same_of_field[HO_TRUTH_FIELDS]; /* of samples */
    size_t within[HO_TRUTH_BANDS]; /* times by how far they are off, counted from their cause */
    int64_t worst_us;              /* the largest of those that are no difference */
    size_t bulk_phases;            /* bulk files: how many were compared */
    double bulk_percent;           /* and how far the longest is off */
};

/* Whether a difference in this field of a sample makes a file fail. */
bool ho_truth_is_main(size_t field);

/* Compares; the lists of *r are filled by the caller. */
void ho_truth_compare(const struct ho_truth_script *s, struct ho_truth_result *r);

/* Both timelines in one list: `=` in both, `-` only in the file, `+` only in the model, `~` in
 * both with a difference, from `from_us` to `to_us`.
 */
void ho_truth_show(const struct ho_truth_script *s, const struct ho_truth_result *r, FILE *out,
                   int64_t from_us, int64_t to_us);

void ho_truth_result_free(struct ho_truth_result *r);

#endif
