#define _GNU_SOURCE
/* A request whose SYN-ACK nobody acknowledges: repeated after 1 s, doubled from the first on; with
 * tcp_synack_retries=1 gone at 3 s, and the process is never told. (ground-truth table row 11)
 */

#include "lab.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

static bool drop_server(const struct lab_rec *r)
{
    return r->side == 's';
}

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "SYN-ACK timeouts double from the first on",
              (struct lab_conf){ .permanent = true });
    (void)lab_sysctl('s', "net.ipv4.tcp_synack_retries", "1");
    int l = lab_listen(), c = lab_socket('c');
    lab_drop(drop_server);
    lab_mark();
    lab_option(c, IPPROTO_TCP, TCP_SYNCNT, 1);
    (void)lab_connect(c);
    lab_run(20);
    (void)close(c); /* no more SYNs: they would be answered */
    lab_run(4500);
    LAB_CHECK(lab_count('s', LAB_TCP, "SA") == 2, "%zu SYN-ACKs", lab_count('s', LAB_TCP, "SA"));
    LAB_BETWEEN(lab_nth('s', LAB_TCP, "SA", 1)->us, 996, 1060);
    LAB_CHECK(lab_poll(l) == 0, "the listener was told");
    return lab_end();
}
