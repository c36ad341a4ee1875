#define _GNU_SOURCE
/* A closed window: probes without data, number one below, their answers count; from the moment the
 * wire is cut, as many probes as tcp_retries2 says (2) go unanswered and the next expiry is death:
 * a count, unlike data in flight. (ground-truth table row 12)
 */

#include "lab.h"

#include <errno.h>
#include <poll.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "zero-window probes are counted", (struct lab_conf){ .permanent = true });
    (void)lab_sysctl('c', "net.ipv4.tcp_rmem", "4096 8192 16384");
    (void)lab_sysctl('s', "net.ipv4.tcp_retries2", "2");
    int l, c, s;
    lab_pair(&l, &c, &s);
    (void)lab_send(s, 60000);
    (void)lab_run_until(s, POLLERR, 300);
    const struct lab_rec *zero = NULL;
    for (size_t i = 0; i < lab_count('c', LAB_TCP, "A"); i++) {
        const struct lab_rec *r = lab_nth('c', LAB_TCP, "A", i);
        zero = r->win == 0 ? r : zero;
    }
    LAB_CHECK(zero != NULL, "the window did not close");
    lab_cut("cs");
    lab_run(10);
    lab_mark();
    (void)lab_run_until(s, POLLERR, 12000);
    lab_say("died %.3f s after the cut", (double)lab_now() / 1e6);
    LAB_CHECK(lab_count('s', LAB_TCP, NULL) == 2, "%zu probes", lab_count('s', LAB_TCP, NULL));
    LAB_CHECK(lab_nth('s', LAB_TCP, NULL, 0)->len == 0, "a probe with data");
    LAB_CHECK(lab_so_error(s) == ETIMEDOUT, "another errno");
    return lab_end();
}
