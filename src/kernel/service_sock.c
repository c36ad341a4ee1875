/* Whose sockets are they: from an inode to the process of the plan, by /proc of the room.
 *
 * A command's processes are those below its init; each has links in /proc/PID/fd that name the
 * inodes of its sockets (proc(5)), the same numbers that sock_diag gives. What was found is
 * remembered; an inode that is not known has /proc read again, more and more seldom.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "kernel/service_state.h"
#include "os/clock.h"
#include "os/diag.h"
#include "os/sockfd.h"

#define LOOK_AGAIN 1000000LL           /* ns, for an inode that nobody had; doubled each time */
#define LOOK_SELDOM (1000 * 1000000LL) /* up to this */
#define PIDS_MAX 4096
#define FDS_MAX 1024
#define SOCKS_MAX 16384
#define DEPTH_MAX 64 /* of children of children */

/* All processes of the room. */
struct people {
    int count;
    pid_t pid[PIDS_MAX], parent[PIDS_MAX];
    struct ho_os_sockfd fd[FDS_MAX];
};

static pid_t parent_of(const struct people *all, pid_t pid)
{
    for (int i = 0; i < all->count; i++) {
        if (all->pid[i] == pid) {
            return all->parent[i];
        }
    }
    return 0;
}

/* The command of `host` that a process belongs to; NULL: it belongs to none. */
static const struct ho_service *service_of(const struct ho_services *s, const struct people *all,
                                           uint16_t host, pid_t pid)
{
    for (unsigned depth = 0; pid > 1 && depth < DEPTH_MAX; depth++) {
        for (size_t i = 0; i < s->count; i++) {
            const struct ho_service *v = &s->service[i];
            if (v->runs && v->host == host && v->child.pid == pid) {
                return v;
            }
        }
        pid = parent_of(all, pid);
    }
    return NULL;
}

static void remember(struct ho_services *s, const struct ho_service_sock *sock)
{
    if (s->socks == s->sock_room && s->sock_room < SOCKS_MAX) {
        size_t room = s->sock_room != 0 ? 2 * s->sock_room : 64;
        struct ho_service_sock *p = realloc(s->sock, room * sizeof(*p));
        if (p == NULL) {
            return; /* nobody's, then */
        }
        s->sock = p;
        s->sock_room = room;
    }
    if (s->socks < s->sock_room) {
        s->sock[s->socks++] = *sock;
    }
}

static void look_into(struct ho_services *s, uint16_t proc, pid_t pid, struct ho_os_sockfd *fd)
{
    int n = ho_os_sockfd_list(pid, fd, FDS_MAX);

    for (int i = 0; i < n && i < FDS_MAX; i++) {
        const struct ho_service_sock sock = {
            .inode = fd[i].inode, .proc = proc, .pid = pid, .fd = fd[i].fd
        };
        remember(s, &sock);
    }
}

/* Forgets what is known of a host's sockets. */
static void forget_socks(struct ho_services *s, uint16_t host)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->socks; i++) {
        if (s->service[s->sock[i].proc].host != host) {
            s->sock[kept++] = s->sock[i];
        }
    }
    s->socks = kept;
}

/* Reads /proc anew for one host. */
static void look_around(struct ho_services *s, uint16_t host)
{
    struct people *all = malloc(sizeof(*all));

    if (all == NULL) {
        return;
    }
    forget_socks(s, host);
    all->count = ho_os_pids(all->pid, PIDS_MAX);
    all->count = all->count < PIDS_MAX ? all->count : PIDS_MAX;
    for (int i = 0; i < all->count; i++) {
        all->parent[i] = ho_os_ppid(all->pid[i]);
    }
    for (int i = 0; i < all->count; i++) {
        const struct ho_service *v = service_of(s, all, host, all->pid[i]);
        if (v != NULL) {
            look_into(s, v->proc, all->pid[i], all->fd);
        }
    }
    free(all);
}

static const struct ho_service_sock *find(const struct ho_services *s, uint16_t host,
                                          uint64_t inode)
{
    for (size_t i = 0; i < s->socks; i++) {
        if (s->sock[i].inode == inode && s->service[s->sock[i].proc].host == host) {
            return &s->sock[i];
        }
    }
    return NULL;
}

static bool any_runs(const struct ho_services *s, uint16_t host)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->service[i].runs && s->service[i].host == host) {
            return true;
        }
    }
    return false;
}

/* Is it time to look for an inode that nobody had when it was looked for last? A socket that was
 * just made has an inode before it has a descriptor.
 */
static bool may_look(struct ho_services *s, uint64_t inode)
{
    const int64_t now = ho_os_now().ns;
    struct ho_service_stranger *at = &s->stranger[inode % HO_SERVICE_STRANGERS];

    if (at->inode == inode && now < at->next_ns) {
        return false;
    }
    at->wait_ns = at->inode != inode          ? LOOK_AGAIN
                  : at->wait_ns < LOOK_SELDOM ? 2 * at->wait_ns
                                              : at->wait_ns;
    at->inode = inode;
    at->next_ns = now + at->wait_ns;
    return true;
}

static const struct ho_service_sock *find_or_look(struct ho_services *s, uint16_t host,
                                                  uint64_t inode)
{
    const struct ho_service_sock *sock = inode != 0 ? find(s, host, inode) : NULL;

    if (sock == NULL && inode != 0 && any_runs(s, host) && may_look(s, inode)) {
        look_around(s, host);
        sock = find(s, host, inode);
    }
    return sock;
}

uint16_t ho_services_owner(struct ho_services *s, uint16_t host, uint32_t inode)
{
    const struct ho_service_sock *sock = find_or_look(s, host, inode);

    return sock != NULL ? sock->proc : HO_PLAN_NONE;
}

int ho_services_options(struct ho_services *s, uint16_t host, uint32_t inode,
                        struct ho_service_options *ret)
{
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        const struct ho_service_sock *sock = find_or_look(s, host, inode);
        struct ho_os_sockopt opt[] = { { .level = SOL_SOCKET, .name = SO_KEEPALIVE },
                                       { .level = IPPROTO_TCP, .name = TCP_KEEPIDLE },
                                       { .level = IPPROTO_TCP, .name = TCP_KEEPINTVL },
                                       { .level = IPPROTO_TCP, .name = TCP_KEEPCNT },
                                       { .level = IPPROTO_TCP, .name = TCP_USER_TIMEOUT } };
        uint64_t is = 0;
        if (sock == NULL) {
            return -ENOENT;
        }
        int err = ho_os_sockfd_options(sock->pid, sock->fd, opt, sizeof(opt) / sizeof(opt[0]), &is);
        for (size_t i = 0; i < sizeof(opt) / sizeof(opt[0]) && err == 0; i++) {
            err = opt[i].err;
        }
        if (err == 0 && is == inode) {
            *ret = (struct ho_service_options){ .keepalive = opt[0].value,
                                                .keepidle = opt[1].value,
                                                .keepintvl = opt[2].value,
                                                .keepcnt = opt[3].value,
                                                .user_timeout = (unsigned)opt[4].value };
            return 0;
        }
        if (err == -EPERM || err == -ENOSYS) {
            return err;
        }
        look_around(s, host); /* the descriptor is another one by now */
    }
    return -ENOENT;
}

int ho_service_listens(struct ho_services *s, struct ho_service *v)
{
    enum {
        LISTEN = 10, /* enum ho_tcp_state: Linux's number */
        MAX = 1024
    };
    struct ho_os_sock *all = calloc(MAX, sizeof(*all));
    int n = all != NULL ? ho_os_diag_dump(v->diag, all, MAX) : -ENOMEM, found = 0;

    for (int i = 0; i < n && i < MAX && found == 0; i++) {
        if (all[i].state == LISTEN && all[i].lport == v->port) {
            found =
                !ho_os_room_has_proc() || ho_services_owner(s, v->host, all[i].inode) == v->proc;
        }
    }
    free(all);
    return n < 0 ? n : found;
}
