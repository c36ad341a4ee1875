#define _GNU_SOURCE
/* tcp_early_retrans=0 turns the tail loss probe off: the second copy is the first timeout (srtt +
 * 200 ms), and the third comes the doubled timeout after it. (ground-truth A2)
 */

#include "lab.h"

#include <poll.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "without the tail loss probe the first repeat is the first timeout",
              (struct lab_conf){ .permanent = true });
    (void)lab_sysctl('s', "net.ipv4.tcp_early_retrans", "0");
    (void)lab_sysctl('s', "net.ipv4.tcp_retries2", "1");
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_cut("cs");
    lab_mark();
    (void)lab_send(s, 1000);
    (void)lab_run_until(s, POLLERR, 5000);
    const struct lab_rec *r = lab_nth('s', LAB_TCP, "PA", 1);
    LAB_CHECK(r != NULL, "no second copy");
    int64_t first = r->us;
    LAB_BETWEEN(first, 204, 240);
    r = lab_nth('s', LAB_TCP, "PA", 2);
    LAB_CHECK(r != NULL, "no third copy");
    LAB_BETWEEN(r->us - first, 408, 490);
    return lab_end();
}
