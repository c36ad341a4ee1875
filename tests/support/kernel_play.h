/* Plays a scenario's text on the kernel engine, for tests: in a room, as root and as an ordinary
 * user, on both wires, side by side.
 *
 *     static void looks(struct kernel_play *p) { ROOM_CHECK(kernel_count(p, ..) == 1); }
 *     kernel_play_all("host client\n..", looks);      fails the test unless every play is fine
 *
 * A play is fine if it could be played, all of the scenario's expectations are met, and `look`,
 * which runs inside the room when the play is over, comes back. When it is not, its records are on
 * stderr. Forms that this machine does not allow are left out, with the reason on stderr;
 * kernel_play_allowed() says whether any is left.
 */

#ifndef HO_SUPPORT_KERNEL_PLAY_H
#define HO_SUPPORT_KERNEL_PLAY_H

#include <stdbool.h>

#include "kernel/kernel.h"
#include "scenario/runner.h"
#include "scenario/scenario.h"
#include "support/in_room.h"

struct kernel_play {
    struct ho_scn *scn;
    struct ho_plan *plan;
    struct ho_timeline tl;
    struct ho_engine engine;
    struct ho_run_result result;
    struct ho_run_error why;
};

/* One of the forms of a play. */
struct kernel_form {
    const char *name;
    enum in_room_form room;
    enum ho_kernel_wire wire;
};

/* The i-th form that this machine allows; NULL after the last. */
const struct kernel_form *kernel_form(unsigned i);
bool kernel_play_allowed(void);

/* In a room: reads and plans the first case of `text`, for the kernel engine; ends the room on a
 * mistake. kernel_run() plays it and returns what ho_run() does; the engine lives until free.
 */
void kernel_plan(struct kernel_play *p, const char *text, const struct kernel_form *form);
int kernel_run(struct kernel_play *p);
void kernel_play_free(struct kernel_play *p);

/* From a test: plays in every form at the same time. `look` may be NULL. */
void kernel_play_all(const char *text, void (*look)(struct kernel_play *p));
/* In the first form only. */
void kernel_play_one(const char *text, void (*look)(struct kernel_play *p));
/* In every form: `body` does all of it, in the room, and returns its status. */
void kernel_body_all(int (*body)(const struct kernel_form *form));

/* The number of records of that kind that host `host` has ("" for any). */
size_t kernel_count(const struct kernel_play *p, enum ho_rec_kind kind, const char *host);
/* Segments of `host` with all of `flags`, of that fate, from time `from` on. */
size_t kernel_segs(const struct kernel_play *p, const char *host, uint8_t flags, enum ho_fate fate,
                   struct ho_time from);
/* The time of the fault `name`. */
struct ho_time kernel_fault(const struct kernel_play *p, const char *name);

#endif
