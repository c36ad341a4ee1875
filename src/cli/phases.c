/* Many starting jiffies, one range a side. */

#include "cli/phases.h"

#include <stdlib.h>

#include "base/clk.h"
#include "cli/cli.h"

uint64_t ho_phases_step(const struct ho_timeline *tl, uint32_t hz)
{
    struct ho_clk clk = { .hz = hz };
    uint64_t largest = 1;

    for (size_t i = 0; i < tl->n && hz > 0; i++) {
        const struct ho_record *r = &tl->rec[i];

        if (r->kind == HO_REC_SOCK && r->u.sock.timer != HO_SOCK_TIMER_OFF) {
            uint64_t step = ho_wheel_step(ho_clk_dur_jiffies(&clk, r->u.sock.expires));

            largest = step > largest ? step : largest;
        }
    }
    return largest;
}

static void add_verdict(struct ho_phase_range *range, const struct ho_verdicts *v,
                        const struct ho_verdict *one)
{
    struct ho_time at = one->has_app ? one->app_at : one->kernel_at;

    if ((!one->has_app && !one->has_kernel) || ho_time_before(at, v->since)) {
        range->none++;
        return;
    }
    int64_t ns = at.ns - v->since.ns;

    range->min_ns = range->any && range->min_ns < ns ? range->min_ns : ns;
    range->max_ns = range->any && range->max_ns > ns ? range->max_ns : ns;
    range->any = true;
}

static int play_once(struct ho_play *p, const struct ho_run_options *o, uint64_t later)
{
    struct ho_play other;
    int code = ho_play_plan(&other, p->source, p->number, o);

    if (code != HO_EXIT_OK) {
        return code;
    }
    for (size_t i = 0; i < other.plan->node_count; i++) {
        other.plan->nodes[i].jiffies0 += later;
    }
    code = ho_play(&other, o);
    for (size_t i = 0; i < p->result.verdicts.n && code == HO_EXIT_OK; i++) {
        const struct ho_verdict *v = &p->result.verdicts.v[i];
        struct ho_verdict *same =
            ho_verdicts_find(&other.result.verdicts, v->host, v->process, v->conn);

        if (same != NULL) {
            add_verdict(&p->phase[i], &other.result.verdicts, same);
        }
    }
    ho_play_free(&other);
    return code;
}

int ho_phases_play(struct ho_play *p, const struct ho_run_options *o)
{
    int code = HO_EXIT_OK;

    p->phases = o->phases;
    p->phase_step = ho_phases_step(&p->timeline, ho_play_hz(p));
    p->phase = calloc(p->result.verdicts.n + 1, sizeof(*p->phase));
    if (p->phase == NULL) {
        return ho_cli_no_memory();
    }
    for (unsigned i = 0; i < o->phases && code == HO_EXIT_OK; i++) {
        code = play_once(p, o, p->phase_step * i / o->phases);
    }
    return code;
}
