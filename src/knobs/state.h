/* The eleven states of RFC 9293 3.3.2, with Linux's numbers (include/net/tcp_states.h). */

#ifndef HO_KNOBS_STATE_H
#define HO_KNOBS_STATE_H

/* id, number, the word of ss(8), the RFC's name */
#define HO_TCP_STATES(X)                         \
    X(ESTABLISHED, 1, "ESTAB", "ESTABLISHED")    \
    X(SYN_SENT, 2, "SYN-SENT", "SYN-SENT")       \
    X(SYN_RECV, 3, "SYN-RECV", "SYN-RECEIVED")   \
    X(FIN_WAIT1, 4, "FIN-WAIT-1", "FIN-WAIT-1")  \
    X(FIN_WAIT2, 5, "FIN-WAIT-2", "FIN-WAIT-2")  \
    X(TIME_WAIT, 6, "TIME-WAIT", "TIME-WAIT")    \
    X(CLOSE, 7, "UNCONN", "CLOSED")              \
    X(CLOSE_WAIT, 8, "CLOSE-WAIT", "CLOSE-WAIT") \
    X(LAST_ACK, 9, "LAST-ACK", "LAST-ACK")       \
    X(LISTEN, 10, "LISTEN", "LISTEN")            \
    X(CLOSING, 11, "CLOSING", "CLOSING")

enum ho_tcp_state {
#define X(id, number, ss, rfc) HO_TCP_##id = (number),
    HO_TCP_STATES(X)
#undef X
    HO_TCP_STATE_COUNT = 12
};

/* A socket's timer as ss(8) and inet_diag name it: id, text. */
#define HO_SOCK_TIMERS(X)                                                  \
    X(OFF, "off")                                                          \
    X(ON, "on")               /* retransmission or tail loss probe */      \
    X(KEEPALIVE, "keepalive") /* also the FIN-WAIT-2 timer of an orphan */ \
    X(TIMEWAIT, "timewait")                                                \
    X(PROBE, "probe") /* zero-window probe */

enum ho_sock_timer {
#define X(id, text) HO_SOCK_TIMER_##id,
    HO_SOCK_TIMERS(X)
#undef X
    HO_SOCK_TIMER_COUNT
};

/* "ESTAB", as ss(8) prints it. */
const char *ho_tcp_state_ss(enum ho_tcp_state state);

/* "ESTABLISHED", as the RFC and this program print it. */
const char *ho_tcp_state_name(enum ho_tcp_state state);

/* The state of either name, case ignored, `_` and `-` alike. Returns it; -1 if there is none. */
int ho_tcp_state_find(const char *name);

#endif
