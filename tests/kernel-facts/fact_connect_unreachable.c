#define _GNU_SOURCE
/* connect() to a neighbour that answers nobody: three requests, no SYN, EHOSTUNREACH when they
 * failed. Over IPv4 the ICMP leaves an entry in the error queue, so poll says ERR still after
 * SO_ERROR was read; over IPv6 it does not. (ground-truth table row 10)
 */

#include "lab.h"

#include <errno.h>
#include <poll.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "a failed neighbour ends connect() with EHOSTUNREACH",
              (struct lab_conf){ 0 });
    lab_neigh('c', "retrans_time_ms", "200");
    lab_cut("s");
    int c = lab_socket('c');
    lab_mark();
    (void)lab_connect(c);
    (void)lab_run_until(c, POLLERR, 5000);
    LAB_BETWEEN(lab_now(), 590, 800);
    LAB_CHECK(lab_count('c', LAB_ARP, NULL) == 3, "%zu requests", lab_count('c', LAB_ARP, NULL));
    LAB_CHECK(lab_count('c', LAB_TCP, NULL) == 0, "a SYN left");
    LAB_CHECK(lab_so_error(c) == EHOSTUNREACH, "another errno");
    LAB_CHECK(lab_so_error(c) == 0, "read twice");
    LAB_CHECK(((lab_poll(c) & POLLERR) == 0) == lab_ipv6(), "poll %x", (unsigned)lab_poll(c));
    return lab_end();
}
