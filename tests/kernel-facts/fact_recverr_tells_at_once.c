#define _GNU_SOURCE
/* With IP_RECVERR (IPV6_RECVERR) the soft error is told at the first ICMP, and the connection
 * lives on: it can be written to, and delivers when the cable is back. (ground-truth A4)
 */

#include "lab.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "IP_RECVERR tells at once and kills nothing", (struct lab_conf){ 0 });
    lab_neigh('s', "retrans_time_ms", "200");
    lab_neigh('s', "delay_first_probe_time", "1");
    lab_neigh('s', "base_reachable_time_ms", "500");

    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_option(s, lab_ipv6() ? IPPROTO_IPV6 : IPPROTO_IP, lab_ipv6() ? IPV6_RECVERR : IP_RECVERR,
               1);
    lab_run(4000); /* the entry is stale */
    lab_cut("cs");
    lab_mark();
    (void)lab_send(s, 100);
    LAB_CHECK((lab_run_until(s, POLLERR, 6000) & POLLERR) != 0, "nothing was told");
    lab_say("told at %.3f s", (double)lab_now() / 1e6);
    LAB_CHECK(lab_recv(s, 1) == -EHOSTUNREACH, "another errno");
    LAB_CHECK(lab_recv(s, 1) == -EAGAIN, "it should be alive");
    LAB_CHECK(lab_send(s, 100) == 100, "it can be written to");
    lab_plug();
    LAB_CHECK(lab_run_until(c, POLLIN, 6000) != 0, "nothing arrived");
    return lab_end();
}
