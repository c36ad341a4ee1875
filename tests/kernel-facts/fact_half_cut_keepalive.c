#define _GNU_SOURCE
/* Only what the client sends is lost, keepalive at the server: the probes arrive and their answers
 * do not; the RST,ACK of the death arrives too and ends the client with ECONNRESET. A death by
 * retransmission tells nobody. (ground-truth table row 14)
 */

#include "lab.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "a keepalive death resets a living peer",
              (struct lab_conf){ .permanent = true });
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_option(s, IPPROTO_TCP, TCP_KEEPIDLE, 1);
    lab_option(s, IPPROTO_TCP, TCP_KEEPINTVL, 1);
    lab_option(s, IPPROTO_TCP, TCP_KEEPCNT, 1);
    lab_cut("c");
    lab_mark();
    lab_option(s, SOL_SOCKET, SO_KEEPALIVE, 1);
    LAB_CHECK((lab_run_until(c, POLLERR, 9000) & POLLERR) != 0, "the client was not told");
    LAB_BETWEEN(lab_now(), 1900, 2400);
    LAB_CHECK(lab_count('c', LAB_TCP, "A") >= 1, "the client did not answer the probe");
    LAB_CHECK(lab_so_error(s) == ETIMEDOUT, "the server's errno");
    LAB_CHECK(lab_so_error(c) == ECONNRESET, "the client's errno");
    return lab_end();
}
