#define _GNU_SOURCE
/* See support/kernel_play.h. */

#include "support/kernel_play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "timeline/jsonl.h"

#define FORMS 4

static const struct kernel_form forms[FORMS] = {
    { "root, tap", IN_ROOM_ROOT, HO_KERNEL_WIRE_TAP },
    { "root, veth", IN_ROOM_ROOT, HO_KERNEL_WIRE_VETH },
    { "user, veth", IN_ROOM_USER, HO_KERNEL_WIRE_VETH },
};

/* ---- which forms there are
 * ----------------------------------------------------------------------- */

static bool allowed(const struct kernel_form *f)
{
    if (f->name == NULL) {
        return false;
    }
    if (f->wire == HO_KERNEL_WIRE_TAP && access("/dev/net/tun", R_OK | W_OK) != 0) {
        return false;
    }
    return in_room_allowed(f->room);
}

const struct kernel_form *kernel_form(unsigned i)
{
    static int known[FORMS]; /* 0: not asked yet */

    for (unsigned f = 0; f < FORMS; f++) {
        if (known[f] == 0) {
            known[f] = allowed(&forms[f]) ? 1 : -1;
            if (known[f] < 0 && forms[f].name != NULL) {
                (void)fprintf(stderr, "left out, not allowed here: %s\n", forms[f].name);
            }
        }
        if (known[f] > 0 && i-- == 0) {
            return &forms[f];
        }
    }
    return NULL;
}

bool kernel_play_allowed(void)
{
    return kernel_form(0) != NULL;
}

/* ---- one play, in a room
 * ------------------------------------------------------------------------- */

static _Noreturn void stop(const char *what)
{
    (void)fprintf(stderr, "%s\n", what);
    (void)fflush(NULL);
    _exit(1);
}

void kernel_plan(struct kernel_play *p, const char *text, const struct kernel_form *form)
{
    struct ho_kernel_options options = { .wire = form->wire };
    struct ho_plan_options o = { .engine = "kernel" };
    struct ho_scn_error e = { .text = "" };

    memset(p, 0, sizeof(*p));
    if (ho_scn_parse(&p->scn, "test", text, strlen(text), &e) != 0) {
        stop(e.text);
    }
    struct ho_scn_case first = ho_scn_case(p->scn, 0);

    if (ho_plan_make(&p->plan, p->scn, &first, &o, &e) != 0) {
        stop(e.text);
    }
    ho_timeline_init(&p->tl, 0);
    if (ho_kernel_new(&p->engine, &options) != 0) {
        stop("no memory for the engine");
    }
}

int kernel_run(struct kernel_play *p)
{
    return ho_run(&p->result, p->plan, &p->engine, &p->tl, &p->why);
}

void kernel_play_free(struct kernel_play *p)
{
    p->engine.destroy(p->engine.self);
    ho_run_result_free(&p->result);
    ho_timeline_destroy(&p->tl);
    ho_plan_free(p->plan);
    ho_scn_free(p->scn);
}

static void dump(const struct kernel_play *p)
{
    struct ho_text t = { 0 };

    ho_jsonl_write(&t, &p->tl, 0);
    (void)fputs(ho_text_str(&t), stderr);
    ho_text_free(&t);
}

struct job {
    const char *text;
    const struct kernel_form *form;
    void (*look)(struct kernel_play *p);
    int (*body)(const struct kernel_form *form);
};

static int play(void *arg)
{
    const struct job *j = arg;
    struct kernel_play p;
    int bad = 0;

    kernel_plan(&p, j->text, j->form);
    if (kernel_run(&p) != 0) {
        (void)fprintf(stderr, "%s: line %u: %s\n", j->form->name, p.why.line, p.why.text);
        bad = 1;
    }
    for (size_t i = 0; i < p.result.judgement_count; i++) {
        if (!p.result.judgements[i].met) {
            (void)fprintf(stderr, "%s: %s\n", j->form->name, p.result.judgements[i].text);
            bad = 1;
        }
    }
    if (bad != 0 || getenv("KERNEL_PLAY_DUMP") != NULL) {
        dump(&p);
    }
    if (bad == 0 && j->look != NULL) {
        j->look(&p);
    }
    kernel_play_free(&p);
    return bad;
}

static int body(void *arg)
{
    const struct job *j = arg;

    return j->body(j->form);
}

/* ---- several at once
 * ----------------------------------------------------------------------------- */

static void run_all(struct job job, unsigned at_most)
{
    pid_t child[FORMS];
    unsigned n = 0;

    (void)fflush(NULL);
    for (; n < at_most && kernel_form(n) != NULL; n++) {
        job.form = kernel_form(n);
        child[n] = fork();
        if (child[n] == 0) {
            _exit(in_room(job.form->room, job.body != NULL ? body : play, &job));
        }
        assert_true(child[n] > 0);
    }
    assert_true(n > 0);

    const char *failed = NULL;

    for (unsigned i = 0; i < n; i++) {
        int status = 0;

        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        if (status != 0) {
            failed = kernel_form(i)->name;
            (void)fprintf(stderr, "%s: status %#x\n", failed, (unsigned)status);
        }
    }
    if (failed != NULL) {
        fail_msg("not fine in the form: %s", failed);
    }
}

void kernel_play_all(const char *text, void (*look)(struct kernel_play *p))
{
    run_all((struct job){ .text = text, .look = look }, FORMS);
}

void kernel_play_one(const char *text, void (*look)(struct kernel_play *p))
{
    run_all((struct job){ .text = text, .look = look }, 1);
}

void kernel_body_all(int (*body_of)(const struct kernel_form *form))
{
    run_all((struct job){ .body = body_of }, FORMS);
}

/* ---- looking
 * ------------------------------------------------------------------------------------- */

size_t kernel_count(const struct kernel_play *p, enum ho_rec_kind kind, const char *host)
{
    size_t n = 0;

    for (size_t i = 0; i < p->tl.n; i++) {
        const struct ho_record *r = &p->tl.rec[i];

        n += r->kind == kind && (host[0] == '\0' || strcmp(r->host, host) == 0);
    }
    return n;
}

size_t kernel_segs(const struct kernel_play *p, const char *host, uint8_t flags, enum ho_fate fate,
                   struct ho_time from)
{
    size_t n = 0;

    for (size_t i = 0; i < p->tl.n; i++) {
        const struct ho_record *r = &p->tl.rec[i];

        n += r->kind == HO_REC_SEG && strcmp(r->host, host) == 0 && r->u.seg.fate == fate &&
             (r->u.seg.flags & flags) == flags && !ho_time_before(r->t, from);
    }
    return n;
}

struct ho_time kernel_fault(const struct kernel_play *p, const char *name)
{
    for (size_t i = 0; i < p->tl.n; i++) {
        const struct ho_record *r = &p->tl.rec[i];

        if (r->kind == HO_REC_FAULT && strcmp(r->u.fault.name, name) == 0) {
            return r->t;
        }
    }
    return HO_NEVER;
}
