#define _GNU_SOURCE
/* Keepalive probes carry a number outside of what is in flight, so the ICMP about one is thrown
 * away: ETIMEDOUT although the neighbour failed. (ground-truth A4)
 */

#include "lab.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "a peer found dead by keepalive is ETIMEDOUT", (struct lab_conf){ 0 });
    lab_neigh('s', "retrans_time_ms", "200");
    lab_neigh('s', "delay_first_probe_time", "1");
    lab_neigh('s', "base_reachable_time_ms", "500");

    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_run(4000); /* the entry is stale */
    lab_option(s, IPPROTO_TCP, TCP_KEEPIDLE, 1);
    lab_option(s, IPPROTO_TCP, TCP_KEEPINTVL, 2);
    lab_option(s, IPPROTO_TCP, TCP_KEEPCNT, 3);
    lab_cut("cs");
    lab_mark();
    lab_option(s, SOL_SOCKET, SO_KEEPALIVE, 1);
    (void)lab_run_until(s, POLLERR, 12000);
    lab_say("died at %.3f s", (double)lab_now() / 1e6);
    LAB_CHECK(lab_count('s', LAB_ARP, NULL) > 3, "the neighbour was not asked for");
    LAB_CHECK(lab_so_error(s) == ETIMEDOUT, "another errno");
    return lab_end();
}
