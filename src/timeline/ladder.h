/* The sequence diagram of a timeline for a terminal, at most 100 columns wide.
 *
 *        time                client                                      server
 *        -8 ms              connect │────────────────── SYN ─────────────────▶│
 *         0 s          ══════════════════════ cut lan ══════════════════════
 *       500 ms                      │           ✗──── 1000 bytes from 1 ──────│ send 1000
 *       706 ms                      │           ✗──── 1000 bytes from 1 ──────│ tail loss probe
 *
 * Two lifelines; what a process or kernel does stands at its side; a lost segment's arrow ends in
 * a cross (at once if the sender's own port has no carrier); probes and retransmissions are
 * numbered; gaps of 10 s and more, and rows that repeat, are folded. Times count from the first
 * fault. The same timeline and options give the same bytes.
 */

#ifndef HO_TIMELINE_LADDER_H
#define HO_TIMELINE_LADDER_H

#include "base/text.h"
#include "timeline/record.h"

struct ho_ladder_opts {
    const char *left, *right; /* hosts; NULL: who connects first, and whom it talks to */
    const char *conn;         /* one connection only; NULL: all */
    bool ascii;               /* no character beyond ASCII */
    bool color;               /* ANSI colours */
    bool unfolded;            /* show every row */
    bool all_calls;           /* also calls that tell nothing: successful reads, options ... */
};

/* Appends the diagram. Returns 0; -ENOENT if the timeline has no host to draw; -ENOMEM. */
int ho_ladder_write(struct ho_text *out, const struct ho_timeline *tl,
                    const struct ho_ladder_opts *opts);

#endif
