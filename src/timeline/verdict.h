/* Who noticed, when, with which error, because of which knob: read from a timeline alone.
 *
 * A verdict belongs to (host, process, connection). It is inferred from what every engine records:
 * the last sock record before a socket died and its timer, RSTs and FINs that arrived, what calls
 * returned, and the settings in force. What no record says is not guessed: a knob whose value was
 * not recorded is named without a value.
 *
 * - kernel: when the kernel gave the connection up (the socket ended with an error, or vanished
 *   without its process having it closed in good order). sk_err may already have been read by a
 *   blocked call when the socket is sampled; then it is the error which that call returned.
 * - app: when a call or a poll first told the process: an error, end of stream, or ERR, HUP or
 *   RDHUP from poll; or its own rule found it (app records with `finding`). When a poll told it
 *   and a call within 1 ms returned the error, that call is named.
 */

#ifndef HO_TIMELINE_VERDICT_H
#define HO_TIMELINE_VERDICT_H

#include "base/text.h"
#include "timeline/record.h"

/* id, word for programs, what it saw for people */
#define HO_CAUSES(X)                                                 \
    X(ALIVE, "alive", "the connection works")                        \
    X(NOBODY, "nobody-noticed", "nothing, for ever")                 \
    X(WAITING, "still-waiting", "nothing yet")                       \
    X(RETRIES2, "retries2", "data was never acknowledged")           \
    X(ORPHAN, "orphan-retries", "its close was never acknowledged")  \
    X(USER_TIMEOUT, "user-timeout", "nothing came back in time")     \
    X(KEEPALIVE, "keepalive", "keepalive was not answered")          \
    X(PROBES, "window-probes", "window probes were not answered")    \
    X(SYN, "syn-retries", "SYN was not answered")                    \
    X(SYNACK, "synack-retries", "SYN-ACK was not acknowledged")      \
    X(NEIGHBOUR, "unreachable", "the peer's address is unreachable") \
    X(REFUSED, "refused", "nobody listens there")                    \
    X(RST, "peer-rst", "the peer sent RST")                          \
    X(FIN, "peer-fin", "the peer closed")                            \
    X(FIN_TIMEOUT, "fin-timeout", "the peer never closed")           \
    X(FINDING, "program", "its own timer ran out")                   \
    X(CLOSED, "closed", "its process closed it")                     \
    X(KILLED, "killed", "its process was killed")                    \
    X(POWER, "power-off", "its host lost power")

enum ho_cause {
#define X(id, word, words) HO_CAUSE_##id,
    HO_CAUSES(X)
#undef X
    HO_CAUSE_COUNT
};

#define HO_VERDICT_KNOB 112 /* bytes of a knob's text, with the final 0 */

struct ho_verdict {
    const char *host, *process, *conn; /* the timeline's texts */
    enum ho_cause cause;
    char knob[HO_VERDICT_KNOB]; /* "net.ipv4.tcp_retries2=15"; "" if none made it */
    const char *state;          /* at the end: the last one recorded */

    bool has_kernel;
    struct ho_time kernel_at;
    const char *kernel_state, *kernel_err; /* as recorded then; err "" if none */

    bool has_app;
    struct ho_time app_at;
    const char *app_call, *app_err; /* err "" for end of stream, events alone, or a finding */
    uint32_t app_events;            /* HO_POLL* if a poll told it, else 0 */

    /* Over which times the answer can fall, whatever the phase of the timer wheel: counted from
     * `since`. Filled by who can compute it (forecast/range.h); has_range is false otherwise.
     */
    bool has_range;
    int64_t range_min_ns, range_max_ns;
};

struct ho_verdicts {
    struct ho_verdict *v; /* in the order in which the sides first appear */
    size_t n;
    struct ho_time since; /* the first fault, or the one asked for; 0 without any. What ended
                           * before it is no answer to it, and the table says so */
    struct ho_time until; /* the last record */
};

/* Reads the verdicts of `tl`; times count from the fault `fault` (NULL: the first one). The
 * timeline must outlive them.
 *
 * Returns 0; -ENOENT when there is no fault of that name; -ENOMEM. *ret is untouched on failure.
 * Free with ho_verdicts_free().
 */
int ho_verdicts_make(const struct ho_timeline *tl, const char *fault, struct ho_verdicts *ret);

/* NULL is ignored. */
void ho_verdicts_free(struct ho_verdicts *v);

/* The verdict of a side, or NULL. `process` NULL: the first of that host and connection. */
struct ho_verdict *ho_verdicts_find(struct ho_verdicts *v, const char *host, const char *process,
                                    const char *conn);

/* How many of `a` tell the same as those of the same side in `b`: cause, error and call; with
 * *ret_ns how far apart the times of these are at most, since each one's fault. Sides that only `b`
 * has count in *ret_sides, as do all of `a`.
 */
size_t ho_verdicts_same(const struct ho_verdicts *a, const struct ho_verdicts *b, size_t *ret_sides,
                        int64_t *ret_ns);

const char *ho_cause_word(enum ho_cause cause);
const char *ho_cause_text(enum ho_cause cause);

/* What was done to the world, in the order of time: "cut lan; plug lan 1 m 0 s later". */
void ho_verdicts_happened(struct ho_text *out, const struct ho_timeline *tl);

/* The table for people: a line that names the scenario and what happened, then a row a side in
 * two lines of at most 100 columns: what it saw, when (for people and in seconds), the error and
 * the call; because of which knob, over which range, and when the kernel gave up if that differs
 * by more than 1 ms. `hz` 0: exact timers.
 */
void ho_verdicts_table(struct ho_text *out, const struct ho_verdicts *v,
                       const struct ho_timeline *tl, const char *scenario, uint32_t hz);

/* The same as a JSON array of objects: host, process, connection, saw, cause, knob, state, kernel
 * {at_s, after_s, state, sk_err} or null, app {at_s, after_s, call, errno, events} or null, range
 * {min_s, max_s} or null. at_s counts from the scenario's start, after_s and the range from the
 * fault. Seconds have at most 6 digits after the point.
 */
void ho_verdicts_json(struct ho_text *out, const struct ho_verdicts *v);

#endif
