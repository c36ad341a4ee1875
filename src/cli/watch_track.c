/* See watch_track.h. A hash table from addresses to the connections of the look before; those of
 * it that the new look does not have are gone.
 */

#include "cli/watch_track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"
#include "base/words.h"
#include "knobs/errno.h"
#include "knobs/state.h"

/* The answers' ends are the kernel's; a look takes time, and so does a process to be told. */
#define SLACK_NS (200 * 1000000LL)

const char *ho_watch_change_word(enum ho_watch_change change)
{
    static const char *const words[] = {
#define X(id, word, people) word,
        HO_WATCH_CHANGES(X)
#undef X
    };

    return words[change];
}

const char *ho_watch_change_words(enum ho_watch_change change)
{
    static const char *const words[] = {
#define X(id, word, people) people,
        HO_WATCH_CHANGES(X)
#undef X
    };

    return words[change];
}

/* ---- the table ------------------------------------------------------------------------------- */

struct key {
    uint64_t netns;
    struct ho_addr local, remote;
    uint16_t lport, rport;
    uint32_t zero; /* no byte of the key is left to chance */
};

static size_t hash_of(const struct ho_watch_conn *c)
{
    /* Peers choose addresses and ports, and gain nothing by a slow look: a fixed key will do. */
    static const struct ho_sipkey sip = { .k = { 0x68616c666f70656eull, 0x7761746368ull } };
    struct key k = { .netns = c->netns,
                     .local = c->local,
                     .remote = c->remote,
                     .lport = c->lport,
                     .rport = c->rport };

    return (size_t)ho_siphash(&sip, &k, sizeof(k));
}

static bool same_ends(const struct ho_watch_conn *a, const struct ho_watch_conn *b)
{
    return a->netns == b->netns && a->lport == b->lport && a->rport == b->rport &&
           ho_addr_eq(&a->local, &b->local) && ho_addr_eq(&a->remote, &b->remote);
}

/* Whether `b` is what became of `a`, which has the same ends. */
static bool goes_on(const struct ho_watch_conn *a, const struct ho_watch_conn *b)
{
    if (a->state == HO_TCP_TIME_WAIT && b->state != HO_TCP_TIME_WAIT) {
        return false;
    }
    if (b->state == HO_TCP_TIME_WAIT || b->state == HO_TCP_FIN_WAIT2) {
        return true; /* the kernel may put a smaller record in the place of the socket */
    }
    if (a->cookie != 0 && b->cookie != 0) {
        return a->cookie == b->cookie;
    }
    return a->inode == 0 || b->inode == 0 || a->inode == b->inode;
}

static size_t slots_for(size_t n)
{
    size_t slots = 16;

    while (slots < 2 * n) {
        slots *= 2;
    }
    return slots;
}

static void insert(uint32_t *slots, size_t n_slots, const struct ho_watch_conn *conns, size_t i)
{
    size_t at = hash_of(&conns[i]) & (n_slots - 1);

    while (slots[at] != 0) {
        at = (at + 1) & (n_slots - 1);
    }
    slots[at] = (uint32_t)i + 1;
}

/* The connection of before that `c` is; NULL. */
static const struct ho_watch_conn *find(const struct ho_watch_track *t,
                                        const struct ho_watch_conn *c, const uint8_t *taken,
                                        size_t *ret_index)
{
    size_t at;

    if (t->n_slots == 0) {
        return NULL;
    }
    for (at = hash_of(c) & (t->n_slots - 1); t->slots[at] != 0; at = (at + 1) & (t->n_slots - 1)) {
        size_t i = t->slots[at] - 1;

        if (!taken[i] && same_ends(&t->conns[i], c) && goes_on(&t->conns[i], c)) {
            *ret_index = i;
            return &t->conns[i];
        }
    }
    return NULL;
}

/* ---- one look -------------------------------------------------------------------------------- */

static struct ho_watch_conn conn_of(const struct ho_diagnosis *d, size_t i, struct ho_time now)
{
    const struct ho_conn *c = &d->scan->conns[i];
    const struct ho_outlook *o = &d->conns[i].outlook;
    struct ho_watch_conn w = { .netns = d->scan->hosts[c->host].netns,
                               .cookie = c->cookie,
                               .local = c->local,
                               .remote = c->remote,
                               .lport = c->lport,
                               .rport = c->rport,
                               .inode = c->inode,
                               .ipv6 = c->ipv6,
                               .state = c->state,
                               .trouble = (uint8_t)o->trouble,
                               .attempt = o->attempt,
                               .end = o->end,
                               .seen = now,
                               .trouble_since = now };

    if (o->trouble != HO_TROUBLE_NONE && o->since_ns > 0) {
        w.trouble_since.ns -= o->since_ns;
    }
    if (c->owner != HO_CONN_NO_OWNER) {
        w.pid = d->scan->owners[c->owner].pid;
        memcpy(w.name, d->scan->owners[c->owner].name, sizeof(w.name));
        w.name[sizeof(w.name) - 1] = '\0';
    }
    return w;
}

/* What is being made; it takes the place of the look before when it is complete. */
struct look {
    struct ho_watch_conn *conns;
    uint32_t *slots;
    uint8_t *taken; /* of the look before: it goes on */
    struct ho_watch_event *events;
    size_t n_events, room;
};

static int add(struct look *l, const struct ho_watch_event *e)
{
    if (l->n_events == l->room) {
        size_t room = l->room == 0 ? 64 : l->room * 2;
        struct ho_watch_event *more = realloc(l->events, room * sizeof(*more));

        if (more == NULL) {
            return -ENOMEM;
        }
        l->events = more;
        l->room = room;
    }
    l->events[l->n_events++] = *e;
    return 0;
}

static bool is_closing(uint8_t state)
{
    return state == HO_TCP_FIN_WAIT1 || state == HO_TCP_FIN_WAIT2 || state == HO_TCP_TIME_WAIT ||
           state == HO_TCP_LAST_ACK || state == HO_TCP_CLOSING;
}

/* Whether its trouble was to be over by `now`, with an error. */
static bool was_due(const struct ho_watch_conn *was, int64_t passed_ns)
{
    return was->trouble != HO_TROUBLE_NONE && was->end.err != 0 &&
           (was->end.kind == HO_OUTLOOK_RANGE || was->end.kind == HO_OUTLOOK_WITHIN) &&
           was->end.min_ns <= passed_ns + SLACK_NS;
}

static struct ho_watch_event event(const struct ho_watch_conn *was, const struct ho_watch_conn *is,
                                   enum ho_watch_change change, struct ho_time now)
{
    return (struct ho_watch_event){
        .change = change,
        .conn = *is,
        .state_before = was->state,
        .trouble_before = was->trouble,
        .trouble_ns =
            was->trouble != HO_TROUBLE_NONE ? ho_time_since(now, was->trouble_since).ns : -1,
        .known_ns = ho_time_since(now, is->seen).ns,
    };
}

static int add_gone(struct look *l, const struct ho_watch_track *t, struct ho_time now)
{
    int64_t passed = ho_time_since(now, t->at).ns;
    int err = 0;

    for (size_t i = 0; i < t->n_conns && err == 0; i++) {
        const struct ho_watch_conn *was = &t->conns[i];

        if (!l->taken[i]) {
            struct ho_watch_event e = event(was, was,
                                            was_due(was, passed)     ? HO_WATCH_GAVE_UP
                                            : is_closing(was->state) ? HO_WATCH_CLOSED
                                                                     : HO_WATCH_ENDED,
                                            now);

            err = add(l, &e);
        }
    }
    return err;
}

/* The events of a connection that is there now; `was` is NULL for a new one. */
static int add_changed(struct look *l, const struct ho_watch_track *t,
                       const struct ho_watch_conn *was, const struct ho_watch_conn *is,
                       struct ho_time now)
{
    static const struct ho_watch_conn nothing = { .state = HO_TCP_CLOSE };
    const struct ho_watch_conn *before = was != NULL ? was : &nothing;
    struct ho_watch_event e = event(before, is, HO_WATCH_NEW, now);
    int err = was == NULL && t->any ? add(l, &e) : 0;

    if (err == 0 && was != NULL && was->state != is->state) {
        e.change = HO_WATCH_STATE;
        err = add(l, &e);
    }
    if (err == 0 && is->trouble != before->trouble) {
        e.change = is->trouble != HO_TROUBLE_NONE ? HO_WATCH_TROUBLE : HO_WATCH_RECOVERED;
        err = add(l, &e);
    }
    return err;
}

/* Who held a connection that nobody holds any more. */
static void keep_name(struct ho_watch_conn *c, const struct ho_watch_conn *before)
{
    if (c->name[0] == '\0' && before->name[0] != '\0') {
        memcpy(c->name, before->name, sizeof(c->name));
        c->pid = before->pid;
    }
}

/* Finds what each connection was; those that are gone come first, so this only marks. */
static int compare(struct look *l, const struct ho_watch_track *t, const struct ho_diagnosis *d,
                   uint32_t *was, struct ho_time now)
{
    size_t n = d->scan->n_conns, at;
    int err;

    for (size_t i = 0; i < n; i++) {
        l->conns[i] = conn_of(d, i, now);
        was[i] = 0;
        const struct ho_watch_conn *before = find(t, &l->conns[i], l->taken, &at);

        if (before != NULL) {
            l->taken[at] = 1;
            was[i] = (uint32_t)at + 1;
            l->conns[i].seen = before->seen;
            keep_name(&l->conns[i], before);
            if (before->trouble == l->conns[i].trouble &&
                ho_time_before(before->trouble_since, l->conns[i].trouble_since)) {
                l->conns[i].trouble_since = before->trouble_since;
            }
        }
        insert(l->slots, slots_for(n), l->conns, i);
    }
    err = add_gone(l, t, now);
    for (size_t i = 0; i < n && err == 0; i++) {
        err = add_changed(l, t, was[i] != 0 ? &t->conns[was[i] - 1] : NULL, &l->conns[i], now);
    }
    return err;
}

static void drop(struct look *l)
{
    free(l->conns);
    free(l->slots);
    free(l->events);
}

int ho_watch_track(struct ho_watch_track *t, const struct ho_diagnosis *d, struct ho_time now)
{
    size_t n = d->scan->n_conns;
    struct look l = { .conns = calloc(n + 1, sizeof(*l.conns)),
                      .slots = calloc(slots_for(n), sizeof(*l.slots)),
                      .taken = calloc(t->n_conns + 1, 1) };
    uint32_t *was = calloc(n + 1, sizeof(*was));
    int err = l.conns == NULL || l.slots == NULL || l.taken == NULL || was == NULL ? -ENOMEM : 0;

    if (err == 0) {
        err = compare(&l, t, d, was, now);
    }
    free(was);
    free(l.taken);
    if (err != 0) {
        drop(&l);
        return err;
    }
    free(t->conns);
    free(t->slots);
    free(t->events);
    t->conns = l.conns;
    t->n_conns = n;
    t->slots = l.slots;
    t->n_slots = slots_for(n);
    t->events = l.events;
    t->n_events = l.n_events;
    t->at = now;
    t->any = true;
    for (size_t i = 0; i < t->n_events; i++) {
        t->counts[t->events[i].change]++;
    }
    return 0;
}

void ho_watch_track_free(struct ho_watch_track *t)
{
    free(t->conns);
    free(t->slots);
    free(t->events);
    *t = (struct ho_watch_track){ 0 };
}

/* ---- words ----------------------------------------------------------------------------------- */

void ho_watch_put_end(struct ho_text *out, const struct ho_addr *a, uint16_t port)
{
    char buf[HO_ADDR_TEXT];

    ho_text_printf(out, ho_addr_is_v4(a) ? "%s:%u" : "[%s]:%u", ho_addr_text(a, buf),
                   (unsigned)port);
}

static void put_trouble(struct ho_text *out, const struct ho_watch_event *e)
{
    if (e->trouble_ns < 0) {
        return;
    }
    ho_text_put(out, " after ");
    ho_text_dur(out, ho_ns(e->trouble_ns / 1000000 * 1000000));
    ho_text_printf(out, " of %s", ho_trouble_word((enum ho_trouble)e->trouble_before));
}

static void put_what(struct ho_text *out, const struct ho_watch_event *e)
{
    switch (e->change) {
    case HO_WATCH_TROUBLE:
        ho_text_put(out, ho_trouble_word((enum ho_trouble)e->conn.trouble));
        return;
    case HO_WATCH_STATE:
        ho_text_printf(out, "%s, was %s", ho_tcp_state_name((enum ho_tcp_state)e->conn.state),
                       ho_tcp_state_name((enum ho_tcp_state)e->state_before));
        return;
    case HO_WATCH_GAVE_UP:
        ho_text_put(out, "gave up");
        put_trouble(out, e);
        ho_text_printf(out, ", %s", ho_errno_name(e->conn.end.err));
        if (e->conn.end.other_err != 0) {
            ho_text_printf(out, " or %s", ho_errno_name(e->conn.end.other_err));
        }
        return;
    default:
        ho_text_put(out, ho_watch_change_words(e->change));
        if (e->change != HO_WATCH_NEW) {
            put_trouble(out, e);
        }
        return;
    }
}

void ho_watch_put_event(struct ho_text *out, const struct ho_watch_event *e)
{
    if (e->conn.name[0] != '\0') {
        ho_text_plain(out, e->conn.name);
        ho_text_char(out, ' ');
    }
    ho_watch_put_end(out, &e->conn.local, e->conn.lport);
    ho_text_put(out, " - ");
    ho_watch_put_end(out, &e->conn.remote, e->conn.rport);
    ho_text_put(out, ": ");
    put_what(out, e);
}
