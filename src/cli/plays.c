/* The list of plays. See cli/plays.h. */

#include "cli/plays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/guest.h"
#include "cli/machine.h"

static bool is_wanted(const struct ho_run_options *o, const struct ho_play *p)
{
    char number[24];

    if (o->which == NULL) {
        return true;
    }
    snprintf(number, sizeof(number), "%zu", p->number + 1);
    return strcmp(o->which, number) == 0 || strcmp(o->which, p->plan->case_name) == 0;
}

static int add(struct ho_plays *list, const struct ho_source *s, size_t number,
               const struct ho_play *p)
{
    struct ho_plays_item *item = realloc(list->item, (list->count + 1) * sizeof(*item));

    if (item == NULL) {
        return ho_cli_no_memory();
    }
    list->item = item;
    item = &list->item[list->count++];
    *item = (struct ho_plays_item){ .source = s, .number = number };
    if (p != NULL) {
        item->lasts = ho_ns(p->plan->end.ns);
        snprintf(item->name, sizeof(item->name), "%s", ho_play_name(p));
    }
    return HO_EXIT_OK;
}

/* On the model a play takes no longer than its plan: only what chooses needs one beforehand. */
static bool needs_plan(const struct ho_run_options *o)
{
    return strcmp(o->plan.engine, "model") != 0 || o->command != HO_OPTIONS_RUN ||
           o->which != NULL || o->longest.ns > 0;
}

static int list_case(struct ho_plays *list, const struct ho_source *s, size_t number,
                     const struct ho_run_options *o, bool *ret_found)
{
    struct ho_play p;
    int code;

    if (!needs_plan(o)) {
        *ret_found = true;
        return add(list, s, number, NULL);
    }
    code = ho_play_plan(&p, s, number, o);
    if (code != HO_EXIT_OK) {
        return code;
    }
    if (is_wanted(o, &p)) {
        *ret_found = true;
        if (o->longest.ns > 0 && p.plan->end.ns > o->longest.ns) {
            list->longer++;
        } else {
            code = add(list, s, number, &p);
        }
    }
    ho_play_free(&p);
    return code;
}

int ho_plays_list(struct ho_plays *ret, const struct ho_source *s, size_t count,
                  const struct ho_run_options *o)
{
    struct ho_plays list = { .count = 0 };
    bool found = false;
    int code = HO_EXIT_OK;

    for (size_t i = 0; i < count && code == HO_EXIT_OK; i++) {
        size_t cases = ho_scn_case_count(s[i].scn);

        for (size_t k = 0; k < cases && code == HO_EXIT_OK; k++) {
            code = list_case(&list, &s[i], k, o, &found);
        }
    }
    if (code == HO_EXIT_OK && !found) {
        code =
            ho_cli_say(HO_EXIT_USAGE, "--case: no case '%s'; %s has %zu, the table names them",
                       o->which != NULL ? o->which : "", s[0].where, ho_scn_case_count(s[0].scn));
    }
    if (code != HO_EXIT_OK) {
        ho_plays_free(&list);
        return code;
    }
    *ret = list;
    return HO_EXIT_OK;
}

void ho_plays_free(struct ho_plays *p)
{
    free(p->item);
    *p = (struct ho_plays){ .count = 0 };
}

/* ---- in rooms -------------------------------------------------------------------------------- */

struct in_rooms {
    const struct ho_plays *plays;
    const struct ho_run_options *o;
    size_t first; /* the item that is number 0 of the rooms */
    void *self;
    int (*work)(void *self, size_t i, struct ho_text part[HO_ROOM_PARTS]);
    int (*take)(void *self, size_t i, const struct ho_room_result *result);
};

static const char *name_of(const void *self, size_t i)
{
    const struct in_rooms *r = self;

    return r->plays->item[r->first + i].name;
}

static struct ho_dur lasts(const void *self, size_t i)
{
    const struct in_rooms *r = self;

    return r->o->virtual_kernel ? ho_ns(0) : r->plays->item[r->first + i].lasts;
}

static int work(void *self, size_t i, struct ho_text part[HO_ROOM_PARTS])
{
    struct in_rooms *r = self;

    return r->work(r->self, r->first + i, part);
}

static int take(void *self, size_t i, const struct ho_room_result *result)
{
    struct in_rooms *r = self;

    return r->take(r->self, r->first + i, result);
}

/* ---- on a virtual kernel: outside, and inside of it -------------------------------------------
 */

static int work_in_guest(void *self, size_t i, struct ho_text part[HO_ROOM_PARTS])
{
    struct in_rooms *r = self;
    const struct ho_plays_item *item = &r->plays->item[i];
    struct ho_play p;
    int code = ho_play_plan(&p, item->source, item->number, r->o);

    if (code == HO_EXIT_OK) {
        code = ho_guest_item(r->o, p.plan, i, item->told, part);
        ho_play_free(&p);
    }
    return code;
}

static int take_inside(void *self, size_t i, const struct ho_room_result *result)
{
    int err = ho_guest_hand_back(ho_guest_inside(), result->code, result->part);

    (void)self;
    (void)i;
    return err == 0 ? HO_EXIT_OK : ho_cli_say(HO_EXIT_CANNOT, "the results: %s", strerror(-err));
}

int ho_plays_in_rooms(const struct ho_plays *p, const struct ho_run_options *o, void *self,
                      int (*work_on)(void *self, size_t i, struct ho_text part[HO_ROOM_PARTS]),
                      int (*take_it)(void *self, size_t i, const struct ho_room_result *result))
{
    const struct ho_guest_inside *g = ho_guest_inside();
    struct in_rooms r = { .plays = p, .o = o, .self = self, .work = work_on, .take = take_it };
    struct ho_rooms rooms = { .self = &r,
                              .count = p->count,
                              .at_once = o->jobs > 0 ? o->jobs : ho_machine_jobs(),
                              .name = name_of,
                              .lasts = lasts,
                              .work = work,
                              .take = take };

    if (g != NULL && g->item < p->count) {
        r.first = g->item;
        rooms.count = 1;
        rooms.quiet = true;
        rooms.take = take_inside;
        ho_rooms_run(&rooms);
        fflush(NULL);
        ho_guest_end(); /* the rest is done outside */
    }
    if (o->virtual_kernel) {
        int code = ho_guest_possible(o);

        if (code != HO_EXIT_OK) {
            return code;
        }
        rooms.at_once = o->jobs > 0 ? o->jobs : ho_machine_processors();
        rooms.plain = true;
        rooms.work = work_in_guest;
    }
    return ho_rooms_run(&rooms);
}
