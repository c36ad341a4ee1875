/* What changed between two looks at the same machine: connections that came, got into trouble, got
 * out of it, and went, with what is known of how.
 *
 * The kernel does not say how a connection ended, so this is put together from the look before: a
 * connection whose trouble was to end by now has given up, one that was being closed was closed,
 * and of any other it is not known whether it was closed, reset, or ended with its process.
 *
 * A connection is the same one while its addresses, ports and namespace are and its cookie (where
 * it is known; else its inode) does not say otherwise. Pure: the times are arguments.
 */

#ifndef HO_CLI_WATCH_TRACK_H
#define HO_CLI_WATCH_TRACK_H

#include "doctor/report.h"

/* id, word for programs, words for people */
#define HO_WATCH_CHANGES(X)                                                              \
    X(NEW, "new", "new")                                                                 \
    X(TROUBLE, "trouble", "trouble")       /* it has begun, or is of another kind now */ \
    X(RECOVERED, "recovered", "recovered") /* the peer has answered */                   \
    X(STATE, "state", "changed its state")                                               \
    X(GAVE_UP, "gave-up", "gave up") /* gone, when its trouble was to end */             \
    X(CLOSED, "closed", "closed")    /* gone, and was being closed before */             \
    X(ENDED, "ended", "ended")       /* gone: closed, reset, or its process has ended */

enum ho_watch_change {
#define X(id, word, words) HO_WATCH_##id,
    HO_WATCH_CHANGES(X)
#undef X
    HO_WATCH_CHANGE_COUNT
};

const char *ho_watch_change_word(enum ho_watch_change change);
const char *ho_watch_change_words(enum ho_watch_change change);

/* What is kept of a connection from look to look. */
struct ho_watch_conn {
    uint64_t netns, cookie;
    struct ho_addr local, remote;
    uint16_t lport, rport;
    uint32_t inode;
    int32_t pid; /* 0: not known */
    char name[16];
    bool ipv6;
    uint8_t state;   /* enum ho_tcp_state */
    uint8_t trouble; /* enum ho_trouble */
    uint32_t attempt;
    struct ho_outlook_answer end; /* of the trouble, from the moment of the look */
    struct ho_time seen;          /* first, which is no earlier than it was made */
    struct ho_time trouble_since; /* by the kernel's account, or first seen */
};

struct ho_watch_event {
    enum ho_watch_change change;
    struct ho_watch_conn conn; /* as it is; of one that is gone, as it was */
    uint8_t state_before;      /* STATE, TROUBLE, RECOVERED */
    uint8_t trouble_before;
    int64_t trouble_ns; /* RECOVERED, and of one that is gone: how long it was in trouble; -1: no */
    int64_t known_ns;   /* how long it was known when this was seen */
};

struct ho_watch_track {
    struct ho_watch_conn *conns; /* in the order of the last diagnosis */
    size_t n_conns;
    struct ho_watch_event *events; /* of the last look */
    size_t n_events, room_events;
    uint32_t *slots; /* index + 1 into conns; 0: none */
    size_t n_slots;
    struct ho_time at; /* of the last look */
    bool any;
    uint64_t counts[HO_WATCH_CHANGE_COUNT]; /* since the beginning */
};

/* Takes a look, made at `now`: *t is zero-initialised before the first one, which makes no NEW and
 * STATE events. Afterwards t->events has what changed: first those that are gone, then the others
 * in the order of the diagnosis.
 *
 * Returns 0; -ENOMEM, with *t as it was.
 */
int ho_watch_track(struct ho_watch_track *t, const struct ho_diagnosis *d, struct ho_time now);

void ho_watch_track_free(struct ho_watch_track *t);

/* "nginx 10.0.0.1:80 - 10.0.0.2:40112: gave up after 15 m 37 s of retransmitting, ETIMEDOUT",
 * printable, in one line.
 */
void ho_watch_put_event(struct ho_text *out, const struct ho_watch_event *e);

/* "10.0.0.1:80", "[fd00::1]:80" */
void ho_watch_put_end(struct ho_text *out, const struct ho_addr *a, uint16_t port);

#endif
