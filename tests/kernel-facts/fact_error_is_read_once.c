#define _GNU_SOURCE
/* The first call gets the error, whichever it is; after it recv() is 0, send() is EPIPE, SO_ERROR
 * is 0; poll loses ERR and keeps HUP. (ground-truth table row 3f)
 */

#include "lab.h"

#include <errno.h>
#include <poll.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "an error is read once", (struct lab_conf){ .permanent = true });
    (void)lab_sysctl('s', "net.ipv4.tcp_retries2", "0");
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_cut("cs");
    (void)lab_send(s, 100);
    (void)lab_run_until(s, POLLERR, 5000);
    int all = POLLIN | POLLOUT | POLLHUP | POLLRDHUP;
    LAB_CHECK(lab_poll(s) == (all | POLLERR), "poll %x", (unsigned)lab_poll(s));
    LAB_CHECK(lab_send(s, 1) == -ETIMEDOUT, "the first call");
    LAB_CHECK(lab_recv(s, 1) == 0, "recv after it");
    LAB_CHECK(lab_send(s, 1) == -EPIPE, "send after it");
    LAB_CHECK(lab_so_error(s) == 0, "SO_ERROR after it");
    LAB_CHECK(lab_poll(s) == all, "poll %x", (unsigned)lab_poll(s));
    return lab_end();
}
