/* The liveness settings of programs, drivers, languages, proxies and middleboxes, from one list
 * (knobs/settings.def): what each is called, its default and unit, what it does (a role that all
 * programs share), where it goes, how a value is written there, and where that was seen.
 *
 *     for (s = ho_setting_next("nginx", NULL); s != NULL; s = ho_setting_next("nginx", s)) {
 *         if (s->role == HO_ROLE_KEEPALIVE_IDLE) ...
 *     }
 *
 * Defaults move: a row says for which versions it holds, and of a setting that changed, the row of
 * the newest versions comes first. A row that is not `checked` is general knowledge: whoever
 * prints it says so.
 */

#ifndef HO_KNOBS_SETTINGS_H
#define HO_KNOBS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "base/time.h"
#include "knobs/unit.h"

/* id, word, kind (TIME, COUNT, FLAG), text */
#define HO_SETTING_ROLES(X)                                                                     \
    X(KEEPALIVE, "keepalive", FLAG, "TCP keepalive on or off (SO_KEEPALIVE)")                   \
    X(KEEPALIVE_IDLE, "idle", TIME, "silence before the first probe (TCP_KEEPIDLE)")            \
    X(KEEPALIVE_INTVL, "interval", TIME, "time between probes (TCP_KEEPINTVL)")                 \
    X(KEEPALIVE_CNT, "count", COUNT, "probes without an answer (TCP_KEEPCNT)")                  \
    X(KEEPALIVE_BOTH, "idle-interval", TIME, "idle and interval of TCP keepalive at once")      \
    X(KEEPALIVE_THIRD, "idle-third", TIME, "idle; the interval is a third of it, and 3 probes") \
    X(USER_TIMEOUT, "user-timeout", TIME, "unacknowledged data (TCP_USER_TIMEOUT)")             \
    X(CONNECT, "connect", TIME, "setting up a connection")                                      \
    X(REQUEST, "request", TIME, "a whole request, command or query")                            \
    X(READ, "read", TIME, "waiting for the next bytes of the peer")                             \
    X(WRITE, "write", TIME, "waiting until the peer takes bytes")                               \
    X(IDLE_CLOSE, "idle-close", TIME, "closes a connection without traffic")                    \
    X(MAX_LIFE, "max-life", TIME, "closes a connection of this age")                            \
    X(POOL_WAIT, "pool-wait", TIME, "waiting for a connection of the pool")                     \
    X(BEAT, "beat", TIME, "time between heartbeats of the protocol")                            \
    X(BEAT_TIMEOUT, "beat-timeout", TIME, "how long the answer to a heartbeat may take")        \
    X(BEAT_COUNT, "beat-count", COUNT, "heartbeats without an answer")                          \
    X(BEAT_IDLE, "beat-idle", TIME, "silence after which a connection is tested before use")    \
    X(PEER_CHECK, "peer-check", TIME, "how often a busy process looks whether the peer closed") \
    X(FORGET, "forget", TIME, "a middlebox forgets a flow without traffic")                     \
    X(FORGET_RESET, "forget-reset", FLAG, "the middlebox tells both ends by RST")               \
    X(OTHER, "other", TIME, "of one use of the program only, see the note")                     \
    X(RETRIES, "retries", COUNT, "repeats, a count that Linux turns into a time")

#define HO_SETTING_SIDES(X) \
    X(CLIENT, "client")     \
    X(SERVER, "server")     \
    X(BOTH, "both")         \
    X(MIDDLEBOX, "middlebox")

enum ho_setting_role {
#define X(id, word, kind, text) HO_ROLE_##id,
    HO_SETTING_ROLES(X)
#undef X
    HO_ROLE_COUNT
};

enum ho_setting_kind {
    HO_SETTING_TIME,
    HO_SETTING_COUNT,
    HO_SETTING_FLAG
};

/* Whose side the setting is on, of the connection that it is about. A proxy is a server to its
 * clients and a client to its backends.
 */
enum ho_setting_side {
#define X(id, word) HO_SETTING_SIDE_##id,
    HO_SETTING_SIDES(X)
#undef X
};

/* Defaults that are no number. */
#define HO_SETTING_SYSTEM (-1) /* nothing is set: the host's sysctl, or its default, counts */
#define HO_SETTING_NONE (-2)   /* no limit; the thing is off */
#define HO_SETTING_VARIES (-3) /* depends on something else; the note says on what */

struct ho_setting {
    const char *program;  /* id: "postgresql", "rust/reqwest" */
    const char *versions; /* ">= 12", "< 1.29.7", "" if no other is known */
    const char *name;     /* as the program spells it */
    int64_t def;          /* in `unit`, or one of the above */
    enum ho_unit unit;    /* MS, DS, S, MIN, COUNT, BOOL */
    enum ho_setting_role role;
    enum ho_setting_side side;
    const char *place;  /* the file, call or API that it goes into: "postgresql.conf" */
    const char *form;   /* see ho_setting_write(); "": it cannot be set */
    const char *source; /* the document or source file where it was seen */
    bool checked;       /* it was read there; else general knowledge */
    const char *note;   /* what else one must know, "" if nothing */
};

struct ho_setting_program {
    const char *id;    /* "pgbouncer" */
    const char *title; /* "PgBouncer" */
};

/* The i-th, NULL after the last. A program's rows follow each other. */
const struct ho_setting *ho_setting_at(size_t i);
const struct ho_setting_program *ho_setting_program_at(size_t i);

/* The program of that id: in any case, `_` as `-`; and a part of an id with `/` will do:
 * "kube-proxy", "reqwest"; if several have the part ("kubernetes"), the first. NULL if there is
 * none.
 */
const struct ho_setting_program *ho_setting_program_find(const char *word);

/* The next row of the program `word`, found as above (of several programs, all their rows), after
 * the row `after`; the first one if `after` is NULL. NULL after the last.
 */
const struct ho_setting *ho_setting_next(const char *word, const struct ho_setting *after);

/* The next row whose setting is called `name`, of whatever program. In any case, `_` as `-`. */
const struct ho_setting *ho_setting_named(const char *name, const struct ho_setting *after);

/* Whether the row is about versions that newer ones have replaced: `versions` starts with '<'. */
bool ho_setting_is_old(const struct ho_setting *s);

const char *ho_setting_role_word(enum ho_setting_role role); /* "idle", for programs */
const char *ho_setting_role_text(enum ho_setting_role role); /* for people */
enum ho_setting_kind ho_setting_role_kind(enum ho_setting_role role);
const char *ho_setting_side_word(enum ho_setting_side side);

/* The default for people: "75 s", "on", "the system's", "none". */
void ho_setting_default_text(struct ho_text *out, const struct ho_setting *s);

enum ho_setting_round {
    HO_SETTING_UP,   /* a timeout that must not be shorter */
    HO_SETTING_DOWN, /* one that must not be longer; but never down to 0, which means "off" */
    HO_SETTING_EXACTLY
};

/* A time in a unit. Returns 0; -ENOTSUP if the unit is none of a time; -ERANGE if it is not a
 * whole number of units and EXACTLY was asked, or DOWN would make 0 of it. *ret is untouched on
 * failure.
 */
int ho_setting_count(struct ho_dur d, enum ho_unit unit, enum ho_setting_round round, int64_t *ret);

/* How long `count` of a unit of time is; a unit that is none counts as 0. */
struct ho_dur ho_setting_dur(int64_t count, enum ho_unit unit);

/* Values by role: times in nanoseconds, counts, flags 0 or 1. */
struct ho_setting_values {
    bool has[HO_ROLE_COUNT];
    int64_t v[HO_ROLE_COUNT];
};

/* Appends the line that sets `s` as its program takes it ("tcp_user_timeout = 30000"). The form
 * is text with
 *
 *     %d             the value of the row's own role, in the row's unit
 *     %{idle:s}      the value of another role, by its word, in a unit: ms, ds, s, min
 *     %{count}       the same for a count
 *     %{no|yes}      a word for the row's flag, 0 and 1
 *     %%             a percent sign
 *
 * so that several rows of one line ("so_keepalive=30s:10s:3") have one form, and write the same.
 * Times are rounded as `round` says, the others are exact.
 *
 * Returns 0; -ENOTSUP if the setting cannot be set; -ENOENT if a value is missing; -ERANGE as
 * ho_setting_count(). Nothing is appended on failure.
 */
int ho_setting_write(const struct ho_setting *s, const struct ho_setting_values *values,
                     enum ho_setting_round round, struct ho_text *out);

#endif
