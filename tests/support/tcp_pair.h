/* Two connections joined by a wire, for tests of src/tcp without a host around them.
 *
 *     a, 10.0.0.1 port 40000: opens        b, 10.0.0.2 port 5000: is opened
 *
 * What both send is recorded. The wire has a delay, can be cut at either end, can lose by a
 * function of the test's or at random, and can delay and repeat at random, all from one seed.
 * ho_tp_free() checks that every buffer and every block of memory came back.
 */

#ifndef HO_TESTS_TCP_PAIR_H
#define HO_TESTS_TCP_PAIR_H

#include "base/rng.h"
#include "tcp/conn.h"

#define HO_TP_WIRE 8192
#define HO_TP_SENT 16384

struct ho_tp;

struct ho_tp_end {
    struct ho_tcp_env env;
    struct ho_tcp_path path;
    struct ho_tcp_opts *opts;
    struct ho_sysctls sys;
    struct ho_tcp c;
    bool cut;            /* what it sends is lost */
    unsigned sent, rsts; /* segments sent since the test last cleared them */
    struct ho_time last_sent;
};

struct ho_tp_sent {
    struct ho_time at;
    struct ho_tp_end *from;
    bool lost;
    struct ho_wire_tcp seg;
};

struct ho_tp {
    struct ho_tp_end a, b;
    struct ho_clk clk;
    struct ho_bufpool bufs;
    struct ho_time now;
    struct ho_dur delay;
    struct ho_rng rng;
    uint32_t loss, repeat, jitter; /* chances of 1000 */
    uint32_t jitter_us;            /* a delayed one takes up to so much longer */
    /* true: the segment is lost. May be NULL. */
    bool (*lose)(struct ho_tp *p, const struct ho_tp_end *from, const struct ho_wire_tcp *seg);
    unsigned lose_count; /* for `lose` */
    struct {
        struct ho_time at;
        struct ho_tp_end *to;
        struct ho_buf *b;
    } wire[HO_TP_WIRE];
    size_t first, count;
    struct ho_tp_sent sent[HO_TP_SENT]; /* the newest are not recorded when it is full */
    size_t n_sent;
};

/* `hz` 0: without the timer wheel. The sysctls are Linux's and may be changed before opening. */
struct ho_tp *ho_tp_new(uint32_t hz, int64_t delay_us);
void ho_tp_free(struct ho_tp *p);

/* Opens a's connection; b answers as a listener does, by a request. Both are ESTABLISHED. */
void ho_tp_establish(struct ho_tp *p);

/* Lets time pass up to and including `until`. */
void ho_tp_run(struct ho_tp *p, struct ho_time until);
void ho_tp_run_ms(struct ho_tp *p, int64_t ms);

/* Until `e` is closed, at most `at_most_s`; returns the time it took from now. */
struct ho_dur ho_tp_until_dead(struct ho_tp *p, struct ho_tp_end *e, int64_t at_most_s);

struct ho_time ho_tp_next(const struct ho_tp *p); /* the next event, HO_NEVER if there is none */
struct ho_tp_end *ho_tp_other(struct ho_tp *p, struct ho_tp_end *e);

/* Puts what `e` has to send on the wire. */
void ho_tp_drain(struct ho_tp *p, struct ho_tp_end *e);

/* Queues `len` bytes at `e`, all of which must be taken. Byte n of a stream is ho_tp_byte(n). */
void ho_tp_send(struct ho_tp *p, struct ho_tp_end *e, size_t len);
uint8_t ho_tp_byte(uint64_t n);
int64_t ho_tp_recv(struct ho_tp *p, struct ho_tp_end *e, size_t len);

/* A segment that `e` would take as the next one of its peer's: pure ACK, sequence and
 * acknowledgment numbers exact, window 500 (scaled), timestamps right. To be changed and given to
 * ho_tp_inject().
 */
struct ho_wire_tcp ho_tp_seg(const struct ho_tp *p, const struct ho_tp_end *e);

/* Gives `seg` with payload bytes of seg->payload_len to `e`, now, and puts on the (cut) wire what
 * it answers. Returns what ho_tcp_input() returned: to be answered with a RST.
 */
bool ho_tp_inject(struct ho_tp *p, struct ho_tp_end *e, const struct ho_wire_tcp *seg);

/* The last segment that `e` sent; a test fails if there is none. */
const struct ho_wire_tcp *ho_tp_last(const struct ho_tp *p, const struct ho_tp_end *e);

/* Forgets what was recorded so far. */
void ho_tp_forget(struct ho_tp *p);

void ho_tp_near_ms(struct ho_dur d, int64_t ms, int64_t tolerance_ms);

/* A number of milliseconds since `from`. */
int64_t ho_tp_ms(const struct ho_tp *p, struct ho_time from);

#endif
