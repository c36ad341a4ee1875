/* The scripts of tests/truth/data: what a measured kernel was told, and what it did.
 *
 * A script is text, one record a line, words between blanks, `-` for null. tests/truth/convert.py
 * writes it. Times are microseconds counted from the file's fault, so they may be negative.
 *
 *     truth 1                          version of the form
 *     name NAME, kernel PROFILE        what is played; the kernel that was measured
 *     arp permanent|dynamic            how the two hosts know each other's address
 *     sysctl HOST NAME=VALUE...        by full name; blanks in a value are commas
 *     lo HOST down                     the loopback interface is down from the start
 *     opt ROLE NAME VALUE              socket option: role k the connecting socket, x accepted ones
 *     delay HOST US                    of a frame of HOST that has none of its own
 *     draw HOST MS...                  neighbour reachable times that the kernel drew
 *     listen PORT                      the listener's port (default 5000)
 *     reads N                          bytes that the processes' recv() asks for (default: many);
 *                                      they read when as much was there as they got
 *     noise US                         what the measured machine adds to a time (default 20000)
 *     lacks WHAT...                    what the file does not have: icmp, events (of epoll),
 *                                      options (of SYNs)
 *     start US, clock JIFFIES NS       when the play starts; jiffies then, and how far into one
 *
 * HOST is c (client, 10.0.0.1) or s (server, 10.0.0.2); PROC is a process: the letter of its host,
 * and a number if it is not the first. Then, ordered by time, inputs:
 *
 *     p T PROC                         the process starts
 *     f T cut HOSTS                    frames of these hosts are lost, those under way too
 *     f T cutkeep HOSTS                the same, but those under way arrive
 *     f T plug                         frames pass again
 *     f T carrier HOST on|off US       link watch acts US later
 *     f T kill PROC                    SIGKILL
 *     f T off|boot HOST                power
 *     f T deaf|reads PROC              it reads nothing by itself; it does again
 *     f T link HOST up|down; f T addr HOST add|del; f T route HOST flush; f T neigh HOST
 *     c T PROC HOW CALL SOCK ARG RET ERRNO [T-RET]
 *                                      HOW `.`: at T; `+`: so long after the event or call of its
 *                                      process before it as here. RET and ERRNO are expectations.
 *                                      T-RET: when a blocking call returned. ARG of connect: the
 *                                      port, and what of the process's other thread, the one
 *                                      in epoll_wait, the scheduler let come first: h it looks
 *                                      before the connection starts; e it sees the failure before
 *                                      this thread takes the error; m after that, before the socket
 *                                      is disconnected.
 *
 * and expectations:
 *
 *     e T PROC SOCK EVENTS             epoll told; `*`: something to read, the events are not known
 *     s T HOST FLAGS SEQ ACK LEN WIN FATE DELAY [sack=A-B,..] [mss=N ws=N] [sport=N]
 *     a T HOST OP TARGET bcast|ucast FATE DELAY
 *     i T HOST TYPE CODE SEQ           ICMP over lo about the segment SEQ
 *     k T HOST STATE [TIMER EXPIRES-MS IDIAG_RETRANS RQ WQ CA RETRANSMITS PROBES BACKOFF RTO-US
 *                     UNACKED LOST RTT-US RTTVAR-US SSTHRESH CWND TOTAL_RETRANS]
 *                                      sock_diag's words at a sample, when they had changed
 *     n T HOST STATE                   the neighbour's state at a sample, when it had changed
 *     end T
 *
 * DELAY of a frame (from its sending to its arrival) is an input, the rest of its line is not.
 */

#ifndef HO_TESTS_TRUTH_SCRIPT_H
#define HO_TESTS_TRUTH_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HO_TRUTH_AFTER_US 25000000 /* the model is played on: it may be late */
#define HO_TRUTH_WORDS 96
#define HO_TRUTH_HOSTS 2
#define HO_TRUTH_PROCS 6

struct ho_truth_line {
    char kind;    /* the first letter; 'E' for `end`; 'h' for a line of the head */
    int64_t t_us; /* 0 for the head */
    unsigned n;   /* words that follow; a line of the head counts its first word as well */
    char **w;
};

struct ho_truth_script {
    char name[64];
    char *text; /* what the words point into */
    char **words;
    struct ho_truth_line *lines;
    size_t n_lines;
    int64_t start_us, end_us;
    uint64_t jiffies0;
    int64_t phase_ns;
    uint16_t port;
    size_t reads;                        /* 0: not known, and more than ever came */
    bool permanent;                      /* arp */
    bool no_icmp, no_events, no_options; /* lacks */
    int64_t tolerance_us;                /* two jiffies and the noise */
    int64_t delay_us[HO_TRUTH_HOSTS];
    char procs[HO_TRUTH_PROCS][8]; /* names, in the order they start */
    unsigned n_procs;
};

/* Reads a script. Returns 0; -ENOENT, -EINVAL with a message on stderr. */
int ho_truth_script_read(struct ho_truth_script *ret, const char *path);

/* The same from a text, which is copied. `name` stands in messages. */
int ho_truth_script_parse(struct ho_truth_script *ret, const char *text, const char *name);
void ho_truth_script_free(struct ho_truth_script *s);

/* 0 for c..., 1 for s...; words[i] of a line, "-" if there are not so many. */
int ho_truth_host(const char *word);
const char *ho_truth_word(const struct ho_truth_line *line, unsigned i);
int64_t ho_truth_num(const char *word);                               /* 0 for "-" */
int ho_truth_proc(const struct ho_truth_script *s, const char *name); /* -1: none */

/* One thing that happened: expected (from the script) or got (from the model). */
enum ho_truth_kind {
    HO_TRUTH_SEG,
    HO_TRUTH_ARP,
    HO_TRUTH_ICMP,
    HO_TRUTH_APP,   /* calls, and events that only say that data came or may go */
    HO_TRUTH_EVENT, /* other events */
    HO_TRUTH_WAIT,  /* calls that waited: another thread than the one that looks at events */
    HO_TRUTH_KINDS
};

#define HO_TRUTH_CAUSES 4
#define HO_TRUTH_INPUT (-1) /* a call or a fault at its time in the script */

/* What something followed from: numbers of records, or HO_TRUTH_INPUT. */
struct ho_truth_why {
    unsigned n;
    int of[HO_TRUTH_CAUSES];
};

struct ho_truth_rec {
    int64_t t_us;
    enum ho_truth_kind kind;
    int who;         /* host, or process */
    char text[112];  /* what is compared */
    long win;        /* segments: the window; -1: none */
    long bytes;      /* HO_TRUTH_APP: received; -1: not a receiving */
    unsigned events; /* HO_TRUTH_APP: of epoll, 0: none, ~0u: not known */
    char sock[6];
    int pair;                /* index of its like in the other list, -1: none */
    int64_t t_last_us;       /* of several that were folded into one */
    struct ho_truth_why why; /* only of the model's */
    int into;                /* folded away: 1 + the record that it is part of, or 0 */
};

struct ho_truth_recs {
    struct ho_truth_rec *r;
    size_t n, room;
};

struct ho_truth_rec *ho_truth_add(struct ho_truth_recs *list, enum ho_truth_kind kind, int who,
                                  int64_t t_us);

#define HO_TRUTH_SAMPLES(X)       \
    X(TIMER, "timer")             \
    X(EXPIRES, "expires")         \
    X(IDIAG, "idiag_retrans")     \
    X(RQ, "rq")                   \
    X(WQ, "wq")                   \
    X(CA, "ca")                   \
    X(RETRANSMITS, "retransmits") \
    X(PROBES, "probes")           \
    X(BACKOFF, "backoff")         \
    X(RTO, "rto")                 \
    X(UNACKED, "unacked")         \
    X(LOST, "lost")               \
    X(RTT, "rtt")                 \
    X(RTTVAR, "rttvar")           \
    X(SSTHRESH, "ssthresh")       \
    X(CWND, "cwnd")               \
    X(TOTAL, "total_retrans")

enum ho_truth_field {
#define X(id, text) HO_TRUTH_F_##id,
    HO_TRUTH_SAMPLES(X)
#undef X
    HO_TRUTH_FIELDS
};

/* A socket as sock_diag shows it, or a neighbour: in force from t_us on. */
struct ho_truth_state {
    int64_t t_us;
    int host;
    char state[16];
    int64_t f[HO_TRUTH_FIELDS]; /* INT64_MIN: not known */
};

struct ho_truth_states {
    struct ho_truth_state *s;
    size_t n, room;
};

struct ho_truth_state *ho_truth_state_add(struct ho_truth_states *list, int64_t t_us, int host);

/* The number of a timer's word ("on"), as HO_SOCK_TIMER_*; -1. */
int ho_truth_timer(const char *word);

/* Segments of the script as records, samples as states. */
void ho_truth_expect(const struct ho_truth_script *s, struct ho_truth_recs *ret,
                     struct ho_truth_states *ret_socks, struct ho_truth_states *ret_neighs);

/* "IN|OUT|ERR" as HO_POLL* bits; ~0u for "*". */
unsigned ho_truth_events(const char *text);
const char *ho_truth_events_text(unsigned events, char buf[48]);

#endif
