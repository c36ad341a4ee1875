/* An answer of sock_diag of any bytes (os/diag_read.h), as a kernel that lies or a datagram that
 * was cut would give it: a socket with possible values, or an error; never a read behind the end,
 * never an endless dump. What was read becomes a connection, and that is judged as a real one's
 * would be. Input: a datagram; its first message says the number and the port of the question.
 */

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "doctor/scan_work.h"
#include "forecast/finding.h"
#include "forecast/outlook.h"
#include "knobs/state.h"
#include "os/diag_read.h"

#define HEADER 16 /* of a netlink message */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Judged with another machine's settings for each state, none of them trusted either. */
static void judge(const struct ho_conn *c)
{
    static const struct ho_finding_rules rules = { .middlebox_s = 350 };
    struct ho_conn_host h = { .here = true, .hz = 250 };
    struct ho_finding findings[HO_FINDINGS_MAX];
    struct ho_outlook o;
    struct ho_text t = { 0 };

    ho_sysctls_init(&h.sysctls);
    ho_outlook(c, &h, &o);
    assert(ho_findings_conn(c, &h, &o, &rules, findings) <= HO_FINDINGS_MAX);
    ho_outlook_put_idle(&t, &o, c, &h);
    ho_outlook_put_busy(&t, &o, c, &h);
    ho_outlook_put_trouble(&t, &o);
    assert(ho_text_err(&t) == 0);
    ho_text_free(&t);
}

static void check(const struct ho_os_sock *s)
{
    assert(s->state > 0 && s->state < HO_TCP_STATE_COUNT);
    assert(s->timer < HO_SOCK_TIMER_COUNT);
    assert(memchr(s->congestion, '\0', sizeof(s->congestion)) != NULL);

    struct ho_conn c = ho_scan_conn(s);

    assert(c.state == s->state && c.owner == HO_CONN_NO_OWNER);
    assert(c.keepalive_known != HO_KNOWN_READ && c.options_known == HO_KNOWN_UNKNOWN);
    judge(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ho_os_diag_reader r = { .left = 0 };
    struct ho_os_sock s;
    size_t most = size / HEADER;
    int got = 1;

    if (size >= HEADER) {
        memcpy(&r.seq, data + 8, sizeof(r.seq));
        memcpy(&r.port, data + 12, sizeof(r.port));
    }
    ho_os_diag_reader_feed(&r, data, size);
    while (got == 1) {
        got = ho_os_diag_reader_next(&r, &s);
        if (got == 1) {
            assert(most-- > 0); /* each takes its bytes */
            check(&s);
        }
    }
    assert(got == HO_OS_DIAG_DONE || got <= 0);
    assert(got != 0 || r.left == 0);
    return 0;
}
