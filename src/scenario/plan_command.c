/* Real commands: those that are ready at time 0, those that a step starts, and what they are told.
 *
 * A command's text may name swept values, as $NAME; a $ before anything else is the command's own.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "scenario/command.h"
#include "scenario/make.h"

static bool is_command(enum ho_form form)
{
    return form == HO_FORM_COMMAND || form == HO_FORM_COMMAND_LISTENS ||
           form == HO_FORM_COMMAND_SAYS;
}

/* The value of the sweep whose name is the `len` bytes at `name`; NULL: there is no such sweep. */
static const char *swept_value(const struct ho_maker *m, const char *name, size_t len)
{
    for (unsigned i = 0; i < m->s->sweep_count; i++) {
        const struct ho_scn_sweep *sweep = &m->s->sweeps[i];
        if (strlen(sweep->name) == len && memcmp(sweep->name, name, len) == 0) {
            return m->s->args[sweep->arg_first + m->c->value[i]].text;
        }
    }
    return NULL;
}

static int command_text(struct ho_maker *m, const struct ho_scn_line *line, const char **ret)
{
    static const char name_of[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    const struct ho_scn_arg *a = ho_scn_arg(m->s, line, "command");
    struct ho_command_words words;
    const char *why = NULL;
    struct ho_text t = { 0 };

    for (const char *p = a->text; *p != '\0';) {
        size_t len = *p == '$' ? strspn(p + 1, name_of) : 0;
        const char *value = len > 0 ? swept_value(m, p + 1, len) : NULL;
        if (value != NULL) {
            ho_text_put(&t, value);
            p += len + 1;
        } else {
            ho_text_char(&t, *p++);
        }
    }
    int err = ho_text_err(&t);
    if (err == 0 && ho_command_split(&words, ho_text_str(&t), &why) != 0) {
        err = ho_maker_refuse(m, line, a, "%s", why);
    }
    const char *kept = err == 0 ? ho_maker_keep(m, ho_text_str(&t)) : NULL;
    ho_text_free(&t);
    if (err == 0 && kept == NULL) {
        return -ENOMEM;
    }
    *ret = kept;
    return err;
}

static int fill_command(struct ho_maker *m, const struct ho_scn_line *line,
                        struct ho_plan_command *command)
{
    const struct ho_scn_arg *user = ho_scn_arg(m->s, line, "user");
    const struct ho_scn_arg *pattern = ho_scn_arg(m->s, line, "line");
    int64_t port, within;
    int err = command_text(m, line, &command->text);

    err = err != 0 ? err : ho_resolve_number(m, line, "port", HO_TYPE_PORT, 0, &port);
    err = err != 0 ? err
                   : ho_resolve_number(m, line, "ready", HO_TYPE_DURATION,
                                       HO_PLAN_WITHIN * HO_NS_PER_S, &within);
    if (err != 0) {
        return err;
    }
    command->user = user != NULL ? user->text : NULL;
    command->ready = line->form == HO_FORM_COMMAND_LISTENS ? HO_READY_LISTENS
                     : line->form == HO_FORM_COMMAND_SAYS  ? HO_READY_OUTPUT
                                                           : HO_READY_STARTED;
    command->port = (uint16_t)port;
    command->pattern = pattern != NULL ? pattern->text : NULL;
    command->within = ho_ns(within);
    return 0;
}

int ho_make_commands(struct ho_maker *m)
{
    for (size_t i = 0; i < m->s->line_count; i++) {
        const struct ho_scn_line *line = &m->s->lines[i];
        struct ho_step step = { .kind = HO_STEP_COMMAND, .cable = HO_PLAN_NONE };
        if (!is_command(line->form) || !ho_maker_counts(m, line)) {
            continue;
        }
        step.label = step.what = step.detail = "";
        step.verb = ho_step_text(step.kind);
        step.proc = ho_resolve_proc(m, ho_scn_arg(m->s, line, "who"));
        step.host = m->plan->procs[step.proc].host;
        int err = fill_command(m, line, &step.u.command);
        err = err == 0 ? ho_maker_setup(m, line, &step) : err;
        if (err != 0) {
            return err;
        }
    }
    return 0;
}

static int hex(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *p = c != '\0' ? strchr(digits, c) : NULL;

    return p != NULL ? (int)(p - digits) : -1;
}

/* One character of what is typed; moves `*p` behind it. -EINVAL: no such escape. */
static int typed(const char **p, char *ret)
{
    static const char from[] = "ntr\\", to[] = "\n\t\r\\";
    const char *q = *p;

    if (*q != '\\') {
        *ret = *q;
        *p = q + 1;
        return 0;
    }
    const char *found = q[1] != '\0' ? strchr(from, q[1]) : NULL;
    if (found != NULL) {
        *ret = to[found - from];
        *p = q + 2;
        return 0;
    }
    if (q[1] != 'x' || hex(q[2]) < 0 || hex(q[3]) < 0) {
        return -EINVAL;
    }
    *ret = (char)(hex(q[2]) * 16 + hex(q[3]));
    *p = q + 4;
    return 0;
}

static int fill_input(struct ho_maker *m, const struct ho_scn_line *line,
                      struct ho_plan_input *input)
{
    const struct ho_scn_arg *a = ho_scn_arg(m->s, line, "text");
    struct ho_text t = { 0 };

    input->end = line->form == HO_FORM_CLOSE_INPUT;
    input->bytes = "";
    if (input->end) {
        return 0;
    }
    for (const char *p = a->text; *p != '\0';) {
        char c;
        if (typed(&p, &c) != 0) {
            ho_text_free(&t);
            return ho_maker_refuse(m, line, a,
                                   "found a backslash before '%.1s', expected one before n, t, r, "
                                   "a backslash, or xNN",
                                   p + 1);
        }
        ho_text_char(&t, c);
    }
    /* Bytes of any value, and one more for the 0 that ends a kept text. */
    input->len = t.len;
    int err = ho_text_err(&t);
    char *kept = NULL;
    if (err == 0) {
        kept = ho_maker_keep_bytes(m, ho_text_str(&t), t.len);
        err = kept == NULL ? -ENOMEM : 0;
    }
    input->bytes = kept;
    ho_text_free(&t);
    return err;
}

int ho_make_command_step(struct ho_maker *m, const struct ho_scn_line *line, struct ho_step *step)
{
    const struct ho_scn_arg *who = ho_scn_arg(m->s, line, "who");

    if (who->text3 != NULL) {
        return ho_maker_refuse(m, line, who, "expected a process, not its connection");
    }
    step->proc = ho_resolve_proc(m, who);
    step->host = m->plan->procs[step->proc].host;
    step->kind = line->form == HO_FORM_RUN_COMMAND ? HO_STEP_COMMAND : HO_STEP_INPUT;
    step->verb = ho_step_text(step->kind);
    int err = step->kind == HO_STEP_COMMAND ? fill_command(m, line, &step->u.command)
                                            : fill_input(m, line, &step->u.input);
    return err != 0 ? err : ho_maker_step(m, line, step);
}
