#define _GNU_SOURCE
/* Keepalive 2/1/3: probes are pure ACKs without data whose number is one below what the peer
 * expects, at idle and each interval; death one interval after the last, with one RST,ACK and
 * ETIMEDOUT. (ground-truth table row 2)
 */

#include "lab.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "a keepalive death sends RST,ACK one interval after the last probe",
              (struct lab_conf){ .permanent = true });
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_cut("c");
    lab_option(s, IPPROTO_TCP, TCP_KEEPIDLE, 2);
    lab_option(s, IPPROTO_TCP, TCP_KEEPINTVL, 1);
    lab_option(s, IPPROTO_TCP, TCP_KEEPCNT, 3);
    lab_mark();
    lab_option(s, SOL_SOCKET, SO_KEEPALIVE, 1);
    (void)lab_run_until(s, POLLERR, 9000);
    int64_t dead = lab_now();
    lab_run(20);
    LAB_CHECK(lab_count('s', LAB_TCP, "A") == 3, "%zu probes", lab_count('s', LAB_TCP, "A"));
    for (size_t i = 0; i < 3; i++) {
        const struct lab_rec *r = lab_nth('s', LAB_TCP, "A", i);
        LAB_CHECK(r->seq == 400 && r->len == 0, "seq %u", r->seq);
        LAB_BETWEEN(r->us, 1900 + 1000 * (int)i, 2300 + 1050 * (int)i);
    }
    const struct lab_rec *rst = lab_nth('s', LAB_TCP, "RA", 0);
    LAB_CHECK(rst != NULL && rst->seq == 401, "no RST,ACK");
    LAB_BETWEEN(dead, 4900, 5600);
    LAB_CHECK(lab_so_error(s) == ETIMEDOUT, "another errno");
    LAB_CHECK(lab_so_error(c) == ECONNRESET, "the RST should have reached the peer");
    return lab_end();
}
