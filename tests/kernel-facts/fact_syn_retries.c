#define _GNU_SOURCE
/* TCP_SYNCNT=1 with tcp_syn_linear_timeouts=1: SYN at 0, 1 and 2 s, ETIMEDOUT at 4 s: the first
 * timeouts, as many as that sysctl says, do not double. With 0: SYN at 0 and 1, ETIMEDOUT at 3 s.
 * (ground-truth table row 10)
 */

#include "lab.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "the first SYN timeouts do not double",
              (struct lab_conf){ .permanent = true });
    lab_cut("s");
    bool linear = lab_sysctl('c', "net.ipv4.tcp_syn_linear_timeouts", "1");
    if (linear) {
        int c = lab_socket('c');
        lab_option(c, IPPROTO_TCP, TCP_SYNCNT, 1);
        lab_mark();
        (void)lab_connect(c);
        (void)lab_run_until(c, POLLERR, 9000);
        LAB_CHECK(lab_count('c', LAB_TCP, "S") == 3, "%zu SYNs", lab_count('c', LAB_TCP, "S"));
        LAB_BETWEEN(lab_nth('c', LAB_TCP, "S", 1)->us, 996, 1040);
        LAB_BETWEEN(lab_nth('c', LAB_TCP, "S", 2)->us, 1992, 2080);
        LAB_BETWEEN(lab_now(), 2992, 4400);
        lab_say("died at %.3f s", (double)lab_now() / 1e6);
        LAB_CHECK(lab_so_error(c) == ETIMEDOUT, "another errno");
        (void)close(c);
    }
    (void)lab_sysctl('c', "net.ipv4.tcp_syn_linear_timeouts", "0");
    int c = lab_socket('c');
    lab_option(c, IPPROTO_TCP, TCP_SYNCNT, 1);
    lab_mark();
    (void)lab_connect(c);
    (void)lab_run_until(c, POLLERR, 9000);
    LAB_CHECK(lab_count('c', LAB_TCP, "S") == 2, "%zu SYNs", lab_count('c', LAB_TCP, "S"));
    LAB_BETWEEN(lab_now(), 2992, 3400);
    LAB_CHECK(lab_so_error(c) == ETIMEDOUT, "another errno");
    return lab_end();
}
