#define _GNU_SOURCE
/* TCP_USER_TIMEOUT ends a connection whose peer lives and answers each probe, but does not read:
 * a window that stays closed so long is death. (ground-truth table row 9)
 */

#include "lab.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "TCP_USER_TIMEOUT ends a connection with a closed window",
              (struct lab_conf){ .permanent = true });
    (void)lab_sysctl('c', "net.ipv4.tcp_rmem", "4096 8192 16384");
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_option(s, IPPROTO_TCP, TCP_USER_TIMEOUT, 1000);
    (void)lab_send(s, 60000);
    lab_mark();
    (void)lab_run_until(s, POLLERR, 6000);
    int64_t dead = lab_now();
    size_t answers = lab_count('c', LAB_TCP, "A");
    lab_say("died after %.3f s; the peer sent %zu ACKs", (double)dead / 1e6, answers);
    LAB_CHECK(answers > 0, "the peer did not answer");
    LAB_BETWEEN(dead, 1000, 2600);
    LAB_CHECK(lab_so_error(s) == ETIMEDOUT, "another errno");
    return lab_end();
}
