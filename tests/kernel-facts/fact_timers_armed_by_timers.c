#define _GNU_SOURCE
/* A timer that another timer's handler arms is one jiffy shorter for the wheel: which step it is
 * rounded up to is decided with the delay less one. A retransmission timeout of 252 ms, the first
 * delay of the second level, armed where the tail loss probe was sent, comes after 256 ms; if
 * the wheel took it for 252 ms it would come on the next but one multiple of 32 ms, 256 to 284 ms
 * later. (base/clk.h; HZ=250)
 */

#include "lab.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define ROUNDS 4
#define RTO_US 252000

static unsigned rto_of(int fd)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof(info);
    LAB_CHECK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0, "no TCP_INFO");
    return info.tcpi_rto;
}

/* One repeat after a tail loss probe: microseconds from the probe to it; 0: the timeout was
 * another. */
static int64_t from_probe_to_repeat(int s)
{
    lab_cut("cs");
    lab_mark();
    unsigned rto = rto_of(s);
    (void)lab_send(s, 100);
    lab_run(600);
    const struct lab_rec *r = lab_nth('s', LAB_TCP, "PA", 1);
    LAB_CHECK(r != NULL, "no tail loss probe");
    int64_t probe = r->us;
    r = lab_nth('s', LAB_TCP, "PA", 2);
    LAB_CHECK(r != NULL, "no repeat");
    int64_t us = r->us - probe;
    lab_say("timeout %u ms: %.1f ms from the probe to the repeat", rto / 1000, (double)us / 1e3);
    lab_plug();
    lab_run(700); /* the next repeat arrives */
    return rto == RTO_US ? us : 0;
}

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "a timer armed by a timer is a jiffy shorter for the wheel",
              (struct lab_conf){ .permanent = true });
    /* With a round trip of 6 to 10 ms this makes a timeout of 252 ms. */
    if (!lab_sysctl('s', "net.ipv4.tcp_rto_min_us", "242000")) {
        lab_say("no tcp_rto_min_us");
        return LAB_SKIP;
    }
    int l, c, s;
    lab_pair(&l, &c, &s);
    unsigned measured = 0, exact = 0;
    for (int i = 0; i < ROUNDS; i++) {
        lab_run(37 + 5 * i); /* another phase of the grid of 32 ms each time */
        int64_t us = from_probe_to_repeat(s);
        measured += us > 0;
        exact += us >= 255000 && us <= 262000;
    }
    if (measured == 0) {
        lab_say("the round trip is not what it should be");
        return LAB_SKIP;
    }
    LAB_CHECK(exact == measured, "%u of %u", exact, measured);
    return lab_end();
}
