/* See os/lo.h. The socket sees each packet twice, going out and coming in; one is enough. */

#include "os/lo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/netns.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23 /* Linux 4.20 */
#endif
#define LO_INDEX 1 /* net/core/dev.c: every namespace's first interface */

int ho_os_lo_open(int netns)
{
    struct sockaddr_ll a = { .sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ALL),
                             .sll_ifindex = LO_INDEX };
    /* Protocol 0: nothing comes before it is bound to lo alone. */
    int fd = ho_os_netns_socket(netns, AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int on = 1;

    if (fd < 0) {
        return fd;
    }
    if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0 ||
        bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0) {
        int err = -errno;

        (void)close(fd);
        return err;
    }
    return fd;
}

int ho_os_lo_read(int fd, void *buf, size_t size, struct ho_time *ret_at)
{
    for (;;) {
        ssize_t n = recv(fd, buf, size, MSG_DONTWAIT | MSG_TRUNC);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        if (n > 0 && (size_t)n <= size) {
            *ret_at = ho_os_now();
            return (int)n;
        }
    }
}
