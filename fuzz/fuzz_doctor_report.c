/* Connections of a machine that wants to be misread: any names, numbers and findings. In every form
 * each byte is printable, and JSON is JSON.
 *
 * Input: a number of connections, then each one's facts and its process's name.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/utf8.h"
#include "doctor/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONNS_MAX 24

struct input {
    const uint8_t *at;
    size_t left;
};

static uint32_t take(struct input *in, size_t n)
{
    uint32_t v = 0;

    for (; n > 0 && in->left > 0; n--) {
        v = v << 8 | *in->at++;
        in->left--;
    }
    return v;
}

static void take_bytes(struct input *in, char *ret, size_t size)
{
    size_t n = take(in, 1) % size;

    for (size_t i = 0; i < n; i++) {
        ret[i] = (char)take(in, 1);
    }
    ret[n] = '\0';
}

static void take_conn(struct input *in, struct ho_conn *c, uint32_t i)
{
    uint32_t bits = take(in, 2);

    c->local = ho_addr_v4(10, 0, 0, (uint8_t)take(in, 1));
    c->remote = ho_addr_v4(10, 0, 1, (uint8_t)take(in, 1));
    if ((bits & 1) != 0) {
        c->ipv6 = true;
        c->remote.b[0] = 0xfd;
    }
    c->lport = (uint16_t)take(in, 2);
    c->rport = (uint16_t)take(in, 2);
    c->owner = (bits & 2) != 0 ? i : HO_CONN_NO_OWNER;
    c->inode = bits >> 2 & 3;
    c->state = (uint8_t)(1 + take(in, 1) % (HO_TCP_STATE_COUNT - 1)); /* os/diag.h drops others */
    c->timer = (uint8_t)(take(in, 1) % HO_SOCK_TIMER_COUNT);
    c->retrans = (uint8_t)take(in, 1);
    c->expires_ms = take(in, 4);
    c->on_link = (bits & 16) != 0;
    c->loopback = (bits & 96) == 96;
    c->orphan = (bits & 384) == 384;
    c->has_info = (bits & 512) != 0;
    c->backoff = (uint8_t)take(in, 1);
    c->rto_us = take(in, 4);
    c->rtt_us = take(in, 3);
    c->unacked = take(in, 4);
    c->wqueue = take(in, 4);
    c->last_data_sent_ms = take(in, 4);
    c->last_data_recv_ms = take(in, 4);
    c->last_ack_recv_ms = take(in, 4);
    c->keepalive_known = (enum ho_known)(take(in, 1) % 3);
    c->keepalive = (bits & 1024) != 0;
    c->options_known = (bits & 2048) != 0 ? HO_KNOWN_READ : HO_KNOWN_UNKNOWN;
    c->keepidle_s = (int32_t)take(in, 4);
    c->keepintvl_s = (int32_t)take(in, 4);
    c->keepcnt = (int32_t)take(in, 4);
    c->user_timeout_ms = (int32_t)take(in, 4);
    c->linger_known = c->options_known;
    c->linger = (bits & 4096) != 0;
    c->linger_s = (int32_t)take(in, 4);
}

static void check_printable(const char *text)
{
    size_t left = strlen(text), n;

    for (; left > 0; text += n, left -= n) {
        uint32_t cp = 0;

        n = ho_utf8_read(text, left, &cp);
        assert(n > 0 && (cp == '\n' || ho_utf8_columns(cp) > 0));
    }
}

static void check_form(const struct ho_diagnosis *d, enum ho_report_form form)
{
    const struct ho_report_options o = { .all = true };
    struct ho_text out = { 0 };

    ho_report(&out, form, d, &o);
    assert(ho_text_err(&out) == 0);
    check_printable(ho_text_str(&out));
    if (form == HO_REPORT_JSON) {
        cJSON *j = cJSON_Parse(ho_text_str(&out));

        assert(j != NULL);
        cJSON_Delete(j);
    }
    ho_text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    struct ho_conn_host hosts[2] = { { .hz = 250, .here = true }, { .hz = 250, .netns = 2 } };
    struct ho_conn_owner owners[CONNS_MAX] = { 0 };
    struct ho_conn conns[CONNS_MAX] = { 0 };
    size_t n = take(&in, 1) % (CONNS_MAX + 1);
    struct ho_scan s = { .hosts = hosts,
                         .n_hosts = 1 + take(&in, 1) % 2,
                         .owners = owners,
                         .n_owners = n,
                         .conns = conns,
                         .n_conns = n };
    const struct ho_finding_rules rules = { .middlebox_s = take(&in, 2) };
    struct ho_diagnosis d;

    ho_sysctls_init(&hosts[0].sysctls);
    ho_sysctls_init(&hosts[1].sysctls);
    for (size_t i = 0; i < n; i++) {
        take_conn(&in, &conns[i], (uint32_t)i);
        conns[i].host = (uint32_t)(i % s.n_hosts);
        owners[i].pid = (int32_t)take(&in, 4);
        take_bytes(&in, owners[i].name, sizeof(owners[i].name));
        take_bytes(&in, owners[i].container, sizeof(owners[i].container));
    }
    if (ho_diagnose(&d, &s, &rules) == 0) {
        for (int form = 0; form < HO_REPORT_FORM_COUNT; form++) {
            check_form(&d, (enum ho_report_form)form);
        }
        ho_diagnosis_free(&d);
    }
    return 0;
}
