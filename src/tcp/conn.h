/* The connection's insides, for src/tcp/, for the host that embeds it, and for tests/unit/.
 *
 * Hot and cold are apart. What a connection at rest needs is in struct ho_tcp and counts against
 * the budget of an idle endpoint (DESIGN.md). What it needs while bytes are queued, in flight or
 * unread is in struct ho_tcp_work, which comes with the first byte and goes when all is quiet.
 * The congestion window is apart as well and exists only once it has moved from its start.
 */

#ifndef HO_TCP_CONN_H
#define HO_TCP_CONN_H

#include "base/bytes.h"
#include "tcp/listen.h"
#include "tcp/seq.h"
#include "tcp/tcp.h"
#include "tcp/timewait.h"

#define TCP_INIT_CWND 10u /* segments (RFC 6928) */
#define TCP_SSTHRESH_UNSET 0x7fffffffu
#define TCP_MSS_DEFAULT 536u /* RFC 9293 3.7.1 */
#define TCP_MSS_MIN 88u
#define TCP_RTO_INIT_US 1000000u     /* RFC 6298 2.1 */
#define TCP_RTO_FALLBACK_US 3000000u /* RFC 6298 5.7 */
#define TCP_RTO_MIN_US 200000u       /* Linux TCP_RTO_MIN: also the base of T(N), ground-truth A3 */
#define TCP_ATO_MIN_US 40000u        /* Linux TCP_ATO_MIN, TCP_DELACK_MIN */
#define TCP_ATO_LEAST 0xffffu        /* ato_ticks: TCP_ATO_MIN_US, not yet in ticks */
#define TCP_DELACK_MAX_US 200000u
#define TCP_RESOURCE_PROBE_US 500000u /* Linux TCP_RESOURCE_PROBE_INTERVAL */
#define TCP_TIMEWAIT_S 60             /* Linux TCP_TIMEWAIT_LEN */
#define TCP_MAX_QUICKACKS 16u
#define TCP_REORDERING 3u        /* RFC 5681 3.2: three duplicate ACKs */
#define TCP_SKB_OVERHEAD 832u    /* bytes Linux charges a segment beside its payload */
#define TCP_SCALING_UNKNOWN 128u /* of 256, until a segment was measured */
#define TCP_GSO_MAX 65535u       /* bytes one segment of the send queue may hold */

/* One run of sequence space to be sent or sent already: Linux's sk_buff. It holds one or more
 * maximum segments until it has to be told apart. The bytes are in ho_tcp_work.sndq.
 */
struct ho_tcp_skb {
    struct ho_tcp_skb *next;      /* by sequence number */
    struct ho_tcp_skb *emit_next; /* waits for ho_tcp_output() */
    struct ho_time sent;          /* last transmission; 0: never */
    struct ho_seq seq;
    uint32_t len;      /* payload bytes */
    uint32_t emit_off; /* payload bytes already handed out of what waits */
    uint16_t parked;   /* copies of it that wait in the host */
    uint8_t flags;     /* HO_TCP_SYN, FIN, PSH */
    bool emit;         /* is in the list of what waits */
    bool acked;        /* SACK: the peer has it */
    bool lost;         /* counted as lost */
    bool rexmit;       /* sent again since it was counted as lost */
    bool ever_rexmit;  /* sent more than once: no round-trip sample (Karn) */
};

/* RFC 6937 and Linux's names of what the sender believes about the network. */
enum ho_tcp_ca {
    TCP_CA_OPEN,
    TCP_CA_DISORDER,
    TCP_CA_CWR,
    TCP_CA_RECOVERY,
    TCP_CA_LOSS
};

/* What the one retransmission timer stands for. */
enum ho_tcp_pending {
    TCP_PENDING_NONE,
    TCP_PENDING_REXMT,
    TCP_PENDING_TLP,  /* RFC 8985 7 */
    TCP_PENDING_REO,  /* RFC 8985 6.3: wait for reordering to show */
    TCP_PENDING_PROBE /* zero window */
};

#define TCP_OOO_MAX 1024u         /* segments kept out of order */
#define TCP_QUIET_US 600000000ull /* silent so long, it forgets what it knew of the stream */

struct ho_tcp_work {
    /* sending */
    struct ho_bytes sndq;           /* from snd_una (its SYN and FIN excluded) to write_seq */
    struct ho_tcp_skb *head, *tail; /* first sent and not acknowledged, ... last not sent */
    struct ho_tcp_skb *send_head;   /* first not sent yet */
    struct ho_tcp_skb *emit, *emit_last;
    struct ho_time retrans_stamp; /* first retransmission of this episode, 0: none (A3's S) */
    struct ho_due rexmt_at, delack_at;
    struct ho_due wheel_at;  /* what rexmt_at was when it was last set */
    uint64_t wheel_jiffy;    /* before it was rounded */
    struct ho_time sent_at;  /* when anything was sent last */
    struct ho_seq sndq_seq;  /* sequence number of the first byte in sndq */
    struct ho_seq write_seq; /* end of what the application gave, FIN included */
    struct ho_seq pushed_seq, snd_sml;
    struct ho_seq high_seq;     /* snd_nxt when recovery began */
    struct ho_seq tlp_high_seq; /* snd_nxt when the probe was sent */
    struct ho_seq undo_marker;
    struct ho_seq rtt_seq;
    uint32_t n_skbs;                                         /* in the queue, sent or not */
    uint32_t packets_out, sacked_out, lost_out, retrans_out; /* segments */
    uint32_t max_packets_out, cwnd_used; /* in this window of data; since cwnd_stamp */
    uint32_t cwnd_stamp;                 /* tick */
    struct ho_seq usage_seq;             /* end of this window of data */
    uint64_t pace;                       /* bytes a second, as of the last ACK; 0: none yet */
    uint32_t total_retrans;
    uint32_t rto_us;        /* in force: with backoff */
    uint32_t probes_tstamp; /* tick of the first probe timer, 0: none */
    uint32_t prr_delivered, prr_out;
    uint32_t prior_cwnd, prior_ssthresh;
    int32_t undo_retrans;
    uint32_t reordering;
    uint32_t dupacks;         /* without SACK: duplicate ACKs taken for segments */
    uint32_t delivered, lost; /* counts that only grow: RFC 6937 */
    uint8_t ca_state;         /* enum ho_tcp_ca */
    uint8_t pending;          /* enum ho_tcp_pending */
    bool undo, tlp, tlp_retrans, frto, cwnd_limited;
    bool throttled; /* a repeat was refused because a copy waits in the host */
    bool resume;    /* the copy has left: try again at the next ho_tcp_output() */
    struct {
        struct ho_time mstamp; /* of the latest sent segment known to be delivered */
        struct ho_seq end_seq;
        uint32_t rtt_us, min_rtt_us; /* min 0: none yet */
        uint8_t reo_steps, dsack_seen, reord_seen, advanced;
    } rack;

    /* receiving */
    struct ho_bufq rcvq; /* in order, not read yet */
    struct ho_bufq ooo;  /* out of order, by sequence number */
    struct ho_tcp_sack sacks[HO_TCP_SACK_BLOCKS];
    struct ho_tcp_sack dsack;
    uint32_t rcv_bytes;            /* payload in rcvq that was not read */
    uint32_t rmem;                 /* what Linux would charge for rcvq and ooo */
    uint32_t rcvq_space, rcvq_seq; /* receive buffer tuning: bytes a round trip, and since when */
    struct ho_time rcvq_time;
    uint32_t rcv_rtt_us;         /* smoothed, times 8 */
    struct ho_time rcv_rtt_time; /* since when rcv_rtt_seq is waited for, 0: not yet */
    struct ho_seq rcv_rtt_seq;
    uint32_t rcv_tsecr; /* the echo it was last measured by */
    uint32_t moved;     /* bytes that went through: what they taught is kept */
    uint8_t n_sacks;
    uint32_t held; /* charged for what was read of the first buffers in rcvq */
    uint16_t
        last_seg; /* payload of a segment that was no full one, 0: none (tcp_measure_rcv_mss) */
    bool has_dsack;
};

/* Congestion control: the window and what CUBIC remembers (RFC 9438). */
struct ho_tcp_cc {
    uint32_t cwnd, ssthresh, cwnd_cnt;
    uint32_t sndbuf;           /* bytes */
    uint32_t w_max, origin, k; /* segments, segments, 1/1024 s */
    uint32_t ack_cnt, tcp_cwnd, delay_min_us;
    uint32_t last_cwnd, last_tick, cnt;
    struct ho_time epoch; /* 0: no epoch yet */
};

/* ack_pending: what Linux keeps in icsk_ack.pending. */
#define TCP_ACK_SCHED 1u
#define TCP_ACK_TIMER 2u
#define TCP_ACK_PUSHED 4u
#define TCP_ACK_PUSHED2 8u
#define TCP_ACK_NOW 16u
#define TCP_ACK_NOMEM 32u

/* shut: which directions are closed. */
#define TCP_SHUT_RCV 1u
#define TCP_SHUT_SEND 2u
#define TCP_SHUT_MASK 3u

/* want: bare segments that ho_tcp_output() owes, in this order after what waits in `emit`. */
#define TCP_WANT_ACK 1u
#define TCP_WANT_PROBE 2u /* seq snd_una - 1, no payload: keepalive or window probe */
#define TCP_WANT_RST 4u   /* RST,ACK at snd_nxt, the connection's last word */

/* flags */
#define TCP_F_SACK 1u /* both ends speak SACK */
#define TCP_F_TS 2u   /* timestamps */
#define TCP_F_WSCALE 4u
#define TCP_F_DEAD 8u     /* no process: an orphan (SOCK_DEAD) */
#define TCP_F_DONE 16u    /* FIN received (SOCK_DONE) */
#define TCP_F_NOSPACE 32u /* somebody waits to write */
#define TCP_F_CONFIRM 64u /* tell the neighbour table (sk_dst_confirm) */
#define TCP_F_OPENED 128u /* has left CLOSED once */

struct ho_tcp {
    struct ho_tcp_path *path;
    struct ho_tcp_opts *opts;
    struct ho_tcp_work *work; /* NULL at rest */
    struct ho_tcp_cc *cc;     /* NULL: the window has never moved */
    struct ho_due keep_at;    /* keepalive, or the end of an orphan's FIN-WAIT-2 */

    struct ho_seq snd_una, snd_nxt, snd_wl1;
    uint32_t snd_wnd, max_window;
    struct ho_seq rcv_nxt, rcv_wup;
    uint32_t rcv_wnd, rcv_ssthresh, rcvbuf;
    uint32_t ts_recent;
    uint32_t srtt_us, mdev_us, mdev_max_us, rttvar_us; /* srtt times 8, mdev times 4, as Linux */
    uint32_t rcv_tstamp, lrcvtime, lsndtime;           /* ticks: last ACK, data in, data out */
    uint32_t last_oow;                                 /* tick of the last rate-limited ACK */
    uint16_t lport, rport;
    uint16_t mss; /* payload bytes of a full segment, options taken off */
    uint16_t advmss, rcv_mss;
    uint16_t ato_ticks;
    uint8_t state, why, shut, flags, want, wake;
    uint8_t err, err_soft;
    uint8_t backoff, retransmits, probes_out;
    uint8_t ack_pending, quick, pingpong;
    uint8_t snd_wscale : 4, rcv_wscale : 4;
    uint8_t scaling; /* of 256: the part of the buffer that is payload (Linux scaling_ratio) */
};

/* ---- state.c: the only writer of c->state -------------------------------------------------- */
void tcp_enter(struct ho_tcp *c, enum ho_tcp_state next);
/* CLOSED, both directions shut, sleepers woken; the send queue goes. */
void tcp_done(struct ho_tcp_env *env, struct ho_tcp *c, enum ho_tcp_why why);
/* The same with an error for the application (0: none). */
void tcp_fail(struct ho_tcp_env *env, struct ho_tcp *c, int err, enum ho_tcp_why why);

/* ---- work.c: the part that comes and goes, and the send queue ------------------------------- */
/* The work part, made if need be. NULL without memory. */
struct ho_tcp_work *tcp_work(struct ho_tcp_env *env, struct ho_tcp *c);
void tcp_work_rest(struct ho_tcp_env *env, struct ho_tcp *c); /* lets go of it when all is quiet */
void tcp_work_drop(struct ho_tcp_env *env, struct ho_tcp *c); /* lets go of it at once */
struct ho_tcp_skb *tcp_skb_append(struct ho_tcp_env *env, struct ho_tcp *c); /* empty, at the end */
int tcp_skb_split(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_tcp_skb *s, uint32_t len);
void tcp_skb_grow(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_tcp_skb *s, uint32_t amount);
void tcp_skb_merge_next(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_tcp_skb *s);
void tcp_skb_free_head(struct ho_tcp_env *env, struct ho_tcp *c);
void tcp_send_queue_purge(struct ho_tcp_env *env, struct ho_tcp *c);
uint32_t tcp_skb_segs(const struct ho_tcp *c, const struct ho_tcp_skb *s);
struct ho_seq tcp_skb_end(const struct ho_tcp_skb *s);
void tcp_emit(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_tcp_skb *s, struct ho_time now);
struct ho_tcp_skb *tcp_last_sent(const struct ho_tcp *c);
uint32_t tcp_wmem(const struct ho_tcp *c);
uint32_t tcp_unsent(const struct ho_tcp *c); /* sequence space not yet sent */

/* ---- clock and settings -----------------------------------------------------------------------
 */
uint32_t tcp_tick_now(const struct ho_tcp_env *env, struct ho_time now);
uint32_t tcp_us_ticks(const struct ho_tcp_env *env, uint64_t us); /* rounded up */
uint64_t tcp_ticks_us(const struct ho_tcp_env *env, uint32_t ticks);
uint32_t tcp_rto_max_us(const struct ho_tcp_env *env, const struct ho_tcp *c);
static inline int64_t tcp_sys(const struct ho_tcp_env *env, enum ho_sysctl id)
{
    return env->sys->v[id];
}
static inline void tcp_count(struct ho_tcp_env *env, enum ho_tcp_count id)
{
    env->count[id]++;
}

/* ---- timer.c ------------------------------------------------------------------------------------
 */
void tcp_arm(struct ho_tcp_env *env, struct ho_tcp *c, enum ho_tcp_pending what, uint64_t us,
             struct ho_time now); /* bounded by rto_max */
void tcp_disarm(struct ho_tcp *c);
void tcp_rearm_rto(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
void tcp_keep_arm(struct ho_tcp_env *env, struct ho_tcp *c, uint64_t us, struct ho_time now);
void tcp_retransmit_timer(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
uint64_t tcp_probe_when_us(const struct ho_tcp_env *env, const struct ho_tcp *c);
uint64_t tcp_probe_clamp_us(const struct ho_tcp_env *env, const struct ho_tcp *c, uint64_t us,
                            struct ho_time now);
uint32_t tcp_keepidle_ticks(const struct ho_tcp_env *env, const struct ho_tcp *c);

/* ---- rtt.c --------------------------------------------------------------------------------------
 */
void tcp_rtt_sample(struct ho_tcp_env *env, struct ho_tcp *c, uint32_t rtt_us, bool set_rto);
/* The handshake gave no sample: what is sent before there is one waits for 3 s (RFC 6298 5.7). */
void tcp_rtt_unknown(struct ho_tcp_env *env, struct ho_tcp *c);
uint32_t tcp_rto_min_us(const struct ho_tcp_env *env);
uint32_t tcp_rto_base_us(const struct ho_tcp_env *env, const struct ho_tcp *c);

/* ---- cc.c ---- */
struct ho_tcp_cc *tcp_cc(struct ho_tcp_env *env, struct ho_tcp *c); /* may be NULL */
uint32_t tcp_cwnd(const struct ho_tcp *c);
uint32_t tcp_ssthresh(const struct ho_tcp *c);
void tcp_set_cwnd(struct ho_tcp_env *env, struct ho_tcp *c, uint32_t cwnd);
void tcp_set_ssthresh(struct ho_tcp_env *env, struct ho_tcp *c, uint32_t ssthresh);
uint32_t tcp_cc_ssthresh(struct ho_tcp_env *env, struct ho_tcp *c); /* after a loss */
void tcp_cc_loss(struct ho_tcp *c); /* a timeout: CUBIC starts anew */
void tcp_cc_acked(struct ho_tcp_env *env, struct ho_tcp *c, uint32_t acked, struct ho_time now);
void tcp_cc_tx_start(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
void tcp_cc_idle(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
void tcp_cc_validate(struct ho_tcp_env *env, struct ho_tcp *c, bool limited, struct ho_time now);
/* The pace of the connection, from its window and round trip (Linux sk_pacing_rate). */
uint64_t tcp_cc_pace(const struct ho_tcp *c);
uint32_t tcp_sndbuf(const struct ho_tcp_env *env, const struct ho_tcp *c);
void tcp_sndbuf_expand(struct ho_tcp_env *env, struct ho_tcp *c);

static inline uint32_t tcp_in_flight(const struct ho_tcp_work *w)
{
    uint32_t left = w->sacked_out + w->lost_out;

    return w->packets_out + w->retrans_out > left ? w->packets_out + w->retrans_out - left : 0;
}

/* ---- send.c: what may be sent now ------------------------------------------------------------ */
enum {
    TCP_NAGLE_OFF = 1,
    TCP_NAGLE_CORK = 2,
    TCP_NAGLE_PUSH = 4
};
/* Sends new data as windows allow. `push_one`: 0 all, 1 one run, 2 one segment even beyond cwnd.
 * Returns true if nothing is in flight and something waits: the probe timer has to run.
 */
bool tcp_write(struct ho_tcp_env *env, struct ho_tcp *c, unsigned nonagle, int push_one,
               struct ho_time now);
void tcp_push(struct ho_tcp_env *env, struct ho_tcp *c, unsigned nonagle, struct ho_time now);
unsigned tcp_nonagle(const struct ho_tcp *c);
void tcp_send_fin(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
void tcp_sent_new(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_tcp_skb *s,
                  struct ho_time now);
static inline struct ho_seq tcp_wnd_end(const struct ho_tcp *c)
{
    return ho_seq_add(c->snd_una, c->snd_wnd);
}
uint32_t tcp_burst_segs(const struct ho_tcp *c); /* of one burst, at most */
uint32_t tcp_mss_now(const struct ho_tcp *c);    /* less the SACK blocks that go along */
void tcp_sync_mss(const struct ho_tcp_env *env, struct ho_tcp *c, uint16_t peer_mss);

/* ---- rexmit.c: sending again, probing ---- */
/* Returns 0; -EBUSY a copy is still in the host; -EHOSTUNREACH no route; -EAGAIN; -ENOMEM. */
int tcp_retransmit(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_tcp_skb *s, uint32_t segs,
                   struct ho_time now);
int tcp_resend(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_tcp_skb *s, uint32_t segs,
               struct ho_time now); /* without the books of loss recovery */
void tcp_loss_probe(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
bool tcp_schedule_loss_probe(struct ho_tcp_env *env, struct ho_tcp *c, bool advancing,
                             struct ho_time now);
void tcp_rexmit_lost(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
void tcp_resume(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
/* Whether a first transmission finds no route now. Over IPv6 that is remembered as the soft error,
 * as inet6_csk_xmit() does; over IPv4 only by a retransmission (fact_unsent_data_is_counted).
 */
bool tcp_has_no_route(struct ho_tcp *c);
int tcp_write_wakeup(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
void tcp_send_probe0(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
void tcp_check_probe_timer(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);

/* ---- ack.c, sack.c, recovery.c: what an acknowledgement says ---- */
/* What one ACK has told so far: flags below, and samples. */
struct tcp_ack {
    unsigned flags;
    struct ho_seq prior_una;
    uint32_t acked; /* segments newly acknowledged or SACKed */
    uint32_t lost_before;
    int64_t rtt_us, sack_rtt_us, ca_rtt_us; /* -1: none */
    uint8_t rexmit;                         /* what tcp_recover() has to do */
};
#define ACKF_UNA_ADVANCED 1u
#define ACKF_DATA 2u
#define ACKF_WIN_UPDATE 4u
#define ACKF_DATA_ACKED 8u
#define ACKF_SYN_ACKED 16u
#define ACKF_RETRANS_ACKED 32u
#define ACKF_DATA_SACKED 64u
#define ACKF_DSACKING 128u
#define ACKF_ORIG_SACK_ACKED 256u
#define ACKF_SET_TIMER 512u
#define ACKF_LOST_RETRANS 1024u
#define ACKF_DSACK_TLP 2048u
#define ACKF_ACKED (ACKF_DATA_ACKED | ACKF_SYN_ACKED)
#define ACKF_NOT_DUP (ACKF_DATA | ACKF_WIN_UPDATE | ACKF_ACKED)

enum tcp_ack_result {
    TCP_ACK_OK,      /* taken */
    TCP_ACK_OLD,     /* before snd_una, harmless */
    TCP_ACK_TOO_OLD, /* RFC 5961 5.2 */
    TCP_ACK_UNSENT   /* of what was never sent */
};
enum tcp_ack_result tcp_ack(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                            struct ho_time now);
void tcp_sack_tag(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                  struct tcp_ack *a, struct ho_time now);
void tcp_rack_advance(struct ho_tcp *c, const struct ho_tcp_skb *s, struct ho_time now,
                      const struct ho_wire_tcp *seg);
void tcp_rack_detect(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
void tcp_rack_timer(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
void tcp_fastretrans(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                     struct tcp_ack *a, bool dupack, struct ho_time now);
void tcp_process_tlp_ack(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                         struct tcp_ack *a);
void tcp_enter_loss(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
void tcp_recover(struct ho_tcp_env *env, struct ho_tcp *c, const struct tcp_ack *a,
                 struct ho_time now);
void tcp_enter_recovery(struct ho_tcp_env *env, struct ho_tcp *c);
void tcp_mark_lost(struct ho_tcp *c, struct ho_tcp_skb *s);
void tcp_cwnd_reduction(struct ho_tcp_env *env, struct ho_tcp *c, const struct tcp_ack *a);
static inline bool tcp_in_reduction(const struct ho_tcp_work *w)
{
    return w->ca_state == TCP_CA_CWR || w->ca_state == TCP_CA_RECOVERY;
}

/* ---- recv.c, window.c: what came in, and the window we offer ---- */
/* Queues the segment's payload, or does not; consumes it. May see a FIN. */
void tcp_data_queue(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                    struct ho_buf *payload, struct ho_time now);
void tcp_rcv_purge(struct ho_tcp_env *env, struct ho_tcp *c);
void tcp_ooo_purge(struct ho_tcp_env *env, struct ho_tcp *c);
void tcp_dsack_set(const struct ho_tcp_env *env, struct ho_tcp *c, struct ho_seq from,
                   struct ho_seq to);
uint32_t tcp_receive_window(const struct ho_tcp *c); /* what of the offer is left */
uint32_t tcp_select_window(struct ho_tcp_env *env, struct ho_tcp *c); /* offers; for the header */
uint32_t tcp_window_wanted(struct ho_tcp *c); /* what could be offered (__tcp_select_window) */
uint32_t tcp_win_from_space(const struct ho_tcp *c, uint32_t space);
uint32_t tcp_window_clamp(const struct ho_tcp *c);
/* The window of a SYN or SYN-ACK, and the scale (RFC 7323). */
uint32_t tcp_initial_window(const struct ho_tcp_env *env, const struct ho_tcp_opts *opts,
                            uint32_t mss, bool scaling, uint8_t *ret_wscale, uint32_t *ret_rcvbuf);
void tcp_rcv_mss_init(struct ho_tcp *c);
void tcp_space_adjust(struct ho_tcp_env *env, struct ho_tcp *c, uint32_t copied,
                      struct ho_time now);
/* A connection begins, or its work part: what is read is counted from `now` on (0: not known). */
void tcp_rcvq_start(struct ho_tcp *c, struct ho_time now);
/* Before 6.18: the first offer, too, stays below the buffer less one segment. */
void tcp_cap_first_offer(struct ho_tcp *c);
void tcp_rcv_rtt_window(struct ho_tcp *c, struct ho_time now);
void tcp_rcv_rtt(struct ho_tcp *c, const struct ho_wire_tcp *seg, struct ho_time now);
void tcp_grow_window(const struct ho_tcp_env *env, struct ho_tcp *c, uint32_t payload,
                     uint32_t truesize);
bool tcp_rcv_room(const struct ho_tcp_env *env, struct ho_tcp *c);

/* ---- rcvq.c: what the receive queues hold ---- */
/* Bytes of buffer that Linux charges for the segment. */
uint32_t tcp_truesize(const struct ho_tcp *c, const struct ho_wire_tcp *seg);
uint32_t tcp_buf_fin(const struct ho_buf *b);   /* 1 if a FIN follows */
bool tcp_buf_is_joined(const struct ho_buf *b); /* with the one before it in its queue */
uint32_t tcp_buf_frags(const struct ho_buf *b); /* joined up to this one */
void tcp_buf_unjoin(struct ho_buf *b);
/* Sets what the buffer that `seg` came in is charged: its tag[1]. */
void tcp_buf_charge(const struct ho_tcp *c, struct ho_buf *b, const struct ho_wire_tcp *seg);
/* `b`, with `more_frags` that are joined with it, comes behind `prev` (NULL: nothing) in a queue;
 * they can be joined if it begins where `prev` ends. Returns by how much its charge fell.
 */
uint32_t tcp_buf_follow(struct ho_buf *b, const struct ho_buf *prev, uint32_t more_frags,
                        bool touches);
/* Copies what is unread; without `peek` it is gone then. Returns bytes. */
uint32_t tcp_copy_out(struct ho_tcp_env *env, struct ho_tcp *c, uint8_t *bytes, size_t len,
                      bool peek, struct ho_time now);

/* ---- delack.c: when to acknowledge ---- */
void tcp_measure_rcv_mss(const struct ho_tcp_env *env, struct ho_tcp *c,
                         const struct ho_wire_tcp *seg);
void tcp_send_ack(struct ho_tcp *c);
void tcp_ack_check(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
void tcp_schedule_ack(struct ho_tcp *c);
void tcp_enter_quickack(struct ho_tcp *c, unsigned max);
void tcp_data_event(struct ho_tcp_env *env, struct ho_tcp *c, const struct ho_wire_tcp *seg,
                    struct ho_time now);
void tcp_ack_sent(struct ho_tcp *c);
/* Data goes out at `tick`: an answer within the ACK's delay means that the ends take turns. */
void tcp_take_turns(const struct ho_tcp_env *env, struct ho_tcp *c, uint32_t tick);
void tcp_delack_timer(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
void tcp_send_delayed_ack(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
bool tcp_oow_limited(struct ho_tcp_env *env, uint32_t *last, struct ho_time now);
void tcp_challenge_ack(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
static inline bool tcp_in_pingpong(const struct ho_tcp *c)
{
    return c->pingpong > 0;
}

/* ---- input.c ---- */
/* Takes the connection into ESTABLISHED: buffers, keepalive. */
void tcp_established(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
void tcp_reset(struct ho_tcp_env *env, struct ho_tcp *c);
bool tcp_check_space(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);

/* ---- close.c ---- */
void tcp_active_reset(struct ho_tcp_env *env, struct ho_tcp *c);
/* FIN-WAIT-2 without a process: how long, and how (row 15). */
void tcp_fin_wait2_orphan(struct ho_tcp_env *env, struct ho_tcp *c, struct ho_time now);
uint64_t tcp_fin_time_us(const struct ho_tcp_env *env, const struct ho_tcp *c);

/* ---- isn.c ---- */
struct ho_seq tcp_isn(const struct ho_tcp_env *env, const struct ho_tcp_path *path, uint16_t lport,
                      uint16_t rport, struct ho_time now);
uint16_t tcp_path_advmss(const struct ho_tcp_path *path, const struct ho_tcp_opts *opts);

#endif
