#define _GNU_SOURCE
/* The smallest retransmission timeout is a floor on its variance term, not on the whole: with a
 * round trip of 100 ms that never varies it stays at 300 ms. RFC 6298 2.4 with a floor of 200 ms on
 * the whole would let it fall to 200. (ground-truth A2.1)
 */

#include "lab.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "the floor of a timeout is on its variance",
              (struct lab_conf){ .permanent = true });
    lab_delay(50000);
    int l = lab_listen(), c = lab_socket('c');
    (void)lab_connect(c);
    LAB_CHECK((lab_run_until(c, POLLOUT, 1000) & POLLOUT) != 0, "no connection");
    for (int i = 0; i < 12;
         i++) { /* the variance falls by a quarter of what is too much a round trip */
        (void)lab_send(c, 100);
        lab_run(110);
    }
    struct tcp_info info = { 0 };
    socklen_t len = sizeof(info);
    LAB_CHECK(getsockopt(c, IPPROTO_TCP, TCP_INFO, &info, &len) == 0, "no TCP_INFO");
    lab_say("round trip %u us, timeout %u us", info.tcpi_rtt, info.tcpi_rto);
    LAB_CHECK(info.tcpi_rtt >= 99000 && info.tcpi_rtt < 130000, "not the round trip of this cable");
    LAB_CHECK(info.tcpi_rto >= info.tcpi_rtt + 200000, "a smaller timeout");
    (void)l;
    return lab_end();
}
