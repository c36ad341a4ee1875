/* What every engine writes down: one play's records, made the same way whoever plays it.
 *
 *     trace.h     the record itself: names, the present instant, putting, merging
 *     conns.h     which connection a segment or a socket belongs to, and what it is called
 *     frames.h    a frame as a record, and its fate
 *     socks.h     samples of sockets and neighbours as records, when something changed
 *     fds.h       descriptors of a process: names, options, which end is behind them
 *     says.h      what programs say of their calls, as records
 *     settings.h  what is in force, as records
 *     faults.h    a step that is a fault, as a record
 *     verbs.h     a plan's call as a verb of the program `raw`
 *     wires.h     the plan's cables, switches and middleboxes, joined
 *     links.h     which interfaces are on one link, and their MACs
 *
 * No I/O, no clock, no callbacks. An engine owns a struct ho_trace and says what happened:
 *
 *     ho_trace_init()      without a plan; ho_trace_name() and ho_trace_fail() may be called
 *     ho_trace_begin()     once, with the plan and the timeline
 *     trace->now = t; ..   then any function of the headers above: what happened at t
 *     ho_trace_merge()     once, at the end, if the timeline was a private one
 *     ho_trace_destroy()
 *
 * Time. `now` belongs to the engine and is set before each call; functions that take a time set
 * it. An engine that knows of everything at once (the model) lets it grow and gives the caller's
 * timeline to ho_trace_begin(). One that hears of some things a little late (the kernel engine: a
 * process reports its call when the relay has seen its frames) gives a private timeline with
 * `any_order` set (timeline/record.h): `now` may then go back between two calls, and
 * ho_trace_merge() puts everything into the caller's timeline in the order of time. `now` may lie
 * before 0 while the world is being built.
 *
 * Names that come late. With a private timeline a connection may be met by a frame or a sample
 * before the process has said what it is called. Its records then hold a placeholder, and
 * ho_trace_merge() puts the name in its place, also the socket's and the process's in samples.
 * Whoever reads the private timeline before that reads placeholders: texts that begin with '\1'.
 *
 * Nothing recorded. With a timeline of NULL only conns.h and fds.h do something, for the names;
 * the others may be called and do nothing, but an engine that counts cycles asks
 * ho_trace_records() first.
 *
 * Out of memory. Whoever meets it says so with ho_trace_fail(); the record is then incomplete and
 * the verb in progress returns trace->err at its end.
 */

#ifndef HO_PLAY_TRACE_H
#define HO_PLAY_TRACE_H

#include "play/conns.h"
#include "scenario/plan.h"
#include "timeline/record.h"

#define HO_TRACE_WHY 320

struct ho_play_neigh; /* socks.c */

/* A node of the plan, as records know it. */
struct ho_trace_node {
    const char *name;    /* interned */
    struct ho_list ends; /* struct ho_play_end.on_host: those that are not gone */
    struct ho_play_neigh *neigh;
    size_t neighs, neigh_room;
};

/* Frames that became no record (frames.h). */
struct ho_trace_count {
    uint64_t unread; /* cannot be read: short, a bad checksum, a fragment, odd options */
    uint64_t noise;  /* left out by rule: what the model's hosts do not send */
    uint64_t other;  /* neither ARP, ICMP nor TCP: UDP, for instance */
};

struct ho_trace {
    const struct ho_plan *plan;
    struct ho_timeline *tl;     /* NULL: nothing is recorded */
    struct ho_time now;         /* the engine's */
    struct ho_trace_node *node; /* by the plan's index; NULL before ho_trace_begin() */
    const char **proc, **cable; /* interned names, by the plan's index */
    struct ho_play_conns conns;
    struct ho_trace_count count;
    struct ho_timeline names; /* empty; keeps the names when there is no timeline */
    uint64_t mark;            /* the round of looking (socks.h) */
    uint64_t serial;          /* of the last descriptor that became a connection or listener */
    int err;                  /* the first failure: ho_trace_fail() */
    char why[HO_TRACE_WHY];   /* one line for people about the last error, "" */
};

/* An empty trace: no plan, no timeline. */
void ho_trace_init(struct ho_trace *tr);

/* Takes the plan and the timeline (NULL: nothing is recorded), which must stay valid until
 * destroy, and interns the plan's names. Returns 0; -ENOMEM: only destroy may follow.
 */
int ho_trace_begin(struct ho_trace *tr, const struct ho_plan *plan, struct ho_timeline *timeline);

/* Frees what the trace owns; the timeline is not its own. Harmless after init alone. */
void ho_trace_destroy(struct ho_trace *tr);

/* True if things are recorded. */
static inline bool ho_trace_records(const struct ho_trace *tr)
{
    return tr->tl != NULL;
}

/* The trace's own copy of `text`, the same pointer for equal texts; NULL gives "". For texts of
 * records, and for names that must live as long as the trace. "" without memory.
 */
const char *ho_trace_name(struct ho_trace *tr, const char *text);

/* Appends a record at trace->now; `r->t` is set here. Its texts are literals or interned. */
void ho_trace_put(struct ho_trace *tr, struct ho_record *r);

/* A note of `host` ("" for none), interned here. */
void ho_trace_note(struct ho_trace *tr, const char *host, const char *text);

/* The play cannot go on: keeps the first `err` and its `why`. Passing trace->why keeps the text. */
void ho_trace_fail(struct ho_trace *tr, int err, const char *why);

/* A step that makes no sense now: puts "WHAT: WHY" into trace->why. Returns -EINVAL. */
int ho_trace_refuse(struct ho_trace *tr, const char *what, const char *why);

/* Appends every record of the trace's timeline, which has `any_order` set, to `to`, sorted by
 * time; records of one time keep the order in which they were put. Frames' bytes are kept if
 * `to` keeps them, and names that came late are put in. Of what happened before 0 the time
 * becomes 0, and settings of that time come first, but for those of sockets. What had no room in
 * the private timeline is added to to->dropped.
 *
 * `to` may hold records already: none of them later than the first that is appended (-EINVAL).
 * Returns 0; -ENOMEM: `to` then holds a part.
 */
int ho_trace_merge(struct ho_trace *tr, struct ho_timeline *to);

#endif
