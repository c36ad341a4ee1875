/* Compares what was expected of a truth script with what the model did.
 *
 * Segments, ARP packets and ICMP messages are compared host by host in their order, calls and
 * events process by process. What answers a stream of data is folded first: reads, and events that
 * only say that there is something to read or room to write, within FOLD_US of each other are one
 * record with the sum of the bytes, because how many wake-ups a process needs for them depends on
 * the speed of the machine.
 *
 * A time is right within HO_TRUTH_TOLERANCE_US (2 jiffies and 20 ms) counted from the event that
 * armed it. Which event that was the records do not say: it is the offset (model's time less the
 * file's) of one of the last few things on the same host, or none at all, for inputs come at the
 * file's times.
 *
 * A sample is right if the model was in that state at some moment within the tolerance of it.
 */

#ifndef HO_TESTS_TRUTH_COMPARE_H
#define HO_TESTS_TRUTH_COMPARE_H

#include <stdio.h>

#include "support/truth_script.h"

#define HO_TRUTH_TOLERANCE_US 28000

enum ho_truth_class {
    HO_TRUTH_C_ORDER, /* a record too many, too few, or another one */
    HO_TRUTH_C_TIME,
    HO_TRUTH_C_STATE,  /* a sample of a socket: state, timer, retransmits, probes, backoff */
    HO_TRUTH_C_NEIGH,  /* a sample of the neighbour */
    HO_TRUTH_C_WINDOW, /* a segment's window */
    HO_TRUTH_C_DETAIL, /* other numbers of a sample */
    HO_TRUTH_CLASSES
};

const char *ho_truth_class_name(enum ho_truth_class c);

struct ho_truth_diff {
    enum ho_truth_class what;
    int64_t t_us;
    char where[12]; /* "seg s", "app c2" */
    char expected[128], got[128];
};

struct ho_truth_result {
    struct ho_truth_recs expected, got; /* folded, with their pairs */
    struct ho_truth_states socks, got_socks, neighs, got_neighs;
    struct ho_truth_diff *diffs; /* ordered by time; at most `room` of each class are kept */
    size_t n_diffs, room;
    size_t count[HO_TRUTH_CLASSES];
    size_t compared[HO_TRUTH_CLASSES];
    size_t unknown;   /* fields that the file does not have */
    int64_t worst_us; /* largest time error by that rule */
};

/* Compares; the lists of *r are filled by the caller. */
void ho_truth_compare(const struct ho_truth_script *s, struct ho_truth_result *r);

/* The offset of the model's time from the file's on a host at a time of the file. */
int64_t ho_truth_offset(const struct ho_truth_result *r, int host, int64_t t_us);

/* Both timelines in one list: `=` in both, `-` only in the file, `+` only in the model, `~` in
 * both with a difference, from `from_us` to `to_us`.
 */
void ho_truth_show(const struct ho_truth_script *s, const struct ho_truth_result *r, FILE *out,
                   int64_t from_us, int64_t to_us);

void ho_truth_result_free(struct ho_truth_result *r);

#endif
