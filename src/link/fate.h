/* What became of a frame that a host sent. Every part between hosts answers with one of these,
 * and the timeline writes its word.
 */

#ifndef HO_LINK_FATE_H
#define HO_LINK_FATE_H

#define HO_FATES(X)                                                                              \
    X(FWD, "fwd")               /* delivered, dt_deliver after it was sent */                    \
    X(CUT, "cut")               /* the cable was cut in its way, or while it was under way */    \
    X(LOST, "lost")             /* the medium lost it: loss, corruption, middlebox, drop verb */ \
    X(QUEUE, "queue")           /* a full queue on its way */                                    \
    X(NO_CARRIER, "no-carrier") /* a port without carrier: the sender's own, or the receiver's */

enum ho_fate {
#define X(id, text) HO_FATE_##id,
    HO_FATES(X)
#undef X
    HO_FATE_COUNT
};

#endif
