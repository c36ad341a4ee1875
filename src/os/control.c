/* Lines over a stream socket in the abstract namespace, with descriptors beside them. */

#include "os/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK 16384

/* ---- names ----------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
    size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    return len > 0 && len < HO_CONTROL_NAME && name[len] == '\0';
}

/* Fills the address of a lab; returns its length. */
static socklen_t address_of(struct sockaddr_un *a, const char *name)
{
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    int len = snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "halfopen/%u/%s",
                       (unsigned)geteuid(), name);

    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

/* 0 if the other side is this user. */
static int check_peer(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        return -errno;
    }
    return peer.uid == geteuid() ? 0 : -EACCES;
}

static int close_with(int fd, int err)
{
    close(fd);
    return err;
}

int ho_control_listen(const char *name)
{
    struct sockaddr_un a;

    if (!is_name(name)) {
        return -EINVAL;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return -errno;
    }
    if (bind(fd, (const struct sockaddr *)&a, address_of(&a, name)) != 0 || listen(fd, 16) != 0) {
        return close_with(fd, -errno);
    }
    return fd;
}

int ho_control_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        return -errno;
    }
    int err = check_peer(fd);

    return err == 0 ? fd : close_with(fd, err);
}

int ho_control_connect(const char *name)
{
    struct sockaddr_un a;

    if (!is_name(name)) {
        return -ECONNREFUSED;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -errno;
    }
    socklen_t len = address_of(&a, name);

    if (connect(fd, (const struct sockaddr *)&a, len) != 0) {
        return close_with(fd, -errno);
    }
    int err = check_peer(fd);

    return err == 0 ? fd : close_with(fd, err);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The name in a line of /proc/net/unix ("... 00010000 ... @halfopen/0/NAME"), if it is a lab of
 * this user that listens (the flag __SO_ACCEPTCON, 0x10000); else NULL.
 */
static const char *lab_in(char *line)
{
    char prefix[48];
    unsigned long flags = 0;

    snprintf(prefix, sizeof(prefix), " @halfopen/%u/", (unsigned)geteuid());
    char *name = strstr(line, prefix);

    if (name == NULL || sscanf(line, "%*s %*s %*s %lx", &flags) != 1 || (flags & 0x10000ul) == 0) {
        return NULL;
    }
    name += strlen(prefix);
    name[strcspn(name, "\n")] = '\0';
    return is_name(name) ? name : NULL;
}

int ho_control_list(char (*ret)[HO_CONTROL_NAME], size_t max)
{
    FILE *f = fopen("/proc/net/unix", "re");
    char *line = NULL;
    size_t room = 0;
    size_t n = 0;

    if (f == NULL) {
        return -errno;
    }
    while (getline(&line, &room, f) >= 0) {
        const char *name = lab_in(line);

        if (name != NULL && n++ < max) {
            snprintf(ret[n - 1], HO_CONTROL_NAME, "%s", name);
        }
    }
    free(line);
    fclose(f);
    qsort(ret, n < max ? n : max, sizeof(*ret), by_name);
    return (int)n;
}

/* ---- reading --------------------------------------------------------------------------------- */

void ho_control_close(struct ho_control *c)
{
    if (c == NULL) {
        return;
    }
    while (c->fd_count > 0) {
        close(c->fds[--c->fd_count]);
    }
    if (c->fd >= 0) {
        close(c->fd);
    }
    free(c->in);
    free(c->out);
    *c = (struct ho_control){ .fd = -1 };
}

/* Room for `more` bytes behind what lies at[..len) of a buffer, which is moved to its start. */
static int make_room(char **buf, size_t *at, size_t *len, size_t *room, size_t more)
{
    if (*at > 0 && *buf != NULL) {
        memmove(*buf, *buf + *at, *len - *at);
        *len -= *at;
        *at = 0;
    }
    if (*room - *len < more) {
        size_t want = (*len + more) * 2;
        char *grown = realloc(*buf, want);

        if (grown == NULL) {
            return -ENOMEM;
        }
        *buf = grown;
        *room = want;
    }
    return 0;
}

static void take_fds(struct ho_control *c, struct msghdr *m)
{
    for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(h) + i * sizeof(fd), sizeof(fd));
            if (c->fd_count < HO_CONTROL_FDS) {
                c->fds[c->fd_count++] = fd;
            } else {
                close(fd);
            }
        }
    }
}

/* One recvmsg() behind what is there. Returns its result, or a negative errno. */
static ssize_t receive(struct ho_control *c)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(HO_CONTROL_FDS * sizeof(int))];
    } control;
    struct iovec io = { c->in + c->in_len, c->in_room - c->in_len - 1 };
    struct msghdr m = { .msg_iov = &io,
                        .msg_iovlen = 1,
                        .msg_control = control.bytes,
                        .msg_controllen = sizeof(control.bytes) };
    ssize_t n = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (n < 0) {
        return -errno;
    }
    take_fds(c, &m);
    return n;
}

int ho_control_read(struct ho_control *c, size_t max_line)
{
    for (;;) {
        int err = make_room(&c->in, &c->in_at, &c->in_len, &c->in_room, CHUNK);

        if (err != 0) {
            return err;
        }
        ssize_t n = receive(c);

        if (n == -EINTR) {
            continue;
        }
        if (n == -EAGAIN) {
            break;
        }
        if (n <= 0) {
            c->ended = true;
            return (int)n;
        }
        c->in_len += (size_t)n;
        if (max_line > 0 && c->in_len >= max_line) {
            break; /* whole lines first, then the rest */
        }
    }
    return max_line > 0 && c->in_len >= max_line && memchr(c->in, '\n', c->in_len) == NULL
               ? -EMSGSIZE
               : 0;
}

char *ho_control_line(struct ho_control *c)
{
    char *line = c->in != NULL ? c->in + c->in_at : NULL;
    char *end = line != NULL ? memchr(line, '\n', c->in_len - c->in_at) : NULL;

    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    c->in_at = (size_t)(end + 1 - c->in);
    return line;
}

/* ---- writing --------------------------------------------------------------------------------- */

bool ho_control_waits(const struct ho_control *c)
{
    return c->out_at < c->out_len;
}

int ho_control_flush(struct ho_control *c)
{
    while (ho_control_waits(c)) {
        ssize_t n =
            send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno == EAGAIN ? 0 : -errno;
        }
        c->out_at += (size_t)n;
    }
    c->out_at = c->out_len = 0;
    return 0;
}

/* A line with descriptors goes out whole or not at all. */
static int send_fds(const struct ho_control *c, const char *text, size_t len, const int *fds,
                    unsigned n)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(HO_CONTROL_FDS * sizeof(int))];
    } control = { .bytes = { 0 } };
    struct iovec io = { (void *)(size_t)text, len };
    struct msghdr m = { .msg_iov = &io,
                        .msg_iovlen = 1,
                        .msg_control = control.bytes,
                        .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);

    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(h), fds, n * sizeof(int));
    ssize_t sent = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0) {
        return errno == EAGAIN ? -ENOBUFS : -errno;
    }
    return (size_t)sent == len ? 0 : -ENOBUFS;
}

int ho_control_write(struct ho_control *c, const char *text, size_t len, const int *fds, unsigned n)
{
    if (n > 0) {
        return ho_control_waits(c) || n > HO_CONTROL_FDS ? -ENOBUFS
                                                         : send_fds(c, text, len, fds, n);
    }
    if (c->out_len - c->out_at + len > HO_CONTROL_OUT) {
        return -ENOBUFS;
    }
    int err = make_room(&c->out, &c->out_at, &c->out_len, &c->out_room, len);

    if (err != 0) {
        return err;
    }
    memcpy(c->out + c->out_len, text, len);
    c->out_len += len;
    return ho_control_flush(c);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static int wait_for(const struct ho_control *c, short events)
{
    struct pollfd p = { .fd = c->fd, .events = events };

    return poll(&p, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

int ho_control_ask(struct ho_control *c, const char *line, const char **ret_line)
{
    int err = ho_control_write(c, line, strlen(line), NULL, 0);

    err = err != 0 ? err : ho_control_write(c, "\n", 1, NULL, 0);
    while (err == 0 && ho_control_waits(c)) {
        err = wait_for(c, POLLOUT);
        err = err != 0 ? err : ho_control_flush(c);
    }
    while (err == 0) {
        const char *answer = ho_control_line(c);

        if (answer != NULL) {
            *ret_line = answer;
            return 0;
        }
        if (c->ended) {
            return -EPIPE;
        }
        err = wait_for(c, POLLIN);
        err = err != 0 ? err : ho_control_read(c, 0);
    }
    return err == -ECONNRESET ? -EPIPE : err; /* it went without having read all */
}

/* A connection that nobody accepts any more is hung up when the last holder of the listener ends.
 */
int ho_control_wait_gone(const char *name)
{
    char byte;
    int fd = ho_control_connect(name);

    if (fd < 0) {
        return fd == -ECONNREFUSED ? 0 : fd;
    }
    while (recv(fd, &byte, 1, 0) > 0 || errno == EINTR) {
        errno = 0;
    }
    return close_with(fd, 0);
}
