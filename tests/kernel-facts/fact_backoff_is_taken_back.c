#define _GNU_SOURCE
/* Each such ICMP takes one step of backoff back (RFC 6069), so a sender whose own port lost its
 * carrier repeats at the rate at which its requests fail. Over IPv6 too? Linux reverts there only
 * for `no route to destination`, and a failed neighbour is `address unreachable`: the backoff goes
 * on. (ground-truth A5)
 */

#include "lab.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "an ICMP takes a step of backoff back over IPv4 and not over IPv6",
              (struct lab_conf){ 0 });
    lab_neigh('s', "retrans_time_ms", "100");
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_carrier('s', false);
    lab_run(1200); /* link watch has emptied the table */
    lab_mark();
    (void)lab_send(s, 100);
    lab_run(10000);
    struct tcp_info i;
    socklen_t n = sizeof(i);
    (void)getsockopt(s, IPPROTO_TCP, TCP_INFO, &i, &n);
    lab_say("after 10 s: backoff %u, %u retransmissions", i.tcpi_backoff, i.tcpi_total_retrans);
    if (lab_ipv6()) {
        LAB_CHECK(i.tcpi_total_retrans <= 7, "%u retransmissions", i.tcpi_total_retrans);
    } else {
        LAB_CHECK(i.tcpi_total_retrans >= 12, "%u retransmissions", i.tcpi_total_retrans);
    }
    return lab_end();
}
