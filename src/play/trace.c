/* The record of one play: names and the putting of records at the present instant. */

#include "play/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "play/socks.h"

void ho_trace_init(struct ho_trace *tr)
{
    *tr = (struct ho_trace){ 0 };
    ho_timeline_init(&tr->names, 0);
    ho_play_conns_init(&tr->conns);
}

/* Names in records must outlive the timeline's other sources: the timeline keeps its own. */
static void intern_names(struct ho_trace *tr)
{
    const struct ho_plan *p = tr->plan;

    for (size_t i = 0; i < p->node_count; i++) {
        tr->node[i].name = ho_trace_name(tr, p->nodes[i].name);
        ho_list_init(&tr->node[i].ends);
    }
    for (size_t i = 0; i < p->proc_count; i++) {
        tr->proc[i] = ho_trace_name(tr, p->procs[i].name);
    }
    for (size_t i = 0; i < p->cable_count; i++) {
        tr->cable[i] = ho_trace_name(tr, p->cables[i].name);
    }
}

int ho_trace_begin(struct ho_trace *tr, const struct ho_plan *plan, struct ho_timeline *timeline)
{
    tr->plan = plan;
    tr->tl = timeline;
    tr->node = calloc(plan->node_count + 1, sizeof(*tr->node));
    tr->proc = calloc(plan->proc_count + 1, sizeof(*tr->proc));
    tr->cable = calloc(plan->cable_count + 1, sizeof(*tr->cable));
    if (tr->node == NULL || tr->proc == NULL || tr->cable == NULL) {
        return -ENOMEM;
    }
    intern_names(tr);
    return tr->err;
}

void ho_trace_destroy(struct ho_trace *tr)
{
    for (size_t i = 0; tr->node != NULL && i < tr->plan->node_count; i++) {
        free(tr->node[i].neigh);
    }
    free(tr->node);
    free(tr->proc);
    free(tr->cable);
    tr->node = NULL;
    tr->proc = NULL;
    tr->cable = NULL;
    ho_play_conns_free(&tr->conns);
    ho_timeline_destroy(&tr->names);
}

const char *ho_trace_name(struct ho_trace *tr, const char *text)
{
    const char *name = ho_timeline_name(tr->tl != NULL ? tr->tl : &tr->names, text);

    if (name == NULL) {
        ho_trace_fail(tr, -ENOMEM, "no memory for the timeline");
        return "";
    }
    return name;
}

void ho_trace_put(struct ho_trace *tr, struct ho_record *r)
{
    if (tr->tl == NULL) {
        return;
    }
    r->t = tr->now;
    if (ho_timeline_append(tr->tl, r) != 0) {
        ho_trace_fail(tr, -ENOMEM, "no memory for the timeline");
    }
}

void ho_trace_note(struct ho_trace *tr, const char *host, const char *text)
{
    if (tr->tl != NULL) {
        ho_trace_put(tr, &(struct ho_record){ .kind = HO_REC_NOTE,
                                              .host = ho_trace_name(tr, host),
                                              .u.note.text = ho_trace_name(tr, text) });
    }
}

void ho_trace_fail(struct ho_trace *tr, int err, const char *why)
{
    if (tr->err == 0) {
        tr->err = err;
        if (why != tr->why) { /* what is said already stays */
            snprintf(tr->why, sizeof(tr->why), "%s", why);
        }
    }
}

int ho_trace_refuse(struct ho_trace *tr, const char *what, const char *why)
{
    snprintf(tr->why, sizeof(tr->why), "%s: %s", what, why);
    return -EINVAL;
}
