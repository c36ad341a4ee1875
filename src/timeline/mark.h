/* What a segment is, beside its flags: derived from the timeline, the same for every engine.
 *
 * A host that sends sequence numbers again retransmits. In the order in which ground-truth A2
 * has it: the first repeat of the *last* segment while nothing else was repeated is a tail loss
 * probe (if net.ipv4.tcp_early_retrans allows one), every later one that no ACK provoked is a
 * timeout's, numbered until the data is acknowledged; repeats after SACKs or duplicate ACKs, or
 * while a loss is being repaired, are recovery. A bare ACK for a number below what the peer has
 * acknowledged is a probe: of a zero window if the peer's last window was 0, else keepalive
 * (ground-truth B rows 2 and 12: both have seq snd_una - 1 and no data).
 */

#ifndef HO_TIMELINE_MARK_H
#define HO_TIMELINE_MARK_H

#include "base/text.h"
#include "timeline/record.h"

#define HO_MARKS(X)                                                           \
    X(NONE, "")                                                               \
    X(SYN, "SYN again") /* n: which repeat */                                 \
    X(TLP, "tail loss probe")                                                 \
    X(REXMT, "retransmission") /* n: since the data was last acknowledged */  \
    X(RECOVERY, "loss recovery")                                              \
    X(KEEPALIVE, "keepalive probe") /* n of `of`, since anything was heard */ \
    X(WINDOW, "zero-window probe")  /* n, since anything was heard */         \
    X(RST_UNKNOWN, "RST: no such connection here")                            \
    X(RST_REFUSED, "RST: nobody listens here")                                \
    X(RST_KEEPALIVE, "RST: keepalive gave up")                                \
    X(RST_UNREAD, "RST: closed with unread data")                             \
    X(RST_LINGER, "RST: closed with SO_LINGER 0")                             \
    X(RST_ABORT, "RST: aborted")

enum ho_mark_kind {
#define X(id, text) HO_MARK_##id,
    HO_MARKS(X)
#undef X
    HO_MARK_COUNT
};

struct ho_mark {
    enum ho_mark_kind kind;
    uint16_t n, of; /* 0: not numbered, or not known of how many */
};

/* One mark for each record of the timeline, kind NONE for all that are no segments.
 *
 * Returns 0 with *ret an array of tl->n marks that the caller frees with free(); -ENOMEM with
 * *ret untouched. An empty timeline gives an array as well.
 */
int ho_marks_make(const struct ho_timeline *tl, struct ho_mark **ret);

const char *ho_mark_text(enum ho_mark_kind kind);

/* "retransmission 3", "keepalive probe 2 of 9"; nothing for NONE. */
void ho_mark_put(struct ho_text *out, const struct ho_mark *mark);

#endif
