#define _GNU_SOURCE
/* A lost carrier is acted on by link watch up to 1 s later: until then frames still leave, then
 * they vanish in the host and neighbours that were learnt are gone; address, route and connection
 * stay. (ground-truth D, table row 1)
 */

#include "lab.h"

#include <poll.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "carrier loss empties the neighbour table and nothing else",
              (struct lab_conf){ 0 });
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_cut("cs");
    lab_carrier('s', false);
    lab_run(1200);
    lab_mark();
    LAB_CHECK(lab_send(s, 100) == 100, "the route should be there");
    lab_run(300);
    LAB_CHECK(lab_count('s', LAB_TCP, NULL) == 0, "a segment left without carrier");
    lab_plug();
    lab_carrier('s', true);
    lab_mark();
    LAB_CHECK(lab_run_until(c, POLLIN, 5000) != 0, "nothing arrived");
    lab_say("delivered %.3f s after the carrier", (double)lab_now() / 1e6);
    LAB_CHECK(lab_count('s', LAB_ARP, NULL) >= 1, "the neighbour was still known");
    return lab_end();
}
