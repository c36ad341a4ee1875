/* The diagnosis as metrics, in Prometheus' text format 0.0.4
 * (prometheus.io/docs/instrumenting/exposition_formats).
 *
 * The number of series is bounded whatever the connections are: PAIRS_MAX pairs of process and
 * service port have a label each, those with most connections; all others are "other". States and
 * verdicts are closed lists.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "doctor/group.h"

#define PAIRS_MAX 100
#define OTHER "other"

/* How soon a peer's death is noticed: id, word, at most so many seconds. */
#define BUCKETS(X)           \
    X(S10, "10s", 10)        \
    X(M1, "1m", 60)          \
    X(M10, "10m", 600)       \
    X(H1, "1h", 3600)        \
    X(H3, "3h", 10800)       \
    X(LONGER, "longer", 0)   \
    X(NEVER, "never", 0)     \
    X(UNKNOWN, "unknown", 0) \
    X(NONE, "none", 0)

enum bucket {
#define X(id, word, seconds) BUCKET_##id,
    BUCKETS(X)
#undef X
};

static const char *const bucket_words[] = {
#define X(id, word, seconds) word,
    BUCKETS(X)
#undef X
};

/* A connection by its labels. */
struct cell {
    const char *process;
    uint16_t port;
    bool other; /* process and port are OTHER */
    uint8_t state, trouble;
    enum bucket idle, busy;
    int64_t since_ns;
    size_t pair; /* connections of its process and port */
};

static enum bucket bucket_of(const struct ho_outlook_answer *a)
{
    static const int64_t limits[] = {
#define X(id, word, seconds) seconds,
        BUCKETS(X)
#undef X
    };

    switch (a->kind) {
    case HO_OUTLOOK_RANGE:
    case HO_OUTLOOK_WITHIN:
        for (int i = 0; i < BUCKET_LONGER; i++) {
            if (a->max_ns <= limits[i] * HO_NS_PER_S) {
                return (enum bucket)i;
            }
        }
        return BUCKET_LONGER;
    case HO_OUTLOOK_NEVER:
        return BUCKET_NEVER;
    case HO_OUTLOOK_UNKNOWN:
        return BUCKET_UNKNOWN;
    default:
        return BUCKET_NONE;
    }
}

static const char *process_of(const struct ho_diagnosis *d, uint32_t i)
{
    const struct ho_conn_owner *o = ho_group_owner(d, i);

    return o != NULL && o->name[0] != '\0'   ? o->name
           : ho_group_conn(d, i)->inode == 0 ? "none"
                                             : "unknown";
}

static void fill(const struct ho_diagnosis *d, uint32_t i, struct cell *ret)
{
    const struct ho_conn *c = ho_group_conn(d, i);
    const struct ho_outlook *o = ho_group_outlook(d, i);

    *ret = (struct cell){
        .process = process_of(d, i),
        .port = ho_group_end(c) == HO_GROUP_TO ? c->rport : c->lport,
        .state = c->state,
        .trouble = (uint8_t)o->trouble,
        .idle = bucket_of(&o->idle),
        .busy = bucket_of(&o->busy),
        .since_ns = o->since_ns,
    };
}

/* ---- sorting --------------------------------------------------------------------------------- */

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_pair(const struct cell *a, const struct cell *b)
{
    int r = order(a->other, b->other);

    if (r != 0 || a->other) {
        return r;
    }
    r = strcmp(a->process, b->process);
    return r != 0 ? r : order(a->port, b->port);
}

static int by_labels(const struct cell *a, const struct cell *b)
{
    int r = by_pair(a, b);

    r = r != 0 ? r : order(a->state, b->state);
    r = r != 0 ? r : order((int64_t)a->idle, (int64_t)b->idle);
    return r != 0 ? r : order((int64_t)a->busy, (int64_t)b->busy);
}

static int by_trouble(const struct cell *a, const struct cell *b)
{
    int r = by_pair(a, b);

    return r != 0 ? r : order(a->trouble, b->trouble);
}

static int compare_pairs(const void *a, const void *b)
{
    return by_pair(a, b);
}

/* The largest pairs first. */
static int compare_sizes(const void *a, const void *b)
{
    const struct cell *p = a, *q = b;
    int r = order((int64_t)q->pair, (int64_t)p->pair);

    return r != 0 ? r : by_pair(p, q);
}

static int compare_labels(const void *a, const void *b)
{
    return by_labels(a, b);
}

static int compare_troubles(const void *a, const void *b)
{
    return by_trouble(a, b);
}

/* Marks all but the PAIRS_MAX largest pairs as OTHER. */
static void bound(struct cell *c, size_t n)
{
    size_t pairs = 0;

    qsort(c, n, sizeof(*c), compare_pairs);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && by_pair(&c[i], &c[end]) == 0; end++) {
        }
        for (size_t k = i; k < end; k++) {
            c[k].pair = end - i;
        }
    }
    qsort(c, n, sizeof(*c), compare_sizes);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && by_pair(&c[i], &c[end]) == 0; end++) {
        }
        if (++pairs <= PAIRS_MAX) {
            continue;
        }
        for (size_t k = i; k < n; k++) {
            c[k].other = true;
        }
        return;
    }
}

/* ---- the metrics ----------------------------------------------------------------------------- */

static void put_head(struct ho_text *out, const char *name, const char *help)
{
    ho_text_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

/* NAME{process="nginx",port="80" */
static void put_pair(struct ho_text *out, const char *name, const struct cell *c)
{
    struct ho_text plain = { 0 };

    ho_text_plain(&plain, c->other ? OTHER : c->process);
    ho_text_printf(out, "%s{process=\"", name);
    ho_text_label(out, ho_text_str(&plain));
    ho_text_end_part(out, &plain);
    if (c->other) {
        ho_text_put(out, "\",port=\"" OTHER "\"");
    } else {
        ho_text_printf(out, "\",port=\"%u\"", (unsigned)c->port);
    }
}

static void put_connections(struct ho_text *out, struct cell *c, size_t n)
{
    static const char name[] = "halfopen_connections";

    put_head(out, name,
             "TCP connections by process, port of the service, state, and how soon the death of "
             "the peer is noticed: idle, and with data in flight.");
    qsort(c, n, sizeof(*c), compare_labels);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && by_labels(&c[i], &c[end]) == 0; end++) {
        }
        put_pair(out, name, &c[i]);
        ho_text_printf(out, ",state=\"%s\",idle=\"%s\",busy=\"%s\"} %zu\n",
                       ho_tcp_state_name((enum ho_tcp_state)c[i].state), bucket_words[c[i].idle],
                       bucket_words[c[i].busy], end - i);
    }
}

/* Of the cells from `i` on that have its labels: how many, and the longest. */
static size_t one_trouble(const struct cell *c, size_t n, size_t i, int64_t *ret_longest_ns)
{
    size_t end = i;

    *ret_longest_ns = 0;
    for (; end < n && by_trouble(&c[i], &c[end]) == 0; end++) {
        *ret_longest_ns = c[end].since_ns > *ret_longest_ns ? c[end].since_ns : *ret_longest_ns;
    }
    return end - i;
}

static void put_trouble_lines(struct ho_text *out, const struct cell *c, size_t n, const char *name,
                              bool longest)
{
    size_t same;

    for (size_t i = 0; i < n; i += same) {
        int64_t ns;

        same = one_trouble(c, n, i, &ns);
        if (c[i].trouble == HO_TROUBLE_NONE) {
            continue;
        }
        put_pair(out, name, &c[i]);
        ho_text_printf(out, ",trouble=\"%s\"} ", ho_trouble_word((enum ho_trouble)c[i].trouble));
        if (longest) {
            ho_text_seconds(out, ns, 3);
        } else {
            ho_text_printf(out, "%zu", same);
        }
        ho_text_char(out, '\n');
    }
}

static void put_troubles(struct ho_text *out, struct cell *c, size_t n)
{
    static const char count[] = "halfopen_connections_in_trouble";
    static const char longest[] = "halfopen_trouble_longest_seconds";

    qsort(c, n, sizeof(*c), compare_troubles);
    put_head(out, count, "TCP connections whose peer does not answer now.");
    put_trouble_lines(out, c, n, count, false);
    put_head(out, longest, "For how long at least the peer has not answered, the longest of them.");
    put_trouble_lines(out, c, n, longest, true);
}

static void put_findings(struct ho_text *out, const struct ho_diagnosis *d)
{
    put_head(out, "halfopen_findings",
             "Connections and network namespaces that have a finding, by its id.");
    for (int i = 0; i < HO_FINDING_COUNT; i++) {
        const struct ho_finding_info *info = ho_finding_info((enum ho_finding_id)i);

        ho_text_printf(out, "halfopen_findings{id=\"%s\",severity=\"%s\"} %zu\n", info->id,
                       ho_severity_word(info->severity), d->found[i]);
    }
}

static void put_number(struct ho_text *out, const char *name, const char *help, size_t n)
{
    put_head(out, name, help);
    ho_text_printf(out, "%s %zu\n", name, n);
}

void ho_report_prometheus(struct ho_text *out, const struct ho_diagnosis *d)
{
    size_t n = d->scan->n_conns;
    struct cell *cells = malloc((n + 1) * sizeof(*cells));

    if (cells == NULL) {
        out->err = -ENOMEM;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        fill(d, (uint32_t)i, &cells[i]);
    }
    bound(cells, n);
    put_connections(out, cells, n);
    put_troubles(out, cells, n);
    free(cells);
    put_findings(out, d);
    put_number(out, "halfopen_connections_unread",
               "TCP connections whose options are not readable.", d->scan->n_unreadable);
    put_number(out, "halfopen_namespaces", "Network namespaces that were looked into.",
               d->scan->n_hosts);
    put_number(out, "halfopen_namespaces_unread", "Network namespaces that could not be entered.",
               d->scan->n_foreign_namespaces);
}
