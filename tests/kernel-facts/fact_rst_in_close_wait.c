#define _GNU_SOURCE
/* The peer closed (FIN), we send, it answers RST: in CLOSE-WAIT that is EPIPE, never ECONNRESET;
 * recv() goes on saying end of stream. (ground-truth table row 6a)
 */

#include "lab.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "a RST in CLOSE-WAIT is EPIPE", (struct lab_conf){ .permanent = true });
    int l, c, s;
    lab_pair(&l, &c, &s);
    (void)close(c);
    lab_run(100);
    LAB_CHECK(lab_recv(s, 1) == 0, "no end of stream");
    LAB_CHECK(lab_send(s, 100) == 100, "the first send goes through");
    lab_run(50);
    LAB_CHECK(lab_count('c', LAB_TCP, "R") == 1, "no RST");
    LAB_CHECK((lab_poll(s) & POLLERR) != 0, "poll %x", (unsigned)lab_poll(s));
    LAB_CHECK(lab_recv(s, 1) == 0, "recv is the end of the stream still");
    LAB_CHECK(lab_send(s, 1) == -EPIPE, "send");
    LAB_CHECK(lab_so_error(s) == 0, "the EPIPE was read by send");
    return lab_end();
}
