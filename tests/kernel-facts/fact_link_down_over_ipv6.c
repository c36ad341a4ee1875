#define _GNU_SOURCE
/* `ip link set down` and up again: over IPv4 the address stays, the route comes back and the
 * connection delivers; over IPv6 the address is gone for good (keep_addr_on_down=0). (IPv4:
 * ground-truth table row 3e)
 */

#include "lab.h"

#include <poll.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "link down and up keeps an IPv4 address and loses an IPv6 one",
              (struct lab_conf){ 0 });
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_link('s', false, false);
    lab_run(50);
    lab_link('s', false, true);
    lab_run(200);
    lab_mark();
    (void)lab_send(s, 100);
    bool arrived = lab_run_until(c, POLLIN, 4000) != 0;
    LAB_CHECK(arrived == !lab_ipv6(), "arrived: %d", arrived);
    return lab_end();
}
