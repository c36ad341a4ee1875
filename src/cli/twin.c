/* A kernel's settings and draws, given to another engine. See cli/twin.h. */

#include "cli/twin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "cli/cli.h"
#include "cli/guest.h"
#include "cli/machine.h"
#include "kernel/kernel.h"
#include "knobs/profile.h"
#include "knobs/sysctl.h"
#include "model/model.h"
#include "os/neightbl.h"

#define DRAWS_MAX (1 << 20)
#define NICS_MAX 64 /* of a host whose draws are read */
#define REDRAWN_S \
    299 /* after a kernel drew anew it does not so again (neigh_periodic_work: 300 s) */
#define COLLECT_S 15     /* how often it could: half of base_reachable_time, on the wheel's grid */
#define BEHIND_NS 100000 /* a look comes behind what the tick did, and before answers to it */
#define LINKWATCH_MAX_NS (1100 * INT64_C(1000000)) /* it acts within a second */

/* ---- in between the runner and an engine ----------------------------------------------------- */

/* The runner (scenario/runner.h) calls an engine's begin and finish; something is to be done behind
 * the one and before the other. The engine's table is copied with these two replaced; whose they
 * are is kept here, since they are given nothing but the engine's own `self`.
 */
static struct {
    struct ho_twin_draws *drawn;       /* by the kernel that plays */
    const struct ho_twin_draws *given; /* to the model that plays */
    size_t next;                       /* of the given ones */
    int64_t linkwatch_ns;              /* for the model */
    struct ho_time look;               /* when the kernel's draws are read next */
    uint64_t lives;                    /* of all hosts, at the last look */
    int err;
    const struct ho_engine *engine;
    struct ho_play *play;
} between;

static int keep_draw(const struct ho_twin_draw *draw)
{
    struct ho_twin_draws *d = between.drawn;

    if (d->n == d->room) {
        size_t room = d->room * 2 + 16;
        struct ho_twin_draw *more = realloc(d->draw, room * sizeof(*more));

        if (more == NULL) {
            return -ENOMEM;
        }
        d->draw = more;
        d->room = room;
    }
    d->draw[d->n++] = *draw;
    return 0;
}

/* What was drawn last for that interface; 0: nothing yet. */
static int64_t last_draw(uint16_t node, uint16_t nic)
{
    const struct ho_twin_draws *d = between.drawn;

    for (size_t i = d->n; i-- > 0;) {
        if (d->draw[i].node == node && d->draw[i].nic == nic) {
            return d->draw[i].ns;
        }
    }
    return 0;
}

/* Reads what the namespace of a host has now. Returns whether anything is new. */
static bool read_host(uint16_t node, int64_t at_ns)
{
    const struct ho_plan *plan = between.play->plan;
    struct ho_os_reachable times[NICS_MAX];
    int family = plan->family == HO_FAMILY_V6 ? AF_INET6 : AF_INET;
    int netns = plan->nodes[node].kind == HO_NODE_HOST
                    ? ho_kernel_netns(ho_kernel_of(between.engine), node)
                    : -1;
    int n = netns < 0 ? 0 : ho_os_reachable_times(netns, family, times, NICS_MAX);
    bool any = false;

    for (int j = 0; j < n; j++) {
        const struct ho_twin_draw draw = { at_ns, times[j].ns, node, (uint16_t)j };

        if (last_draw(node, draw.nic) != draw.ns) {
            between.err = between.err != 0 ? between.err : keep_draw(&draw);
            any = true;
        }
    }
    return any;
}

static uint64_t count_lives(void)
{
    uint64_t lives = 0;

    for (size_t i = 0; i < between.play->plan->node_count; i++) {
        if (between.play->plan->nodes[i].kind == HO_NODE_HOST) {
            lives += ho_kernel_life(ho_kernel_of(between.engine), (uint16_t)i);
        }
    }
    return lives;
}

/* When the kernel may have drawn next. Its timer is on the grid on which timers of seconds are, and
 * deferrable: it fires in the tick of one of those, or when the processor is awake, so in the tick
 * after a look. What is asked in the first of the two is answered a millisecond later, and judged
 * by the time just drawn. So there is a look behind either.
 */
static struct ho_time next_look(struct ho_time now)
{
    struct ho_clk clk;

    if (!ho_kernel_clk(ho_kernel_of(between.engine), &clk) || clk.hz == 0) {
        return ho_time_add(now, ho_s(1));
    }
    uint64_t step = ho_wheel_step((uint64_t)COLLECT_S * clk.hz);
    uint64_t j = ho_clk_jiffies(&clk, now), tick = j % step == 0 ? j + 1 : (j / step + 1) * step;
    return ho_time_add(ho_clk_jiffy_time(&clk, tick), ho_ns(BEHIND_NS));
}

/* Reads all hosts; the next look is at the next tick of the grid, or when the kernel may draw
 * again.
 */
static void look(void)
{
    struct ho_time now = ho_kernel_now(ho_kernel_of(between.engine));
    uint64_t lives = count_lives();
    bool booted = lives != between.lives, any = false;

    for (size_t i = 0; i < between.play->plan->node_count; i++) {
        any |= read_host((uint16_t)i, now.ns);
    }
    between.look = next_look(now);
    if (any && !booted) {
        between.drawn->redrawn++;
        between.look = ho_time_add(now, ho_s(REDRAWN_S));
    }
    between.lives = lives;
}

static int begin_kernel(void *self, const struct ho_plan *plan, struct ho_timeline *timeline)
{
    int err = between.engine->begin(self, plan, timeline);

    between.lives = 0;
    if (err == 0) {
        look();
    }
    return err != 0 ? err : between.err;
}

static int run_kernel(void *self, struct ho_time until)
{
    int err = between.err;

    if (count_lives() != between.lives) {
        look();
    }
    while (err == 0 && ho_time_before(between.look, until)) {
        err = between.engine->run_until(self, between.look);
        if (err == 0) {
            look();
            err = between.err;
        }
    }
    return err == 0 ? between.engine->run_until(self, until) : err;
}

static size_t count_nics(const struct ho_plan *plan, uint16_t node)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->cable_count; i++) {
        n += plan->cables[i].a == node || plan->cables[i].b == node;
    }
    return n;
}

/* Gives the model's hosts what the kernel's had drawn by `now`. */
static void give(struct ho_time now)
{
    struct ho_model *m = ho_model_of(between.engine);
    bool ipv6 = between.play->plan->family == HO_FAMILY_V6;

    for (; between.next < between.given->n; between.next++) {
        const struct ho_twin_draw *d = &between.given->draw[between.next];
        struct ho_host *host =
            d->node < between.play->plan->node_count ? ho_model_host(m, d->node) : NULL;

        if (d->at_ns > now.ns) {
            break;
        }
        if (host != NULL && d->nic < count_nics(between.play->plan, d->node)) {
            ho_host_neigh_hold(host, d->nic, ipv6, ho_ns(d->ns));
        }
    }
}

static int begin_model(void *self, const struct ho_plan *plan, struct ho_timeline *timeline)
{
    int err = between.engine->begin(self, plan, timeline);

    ho_model_linkwatch(ho_model_of(between.engine), between.linkwatch_ns);
    between.next = 0;
    if (err == 0) {
        give((struct ho_time){ 0 });
    }
    return err;
}

static int run_model(void *self, struct ho_time until)
{
    int err = 0;

    while (err == 0 && between.next < between.given->n &&
           between.given->draw[between.next].at_ns < until.ns) {
        struct ho_time at = { between.given->draw[between.next].at_ns };

        err = between.engine->run_until(self, at);
        give(at);
    }
    return err == 0 ? between.engine->run_until(self, until) : err;
}

/* ---- the kernel ------------------------------------------------------------------------------ */

int ho_twin_play_kernel(struct ho_play *p, struct ho_twin_draws *ret)
{
    struct ho_kernel_options options = ho_guest_kernel_options();
    struct ho_engine engine, copy;
    int code;

    *ret = (struct ho_twin_draws){ .draw = NULL };
    if (ho_kernel_new(&engine, &options) != 0) {
        return ho_cli_no_memory();
    }
    between.drawn = ret;
    between.err = 0;
    between.engine = &engine;
    between.play = p;
    copy = engine;
    copy.begin = begin_kernel;
    copy.run_until = run_kernel;
    code = ho_play_on(p, &copy);
    ho_play_warnings(&engine);
    engine.destroy(engine.self);
    return code;
}

void ho_twin_draws_free(struct ho_twin_draws *d)
{
    free(d->draw);
    *d = (struct ho_twin_draws){ .draw = NULL };
}

/* ---- draws as text: how often anew, how many, and each one's four numbers ----------------------
 */

void ho_twin_put_draws(struct ho_text *out, const struct ho_twin_draws *d)
{
    ho_text_printf(out, "%zu %zu", d->redrawn, d->n);
    for (size_t i = 0; i < d->n; i++) {
        ho_text_char(out, ' ');
        ho_text_int(out, d->draw[i].at_ns);
        ho_text_printf(out, " %u %u ", d->draw[i].node, d->draw[i].nic);
        ho_text_int(out, d->draw[i].ns);
    }
    ho_text_char(out, '\n');
}

/* The next number of a line. Returns false if there is none, or one below 0 or above `max`. */
static bool read_number(const char **at, int64_t max, int64_t *ret)
{
    char *end;

    if (**at == '\n' || **at == '\0') {
        return false;
    }
    errno = 0;
    long long n = strtoll(*at, &end, 10);
    if (end == *at || errno != 0 || n < 0 || n > max) {
        return false;
    }
    *at = end;
    *ret = n;
    return true;
}

static bool read_draw(const char **at, struct ho_twin_draw *ret)
{
    int64_t at_ns, node, nic, ns;

    if (!read_number(at, INT64_MAX, &at_ns) || !read_number(at, UINT16_MAX, &node) ||
        !read_number(at, UINT16_MAX, &nic) || !read_number(at, INT64_MAX, &ns)) {
        return false;
    }
    *ret = (struct ho_twin_draw){ at_ns, ns, (uint16_t)node, (uint16_t)nic };
    return true;
}

ssize_t ho_twin_read_draws(struct ho_twin_draws *ret, const char *text)
{
    struct ho_twin_draws d = { .draw = NULL };
    const char *at = text;
    int64_t redrawn, n;

    if (!read_number(&at, DRAWS_MAX, &redrawn) || !read_number(&at, DRAWS_MAX, &n)) {
        return -EINVAL;
    }
    d.redrawn = (size_t)redrawn;
    d.room = (size_t)n;
    d.draw = calloc(d.room + 1, sizeof(*d.draw));
    if (d.draw == NULL) {
        return -ENOMEM;
    }
    while (d.n < d.room && read_draw(&at, &d.draw[d.n])) {
        d.n++;
    }
    if (d.n < d.room || *at != '\n') {
        free(d.draw);
        return -EINVAL;
    }
    *ret = d;
    return at + 1 - text;
}

/* ---- what it was ----------------------------------------------------------------------------- */

static const struct ho_record *setting(const struct ho_timeline *tl, const char *host,
                                       const char *name)
{
    return ho_timeline_setting(tl, tl->n, "host", host, "", name);
}

/* The ticks of a host at time 0; with `same_hz` only those of its own HZ. Returns false if its
 * jiffy is not known.
 */
static bool fit_ticks(struct ho_plan_node *node, const struct ho_timeline *tl, bool same_hz)
{
    const struct ho_record *hz = setting(tl, node->name, "hz");
    const struct ho_record *jiffies0 = setting(tl, node->name, "jiffies0");
    const struct ho_record *phase = setting(tl, node->name, "phase_ns");

    if (same_hz && (hz == NULL || hz->u.settings.value != node->hz)) {
        return false;
    }
    if (hz != NULL) {
        node->hz = (uint32_t)hz->u.settings.value;
    }
    if (phase != NULL) {
        node->phase_ns = phase->u.settings.value;
    }
    if (jiffies0 == NULL) {
        return false;
    }
    node->jiffies0 = (uint64_t)jiffies0->u.settings.value;
    return phase != NULL;
}

static int find_host(const struct ho_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        if (plan->nodes[i].kind == HO_NODE_HOST && strcmp(plan->nodes[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* The step that sets what the record says; false if the model does not take it. */
static bool make_step(struct ho_step *ret, char value[64], const struct ho_plan *plan,
                      const struct ho_record *r)
{
    const struct ho_rec_settings *s = &r->u.settings;
    int host = find_host(plan, r->host);
    int id = ho_sysctl_find(s->name);
    struct ho_sysctls scratch;

    if (host < 0 || id < 0) {
        return false;
    }
    if (s->text[0] != '\0') {
        snprintf(value, 64, "%s", s->text);
    } else {
        snprintf(value, 64, "%lld", (long long)s->value);
    }
    ho_sysctls_init(&scratch);
    if (ho_sysctl_parse(&scratch, s->name, value) != 0) {
        return false;
    }
    *ret = (struct ho_step){ .kind = HO_STEP_SYSCTL, .host = (uint16_t)host };
    ret->u.sysctl =
        (struct ho_plan_sysctl){ .host = (uint16_t)host, .id = id, .name = s->name, .text = value };
    return true;
}

/* Is it about time 0? What the play itself sets later, the model is told by its own steps. */
static bool is_first(const struct ho_record *r)
{
    return r->kind == HO_REC_SETTINGS && r->t.ns <= 0 && strcmp(r->u.settings.scope, "sysctl") == 0;
}

/* May a kernel of this profile be told it? Those of net.core are the machine's. */
static bool is_tellable(const char *name, enum ho_profile_id profile)
{
    int id = ho_sysctl_find(name);

    return strncmp(name, "net.core.", 9) != 0 && id >= 0 &&
           ho_profile_has_sysctl(profile, (enum ho_sysctl)id);
}

/* The kernel's sysctls, then the plan's own, which they hold already. `told` is the profile of the
 * kernel that is told; negative: the model is.
 */
static int fit_sysctls(struct ho_twin *t, struct ho_plan *plan, const struct ho_timeline *tl,
                       int told)
{
    size_t n = 0, count = 0;

    while (n < tl->n && tl->rec[n].t.ns <= 0) {
        n++;
    }
    t->setup = calloc(n + plan->setup_count + 1, sizeof(*t->setup));
    t->value = calloc(n + 1, sizeof(*t->value));
    if (t->setup == NULL || t->value == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        if (!is_first(&tl->rec[i]) ||
            (told >= 0 && !is_tellable(tl->rec[i].u.settings.name, (enum ho_profile_id)told))) {
            continue;
        }
        if (make_step(&t->setup[count], t->value[count], plan, &tl->rec[i])) {
            count++;
        } else {
            t->left_out++;
        }
    }
    if (plan->setup_count > 0) {
        memcpy(&t->setup[count], plan->setup, plan->setup_count * sizeof(*t->setup));
    }
    t->planned = plan->setup;
    t->planned_count = plan->setup_count;
    plan->setup = t->setup;
    plan->setup_count += count;
    return 0;
}

static bool loses_carrier(const struct ho_record *r)
{
    return r->kind == HO_REC_FAULT &&
           (strcmp(r->u.fault.verb, "unplug") == 0 || strcmp(r->u.fault.verb, "power-off") == 0);
}

/* When the first neighbour went after a plug was pulled or the peer's host lost its power. */
static int64_t find_linkwatch(const struct ho_timeline *tl)
{
    const struct ho_record *fault = NULL;

    for (size_t i = 0; i < tl->n; i++) {
        const struct ho_record *r = &tl->rec[i];

        if (loses_carrier(r)) {
            fault = r;
        } else if (fault != NULL && r->t.ns - fault->t.ns > LINKWATCH_MAX_NS) {
            fault = NULL;
        } else if (fault != NULL && r->kind == HO_REC_NEIGH &&
                   strcmp(r->u.neigh.state, "gone") == 0 && strcmp(r->host, fault->host) != 0) {
            return r->t.ns - fault->t.ns;
        }
    }
    return -1;
}

static int fit(struct ho_twin *t, struct ho_play *p, const struct ho_timeline *kernel, bool model)
{
    bool exact;
    const struct ho_record *release =
        ho_timeline_setting(kernel, kernel->n, "run", "", "", "kernel");
    const char *profile =
        ho_machine_profile_of(release != NULL ? release->u.settings.text : "", &t->profile_exact);

    t->jiffies_known = true;
    for (size_t i = 0; i < p->plan->node_count; i++) {
        struct ho_plan_node *node = &p->plan->nodes[i];

        if (node->kind == HO_NODE_HOST) {
            node->profile = model ? profile : node->profile;
            t->jiffies_known &= fit_ticks(node, kernel, !model);
        }
    }
    t->linkwatch_ns = find_linkwatch(kernel);
    t->play = p;
    return fit_sysctls(t, p->plan, kernel,
                       model ? -1 : ho_profile_find(ho_machine_profile(&exact)));
}

int ho_twin_fit_kernel(struct ho_twin *ret, struct ho_play *p, const struct ho_timeline *kernel)
{
    *ret = (struct ho_twin){ .play = NULL };
    return fit(ret, p, kernel, false) == 0 ? HO_EXIT_OK : ho_cli_no_memory();
}

/* ---- the model ------------------------------------------------------------------------------- */

int ho_twin_play_model(struct ho_twin *ret, struct ho_play *model, const struct ho_timeline *kernel,
                       const struct ho_twin_draws *draws)
{
    struct ho_engine engine, copy;
    int code;

    *ret = (struct ho_twin){ .play = NULL };
    if (fit(ret, model, kernel, true) != 0 || ho_model_new(&engine) != 0) {
        return ho_cli_no_memory();
    }
    between.given = draws;
    between.linkwatch_ns = ret->linkwatch_ns;
    between.engine = &engine;
    between.play = model;
    copy = engine;
    copy.begin = begin_model;
    copy.run_until = run_model;
    code = ho_play_on(model, &copy);
    engine.destroy(engine.self);
    return code;
}

void ho_twin_free(struct ho_twin *t)
{
    if (t->setup != NULL && t->play != NULL && t->play->plan->setup == t->setup) {
        t->play->plan->setup = t->planned;
        t->play->plan->setup_count = t->planned_count;
    }
    free(t->setup);
    free(t->value);
    *t = (struct ho_twin){ .play = NULL };
}
