/* The plays that a command line asks for: which cases of which scenarios, and doing them - one
 * after another here for the model, in rooms for the kernel (cli/rooms.h).
 */

#ifndef HO_CLI_PLAYS_H
#define HO_CLI_PLAYS_H

#include "cli/options.h"
#include "cli/play.h"
#include "cli/rooms.h"
#include "cli/source.h"

#define HO_PLAY_NAME 160 /* bytes of a play's name, with the final 0 */

struct ho_plays_item {
    const struct ho_source *source;
    size_t number;           /* of the case, from 0 */
    char name[HO_PLAY_NAME]; /* "idle-cut (ipv6)" */
    struct ho_dur lasts;     /* as the plan says */
    const char *told;        /* what a guest is told of it (cli/guest.h); NULL: nothing */
};

struct ho_plays {
    struct ho_plays_item *item;
    size_t count;
    size_t longer; /* cases left out because of --longest */
};

/* Lists every case that the options want. `name` and `lasts` are left empty where all of them are
 * played on the model: nobody asks. A --case that no source has is a mistake.
 *
 * Returns HO_EXIT_OK, with *ret to be freed; otherwise has said what was wrong.
 */
int ho_plays_list(struct ho_plays *ret, const struct ho_source *s, size_t count,
                  const struct ho_run_options *o);

void ho_plays_free(struct ho_plays *p);

/* ho_rooms_run() over the list: `self` is given to `work` and `take`. On a virtual kernel each
 * piece of work is done in a guest (cli/guest.h).
 */
int ho_plays_in_rooms(const struct ho_plays *p, const struct ho_run_options *o, void *self,
                      int (*work)(void *self, size_t i, struct ho_text part[HO_ROOM_PARTS]),
                      int (*take)(void *self, size_t i, const struct ho_room_result *result));

#endif
