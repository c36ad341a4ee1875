/* Comparison of two lists of records, and the list of both side by side. */

#include "support/truth_compare.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "host/op.h"
#include "knobs/state.h"
#include "support/truth_align.h"

#define FOLD_US 50000 /* reads and their events so close to each other are one record */

const int64_t HO_TRUTH_BAND_US[HO_TRUTH_BANDS] = { 400, 4000, 8000, 28000 };

const char *ho_truth_class_name(enum ho_truth_class c)
{
    static const char *const NAMES[] = { "order", "time", "state", "neigh", "window", "detail" };
    return NAMES[c];
}

/* --- folding ---------------------------------------------------------------------------------- */

/* Whether the record only says that data came or may go. */
static bool is_flow(const struct ho_truth_rec *r)
{
    return r->kind == HO_TRUTH_APP && strcmp(r->sock, "L") != 0 &&
           (r->bytes > 0 || r->events == ~0u ||
            (r->events != 0 && (r->events & ~(HO_POLLIN | HO_POLLOUT)) == 0));
}

static void flow_text(struct ho_truth_rec *r, bool events_known)
{
    char buf[48];
    (void)snprintf(r->text, sizeof(r->text), "flow %s %s %ld bytes", r->sock,
                   events_known ? ho_truth_events_text(r->events, buf) : "*",
                   r->bytes < 0 ? 0L : r->bytes);
}

/* Folds the records of one process. With `events_known` false events are left out altogether. */
static void fold(struct ho_truth_recs *list, int who, bool events_known)
{
    struct ho_truth_rec *flow = NULL;
    for (size_t i = 0; i < list->n; i++) {
        struct ho_truth_rec *r = &list->r[i];
        if (r->kind != HO_TRUTH_APP || r->who != who) {
            continue;
        }
        if (!events_known && r->bytes < 0 && r->events != 0) {
            r->kind = HO_TRUTH_KINDS;
            continue;
        }
        if (r->events != 0 && !is_flow(r)) {
            r->kind = HO_TRUTH_EVENT;
            continue;
        }
        if (!is_flow(r)) {
            flow = strncmp(r->text, "send", 4) == 0 ? flow : NULL;
            continue;
        }
        long bytes = r->bytes < 0 ? 0 : r->bytes;
        if (flow != NULL && strcmp(flow->sock, r->sock) == 0 &&
            r->t_us - flow->t_last_us < FOLD_US) {
            flow->bytes += bytes;
            flow->events |= r->events;
            flow->t_last_us = r->t_us;
            flow_text(flow, events_known);
            r->kind = HO_TRUTH_KINDS; /* folded away */
            r->into = (int)(flow - list->r) + 1;
            continue;
        }
        flow = r;
        flow->bytes = bytes;
        flow_text(flow, events_known);
    }
}

/* The record that stands for record `i`, which may be folded away: itself, the one that it is part
 * of, or what caused it.
 */
static int standing_for(const struct ho_truth_recs *list, int i)
{
    while (i >= 0 && list->r[i].kind == HO_TRUTH_KINDS) {
        const struct ho_truth_rec *r = &list->r[i];
        i = r->into > 0 ? r->into - 1 : r->why.n > 0 ? r->why.of[0] : HO_TRUTH_INPUT;
    }
    return i;
}

/* Makes the causes numbers of records that stay, in their new places. */
static void renumber_causes(struct ho_truth_recs *list)
{
    int *place = calloc(list->n + 1, sizeof(*place));
    int n = 0;
    assert(place != NULL);
    for (size_t i = 0; i < list->n; i++) {
        place[i] = n;
        n += list->r[i].kind != HO_TRUTH_KINDS;
    }
    for (size_t i = 0; i < list->n; i++) {
        for (unsigned k = 0; k < list->r[i].why.n; k++) {
            int *of = &list->r[i].why.of[k];
            *of = standing_for(list, *of);
            *of = *of >= 0 ? place[*of] : *of;
        }
    }
    free(place);
}

static void remove_folded(struct ho_truth_recs *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (list->r[i].kind != HO_TRUTH_KINDS) {
            list->r[n++] = list->r[i];
        }
    }
    list->n = n;
}

static int by_time(const void *a, const void *b)
{
    const struct ho_truth_rec *x = a, *y = b;
    return (x->t_us > y->t_us) - (x->t_us < y->t_us);
}

/* A stable order by time: what a blocking call gave stands where the call was made. */
static void sort_by_time(struct ho_truth_recs *list)
{
    for (size_t i = 1; i < list->n; i++) {
        struct ho_truth_rec r = list->r[i];
        size_t j = i;
        while (j > 0 && by_time(&list->r[j - 1], &r) > 0) {
            list->r[j] = list->r[j - 1];
            j--;
        }
        list->r[j] = r;
    }
}

/* --- differences ------------------------------------------------------------------------------ */

static void add_diff(struct ho_truth_result *r, enum ho_truth_class what, int64_t t_us,
                     const char *where, const char *expected, const char *got)
{
    r->count[what]++;
    if (r->n_diffs == r->room) {
        r->room = r->room == 0 ? 64 : r->room * 2;
        r->diffs = realloc(r->diffs, r->room * sizeof(r->diffs[0]));
        assert(r->diffs != NULL);
    }
    struct ho_truth_diff *d = &r->diffs[r->n_diffs++];
    *d = (struct ho_truth_diff){ .what = what, .t_us = t_us };
    (void)snprintf(d->where, sizeof(d->where), "%s", where);
    (void)snprintf(d->expected, sizeof(d->expected), "%s", expected);
    (void)snprintf(d->got, sizeof(d->got), "%s", got);
}

static bool of_process(enum ho_truth_kind kind)
{
    return kind == HO_TRUTH_APP || kind == HO_TRUTH_EVENT || kind == HO_TRUTH_WAIT;
}

static const char *where_of(const struct ho_truth_script *s, const struct ho_truth_rec *r,
                            char buf[12])
{
    static const char *const KINDS[] = { "seg", "arp", "icmp", "app", "event", "wait", "" };
    (void)snprintf(buf, 12, "%s %s", KINDS[r->kind],
                   of_process(r->kind) ? s->procs[r->who]
                   : r->who == 0       ? "c"
                                       : "s");
    return buf;
}

static int64_t absolute(int64_t n)
{
    return n < 0 ? -n : n;
}

/* How far the model's record `y` is from the file's, counted from the event that it follows from:
 * what that was late itself is taken off. Of several causes of one step the nearest counts; a
 * cause that is not in the file stands for its own causes.
 */
static int64_t error_from(const struct ho_truth_result *r, const struct ho_truth_rec *y,
                          int64_t offset, unsigned depth)
{
    int64_t best = y->why.n == 0 ? absolute(offset) : INT64_MAX;
    for (unsigned i = 0; i < y->why.n; i++) {
        int64_t e = absolute(offset);
        if (y->why.of[i] >= 0) {
            const struct ho_truth_rec *cause = &r->got.r[y->why.of[i]];
            if (cause->pair >= 0) {
                e = absolute(offset - (cause->t_us - r->expected.r[cause->pair].t_us));
            } else if (depth < 8) {
                e = error_from(r, cause, offset, depth + 1);
            }
        }
        best = e < best ? e : best;
    }
    return best;
}

static void count_time(struct ho_truth_result *r, int64_t error, int64_t tolerance)
{
    for (size_t i = 0; i < HO_TRUTH_BANDS; i++) {
        if (error <= HO_TRUTH_BAND_US[i]) {
            r->within[i]++;
            break;
        }
    }
    if (error <= tolerance && error > r->worst_us) {
        r->worst_us = error;
    }
}

/* Numbers and words that make up a record: its time, and what stands in its text. */
static size_t fields_of(const struct ho_truth_rec *x)
{
    size_t n = x->kind == HO_TRUTH_SEG && x->win >= 0 ? 2 : 1;
    for (const char *p = x->text; *p != '\0'; p++) {
        n += *p != ' ' && (p[1] == ' ' || p[1] == ':' || p[1] == '\0');
    }
    return n;
}

static void check_pair(const struct ho_truth_script *s, struct ho_truth_result *r,
                       const struct ho_truth_rec *x)
{
    const struct ho_truth_rec *y = &r->got.r[x->pair];
    int64_t offset = y->t_us - x->t_us, error = error_from(r, y, offset, 0);
    char where[12], a[64], b[64];
    r->compared[HO_TRUTH_C_TIME]++;
    count_time(r, error, s->tolerance_us);
    r->fields += fields_of(x);
    if (error > s->tolerance_us) {
        (void)snprintf(a, sizeof(a), "%.48s at %.4f", x->text, (double)x->t_us / 1e6);
        (void)snprintf(b, sizeof(b), "at %.4f, %+.1f ms of %+.1f", (double)y->t_us / 1e6,
                       (double)error / 1e3, (double)offset / 1e3);
        add_diff(r, HO_TRUTH_C_TIME, x->t_us, where_of(s, x, where), a, b);
        r->diffs[r->n_diffs - 1].error_us = error;
    }
    if (x->win >= 0) {
        r->compared[HO_TRUTH_C_WINDOW]++;
        if (x->win != y->win) {
            (void)snprintf(a, sizeof(a), "%.36s win %ld", x->text, x->win);
            (void)snprintf(b, sizeof(b), "win %ld", y->win);
            add_diff(r, HO_TRUTH_C_WINDOW, x->t_us, where_of(s, x, where), a, b);
        }
    }
}

/* The record of the model in the place of one that is only in the file: for the message. */
static const char *instead(const struct ho_truth_result *r, const struct ho_truth_rec *x)
{
    const struct ho_truth_rec *best = NULL;
    for (size_t i = 0; i < r->got.n; i++) {
        const struct ho_truth_rec *y = &r->got.r[i];
        if (y->kind == x->kind && y->who == x->who && y->pair < 0 &&
            (best == NULL || absolute(y->t_us - x->t_us) < absolute(best->t_us - x->t_us))) {
            best = y;
        }
    }
    return best == NULL || absolute(best->t_us - x->t_us) > 2000000 ? "nothing" : best->text;
}

static void check_records(const struct ho_truth_script *s, struct ho_truth_result *r)
{
    char where[12];
    for (size_t i = 0; i < r->expected.n; i++) {
        struct ho_truth_rec *x = &r->expected.r[i];
        r->compared[HO_TRUTH_C_ORDER]++;
        if (x->pair >= 0) {
            check_pair(s, r, x);
        } else {
            add_diff(r, HO_TRUTH_C_ORDER, x->t_us, where_of(s, x, where), x->text, instead(r, x));
        }
    }
    for (size_t i = 0; i < r->got.n; i++) {
        struct ho_truth_rec *y = &r->got.r[i];
        if (y->pair < 0 && y->t_us < s->end_us) {
            add_diff(r, HO_TRUTH_C_ORDER, y->t_us, where_of(s, y, where), "nothing", y->text);
        }
    }
}

/* The model's time less the file's, about a time of the file: of what the host did last and next
 * before and after it, and of what its process was last told.
 */
struct span {
    int64_t lo, hi;
    bool known;
};

static void widen(struct span *s, int64_t offset)
{
    s->lo = !s->known || offset < s->lo ? offset : s->lo;
    s->hi = !s->known || offset > s->hi ? offset : s->hi;
    s->known = true;
}

static struct span offsets_at(const struct ho_truth_script *s, const struct ho_truth_result *r,
                              int host, int64_t t_us)
{
    const struct ho_truth_rec *did = NULL, *told = NULL, *next = NULL;
    for (size_t i = 0; i < r->expected.n && next == NULL; i++) {
        const struct ho_truth_rec *x = &r->expected.r[i];
        bool here = of_process(x->kind) ? ho_truth_host(s->procs[x->who]) == host : x->who == host;
        if (!here || x->pair < 0 || x->kind == HO_TRUTH_APP) {
            continue;
        }
        if (of_process(x->kind)) {
            told = x->t_us <= t_us ? x : told;
        } else if (x->t_us <= t_us) {
            did = x;
        } else {
            next = x;
        }
    }
    const struct ho_truth_rec *all[] = { did, told, next };
    struct span span = { 0 };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i] != NULL) {
            widen(&span, r->got.r[all[i]->pair].t_us - all[i]->t_us);
        }
    }
    return span;
}

/* --- samples ---------------------------------------------------------------------------------- */

static const char *const FIELDS[] = {
#define X(id, text) text,
    HO_TRUTH_SAMPLES(X)
#undef X
};

/* The fields whose difference counts as one of state; the others, but for the times, are detail. */
bool ho_truth_is_main(size_t field)
{
    return field == HO_TRUTH_F_TIMER || field == HO_TRUTH_F_RETRANSMITS ||
           field == HO_TRUTH_F_PROBES || field == HO_TRUTH_F_BACKOFF;
}

static bool is_detail(size_t field)
{
    return !ho_truth_is_main(field) && field != HO_TRUTH_F_EXPIRES && field != HO_TRUTH_F_RTT &&
           field != HO_TRUTH_F_RTTVAR;
}

static bool field_same(const struct ho_truth_state *x, const struct ho_truth_state *y, size_t i)
{
    return x->f[i] == INT64_MIN || y->f[i] == INT64_MIN || x->f[i] == y->f[i];
}

/* For counting: times as near as times have to be, round trips within a millisecond. */
static bool is_near(const struct ho_truth_state *x, const struct ho_truth_state *y, size_t field,
                    int64_t tolerance_us)
{
    int64_t apart = absolute(x->f[field] - y->f[field]);
    if (field == HO_TRUTH_F_EXPIRES) { /* both are known */
        apart = absolute(x->t_us + x->f[field] * 1000 - y->t_us - y->f[field] * 1000);
        return x->f[HO_TRUTH_F_TIMER] == 0 || apart <= tolerance_us;
    }
    return apart <= (field == HO_TRUTH_F_RTT || field == HO_TRUTH_F_RTTVAR ? 1000 : 0);
}

/* 0: another state; 1: the state is right; 2: the details too. */
static int likeness(const struct ho_truth_state *x, const struct ho_truth_state *y)
{
    if (strcmp(x->state, y->state) != 0) {
        return 0;
    }
    int like = 2;
    for (size_t i = 0; i < HO_TRUTH_FIELDS; i++) {
        if (!field_same(x, y, i)) {
            if (ho_truth_is_main(i)) {
                return 0;
            }
            like = is_detail(i) ? 1 : like;
        }
    }
    return like;
}

static void state_text(const struct ho_truth_state *x, const struct ho_truth_state *other,
                       char *buf, size_t size)
{
    size_t used = (size_t)snprintf(buf, size, "%s", x->state);
    for (size_t i = 0; i < HO_TRUTH_FIELDS && used < size; i++) {
        if (other != NULL && strcmp(x->state, other->state) == 0 && field_same(other, x, i)) {
            continue;
        }
        if (x->f[i] != INT64_MIN && (ho_truth_is_main(i) || is_detail(i))) {
            used += (size_t)snprintf(buf + used, size - used, " %s=%lld", FIELDS[i],
                                     (long long)x->f[i]);
        }
    }
}

/* The state of `list` most like `x` among those in force within the tolerance of its time. */
static const struct ho_truth_state *most_like(const struct ho_truth_states *list,
                                              const struct ho_truth_state *x, struct span offsets,
                                              int64_t tolerance, int *ret_like)
{
    int64_t lo = offsets.lo - tolerance, hi = offsets.hi + tolerance;
    const struct ho_truth_state *best = NULL, *before = NULL;
    *ret_like = -1;
    for (size_t i = 0; i < list->n && list->s[i].t_us <= x->t_us + hi; i++) {
        const struct ho_truth_state *y = &list->s[i];
        if (y->host != x->host) {
            continue;
        }
        if (y->t_us <= x->t_us + lo) {
            before = y;
            continue;
        }
        int like = likeness(x, y);
        if (like > *ret_like) {
            best = y;
            *ret_like = like;
        }
    }
    if (before != NULL && likeness(x, before) >= *ret_like) {
        best = before;
        *ret_like = likeness(x, before);
    }
    return best;
}

static void check_states(const struct ho_truth_script *s, struct ho_truth_result *r,
                         const struct ho_truth_states *expected, const struct ho_truth_states *got,
                         bool neigh)
{
    for (size_t i = 0; i < expected->n; i++) {
        const struct ho_truth_state *x = &expected->s[i];
        int like;
        struct span span = offsets_at(s, r, x->host, x->t_us);
        const struct ho_truth_state *y = most_like(got, x, span, s->tolerance_us, &like);
        enum ho_truth_class what = neigh       ? HO_TRUTH_C_NEIGH
                                   : like == 1 ? HO_TRUTH_C_DETAIL
                                               : HO_TRUTH_C_STATE;
        r->compared[neigh ? HO_TRUTH_C_NEIGH : HO_TRUTH_C_STATE]++;
        for (size_t k = 0; k < HO_TRUTH_FIELDS && !neigh; k++) {
            bool known = x->f[k] != INT64_MIN && y != NULL && y->f[k] != INT64_MIN;
            r->unknown += x->f[k] == INT64_MIN && strcmp(x->state, "gone") != 0;
            r->fields += known;
            r->n_of_field[k] += known;
            r->same_of_field[k] += known && is_near(x, y, k, span.hi + s->tolerance_us);
        }
        r->fields++; /* the state */
        if (like == 2 || (neigh && like >= 1)) {
            continue;
        }
        char a[120], b[120];
        state_text(x, y, a, sizeof(a));
        (void)snprintf(b, sizeof(b), "nothing");
        if (y != NULL) {
            state_text(y, x, b, sizeof(b));
        }
        add_diff(r, what, x->t_us,
                 neigh     ? x->host ? "neigh s" : "neigh c"
                 : x->host ? "sock s"
                           : "sock c",
                 a, b);
    }
}

static int diff_by_time(const void *a, const void *b)
{
    const struct ho_truth_diff *x = a, *y = b;
    if (x->t_us != y->t_us) {
        return x->t_us < y->t_us ? -1 : 1;
    }
    return (int)x->what - (int)y->what;
}

/* Takes the options of SYNs out of the model's records: the file does not have them. Returns how
 * many fields these were.
 */
static size_t forget_options(struct ho_truth_recs *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        char *options = strstr(list->r[i].text, " mss=");
        if (options != NULL) {
            *options = '\0';
            n += 2; /* MSS and window scale */
        }
    }
    return n;
}

static size_t forget_icmp(struct ho_truth_recs *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (list->r[i].kind == HO_TRUTH_ICMP) {
            list->r[i].kind = HO_TRUTH_KINDS;
            n += 3; /* type, code, which segment */
        }
    }
    return n;
}

static size_t unknown_events(const struct ho_truth_recs *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        n += list->r[i].events == ~0u;
    }
    return n;
}

void ho_truth_compare(const struct ho_truth_script *s, struct ho_truth_result *r)
{
    bool events_known = !s->no_events;
    if (s->no_options) {
        r->unknown += forget_options(&r->got);
    }
    if (s->no_icmp) {
        r->unknown += forget_icmp(&r->got);
    }
    r->unknown += unknown_events(&r->expected);
    sort_by_time(&r->expected);
    for (int p = 0; p < HO_TRUTH_PROCS; p++) {
        fold(&r->expected, p, events_known);
        fold(&r->got, p, events_known);
    }
    remove_folded(&r->expected);
    renumber_causes(&r->got);
    remove_folded(&r->got);
    ho_truth_align(s, r);
    check_records(s, r);
    check_states(s, r, &r->socks, &r->got_socks, false);
    check_states(s, r, &r->neighs, &r->got_neighs, true);
    if (r->n_diffs > 0) {
        qsort(r->diffs, r->n_diffs, sizeof(r->diffs[0]), diff_by_time);
    }
}

void ho_truth_result_free(struct ho_truth_result *r)
{
    free(r->expected.r);
    free(r->got.r);
    free(r->socks.s);
    free(r->got_socks.s);
    free(r->neighs.s);
    free(r->got_neighs.s);
    free(r->diffs);
    *r = (struct ho_truth_result){ 0 };
}

/* --- side by side ----------------------------------------------------------------------------- */

struct shown {
    int64_t t_us; /* where it stands in the list */
    size_t order;
    char line[400];
};

struct shown_list {
    struct shown *l;
    size_t n, room;
};

static char *add_line(struct shown_list *list, int64_t t_us)
{
    if (list->n == list->room) {
        list->room = list->room == 0 ? 1024 : list->room * 2;
        list->l = realloc(list->l, list->room * sizeof(list->l[0]));
        assert(list->l != NULL);
    }
    struct shown *s = &list->l[list->n];
    s->t_us = t_us;
    s->order = list->n++;
    s->line[0] = '\0';
    return s->line;
}

static int shown_by_time(const void *a, const void *b)
{
    const struct shown *x = a, *y = b;
    if (x->t_us != y->t_us) {
        return x->t_us < y->t_us ? -1 : 1;
    }
    return x->order < y->order ? -1 : 1;
}

static void show_records(const struct ho_truth_script *s, const struct ho_truth_result *r,
                         struct shown_list *list)
{
    char where[12], note[40];
    for (size_t i = 0; i < r->expected.n; i++) {
        const struct ho_truth_rec *x = &r->expected.r[i];
        const struct ho_truth_rec *y = x->pair < 0 ? NULL : &r->got.r[x->pair];
        char *line = add_line(list, x->t_us);
        note[0] = '\0';
        if (y != NULL && y->win != x->win) {
            (void)snprintf(note, sizeof(note), "  WIN %ld, model %ld", x->win, y->win);
        }
        char delta[16] = "        ";
        if (y != NULL) {
            (void)snprintf(delta, sizeof(delta), "%+8.1f", (double)(y->t_us - x->t_us) / 1e3);
        }
        (void)snprintf(line, 240, "%c %12.4f %s  %-7s %s%s",
                       y == NULL ? '-'
                       : note[0] ? '~'
                                 : '=',
                       (double)x->t_us / 1e6, delta, where_of(s, x, where), x->text, note);
    }
    assert(r->got.r != NULL || r->got.n == 0);
    for (size_t i = 0; i < r->got.n; i++) {
        const struct ho_truth_rec *y = &r->got.r[i];
        if (y->pair < 0) {
            (void)snprintf(add_line(list, y->t_us), 240, "+ %12.4f           %-7s %s",
                           (double)y->t_us / 1e6, where_of(s, y, where), y->text);
        }
    }
}

static void show_samples(const struct ho_truth_script *s, const struct ho_truth_result *r,
                         struct shown_list *list)
{
    for (size_t i = 0; i < r->socks.n + r->neighs.n; i++) {
        bool neigh = i >= r->socks.n;
        const struct ho_truth_state *x = neigh ? &r->neighs.s[i - r->socks.n] : &r->socks.s[i];
        int like;
        const struct ho_truth_state *y =
            most_like(neigh ? &r->got_neighs : &r->got_socks, x, offsets_at(s, r, x->host, x->t_us),
                      s->tolerance_us, &like);
        char a[140], b[100] = "";
        state_text(x, NULL, a, sizeof(a));
        if (y != NULL && like < 2) {
            state_text(y, x, b, sizeof(b));
        } else if (y != NULL && x->f[HO_TRUTH_F_RTT] > 0) {
            (void)snprintf(b, sizeof(b), "rtt %lld/%lld, file %lld/%lld",
                           (long long)y->f[HO_TRUTH_F_RTT], (long long)y->f[HO_TRUTH_F_RTTVAR],
                           (long long)x->f[HO_TRUTH_F_RTT], (long long)x->f[HO_TRUTH_F_RTTVAR]);
        }
        (void)snprintf(add_line(list, x->t_us), 400, "%c %12.4f           %-5s %s %s%s%s",
                       like == 2   ? '.'
                       : like == 1 ? '~'
                                   : '!',
                       (double)x->t_us / 1e6, neigh ? "neigh" : "sock", x->host ? "s" : "c", a,
                       b[0] != '\0' ? "  MODEL " : "", b);
    }
}

static void show_inputs(const struct ho_truth_script *s, struct shown_list *list)
{
    for (size_t i = 0; i < s->n_lines; i++) {
        const struct ho_truth_line *l = &s->lines[i];
        if (l->kind != 'f' && l->kind != 'p') {
            continue;
        }
        char *line = add_line(list, l->t_us);
        size_t used = (size_t)snprintf(line, 240, "> %12.4f           %s", (double)l->t_us / 1e6,
                                       l->kind == 'f' ? "" : "start ");
        for (unsigned k = 0; k < l->n && used < 200; k++) {
            used += (size_t)snprintf(line + used, 240 - used, "%s ", l->w[k]);
        }
    }
}

void ho_truth_show(const struct ho_truth_script *s, const struct ho_truth_result *r, FILE *out,
                   int64_t from_us, int64_t to_us)
{
    struct shown_list list = { 0 };
    show_inputs(s, &list);
    show_records(s, r, &list);
    show_samples(s, r, &list);
    if (list.n > 0) {
        qsort(list.l, list.n, sizeof(list.l[0]), shown_by_time);
    }
    (void)fprintf(out, "=: both  -: only the file  +: only the model  ~: both, not alike  "
                       ".: sample alike  !: sample not alike  >: done to them\n"
                       "  file's time  model's ms  what\n");
    for (size_t i = 0; i < list.n; i++) {
        if (list.l[i].t_us >= from_us && list.l[i].t_us <= to_us) {
            (void)fprintf(out, "%s\n", list.l[i].line);
        }
    }
    free(list.l);
}
