/* One connection of a running machine, as it was seen at one moment: what sock_diag(7), the socket
 * options of its owner and /proc said. Plain facts; whoever fills it says how each is known.
 */

#ifndef HO_FORECAST_CONN_H
#define HO_FORECAST_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forecast/predict.h"
#include "knobs/state.h"
#include "wire/addr.h"

/* What it takes to read the options of a process's sockets, said wherever they could not be read.
 * Another user's /proc/PID/fd is listed with CAP_DAC_READ_SEARCH (or CAP_DAC_OVERRIDE) only, and
 * what its links say, as the duplicates, needs CAP_SYS_PTRACE (proc(5), pidfd_getfd(2)); either
 * alone is of no use, as tests/kernel/test_doctor_owners.c measures.
 */
#define HO_CONN_NEEDS "needs same uid or CAP_SYS_PTRACE+CAP_DAC_READ_SEARCH"

/* How a fact is known. */
#define HO_KNOWNS(X)                                                  \
    X(UNKNOWN, "unknown")   /* nobody may look (HO_CONN_NEEDS) */     \
    X(INFERRED, "inferred") /* from the timer that sock_diag shows */ \
    X(READ, "read")         /* getsockopt() on a duplicate of the socket */

enum ho_known {
#define X(id, word) HO_KNOWN_##id,
    HO_KNOWNS(X)
#undef X
};

const char *ho_known_word(enum ho_known known);

/* The settings of a network namespace: what its sockets have by default. */
struct ho_conn_host {
    uint64_t netns; /* the inode of the namespace */
    bool here;      /* the one that the program runs in */
    struct ho_sysctls sysctls;
    uint32_t hz;
};

/* A process that holds connections. */
struct ho_conn_owner {
    int32_t pid;        /* as this pid namespace counts; 0: not known */
    uint32_t uid;       /* of the socket */
    char name[16];      /* /proc/PID/comm; "" if it cannot be read */
    char container[72]; /* the id or unit in its cgroup's path; "" for none */
};

#define HO_CONN_NO_OWNER UINT32_MAX

struct ho_conn {
    struct ho_addr local, remote;
    uint16_t lport, rport;
    uint32_t host;   /* index: its namespace */
    uint32_t owner;  /* index of the first process that holds it; HO_CONN_NO_OWNER: an orphan, or
                      * one whose owner cannot be seen */
    uint32_t inode;  /* 0: no process holds it */
    uint32_t uid;    /* whose socket it is, also where the owner cannot be seen */
    uint64_t cookie; /* of the socket: never used again while the machine runs; 0: not known */
    uint8_t state;   /* enum ho_tcp_state */
    bool ipv6;
    bool on_link;  /* the peer is on the same link (or this machine itself): no router between */
    bool loopback; /* both ends are on this machine's `lo` */
    bool orphan;   /* no process holds it any more */

    /* The timer that runs (enum ho_sock_timer), as sock_diag says: what it counted (retransmissions
     * or probes that were not answered) and what remains.
     */
    uint8_t timer, retrans;
    uint32_t expires_ms;

    /* TCP_INFO; zero without has_info. */
    bool has_info;
    uint8_t backoff, probes;
    uint32_t rto_us, rtt_us, unacked; /* segments */
    uint32_t snd_wnd;
    bool snd_wnd_known;         /* the kernel says it (Linux 5.4) */
    uint32_t notsent_bytes;     /* written by the process, not sent yet */
    uint32_t last_data_sent_ms; /* ago */
    uint32_t last_data_recv_ms; /* ago; the kernel's clock starts when the socket is made */
    uint32_t last_ack_recv_ms;  /* ago */
    uint32_t total_retrans;     /* since it was made */
    bool rto_time_known;        /* the kernel says the two that follow (Linux 6.7) */
    uint32_t rto_recoveries;    /* times that it began to repeat by timeout, this one included */
    uint32_t rto_time_ms;       /* spent in them, this one included */
    uint32_t rqueue, wqueue;    /* bytes unread here, unacknowledged there */

    /* Socket options, each in Linux's units (knobs/sockopt.def). */
    enum ho_known keepalive_known;
    bool keepalive;
    enum ho_known options_known; /* READ or UNKNOWN: of the four that follow */
    int64_t keepidle_s, keepintvl_s, keepcnt, user_timeout_ms;
    enum ho_known linger_known;
    bool linger;
    int32_t linger_s;
};

/* Whether the four of `options_known` were read, and are values that Linux lets a socket have. */
bool ho_conn_has_options(const struct ho_conn *c);

/* The timeout of data before repeats doubled it, as long as none was cut to tcp_rto_max_ms; probes
 * of a closed window double another one. 0: not known.
 */
uint32_t ho_conn_rto_us(const struct ho_conn *c);

/* The settings that a prediction starts from: the host's, the options where they are known, the
 * connection's own RTO and round trip. What is not known counts as not set.
 */
void ho_conn_predict_in(const struct ho_conn *c, const struct ho_conn_host *h,
                        struct ho_predict_in *ret);

#endif
