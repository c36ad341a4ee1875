#define _GNU_SOURCE
/* TCP_USER_TIMEOUT with keepalive makes TCP_KEEPCNT (9 here) count for nothing: death at the first
 * tick with at least one probe lost and the time over. With RST,ACK. (ground-truth table row 9)
 */

#include "lab.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "with TCP_USER_TIMEOUT one lost keepalive probe is enough",
              (struct lab_conf){ .permanent = true });
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_option(s, IPPROTO_TCP, TCP_USER_TIMEOUT, 500);
    lab_option(s, IPPROTO_TCP, TCP_KEEPIDLE, 1);
    lab_option(s, IPPROTO_TCP, TCP_KEEPINTVL, 1);
    lab_option(s, IPPROTO_TCP, TCP_KEEPCNT, 9);
    lab_cut("cs");
    lab_mark();
    lab_option(s, SOL_SOCKET, SO_KEEPALIVE, 1);
    (void)lab_run_until(s, POLLERR, 9000);
    LAB_BETWEEN(lab_now(), 1900, 2200);
    lab_run(20);
    LAB_CHECK(lab_count('s', LAB_TCP, "A") == 1, "%zu probes", lab_count('s', LAB_TCP, "A"));
    LAB_CHECK(lab_count('s', LAB_TCP, "RA") == 1, "no RST,ACK");
    return lab_end();
}
