/* Scenarios on several engines, side by side: which engines, playing, and what it adds up to.
 *
 * The kernel plays first, all cases in real time, in rooms; then the virtual kernel, in guests,
 * with the kernel's jiffy and sysctls, so that the two can be read side by side; timelines come
 * back as JSON lines. When the last engine's play of a case is back, the model plays it here and
 * the case is reported (compare_case.c). Without a kernel, or without a virtual one, that stage is
 * left out: two engines and three are the same way.
 *
 * Inside of a guest only that stage is there.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/compare.h"
#include "cli/guest.h"
#include "cli/source.h"
#include "os/why.h"
#include "timeline/jsonl.h"

enum part {
    PART_TIMELINE,
    PART_ACCOUNT /* "played" and the draws, or why not */
};

static const char played[] = "played ";

/* A case, as far as it was played. */
struct one {
    struct ho_compare_play kernel[HO_COMPARE_KERNELS];
    struct ho_text told; /* to the guest */
};

struct engines {
    struct ho_run_options o; /* engines: those that play here */
    struct ho_plays plays;
    struct one *one; /* one an item */
    size_t stage;    /* which kernel plays now */
    bool last;       /* no other comes after it */
    struct ho_compare_sum sum[HO_COMPARE_KERNELS];
    size_t compared, alike, not_here, reports;
    struct ho_text out;
    int code; /* the worst of plays that broke off */
};

/* ---- which engines --------------------------------------------------------------------------- */

static int missing(const struct ho_run_options *o, unsigned engine, struct ho_text *ret_why)
{
    char no_room[HO_OS_WHY], no_guest[HO_GUEST_MISSING];

    if (ho_guest_inside() != NULL || engine == HO_ENGINE_MODEL) {
        return HO_EXIT_OK;
    }
    if (engine == HO_ENGINE_KERNEL && ho_rooms_possible(no_room) != HO_EXIT_OK) {
        ho_text_put(ret_why, no_room);
    }
    if (engine == HO_ENGINE_VIRTUAL && ho_guest_missing(o, no_guest) != HO_EXIT_OK) {
        ho_text_put(ret_why, no_guest);
    }
    return ret_why->len == 0 ? HO_EXIT_OK : HO_EXIT_CANNOT;
}

/* Those that were named must be here; of the others those that are. */
static int choose_engines(struct ho_run_options *o)
{
    unsigned asked = o->engines, here = 0;
    int code = HO_EXIT_OK;

    for (unsigned e = 0; e < HO_ENGINES && code == HO_EXIT_OK; e++) {
        struct ho_text why = { 0 };
        unsigned engine = 1u << e;

        if (asked != 0 && (asked & engine) == 0) {
            continue;
        }
        if (missing(o, engine, &why) == HO_EXIT_OK) {
            here |= engine;
        } else if (asked != 0) {
            code = ho_cli_say(HO_EXIT_CANNOT, "the engine %s does not run here: %s",
                              ho_engine_names[e], ho_text_str(&why));
        } else {
            ho_cli_say(HO_EXIT_OK, "without the engine %s: %s", ho_engine_names[e],
                       ho_text_str(&why));
        }
        ho_text_free(&why);
    }
    if (code == HO_EXIT_OK && here == HO_ENGINE_MODEL) {
        code = ho_cli_say(HO_EXIT_CANNOT, "there is nothing here to compare the model with");
    }
    o->engines = here;
    return code;
}

/* ---- in a room or a guest -------------------------------------------------------------------- */

/* What the guest is told: the kernel's settings, which end at time 0. */
static int fit_to_told(struct ho_twin *t, struct ho_play *p, struct ho_timeline *ret_told)
{
    const char *told = ho_guest_inside() != NULL ? ho_guest_inside()->told : "";

    if (told[0] == '\0') {
        return HO_EXIT_OK;
    }
    if (ho_jsonl_read(ret_told, told, strlen(told), NULL) != 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "what the guest was told is not to be read");
    }
    return ho_twin_fit_kernel(t, p, ret_told);
}

static void hand_back(struct ho_text part[HO_ROOM_PARTS], const struct ho_play *p,
                      const struct ho_twin_draws *draws)
{
    if (!p->played) {
        ho_text_put(&part[PART_ACCOUNT], p->why.text);
        return;
    }
    ho_text_put(&part[PART_ACCOUNT], played);
    ho_twin_put_draws(&part[PART_ACCOUNT], draws);
    ho_jsonl_write(&part[PART_TIMELINE], &p->timeline, 0);
}

static int play_item(void *self, size_t i, struct ho_text part[HO_ROOM_PARTS])
{
    const struct engines *e = self;
    const struct ho_plays_item *item = &e->plays.item[i];
    const struct ho_run_options o = ho_options_on(&e->o, HO_ENGINE_KERNEL << e->stage);
    struct ho_twin_draws draws = { .draw = NULL };
    struct ho_twin twin = { .play = NULL };
    struct ho_timeline told;
    struct ho_play p;
    int code = ho_play_plan(&p, item->source, item->number, &o);

    if (code != HO_EXIT_OK) {
        return code;
    }
    ho_timeline_init(&told, 0);
    code = fit_to_told(&twin, &p, &told);
    code = code == HO_EXIT_OK ? ho_twin_play_kernel(&p, &draws) : code;
    if (code == HO_EXIT_OK) {
        hand_back(part, &p, &draws);
    }
    ho_twin_draws_free(&draws);
    ho_twin_free(&twin);
    ho_timeline_destroy(&told);
    ho_play_free(&p);
    return code;
}

/* ---- back outside ---------------------------------------------------------------------------- */

static int read_back(struct engines *e, size_t i, const struct ho_room_result *result)
{
    struct ho_compare_play *k = &e->one[i].kernel[e->stage];
    const char *account = ho_text_str(&result->part[PART_ACCOUNT]);
    const struct ho_text *timeline = &result->part[PART_TIMELINE];
    size_t head = sizeof(played) - 1;

    ho_timeline_init(&k->tl, 0);
    if (strncmp(account, played, head) != 0) {
        k->there = true;
        ho_text_put(&k->why, account);
        return ho_text_err(&k->why);
    }
    ssize_t n = ho_twin_read_draws(&k->draws, account + head);
    int err = n < 0 ? (int)n : ho_jsonl_read(&k->tl, ho_text_str(timeline), timeline->len, NULL);

    k->there = err == 0;
    k->played = err == 0;
    return err;
}

/* The kernel's settings at time 0, for whoever plays the case after it. */
static int tell_settings(struct one *one, struct ho_plays_item *item, const struct ho_timeline *tl)
{
    struct ho_timeline settings = *tl;

    for (settings.n = 0; settings.n < tl->n && tl->rec[settings.n].kind == HO_REC_SETTINGS;) {
        settings.n++;
    }
    settings.dropped = 0;
    ho_jsonl_write(&one->told, &settings, 0);
    item->told = ho_text_str(&one->told);
    return ho_text_err(&one->told);
}

static void add(struct engines *e, const struct ho_compare_result *r)
{
    e->compared += r->compared;
    e->alike += r->compared && r->alike;
    e->not_here += !r->compared;
    for (size_t k = 0; k < HO_COMPARE_KERNELS; k++) {
        struct ho_compare_sum *sum = &e->sum[k];
        const struct ho_compare_sum *one = &r->side[k];

        sum->plays += one->plays;
        sum->agree += one->agree;
        sum->events += one->events;
        sum->steps += one->steps;
        sum->worst_ns = one->worst_ns > sum->worst_ns ? one->worst_ns : sum->worst_ns;
        sum->worst_step_ns =
            one->worst_step_ns > sum->worst_step_ns ? one->worst_step_ns : sum->worst_step_ns;
        if (one->release[0] != '\0') {
            memcpy(sum->release, one->release, sizeof(sum->release));
        }
    }
}

static void free_one(struct one *one)
{
    for (size_t k = 0; k < HO_COMPARE_KERNELS; k++) {
        ho_timeline_destroy(&one->kernel[k].tl);
        ho_twin_draws_free(&one->kernel[k].draws);
        ho_text_free(&one->kernel[k].why);
    }
    ho_text_free(&one->told);
}

/* Of a case that no engine handed back nothing is said: why, was. */
static int report(struct engines *e, size_t i)
{
    bool json = e->o.format == HO_FORMAT_JSON;
    bool first = (e->o.engines & HO_ENGINE_KERNEL) == 0 || e->one[i].kernel[0].there;
    bool second = (e->o.engines & HO_ENGINE_VIRTUAL) == 0 || e->one[i].kernel[1].there;
    bool enough = (e->o.engines & HO_ENGINE_MODEL) != 0
                      ? e->one[i].kernel[0].there || e->one[i].kernel[1].there
                      : first && second;
    struct ho_compare_result result;
    struct ho_text one = { 0 };
    int code;

    if (!enough) {
        return HO_EXIT_OK;
    }
    code = ho_compare_case(&one, &result, &e->o, &e->plays.item[i], e->one[i].kernel);
    if (code != HO_EXIT_OK) {
        ho_text_free(&one);
        e->code = code > e->code ? code : e->code;
        return HO_EXIT_OK;
    }
    if (e->reports++ > 0) {
        ho_text_put(&e->out, json ? ",\n" : "\n");
    }
    ho_text_bytes(&e->out, ho_text_str(&one), one.len);
    ho_text_end_part(&e->out, &one);
    add(e, &result);
    if (json) {
        return HO_EXIT_OK;
    }
    code = ho_cli_put(&e->out);
    ho_text_clear(&e->out);
    return code == HO_EXIT_OK ? ho_cli_done() : code;
}

static int take_item(void *self, size_t i, const struct ho_room_result *result)
{
    struct engines *e = self;
    int code = HO_EXIT_OK;

    if (result->code != HO_EXIT_OK) {
        e->code = result->code > e->code ? result->code : e->code;
    } else if (ho_text_err(&result->part[PART_ACCOUNT]) != 0 ||
               ho_text_err(&result->part[PART_TIMELINE]) != 0) {
        return ho_cli_no_memory();
    } else {
        int err = read_back(e, i, result);

        if (err == -ENOMEM) {
            return ho_cli_no_memory();
        }
        if (err != 0) {
            e->code = ho_cli_say(HO_EXIT_CANNOT, "%s: what came back from the %s is no timeline",
                                 e->plays.item[i].name, ho_engine_names[1 + e->stage]);
        }
    }
    if (e->last) {
        code = report(e, i);
        free_one(&e->one[i]);
        e->one[i] = (struct one){ .told = { 0 } };
    } else if (e->one[i].kernel[e->stage].played &&
               tell_settings(&e->one[i], &e->plays.item[i], &e->one[i].kernel[e->stage].tl) != 0) {
        code = ho_cli_no_memory();
    }
    return code;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static int play_stages(struct engines *e)
{
    int code = HO_EXIT_OK;

    for (size_t k = 0; k < HO_COMPARE_KERNELS && code == HO_EXIT_OK; k++) {
        unsigned engine = HO_ENGINE_KERNEL << k;
        const struct ho_run_options o = ho_options_on(&e->o, engine);

        if ((e->o.engines & engine) != 0 &&
            (ho_guest_inside() == NULL || engine == HO_ENGINE_VIRTUAL)) {
            e->stage = k;
            e->last = e->o.engines < engine << 1;
            code = ho_plays_in_rooms(&e->plays, &o, e, play_item, take_item);
        }
    }
    return code;
}

static void put_sum(struct engines *e, const struct ho_compare_sum *s, const char *base,
                    const char *ending)
{
    ho_text_printf(&e->out, "%s agrees with Linux %s in %zu of %zu plays%s, within ", base,
                   s->release, s->agree, s->plays, ending);
    ho_text_dur(&e->out, ho_ns(s->worst_ns));
    if (s->steps > 0) {
        ho_text_printf(&e->out, "; %zu of %zu events a step of the timer wheel apart, up to ",
                       s->steps, s->events);
        ho_text_dur(&e->out, ho_ns(s->worst_step_ns));
    }
    ho_text_char(&e->out, '\n');
}

static void put_end(struct engines *e)
{
    const char *base = (e->o.engines & HO_ENGINE_MODEL) != 0 ? "model" : ho_engine_names[1];

    if (e->o.format == HO_FORMAT_JSON) {
        ho_text_printf(&e->out, "],\n\"compared\":%zu,\"alike\":%zu,\"not_compared\":%zu}\n",
                       e->compared, e->alike, e->not_here);
        return;
    }
    if (e->compared < 2) {
        return;
    }
    ho_text_char(&e->out, '\n');
    for (size_t k = 0; k < HO_COMPARE_KERNELS; k++) {
        if (e->sum[k].plays > 0) {
            put_sum(e, &e->sum[k], base, k == 1 ? " in virtual time" : "");
        }
    }
}

static int finish(struct engines *e)
{
    int code;

    put_end(e);
    code = ho_cli_put(&e->out);
    code = code == HO_EXIT_OK ? ho_cli_done() : code;
    if (e->plays.longer > 0) {
        fprintf(stderr, "%zu cases last longer and were left out\n", e->plays.longer);
    }
    code = code == HO_EXIT_OK ? e->code : code;
    if (code != HO_EXIT_OK) {
        return code;
    }
    if (e->compared == 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "nothing was compared");
    }
    return e->alike == e->compared ? HO_EXIT_OK : HO_EXIT_FOUND;
}

static int compare_all(struct engines *e)
{
    int code;

    e->one = calloc(e->plays.count + 1, sizeof(*e->one));
    if (e->one == NULL) {
        return ho_cli_no_memory();
    }
    code = play_stages(e);
    code = code == HO_EXIT_OK ? finish(e) : code;
    for (size_t i = 0; i < e->plays.count; i++) {
        free_one(&e->one[i]);
    }
    free(e->one);
    return code;
}

int ho_compare_engines(const struct ho_run_options *o)
{
    struct engines e = { .o = *o };
    struct ho_source *s = NULL;
    size_t count = 0;
    int code = ho_sources_read(&s, &count, o);

    if (code != HO_EXIT_OK) {
        return code;
    }
    code = ho_plays_list(&e.plays, s, count, o);
    code = code == HO_EXIT_OK ? choose_engines(&e.o) : code;
    if (code == HO_EXIT_OK && o->format == HO_FORMAT_JSON) {
        ho_text_printf(&e.out,
                       "{\"schema\":%d,\"program\":\"halfopen\",\"version\":\"%s\",\"plays\":[\n",
                       HO_COMPARE_SCHEMA, HALFOPEN_VERSION);
    }
    code = code == HO_EXIT_OK ? compare_all(&e) : code;
    ho_plays_free(&e.plays);
    ho_sources_free(s, count);
    ho_text_free(&e.out);
    ho_rooms_end(code);
    return code;
}
