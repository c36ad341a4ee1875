#define _GNU_SOURCE
/* A rebooted client connects from the same port: its SYN meets an ESTABLISHED connection and gets
 * a challenge ACK; the client answers RST, and repeats its SYN after 2 jiffies, not after 1 s.
 * (RFC 5961 4; ground-truth table row 8d)
 */

#include "lab.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static bool drop_client(const struct lab_rec *r)
{
    return r->side == 'c';
}

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "a SYN on an old connection: challenge ACK, RST, the SYN again at once",
              (struct lab_conf){ .permanent = true });
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_drop(drop_client);
    lab_linger(c, 0);
    (void)close(c); /* its RST is lost: the client has forgotten, the server not */
    lab_run(20);
    lab_drop(NULL);
    int c2 = lab_socket('c');
    lab_mark();
    (void)lab_connect(c2);
    LAB_CHECK((lab_run_until(c2, POLLOUT, 3000) & POLLERR) == 0, "connect failed");
    LAB_BETWEEN(lab_now(), 5, 60);
    LAB_CHECK(lab_count('s', LAB_TCP, "A") == 1, "no challenge ACK");
    LAB_CHECK(lab_count('c', LAB_TCP, "R") == 1, "no RST");
    LAB_CHECK(lab_count('c', LAB_TCP, "S") == 2, "%zu SYNs", lab_count('c', LAB_TCP, "S"));
    LAB_BETWEEN(lab_nth('c', LAB_TCP, "S", 1)->us, 4, 40);
    LAB_CHECK(lab_so_error(s) == ECONNRESET, "the old connection");
    return lab_end();
}
