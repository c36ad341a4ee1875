/* The model as the twin of a play on the kernel: what that kernel was - its settings, its ticks,
 * the jiffy at time 0, what it drew at random - becomes what the model's hosts are. Two timelines
 * then differ by what the model does otherwise, and by the noise of real time.
 *
 *     ho_twin_play_kernel()   in a room: plays, and reads what was drawn
 *     ho_twin_play_model()    plays the same case on the model, with that
 *     ho_twin_free()          before ho_play_free() of the model's play
 *
 * Where it comes from: the settings records of the kernel's timeline (sysctls as read back in each
 * namespace, hz, jiffies0, phase_ns); the release's profile (cli/machine.h); and the neighbours'
 * reachable times of each namespace (os/neightbl.h), at the beginning and at the end. How long link
 * watch took to act on a lost carrier is seen by when the neighbours of that host were gone
 * (ground-truth B8).
 */

#ifndef HO_CLI_TWIN_H
#define HO_CLI_TWIN_H

#include "cli/play.h"

#define HO_TWIN_DRAWS 16

struct ho_twin_host {
    int64_t drawn_ns[HO_TWIN_DRAWS]; /* neighbours' reachable times, life by life */
    size_t drawn;
};

struct ho_twin {
    struct ho_twin_host *host;       /* one a node */
    struct ho_play *model;           /* whose plan is changed; NULL: none yet */
    struct ho_step *setup, *planned; /* its setup now, owned; and as it was */
    size_t planned_count;
    char (*value)[64];    /* of the sysctls in it, owned */
    bool jiffies_known;   /* of every host, at time 0 */
    bool redrawn;         /* the kernel drew reachable times anew in the middle */
    bool profile_exact;   /* the model has a profile of the release */
    int64_t linkwatch_ns; /* from a lost carrier to what follows from it; -1: not seen */
    size_t left_out;      /* sysctls whose value the model does not take */
};

/* Plays `p`, which was planned for the kernel. Returns as ho_play() does, with *ret to be freed in
 * any case.
 */
int ho_twin_play_kernel(struct ho_twin *ret, struct ho_play *p);

/* Makes `model`, planned for the model, the twin of `kernel`, which was played, and plays it.
 * Returns as ho_play() does.
 */
int ho_twin_play_model(struct ho_twin *t, struct ho_play *model, const struct ho_play *kernel);

void ho_twin_free(struct ho_twin *t);

#endif
