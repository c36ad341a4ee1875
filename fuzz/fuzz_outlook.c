/* A kernel that lies: any bytes as the facts of a connection and of its host. What is said of it is
 * one of the lists' kinds, ranges are in order, texts and findings fit.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "forecast/finding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at;
    size_t left;
};

static uint64_t take(struct input *in, size_t n)
{
    uint64_t v = 0;

    for (; n > 0 && in->left > 0; n--) {
        v = v << 8 | *in->at++;
        in->left--;
    }
    return v;
}

static bool flag(struct input *in)
{
    return (take(in, 1) & 1) != 0;
}

static bool seldom(struct input *in)
{
    return take(in, 1) > 192;
}

/* Any value, but often one that makes sense. */
static int64_t around(struct input *in, int64_t usual)
{
    uint64_t kind = take(in, 1);

    if (kind < 192) {
        return usual;
    }
    return kind < 224 ? (int64_t)take(in, 2) : (int64_t)take(in, 8);
}

static struct ho_conn_host host(struct input *in)
{
    struct ho_conn_host h = { .netns = take(in, 1), .hz = (uint32_t)around(in, 250) };

    ho_sysctls_init(&h.sysctls);
    for (uint64_t n = take(in, 1) % 8; n > 0; n--) {
        uint64_t id = take(in, 1) % HO_SYSCTL_COUNT;

        h.sysctls.v[id] = around(in, h.sysctls.v[id]);
    }
    return h;
}

static void take_timer(struct input *in, struct ho_conn *c)
{
    c->state = (uint8_t)(take(in, 1) % (HO_TCP_STATE_COUNT + 2));
    c->timer = (uint8_t)(take(in, 1) % (HO_SOCK_TIMER_COUNT + 2));
    c->retrans = (uint8_t)take(in, 1);
    c->expires_ms = (uint32_t)around(in, 100);
    c->on_link = flag(in);
    c->loopback = seldom(in);
    c->orphan = seldom(in);
    c->ipv6 = flag(in);
}

static void take_info(struct input *in, struct ho_conn *c)
{
    c->has_info = !seldom(in);
    c->backoff = flag(in) ? c->retrans : (uint8_t)take(in, 1);
    c->rto_us = (uint32_t)around(in, 204000);
    c->rtt_us = (uint32_t)around(in, 2000);
    c->unacked = (uint32_t)take(in, 1);
    c->last_data_sent_ms = (uint32_t)around(in, 1000);
    c->last_data_recv_ms = (uint32_t)around(in, 1000);
    c->last_ack_recv_ms = (uint32_t)around(in, 1000);
    c->rto_time_known = flag(in);
    c->rto_recoveries = (uint32_t)take(in, 1);
    c->rto_time_ms = (uint32_t)around(in, 1000);
}

static void take_options(struct input *in, struct ho_conn *c)
{
    c->keepalive_known = (enum ho_known)(take(in, 1) % 3);
    c->keepalive = flag(in);
    c->options_known = flag(in) ? HO_KNOWN_READ : HO_KNOWN_UNKNOWN;
    c->keepidle_s = around(in, 60);
    c->keepintvl_s = around(in, 10);
    c->keepcnt = around(in, 6);
    c->user_timeout_ms = around(in, 0);
    c->linger_known = flag(in) ? HO_KNOWN_READ : HO_KNOWN_UNKNOWN;
    c->linger = flag(in);
    c->linger_s = (int32_t)around(in, 0);
}

static void check_answer(const struct ho_outlook_answer *a)
{
    assert(a->kind <= HO_OUTLOOK_UNKNOWN);
    assert(a->min_ns >= 0 && a->max_ns >= a->min_ns);
    assert(ho_outlook_kind_word(a->kind)[0] != '\0');
    assert(ho_predict_knob_word(a->knob)[0] != '\0');
}

static void check_texts(const struct ho_outlook *o, const struct ho_conn *c,
                        const struct ho_conn_host *h)
{
    struct ho_text t = { 0 };

    ho_outlook_put_idle(&t, o, c, h);
    assert(t.len > 0);
    ho_text_clear(&t);
    ho_outlook_put_busy(&t, o, c, h);
    assert(t.len > 0);
    ho_text_clear(&t);
    ho_outlook_put_trouble(&t, o);
    assert((t.len > 0) == (o->trouble != HO_TROUBLE_NONE));
    ho_text_free(&t);
}

static void check_findings(const struct ho_finding *f, size_t n)
{
    assert(n <= HO_FINDINGS_MAX);
    for (size_t i = 0; i < n; i++) {
        assert(f[i].id < HO_FINDING_COUNT &&
               memchr(f[i].detail, '\0', sizeof(f[i].detail)) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    struct ho_conn_host h = host(&in), first = host(&in);
    struct ho_finding_rules rules = { .middlebox_s = around(&in, 350) };
    struct ho_finding found[HO_FINDINGS_MAX];
    struct ho_conn c = { .local = ho_addr_v4(10, 0, 0, 1), .remote = ho_addr_v4(10, 0, 0, 2) };
    struct ho_predict_in predict;
    struct ho_outlook o;

    take_timer(&in, &c);
    take_info(&in, &c);
    take_options(&in, &c);
    ho_outlook(&c, &h, &o);
    check_answer(&o.idle);
    check_answer(&o.busy);
    check_answer(&o.end);
    assert(o.trouble <= HO_TROUBLE_CLOSING && o.since_ns >= -1);
    check_texts(&o, &c, &h);
    check_findings(found, ho_findings_conn(&c, &h, &o, &rules, found));
    check_findings(found, ho_findings_host(&h, &first, found));
    ho_conn_predict_in(&c, &h, &predict);
    return 0;
}
