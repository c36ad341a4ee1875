/* The frames of a truth script's world as records of the script's form, and the delays that the
 * script knows of them.
 */

#ifndef HO_TESTS_TRUTH_FRAME_H
#define HO_TESTS_TRUTH_FRAME_H

#include "support/truth_world.h"

/* The record of a frame that `host` sent now, its fate in *ret_rec's text, and in
 * *ret_key the words that the file's frame with its delay has.
 */
size_t ho_truth_frame_rec(struct ho_truth_world *w, int host, struct ho_buf *frame, bool cut,
                          char ret_key[48]);
/* The delays of the frames in the script. */
void ho_truth_delays(struct ho_truth_world *w);
int64_t ho_truth_delay_of(struct ho_truth_world *w, int host, const char *key);
/* The record of a packet on lo, if it is an ICMP error. */
void ho_truth_lo_rec(struct ho_truth_world *w, int host, struct ho_buf *packet);

#endif
