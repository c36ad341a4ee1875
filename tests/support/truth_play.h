/* Plays a truth script on the model: both ends are the model.
 *
 * Two hosts of src/host/ on a cable. The script gives settings, calls at their times, faults and
 * delays; what the hosts then send, return and become is recorded in the form of the script's
 * expectations. Nothing that is expected is ever given to the model.
 *
 * Two things of a real measurement are imitated by rule: a process looks at epoll LOOK_US after
 * something happened on its host (a thread's wake-up), and a call that in the file answers an
 * event follows the model's event in the same distance.
 */

#ifndef HO_TESTS_TRUTH_PLAY_H
#define HO_TESTS_TRUTH_PLAY_H

#include "support/truth_script.h"

struct ho_truth_options {
    int64_t draw_ns[HO_TRUTH_HOSTS]; /* neighbour reachable time in place of the script's; 0: not */
};

struct ho_truth_world;

/* Plays the whole script and appends to the lists. Returns 0 or -ENOMEM. */
int ho_truth_play(const struct ho_truth_script *s, const struct ho_truth_options *o,
                  struct ho_truth_recs *ret, struct ho_truth_states *ret_socks,
                  struct ho_truth_states *ret_neighs);

#endif
