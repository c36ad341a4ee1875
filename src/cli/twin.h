/* One kernel's play, played again by another engine that is made its twin: what that kernel was -
 * its settings, its ticks, the jiffy at time 0, what it drew at random - becomes what the other's
 * hosts are. With the model two timelines then differ by what the model does otherwise, and by the
 * noise of real time.
 *
 *     ho_twin_play_kernel()   in a room or a guest: plays, and reads what was drawn
 *     ho_twin_put_draws()     and the timeline as JSON lines: what leaves the room
 *     ho_twin_read_draws()
 *     ho_twin_play_model()    plays the same case on the model, with that
 *     ho_twin_fit_kernel()    in another room: before ho_twin_play_kernel() of a second kernel,
 * which becomes like the first as far as a kernel lets itself be told ho_twin_free() before
 * ho_play_free() of the play that was fitted
 *
 * Where it comes from: the settings records of the kernel's timeline (sysctls as read back in each
 * namespace, hz, jiffies0, phase_ns); the release's profile (cli/machine.h); and the neighbours'
 * reachable times of each namespace (os/neightbl.h), at the beginning, after a boot, and as they
 * are drawn anew: a kernel does that every 300 s and up to half a base_reachable_time_ms more, so
 * they are read every second when it is due. How long link watch took to act on a lost carrier is
 * seen by when the neighbours of that host were gone (ground-truth B8).
 */

#ifndef HO_CLI_TWIN_H
#define HO_CLI_TWIN_H

#include <sys/types.h>

#include "cli/play.h"

/* How long a neighbour counts as reachable on an interface from an instant on. */
struct ho_twin_draw {
    int64_t at_ns; /* of the play */
    int64_t ns;
    uint16_t node, nic;
};

/* What a kernel drew: what its timeline does not say. */
struct ho_twin_draws {
    struct ho_twin_draw *draw; /* by time, owned */
    size_t n, room;
    size_t redrawn; /* how often it drew reachable times anew in the middle */
};

struct ho_twin {
    struct ho_play *play;            /* whose plan is changed; NULL: none yet */
    struct ho_step *setup, *planned; /* its setup now, owned; and as it was */
    size_t planned_count;
    char (*value)[64];    /* of the sysctls in it, owned */
    bool jiffies_known;   /* of every host, at time 0 */
    bool profile_exact;   /* the model has a profile of the release */
    int64_t linkwatch_ns; /* from a lost carrier to what follows from it; -1: not seen */
    size_t left_out;      /* sysctls whose value is not taken */
};

/* Plays `p`, which was planned for a kernel. Returns as ho_play() does, with *ret to be freed in
 * any case.
 */
int ho_twin_play_kernel(struct ho_play *p, struct ho_twin_draws *ret);

void ho_twin_draws_free(struct ho_twin_draws *d);

/* The draws as a line of text, and back. Returns how many bytes were read; -EINVAL; -ENOMEM; with
 * *ret to be freed when it is not negative.
 */
void ho_twin_put_draws(struct ho_text *out, const struct ho_twin_draws *d);
ssize_t ho_twin_read_draws(struct ho_twin_draws *ret, const char *text);

/* Makes `model`, planned for the model, the twin of the kernel whose timeline and draws these are,
 * and plays it. Returns as ho_play() does, with *ret to be freed in any case.
 */
int ho_twin_play_model(struct ho_twin *ret, struct ho_play *model, const struct ho_timeline *kernel,
                       const struct ho_twin_draws *draws);

/* Gives `p`, planned for a kernel whose jiffies can be chosen, the jiffy and the sysctls of another
 * kernel's timeline; the jiffy only if both have the same HZ. Returns HO_EXIT_OK; otherwise has
 * said what was wrong; with *ret to be freed in any case.
 */
int ho_twin_fit_kernel(struct ho_twin *ret, struct ho_play *p, const struct ho_timeline *kernel);

void ho_twin_free(struct ho_twin *t);

#endif
