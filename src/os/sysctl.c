/* Files of /proc/sys. See os/sysctl.h. */

#include "os/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/netns.h"

#define ROOT "/proc/sys/"
#define VALUE_MAX 4096

/* Returns a descriptor; a negative errno. The lookup is what asks for this thread's namespace. */
static int open_sysctl(int netns, const char *name, int flags)
{
    char path[256];
    int back = -1;
    int n = snprintf(path, sizeof(path), ROOT "%s", name);

    if (n < 0 || (size_t)n >= sizeof(path) || name[0] == '\0' || name[0] == '/' ||
        strstr(name, "..") != NULL) {
        return -EINVAL;
    }
    for (char *p = path + strlen(ROOT); *p != '\0'; p++) {
        *p = *p == '.' ? '/' : *p;
    }
    if (netns >= 0) {
        int err = ho_os_netns_enter(netns, &back);

        if (err != 0) {
            return err;
        }
    }
    int fd = open(path, flags | O_CLOEXEC);

    fd = fd < 0 ? -errno : fd;
    if (netns >= 0) {
        ho_os_netns_leave(back);
    }
    return fd;
}

int ho_os_sysctl_read(int netns, const char *name, char *buf, size_t size)
{
    char text[VALUE_MAX];
    int fd = open_sysctl(netns, name, O_RDONLY);

    if (fd < 0) {
        return fd;
    }
    ssize_t n = read(fd, text, sizeof(text));
    int err = n < 0 ? -errno : 0;

    (void)close(fd);
    if (err != 0) {
        return err == -EISDIR ? -EINVAL : err;
    }
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\0')) {
        n--;
    }
    if ((size_t)n >= size) {
        return -ENOSPC;
    }
    for (ssize_t i = 0; i < n; i++) {
        buf[i] = (char)(text[i] == '\t' ? ' ' : text[i]);
    }
    buf[n] = '\0';
    return (int)n;
}

int ho_os_sysctl_write(int netns, const char *name, const char *value)
{
    int fd = open_sysctl(netns, name, O_WRONLY);

    if (fd < 0) {
        return fd == -EISDIR ? -EINVAL : fd;
    }
    int err = write(fd, value, strlen(value)) < 0 ? -errno : 0;

    (void)close(fd);
    return err;
}
