/* The namespaces of a machine, by /proc/PID/ns/net (proc(5)). See os/netns.h. */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/netns.h"
#include "os/procfs.h"

struct list {
    struct ho_os_netns_seen *seen;
    size_t n, room;
};

/* Namespaces are few and processes many, neighbours mostly in the same one: look from the end. */
static bool is_listed(const struct list *l, uint64_t id)
{
    for (size_t i = l->n; i-- > 0;) {
        if (l->seen[i].id == id) {
            return true;
        }
    }
    return false;
}

static int add(struct list *l, uint64_t id, int pid)
{
    if (l->n == l->room) {
        size_t room = l->room != 0 ? 2 * l->room : 16;
        struct ho_os_netns_seen *more = realloc(l->seen, room * sizeof(*more));

        if (more == NULL) {
            return -ENOMEM;
        }
        l->seen = more;
        l->room = room;
    }
    l->seen[l->n++] = (struct ho_os_netns_seen){ .id = id, .pid = pid };
    return 0;
}

static int see_process(struct list *l, int proc, const char *name)
{
    char path[64], text[64];
    uint64_t id;

    (void)snprintf(path, sizeof(path), "%.16s/ns/net", name);
    ssize_t n = readlinkat(proc, path, text, sizeof(text));

    if (n <= 0 || !ho_os_procfs_netns(text, (size_t)n, &id) || is_listed(l, id)) {
        return 0;
    }
    return add(l, id, (int)strtol(name, NULL, 10));
}

int ho_os_netns_all(struct ho_os_netns_seen **ret, size_t *ret_n)
{
    struct list l = { .n = 0 };
    DIR *d = opendir("/proc");
    int err = d == NULL ? -errno : 0;

    for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL && err == 0; e = readdir(d)) {
        if (isdigit((unsigned char)e->d_name[0])) {
            err = see_process(&l, dirfd(d), e->d_name);
        }
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    if (err != 0) {
        free(l.seen);
        return err;
    }
    *ret = l.seen;
    *ret_n = l.n;
    return 0;
}

int ho_os_netns_of(int pid, int *ret_fd)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    *ret_fd = fd;
    return 0;
}
