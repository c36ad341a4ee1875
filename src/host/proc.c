/* Processes: a table of descriptors each. What a process leaves behind is closed in the order of
 * its descriptors (ground-truth B6).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/machine.h"

/* An entry of a descriptor table: the object's number + 1, and what it is. */
#define ENTRY_EPOLL 0x80000000u

struct ho_proc *ho_proc_find(struct ho_host *h, uint32_t pid)
{
    if (pid == 0 || pid > h->n_procs || !h->proc[pid - 1].alive) {
        return NULL;
    }
    return &h->proc[pid - 1];
}

static uint32_t entry_of(struct ho_host *h, uint32_t pid, int fd)
{
    const struct ho_proc *p = ho_proc_find(h, pid);

    return p == NULL ? HO_FD_NONE : ho_fdtab_get(&p->fds, fd);
}

struct ho_sock *ho_proc_sock(struct ho_host *h, uint32_t pid, int fd)
{
    uint32_t entry = entry_of(h, pid, fd);

    if (entry == HO_FD_NONE || (entry & ENTRY_EPOLL) != 0) {
        return NULL;
    }
    return ho_slots_at(&h->socks, entry - 1);
}

struct ho_epoll *ho_proc_epoll(struct ho_host *h, uint32_t pid, int fd)
{
    uint32_t entry = entry_of(h, pid, fd);

    if (entry == HO_FD_NONE || (entry & ENTRY_EPOLL) == 0) {
        return NULL;
    }
    return ho_slots_at(&h->epolls, (entry & ~ENTRY_EPOLL) - 1);
}

int ho_proc_open_sock(struct ho_host *h, uint32_t pid, struct ho_sock *s)
{
    return ho_fdtab_open(&ho_proc_find(h, pid)->fds, ho_sock_number(h, s) + 1);
}

int ho_proc_open_epoll(struct ho_host *h, uint32_t pid, struct ho_epoll *e)
{
    return ho_fdtab_open(&ho_proc_find(h, pid)->fds, (e->number + 1) | ENTRY_EPOLL);
}

void ho_proc_close(struct ho_host *h, uint32_t pid, int fd, bool dying, struct ho_time now)
{
    struct ho_sock *s = ho_proc_sock(h, pid, fd);
    struct ho_epoll *e = ho_proc_epoll(h, pid, fd);

    ho_fdtab_close(&ho_proc_find(h, pid)->fds, fd);
    if (s != NULL) {
        ho_sock_release(h, s, dying, now);
    } else {
        ho_epoll_free(h, e, dying);
    }
}

int ho_host_spawn(struct ho_host *h, const char *name)
{
    if (!h->up) {
        return -ENETDOWN;
    }
    if (h->n_procs == h->cap_procs) {
        uint32_t cap = h->cap_procs == 0 ? 4 : 2 * h->cap_procs;
        struct ho_proc *bigger = realloc(h->proc, cap * sizeof(*bigger));

        if (bigger == NULL) {
            return -ENOMEM;
        }
        h->proc = bigger;
        h->cap_procs = cap;
    }
    struct ho_proc *p = &h->proc[h->n_procs++];
    size_t len = strlen(name);
    memset(p, 0, sizeof(*p));
    memcpy(p->name, name, len < HO_NAME_MAX ? len : HO_NAME_MAX - 1);
    ho_fdtab_init(&p->fds, HO_FD_MAX);
    p->alive = true;
    return (int)h->n_procs;
}

int ho_host_kill(struct ho_host *h, uint32_t pid, struct ho_time now)
{
    struct ho_proc *p = ho_proc_find(h, pid);
    int fd = -1;

    h->now = now;
    if (p == NULL) {
        return -ESRCH;
    }
    ho_call_kill(h, pid, now);
    while ((fd = ho_fdtab_next(&p->fds, fd + 1)) >= 0) {
        ho_proc_close(h, pid, fd, true, now);
    }
    p->alive = false;
    ho_fdtab_destroy(&p->fds);
    ho_machine_run(h, now);
    return 0;
}

void ho_proc_forget(struct ho_host *h)
{
    for (uint32_t i = 0; i < h->n_procs; i++) {
        h->proc[i].alive = false; /* their numbers are not used again */
        ho_fdtab_destroy(&h->proc[i].fds);
    }
}

int ho_host_nonblock(struct ho_host *h, uint32_t pid, int fd, bool on)
{
    struct ho_sock *s = ho_proc_sock(h, pid, fd);

    if (s == NULL) {
        return ho_proc_epoll(h, pid, fd) != NULL ? 0 : -EBADF;
    }
    s->flags &= (uint16_t)~HO_SOCK_NONBLOCK_F;
    s->flags |= on ? HO_SOCK_NONBLOCK_F : 0;
    return 0;
}

int64_t ho_host_fionread(struct ho_host *h, uint32_t pid, int fd)
{
    struct ho_sock *s = ho_proc_sock(h, pid, fd);

    if (s == NULL) {
        return -EBADF;
    }
    return s->kind == HO_KIND_CONN && s->tcp.work != NULL ? s->tcp.work->rcv_bytes : 0;
}
