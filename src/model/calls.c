/* A plan's calls, given to the program `raw`, the process's hands, which are made at the first
 * call. play/verbs.h says what they are told.
 */

#include <errno.h>

#include "model/world.h"
#include "play/verbs.h"

/* The process's hands; NULL without memory. */
static struct ho_model_program *hands(struct ho_model *m, struct ho_model_proc *p)
{
    struct ho_model_program *g;

    for (unsigned i = 0; i < HO_MODEL_PROGRAMS; i++) {
        if (p->program[i].program != NULL && p->program[i].raw) {
            return &p->program[i];
        }
    }
    if (ho_model_proc_add(m, p, "raw", NULL, 0, NULL, &g) != 0) {
        ho_trace_fail(&m->tr, -ENOMEM, "no memory for a process");
        return NULL;
    }
    ho_model_program_run(m, g); /* it makes its epoll; without memory for it, it ends */
    if (g->program == NULL) {
        ho_trace_fail(&m->tr, -ENOMEM, "no memory for a process");
        return NULL;
    }
    return g;
}

static int tell(struct ho_model *m, struct ho_model_program *g, const struct ho_play_verb *v)
{
    struct ho_program_error error = { .text = "" };
    int r = ho_program_command(g->program, v->name, v->arg, v->n, m->tr.now, &error);

    return ho_play_verb_result(&m->tr, &g->proc->play, v->name, r, &error);
}

void ho_model_call_accepted(struct ho_model *m, struct ho_model_program *g, int fd)
{
    const char *on = ho_model_sock_name(g, fd);
    struct ho_play_verb v;

    if (on == NULL) {
        return;
    }
    ho_play_verb_accepted(on, &v);
    if (tell(m, g, &v) != 0) {
        ho_trace_fail(&m->tr, -ENOMEM, "an accepted connection cannot be told to wait");
    }
}

int ho_model_call(struct ho_model *m, struct ho_model_proc *p, const struct ho_plan_call *call)
{
    struct ho_model_program *g = hands(m, p);
    struct ho_play_verb v;
    int r = 1;

    if (g == NULL) {
        return m->tr.err;
    }
    for (unsigned i = 0; r == 1; i++) {
        int err;

        r = ho_play_verb(&m->tr, &p->play, call, i, &v);
        err = r == 1 ? tell(m, g, &v) : r;
        if (err != 0) {
            return err;
        }
    }
    ho_model_program_run(m, g);
    return 0;
}
