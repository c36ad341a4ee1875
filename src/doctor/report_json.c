/* The diagnosis as one JSON document. docs/doctor.md describes it. */

#include <inttypes.h>

#include "base/words.h"
#include "doctor/group.h"
#include "knobs/errno.h"

#define SCHEMA 1

static const char *boolean(bool b)
{
    return b ? "true" : "false";
}

/* A text from outside: printable, then quoted. */
static void put_plain(struct ho_text *out, const char *s)
{
    struct ho_text plain = { 0 };

    ho_text_plain(&plain, s);
    ho_text_json(out, ho_text_str(&plain));
    ho_text_end_part(out, &plain);
}

static void put_error(struct ho_text *out, const char *key, int err)
{
    ho_text_printf(out, ",\"%s\":", key);
    if (err == 0) {
        ho_text_put(out, "null");
    } else {
        ho_text_json(out, ho_errno_name(err));
    }
}

/* ---- namespaces ------------------------------------------------------------------------------ */

static void put_findings(struct ho_text *out, const struct ho_finding *f, size_t n)
{
    ho_text_put(out, ",\"findings\":[");
    for (size_t i = 0; i < n; i++) {
        ho_text_printf(out, "%s{\"id\":\"%s\",\"detail\":", i > 0 ? "," : "",
                       ho_finding_info(f[i].id)->id);
        ho_text_json(out, f[i].detail);
        ho_text_char(out, '}');
    }
    ho_text_char(out, ']');
}

/* The sysctls that verdicts come from. */
static void put_sysctls(struct ho_text *out, const struct ho_sysctls *s)
{
    static const enum ho_sysctl shown[] = {
        HO_SYSCTL_TCP_KEEPALIVE_TIME, HO_SYSCTL_TCP_KEEPALIVE_INTVL, HO_SYSCTL_TCP_KEEPALIVE_PROBES,
        HO_SYSCTL_TCP_RETRIES2,       HO_SYSCTL_TCP_ORPHAN_RETRIES,  HO_SYSCTL_TCP_SYN_RETRIES,
        HO_SYSCTL_TCP_SYNACK_RETRIES, HO_SYSCTL_TCP_FIN_TIMEOUT,
    };

    ho_text_put(out, ",\"sysctls\":{");
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        ho_text_printf(out, "%s\"%s\":%" PRId64, i > 0 ? "," : "", ho_sysctl_info(shown[i])->name,
                       s->v[shown[i]]);
    }
    ho_text_char(out, '}');
}

static void put_namespaces(struct ho_text *out, const struct ho_diagnosis *d)
{
    ho_text_put(out, "\"namespaces\":[");
    for (size_t i = 0; i < d->scan->n_hosts; i++) {
        const struct ho_conn_host *h = &d->scan->hosts[i];

        ho_text_printf(out, "%s\n{\"netns\":%" PRIu64 ",\"here\":%s,\"hz\":%" PRIu32,
                       i > 0 ? "," : "", h->netns, boolean(h->here), h->hz);
        put_sysctls(out, &h->sysctls);
        put_findings(out, d->host_findings[i], d->n_host_findings[i]);
        ho_text_char(out, '}');
    }
    ho_text_put(out, "],\n");
}

/* ---- a connection ---------------------------------------------------------------------------- */

static void put_address(struct ho_text *out, const char *key, const struct ho_addr *a,
                        uint16_t port)
{
    char text[HO_ADDR_TEXT];

    ho_text_printf(out, ",\"%s\":{\"address\":\"%s\",\"port\":%u}", key, ho_addr_text(a, text),
                   (unsigned)port);
}

static void put_process(struct ho_text *out, const struct ho_diagnosis *d, uint32_t i)
{
    const struct ho_conn_owner *o = ho_group_owner(d, i);

    ho_text_put(out, ",\"process\":");
    if (o == NULL) {
        ho_text_put(out, "null");
        return;
    }
    ho_text_printf(out, "{\"pid\":%" PRId32 ",\"uid\":%" PRIu32 ",\"name\":", o->pid, o->uid);
    put_plain(out, o->name);
    ho_text_put(out, ",\"container\":");
    put_plain(out, o->container);
    ho_text_char(out, '}');
}

static void put_timer(struct ho_text *out, const struct ho_conn *c)
{
    static const char *const words[HO_SOCK_TIMER_COUNT] = {
#define X(id, text) text,
        HO_SOCK_TIMERS(X)
#undef X
    };

    ho_text_printf(out, ",\"timer\":{\"kind\":\"%s\",\"count\":%u,\"expires_ms\":%" PRIu32 "}",
                   c->timer < HO_SOCK_TIMER_COUNT ? words[c->timer] : "unknown",
                   (unsigned)c->retrans, c->expires_ms);
}

static void put_info(struct ho_text *out, const struct ho_conn *c)
{
    ho_text_put(out, ",\"tcp_info\":");
    if (!c->has_info) {
        ho_text_put(out, "null");
        return;
    }
    ho_text_printf(out,
                   "{\"rto_us\":%" PRIu32 ",\"rtt_us\":%" PRIu32
                   ",\"backoff\":%u,\"probes\":%u,\"unacked\":%" PRIu32 ",\"snd_wnd\":",
                   c->rto_us, c->rtt_us, (unsigned)c->backoff, (unsigned)c->probes, c->unacked);
    if (c->snd_wnd_known) {
        ho_text_uint(out, c->snd_wnd);
    } else {
        ho_text_put(out, "null");
    }
    ho_text_printf(out,
                   ",\"notsent_bytes\":%" PRIu32 ",\"last_data_sent_ms\":%" PRIu32
                   ",\"last_data_recv_ms\":%" PRIu32 ",\"last_ack_recv_ms\":%" PRIu32
                   ",\"total_retrans\":%" PRIu32 "}",
                   c->notsent_bytes, c->last_data_sent_ms, c->last_data_recv_ms,
                   c->last_ack_recv_ms, c->total_retrans);
}

/* "NAME":{"known":"read","value":N}; the value of what is not known is null. */
static void put_option(struct ho_text *out, const char *sep, const char *name, enum ho_known known,
                       int64_t value)
{
    ho_text_printf(out, "%s\"%s\":{\"known\":\"%s\",\"value\":", sep, name, ho_known_word(known));
    if (known == HO_KNOWN_UNKNOWN) {
        ho_text_put(out, "null}");
    } else {
        ho_text_printf(out, "%" PRId64 "}", value);
    }
}

static void put_options(struct ho_text *out, const struct ho_conn *c)
{
    ho_text_put(out, ",\n \"options\":{");
    put_option(out, "", "SO_KEEPALIVE", c->keepalive_known, c->keepalive);
    put_option(out, ",", "TCP_KEEPIDLE", c->options_known, c->keepidle_s);
    put_option(out, ",", "TCP_KEEPINTVL", c->options_known, c->keepintvl_s);
    put_option(out, ",", "TCP_KEEPCNT", c->options_known, c->keepcnt);
    put_option(out, ",", "TCP_USER_TIMEOUT", c->options_known, c->user_timeout_ms);
    put_option(out, ",", "SO_LINGER", c->linger_known, c->linger ? c->linger_s : -1);
    ho_text_char(out, '}');
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static void put_answer(struct ho_text *out, const struct ho_outlook_answer *a)
{
    bool timed = a->kind == HO_OUTLOOK_RANGE || a->kind == HO_OUTLOOK_WITHIN;

    ho_text_printf(out, "{\"kind\":\"%s\",\"min_s\":", ho_outlook_kind_word(a->kind));
    if (timed) {
        ho_text_seconds(out, a->min_ns, 3);
        ho_text_put(out, ",\"max_s\":");
        ho_text_seconds(out, a->max_ns, 3);
    } else {
        ho_text_put(out, "null,\"max_s\":null");
    }
    put_error(out, "errno", timed ? a->err : 0);
    put_error(out, "or", timed ? a->other_err : 0);
    ho_text_printf(out, ",\"knob\":\"%s\"", ho_predict_knob_word(a->knob));
}

static void put_verdicts(struct ho_text *out, const struct ho_diagnosis *d, uint32_t i)
{
    const struct ho_outlook *o = ho_group_outlook(d, i);
    const struct ho_conn *c = ho_group_conn(d, i);
    const struct ho_conn_host *h = ho_group_host(d, i);
    struct ho_text words = { 0 };

    ho_text_put(out, ",\n \"idle\":");
    put_answer(out, &o->idle);
    ho_outlook_put_idle(&words, o, c, h);
    ho_text_put(out, ",\"text\":");
    ho_text_json(out, ho_text_str(&words));
    ho_text_put(out, "},\n \"busy\":");
    put_answer(out, &o->busy);
    ho_text_clear(&words);
    ho_outlook_put_busy(&words, o, c, h);
    ho_text_put(out, ",\"text\":");
    ho_text_json(out, ho_text_str(&words));
    ho_text_put(out, "},\n \"trouble\":");
    if (o->trouble == HO_TROUBLE_NONE) {
        ho_text_put(out, "null");
    } else {
        ho_text_printf(out, "{\"kind\":\"%s\",\"attempt\":%" PRIu32 ",\"since_s\":",
                       ho_trouble_word(o->trouble), o->attempt);
        if (o->since_ns < 0) {
            ho_text_put(out, "null");
        } else {
            ho_text_seconds(out, o->since_ns, 3);
        }
        ho_text_put(out, ",\"end\":");
        put_answer(out, &o->end);
        ho_text_clear(&words);
        ho_outlook_put_trouble(&words, o);
        ho_text_put(out, "},\"text\":");
        ho_text_json(out, ho_text_str(&words));
        ho_text_char(out, '}');
    }
    ho_text_end_part(out, &words);
}

void ho_report_json_conn(struct ho_text *out, const struct ho_diagnosis *d, uint32_t i)
{
    const struct ho_conn *c = ho_group_conn(d, i);

    ho_text_printf(out, "{\"netns\":%" PRIu64 ",\"family\":%d", ho_group_host(d, i)->netns,
                   c->ipv6 ? 6 : 4);
    put_address(out, "local", &c->local, c->lport);
    put_address(out, "remote", &c->remote, c->rport);
    ho_text_printf(out, ",\"state\":\"%s\"", ho_tcp_state_name((enum ho_tcp_state)c->state));
    put_process(out, d, i);
    ho_text_printf(out, ",\n \"orphan\":%s,\"on_link\":%s,\"loopback\":%s", boolean(c->orphan),
                   boolean(c->on_link), boolean(c->loopback));
    ho_text_printf(out, ",\"unread_bytes\":%" PRIu32 ",\"unacked_bytes\":%" PRIu32, c->rqueue,
                   c->wqueue);
    put_timer(out, c);
    put_info(out, c);
    put_options(out, c);
    put_verdicts(out, d, i);
    put_findings(out, d->conns[i].findings, d->conns[i].n_findings);
    ho_text_char(out, '}');
}

/* ---- the document ---------------------------------------------------------------------------- */

static void put_list(struct ho_text *out, const struct ho_diagnosis *d)
{
    const char *sep = "";

    ho_text_put(out, "\"findings\":[");
    for (int i = 0; i < HO_FINDING_COUNT; i++) {
        const struct ho_finding_info *info = ho_finding_info((enum ho_finding_id)i);

        if (d->found[i] == 0) {
            continue;
        }
        ho_text_printf(out, "%s\n{\"id\":\"%s\",\"severity\":\"%s\",\"count\":%zu,\"title\":", sep,
                       info->id, ho_severity_word(info->severity), d->found[i]);
        ho_text_json(out, info->title);
        ho_text_put(out, ",\"why\":");
        ho_text_json(out, info->why);
        ho_text_put(out, ",\"change\":");
        ho_text_json(out, info->change);
        ho_text_put(out, ",\"scenario\":");
        ho_text_json(out, info->scenario);
        ho_text_char(out, '}');
        sep = ",";
    }
    ho_text_put(out, "],\n");
}

static void put_head(struct ho_text *out, const struct ho_diagnosis *d)
{
    const struct ho_scan *s = d->scan;

    ho_text_printf(out, "{\"schema\":%d,\"program\":\"halfopen\",\"report\":\"doctor\",\n", SCHEMA);
    ho_text_printf(out,
                   "\"summary\":{\"connections\":%zu,\"in_trouble\":%zu,\"never_idle\":%zu,"
                   "\"unknown_idle\":%zu,\"options_unreadable\":%zu,\"namespaces_unreadable\":%zu,"
                   "\"worst\":",
                   s->n_conns, d->in_trouble, d->never_idle, d->unknown_idle, s->n_unreadable,
                   s->n_foreign_namespaces);
    ho_text_printf(out, d->any ? "\"%s\"},\n" : "null},\n", ho_severity_word(d->worst));
    put_list(out, d);
    put_namespaces(out, d);
    ho_text_put(out, "\"connections\":[");
}

/* The first piece is what stands before the connections, the last what stands behind them. */
bool ho_report_json_next(struct ho_text *out, const struct ho_diagnosis *d, size_t *at)
{
    size_t i = (*at)++;

    if (i == 0) {
        put_head(out, d);
    } else if (i <= d->scan->n_conns) {
        ho_text_put(out, i > 1 ? ",\n" : "\n");
        ho_report_json_conn(out, d, (uint32_t)(i - 1));
    } else {
        ho_text_put(out, "\n]}\n");
    }
    return i <= d->scan->n_conns;
}
