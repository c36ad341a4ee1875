/* What `halfopen` shows without arguments: what this host's settings mean, how many of its
 * connections would never notice a dead peer, and what to do next. At most 24 lines of 80 columns,
 * without privileges; what cannot be read is said.
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/words.h"
#include "cli/cli.h"
#include "doctor/report.h"
#include "doctor/settings.h"
#include "forecast/predict.h"
#include "os/clock.h"
#include "os/sysctl.h"
#include "os/why.h"

#define WIDTH 80
#define LABEL 18
#define COLUMN 31

/* The rows: what the connection does, what happens to its peer. */
static const struct {
    const char *label;
    enum ho_predict_fault fault;
    enum ho_predict_activity activity;
} rows[] = {
    { "data in flight", HO_FAULT_CUT, HO_ACTIVITY_DATA },
    { "idle, keepalive", HO_FAULT_CUT, HO_ACTIVITY_KEEPALIVE },
    { "idle", HO_FAULT_CUT, HO_ACTIVITY_IDLE },
    { "process killed", HO_FAULT_KILLED, HO_ACTIVITY_IDLE },
    { "host rebooted", HO_FAULT_REBOOT, HO_ACTIVITY_DATA },
    { "  and idle", HO_FAULT_REBOOT, HO_ACTIVITY_IDLE },
};

static const char tail[] =
    "\n"
    "  halfopen doctor               each connection of this machine; what is wrong\n"
    "  halfopen advise --within 30s  what to set so that all notice within 30 s\n"
    "  halfopen predict              every fault, with its error, for any settings\n"
    "  halfopen explain ETIMEDOUT    what an error, a setting or a finding is\n"
    "  halfopen run                  the catalogue: scenarios played in virtual time\n"
    "  halfopen lab                  hosts on the real kernel, to pull cables from\n"
    "  halfopen help                 all commands\n";

/* ---- what the settings mean ------------------------------------------------------------------ */

/* "15 m 37.7 s to 15 m 39.7 s" */
static void put_when(struct ho_text *out, const struct ho_prediction *p)
{
    struct ho_text last = { 0 };
    size_t before = out->len;

    if (p->outcome == HO_PREDICT_NEVER) {
        ho_text_put(out, "never");
    } else if (p->outcome == HO_PREDICT_AT_ONCE) {
        ho_text_put(out, "at once");
    } else if (p->outcome == HO_PREDICT_NEXT) {
        ho_text_put(out, "when something is sent");
    } else {
        ho_text_dur(out, ho_ns(p->min_ns));
        ho_text_dur(&last, ho_ns(p->max_ns));
        if (out->len > before && strcmp(out->s + before, ho_text_str(&last)) != 0) {
            ho_text_put(out, " to ");
            ho_text_put(out, ho_text_str(&last));
        }
        ho_text_put(out, p->other_err != 0 ? " *" : "");
    }
    ho_text_end_part(out, &last);
}

static int put_row(struct ho_text *out, const struct ho_predict_in *in, size_t row, bool *arp)
{
    struct ho_text cell = { 0 };

    ho_text_char(out, ' ');
    ho_text_pad(out, rows[row].label, LABEL - 1);
    for (int lan = 0; lan < 2; lan++) {
        struct ho_predict_in one = *in;
        struct ho_prediction p;

        one.on_link = lan == 1;
        if (ho_predict(&one, rows[row].fault, rows[row].activity, &p) != 0) {
            return -EINVAL;
        }
        *arp = *arp || (p.outcome == HO_PREDICT_WITHIN && p.other_err != 0);
        put_when(&cell, &p);
        ho_text_pad(out, ho_text_str(&cell), lan == 0 ? COLUMN : 0);
        ho_text_clear(&cell);
    }
    ho_text_char(out, '\n');
    ho_text_end_part(out, &cell);
    return 0;
}

/* Whether this host's sysctls can be read at all: 0; a negative errno. */
static int read_one(void)
{
    char value[64];
    int n = ho_os_sysctl_read(-1, "net.ipv4.tcp_retries2", value, sizeof(value));

    return n < 0 ? n : 0;
}

static void put_reasons(struct ho_text *out, const int64_t *v, bool arp)
{
    struct ho_text words = { 0 };

    ho_text_printf(&words,
                   "tcp_retries2 %" PRId64 "; keepalive %" PRId64 "/%" PRId64 "/%" PRId64
                   ", where SO_KEEPALIVE is on%s",
                   v[HO_SYSCTL_TCP_RETRIES2], v[HO_SYSCTL_TCP_KEEPALIVE_TIME],
                   v[HO_SYSCTL_TCP_KEEPALIVE_INTVL], v[HO_SYSCTL_TCP_KEEPALIVE_PROBES],
                   arp ? "; * ARP decides" : "");
    ho_text_wrap(out, ho_text_str(&words), 0, 0, WIDTH);
    ho_text_end_part(out, &words);
}

static void put_settings(struct ho_text *out)
{
    struct ho_predict_in in = { .rtt = ho_ms(1) };
    bool arp = false;
    int err = read_one(), all = ho_doctor_settings(-1, &in.sysctls, &in.hz);

    err = err != 0 ? err : all;
    if (err != 0) {
        ho_sysctls_init(&in.sysctls);
        in.hz = ho_os_hz();
    }
    ho_text_printf(out, "When the peer is gone, %s (HZ %" PRIu32 ") notices:\n",
                   err == 0 ? "this host" : "a host with Linux's defaults", in.hz);
    ho_text_repeat(out, " ", LABEL);
    ho_text_pad(out, "peer behind a router", COLUMN);
    ho_text_put(out, "peer on the same link\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (put_row(out, &in, i, &arp) != 0) {
            ho_text_put(out, "these settings make no sense together\n");
            return;
        }
    }
    put_reasons(out, in.sysctls.v, arp);
    if (err != 0) {
        ho_text_printf(out, "(this host's own cannot be read: %s)\n", strerror(-err));
    }
}

/* ---- its connections ------------------------------------------------------------------------- */

static void put_count(struct ho_text *words, const struct ho_diagnosis *d)
{
    size_t n = d->scan->n_conns;

    if (n == 0) {
        ho_text_put(words, "It has no established connection to another host at this moment.");
        return;
    }
    ho_text_printf(words,
                   "Of its %zu established connection%s to other hosts %zu would never notice it "
                   "while idle, %zu would",
                   n, n == 1 ? "" : "s", d->never_idle, n - d->never_idle - d->unknown_idle);
    if (d->unknown_idle > 0) {
        ho_text_printf(words, ", of %zu that is unknown (" HO_CONN_NEEDS ")", d->unknown_idle);
    }
    if (d->in_trouble > 0) {
        ho_text_printf(words, "; %zu %s in trouble now", d->in_trouble,
                       d->in_trouble == 1 ? "is" : "are");
    }
    ho_text_char(words, '.');
}

/* Returns an exit code. */
static int put_connections(struct ho_text *out)
{
    const struct ho_scan_options o = { .states = 1u << HO_TCP_ESTABLISHED, .no_loopback = true };
    const struct ho_finding_rules rules = { 0 };
    struct ho_text words = { 0 };
    struct ho_diagnosis d;
    struct ho_scan s;
    char why[HO_OS_WHY] = "";
    int err = ho_scan(&s, &o, why);

    if (err == 0) {
        err = ho_diagnose(&d, &s, &rules);
        if (err == 0) {
            put_count(&words, &d);
            ho_diagnosis_free(&d);
        }
        ho_scan_free(&s);
    } else if (err != -ENOMEM) {
        ho_text_printf(&words, "Its connections cannot be looked at: %s.",
                       why[0] != '\0' ? why : strerror(-err));
    }
    ho_text_char(out, '\n');
    ho_text_wrap(out, ho_text_str(&words), 0, 0, WIDTH);
    ho_text_end_part(out, &words);
    return err == -ENOMEM ? ho_cli_no_memory() : HO_EXIT_OK;
}

int ho_cli_welcome(void)
{
    struct ho_text out = { 0 };
    int code;

    ho_text_put(&out, "halfopen: what happens to a TCP connection when the other end vanishes\n\n");
    put_settings(&out);
    code = put_connections(&out);
    ho_text_put(&out, tail);
    if (code == HO_EXIT_OK) {
        code = ho_text_err(&out) != 0 ? ho_cli_no_memory() : ho_cli_put(&out);
    }
    code = code == HO_EXIT_OK ? ho_cli_done() : code;
    ho_text_free(&out);
    return code;
}
