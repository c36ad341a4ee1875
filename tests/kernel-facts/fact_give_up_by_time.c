#define _GNU_SOURCE
/* tcp_retries2=2: one small segment that nobody answers goes out at 0, again as a tail loss probe
 * after 2*srtt + 200 ms, then at each timeout of srtt + 200 ms, doubled from the second on;
 * ETIMEDOUT comes at the first timeout 1.4 s or more after the first of these: not after a count
 * of 2. Nothing is sent at death, and the peer
 * stays ESTABLISHED. (ground-truth A2, A3)
 */

#include "lab.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "giving up is a matter of time since the first retransmission",
              (struct lab_conf){ .permanent = true });
    (void)lab_sysctl('s', "net.ipv4.tcp_retries2", "2");
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_cut("cs");
    lab_mark();
    (void)lab_send(s, 1000);
    (void)lab_run_until(s, POLLERR, 9000);
    int64_t dead = lab_now();
    lab_run(500);
    size_t n = lab_count('s', LAB_TCP, NULL);
    LAB_CHECK(n == 4 || n == 5, "%zu segments", n); /* 4: a slow machine, a longer timeout */
    int64_t at[5] = { 0 };
    for (size_t i = 0; i < n; i++) {
        const struct lab_rec *r = lab_nth('s', LAB_TCP, "PA", i);
        LAB_CHECK(r != NULL && r->len == 1000, "copy %zu", i);
        at[i] = r->us;
        lab_say("copy at %.3f s", (double)r->us / 1e6);
    }
    LAB_BETWEEN(at[1], 200, 300);
    LAB_BETWEEN(at[2] - at[1], 204, 300);
    for (size_t i = 3; i < n; i++) {
        LAB_CHECK(at[i] - at[i - 1] > 3 * (at[i - 1] - at[i - 2]) / 2, "no doubling at %zu", i);
    }
    lab_say("died at %.3f s", (double)dead / 1e6);
    LAB_CHECK(at[n - 1] - at[2] < 1400000, "copy %zu came after the end", n - 1);
    LAB_CHECK(dead - at[2] >= 1400000, "it died too early");
    LAB_CHECK(dead - at[n - 1] > 3 * (at[n - 1] - at[n - 2]) / 2, "it did not die by a timeout");
    LAB_CHECK(lab_recv(s, 1) == -ETIMEDOUT, "another errno");
    LAB_CHECK(lab_state(c) == TCP_ESTABLISHED, "the peer's state is %d", lab_state(c));
    return lab_end();
}
