/* Making timelines by hand, for the tests of their views. Times are in milliseconds; hosts are
 * "client" and "server", the process "app", the connection "db".
 */

#ifndef HO_TESTS_TIMELINE_MAKE_H
#define HO_TESTS_TIMELINE_MAKE_H

#include <stdlib.h>
#include <string.h>

#include "timeline/record.h"

#define MAKE_MS INT64_C(1000000)

static inline void make(struct ho_timeline *tl, int64_t ms, struct ho_record r)
{
    r.t.ns = ms * MAKE_MS;
    if (ho_timeline_append(tl, &r) != 0) {
        abort();
    }
}

static inline void make_fault(struct ho_timeline *tl, int64_t ms, const char *host,
                              const char *verb, const char *what)
{
    make(tl, ms,
         (struct ho_record){
             .kind = HO_REC_FAULT, .host = host, .u.fault = { "", verb, what, "" } });
}

static inline void make_setting(struct ho_timeline *tl, int64_t ms, const char *scope,
                                const char *host, const char *conn, const char *name, int64_t value)
{
    make(tl, ms,
         (struct ho_record){ .kind = HO_REC_SETTINGS,
                             .host = host,
                             .conn = conn,
                             .u.settings = { scope, "", name, "", value } });
}

/* A segment that takes 1 ms, with fate `fwd` or `cut` (at the cable "lan"). `flags` as letters. */
static inline void make_seg(struct ho_timeline *tl, int64_t ms, const char *host, const char *flags,
                            uint32_t seq, uint32_t ack, uint32_t len, enum ho_fate fate)
{
    static const char letters[] = "FSRPAUEC";
    struct ho_record r = {
        .kind = HO_REC_SEG,
        .host = host,
        .conn = "db",
        .u.seg = { .to = strcmp(host, "client") == 0 ? "server" : "client",
                   .via = fate == HO_FATE_FWD ? "" : "lan",
                   .seq = seq,
                   .ack = ack,
                   .len = len,
                   .window = 64,
                   .shift = 10,
                   .fate = fate,
                   .dt_deliver = { MAKE_MS } },
    };

    for (; *flags != '\0'; flags++) {
        r.u.seg.flags = (uint8_t)(r.u.seg.flags | 1u << (strchr(letters, *flags) - letters));
    }
    make(tl, ms, r);
}

static inline void make_sock(struct ho_timeline *tl, int64_t ms, const char *host,
                             const char *state, enum ho_sock_timer timer, const char *err)
{
    make(tl, ms,
         (struct ho_record){
             .kind = HO_REC_SOCK,
             .host = host,
             .process = "app",
             .conn = "db",
             .u.sock = { .sock = "x", .state = state, .timer = timer, .err = err } });
}

/* A call that returned: bytes, or -1 with an error. */
static inline void make_call(struct ho_timeline *tl, int64_t ms, const char *host, const char *call,
                             int64_t ret, const char *err)
{
    make(tl, ms,
         (struct ho_record){ .kind = HO_REC_APP,
                             .host = host,
                             .process = "app",
                             .conn = "db",
                             .u.app = { .call = call, .sock = "x", .ret = ret, .err = err } });
}

static inline void make_events(struct ho_timeline *tl, int64_t ms, const char *host,
                               uint32_t events)
{
    make(tl, ms,
         (struct ho_record){ .kind = HO_REC_APP,
                             .host = host,
                             .process = "app",
                             .conn = "db",
                             .u.app = { .call = "epoll_wait",
                                        .sock = "x",
                                        .ret = 1,
                                        .has_events = true,
                                        .events = events } });
}

/* Handshake at 0 to 2 ms, both ends ESTABLISHED without a timer at 3 ms. */
static inline void make_established(struct ho_timeline *tl)
{
    make_seg(tl, 0, "client", "S", 0, 0, 0, HO_FATE_FWD);
    make_seg(tl, 1, "server", "SA", 0, 1, 0, HO_FATE_FWD);
    make_seg(tl, 2, "client", "A", 1, 1, 0, HO_FATE_FWD);
    make_call(tl, 2, "client", "connect", 0, "");
    make_sock(tl, 3, "client", "ESTABLISHED", HO_SOCK_TIMER_OFF, "");
    make_call(tl, 3, "server", "accept", 4, "");
    make_sock(tl, 3, "server", "ESTABLISHED", HO_SOCK_TIMER_OFF, "");
}

#endif
