#define _GNU_SOURCE
/* Who is asked, and how often: a neighbour in use that goes stale is asked by unicast 3 times
 * after delay_first_probe_time; one that is not known by multicast or broadcast 3 times; in
 * between nothing leaves but to the old address. (ground-truth table row 3b)
 */

#include "lab.h"

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "three requests to the old address, then three to all",
              (struct lab_conf){ 0 });
    lab_neigh('s', "retrans_time_ms", "200");
    lab_neigh('s', "delay_first_probe_time", "1");
    lab_neigh('s', "base_reachable_time_ms", "500");

    (void)lab_sysctl('s', "net.ipv4.tcp_retries2", "6");
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_run(4000); /* the entry is stale */
    lab_cut("cs");
    lab_mark();
    (void)lab_send(s, 100);
    lab_run(7000);
    size_t n = lab_count('s', LAB_ARP, NULL);
    LAB_CHECK(n >= 6, "%zu requests", n);
    for (size_t i = 0; i < 6; i++) {
        const struct lab_rec *r = lab_nth('s', LAB_ARP, NULL, i);
        lab_say("%.3f s, %s", (double)r->us / 1e6, r->multicast ? "to all" : "to one");
        LAB_CHECK(r->multicast == (i >= 3), "request %zu", i);
    }
    LAB_BETWEEN(lab_nth('s', LAB_ARP, NULL, 0)->us, 990, 3000);
    return lab_end();
}
