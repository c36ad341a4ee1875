/* `halfopen advise --for`: the advice in the words of programs. See cli/advise.h.
 *
 * The list of settings (knobs/settings.h) says which of the things that are advised a program can
 * set, under which name, in which unit and where; what it cannot set is left to the sysctls of its
 * host, and that is said. Two kinds of values are solved for a program alone: keepalive where one
 * setting stands for several things, which is proven as the rest is; and a heartbeat of its
 * protocol, which is arithmetic: the timers are the program's own.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "cli/advise.h"
#include "cli/cli.h"

#define WIDTH 80
#define BEATS 3 /* heartbeats that may be lost, where a program counts them */
#define MS_NS INT64_C(1000000)

struct program {
    struct ho_advising *a;
    const struct ho_setting_program *is;
    bool can[HO_ROLE_COUNT]; /* be set, in the newest version */
    struct ho_setting_values values;
    struct ho_text lines, remarks;
    const char *place, *versions; /* of the line before */
    bool json, tied;              /* tied: not everything of keepalive can be chosen */
    unsigned n_lines, n_remarks;
};

/* ---- what is written ------------------------------------------------------------------------- */

static void remark(struct program *p, const char *words)
{
    if (p->json) {
        ho_text_put(&p->remarks, p->n_remarks > 0 ? "," : "");
        ho_text_json(&p->remarks, words);
    } else {
        ho_text_put(&p->remarks, "  - ");
        ho_text_wrap(&p->remarks, words, 4, 4, WIDTH);
    }
    p->n_remarks++;
}

static void end_remark(struct program *p, struct ho_text *words)
{
    remark(p, ho_text_str(words));
    ho_text_end_part(&p->remarks, words);
}

static void put_line(struct program *p, const struct ho_setting *s, const char *line)
{
    if (p->json) {
        ho_text_put(&p->lines, p->n_lines > 0 ? ",\n{\"place\":" : "\n{\"place\":");
        ho_text_json(&p->lines, s->place);
        ho_text_put(&p->lines, ",\"line\":");
        ho_text_json(&p->lines, line);
        ho_text_printf(&p->lines,
                       ",\"side\":\"%s\",\"checked\":%s,\"note\":", ho_setting_side_word(s->side),
                       s->checked ? "true" : "false");
        ho_text_json(&p->lines, s->note);
        ho_text_char(&p->lines, '}');
    } else {
        if (p->place == NULL || strcmp(p->place, s->place) != 0) {
            ho_text_printf(&p->lines, "  %s:\n", s->place);
        }
        ho_text_printf(&p->lines, "    %s\n", line);
    }
    p->place = s->place;
    p->n_lines++;
}

/* What one must know of a row, as a remark. */
static void put_note(struct program *p, const struct ho_setting *s)
{
    struct ho_text t = { 0 };

    bool news = p->versions == NULL || strcmp(p->versions, s->versions) != 0;

    p->versions = s->versions;
    if (p->json || (s->note[0] == '\0' && s->checked && (s->versions[0] == '\0' || !news))) {
        return;
    }
    ho_text_put(&t, s->name);
    if (s->versions[0] != '\0') {
        ho_text_printf(&t, " (versions %s)", s->versions);
    }
    if (s->note[0] != '\0') {
        ho_text_printf(&t, ": %s", s->note);
    }
    if (!s->checked) {
        ho_text_put(&t, s->note[0] != '\0' ? "; from general knowledge, check it"
                                           : ": from general knowledge, check it");
    }
    end_remark(p, &t);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static const struct ho_setting *next_row(const struct program *p, const struct ho_setting *after)
{
    const struct ho_setting *s = ho_setting_next(p->is->id, after);

    while (s != NULL && (ho_setting_is_old(s) || strcmp(s->program, p->is->id) != 0)) {
        s = ho_setting_next(p->is->id, s);
    }
    return s;
}

/* The default is as good as what is advised. */
static bool default_will_do(const struct program *p, const struct ho_setting *s)
{
    int64_t want = p->values.v[s->role];

    if (s->def < 0) {
        return false;
    }
    switch (s->role) {
    case HO_ROLE_KEEPALIVE:
        return s->def == 1;
    case HO_ROLE_CONNECT:
        return s->def > 0 && ho_setting_dur(s->def, s->unit).ns <= want;
    default:
        return ho_setting_role_kind(s->role) == HO_SETTING_TIME
                   ? s->def > 0 && ho_setting_dur(s->def, s->unit).ns == want
                   : s->def == want;
    }
}

/* Whether a row before this one writes the same line. */
static bool is_written(const struct program *p, const struct ho_setting *s, const char *line)
{
    const struct ho_setting *r = NULL;
    bool found = false;

    while (!found && (r = next_row(p, r)) != NULL && r != s) {
        struct ho_text t = { 0 };

        found = strcmp(r->place, s->place) == 0 && !default_will_do(p, r) &&
                ho_setting_write(r, &p->values, HO_SETTING_DOWN, &t) == 0 &&
                strcmp(ho_text_str(&t), line) == 0;
        ho_text_free(&t);
    }
    return found;
}

/* A time that the program's unit has cut. */
static void say_rounded(struct program *p, const struct ho_setting *s)
{
    struct ho_text t = { 0 };
    int64_t n;

    if (ho_setting_role_kind(s->role) != HO_SETTING_TIME ||
        ho_setting_count(ho_ns(p->values.v[s->role]), s->unit, HO_SETTING_DOWN, &n) != 0 ||
        ho_setting_dur(n, s->unit).ns == p->values.v[s->role]) {
        return;
    }
    ho_text_printf(&t, "%s counts in %s: rounded down from ", s->name, ho_unit_suffix(s->unit));
    ho_text_dur(&t, ho_ns(p->values.v[s->role]));
    end_remark(p, &t);
}

static void put_row(struct program *p, const struct ho_setting *s)
{
    struct ho_text line = { 0 }, t = { 0 };
    int err;

    if (!p->values.has[s->role]) {
        return;
    }
    if (s->form[0] == '\0' && p->tied && s->def > 0) {
        return; /* keepalive was solved around it */
    }
    if (default_will_do(p, s)) {
        struct ho_text def = { 0 };

        ho_setting_default_text(&def, s);
        ho_text_printf(&t, "%s: the default, %s, will do", s->name, ho_text_str(&def));
        ho_text_end_part(&t, &def);
        end_remark(p, &t);
        return;
    }
    if (s->form[0] == '\0') {
        ho_text_printf(&t, "%s cannot be set%s%s", s->name, s->note[0] != '\0' ? ": " : "",
                       s->note);
        end_remark(p, &t);
        return;
    }
    err = ho_setting_write(s, &p->values, HO_SETTING_DOWN, &line);
    if (err == 0 && !is_written(p, s, ho_text_str(&line))) {
        put_line(p, s, ho_text_str(&line));
        say_rounded(p, s);
        put_note(p, s);
    } else if (err == -ERANGE) {
        ho_text_printf(&t, "%s counts in %s, which is too coarse for it", s->name,
                       ho_unit_suffix(s->unit));
        end_remark(p, &t);
    }
    ho_text_free(&line);
}

/* ---- values ---------------------------------------------------------------------------------- */

static void set(struct program *p, enum ho_setting_role role, int64_t v)
{
    p->values.has[role] = true;
    p->values.v[role] = v;
}

static void set_advice(struct program *p, const struct ho_advice *d)
{
    int64_t patience_ms =
        d->user_timeout_ms > 0 ? d->user_timeout_ms : 1000 * (d->idle_s + d->intvl_s * d->cnt);

    set(p, HO_ROLE_KEEPALIVE, 1);
    set(p, HO_ROLE_KEEPALIVE_IDLE, d->idle_s * HO_NS_PER_S);
    set(p, HO_ROLE_KEEPALIVE_INTVL, d->intvl_s * HO_NS_PER_S);
    set(p, HO_ROLE_KEEPALIVE_CNT, d->cnt);
    set(p, HO_ROLE_CONNECT, patience_ms * MS_NS);
    if (!p->a->ask.no_options) {
        set(p, HO_ROLE_USER_TIMEOUT, d->user_timeout_ms * MS_NS);
    }
}

/* Keepalive of which not everything can be chosen; `what` says what is tied. */
static int set_tied(struct program *p, enum ho_advise_tie tie, enum ho_setting_role role,
                    int64_t intvl_s, int64_t cnt, const char *what)
{
    struct ho_advice tied, base = p->a->advice;
    struct ho_text t = { 0 };

    p->tied = true;
    if (!p->can[HO_ROLE_USER_TIMEOUT]) {
        base.user_timeout_ms = 0; /* its count decides */
    }
    if (ho_advise_tied(&p->a->ask, &base, tie, intvl_s, cnt, &tied) != 0) {
        p->values.has[HO_ROLE_KEEPALIVE_IDLE] = p->values.has[role] = false;
        ho_text_printf(&t, "%s: no idle time with that is within the time and outlives the outage",
                       what);
        end_remark(p, &t);
        return HO_EXIT_OK;
    }
    set_advice(p, &tied);
    set(p, role, tied.idle_s * HO_NS_PER_S);
    return ho_advising_prove_tied(p->a, &tied);
}

/* The program's own value of what it does not let anybody set; 0: there is none. */
static int64_t fixed(const struct program *p, enum ho_setting_role role)
{
    for (const struct ho_setting *s = next_row(p, NULL); s != NULL; s = next_row(p, s)) {
        if (s->role == role && s->form[0] == '\0' && s->def > 0) {
            return ho_setting_role_kind(role) == HO_SETTING_TIME
                       ? ho_setting_dur(s->def, s->unit).ns / HO_NS_PER_S
                       : s->def;
        }
    }
    return 0;
}

static int set_keepalive(struct program *p)
{
    int64_t intvl_s = fixed(p, HO_ROLE_KEEPALIVE_INTVL), cnt = fixed(p, HO_ROLE_KEEPALIVE_CNT);
    const struct ho_advice *d = &p->a->advice;
    int code = HO_EXIT_OK;

    if (p->can[HO_ROLE_KEEPALIVE_IDLE]) {
        return intvl_s == 0 && cnt == 0
                   ? HO_EXIT_OK
                   : set_tied(p, HO_ADVISE_TIE_FIXED, HO_ROLE_KEEPALIVE_IDLE,
                              intvl_s > 0 ? intvl_s : d->intvl_s, cnt > 0 ? cnt : d->cnt,
                              "its own interval and count");
    }
    if (p->can[HO_ROLE_KEEPALIVE_BOTH]) {
        code = set_tied(p, HO_ADVISE_TIE_BOTH, HO_ROLE_KEEPALIVE_BOTH, 0, d->cnt,
                        "one setting for idle and interval");
        if (!p->can[HO_ROLE_KEEPALIVE_CNT]) {
            struct ho_text t = { 0 };

            ho_text_printf(&t, "the count is its host's: net.ipv4.tcp_keepalive_probes = %" PRId64,
                           d->cnt);
            end_remark(p, &t);
        }
    } else if (p->can[HO_ROLE_KEEPALIVE_THIRD]) {
        code = set_tied(p, HO_ADVISE_TIE_THIRD, HO_ROLE_KEEPALIVE_THIRD, 0, 3,
                        "an interval of a third, and 3 probes");
    }
    return code;
}

/* ---- heartbeats ------------------------------------------------------------------------------ */

/* When a beat that was sent as the outage began is answered at the latest. */
static int64_t recovery_ns(const struct program *p)
{
    bool options = p->can[HO_ROLE_USER_TIMEOUT] && !p->a->ask.no_options;

    return ho_advise_recovery_ns(&p->a->ask, &p->a->advice,
                                 options ? HO_ADVICE_OPTIONS : HO_ADVICE_SYSCTLS,
                                 p->a->ask.survive.ns);
}

static int64_t whole_ms(int64_t ns)
{
    int64_t unit = ns >= 2 * HO_NS_PER_S ? HO_NS_PER_S : HO_NS_PER_S / 10;

    return ns / unit * unit;
}

/* `patience_ns`: what an unanswered beat is given. */
static void say_beat(struct program *p, int64_t patience_ns, int64_t latest_ns)
{
    int64_t recovery = recovery_ns(p);
    struct ho_text t = { 0 };

    ho_text_put(&t, "its heartbeat notices within ");
    ho_text_dur(&t, ho_ns(latest_ns));
    ho_text_put(&t, ", also a peer that hangs (arithmetic: the timers are the program's own, and "
                    "were not played)");
    if (recovery > patience_ns) {
        ho_text_put(&t, "; but it does not wait for TCP to recover from an outage of ");
        ho_text_dur(&t, p->a->ask.survive);
    }
    end_remark(p, &t);
}

static void set_beats(struct program *p)
{
    int64_t within = p->a->ask.within.ns;
    int64_t beat;

    if (!p->can[HO_ROLE_BEAT]) {
        if (p->can[HO_ROLE_BEAT_TIMEOUT]) { /* beats every half of it, and two must be missed */
            beat = whole_ms(within / 2);
            set(p, HO_ROLE_BEAT_TIMEOUT, beat);
            say_beat(p, beat / 2, 2 * beat);
        }
        return;
    }
    if (p->can[HO_ROLE_BEAT_COUNT]) { /* the beat behind the last one that is allowed ends it */
        beat = whole_ms(within / (BEATS + 1));
        set(p, HO_ROLE_BEAT_COUNT, BEATS);
        say_beat(p, beat * BEATS, beat * (BEATS + 1));
    } else if (p->can[HO_ROLE_BEAT_TIMEOUT]) {
        int64_t recovery = recovery_ns(p);
        int64_t timeout = whole_ms(within / 2);

        if (recovery > timeout && recovery < within / 10 * 8) {
            timeout = whole_ms(recovery + HO_NS_PER_S);
        }
        beat = whole_ms((within - timeout) / 8 * 7); /* some add up to 15 % at random */
        set(p, HO_ROLE_BEAT_TIMEOUT, timeout);
        say_beat(p, timeout, beat / 100 * 115 + timeout);
    } else { /* some count two of them, some one and a half */
        beat = whole_ms(within / 2);
        say_beat(p, beat / 2, 2 * beat);
    }
    set(p, HO_ROLE_BEAT, beat);
}

/* ---- what it cannot -------------------------------------------------------------------------- */

static bool can_keepalive(const struct program *p)
{
    return p->can[HO_ROLE_KEEPALIVE] || p->can[HO_ROLE_KEEPALIVE_IDLE] ||
           p->can[HO_ROLE_KEEPALIVE_BOTH] || p->can[HO_ROLE_KEEPALIVE_THIRD];
}

static void say_no_user_timeout(struct program *p)
{
    const struct ho_advice *d = &p->a->advice;
    struct ho_prediction data;
    struct ho_text t = { 0 };

    if (p->can[HO_ROLE_USER_TIMEOUT] && !p->a->ask.no_options) {
        return;
    }
    ho_text_put(&t, "TCP_USER_TIMEOUT is not among its settings");
    if (p->a->ask.no_sysctls || d->retries2 < 0 ||
        ho_advice_answer(&p->a->ask, d, HO_ADVICE_SYSCTLS, HO_FAULT_CUT, HO_ACTIVITY_DATA, &data) !=
            0) {
        ho_text_put(&t, ": data in flight is left to net.ipv4.tcp_retries2");
    } else {
        ho_text_printf(&t,
                       ": data in flight ends by its host's net.ipv4.tcp_retries2 = %" PRId64
                       ", after at most ",
                       d->retries2);
        ho_text_dur(&t, ho_ns(data.max_ns));
    }
    end_remark(p, &t);
}

static void say_gaps(struct program *p)
{
    const struct ho_advice *d = &p->a->advice;
    struct ho_text t = { 0 };

    if (!can_keepalive(p)) {
        remark(p,
               p->can[HO_ROLE_BEAT]
                   ? "it has no setting for SO_KEEPALIVE: its heartbeat is what finds a silent peer"
                   : "it has no setting for SO_KEEPALIVE, so the sysctls do not reach it either, "
                     "unless it sets it by itself");
    } else if (!p->tied && (!p->can[HO_ROLE_KEEPALIVE_INTVL] || !p->can[HO_ROLE_KEEPALIVE_CNT])) {
        ho_text_put(&t, "left to the sysctls of its host:");
        if (!p->can[HO_ROLE_KEEPALIVE_IDLE]) {
            ho_text_printf(&t, " net.ipv4.tcp_keepalive_time = %" PRId64, d->idle_s);
        }
        if (!p->can[HO_ROLE_KEEPALIVE_INTVL]) {
            ho_text_printf(&t, " net.ipv4.tcp_keepalive_intvl = %" PRId64, d->intvl_s);
        }
        if (!p->can[HO_ROLE_KEEPALIVE_CNT]) {
            ho_text_printf(&t, " net.ipv4.tcp_keepalive_probes = %" PRId64, d->cnt);
        }
        end_remark(p, &t);
    }
    say_no_user_timeout(p);
}

/* A middlebox: whether the probes come before it forgets. */
static void say_forgets(struct program *p, const struct ho_setting *s)
{
    struct ho_text t = { 0 };

    if (s->role != HO_ROLE_FORGET || s->def <= 0) {
        return;
    }
    struct ho_dur d = ho_setting_dur(s->def, s->unit);

    ho_text_printf(&t, "%s is ", s->name);
    ho_text_dur(&t, d);
    ho_text_put(&t, d.ns > p->a->advice.idle_s * HO_NS_PER_S
                        ? ": the probes come in time to keep the flow known"
                        : ": it forgets the flow before the first probe");
    end_remark(p, &t);
}

/* ---- a program ------------------------------------------------------------------------------- */

static int solve(struct program *p)
{
    bool middlebox = true;
    int code;

    for (const struct ho_setting *s = next_row(p, NULL); s != NULL; s = next_row(p, s)) {
        /* what has a value and no form is set by the program itself */
        p->can[s->role] = p->can[s->role] || s->form[0] != '\0' || s->def > 0;
        middlebox = middlebox && s->side == HO_SETTING_SIDE_MIDDLEBOX;
    }
    set_advice(p, &p->a->advice);
    code = set_keepalive(p);
    set_beats(p);
    for (const struct ho_setting *s = next_row(p, NULL); s != NULL; s = next_row(p, s)) {
        put_row(p, s);
        say_forgets(p, s);
    }
    if (!middlebox && strcmp(p->is->id, "linux") != 0) { /* its sysctls stand above, all of them */
        say_gaps(p);
    }
    return code;
}

static void put_program(struct ho_text *out, const struct program *p)
{
    if (p->json) {
        ho_text_put(out, "{\"program\":");
        ho_text_json(out, p->is->id);
        ho_text_printf(out, ",\"lines\":[%s],\"remarks\":[%s]}", ho_text_str(&p->lines),
                       ho_text_str(&p->remarks));
    } else {
        ho_text_printf(out, "\n%s\n%s%s", p->is->title, ho_text_str(&p->lines),
                       ho_text_str(&p->remarks));
    }
}

int ho_advising_programs(struct ho_advising *a, struct ho_text *out, bool json)
{
    int code = HO_EXIT_OK;

    if (json) {
        ho_text_put(out, ",\n\"programs\":[");
    }
    for (size_t i = 0; i < a->programs && code == HO_EXIT_OK; i++) {
        struct program p = { .a = a, .is = a->program[i], .json = json };

        code = solve(&p);
        ho_text_put(out, json && i > 0 ? ",\n" : "");
        put_program(out, &p);
        ho_text_end_part(out, &p.lines);
        ho_text_end_part(out, &p.remarks);
    }
    ho_text_put(out, json ? "]" : "");
    return code;
}
