#define _GNU_SOURCE
/* A closed connection with data in flight is given up by tcp_orphan_retries (here 1: 0.6 s after
 * the first retransmission), whatever tcp_retries2 says; the FIN travels in the repeated segment.
 * (ground-truth table row 15)
 */

#include "lab.h"

#include <unistd.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "an orphan is given up by tcp_orphan_retries",
              (struct lab_conf){ .permanent = true });
    (void)lab_sysctl('s', "net.ipv4.tcp_orphan_retries", "1");
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_cut("cs");
    lab_mark();
    (void)lab_send(s, 100);
    (void)close(s);
    lab_run(6000);
    size_t n = lab_count('s', LAB_TCP, NULL);
    const struct lab_rec *last = lab_nth('s', LAB_TCP, NULL, n - 1);
    lab_say("%zu segments, the last at %.3f s", n, (double)last->us / 1e6);
    LAB_CHECK(n == 5, "%zu segments", n);
    LAB_BETWEEN(last->us, 500, 1000);
    LAB_CHECK(lab_nth('s', LAB_TCP, "FPA", 0) != NULL, "FIN and data apart");
    lab_plug();
    (void)lab_send(c, 10);
    lab_run(50);
    LAB_CHECK(lab_count('s', LAB_TCP, "R") == 1, "the orphan lives");
    return lab_end();
}
