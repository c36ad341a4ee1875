#define _GNU_SOURCE
/* Data in flight and the address is deleted: nothing can be sent again, and the errno at death is
 * the soft error ENETUNREACH, over IPv6 as well. (ground-truth table row 3e)
 */

#include "lab.h"

#include <errno.h>
#include <poll.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "a lost address shows as ENETUNREACH at the end",
              (struct lab_conf){ .permanent = true });
    (void)lab_sysctl('s', "net.ipv4.tcp_retries2", "2");
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_cut("cs");
    lab_mark();
    (void)lab_send(s, 100);
    lab_run(20);
    lab_address('s', false);
    (void)lab_run_until(s, POLLERR, 9000);
    lab_say("in flight: died at %.3f s", (double)lab_now() / 1e6);
    int err = lab_so_error(s);
    lab_say("errno %d", err);
    LAB_CHECK(err == ENETUNREACH, "another errno");
    return lab_end();
}
