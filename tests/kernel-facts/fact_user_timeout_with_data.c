#define _GNU_SOURCE
/* TCP_USER_TIMEOUT with data in flight counts from the first retransmission, not from the sending:
 * death is that long after it, to the jiffy, in place of tcp_retries2 (0 here, which alone would
 * end it at 0.85 s). (ground-truth table row 9)
 */

#include "lab.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "TCP_USER_TIMEOUT counts from the first retransmission",
              (struct lab_conf){ .permanent = true });
    (void)lab_sysctl('s', "net.ipv4.tcp_retries2", "0");
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_option(s, IPPROTO_TCP, TCP_USER_TIMEOUT, 2000);
    lab_cut("cs");
    lab_mark();
    (void)lab_send(s, 100);
    (void)lab_run_until(s, POLLERR, 9000);
    int64_t dead = lab_now();
    const struct lab_rec *r1 = lab_nth('s', LAB_TCP, "PA", 2);
    LAB_CHECK(r1 != NULL, "no retransmission");
    LAB_BETWEEN(dead - r1->us, 1996, 2060);
    LAB_CHECK(lab_count('s', LAB_TCP, "RA") == 0, "a RST");
    LAB_CHECK(lab_so_error(s) == ETIMEDOUT, "another errno");
    return lab_end();
}
