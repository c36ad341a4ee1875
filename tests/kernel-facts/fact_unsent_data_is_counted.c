#define _GNU_SOURCE
/* Data that was written after the interface went down never leaves, and is not given up by time as
 * data in flight is: the probe timer runs, 0.2 s and doubling, and tcp_retries2 (2 here) counts its
 * expiries: death at the third, 1.4 s later, ETIMEDOUT. (ground-truth table row 3e)
 */

#include "lab.h"

#include <errno.h>
#include <poll.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "data that could never be sent is given up by count",
              (struct lab_conf){ .permanent = true });
    (void)lab_sysctl('s', "net.ipv4.tcp_retries2", "2");
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_link('s', false, false);
    lab_mark();
    LAB_CHECK(lab_send(s, 100) == 100, "send() failed");
    (void)lab_run_until(s, POLLERR, 9000);
    lab_say("died after %.3f s", (double)lab_now() / 1e6);
    LAB_BETWEEN(lab_now(), 1400, 1600);
    LAB_CHECK(lab_count('s', LAB_TCP, NULL) == 0, "something left");
    int err = lab_so_error(s);
    lab_say("errno %d", err);
    LAB_CHECK(err == (lab_ipv6() ? ENETUNREACH : ETIMEDOUT), "another errno");
    return lab_end();
}
