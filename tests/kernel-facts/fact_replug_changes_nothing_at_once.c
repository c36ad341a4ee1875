#define _GNU_SOURCE
/* Nothing happens when a cut cable is whole again: the data that waits goes out at the sender's
 * next timeout, up to as long again as the cable was cut. (ground-truth table row 4)
 */

#include "lab.h"

#include <poll.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "a cable that is whole again is noticed at the next timeout",
              (struct lab_conf){ .permanent = true });
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_cut("cs");
    lab_mark();
    (void)lab_send(s, 100);
    lab_run(1000); /* sent at 0, 0.2, 0.4 and 0.84 s; the next is due at 1.67 s */
    size_t before = lab_count('s', LAB_TCP, NULL);
    lab_plug();
    lab_run(500);
    LAB_CHECK(lab_count('s', LAB_TCP, NULL) == before, "something was sent because of the plug");
    LAB_CHECK(lab_run_until(c, POLLIN, 3000) != 0, "it never came");
    lab_say("came at %.3f s", (double)lab_now() / 1e6);
    LAB_BETWEEN(lab_now(), 1600, 1800);
    return lab_end();
}
