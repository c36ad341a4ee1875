/* setns(2) and unshare(2), there and back. See os/netns.h. */

#include "os/netns.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int ho_os_netns_here(int *ret_fd)
{
    /* "thread-self" is of the reader's pid in the pid namespace that /proc was mounted for. */
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    *ret_fd = fd;
    return 0;
}

void ho_os_netns_close(int netns)
{
    if (netns >= 0) {
        (void)close(netns);
    }
}

int ho_os_netns_lo_up(void)
{
    struct ifreq r = { .ifr_flags = IFF_UP };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int err = 0;

    if (fd < 0) {
        return -errno;
    }
    memcpy(r.ifr_name, "lo", sizeof("lo"));
    if (ioctl(fd, SIOCSIFFLAGS, &r) != 0) {
        err = -errno;
    }
    (void)close(fd);
    return err;
}

int ho_os_netns_new(int *ret_fd)
{
    int back = -1;
    int fd = -1;
    int err = ho_os_netns_here(&back);

    if (err != 0) {
        return err;
    }
    if (unshare(CLONE_NEWNET) != 0) {
        err = -errno;
        (void)close(back);
        return err;
    }
    err = ho_os_netns_lo_up();
    if (err == 0) {
        err = ho_os_netns_here(&fd);
    }
    ho_os_netns_leave(back);
    if (err == 0) {
        *ret_fd = fd;
    }
    return err;
}

int ho_os_netns_enter(int netns, int *ret_back)
{
    int back = -1;
    int err = ho_os_netns_here(&back);

    if (err == 0 && setns(netns, CLONE_NEWNET) != 0) {
        err = -errno;
        (void)close(back);
    }
    if (err == 0) {
        *ret_back = back;
    }
    return err;
}

void ho_os_netns_leave(int back)
{
    int rc = setns(back, CLONE_NEWNET);

    assert(rc == 0);
    (void)rc;
    (void)close(back);
}

int ho_os_netns_socket(int netns, int domain, int type, int protocol)
{
    int back = -1;
    int fd;

    if (netns >= 0) {
        int err = ho_os_netns_enter(netns, &back);

        if (err != 0) {
            return err;
        }
    }
    fd = socket(domain, type | SOCK_CLOEXEC, protocol);
    if (fd < 0) {
        fd = -errno;
    }
    if (netns >= 0) {
        ho_os_netns_leave(back);
    }
    return fd;
}

unsigned long long ho_os_netns_id(int netns)
{
    struct stat s;

    return fstat(netns, &s) == 0 ? (unsigned long long)s.st_ino : 0;
}
