#define _GNU_SOURCE
/* A timer of 3 s fires on the wheel's grid of its level, 256 ms wide at HZ=250: two keepalive
 * probes armed at moments that lie apart leave at the same place in it, whatever the moments.
 * The timestamps of the probes tell, in the kernel's own milliseconds. (ground-truth A1)
 */

#include "lab.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#define GRANULE 256 /* ms, of delays from 2.016 to 16.1 s */

static bool is_hz_250(void)
{
    char line[128];
    bool found = false;
    FILE *f = popen("zcat /proc/config.gz 2>/dev/null || cat /boot/config-$(uname -r)", "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        int hz;
        found = found || (sscanf(line, "CONFIG_HZ=%d", &hz) == 1 && hz == 250);
    }
    if (f != NULL) {
        (void)pclose(f);
    }
    return found;
}

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "timers fire on the grid of their level of the wheel",
              (struct lab_conf){ .permanent = true });
    if (!is_hz_250()) {
        (void)printf("skipped: the kernel is not known to run at HZ=250\n");
        return LAB_SKIP;
    }
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_option(s, IPPROTO_TCP, TCP_KEEPIDLE, 3);
    lab_mark();
    lab_option(s, SOL_SOCKET, SO_KEEPALIVE, 1);
    lab_run(3500);
    LAB_CHECK(lab_count('s', LAB_TCP, "A") == 1, "no probe");
    uint32_t first = lab_nth('s', LAB_TCP, "A", 0)->tsval;
    lab_run(100); /* not a multiple of the granule */
    lab_option(s, SOL_SOCKET, SO_KEEPALIVE, 0);
    lab_mark();
    lab_option(s, SOL_SOCKET, SO_KEEPALIVE, 1);
    lab_run(3500);
    LAB_CHECK(lab_count('s', LAB_TCP, "A") == 1, "no second probe");
    uint32_t apart = (lab_nth('s', LAB_TCP, "A", 0)->tsval - first) % GRANULE;
    lab_say("the probes are a multiple of 256 ms and %u ms apart", apart);
    LAB_CHECK(apart <= 12 || apart >= GRANULE - 12, "not on one grid"); /* 3 jiffies */
    return lab_end();
}
