/* The timeline: one list of records, the same kinds from every engine. What a person sees is a
 * view of it (timeline/jsonl.h, pcapng.h, ladder.h, verdict.h, compare.h).
 *
 * docs/timeline.md is the schema as it is written to files; this header is the same thing as C.
 *
 * Texts. A record's texts are either string literals or came from ho_timeline_name() of the
 * timeline the record goes into: they outlive it. NULL means none and is stored as "". Views
 * compare texts with strcmp().
 *
 * Times. Nanoseconds since the scenario's start; files carry whole microseconds (jsonl) or
 * nanoseconds (pcapng). Records are appended in the order in which things happened; equal times
 * keep the order of appending. A record's time never lies before the one appended before it.
 *
 * Bounds. A timeline holds at most `max` records and counts what came after them in `dropped`.
 */

#ifndef HO_TIMELINE_RECORD_H
#define HO_TIMELINE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "knobs/state.h"
#include "link/fate.h"
#include "wire/addr.h"
#include "wire/tcp.h"

#define HO_TIMELINE_SCHEMA 1 /* the version in docs/timeline.md */

/* enum, text. ND is written "arp" for IPv4 and "nd" for IPv6. */
#define HO_REC_KINDS(X)     \
    X(SETTINGS, "settings") \
    X(SEG, "seg")           \
    X(ND, "nd")             \
    X(ICMP, "icmp")         \
    X(APP, "app")           \
    X(SOCK, "sock")         \
    X(NEIGH, "neigh")       \
    X(NOTE, "note")         \
    X(FAULT, "fault")

enum ho_rec_kind {
#define X(id, text) HO_REC_##id,
    HO_REC_KINDS(X)
#undef X
    HO_REC_COUNT
};

/* One setting in force. The engine writes all that matter before the first other record, and a
 * record again when one changes. Scopes:
 *   run      about the whole: scenario, engine, seed, version, kernel
 *   host     about a host: hz (0: exact), jiffies0, phase_ns, address, profile
 *   sysctl   a host's sysctl by Linux's full name ("net.ipv4.tcp_retries2")
 *   sockopt  a socket's option ("TCP_USER_TIMEOUT"); process and conn say whose
 *   cable    a cable's delay_us, rate_bps, loss_ppm ...; `host` is empty, `what` is its name
 */
struct ho_rec_settings {
    const char *scope;
    const char *what; /* scope cable: which one */
    const char *name;
    const char *text; /* the value if it is not a number, else "" */
    int64_t value;    /* the value if `text` is "" */
};

/* A segment that `host` put on a wire. Sequence numbers are relative to the sender's initial
 * one (its SYN has 0, its first byte 1), `ack` to the other side's. Which transmission of its
 * bytes it is, whether a tail loss probe, keepalive probe or window probe: views derive it
 * (timeline/mark.h), no engine records it.
 */
struct ho_rec_seg {
    const char *to;  /* the host it is addressed to */
    const char *via; /* where it was lost: the cable, switch or middlebox; "" if delivered */
    uint8_t flags;   /* HO_TCP_* */
    uint8_t n_sack;
    bool has_ts, has_mss, has_wscale, sack_ok; /* the options it carries */
    uint8_t wscale;                            /* has_wscale: the option of a SYN */
    uint8_t shift;                             /* what `window` is to be shifted by; 0 on a SYN */
    uint16_t window;                           /* as on the wire */
    uint16_t mss;
    uint32_t seq, ack;         /* relative; `ack` counts only with HO_TCP_ACK */
    uint32_t len;              /* bytes of payload */
    uint32_t ts_val, ts_ecr;   /* milliseconds, relative to each side's first ts_val */
    uint32_t raw_seq, raw_ack; /* as on the wire; files carry them only with `raw` */
    uint16_t sport, dport;     /* the same */
    struct ho_tcp_sack sack[HO_TCP_SACK_BLOCKS]; /* relative, as `ack` */
    enum ho_fate fate;
    struct ho_dur dt_deliver; /* HO_FATE_FWD: from sending to arrival */
};

/* An ARP packet, or a neighbour solicitation or advertisement (RFC 4861), that `host` sent. */
struct ho_rec_nd {
    const char *to; /* the host it reaches, "" when it is broadcast or multicast */
    const char *via;
    bool ipv6;             /* kind is "nd", not "arp" */
    bool answer;           /* "is-at", else "who-has" */
    bool multicast;        /* broadcast, or to the solicited-node address */
    struct ho_addr target; /* whom it asks for, or who answers */
    enum ho_fate fate;
    struct ho_dur dt_deliver;
};

/* An ICMP or ICMPv6 message that `host` sent, possibly to itself over lo. */
struct ho_rec_icmp {
    const char *to;
    const char *via;    /* "lo" for one to itself */
    const char *what;   /* "host-unreachable", "net-unreachable", "port-unreachable" ... */
    uint8_t type, code; /* as on the wire */
    bool ipv6;
    bool has_seq; /* it quotes a segment of `conn`, with this relative number */
    uint32_t seq;
    enum ho_fate fate;
    struct ho_dur dt_deliver;
};

/* A call that returned to a process at this time, or an event that a poll handed it. A call that
 * blocks has a record of its own with `enter` when it starts to wait. A finding of the program's
 * own is one too: `call` is its name ("heartbeat"), `detail` what it found, `finding` is set.
 */
struct ho_rec_app {
    const char *call;   /* "connect", "send", "recv", "poll", "epoll_wait", "exit" ... */
    const char *sock;   /* the socket's name in the process */
    const char *detail; /* "SO_ERROR", "WR", "TCP_KEEPIDLE=5": what the call was about */
    const char *err;    /* "ETIMEDOUT"; "" if it succeeded. getsockopt SO_ERROR: the error read */
    bool enter;
    bool finding; /* the program's own timer or rule told it that the peer is gone */
    bool has_asked, has_events, has_value;
    int64_t asked;      /* bytes asked for */
    int64_t ret;        /* as Linux returns it: -1 with `err`, else the result */
    uint32_t events;    /* HO_POLL* as Linux numbers them, returned by poll or epoll_wait */
    uint64_t bytes;     /* moved by this socket in this direction so far; send and recv only */
    uint64_t bad;       /* recv: bytes so far that are not those of the peer's stream */
    int64_t value;      /* setsockopt, getsockopt: the option's value, but for SO_ERROR */
    struct ho_dur took; /* since the call was made */
};

/* What sock_diag and TCP_INFO say about a socket of `conn`, written when it changed in more than
 * `expires`. `state` is ho_tcp_state_name()'s ("ESTABLISHED", "SYN-SENT", "FIN-WAIT-2" ...),
 * "CLOSED" for one that has ended and still has a descriptor, "gone" for one that no longer
 * exists. `process` is empty for an orphan.
 */
struct ho_rec_sock {
    const char *sock;
    const char *state;
    const char *err, *err_soft; /* sk_err and sk_err_soft by name, "" if 0 */
    enum ho_sock_timer timer;
    uint8_t retransmits, probes, backoff;
    struct ho_dur expires; /* until the timer fires, as it was armed; timer OFF: 0 */
    struct ho_dur rto, srtt, rttvar;
    uint32_t cwnd, ssthresh, unacked, lost; /* segments */
    uint32_t rq, wq;                        /* bytes: receive queue, send queue */
};

/* A neighbour entry of `host` changed its state: Linux's NUD names, "gone" when removed. */
struct ho_rec_neigh {
    struct ho_addr addr;
    const char *state;
};

/* Something worth telling that is no other kind. */
struct ho_rec_note {
    const char *text;
};

/* The scenario did something to the world. `name` is the label by which two timelines are
 * aligned (the first of equal names counts); without one of its own it is the verb.
 */
struct ho_rec_fault {
    const char *name;
    const char *verb;   /* "cut", "half-cut", "unplug", "plug", "power-off", "boot", "kill" ... */
    const char *what;   /* the cable, host, process or connection it was done to */
    const char *detail; /* "client to server", "" if there is nothing to add */
};

struct ho_record {
    struct ho_time t;
    enum ho_rec_kind kind;
    const char *host;             /* "" for what belongs to no host */
    const char *process;          /* "" for what the kernel did on its own */
    const char *conn;             /* the connection's name, the same at both ends */
    uint32_t frame_at, frame_len; /* its bytes in ho_timeline.frames; length 0: not kept */
    union {
        struct ho_rec_settings settings;
        struct ho_rec_seg seg;
        struct ho_rec_nd nd;
        struct ho_rec_icmp icmp;
        struct ho_rec_app app;
        struct ho_rec_sock sock;
        struct ho_rec_neigh neigh;
        struct ho_rec_note note;
        struct ho_rec_fault fault;
    } u;
};

struct ho_names;    /* the interned texts */
struct ho_settings; /* where each setting's records are */

struct ho_timeline {
    struct ho_record *rec;
    size_t n, room, max;
    uint64_t dropped; /* records that came after `max` */
    uint8_t *frames;  /* the bytes of frames, one after another */
    size_t n_frames, room_frames;
    bool keep_frames; /* set it to record frames' bytes (pcapng needs them) */
    bool any_order;   /* set it to let times go back: not for views, but to be sorted into another
                       * one (play/trace.h) */
    struct ho_names *names;
    struct ho_settings *settings;
};

/* Prepares an empty timeline of at most `max` records (0: no bound). No allocation. */
void ho_timeline_init(struct ho_timeline *tl, size_t max);

/* Frees what the timeline owns, its names included. NULL is ignored. */
void ho_timeline_destroy(struct ho_timeline *tl);

/* The timeline's own copy of `text`, the same pointer for equal texts. NULL gives "".
 * NULL when memory is exhausted.
 */
const char *ho_timeline_name(struct ho_timeline *tl, const char *text);

/* Appends a copy of *rec. rec->frame_at and frame_len are ignored.
 *
 * Returns 0, also when the bound is reached (counted in `dropped`); -ENOMEM, with the timeline
 * as it was. A record may be changed after it was appended, through tl->rec[tl->n - 1] or its
 * index: a frame's fate may be known only later.
 */
int ho_timeline_append(struct ho_timeline *tl, const struct ho_record *rec);

/* The same for a record that is a frame on a wire (seg, nd, icmp): keeps a copy of its `len`
 * bytes, Ethernet header first, if keep_frames is set.
 */
int ho_timeline_append_frame(struct ho_timeline *tl, const struct ho_record *rec,
                             const uint8_t *bytes, size_t len);

/* The last record at or before index `before` that says the setting `name` of scope `scope`, of
 * `host` ("" for none) and, scope "sockopt", of connection `conn` ("" for any other scope). NULL:
 * it was never said.
 */
const struct ho_record *ho_timeline_setting(const struct ho_timeline *tl, size_t before,
                                            const char *scope, const char *host, const char *conn,
                                            const char *name);

/* Names of enum values, as they are written. A kind of IPv6's neighbour discovery is "nd". */
const char *ho_rec_kind_text(const struct ho_record *rec);
const char *ho_fate_text(enum ho_fate fate);
const char *ho_sock_timer_text(enum ho_sock_timer timer);

#endif
