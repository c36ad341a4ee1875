#define _GNU_SOURCE
/* While data is unacknowledged keepalive sends nothing and ends nothing: with keepalive 1/1/1 and
 * tcp_retries2=2 the end comes by retransmission, at 3.3 s. (ground-truth table row 13)
 */

#include "lab.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "keepalive stands back while data is in flight",
              (struct lab_conf){ .permanent = true });
    (void)lab_sysctl('s', "net.ipv4.tcp_retries2", "2");
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_option(s, IPPROTO_TCP, TCP_KEEPIDLE, 1);
    lab_option(s, IPPROTO_TCP, TCP_KEEPINTVL, 1);
    lab_option(s, IPPROTO_TCP, TCP_KEEPCNT, 1);
    lab_option(s, SOL_SOCKET, SO_KEEPALIVE, 1);
    lab_cut("cs");
    lab_mark();
    (void)lab_send(s, 100);
    (void)lab_run_until(s, POLLERR, 9000);
    LAB_BETWEEN(lab_now(), 3260, 3840);
    LAB_CHECK(lab_count('s', LAB_TCP, "A") == 0, "a keepalive probe");
    LAB_CHECK(lab_count('s', LAB_TCP, "RA") == 0, "a RST");
    return lab_end();
}
