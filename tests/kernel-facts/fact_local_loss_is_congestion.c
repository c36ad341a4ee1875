#define _GNU_SOURCE
/* A segment that vanishes in the host's own interface, which has lost its carrier, is local
 * congestion to TCP: at the first one the state is CWR and the threshold is set, before any
 * timeout. (s03_own_permarp_lan_r3)
 */

#include "lab.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "a segment lost in the own interface is congestion",
              (struct lab_conf){ .permanent = true });
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_carrier('s', false);
    lab_run(1300); /* link watch has acted */
    lab_mark();
    (void)lab_send(s, 100);
    struct tcp_info i;
    socklen_t n = sizeof(i);
    (void)getsockopt(s, IPPROTO_TCP, TCP_INFO, &i, &n);
    lab_say("ca_state %u, ssthresh %u", i.tcpi_ca_state, i.tcpi_snd_ssthresh);
    LAB_CHECK(lab_count('s', LAB_TCP, NULL) == 0, "it left");
    LAB_CHECK(i.tcpi_ca_state == 2, "the state is not CWR");
    LAB_CHECK(i.tcpi_snd_ssthresh < 100, "the threshold is not set");
    return lab_end();
}
