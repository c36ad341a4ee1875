/* `halfopen predict`: what a host's connections would do in each fault, by arithmetic alone
 * (forecast/predict.h), as a table of 80 columns or as JSON.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/predict_in.h"
#include "knobs/errno.h"

struct table {
    struct ho_prediction p[HO_FAULT_COUNT][HO_ACTIVITY_COUNT];
};

/* ---- the table for people -------------------------------------------------------------------- */

static bool same(const struct ho_prediction *a, const struct ho_prediction *b)
{
    return a->outcome == b->outcome && a->min_ns == b->min_ns && a->max_ns == b->max_ns &&
           a->err == b->err && a->other_err == b->other_err && a->knob == b->knob &&
           a->told == b->told;
}

static bool same_rows(const struct table *t, int f, int g)
{
    for (int i = 0; i < HO_ACTIVITY_COUNT; i++) {
        if (!same(&t->p[f][i], &t->p[g][i])) {
            return false;
        }
    }
    return true;
}

/* Whether it lies within bounds because of when ARP fails; a user timeout of days has bounds, too.
 */
static bool drawn_by_arp(const struct ho_prediction *p)
{
    return p->outcome == HO_PREDICT_WITHIN && (p->other_err != 0 || !p->told);
}

/* "never", "15 m 28 s to 15 m 41 s" */
static void put_when(struct ho_text *out, const struct ho_prediction *p)
{
    struct ho_text from = { 0 }, to = { 0 };

    switch (p->outcome) {
    case HO_PREDICT_NEVER:
        ho_text_pad(out, p->activity == HO_ACTIVITY_CONNECT ? "it connects" : "never", 33);
        return;
    case HO_PREDICT_AT_ONCE:
        ho_text_pad(out, "at once", 33);
        return;
    case HO_PREDICT_NEXT:
        ho_text_pad(out, "next segment once it is up again", 33);
        return;
    default:
        break;
    }
    ho_text_dur(&from, ho_ns(p->min_ns));
    ho_text_dur(&to, ho_ns(p->max_ns));
    if (strcmp(ho_text_str(&from), ho_text_str(&to)) != 0) {
        ho_text_put(&from, " to ");
        ho_text_put(&from, ho_text_str(&to));
    }
    if (drawn_by_arp(p)) {
        ho_text_put(&from, &" *"[from.len > 31]); /* days have no room for the blank */
    }
    ho_text_pad(out, ho_text_str(&from), 33);
    ho_text_end_part(out, &to);
    ho_text_end_part(out, &from);
}

static const char *error_of(const struct ho_prediction *p)
{
    if (p->outcome == HO_PREDICT_NEVER) {
        return "";
    }
    if (!p->told) {
        return "(silent)";
    }
    return p->err == 0 ? "end of file" : ho_errno_name(p->err);
}

static void put_row(struct ho_text *out, const struct ho_prediction *p)
{
    struct ho_text line = { 0 };

    ho_text_put(&line, "  ");
    ho_text_pad(&line, ho_predict_activity_text(p->activity), 16);
    put_when(&line, p);
    if (p->knob != HO_PREDICT_KNOB_NONE) {
        ho_text_pad(&line, error_of(p), 13);
        ho_text_put(&line, ho_predict_knob_word(p->knob));
    } else {
        ho_text_put(&line, error_of(p));
    }
    const char *s = ho_text_str(&line);
    size_t n = strlen(s);

    while (n > 0 && s[n - 1] == ' ') {
        n--;
    }
    ho_text_bytes(out, s, n);
    ho_text_char(out, '\n');
    ho_text_end_part(out, &line);
}

static void put_head(struct ho_text *out, const struct ho_predict_ask *a)
{
    const struct ho_predict_in *in = &a->in;

    ho_text_printf(out, "%s, ", a->source);
    ho_text_printf(out, in->hz == 0 ? "exact timers" : "HZ %u", in->hz);
    ho_text_printf(out, "; the peer %s, round trip ",
                   in->on_link ? "on the same link" : "behind a router");
    ho_text_dur(out, in->rtt);
    ho_text_printf(out, "\nkeepalive %" PRId64 "/%" PRId64 "/%" PRId64,
                   ho_predict_option(in, HO_SOCKOPT_TCP_KEEPIDLE),
                   ho_predict_option(in, HO_SOCKOPT_TCP_KEEPINTVL),
                   ho_predict_option(in, HO_SOCKOPT_TCP_KEEPCNT));
    ho_text_printf(out, ", tcp_retries2 %" PRId64, in->sysctls.v[HO_SYSCTL_TCP_RETRIES2]);
    ho_text_printf(out, ", tcp_syn_retries %" PRId64, ho_predict_option(in, HO_SOCKOPT_TCP_SYNCNT));
    if (ho_predict_option(in, HO_SOCKOPT_TCP_USER_TIMEOUT) > 0) {
        ho_text_printf(out, ",\nTCP_USER_TIMEOUT %" PRId64 " ms",
                       ho_predict_option(in, HO_SOCKOPT_TCP_USER_TIMEOUT));
    }
    ho_text_char(out, '\n');
}

static const char foot[] =
    "\nTimes count from the last segment received (idle), the send, connect(), close(),\n"
    "or the closing of the window, and lie where the timer wheel's phase puts them.\n";

static void put_foot(struct ho_text *out, const struct table *t)
{
    bool within = false;

    ho_text_put(out, foot);
    for (int i = 0; i < HO_FAULT_COUNT * HO_ACTIVITY_COUNT; i++) {
        const struct ho_prediction *p = &t->p[i / HO_ACTIVITY_COUNT][i % HO_ACTIVITY_COUNT];

        within = within || (p->outcome == HO_PREDICT_WITHIN && p->other_err == EHOSTUNREACH);
    }
    if (within) {
        ho_text_put(out, "* or EHOSTUNREACH, if ARP fails before; when, is drawn at random\n");
    }
}

static void put_table(struct ho_text *out, const struct ho_predict_ask *a, const struct table *t)
{
    bool shown[HO_FAULT_COUNT] = { false };

    put_head(out, a);
    for (int f = 0; f < HO_FAULT_COUNT; f++) {
        if (shown[f]) {
            continue;
        }
        ho_text_printf(out, "\n%s", ho_predict_fault_text((enum ho_predict_fault)f));
        for (int g = f + 1; g < HO_FAULT_COUNT; g++) {
            if (same_rows(t, f, g)) {
                shown[g] = true;
                ho_text_printf(out, "; %s", ho_predict_fault_text((enum ho_predict_fault)g));
            }
        }
        ho_text_char(out, '\n');
        for (int i = 0; i < HO_ACTIVITY_COUNT; i++) {
            put_row(out, &t->p[f][i]);
        }
    }
    put_foot(out, t);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put_error(struct ho_text *out, const char *key, int err)
{
    ho_text_printf(out, ",\"%s\":", key);
    if (err == 0) {
        ho_text_put(out, "null");
    } else {
        ho_text_json(out, ho_errno_name(err));
    }
}

/* The words of a list, each as "name":value. */
static void put_knobs(struct ho_text *out, const struct ho_predict_in *in, const char *list,
                      bool options, bool *any)
{
    char name[64];

    for (const char *p = list; *p != '\0';) {
        size_t n = strcspn(p, " ");

        if (n < sizeof(name)) {
            memcpy(name, p, n);
            name[n] = '\0';
            int id = options ? ho_sockopt_find(name) : ho_sysctl_find(name);

            ho_text_printf(out, "%s\"%s\":%" PRId64, *any ? "," : "", name,
                           options ? ho_predict_option(in, (enum ho_sockopt)id)
                                   : in->sysctls.v[id]);
            *any = true;
        }
        p += n + (p[n] == ' ');
    }
}

static void put_prediction(struct ho_text *out, const struct ho_predict_in *in,
                           const struct ho_prediction *p)
{
    bool timed = p->outcome == HO_PREDICT_RANGE || p->outcome == HO_PREDICT_WITHIN, any = false;

    ho_text_printf(out, "{\"fault\":\"%s\",\"activity\":\"%s\",\"outcome\":\"%s\"",
                   ho_predict_fault_word(p->fault), ho_predict_activity_word(p->activity),
                   ho_predict_outcome_word(p->outcome));
    if (timed) {
        ho_text_put(out, ",\"min_s\":");
        ho_text_seconds(out, p->min_ns, 3);
        ho_text_put(out, ",\"max_s\":");
        ho_text_seconds(out, p->max_ns, 3);
    } else {
        ho_text_put(out, ",\"min_s\":null,\"max_s\":null");
    }
    ho_text_put(out, ",\"from\":");
    ho_text_json(out, ho_predict_origin_text(p->origin));
    put_error(out, "errno", p->err);
    put_error(out, "or", p->other_err);
    ho_text_printf(out, ",\"told\":%s,\"call\":\"%s\"", p->told ? "true" : "false",
                   ho_predict_call(p));
    ho_text_printf(out, ",\"knob\":\"%s\",\"knobs\":{",
                   p->knob == HO_PREDICT_KNOB_NONE ? "" : ho_predict_knob_word(p->knob));
    put_knobs(out, in, ho_predict_knob_sysctls(p->knob), false, &any);
    put_knobs(out, in, ho_predict_knob_options(p->knob), true, &any);
    ho_text_put(out, "}}");
}

static void put_json(struct ho_text *out, const struct ho_predict_ask *a, const struct table *t)
{
    struct ho_dur rto = a->in.rto.ns > 0 ? a->in.rto : ho_predict_rto(&a->in, false);

    ho_text_put(out, "{\"source\":");
    ho_text_json(out, a->source);
    ho_text_printf(out,
                   ",\"hz\":%u,\"path\":\"%s\",\"family\":%d,\"rtt_us\":%" PRId64
                   ",\"rto_us\":%" PRId64 ",\"predictions\":[",
                   a->in.hz, a->in.on_link ? "lan" : "routed", a->in.ipv6 ? 6 : 4,
                   a->in.rtt.ns / 1000, rto.ns / 1000);
    for (int i = 0; i < HO_FAULT_COUNT * HO_ACTIVITY_COUNT; i++) {
        ho_text_put(out, i > 0 ? ",\n" : "\n");
        put_prediction(out, &a->in, &t->p[i / HO_ACTIVITY_COUNT][i % HO_ACTIVITY_COUNT]);
    }
    ho_text_put(out, "\n]}\n");
}

/* ---- the command ----------------------------------------------------------------------------- */

static int compute(struct table *t, const struct ho_predict_in *in)
{
    for (int f = 0; f < HO_FAULT_COUNT; f++) {
        for (int i = 0; i < HO_ACTIVITY_COUNT; i++) {
            int err =
                ho_predict(in, (enum ho_predict_fault)f, (enum ho_predict_activity)i, &t->p[f][i]);

            if (err != 0) {
                return ho_cli_say(HO_EXIT_USAGE,
                                  "predict: these settings make no sense together (%s, %s)",
                                  ho_predict_fault_text((enum ho_predict_fault)f),
                                  ho_predict_activity_text((enum ho_predict_activity)i));
            }
        }
    }
    return HO_EXIT_OK;
}

static int predict_run(int argc, char **argv)
{
    struct ho_predict_ask a;
    struct ho_text out = { 0 };
    struct table t;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("%s", ho_command_predict.usage);
        return ho_cli_done();
    }
    int code = ho_predict_ask(&a, "predict", NULL, argc, argv);

    code = code == HO_EXIT_OK ? compute(&t, &a.in) : code;
    if (code != HO_EXIT_OK) {
        return code;
    }
    if (a.json) {
        put_json(&out, &a, &t);
    } else {
        put_table(&out, &a, &t);
    }
    code = ho_text_err(&out) != 0 ? ho_cli_no_memory() : ho_cli_put(&out);
    ho_text_free(&out);
    return code == HO_EXIT_OK ? ho_cli_done() : code;
}

const struct ho_command ho_command_predict = {
    .name = "predict",
    .help = "says what a host's connections would do in each fault",
    .usage = "usage: halfopen predict [OPTION ...]\n"
             "\n"
             "For each fault and each thing that a connection may be doing: whether this side\n"
             "notices, when, with which error, because of which knob. Arithmetic, not a play;\n"
             "what it means, and how it is checked: docs/predict.md.\n"
             "\n"
             "  --set NAME=VALUE      a sysctl; the others are this host's\n"
             "  --sockopt NAME=VALUE  a socket option, as TCP_KEEPIDLE=60 or =1m\n"
             "  --rtt TIME            the round trip (1ms)\n"
             "  --rto TIME            the retransmission timeout, as ss -ti shows it\n"
             "  --lan, --routed       the peer is on the same link, or behind a router (this)\n"
             "  --ipv4, --ipv6        whose neighbours (IPv4's)\n"
             "  --hz N                ticks a second, or exact; else this host's\n"
             "  --defaults            Linux's defaults and HZ 250 in place of this host's\n"
             "  --kernel NAME         the defaults of linux-6.18, linux-6.12 or linux-6.1\n"
             "  --json                for programs\n",
    .run = predict_run,
};
