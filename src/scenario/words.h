/* Words of the language that name what a timeline shows. For src/scenario/ only. */

#ifndef HO_SCENARIO_WORDS_H
#define HO_SCENARIO_WORDS_H

/* What programs say of themselves (docs/programs.md), beside the system calls of host/op.h. */
#define HO_OWN_CALLS(X)                                 \
    X(HEARTBEAT, "heartbeat")                           \
    X(CONNECT_TIMEOUT, "connect_timeout")               \
    X(KEEPALIVE_TIMEOUT, "keepalive_timeout")           \
    X(HEADER_TIMEOUT, "header_timeout")                 \
    X(BODY_TIMEOUT, "body_timeout")                     \
    X(SEND_TIMEOUT, "send_timeout")                     \
    X(LINGER_TIMEOUT, "linger_timeout")                 \
    X(TIMEOUT, "timeout")                               \
    X(OUTPUT, "output") /* of a real command: a line */ \
    X(EXIT, "exit")

/* What `sends` and `receives` can count: frames by their bytes, and segments by their meaning,
 * which timeline/mark.h derives.
 */
#define HO_SCN_MARKS(X)                                                               \
    X(SEGMENT, "segment")                                                             \
    X(SYN, "SYN") /* without ACK */                                                   \
    X(SYN_ACK, "SYN-ACK")                                                             \
    X(DATA, "data") /* with payload */                                                \
    X(ACK, "ACK")   /* nothing but an ACK, and no probe */                            \
    X(FIN, "FIN")                                                                     \
    X(RST, "RST")                                                                     \
    X(REPEAT, "retransmission") /* of data, SYN or FIN, by timeout or fast; no TLP */ \
    X(TLP, "TLP")               /* tail loss probe, RFC 8985 */                       \
    X(KEEPALIVE, "keepalive-probe")                                                   \
    X(WINDOW_PROBE, "window-probe")                                                   \
    X(ARP, "ARP")   /* requests and answers; over IPv6 neighbour discovery */         \
    X(ICMP, "ICMP") /* to another host or to itself */

enum ho_scn_mark {
#define X(id, text) HO_SCN_MARK_##id,
    HO_SCN_MARKS(X)
#undef X
    HO_SCN_MARK_COUNT
};

const char *ho_scn_mark_text(enum ho_scn_mark mark);

/* The timeline's name ("FIN-WAIT-1", "gone") for a state in any of its spellings; NULL. */
const char *ho_scn_state(const char *text);

#endif
