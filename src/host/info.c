/* Looking in: sockets as sock_diag shows them, neighbours, counters, memory. */

#include "host/info.h"

#include <errno.h>
#include <string.h>

#include "host/machine.h"

/* ---- sockets -------------------------------------------------------------------------------- */

static void listener_info(struct ho_host *h, const struct ho_sock *s, struct ho_sock_info *ret)
{
    const struct ho_ext *x = ho_sock_ext(h, s);

    ret->local = x->laddr;
    ret->lport = x->lport;
    ret->remote =
        (s->flags & HO_SOCK_V6) != 0 ? (struct ho_addr){ .b = { 0 } } : ho_addr_v4(0, 0, 0, 0);
    ret->tcp.state = HO_TCP_CLOSE;
    if (s->kind == HO_KIND_LISTEN) {
        ret->tcp.state = HO_TCP_LISTEN;
        ret->tcp.rq = x->listener->n_accept; /* as ss(8) shows a listener's queue */
        ret->tcp.wq = x->listener->backlog;
    }
}

static void sock_info(struct ho_host *h, const struct ho_sock *s, struct ho_time now,
                      struct ho_sock_info *ret)
{
    *ret = (struct ho_sock_info){ .pid = ho_sock_pid(h, s), .fd = -1 };
    if (ret->pid != 0 && s->fd != HO_SLOT_NONE) {
        ret->fd = (int)s->fd;
    }
    if (s->kind != HO_KIND_CONN) {
        listener_info(h, s, ret);
        ret->ipv6 = (s->flags & HO_SOCK_V6) != 0;
        return;
    }
    ret->local = s->tcp.path->local;
    ret->remote = s->tcp.path->remote;
    ret->lport = s->tcp.lport;
    ret->rport = s->tcp.rport;
    ret->ipv6 = !ho_addr_is_v4(&ret->remote);
    ho_tcp_info(&h->env, &s->tcp, now, &ret->tcp);
}

static void small_info(const struct ho_tcp_path *path, uint16_t lport, uint16_t rport,
                       enum ho_tcp_state state, enum ho_sock_timer timer, struct ho_time deadline,
                       struct ho_time now, struct ho_sock_info *ret)
{
    *ret = (struct ho_sock_info){ .local = path->local,
                                  .remote = path->remote,
                                  .lport = lport,
                                  .rport = rport,
                                  .fd = -1,
                                  .ipv6 = !ho_addr_is_v4(&path->remote) };
    ret->tcp.state = state;
    ret->tcp.timer = timer;
    ret->tcp.expires_us = ho_time_since(deadline, now).ns / 1000;
}

static void req_info(const struct ho_req *r, struct ho_time now, struct ho_sock_info *ret)
{
    small_info(r->r.path, r->r.lport, r->r.rport, HO_TCP_SYN_RECV, HO_SOCK_TIMER_ON,
               ho_due_time(r->r.deadline), now, ret);
    ret->tcp.idiag_retrans = r->r.num_retrans;
    ret->tcp.retransmits = r->r.num_timeout;
}

static void tw_info(const struct ho_tw *t, struct ho_time now, struct ho_sock_info *ret)
{
    small_info(t->t.path, t->t.lport, t->t.rport, (enum ho_tcp_state)t->t.substate,
               HO_SOCK_TIMER_TIMEWAIT, ho_due_time(t->t.deadline), now, ret);
}

/* A socket whose TIME-WAIT goes on without it, as long as that does. */
static bool is_tw(struct ho_host *h, const struct ho_sock *s)
{
    const struct ho_way *way = ho_container(s->tcp.path, struct ho_way, path);

    return (s->flags & HO_SOCK_HAS_TW) != 0 &&
           (ho_demux_find(h, way, s->tcp.lport, s->tcp.rport) & HO_REF_TYPE) == HO_REF_TW;
}

/* Shown: what is bound to somebody. A new socket is not in sock_diag; one in TIME-WAIT is shown as
 * that record, and is CLOSED behind it.
 */
static bool is_shown(struct ho_host *h, const struct ho_sock *s)
{
    return s->kind == HO_KIND_LISTEN || (s->kind == HO_KIND_CONN && !is_tw(h, s));
}

bool ho_host_sock_next(struct ho_host *h, uint64_t *cursor, struct ho_time now,
                       struct ho_sock_info *ret)
{
    uint64_t reqs_at = h->socks.top, tws_at = reqs_at + h->reqs.top;

    while (*cursor < reqs_at) {
        const struct ho_sock *s = ho_slots_at(&h->socks, (uint32_t)(*cursor)++);

        if (is_shown(h, s)) {
            sock_info(h, s, now, ret);
            return true;
        }
    }
    while (*cursor < tws_at) {
        const struct ho_req *r = ho_slots_at(&h->reqs, (uint32_t)((*cursor)++ - reqs_at));

        if (r->kind == HO_KIND_REQ) {
            req_info(r, now, ret);
            return true;
        }
    }
    while (*cursor < tws_at + h->tws.top) {
        const struct ho_tw *t = ho_slots_at(&h->tws, (uint32_t)((*cursor)++ - tws_at));

        if (t->kind == HO_KIND_TW) {
            tw_info(t, now, ret);
            return true;
        }
    }
    return false;
}

int ho_host_sock_info(struct ho_host *h, uint32_t pid, int fd, struct ho_time now,
                      struct ho_sock_info *ret)
{
    const struct ho_sock *s = ho_proc_sock(h, pid, fd);

    if (s == NULL) {
        return ho_proc_epoll(h, pid, fd) != NULL ? -ENOTSOCK : -EBADF;
    }
    sock_info(h, s, now, ret);
    return 0;
}

/* ---- neighbours ----------------------------------------------------------------------------- */

bool ho_host_neigh_next(struct ho_host *h, uint64_t *cursor, struct ho_neigh_info *ret)
{
    struct ho_list *at;

    for (at = h->neigh.all.next; at != &h->neigh.all; at = at->next) {
        const struct ho_neigh *n = ho_container(at, struct ho_neigh, all);

        if (n->serial > *cursor) { /* entries stand in the order of their serials */
            *ret = (struct ho_neigh_info){ .addr = n->addr,
                                           .nic = n->nic,
                                           .state = (enum ho_nud)n->state };
            *cursor = n->serial;
            return true;
        }
    }
    return false;
}

uint64_t ho_host_generation(const struct ho_host *h)
{
    return h->generation;
}

/* ---- counters and memory -------------------------------------------------------------------- */

bool ho_host_count_next(const struct ho_host *h, size_t *cursor, const char **ret_name,
                        uint64_t *ret_value)
{
    static const char *const name[] = {
#define X(id, text) text,
        HO_HOST_COUNTS(X)
#undef X
    };
    size_t i = (*cursor)++;

    if (i < HO_TCP_COUNT_N) {
        *ret_name = ho_tcp_count_name((enum ho_tcp_count)i);
        *ret_value = h->env.count[i];
        return true;
    }
    i -= HO_TCP_COUNT_N;
    if (i < HO_HOST_COUNT_N) {
        *ret_name = name[i];
        *ret_value = h->count[i];
        return true;
    }
    i -= HO_HOST_COUNT_N;
    if (i < HO_WIRE_DROP_COUNT - 1) { /* the first is "no drop" */
        *ret_name = ho_wire_drop_text((enum ho_wire_drop)(i + 1));
        *ret_value = h->drop[i + 1];
        return true;
    }
    return false;
}

size_t ho_host_idle_bytes(void)
{
    /* The socket with its share of the chunk's head and table; a link of the demultiplexer, whose
     * buckets hold one to two connections; the descriptor's entry and its bit.
     */
    return sizeof(struct ho_sock) + sizeof(uint32_t) + sizeof(uint32_t);
}
