/* The public library: include/halfopen/halfopen.h says what each function does.
 *
 * A step given by halfopen_do() is read as the last line of the world's scenario and of all the
 * steps given before, so that it may say all that a scenario may say and is checked as one; the
 * texts that it brought along live as long as the world.
 */

#include "halfopen/halfopen.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "knobs/sockopt.h"
#include "model/model.h"
#include "model/ranges.h"
#include "model/world.h"
#include "scenario/runner.h"
#include "timeline/jsonl.h"
#include "timeline/ladder.h"

#define RECORDS_MAX 4000000u

/* A scenario's text, read and planned. */
struct script {
    struct script *next;
    struct ho_scn *scn;
    struct ho_plan *plan;
};

struct halfopen {
    char *name, *text;
    struct script *scripts; /* the newest first; the last is the world's own */
    struct script *own;
    struct ho_engine engine;
    struct ho_timeline timeline;
    size_t step; /* of the own plan: the next one */
    struct ho_verdicts verdicts;
    bool has_verdicts;
    struct ho_text table, ladder, lines;
};

static int mistake(struct halfopen_error *ret, const struct ho_scn_error *e)
{
    if (ret != NULL) {
        ret->line = e->line;
        ret->column = e->column;
        snprintf(ret->text, sizeof(ret->text), "%s", e->text);
    }
    return -EINVAL;
}

static int refuse(struct halfopen_error *ret, const char *text)
{
    if (ret != NULL) {
        *ret = (struct halfopen_error){ .line = 0 };
        snprintf(ret->text, sizeof(ret->text), "%s", text);
    }
    return -EINVAL;
}

/* ---- making ---------------------------------------------------------------------------------- */

static void script_free(struct script *s)
{
    ho_plan_free(s->plan);
    ho_scn_free(s->scn);
    free(s);
}

/* Reads and plans `text`; the script is the world's. */
static int script_new(struct halfopen *w, const char *text, size_t len, struct script **ret,
                      struct halfopen_error *ret_error)
{
    struct ho_plan_options options = { .engine = "model" };
    struct script *s = calloc(1, sizeof(*s));
    struct ho_scn_error e;
    int err = s == NULL ? -ENOMEM : ho_scn_parse(&s->scn, w->name, text, len, &e);

    if (err == 0) {
        struct ho_scn_case first = ho_scn_case(s->scn, 0);

        err = ho_plan_make(&s->plan, s->scn, &first, &options, &e);
    }
    if (err != 0) {
        if (s != NULL) {
            script_free(s);
        }
        return err == -EINVAL ? mistake(ret_error, &e) : err;
    }
    s->next = w->scripts;
    w->scripts = s;
    *ret = s;
    return 0;
}

static char *copy(const char *text, size_t len)
{
    char *s = malloc(len + 1);

    if (s != NULL) {
        memcpy(s, text, len);
        s[len] = '\0';
    }
    return s;
}

static int world_begin(struct halfopen *w, struct halfopen_error *ret_error)
{
    const struct ho_step *step = NULL;
    struct ho_engine e;
    int err = ho_model_new(&e);

    if (err != 0) {
        return err;
    }
    w->engine = e;
    err = e.check(e.self, w->own->plan, &step);
    err = err != 0 ? err : e.begin(e.self, w->own->plan, &w->timeline);
    if (err == -EINVAL) {
        refuse(ret_error, e.why(e.self));
        if (ret_error != NULL && step != NULL) {
            ret_error->line = step->line;
        }
    }
    return err;
}

int halfopen_new(struct halfopen **ret, const char *name, const char *text, size_t len,
                 struct halfopen_error *ret_error)
{
    struct halfopen *w = calloc(1, sizeof(*w));
    int err;

    if (w == NULL) {
        return -ENOMEM;
    }
    ho_timeline_init(&w->timeline, RECORDS_MAX);
    w->name = copy(name, strlen(name));
    w->text = copy(text, len);
    err =
        w->name == NULL || w->text == NULL ? -ENOMEM : script_new(w, text, len, &w->own, ret_error);
    err = err != 0 ? err : world_begin(w, ret_error);
    if (err != 0) {
        halfopen_free(w);
        return err;
    }
    *ret = w;
    return 0;
}

static void verdicts_forget(struct halfopen *w)
{
    if (w->has_verdicts) {
        ho_verdicts_free(&w->verdicts);
        w->has_verdicts = false;
    }
}

void halfopen_free(struct halfopen *w)
{
    if (w == NULL) {
        return;
    }
    verdicts_forget(w);
    if (w->engine.self != NULL) {
        w->engine.destroy(w->engine.self);
    }
    ho_timeline_destroy(&w->timeline);
    while (w->scripts != NULL) {
        struct script *s = w->scripts;

        w->scripts = s->next;
        script_free(s);
    }
    ho_text_free(&w->table);
    ho_text_free(&w->ladder);
    ho_text_free(&w->lines);
    free(w->name);
    free(w->text);
    free(w);
}

/* ---- time ------------------------------------------------------------------------------------ */

static struct ho_model *model_of(const struct halfopen *w)
{
    return ho_model_of(&w->engine);
}

int64_t halfopen_now(const struct halfopen *w)
{
    return ho_model_now(model_of(w)).ns;
}

int64_t halfopen_end(const struct halfopen *w)
{
    return w->own->plan->end.ns;
}

int halfopen_run(struct halfopen *w, int64_t until)
{
    const struct ho_plan *p = w->own->plan;
    int err = 0;

    if (until < halfopen_now(w)) {
        return -EINVAL;
    }
    verdicts_forget(w);
    while (w->step < p->step_count && p->steps[w->step].at.ns <= until && err == 0) {
        const struct ho_step *s = &p->steps[w->step++];

        err = w->engine.run_until(w->engine.self, s->at);
        err = err != 0 ? err : ho_run_step(&w->engine, s);
    }
    return err != 0 ? err : w->engine.run_until(w->engine.self, (struct ho_time){ until });
}

const char *halfopen_why(const struct halfopen *w)
{
    return w->engine.why(w->engine.self);
}

/* The scenario's text with one more line, the step at this moment. */
static char *text_with(const struct halfopen *w, const char *step, size_t *ret_len)
{
    size_t room = strlen(w->text) + strlen(step) + 48;
    char *text = malloc(room);

    if (text != NULL) {
        int n = snprintf(text, room, "%s\nat %" PRId64 "ns %s", w->text, halfopen_now(w), step);

        *ret_len = (size_t)n;
    }
    return text;
}

static unsigned lines_of(const char *text)
{
    unsigned n = 1;

    for (; *text != '\0'; text++) {
        n += *text == '\n';
    }
    return n;
}

/* The steps of the plan that line `line` made, those that start a process as needed. */
static int do_steps(struct halfopen *w, const struct ho_plan *p, unsigned line)
{
    int err = 0;

    for (size_t i = 0; i < p->step_count && err == 0; i++) {
        const struct ho_step *s = &p->steps[i];

        if (s->line != line || s->kind == HO_STEP_START) {
            continue;
        }
        if ((s->kind == HO_STEP_CALL || s->kind == HO_STEP_PROGRAM) &&
            ho_model_pid(model_of(w), s->proc) == 0) {
            err = w->engine.start(w->engine.self, s->proc);
        }
        err = err != 0 ? err : ho_run_step(&w->engine, s);
    }
    return err;
}

int halfopen_do(struct halfopen *w, const char *step, struct halfopen_error *ret_error)
{
    struct script *s = NULL;
    size_t len = 0;
    char *text;
    int err;

    if (strchr(step, '\n') != NULL) {
        return refuse(ret_error, "a step is one line");
    }
    text = text_with(w, step, &len);
    if (text == NULL) {
        return -ENOMEM;
    }
    err = script_new(w, text, len, &s, ret_error);
    if (err != 0) {
        free(text);
        return err;
    }
    verdicts_forget(w);
    err = do_steps(w, s->plan, lines_of(w->text) + 1);
    if (err != 0) {
        free(text);
        return err == -EINVAL ? refuse(ret_error, halfopen_why(w)) : err;
    }
    /* What was done is part of the story: a later step is read behind it. */
    free(w->text);
    w->text = text;
    return 0;
}

/* ---- processes and calls --------------------------------------------------------------------- */

int halfopen_process(struct halfopen *w, const char *host, const char *name)
{
    const struct ho_plan *p = w->own->plan;
    struct ho_model_proc *proc;
    int number = 1;
    int err;

    for (size_t i = 0; i < p->node_count; i++) {
        if (p->nodes[i].kind != HO_NODE_HOST || strcmp(p->nodes[i].name, host) != 0) {
            continue;
        }
        for (struct ho_list *l = model_of(w)->guests.next; l != &model_of(w)->guests; l = l->next) {
            number++;
        }
        err = ho_model_guest_new(model_of(w), (uint16_t)i, name, &proc);
        return err != 0 ? err : number;
    }
    return -ENOENT;
}

/* Process number `n`, or NULL if it does not run (any more). */
static struct ho_model_proc *guest(const struct halfopen *w, int n)
{
    struct ho_list *head = &model_of(w)->guests;

    for (struct ho_list *l = head->next; l != head; l = l->next) {
        if (--n == 0) {
            struct ho_model_proc *p = ho_container(l, struct ho_model_proc, guest);

            return p->pid != 0 ? p : NULL;
        }
    }
    return NULL;
}

static int64_t call(struct halfopen *w, int process, struct ho_op *op)
{
    struct ho_model_proc *p = guest(w, process);

    verdicts_forget(w);
    return p != NULL ? ho_model_guest_call(model_of(w), p, op) : -ESRCH;
}

int halfopen_kill(struct halfopen *w, int process)
{
    struct ho_model_proc *p = guest(w, process);

    if (p == NULL) {
        return -ESRCH;
    }
    verdicts_forget(w);
    ho_model_guest_kill(model_of(w), p);
    return 0;
}

/* A host's first address of the scenario's family, or the address that `host` is. */
static int address_of(const struct halfopen *w, const char *host, struct ho_addr *ret)
{
    const struct ho_plan *p = w->own->plan;

    for (size_t i = 0; i < p->node_count; i++) {
        const struct ho_plan_node *n = &p->nodes[i];

        for (unsigned k = 0; strcmp(n->name, host) == 0 && k < n->addr_count; k++) {
            if (ho_addr_is_v4(&n->addr[k].addr) == (p->family == HO_FAMILY_V4)) {
                *ret = n->addr[k].addr;
                return 0;
            }
        }
    }
    return ho_addr_parse(ret, host);
}

int halfopen_socket(struct halfopen *w, int process, const char *host)
{
    struct ho_op op = { .kind = HO_OP_SOCKET, .fd = -1, .flags = HO_SOCK_NONBLOCK };

    return address_of(w, host, &op.addr) != 0 ? -EINVAL : (int)call(w, process, &op);
}

static int call_with_address(struct halfopen *w, int process, enum ho_op_kind kind, int fd,
                             const char *host, uint16_t port)
{
    struct ho_op op = { .kind = kind, .fd = fd, .port = port };

    return address_of(w, host, &op.addr) != 0 ? -EINVAL : (int)call(w, process, &op);
}

int halfopen_bind(struct halfopen *w, int process, int fd, const char *host, uint16_t port)
{
    return call_with_address(w, process, HO_OP_BIND, fd, host, port);
}

int halfopen_connect(struct halfopen *w, int process, int fd, const char *host, uint16_t port)
{
    return call_with_address(w, process, HO_OP_CONNECT, fd, host, port);
}

int halfopen_listen(struct halfopen *w, int process, int fd, int backlog)
{
    struct ho_op op = { .kind = HO_OP_LISTEN, .fd = fd, .arg = backlog };

    return (int)call(w, process, &op);
}

int halfopen_accept(struct halfopen *w, int process, int fd)
{
    struct ho_op op = { .kind = HO_OP_ACCEPT, .fd = fd, .flags = HO_SOCK_NONBLOCK };

    return (int)call(w, process, &op);
}

int64_t halfopen_send(struct halfopen *w, int process, int fd, const void *bytes, size_t len)
{
    struct ho_op op = { .kind = HO_OP_SEND, .fd = fd, .len = len, .flags = HO_MSG_DONTWAIT };
    int64_t n;

    /* An operation's buffer is not const: recv() writes to it, send() only reads. */
    op.buf = malloc(len > 0 ? len : 1);
    if (op.buf == NULL) {
        return -ENOMEM;
    }
    memcpy(op.buf, bytes, len);
    n = call(w, process, &op);
    free(op.buf);
    return n;
}

int64_t halfopen_recv(struct halfopen *w, int process, int fd, void *bytes, size_t len)
{
    struct ho_op op = {
        .kind = HO_OP_RECV, .fd = fd, .buf = bytes, .len = len, .flags = HO_MSG_DONTWAIT
    };

    return call(w, process, &op);
}

int halfopen_shutdown(struct halfopen *w, int process, int fd, int how)
{
    struct ho_op op = { .kind = HO_OP_SHUTDOWN, .fd = fd, .arg = how };

    return how < HO_SHUT_RD || how > HO_SHUT_RDWR ? -EINVAL : (int)call(w, process, &op);
}

int halfopen_close(struct halfopen *w, int process, int fd)
{
    struct ho_op op = { .kind = HO_OP_CLOSE, .fd = fd };

    return (int)call(w, process, &op);
}

int halfopen_setsockopt(struct halfopen *w, int process, int fd, const char *name, int64_t value)
{
    struct ho_op op = { .kind = HO_OP_SETSOCKOPT, .fd = fd, .opt = ho_sockopt_find(name) };

    op.value[0] = value;
    return op.opt < 0 ? -EINVAL : (int)call(w, process, &op);
}

int halfopen_getsockopt(struct halfopen *w, int process, int fd, const char *name,
                        int64_t *ret_value)
{
    struct ho_op op = { .kind = HO_OP_GETSOCKOPT, .fd = fd, .opt = ho_sockopt_find(name) };
    int err;

    if (op.opt < 0 || ho_sockopt_info((enum ho_sockopt)op.opt)->type == HO_SOCKOPT_TYPE_INFO) {
        return -EINVAL;
    }
    err = (int)call(w, process, &op);
    if (err == 0) {
        *ret_value = op.value[0];
    }
    return err;
}

int halfopen_poll(struct halfopen *w, int process, int fd)
{
    struct ho_op op = { .kind = HO_OP_POLL, .fd = fd };

    op.arg = HO_POLLIN | HO_POLLOUT | HO_POLLRDHUP;
    return (int)call(w, process, &op);
}

/* ---- views ----------------------------------------------------------------------------------- */

static int verdicts_make(struct halfopen *w)
{
    int err;

    if (w->has_verdicts) {
        return 0;
    }
    err = ho_verdicts_make(&w->timeline, NULL, &w->verdicts);
    w->has_verdicts = err == 0;
    return err != 0 ? err : ho_verdicts_range(&w->timeline, &w->verdicts);
}

int halfopen_verdict(struct halfopen *w, size_t i, struct halfopen_verdict *ret)
{
    const struct ho_verdict *v;
    int err = verdicts_make(w);

    if (err != 0 || i >= w->verdicts.n) {
        return err != 0 ? err : -ENOENT;
    }
    v = &w->verdicts.v[i];
    *ret = (struct halfopen_verdict){
        .host = v->host,
        .process = v->process,
        .connection = v->conn,
        .cause = ho_cause_word(v->cause),
        .words = ho_cause_text(v->cause),
        .knob = ho_timeline_name(&w->timeline, v->knob),
        .state = v->state,
        .kernel_at = v->has_kernel ? v->kernel_at.ns : -1,
        .app_at = v->has_app ? v->app_at.ns : -1,
        .call = v->has_app ? v->app_call : "",
        .err = v->has_app      ? v->app_err
               : v->has_kernel ? v->kernel_err
                               : "",
    };
    return ret->knob != NULL ? 0 : -ENOMEM;
}

int halfopen_failed(struct halfopen *w)
{
    struct ho_judgement *j;
    int failed = 0;

    if (verdicts_make(w) != 0 ||
        ho_expect_judge(&j, w->own->plan, &w->timeline, &w->verdicts) != 0) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < w->own->plan->expect_count; i++) {
        failed += j[i].met ? 0 : 1;
    }
    free(j);
    return failed;
}

static const char *text_of(const struct ho_text *t)
{
    return ho_text_err(t) == 0 ? ho_text_str(t) : NULL;
}

const char *halfopen_table(struct halfopen *w)
{
    const struct ho_plan *p = w->own->plan;

    ho_text_clear(&w->table);
    if (verdicts_make(w) != 0) {
        return NULL;
    }
    ho_verdicts_table(&w->table, &w->verdicts, &w->timeline, p->name, p->nodes[0].hz);
    return text_of(&w->table);
}

const char *halfopen_ladder(struct halfopen *w)
{
    struct ho_ladder_opts opts = { .color = false };

    ho_text_clear(&w->ladder);
    return ho_ladder_write(&w->ladder, &w->timeline, &opts) == -ENOMEM ? NULL : text_of(&w->ladder);
}

const char *halfopen_timeline(struct halfopen *w, size_t *ret_len)
{
    ho_text_clear(&w->lines);
    ho_jsonl_write(&w->lines, &w->timeline, 0);
    *ret_len = w->lines.len;
    return text_of(&w->lines);
}
