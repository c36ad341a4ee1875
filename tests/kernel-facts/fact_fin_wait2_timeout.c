#define _GNU_SOURCE
/* An orphan in FIN-WAIT-2 is gone after tcp_fin_timeout (1 s here); what the peer sends then is
 * answered with RST. (ground-truth table row 6a)
 */

#include "lab.h"

#include <netinet/tcp.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "an orphan in FIN-WAIT-2 ends by tcp_fin_timeout",
              (struct lab_conf){ .permanent = true });
    (void)lab_sysctl('c', "net.ipv4.tcp_fin_timeout", "1");
    int l, c, s;
    lab_pair(&l, &c, &s);
    (void)close(c);
    lab_run(2200);
    LAB_CHECK(lab_state(s) == TCP_CLOSE_WAIT, "the server's state is %d", lab_state(s));
    (void)lab_send(s, 10);
    lab_run(50);
    LAB_CHECK(lab_count('c', LAB_TCP, "R") == 1, "no RST");
    LAB_CHECK(lab_nth('c', LAB_TCP, "R", 0)->ack == 0, "a RST with ACK");
    return lab_end();
}
