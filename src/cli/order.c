/* `halfopen order --chain`: which of a chain's timers fires first in each fault, which order is
 * unsafe, and what to change (forecast/order.h), as text of 80 columns or as JSON.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "cli/cli.h"
#include "cli/predict_in.h"
#include "forecast/order.h"
#include "knobs/errno.h"

#define WIDTH 80
#define INDENT 4

struct ordering {
    struct ho_predict_ask host;
    char *text; /* --chain */
    struct ho_order_chain chain;
    struct ho_order order;
};

/* ---- arguments ------------------------------------------------------------------------------- */

static int take(void *self, const char *name, char *value)
{
    struct ordering *o = self;

    (void)name;
    o->text = value;
    return HO_EXIT_OK;
}

static int bad_chain(const struct ordering *o, const struct ho_order_mistake *m)
{
    if (m->len == 0) {
        return ho_cli_say(HO_EXIT_USAGE, "order --chain: at column %zu: expected %s", m->at + 1,
                          m->expected);
    }
    struct ho_text part = { 0 }, found = { 0 };

    ho_text_bytes(&part, o->text + m->at, m->len);
    ho_text_plain(&found, ho_text_str(&part));
    int code = ho_cli_say(HO_EXIT_USAGE, "order --chain: at column %zu: found '%.60s', expected %s",
                          m->at + 1, ho_text_str(&found), m->expected);

    ho_text_free(&part);
    ho_text_free(&found);
    return code;
}

static int read_arguments(struct ordering *o, int argc, char **argv)
{
    static const char *const valued[] = { "--chain", NULL };
    static const char *const flags[] = { NULL };
    const struct ho_predict_more more = {
        .valued = valued, .flags = flags, .self = o, .take = take
    };
    struct ho_order_mistake mistake;
    int code = ho_predict_ask(&o->host, "order", &more, argc, argv);

    if (code != HO_EXIT_OK) {
        return code;
    }
    if (o->text == NULL) {
        return ho_cli_say(HO_EXIT_USAGE, "order: expected --chain and timers, as --chain "
                                         "\"pool 30s, keepalive 15/5/3, server idle 60s\"");
    }
    for (int id = 0; id < HO_SOCKOPT_COUNT; id++) {
        if (o->host.in.has_option[id]) {
            return ho_cli_say(HO_EXIT_USAGE, "order: no --sockopt, the chain says what is set");
        }
    }
    if (ho_order_parse(&o->chain, o->text, &mistake) != 0) {
        return bad_chain(o, &mistake);
    }
    ho_order_resolve(&o->chain, &o->host.in.sysctls);
    if (ho_order_judge(&o->chain, &o->host.in, &o->order) != 0) {
        return ho_cli_say(HO_EXIT_USAGE, "order: these settings make no sense together");
    }
    return HO_EXIT_OK;
}

/* ---- text ------------------------------------------------------------------------------------ */

static void put_when(struct ho_text *out, const struct ho_order_event *e)
{
    struct ho_text when = { 0 };

    if (e->effect == HO_ORDER_E_TOLD) {
        ho_text_put(&when, "at once");
    } else if (e->effect == HO_ORDER_E_SPEAKS || e->min_ns == 0) {
        ho_text_put(&when, "within ");
        ho_text_dur(&when, ho_ns(e->max_ns));
    } else {
        struct ho_text to = { 0 };

        ho_text_dur(&when, ho_ns(e->min_ns));
        ho_text_dur(&to, ho_ns(e->max_ns));
        if (strcmp(ho_text_str(&when), ho_text_str(&to)) != 0) {
            ho_text_printf(&when, " to %s", ho_text_str(&to));
        }
        ho_text_end_part(&when, &to);
    }
    ho_text_pad(out, ho_text_str(&when), 31);
    ho_text_end_part(out, &when);
}

static const char *effect_text(const struct ho_order_event *e)
{
    switch (e->effect) {
    case HO_ORDER_E_ENDS:
        return ho_errno_name(e->err);
    case HO_ORDER_E_TOLD:
        return e->err == 0 ? "end of file" : ho_errno_name(e->err);
    case HO_ORDER_E_CLOSES:
        return "closes it, unaware";
    case HO_ORDER_E_GIVES_UP:
        return "the request fails";
    case HO_ORDER_E_NOTICES:
        return "no answer: gone";
    case HO_ORDER_E_SPEAKS:
        return "speaks: not forgotten";
    }
    return "";
}

static void put_event(struct ho_text *out, const struct ho_order_event *e, bool same_side)
{
    struct ho_text name = { 0 };

    ho_text_put(out, "  ");
    ho_text_pad(out, same_side ? "" : ho_order_side_word(e->side), 9);
    ho_text_put(&name,
                e->effect == HO_ORDER_E_TOLD ? "peer's kernel" : ho_order_timer_word(e->timer));
    ho_text_pad(out, ho_text_str(&name), 15);
    ho_text_end_part(out, &name);
    put_when(out, e);
    ho_text_printf(out, "%s\n", effect_text(e));
}

static bool has_side(const struct ho_order_case *c, enum ho_order_side side)
{
    for (unsigned i = 0; i < c->n; i++) {
        if (c->event[i].side == side) {
            return true;
        }
    }
    return false;
}

static bool knows(const struct ordering *o, enum ho_order_side side)
{
    for (int timer = 0; timer < HO_ORDER_TIMER_COUNT; timer++) {
        if (o->chain.e[side][timer].there) {
            return true;
        }
    }
    return false;
}

static void put_case(struct ho_text *out, const struct ordering *o, const struct ho_order_case *c)
{
    bool both = c->fault != HO_ORDER_F_FORGOT && c->fault != HO_ORDER_F_RACE;

    if (!both && c->n == 0) {
        return;
    }
    ho_text_printf(out, "\n%s\n", ho_order_fault_text(c->fault));
    for (unsigned i = 0; i < c->n; i++) {
        put_event(out, &c->event[i], i > 0 && c->event[i].side == c->event[i - 1].side);
    }
    for (int side = HO_ORDER_CLIENT; side <= HO_ORDER_SERVER && both; side++) {
        if (!has_side(c, (enum ho_order_side)side) && knows(o, (enum ho_order_side)side)) {
            ho_text_printf(out, "  %-9snever notices\n",
                           ho_order_side_word((enum ho_order_side)side));
        }
    }
}

static void put_finding(struct ho_text *out, const struct ordering *o,
                        const struct ho_order_finding *f)
{
    const char *id = ho_order_reason_finding(f->reason);
    struct ho_text why = { 0 };

    ho_text_printf(out, "\n%s: %s", ho_order_reason_unsafe(f->reason) ? "unsafe" : "note",
                   ho_order_reason_title(f->reason));
    if (id[0] != '\0') {
        ho_text_printf(out, " (%s)", id);
    }
    ho_text_char(out, '\n');
    ho_order_why(&why, &o->chain, f);
    ho_text_repeat(out, " ", INDENT);
    ho_text_wrap(out, ho_text_str(&why), INDENT, INDENT, WIDTH);
    ho_text_end_part(out, &why);
    for (unsigned i = 0; i < f->changes; i++) {
        ho_text_put(out, i == 0 ? "    change  " : "        or  ");
        ho_order_entry_text(out, f->change[i].side, f->change[i].timer, &f->change[i].e);
        ho_text_char(out, '\n');
    }
}

/* The timers that programs brought along, apart by commas; or those that they leave open. */
static void put_filled(struct ho_text *out, const struct ordering *o, bool open)
{
    const char *comma = "";

    for (int side = 0; side < HO_ORDER_SIDE_COUNT; side++) {
        for (int timer = 0; timer < HO_ORDER_TIMER_COUNT; timer++) {
            const struct ho_order_entry *e = &o->chain.e[side][timer];

            if (open ? e->there || !e->varies : !e->there || !e->filled) {
                continue;
            }
            ho_text_put(out, comma);
            if (open) {
                ho_text_printf(out, "%s %s", ho_order_side_word((enum ho_order_side)side),
                               ho_order_timer_word((enum ho_order_timer)timer));
            } else {
                ho_order_entry_text(out, (enum ho_order_side)side, (enum ho_order_timer)timer, e);
            }
            comma = ", ";
        }
    }
}

/* What is not said in the chain itself, under a line that says where it is from. */
static void put_programs(struct ho_text *out, const struct ordering *o)
{
    static const char *const heads[2] = {
        "\nfrom the defaults of programs\n    ",
        "\nnot known, since it depends on other settings of the program: write it\n    ",
    };

    for (int open = 0; open < 2; open++) {
        struct ho_text t = { 0 };

        put_filled(&t, o, open == 1);
        if (t.len > 0) {
            ho_text_put(out, heads[open]);
            ho_text_wrap(out, ho_text_str(&t), INDENT, INDENT, WIDTH);
        }
        ho_text_end_part(out, &t);
    }
}

static void put_text(struct ho_text *out, const struct ordering *o)
{
    const struct ho_predict_in *in = &o->host.in;

    ho_text_printf(out, "%s, ", o->host.source);
    ho_text_printf(out, in->hz == 0 ? "exact timers" : "HZ %u", in->hz);
    ho_text_printf(out, "; the peer %s, round trip ",
                   in->on_link ? "on the same link" : "behind a router");
    ho_text_dur(out, in->rtt);
    ho_text_put(out, "\nEach side's timers, the first to fire first.\n");
    put_programs(out, o);
    for (int i = 0; i < HO_ORDER_FAULT_COUNT; i++) {
        put_case(out, o, &o->order.cases[i]);
    }
    for (unsigned i = 0; i < o->order.n; i++) {
        put_finding(out, o, &o->order.finding[i]);
    }
    if (o->order.unsafe == 0) {
        ho_text_put(out, "\nnothing unsafe in this order\n");
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put_seconds(struct ho_text *out, const char *key, int64_t ns)
{
    ho_text_printf(out, ",\"%s\":", key);
    if (ns == INT64_MAX) {
        ho_text_put(out, "null");
    } else {
        ho_text_seconds(out, ns, 3);
    }
}

static void put_json_event(struct ho_text *out, const struct ho_order_event *e)
{
    ho_text_printf(out, "{\"side\":\"%s\",\"timer\":\"%s\",\"effect\":\"%s\"",
                   ho_order_side_word(e->side), ho_order_timer_word(e->timer),
                   ho_order_effect_word(e->effect));
    put_seconds(out, "min_s", e->min_ns);
    put_seconds(out, "max_s", e->max_ns);
    if (e->err != 0) {
        ho_text_printf(out, ",\"errno\":\"%s\"}", ho_errno_name(e->err));
    } else {
        ho_text_put(out, ",\"errno\":null}");
    }
}

static void put_json_case(struct ho_text *out, const struct ho_order_case *c)
{
    ho_text_printf(out, "{\"fault\":\"%s\",\"possible\":%s,\"events\":[",
                   ho_order_fault_word(c->fault), c->possible ? "true" : "false");
    for (unsigned i = 0; i < c->n; i++) {
        ho_text_put(out, i > 0 ? "," : "");
        put_json_event(out, &c->event[i]);
    }
    ho_text_put(out, "]}");
}

static void put_json_finding(struct ho_text *out, const struct ordering *o,
                             const struct ho_order_finding *f)
{
    struct ho_text t = { 0 };

    ho_text_printf(out, "{\"reason\":\"%s\",\"finding\":\"%s\",\"unsafe\":%s,\"side\":\"%s\"",
                   ho_order_reason_word(f->reason), ho_order_reason_finding(f->reason),
                   ho_order_reason_unsafe(f->reason) ? "true" : "false",
                   ho_order_side_word(f->side));
    ho_text_put(out, ",\"title\":");
    ho_text_json(out, ho_order_reason_title(f->reason));
    ho_order_why(&t, &o->chain, f);
    ho_text_put(out, ",\"why\":");
    ho_text_json(out, ho_text_str(&t));
    bool timed = f->than_ns > 0;

    put_seconds(out, "min_s", timed ? f->min_ns : INT64_MAX);
    put_seconds(out, "max_s", timed ? f->max_ns : INT64_MAX);
    put_seconds(out, "than_s", timed ? f->than_ns : INT64_MAX);
    ho_text_put(out, ",\"changes\":[");
    for (unsigned i = 0; i < f->changes; i++) {
        ho_text_clear(&t);
        ho_order_entry_text(&t, f->change[i].side, f->change[i].timer, &f->change[i].e);
        ho_text_put(out, i > 0 ? "," : "");
        ho_text_json(out, ho_text_str(&t));
    }
    ho_text_put(out, "]}");
    ho_text_end_part(out, &t);
}

static void put_json(struct ho_text *out, const struct ordering *o)
{
    struct ho_text filled = { 0 };

    ho_text_put(out, "{\"source\":");
    ho_text_json(out, o->host.source);
    ho_text_printf(out,
                   ",\"hz\":%u,\"path\":\"%s\",\"rtt_us\":%" PRId64 ",\"chain\":", o->host.in.hz,
                   o->host.in.on_link ? "lan" : "routed", o->host.in.rtt.ns / 1000);
    ho_text_json(out, o->text);
    put_filled(&filled, o, false);
    ho_text_put(out, ",\"filled\":");
    ho_text_json(out, ho_text_str(&filled));
    ho_text_clear(&filled);
    put_filled(&filled, o, true);
    ho_text_put(out, ",\"open\":");
    ho_text_json(out, ho_text_str(&filled));
    ho_text_end_part(out, &filled);
    ho_text_put(out, ",\"faults\":[");
    for (int i = 0; i < HO_ORDER_FAULT_COUNT; i++) {
        ho_text_put(out, i > 0 ? ",\n" : "\n");
        put_json_case(out, &o->order.cases[i]);
    }
    ho_text_printf(out, "\n],\"unsafe\":%u,\"findings\":[", o->order.unsafe);
    for (unsigned i = 0; i < o->order.n; i++) {
        ho_text_put(out, i > 0 ? ",\n" : "\n");
        put_json_finding(out, o, &o->order.finding[i]);
    }
    ho_text_put(out, "\n]}\n");
}

/* ---- the command ----------------------------------------------------------------------------- */

static int order_run(int argc, char **argv)
{
    struct ordering o = { .text = NULL };
    struct ho_text out = { 0 };

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("%s", ho_command_order.usage);
        return ho_cli_done();
    }
    int code = read_arguments(&o, argc, argv);

    if (code != HO_EXIT_OK) {
        return code;
    }
    if (o.host.json) {
        put_json(&out, &o);
    } else {
        put_text(&out, &o);
    }
    code = ho_text_err(&out) != 0 ? ho_cli_no_memory() : ho_cli_put(&out);
    ho_text_free(&out);
    code = code == HO_EXIT_OK ? ho_cli_done() : code;
    return code == HO_EXIT_OK && o.order.unsafe > 0 ? HO_EXIT_FOUND : code;
}

const struct ho_command ho_command_order = {
    .name = "order",
    .help = "says which of a chain of timers fires first, and which order is unsafe",
    .usage = "usage: halfopen order --chain TIMERS [OPTION ...]\n"
             "\n"
             "TIMERS are those between a client and a server, apart by commas, in any order:\n"
             "\n"
             "  client request 5s, pool 30s, user_timeout 20s, keepalive 15/15/3,\n"
             "  balancer idle 350s, server idle 60s\n"
             "\n"
             "  SIDE   client (unless said), pool, server, proxy (keeps connections of its\n"
             "         own), balancer (passes packets on, forgets flows)\n"
             "  TIMER  request, idle, life, wait, connect, keepalive IDLE/INTVL/CNT,\n"
             "         user_timeout, retries2 N, syn_retries N, heartbeat TIME x N or\n"
             "         TIME + TIME; 'balancer idle TIME reset' tells both ends\n"
             "\n"
             "'pool hikaricp' or 'server nginx' is the program with its defaults, where nothing\n"
             "else is said; 'halfopen explain nginx' shows them.\n"
             "\n"
             "For each fault what fires first on each side; then what is unsafe, why, and new\n"
             "values, which were tried. Exit code 1 if something is unsafe. docs/order.md.\n"
             "\n"
             "  --set NAME=VALUE      a sysctl; the others are this host's\n"
             "  --rtt TIME            the round trip (1ms)\n"
             "  --rto TIME            the retransmission timeout, as ss -ti shows it\n"
             "  --lan, --routed       the peer is on the same link, or behind a router (this)\n"
             "  --ipv4, --ipv6        whose neighbours (IPv4's)\n"
             "  --hz N                ticks a second, or exact; else this host's\n"
             "  --defaults            Linux's defaults and HZ 250 in place of this host's\n"
             "  --kernel NAME         the defaults of linux-6.18, linux-6.12 or linux-6.1\n"
             "  --json                for programs\n",
    .run = order_run,
};
