/* Advice for people. See cli/advise.h. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "cli/advise.h"
#include "knobs/errno.h"

#define WIDTH 80
#define MEANING 38 /* the column of what a setting does */
#define COLUMN 19  /* the width of a way in the table */
#define WHAT 24

static bool options(const struct ho_advising *a)
{
    return !a->ask.no_options;
}

static bool sysctls(const struct ho_advising *a)
{
    return !a->ask.no_sysctls;
}

/* ---- the settings ---------------------------------------------------------------------------- */

static void put_head(struct ho_text *out, const struct ho_advising *a)
{
    struct ho_text line = { 0 };

    ho_text_put(&line, "A peer that is gone is noticed within ");
    ho_text_dur(&line, a->ask.within);
    ho_text_put(&line, " on both sides, and an outage of ");
    ho_text_dur(&line, a->ask.survive);
    ho_text_put(&line,
                a->survive_said ? " is outlived." : " is outlived (--survive says another).");
    ho_text_put(&line, a->ask.base.on_link ? " The peer is on the same link, round trip "
                                           : " The peer is behind a router, round trip ");
    ho_text_dur(&line, a->ask.base.rtt);
    ho_text_put(&line, "; HZ ");
    for (unsigned i = 0; i < a->ask.hz_count; i++) {
        ho_text_put(&line, i == 0 ? "" : i + 1 < a->ask.hz_count ? ", " : " or ");
        if (a->ask.hz[i] == 0) {
            ho_text_put(&line, "exact");
        } else {
            ho_text_uint(&line, a->ask.hz[i]);
        }
    }
    ho_text_printf(&line, "; the other settings are %s%s.", a->host.source,
                   strcmp(a->host.source, "Linux's defaults") == 0 ? "" : "'s");
    ho_text_wrap(out, ho_text_str(&line), 0, 0, WIDTH);
    ho_text_end_part(out, &line);
}

/* "  TCP_KEEPIDLE = 12 s       silence before .." */
static void put_setting(struct ho_text *out, const char *name, int64_t value, const char *unit,
                        const char *meaning)
{
    struct ho_text line = { 0 };

    ho_text_printf(&line, "  %s = %" PRId64 "%s%s", name, value, unit[0] != '\0' ? " " : "", unit);
    ho_text_pad(out, ho_text_str(&line), MEANING);
    size_t at = ho_text_width(ho_text_str(&line));

    if (at >= MEANING) {
        ho_text_char(out, '\n');
        ho_text_repeat(out, " ", MEANING);
    }
    ho_text_wrap(out, meaning, MEANING, MEANING, WIDTH);
    ho_text_end_part(out, &line);
}

static void put_options(struct ho_text *out, const struct ho_advising *a)
{
    const struct ho_advice *d = &a->advice;

    ho_text_put(out,
                "\nSocket options, by the programs of both sides, before connect() and listen()\n");
    put_setting(out, "SO_KEEPALIVE", 1, "", "probes an idle connection");
    put_setting(out, "TCP_KEEPIDLE", d->idle_s, "s", "silence before the first probe");
    put_setting(out, "TCP_KEEPINTVL", d->intvl_s, "s", "from probe to probe");
    put_setting(out, "TCP_KEEPCNT", d->cnt, "",
                "probes without an answer, if no user timeout is set");
    put_setting(out, "TCP_USER_TIMEOUT", d->user_timeout_ms, "ms",
                "data, a FIN, a SYN or a closed window; takes the place of TCP_KEEPCNT and of "
                "tcp_retries2");
    if (d->syncnt > 0) {
        put_setting(out, "TCP_SYNCNT", d->syncnt, "", "repeats of a SYN");
    }
}

/* A sysctl, or that none will do; what the host has already is said. */
static void put_sysctl(struct ho_text *out, const struct ho_advising *a, enum ho_sysctl id,
                       int64_t value, const char *meaning)
{
    struct ho_text words = { 0 };
    const char *name = ho_sysctl_info(id)->name;

    if (value < 0) {
        ho_text_printf(&words, "%s: no value keeps it within the time", meaning);
        ho_text_printf(out, "  # %s\n", name);
        ho_text_repeat(out, " ", MEANING);
        ho_text_wrap(out, ho_text_str(&words), MEANING, MEANING, WIDTH);
    } else {
        ho_text_put(&words, meaning);
        if (a->ask.base.sysctls.v[id] == value) {
            ho_text_put(&words, " (as it is)");
        }
        put_setting(out, name, value, "", ho_text_str(&words));
    }
    ho_text_end_part(out, &words);
}

static void put_sysctls(struct ho_text *out, const struct ho_advising *a)
{
    const struct ho_advice *d = &a->advice;

    ho_text_put(
        out,
        options(a)
            ? "\nOr, for programs that can set nothing but SO_KEEPALIVE: sysctls of both hosts,\n"
              "and of each container (/etc/sysctl.d/90-liveness.conf)\n"
            : "\nSysctls of both hosts, and of each container, for programs that set SO_KEEPALIVE\n"
              "(/etc/sysctl.d/90-liveness.conf)\n");
    put_sysctl(out, a, HO_SYSCTL_TCP_KEEPALIVE_TIME, d->idle_s, "as TCP_KEEPIDLE");
    put_sysctl(out, a, HO_SYSCTL_TCP_KEEPALIVE_INTVL, d->intvl_s, "as TCP_KEEPINTVL");
    put_sysctl(out, a, HO_SYSCTL_TCP_KEEPALIVE_PROBES, d->cnt, "as TCP_KEEPCNT");
    put_sysctl(out, a, HO_SYSCTL_TCP_RETRIES2, d->retries2, "data in flight, of every connection");
    put_sysctl(out, a, HO_SYSCTL_TCP_ORPHAN_RETRIES, d->orphan_retries,
               "data or a FIN after close()");
    put_sysctl(out, a, HO_SYSCTL_TCP_SYN_RETRIES, d->syn_retries, "connect()");
    put_sysctl(out, a, HO_SYSCTL_TCP_SYNACK_RETRIES, d->synack_retries,
               "half a handshake, at a server");
    put_sysctl(out, a, HO_SYSCTL_TCP_FIN_TIMEOUT, d->fin_timeout_s,
               "closed here, and the peer does not close");
}

/* ---- what happens then ----------------------------------------------------------------------- */

static void put_range(struct ho_text *out, const struct ho_prediction *p)
{
    struct ho_text from = { 0 }, to = { 0 };

    if (p->outcome == HO_PREDICT_AT_ONCE) {
        ho_text_put(out, "at once");
        return;
    }
    if (p->outcome == HO_PREDICT_NEVER) {
        ho_text_put(out, "never");
        return;
    }
    ho_text_dur(&from, ho_ns(p->min_ns));
    ho_text_dur(&to, ho_ns(p->max_ns));
    if (from.len + to.len + sizeof(" to ") - 1 > COLUMN) {
        ho_text_printf(out, "up to %s", ho_text_str(&to));
    } else if (strcmp(ho_text_str(&from), ho_text_str(&to)) != 0) {
        ho_text_printf(out, "%s to %s", ho_text_str(&from), ho_text_str(&to));
    } else {
        ho_text_put(out, ho_text_str(&to));
    }
    ho_text_end_part(out, &from);
    ho_text_end_part(out, &to);
}

/* What one way makes of it, and the error behind the last. */
static void put_answer(struct ho_text *out, const struct ho_advising *a, enum ho_advice_way way,
                       enum ho_predict_fault fault, enum ho_predict_activity activity)
{
    struct ho_text words = { 0 };
    struct ho_prediction p;

    if (ho_advice_answer(&a->ask, &a->advice, way, fault, activity, &p) == 0) {
        put_range(&words, &p);
    }
    ho_text_pad(out, ho_text_str(&words), COLUMN);
    ho_text_put(out, "  ");
    ho_text_end_part(out, &words);
}

static const char *error_of(const struct ho_advising *a, enum ho_predict_fault fault,
                            enum ho_predict_activity activity)
{
    enum ho_advice_way way = options(a) ? HO_ADVICE_OPTIONS : HO_ADVICE_SYSCTLS;
    struct ho_prediction p;

    if (ho_advice_answer(&a->ask, &a->advice, way, fault, activity, &p) != 0 || !p.told) {
        return "(silent)";
    }
    return p.err == 0 ? "end of file" : ho_errno_name(p.err);
}

/* A line without the blanks at its end. */
static void put_line(struct ho_text *out, struct ho_text *line)
{
    const char *s = ho_text_str(line);
    size_t n = strlen(s);

    while (n > 0 && s[n - 1] == ' ') {
        n--;
    }
    ho_text_bytes(out, s, n);
    ho_text_char(out, '\n');
    ho_text_end_part(out, line);
}

static void put_row(struct ho_text *out, const struct ho_advising *a, const char *what,
                    enum ho_predict_fault fault, enum ho_predict_activity activity)
{
    struct ho_text line = { 0 };

    ho_text_put(&line, "  ");
    ho_text_pad(&line, what, WHAT);
    if (options(a)) {
        put_answer(&line, a, HO_ADVICE_OPTIONS, fault, activity);
    }
    if (sysctls(a)) {
        put_answer(&line, a, HO_ADVICE_SYSCTLS, fault, activity);
    }
    ho_text_put(&line, error_of(a, fault, activity));
    put_line(out, &line);
}

/* A row of durations that both ways have. */
static void put_durations(struct ho_text *out, const struct ho_advising *a, const char *what,
                          int64_t options_ns, int64_t sysctls_ns)
{
    struct ho_text line = { 0 }, one = { 0 };

    ho_text_put(&line, "  ");
    ho_text_pad(&line, what, WHAT);
    if (options(a)) {
        ho_text_dur(&one, ho_ns(options_ns));
        ho_text_pad(&line, ho_text_str(&one), COLUMN + 2);
    }
    if (sysctls(a)) {
        ho_text_clear(&one);
        ho_text_dur(&one, ho_ns(sysctls_ns));
        ho_text_put(&line, ho_text_str(&one));
    }
    ho_text_end_part(&line, &one);
    put_line(out, &line);
}

static void put_table(struct ho_text *out, const struct ho_advising *a)
{
    const struct ho_advice *d = &a->advice;
    struct ho_text line = { 0 };

    ho_text_put(out,
                "\nWhat happens then, from the fault, or the later send, close() or connect()\n");
    ho_text_repeat(&line, " ", WHAT + 2);
    if (options(a)) {
        ho_text_pad(&line, "socket options", COLUMN + 2);
    }
    ho_text_put(&line, sysctls(a) ? "sysctls" : "");
    put_line(out, &line);
    put_row(out, a, "idle, the peer is gone", HO_FAULT_CUT, HO_ACTIVITY_KEEPALIVE);
    put_row(out, a, "data in flight", HO_FAULT_CUT, HO_ACTIVITY_DATA);
    put_row(out, a, "connecting", HO_FAULT_CUT, HO_ACTIVITY_CONNECT);
    put_row(out, a, "closed here", HO_FAULT_CUT, HO_ACTIVITY_CLOSING);
    put_row(out, a, "as its window closes", HO_FAULT_CUT, HO_ACTIVITY_WINDOW);
    put_row(out, a, "the peer restarts", HO_FAULT_REBOOT, HO_ACTIVITY_KEEPALIVE);
    put_row(out, a, "its process is killed", HO_FAULT_KILLED, HO_ACTIVITY_KEEPALIVE);
    put_durations(out, a, "an outage while idle", d->idle_outlives_ns, d->idle_outlives_ns);
    put_durations(out, a, "an outage with data", d->data_outlives_ns[HO_ADVICE_OPTIONS],
                  d->data_outlives_ns[HO_ADVICE_SYSCTLS]);
}

/* ---- what it costs, and what it does not do -------------------------------------------------- */

static void put_note(struct ho_text *out, const char *words)
{
    ho_text_put(out, "  ");
    ho_text_wrap(out, words, 2, 4, WIDTH);
}

/* A probe and its answer are bare ACKs: IPv4 20, TCP 20, timestamps 12 (RFC 791, 9293, 7323). */
static void put_cost(struct ho_text *out, const struct ho_advising *a)
{
    int64_t an_hour = (3600 + a->advice.idle_s - 1) / a->advice.idle_s;
    struct ho_text t = { 0 };

    ho_text_printf(&t,
                   "an idle connection: up to %" PRId64 " probes an hour from each side, %" PRId64
                   " kB with the answers (104 bytes of IPv4 each)",
                   an_hour, (an_hour * 2 * 104 + 999) / 1000);
    put_note(out, ho_text_str(&t));
    if (options(a)) {
        ho_text_clear(&t);
        ho_text_put(&t, "a peer that lives but reads nothing for ");
        ho_text_dur(&t, ho_ms(a->advice.user_timeout_ms));
        ho_text_put(&t, " while its window is closed is given up, too (TCP_USER_TIMEOUT)");
        put_note(out, ho_text_str(&t));
    }
    if (sysctls(a)) {
        put_note(out, "the sysctls except tcp_keepalive_* are for every connection of the host, "
                      "also where nobody asked for it");
    }
    ho_text_end_part(out, &t);
}

/* tcp_retries2 is a time that ends with a repeat, and these double the timeout (ground-truth A3).
 */
static void put_timeout(struct ho_text *out, const struct ho_advising *a)
{
    struct ho_predict_in in = a->ask.base;
    struct ho_text t = { 0 };

    in.hz = a->ask.hz[0];
    ho_text_put(&t, "by sysctls, data is for a retransmission timeout of up to ");
    ho_text_dur(&t, in.rto.ns > ho_predict_rto(&in, true).ns ? in.rto : ho_predict_rto(&in, true));
    ho_text_put(&t, "; a connection with a greater one ('ss -ti' shows it) takes as many times "
                    "longer: --rto");
    put_note(out, ho_text_str(&t));
    ho_text_end_part(out, &t);
}

static void put_gaps_of_sysctls(struct ho_text *out, const struct ho_advising *a)
{
    const struct ho_advice *d = &a->advice;
    struct ho_text t = { 0 };

    if (d->retries2 >= 0) {
        put_timeout(out, a);
    }
    if (d->retries2 >= 0 && d->window_by_sysctls_ns > a->ask.within.ns) {
        ho_text_put(&t,
                    "by sysctls, a peer that vanishes when its window has been closed for long: "
                    "up to ");
        ho_text_dur(&t, ho_ns(d->window_by_sysctls_ns));
        ho_text_put(&t, "; only TCP_USER_TIMEOUT ends that in time");
        put_note(out, ho_text_str(&t));
    }
    if (d->data_outlives_ns[HO_ADVICE_SYSCTLS] < a->ask.survive.ns) {
        ho_text_clear(&t);
        ho_text_put(&t, "by sysctls, an outage of more than ");
        ho_text_dur(&t, ho_ns(d->data_outlives_ns[HO_ADVICE_SYSCTLS]));
        ho_text_put(&t, " with data in flight is fatal: tcp_retries2 has no value in between");
        put_note(out, ho_text_str(&t));
    }
    ho_text_end_part(out, &t);
}

static void put_plug(struct ho_text *out, const struct ho_advising *a)
{
    enum ho_advice_way way = options(a) ? HO_ADVICE_OPTIONS : HO_ADVICE_SYSCTLS;
    struct ho_prediction p;
    struct ho_text t = { 0 };

    if (ho_advice_answer(&a->ask, &a->advice, way, HO_FAULT_CARRIER, HO_ACTIVITY_DATA, &p) == 0 &&
        p.max_ns > a->ask.within.ns) {
        ho_text_put(&t, "data in flight when this host's own plug is pulled: ARP's errors set the "
                        "timer anew, up to ");
        ho_text_dur(&t, ho_ns(p.max_ns));
        put_note(out, ho_text_str(&t));
    }
    ho_text_end_part(out, &t);
}

static void put_limits(struct ho_text *out, const struct ho_advising *a)
{
    ho_text_put(out, "\nWhat it does not do\n");
    put_note(out, "a process that hangs while its kernel answers: only a heartbeat of the program "
                  "notices");
    put_note(out,
             "a program that first sends while the probes go unanswered: the time counts anew, "
             "from that send");
    if (sysctls(a)) {
        put_gaps_of_sysctls(out, a);
    }
    put_plug(out, a);
}

static void put_proof(struct ho_text *out, const struct ho_advising *a)
{
    struct ho_text t = { 0 };

    ho_text_printf(&t,
                   "Proven: %zu scenarios, played %zu times on the model, at the worst phases of "
                   "the timer wheel%s%s.",
                   a->scenarios, a->plays, strcmp(a->prove, "model") == 0 ? "" : ", and on the ",
                   strcmp(a->prove, "model") == 0 ? "" : a->prove);
    if (a->save != NULL) {
        ho_text_printf(&t, " They are in %s: play them with 'halfopen run'.", a->save);
    }
    ho_text_char(out, '\n');
    ho_text_wrap(out, ho_text_str(&t), 0, 0, WIDTH);
    ho_text_end_part(out, &t);
}

void ho_advising_text(struct ho_advising *a, struct ho_text *out)
{
    put_head(out, a);
    if (options(a)) {
        put_options(out, a);
    }
    if (sysctls(a)) {
        put_sysctls(out, a);
    }
    put_table(out, a);
    ho_text_put(out, "\nWhat it costs\n");
    put_cost(out, a);
    put_limits(out, a);
    put_proof(out, a);
}
