#define _GNU_SOURCE
/* The request that asks whether a neighbour is still there is sent from the interface's link-local
 * address over IPv6. An interface that has none sends none: the entry fails 3 requests later all
 * the same, and the first requests on the wire are those to all, which take the address of the
 * packet that waits. IPv4 has no such need.
 */

#include "lab.h"

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "without a link-local address a neighbour is not asked by unicast",
              (struct lab_conf){ 0 });
    bool ipv6 = lab_ipv6();

    if (ipv6 && lab_sysctl('s', "net.ipv6.conf.eth0.addr_gen_mode", "1")) {
        lab_link('s', false, false);
        lab_link('s', false, true);
        lab_address('s', true);
    }
    lab_neigh('s', "retrans_time_ms", "200");
    lab_neigh('s', "delay_first_probe_time", "1");
    lab_neigh('s', "base_reachable_time_ms", "500");
    (void)lab_sysctl('s', "net.ipv4.tcp_retries2", "6");
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_mark();
    lab_run(4000); /* the entry is stale */
    lab_cut("cs");
    (void)lab_send(s, 100);
    lab_run(7000);
    size_t one = 0, all = 0;
    for (size_t i = 0; i < lab_count('s', LAB_ARP, NULL); i++) {
        bool multicast = lab_nth('s', LAB_ARP, NULL, i)->multicast;
        one += multicast ? 0 : 1;
        all += multicast ? 1 : 0;
    }
    lab_say("%zu to one, %zu to all", one, all);
    LAB_CHECK(ipv6 ? one == 0 : one >= 3, "%zu requests to one", one);
    LAB_CHECK(all >= 3, "%zu requests to all", all);
    return lab_end();
}
