/* Putting records into the timeline at the present instant. */

#include "model/world.h"

#include <errno.h>

const char *ho_model_name(struct ho_model *m, const char *text)
{
    const char *name = ho_timeline_name(m->tl != NULL ? m->tl : &m->names, text);

    if (name == NULL) {
        ho_model_fail(m, -ENOMEM, "no memory for the timeline");
        return "";
    }
    return name;
}

void ho_model_put(struct ho_model *m, struct ho_record *r)
{
    r->t = m->now;
    if (ho_timeline_append(m->tl, r) != 0) {
        ho_model_fail(m, -ENOMEM, "no memory for the timeline");
    }
}

void ho_model_put_fault(struct ho_model *m, const struct ho_step *step, const char *host,
                        const char *process, const char *what, const char *detail)
{
    if (m->tl == NULL) {
        return;
    }
    const char *verb = ho_step_text(step->kind);

    if (step->kind == HO_STEP_CUT && step->u.direction != HO_BOTH_WAYS) {
        verb = "half-cut";
    }
    ho_model_put(m, &(struct ho_record){
                        .kind = HO_REC_FAULT,
                        .host = host,
                        .process = process,
                        .u.fault.name = ho_model_name(m, step->label != NULL ? step->label : verb),
                        .u.fault.verb = ho_model_name(m, verb),
                        .u.fault.what = ho_model_name(m, what),
                        .u.fault.detail = ho_model_name(m, detail),
                    });
}
