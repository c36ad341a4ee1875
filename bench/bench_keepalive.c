/* Keepalive death at Linux's defaults: a connection at rest, its cable cut, until the server has
 * given up, 2 h 11 min and more later. DESIGN's budget: 50 microseconds of CPU.
 *
 * What is measured is the play from the cut to the end. The worlds are built before: a world is
 * not part of the death. Once as `halfopen run` plays it, every record written, and once without
 * a timeline.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "model/model.h"
#include "scenario/runner.h"

#define WORLDS 64

static const char text[] = "host client\n"
                           "host server\n"
                           "cable client -- server\n"
                           "neighbours static\n"
                           "option server SO_KEEPALIVE 1\n"
                           "connection client -> server:80\n"
                           "at 10s cut\n"
                           "lasts 3h\n";

struct world {
    struct ho_plan *plan;
    struct ho_engine engine;
    struct ho_timeline timeline;
};

static void must(int err, const char *what)
{
    if (err != 0) {
        fprintf(stderr, "bench_keepalive: %s: %d\n", what, err);
        exit(1);
    }
}

/* A world that has come to the cut, the cut done. */
static void build(struct world *w, const struct ho_scn *scn, bool recorded)
{
    struct ho_plan_options options = { .engine = "model" };
    struct ho_scn_case c = ho_scn_case(scn, 0);
    struct ho_scn_error e;

    ho_timeline_init(&w->timeline, 0);
    must(ho_plan_make(&w->plan, scn, &c, &options, &e), "plan");
    must(ho_model_new(&w->engine), "engine");
    must(w->engine.begin(w->engine.self, w->plan, recorded ? &w->timeline : NULL), "begin");
    for (size_t i = 0; i < w->plan->step_count; i++) {
        must(w->engine.run_until(w->engine.self, w->plan->steps[i].at), "run");
        must(ho_run_step(&w->engine, &w->plan->steps[i]), "step");
    }
}

static void measure(const char *job, const struct ho_scn *scn, bool recorded)
{
    static struct world w[WORLDS];
    struct ho_bench b;

    memset(w, 0, sizeof(w));
    for (int i = 0; i < WORLDS; i++) {
        build(&w[i], scn, recorded);
    }
    b = ho_bench_start(job);
    for (int i = 0; i < WORLDS; i++) {
        must(w[i].engine.run_until(w[i].engine.self, w[i].plan->end), "play");
    }
    ho_bench_stop(&b, WORLDS, "death", "cpu_ns", 50000);
    for (int i = 0; i < WORLDS; i++) {
        w[i].engine.destroy(w[i].engine.self);
        ho_timeline_destroy(&w[i].timeline);
        ho_plan_free(w[i].plan);
    }
}

int main(void)
{
    struct ho_scn *scn;
    struct ho_scn_error e;

    must(ho_scn_parse(&scn, "keepalive", text, sizeof(text) - 1, &e), "scenario");
    measure("keepalive death, 2 h 11 min, recorded", scn, true);
    measure("keepalive death, 2 h 11 min, not recorded", scn, false);
    ho_scn_free(scn);
    return 0;
}
