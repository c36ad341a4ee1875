#define _GNU_SOURCE
/* The same with the loopback interface down: the ICMP cannot travel, and the errno is ETIMEDOUT.
 * (ground-truth A4)
 */

#include "lab.h"

#include <errno.h>
#include <poll.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "without lo a failed neighbour leaves no trace", (struct lab_conf){ 0 });
    lab_neigh('s', "retrans_time_ms", "200");
    lab_neigh('s', "delay_first_probe_time", "1");
    lab_neigh('s', "base_reachable_time_ms", "500");

    (void)lab_sysctl('s', "net.ipv4.tcp_retries2", "4");
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_link('s', true, false);
    lab_run(4000); /* the entry is stale */
    lab_cut("cs");
    lab_mark();
    (void)lab_send(s, 100);
    (void)lab_run_until(s, POLLERR, 12000);
    lab_say("died at %.3f s", (double)lab_now() / 1e6);
    LAB_CHECK(lab_count('s', LAB_ARP, NULL) > 3, "the neighbour was not asked for");
    LAB_CHECK(lab_so_error(s) == ETIMEDOUT, "another errno");
    return lab_end();
}
