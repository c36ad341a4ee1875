/* A connection after it was one: TIME-WAIT, and FIN-WAIT-2 without a process, in a small struct.
 *
 * TIME-WAIT lasts 60 s whatever tcp_fin_timeout says (TCP_TIMEWAIT_LEN); an orphan in FIN-WAIT-2
 * lasts tcp_fin_timeout. Both answer with ACKs, and TIME-WAIT lets a new SYN in when its
 * sequence number or timestamp proves that it is new (RFC 6191; RFC 1122 4.2.2.13).
 */

#ifndef HO_TCP_TIMEWAIT_H
#define HO_TCP_TIMEWAIT_H

#include "tcp/seq.h"
#include "tcp/tcp.h"

struct ho_tcp_tw {
    struct ho_tcp_path *path;
    struct ho_due deadline;
    struct ho_time last_oow_ack;
    struct ho_seq rcv_nxt, snd_nxt;
    uint32_t rcv_wnd; /* the right edge still accepted */
    uint32_t ts_recent;
    uint32_t entered_ms; /* when TIME-WAIT began */
    uint16_t lport, rport;
    uint8_t substate; /* HO_TCP_FIN_WAIT2 or HO_TCP_TIME_WAIT */
    uint8_t rcv_wscale;
    bool ts_ok;
};

enum ho_tcp_tw_do {
    HO_TCP_TW_NOTHING,
    HO_TCP_TW_ACK,   /* send ho_tcp_tw_ack() */
    HO_TCP_TW_RESET, /* answer with ho_tcp_reset_for() and free the record */
    HO_TCP_TW_SYN,   /* free the record and give the segment to the listener, if there is one */
    HO_TCP_TW_FREE   /* free the record */
};

/* Makes `t` of a connection for which ho_tcp_wants_tw() is true, and closes that: a process that
 * still holds its socket can read what is left. Takes no references.
 */
void ho_tcp_tw_init(struct ho_tcp_env *env, struct ho_tcp_tw *t, struct ho_tcp *c,
                    struct ho_time now);

enum ho_tcp_tw_do ho_tcp_tw_input(struct ho_tcp_env *env, struct ho_tcp_tw *t,
                                  const struct ho_wire_tcp *seg, struct ho_time now);

/* True if connect() may take over the port of `t` (tcp_tw_reuse 1, or 2 on loopback;
 * timestamps; older than tcp_tw_reuse_delay): Linux tcp_twsk_unique().
 */
bool ho_tcp_tw_reusable(const struct ho_tcp_env *env, const struct ho_tcp_tw *t,
                        struct ho_time now);

/* At t->deadline the record is freed. */
struct ho_buf *ho_tcp_tw_ack(struct ho_tcp_env *env, struct ho_tcp_tw *t, struct ho_time now);

#endif
