/* Which findings a connection or a namespace has. See forecast/finding.h and finding.def. */

#include "forecast/finding.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MS INT64_C(1000000)
#define ATTEMPTS_MIN 2        /* one repeat is an ordinary loss */
#define WINDOW_LONG_S 60      /* ZW001 */
#define CLOSE_WAIT_LONG_S 60  /* CW001 */
#define USER_TIMEOUT_MIN 1000 /* UT004, ms */
#define RETRIES2_LOW 5        /* SY003: 12.6 s (ground-truth A3); the next one is 25.4 s */

const struct ho_finding_info *ho_finding_info(enum ho_finding_id id)
{
    static const struct ho_finding_info infos[] = {
#define X(id, severity, title, when, why, change, scenario) \
    { #id, HO_SEVERITY_##severity, title, when, why, change, scenario },
#include "forecast/finding.def"
#undef X
    };

    return &infos[id];
}

static bool same_word(const char *a, const char *b)
{
    while (*a != '\0' && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

int ho_finding_find(const char *id)
{
    for (int i = 0; i < HO_FINDING_COUNT; i++) {
        if (same_word(ho_finding_info((enum ho_finding_id)i)->id, id)) {
            return i;
        }
    }
    return -1;
}

static const char *const severities[] = {
    [HO_SEVERITY_INFO] = "info", [HO_SEVERITY_WARN] = "warn", [HO_SEVERITY_FAIL] = "fail"
};

const char *ho_severity_word(enum ho_severity severity)
{
    return severities[severity];
}

int ho_severity_find(const char *word)
{
    for (int i = 0; i <= HO_SEVERITY_FAIL; i++) {
        if (same_word(severities[i], word)) {
            return i;
        }
    }
    return -1;
}

/* ---- of a connection ------------------------------------------------------------------------- */

struct facts {
    const struct ho_conn *c;
    const struct ho_conn_host *h;
    const struct ho_outlook *o;
    const struct ho_finding_rules *rules;
    bool open;      /* a peer's death is a question: ESTABLISHED, not on this machine */
    bool keepalive; /* it is known to be on, with its times */
    bool no_keepalive;
    int64_t user_ms; /* 0: none, or not known */
};

struct list {
    struct ho_finding *f;
    size_t n;
};

static void add(struct list *l, enum ho_finding_id id, const char *format, ...)
{
    va_list args;

    if (l->n == HO_FINDINGS_MAX) {
        return;
    }
    struct ho_finding *f = &l->f[l->n++];

    f->id = id;
    va_start(args, format);
    vsnprintf(f->detail, sizeof(f->detail), format, args);
    va_end(args);
}

static int64_t span_s(const struct ho_conn *c)
{
    return c->keepidle_s + c->keepintvl_s * c->keepcnt;
}

/* Whether somebody set the times that keepalive has if it is on. */
static bool keepalive_is_tuned(const struct ho_conn_host *h)
{
    static const enum ho_sysctl ids[] = { HO_SYSCTL_TCP_KEEPALIVE_TIME,
                                          HO_SYSCTL_TCP_KEEPALIVE_INTVL,
                                          HO_SYSCTL_TCP_KEEPALIVE_PROBES };

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (h->sysctls.v[ids[i]] != ho_sysctl_info(ids[i])->def) {
            return true;
        }
    }
    return false;
}

/* Whether the socket has other times than its namespace. */
static bool has_own_times(const struct facts *f)
{
    const int64_t *v = f->h->sysctls.v;

    return f->c->options_known == HO_KNOWN_READ &&
           (f->c->keepidle_s != v[HO_SYSCTL_TCP_KEEPALIVE_TIME] ||
            f->c->keepintvl_s != v[HO_SYSCTL_TCP_KEEPALIVE_INTVL] ||
            f->c->keepcnt != v[HO_SYSCTL_TCP_KEEPALIVE_PROBES]);
}

static void keepalive(struct list *l, const struct facts *f)
{
    const struct ho_conn *c = f->c;
    int64_t forgets = f->rules->middlebox_s;

    if (f->open && f->no_keepalive) {
        add(l, HO_FINDING_KA001, "SO_KEEPALIVE 0%s",
            c->keepalive_known == HO_KNOWN_INFERRED ? ", as no timer runs" : "");
    }
    if (f->open && f->keepalive && !c->on_link && forgets > 0 && c->keepidle_s >= forgets) {
        add(l, HO_FINDING_KA002,
            "first probe after %" PRId64 " s, the box forgets after %" PRId64 " s", c->keepidle_s,
            forgets);
    }
    if (f->open && f->keepalive &&
        c->keepidle_s >= ho_sysctl_info(HO_SYSCTL_TCP_KEEPALIVE_TIME)->def) {
        add(l, HO_FINDING_KA003, "keepalive %" PRId64 "/%" PRId64 "/%" PRId64, c->keepidle_s,
            c->keepintvl_s, c->keepcnt);
    }
    if (c->keepalive_known != HO_KNOWN_UNKNOWN && c->keepalive &&
        (f->o->trouble == HO_TROUBLE_RETRANSMITTING ||
         f->o->trouble == HO_TROUBLE_WINDOW_PROBING)) {
        add(l, HO_FINDING_KA004, "%" PRIu32 " bytes are not acknowledged", c->wqueue);
    }
    if (f->open && f->no_keepalive && has_own_times(f)) {
        add(l, HO_FINDING_KA005, "keepalive %" PRId64 "/%" PRId64 "/%" PRId64 ", SO_KEEPALIVE 0",
            c->keepidle_s, c->keepintvl_s, c->keepcnt);
    }
}

static void user_timeout(struct list *l, const struct facts *f)
{
    const struct ho_conn *c = f->c;

    if (f->user_ms == 0) {
        return;
    }
    int64_t two_s = c->keepidle_s + c->keepintvl_s, rto_ms = c->has_info ? c->rto_us / 1000 : 0;

    if (f->keepalive && c->keepcnt > 1 && f->user_ms <= two_s * 1000) {
        add(l, HO_FINDING_UT001,
            "TCP_USER_TIMEOUT %" PRId64 " ms, second probe after %" PRId64 " s", f->user_ms, two_s);
    }
    if (f->keepalive && f->user_ms > span_s(c) * 1000) {
        add(l, HO_FINDING_UT002,
            "TCP_USER_TIMEOUT %" PRId64 " ms, keepalive would end after %" PRId64 " s", f->user_ms,
            span_s(c));
    }
    if (f->no_keepalive && f->open) {
        add(l, HO_FINDING_UT003, "TCP_USER_TIMEOUT %" PRId64 " ms, SO_KEEPALIVE 0", f->user_ms);
    }
    if (f->user_ms < USER_TIMEOUT_MIN || (c->backoff == 0 && f->user_ms < rto_ms)) {
        add(l, HO_FINDING_UT004,
            "TCP_USER_TIMEOUT %" PRId64 " ms, the retransmission timeout is %" PRId64 " ms",
            f->user_ms, rto_ms);
    }
    if (f->keepalive && f->user_ms < c->keepidle_s * 1000) {
        add(l, HO_FINDING_OR001, "TCP_USER_TIMEOUT %" PRId64 " ms, first probe after %" PRId64 " s",
            f->user_ms, c->keepidle_s);
    }
}

static void by_sysctls(struct list *l, const struct facts *f)
{
    const int64_t *v = f->h->sysctls.v;

    if (f->open && f->no_keepalive && keepalive_is_tuned(f->h)) {
        add(l, HO_FINDING_SY002,
            "tcp_keepalive_* are %" PRId64 "/%" PRId64 "/%" PRId64 ", SO_KEEPALIVE 0",
            v[HO_SYSCTL_TCP_KEEPALIVE_TIME], v[HO_SYSCTL_TCP_KEEPALIVE_INTVL],
            v[HO_SYSCTL_TCP_KEEPALIVE_PROBES]);
    }
}

static int64_t since_s(const struct ho_outlook *o)
{
    return o->since_ns < 0 ? 0 : o->since_ns / HO_NS_PER_S;
}

static void trouble(struct list *l, const struct facts *f)
{
    const struct ho_outlook *o = f->o;

    if (o->trouble == HO_TROUBLE_RETRANSMITTING && o->attempt >= ATTEMPTS_MIN) {
        add(l, HO_FINDING_RT001, "repeated %" PRIu32 " times, for %" PRId64 " s at least",
            o->attempt, since_s(o));
    }
    if (o->trouble == HO_TROUBLE_PROBING) {
        add(l, HO_FINDING_PR001, "%" PRIu32 " not answered", o->attempt);
    }
    if (o->trouble == HO_TROUBLE_WINDOW_PROBING && since_s(o) >= WINDOW_LONG_S) {
        add(l, HO_FINDING_ZW001, "for %" PRId64 " s at least, %" PRIu32 " probes not answered",
            since_s(o), o->attempt);
    }
    if (o->trouble == HO_TROUBLE_CONNECTING) {
        add(l, HO_FINDING_SS001, "SYN repeated %" PRIu32 " times", o->attempt);
    }
}

/* For how long the peer's FIN is here, at least: the last segment of the peer's was it, or came
 * after it.
 */
static int64_t closed_for_s(const struct ho_conn *c)
{
    uint32_t ms =
        c->last_data_recv_ms < c->last_ack_recv_ms ? c->last_data_recv_ms : c->last_ack_recv_ms;

    return c->has_info ? ms / 1000 : 0;
}

static void closing(struct list *l, const struct facts *f)
{
    const struct ho_conn *c = f->c;

    if (c->state == HO_TCP_CLOSE_WAIT && !c->orphan && closed_for_s(c) >= CLOSE_WAIT_LONG_S) {
        add(l, HO_FINDING_CW001, "for %" PRId64 " s at least, %" PRIu32 " bytes and the end unread",
            closed_for_s(c), c->rqueue);
    }
    if (c->orphan && (c->state == HO_TCP_FIN_WAIT1 || c->state == HO_TCP_FIN_WAIT2)) {
        add(l, HO_FINDING_FW001, "%s, %" PRIu32 " bytes are not acknowledged",
            ho_tcp_state_name((enum ho_tcp_state)c->state), c->wqueue);
    }
    if (c->linger_known == HO_KNOWN_READ && c->linger) {
        add(l, HO_FINDING_LG001, "%" PRId32 " s", c->linger_s);
    }
}

static int by_id(const struct ho_finding *a, const struct ho_finding *b)
{
    return (int)a->id - (int)b->id;
}

static void sort(struct list *l)
{
    for (size_t i = 1; i < l->n; i++) {
        struct ho_finding f = l->f[i];
        size_t at = i;

        for (; at > 0 && by_id(&l->f[at - 1], &f) > 0; at--) {
            l->f[at] = l->f[at - 1];
        }
        l->f[at] = f;
    }
}

size_t ho_findings_conn(const struct ho_conn *c, const struct ho_conn_host *h,
                        const struct ho_outlook *o, const struct ho_finding_rules *rules,
                        struct ho_finding ret[HO_FINDINGS_MAX])
{
    bool read = ho_conn_has_options(c);
    bool known = c->keepalive_known != HO_KNOWN_UNKNOWN;
    bool open = c->state == HO_TCP_ESTABLISHED && !c->loopback;
    struct facts f = { .c = c,
                       .h = h,
                       .o = o,
                       .rules = rules,
                       .open = open,
                       .keepalive = known && c->keepalive && read,
                       .no_keepalive = known && !c->keepalive,
                       .user_ms = read ? c->user_timeout_ms : 0 };
    struct list l = { .f = ret };

    trouble(&l, &f); /* if there is no room for all, what is broken now stays */
    keepalive(&l, &f);
    user_timeout(&l, &f);
    by_sysctls(&l, &f);
    closing(&l, &f);
    if (open && !c->orphan && (!known || !read)) {
        add(&l, HO_FINDING_UK001, "SO_KEEPALIVE is %s, its times and TCP_USER_TIMEOUT are %s",
            ho_known_word(c->keepalive_known), ho_known_word(c->options_known));
    }
    sort(&l);
    return l.n;
}

/* ---- of a namespace -------------------------------------------------------------------------- */

/* What decides when a dead peer is noticed. */
static const enum ho_sysctl noticing[] = {
    HO_SYSCTL_TCP_KEEPALIVE_TIME,   HO_SYSCTL_TCP_KEEPALIVE_INTVL,
    HO_SYSCTL_TCP_KEEPALIVE_PROBES, HO_SYSCTL_TCP_RETRIES2,
    HO_SYSCTL_TCP_ORPHAN_RETRIES,   HO_SYSCTL_TCP_SYN_RETRIES,
    HO_SYSCTL_TCP_SYNACK_RETRIES,   HO_SYSCTL_TCP_FIN_TIMEOUT,
    HO_SYSCTL_TCP_RTO_MAX_MS,       HO_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS,
};

static void not_inherited(struct list *l, const struct ho_conn_host *h,
                          const struct ho_conn_host *first)
{
    char detail[sizeof(l->f[0].detail)] = "";
    size_t len = 0;

    for (size_t i = 0; i < sizeof(noticing) / sizeof(noticing[0]); i++) {
        const struct ho_sysctl_info *info = ho_sysctl_info(noticing[i]);
        int64_t there = first->sysctls.v[noticing[i]], here = h->sysctls.v[noticing[i]];

        if (there == info->def || here != info->def || len >= sizeof(detail) - 1) {
            continue;
        }
        int n = snprintf(detail + len, sizeof(detail) - len, "%s%s %" PRId64 ", not %" PRId64,
                         len > 0 ? "; " : "", info->name + strlen("net.ipv4."), here, there);

        len += n > 0 ? (size_t)n : 0;
    }
    if (len > 0) {
        add(l, HO_FINDING_SY001, "%s", detail);
    }
}

size_t ho_findings_host(const struct ho_conn_host *h, const struct ho_conn_host *first,
                        struct ho_finding ret[HO_FINDINGS_MAX])
{
    struct list l = { .f = ret };
    int64_t retries2 = h->sysctls.v[HO_SYSCTL_TCP_RETRIES2];

    if (h->netns != first->netns) {
        not_inherited(&l, h, first);
    }
    if (retries2 <= RETRIES2_LOW) {
        add(&l, HO_FINDING_SY003, "tcp_retries2 %" PRId64, retries2);
    }
    return l.n;
}
