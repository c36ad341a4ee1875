#define _GNU_SOURCE
/* close() with data that the window does not let out yet: the connection goes on without its
 * process, delivers all of it as the peer reads, and then the FIN. (ground-truth table row 6c)
 */

#include "lab.h"

#include <poll.h>
#include <unistd.h>

#define BYTES 60000

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "an orphan delivers all that was queued, and then its FIN",
              (struct lab_conf){ .permanent = true });
    (void)lab_sysctl('c', "net.ipv4.tcp_rmem", "4096 8192 16384");
    int l, c, s;
    lab_pair(&l, &c, &s);
    long queued = lab_send(s, BYTES), got = 0, n = 1;
    lab_run(300);
    LAB_CHECK(close(s) == 0, "close() failed");
    lab_run(300);
    while (n > 0 && lab_run_until(c, POLLIN, 5000) != 0) {
        n = lab_recv(c, BYTES);
        got += n > 0 ? n : 0;
    }
    lab_say("%ld bytes were queued, %ld came", queued, got);
    LAB_CHECK(queued > 20000 && got == queued, "not all came");
    LAB_CHECK(n == 0, "no end of the stream: %ld", n);
    return lab_end();
}
