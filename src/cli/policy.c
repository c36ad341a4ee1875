/* `halfopen policy FILE`: rules that this machine's connections have to keep (forecast/policy.h),
 * and which connections break them.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "cli/cli.h"
#include "cli/doctor_in.h"
#include "doctor/checks.h"
#include "doctor/group.h"

#define FILE_MAX (1 << 20)
#define SHOWN_MAX 10 /* connections named under a rule in text */
#define WHY 160      /* bytes; ho_policy_ask() needs 120 */
#define WIDTH 80

/* What came of a rule. */
struct verdict {
    size_t matched, about, broken; /* connections; those matched it is not about: no question */
    size_t loopback;               /* of the latter, those with both ends here */
    struct ho_text lines;          /* text, tap, junit: the connections that break it, one a line */
    struct ho_text json;           /* the same as objects */
    struct ho_text said;           /* what it was asked of */
};

struct judged {
    const struct ho_policy *policy;
    const char *file;
    struct verdict *rules;
    size_t n, broken, idle; /* rules; that are about no connection */
};

/* ---- asking ---------------------------------------------------------------------------------- */

/* "nginx (pid 812) 10.0.0.1:80 from 10.0.0.2:40112" */
static void put_conn(struct ho_text *out, const struct ho_diagnosis *d, uint32_t i)
{
    const struct ho_conn_owner *o = ho_group_owner(d, i);

    ho_group_put_owner(out, d, i);
    if (o != NULL && o->pid > 0) {
        ho_text_printf(out, " (pid %d)", (int)o->pid);
    }
    ho_text_char(out, ' ');
    ho_group_put_ends(out, ho_group_conn(d, i));
}

/* ,"KEY":"VALUE"; empties the value. */
static void put_pair(struct ho_text *out, const char *key, struct ho_text *value)
{
    ho_text_printf(out, ",\"%s\":", key);
    ho_text_json(out, ho_text_str(value));
    ho_text_clear(value);
}

static void put_json_conn(struct ho_text *out, const struct ho_diagnosis *d, uint32_t i,
                          const char *why)
{
    const struct ho_conn *c = ho_group_conn(d, i);
    const struct ho_conn_owner *o = ho_group_owner(d, i);
    struct ho_text part = { 0 };

    ho_text_printf(out, "%s{\"pid\":%d", out->len > 0 ? "," : "", o != NULL ? (int)o->pid : 0);
    ho_group_put_owner(&part, d, i);
    put_pair(out, "process", &part);
    ho_group_put_end(&part, &c->local, c->lport);
    put_pair(out, "local", &part);
    ho_group_put_end(&part, &c->remote, c->rport);
    put_pair(out, "remote", &part);
    ho_text_plain(&part, why);
    put_pair(out, "why", &part);
    ho_text_char(out, '}');
    ho_text_end_part(out, &part);
}

static void ask_one(struct verdict *v, const struct ho_policy *p, size_t rule,
                    const struct ho_diagnosis *d, size_t i)
{
    const struct ho_conn *c = &d->scan->conns[i];
    const struct ho_diagnosis_conn *dc = &d->conns[i];
    const struct ho_conn_owner *o = ho_group_owner(d, (uint32_t)i);
    char why[WHY] = "";
    enum ho_policy_answer answer =
        ho_policy_ask(p, rule, c, o, &dc->outlook, dc->findings, dc->n_findings, why);

    v->matched += answer != HO_POLICY_NOT_ABOUT;
    v->about += answer == HO_POLICY_KEPT || answer == HO_POLICY_BROKEN;
    v->loopback += answer == HO_POLICY_NO_QUESTION && c->loopback;
    if (answer == HO_POLICY_BROKEN) {
        v->broken++;
        put_conn(&v->lines, d, (uint32_t)i);
        ho_text_put(&v->lines, ": ");
        ho_text_plain(&v->lines, why);
        ho_text_char(&v->lines, '\n');
        put_json_conn(&v->json, d, (uint32_t)i, why);
    }
}

/* "2 with both ends on this machine and 1 in a state in which that is no question" */
static void put_aside(struct ho_text *out, const struct verdict *v)
{
    size_t others = v->matched - v->about - v->loopback;

    if (v->loopback > 0) {
        ho_text_printf(out, "%zu with both ends on this machine%s", v->loopback,
                       others > 0 ? " and " : "");
    }
    if (others > 0) {
        ho_text_printf(out, "%zu in a state in which that is no question", others);
    }
}

/* What a rule was asked of. One that is about nothing is kept, which may be a mistake in it. */
static void put_about(struct ho_text *out, const struct verdict *v)
{
    if (v->matched == 0) {
        ho_text_put(out, "about no connection: none matches");
    } else if (v->about == 0) {
        ho_text_put(out, "about no connection: it matches ");
        put_aside(out, v);
    } else {
        ho_text_printf(out, "%zu of %zu connections it is about break it", v->broken, v->about);
        if (v->about < v->matched) {
            ho_text_put(out, "; not about ");
            put_aside(out, v);
        }
    }
}

static int judge(struct judged *j, const struct ho_diagnosis *d)
{
    j->n = ho_policy_rules(j->policy);
    j->rules = calloc(j->n + 1, sizeof(*j->rules));
    if (j->rules == NULL) {
        return ho_cli_no_memory();
    }
    for (size_t r = 0; r < j->n; r++) {
        for (size_t i = 0; i < d->scan->n_conns; i++) {
            ask_one(&j->rules[r], j->policy, r, d, i);
        }
        put_about(&j->rules[r].said, &j->rules[r]);
        j->broken += j->rules[r].broken > 0;
        j->idle += j->rules[r].about == 0;
    }
    return HO_EXIT_OK;
}

static void judged_free(struct judged *j)
{
    for (size_t i = 0; j->rules != NULL && i < j->n; i++) {
        ho_text_free(&j->rules[i].lines);
        ho_text_free(&j->rules[i].json);
        ho_text_free(&j->rules[i].said);
    }
    free(j->rules);
}

/* ---- telling --------------------------------------------------------------------------------- */

static void put_text_rule(struct ho_text *out, const struct judged *j, size_t r, bool colour)
{
    const struct verdict *v = &j->rules[r];
    const char *word = v->broken > 0 ? "BROKEN" : "kept", *code = v->broken > 0 ? "31;1" : "32";
    struct ho_text words = { 0 };
    size_t shown = 0;

    ho_text_printf(out, colour ? "\033[%s%s%s" : "%s%s%s", colour ? code : "", colour ? "m" : "",
                   word);
    ho_text_put(out, colour ? "\033[0m  " : "  ");
    ho_text_plain(&words, ho_policy_rule_text(j->policy, r));
    ho_text_wrap(out, ho_text_str(&words), strlen(word) + 2, 8, WIDTH);
    ho_text_clear(&words);
    ho_text_printf(&words, "line %u, %s", ho_policy_rule_line(j->policy, r), ho_text_str(&v->said));
    ho_text_put(out, "        ");
    ho_text_wrap(out, ho_text_str(&words), 8, 10, WIDTH);
    for (const char *p = ho_text_str(&v->lines); *p != '\0' && shown < SHOWN_MAX; shown++) {
        size_t n = strcspn(p, "\n");

        ho_text_clear(&words);
        ho_text_bytes(&words, p, n);
        ho_text_put(out, "        ");
        ho_text_wrap(out, ho_text_str(&words), 8, 10, WIDTH);
        p += n + (p[n] == '\n');
    }
    if (v->broken > SHOWN_MAX) {
        ho_text_printf(out, "        and %zu more\n", v->broken - SHOWN_MAX);
    }
    ho_text_end_part(out, &words);
}

static void put_text(struct ho_text *out, const struct judged *j, bool colour)
{
    for (size_t r = 0; r < j->n; r++) {
        put_text_rule(out, j, r, colour);
    }
    ho_text_printf(out, "\n%zu rule%s, %zu broken", j->n, j->n == 1 ? "" : "s", j->broken);
    if (j->idle > 0) {
        ho_text_printf(out, ", %zu about no connection", j->idle);
    }
    ho_text_char(out, '\n');
}

static void put_json(struct ho_text *out, const struct judged *j)
{
    ho_text_put(out, "{\"schema\":1,\"program\":\"halfopen\",\"report\":\"policy\",\"file\":");
    ho_text_json(out, j->file);
    ho_text_printf(out, ",\"broken\":%zu,\"rules\":[", j->broken);
    for (size_t r = 0; r < j->n; r++) {
        const struct verdict *v = &j->rules[r];

        ho_text_printf(out, "%s\n{\"line\":%u,\"rule\":", r > 0 ? "," : "",
                       ho_policy_rule_line(j->policy, r));
        ho_text_json(out, ho_policy_rule_text(j->policy, r));
        ho_text_printf(out, ",\"kept\":%s,\"matched\":%zu,\"about\":%zu,\"broken_by\":[%s]}",
                       v->broken > 0 ? "false" : "true", v->matched, v->about,
                       ho_text_str(&v->json));
    }
    ho_text_put(out, "\n]}\n");
}

static void put_checks(struct ho_text *out, const struct judged *j, enum ho_report_form form)
{
    struct ho_check *checks = calloc(j->n + 1, sizeof(*checks));

    if (checks == NULL) {
        out->err = -ENOMEM;
        return;
    }
    for (size_t r = 0; r < j->n; r++) {
        checks[r] = (struct ho_check){
            .name = ho_policy_rule_text(j->policy, r),
            .ok = j->rules[r].broken == 0,
            .found = j->rules[r].broken > 0   ? "broken"
                     : j->rules[r].about == 0 ? ho_text_str(&j->rules[r].said)
                                              : "",
            .lines = ho_text_str(&j->rules[r].lines),
            .file = j->file,
            .line = ho_policy_rule_line(j->policy, r),
        };
    }
    if (form == HO_REPORT_TAP) {
        ho_checks_tap(out, checks, j->n);
    } else {
        ho_checks_junit(out, "policy", checks, j->n);
    }
    free(checks);
}

static int tell(const struct judged *j, enum ho_report_form form)
{
    struct ho_text out = { 0 };

    for (size_t r = 0; r < j->n; r++) {
        if (ho_text_err(&j->rules[r].lines) != 0 || ho_text_err(&j->rules[r].json) != 0 ||
            ho_text_err(&j->rules[r].said) != 0) {
            return ho_cli_no_memory();
        }
    }
    if (form == HO_REPORT_JSON) {
        put_json(&out, j);
    } else if (form == HO_REPORT_TEXT) {
        put_text(&out, j, ho_cli_colour());
    } else {
        put_checks(&out, j, form);
    }
    int code = ho_text_err(&out) != 0 ? ho_cli_no_memory() : ho_cli_put(&out);

    code = code == HO_EXIT_OK ? ho_cli_done() : code;
    ho_text_free(&out);
    return code == HO_EXIT_OK && j->broken > 0 ? HO_EXIT_FOUND : code;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int load(struct ho_policy **ret, const char *file)
{
    struct ho_policy_error e = { 0 };
    char *text;
    size_t len;
    int code = ho_cli_load(file, FILE_MAX, &text, &len);

    if (code != HO_EXIT_OK) {
        return code;
    }
    int err = ho_policy_parse(ret, file, text, len, &e);

    free(text);
    return err == 0         ? HO_EXIT_OK
           : err == -EINVAL ? ho_cli_say(HO_EXIT_USAGE, "%s", e.text)
                            : ho_cli_no_memory();
}

static int look(const struct ho_doctor_ask *a, struct judged *j)
{
    struct ho_diagnosis d;
    struct ho_scan s;
    int code = ho_doctor_look(&s, &d, a, "policy");

    if (code != HO_EXIT_OK) {
        return code;
    }
    code = judge(j, &d);
    code = code == HO_EXIT_OK ? tell(j, a->form) : code;
    judged_free(j);
    ho_diagnosis_free(&d);
    ho_scan_free(&s);
    return code;
}

static int policy_run(int argc, char **argv)
{
    struct judged j = { 0 };
    struct ho_policy *policy;
    struct ho_doctor_ask a;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("%s", ho_command_policy.usage);
        return ho_cli_done();
    }
    int code = ho_doctor_ask(&a, &j.file, HO_DOCTOR_FORMAT | HO_DOCTOR_ONE_FILE, argc, argv);

    if (code != HO_EXIT_OK) {
        return code;
    }
    if (j.file == NULL) {
        return ho_cli_say(HO_EXIT_USAGE, "policy: expected a file with rules");
    }
    if (a.form == HO_REPORT_MARKDOWN || a.form == HO_REPORT_PROMETHEUS) {
        return ho_cli_say(HO_EXIT_USAGE, "policy: --format: expected text, json, tap or junit");
    }
    code = load(&policy, j.file);
    if (code == HO_EXIT_OK) {
        j.policy = policy;
        code = look(&a, &j);
        ho_policy_free(policy);
    }
    return code;
}

const struct ho_command ho_command_policy = {
    .name = "policy",
    .help = "checks this machine's connections against a file of rules",
    .usage = "usage: halfopen policy [OPTION ...] FILE\n"
             "\n"
             "Each line of the file is a rule, such as\n"
             "\n"
             "  no connection to port 5432 may need more than 60s\n"
             "  no connection of process postgres may have finding KA001\n"
             "  no connection may be retransmitting for more than 30s\n"
             "\n"
             "and is kept, or broken by the connections that are named. Exit code 1 if one is\n"
             "broken. docs/doctor.md has the whole language.\n"
             "\n"
             "  --all-namespaces    of every network namespace (needs CAP_SYS_ADMIN)\n"
             "  --pid N             only connections that this process holds\n"
             "  --port N            only those with this port at either end\n"
             "  --state STATE       only those in this state; may be given again\n"
             "  -4, -6              only IPv4, only IPv6\n"
             "  --no-options        do not read socket options: nothing is duplicated\n"
             "  --format FORMAT     text, json, tap or junit\n",
    .run = policy_run,
};
