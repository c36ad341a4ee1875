#define _GNU_SOURCE
/* close() with SO_LINGER and a time blocks that long for data that is not acknowledged, returns 0
 * all the same, and the connection goes on sending: no error, no RST. (ground-truth table row 15)
 */

#include "lab.h"

#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "a lingering close() returns 0 although nothing was acknowledged",
              (struct lab_conf){ .permanent = true });
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_linger(s, 1);
    lab_cut("cs");
    (void)lab_send(s, 100);
    LAB_CHECK(fcntl(s, F_SETFL, 0) == 0, "cannot make it block");
    lab_mark();
    int ret = close(s);
    int64_t took = lab_now();
    lab_run(1500);
    lab_say("close() returned %d after %.3f s", ret, (double)took / 1e6);
    LAB_CHECK(ret == 0, "an error");
    LAB_BETWEEN(took, 1000, 1100);
    LAB_CHECK(lab_count('s', LAB_TCP, "FPA") > 0, "it does not go on");
    LAB_CHECK(lab_count('s', LAB_TCP, "RA") == 0, "a RST");
    return lab_end();
}
