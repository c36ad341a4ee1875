#define _GNU_SOURCE
/* The last IPv4 address of an interface takes all its routes and neighbours with it, permanent
 * ones too: when it is back, the neighbour has to be asked for. Over IPv6 the entry stays.
 * (s03z_addrdel_inflight_back_5s)
 */

#include "lab.h"

#include <poll.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "the last IPv4 address takes the neighbours with it",
              (struct lab_conf){ .permanent = true });
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_address('s', false);
    lab_run(50);
    lab_address('s', true);
    lab_run(50);
    lab_mark();
    (void)lab_send(s, 100);
    LAB_CHECK(lab_run_until(c, POLLIN, 5000) != 0, "nothing arrived");
    size_t asked = lab_count('s', LAB_ARP, NULL);
    lab_say("%zu requests", asked);
    LAB_CHECK((asked > 0) == !lab_ipv6(), "%zu requests", asked);
    return lab_end();
}
