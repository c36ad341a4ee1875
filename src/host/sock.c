/* The life of a socket: NEW, then LISTEN or CONN; settled after everything that happens to it.
 *
 * A connection is freed when it is dead and nobody holds it: no descriptor, no accept queue, no
 * lingering close(). A connection that has died in a process's hands leaves the demultiplexer at
 * once, as in Linux, so that its four-tuple is free again.
 */

#include <assert.h>
#include <errno.h>

#include "host/machine.h"

uint32_t ho_sock_number(const struct ho_host *h, const struct ho_sock *s)
{
    return ho_slots_number(&h->socks, s, s->place);
}

struct ho_ext *ho_sock_ext(struct ho_host *h, const struct ho_sock *s)
{
    return (s->flags & HO_SOCK_EXT) != 0 ? ho_slots_at(&h->exts, s->ext) : NULL;
}

uint32_t ho_sock_pid(struct ho_host *h, const struct ho_sock *s)
{
    const struct ho_ext *x = ho_sock_ext(h, s);

    return x != NULL ? x->pid : s->ext;
}

struct ho_ext *ho_sock_need_ext(struct ho_host *h, struct ho_sock *s)
{
    struct ho_ext *x = ho_sock_ext(h, s);
    uint32_t number;

    if (x != NULL) {
        return x;
    }
    x = ho_slots_get(&h->exts, &number);
    if (x == NULL) {
        return NULL;
    }
    x->pid = s->ext;
    ho_list_init(&x->ops);
    s->ext = number;
    s->flags |= HO_SOCK_EXT;
    return x;
}

static void drop_ext(struct ho_host *h, struct ho_sock *s)
{
    struct ho_ext *x = ho_sock_ext(h, s);
    uint32_t number = s->ext;

    if (x != NULL) {
        s->ext = x->pid;
        s->flags &= (uint16_t)~HO_SOCK_EXT;
        ho_slots_put(&h->exts, number);
    }
}

void ho_sock_rest(struct ho_host *h, struct ho_sock *s)
{
    const struct ho_ext *x = ho_sock_ext(h, s);

    if (x != NULL && s->kind == HO_KIND_CONN && ho_list_empty(&x->ops) && x->watches == NULL) {
        drop_ext(h, s);
    }
}

struct ho_sock *ho_sock_child(struct ho_host *h)
{
    uint32_t number;
    struct ho_sock *s = ho_slots_get(&h->socks, &number);

    if (s != NULL) {
        s->place = (uint8_t)(number % HO_SLOT_CHUNK);
        s->fd = HO_SLOT_NONE;
    }
    return s;
}

struct ho_sock *ho_sock_new(struct ho_host *h, uint32_t pid, bool ipv6, int *ret_err)
{
    struct ho_sock *s = ho_sock_child(h);

    if (s == NULL) {
        *ret_err = h->socks.used == h->socks.max ? -ENFILE : -ENOMEM;
        return NULL;
    }
    s->kind = HO_KIND_NEW;
    s->flags = ipv6 ? HO_SOCK_V6 : 0;
    s->ext = pid;
    struct ho_ext *x = ho_sock_need_ext(h, s);
    if (x == NULL) {
        ho_slots_put(&h->socks, ho_sock_number(h, s));
        *ret_err = -ENOMEM;
        return NULL;
    }
    x->laddr = ipv6 ? (struct ho_addr){ .b = { 0 } } : ho_addr_v4(0, 0, 0, 0);
    x->opts = h->opts;
    x->opts->refs++;
    return s;
}

/* Leaves the demultiplexer and the port's record. */
static void unhash(struct ho_host *h, struct ho_sock *s, bool keep_port)
{
    if ((s->flags & HO_SOCK_HASHED) != 0) {
        ho_demux_remove(h, HO_REF_SOCK | ho_sock_number(h, s));
        s->flags &= (uint16_t)~HO_SOCK_HASHED;
    }
    if ((s->flags & HO_SOCK_BOUND) != 0 && !keep_port) {
        ho_port_release(h, &s->tcp.path->local, s->tcp.lport, s->flags);
        s->flags &= (uint16_t)~HO_SOCK_BOUND;
    }
}

/* The connection inside goes; the socket stays. */
static void drop_conn(struct ho_host *h, struct ho_sock *s)
{
    struct ho_tcp_path *path = s->tcp.path;

    ho_timerq_cancel(&h->timers, &s->timer);
    if ((s->flags & HO_SOCK_PARKED) != 0) {
        ho_neigh_disown(h, ho_sock_number(h, s));
        s->flags &= (uint16_t)~HO_SOCK_PARKED;
    }
    ho_tcp_destroy(&h->env, &s->tcp);
    ho_way_put(h, path);
}

int ho_sock_disconnect(struct ho_host *h, struct ho_sock *s)
{
    struct ho_ext *x = ho_sock_need_ext(h, s);
    bool keep = (s->flags & HO_SOCK_PORT_LOCK) != 0;

    if (x == NULL) {
        return -ENOMEM;
    }
    if (ho_tcp_why(&s->tcp) == HO_TCP_WHY_ICMP && (s->flags & HO_SOCK_V6) == 0) {
        s->flags |= HO_SOCK_ERRQUEUE; /* tcp_v4_err() queues it, tcp_v6_err() for RECVERR only */
    }
    x->laddr = s->tcp.path->local;
    x->lport = keep ? s->tcp.lport : 0;
    x->opts = s->tcp.opts;
    unhash(h, s, keep);
    if (!keep) {
        bool v6 = (s->flags & HO_SOCK_V6) != 0;

        x->laddr = v6 ? (struct ho_addr){ .b = { 0 } } : ho_addr_v4(0, 0, 0, 0);
    }
    drop_conn(h, s);
    s->kind = HO_KIND_NEW;
    s->flags &= (uint16_t) ~(HO_SOCK_CONNECTING | HO_SOCK_PICKED);
    h->generation++;
    return 0;
}

void ho_sock_free(struct ho_host *h, struct ho_sock *s)
{
    struct ho_ext *x = ho_sock_ext(h, s);
    struct ho_tcp_opts *opts = s->kind == HO_KIND_CONN ? s->tcp.opts : x->opts;

    if (x != NULL) {
        assert(ho_list_empty(&x->ops));
        ho_epoll_forget(h, x);
    }
    if (s->kind == HO_KIND_CONN) {
        unhash(h, s, false);
        drop_conn(h, s);
    } else if ((s->flags & HO_SOCK_BOUND) != 0) {
        ho_port_release(h, &x->laddr, x->lport, s->flags);
    }
    if ((s->flags & HO_SOCK_ORPHAN) != 0) {
        h->orphans--;
    }
    drop_ext(h, s);
    ho_tcp_opts_put(&h->env, opts);
    ho_slots_put(&h->socks, ho_sock_number(h, s));
    h->generation++;
}

/* ---- settling ------------------------------------------------------------------------------- */

static void drain(struct ho_host *h, struct ho_sock *s, struct ho_time now)
{
    struct ho_way *way = ho_container(s->tcp.path, struct ho_way, path);
    struct ho_buf *b;

    while ((b = ho_tcp_output(&h->env, &s->tcp, now)) != NULL) {
        b->tag[1] = ho_sock_number(h, s) + 1;
        ho_ip_send_way(h, way, b, now);
    }
}

void ho_sock_wake(struct ho_host *h, struct ho_sock *s, unsigned wake, struct ho_time now)
{
    if ((s->flags & HO_SOCK_LINGER) != 0) {
        ho_call_linger_check(h, s, now);
    }
    struct ho_ext *x = ho_sock_ext(h, s);
    if (x == NULL) {
        return;
    }
    if (x->watches != NULL) {
        ho_epoll_wake(h, x, wake);
    }
    struct ho_list *at = x->ops.next;
    while (at != &x->ops) {
        struct ho_op *op = ho_container(at, struct ho_op, node);

        at = at->next;
        if (op->kind == HO_OP_RECV) { /* when its process runs, all that came is there */
            ho_list_remove(&op->node);
            ho_list_push(&h->woken, &op->node);
            continue;
        }
        int64_t ret = ho_call_retry(h, s, op, now);
        if (ret != HO_CALL_WAITS) {
            ho_call_complete(h, op, ret);
        }
    }
}

static void close_to_end(struct ho_host *h, struct ho_sock *s)
{
    bool dead = ho_tcp_is_dead(&s->tcp);
    bool held = (s->flags & (HO_SOCK_QUEUED | HO_SOCK_LINGER)) != 0 || ho_sock_pid(h, s) != 0;

    if (dead && !held) {
        ho_sock_free(h, s);
        return;
    }
    if (dead) { /* tcp_set_state(TCP_CLOSE) unhashes; a port that bind() chose is kept */
        unhash(h, s, (s->flags & HO_SOCK_PORT_LOCK) != 0);
    }
    struct ho_due due = ho_tcp_due(&s->tcp);
    if (!ho_timer_armed(&s->timer) || s->timer.due.key != due.key) { /* else it keeps its place */
        ho_timerq_arm_due(&h->timers, &s->timer, due);
    }
    ho_sock_rest(h, s);
}

void ho_sock_settle(struct ho_host *h, struct ho_sock *s, struct ho_time now)
{
    unsigned wake;

    assert(s->kind == HO_KIND_CONN);
    h->generation++;
    do {
        drain(h, s, now);
        if ((s->flags & HO_SOCK_HASHED) != 0 && ho_tcp_wants_tw(&s->tcp)) {
            ho_tw_make(h, s, now); /* what is left of the connection is dead */
        }
        wake = ho_tcp_take_wake(&s->tcp);
        if (wake != 0) {
            ho_sock_wake(h, s, wake, now);
        }
        if (s->kind != HO_KIND_CONN) {
            return; /* a connect() has failed, and the socket is as new */
        }
    } while (wake != 0);
    close_to_end(h, s);
}

/* ---- letting go ----------------------------------------------------------------------------- */

void ho_sock_orphan(struct ho_host *h, struct ho_sock *s)
{
    struct ho_ext *x = ho_sock_ext(h, s);

    if (x != NULL) {
        assert(ho_list_empty(&x->ops));
        ho_epoll_forget(h, x);
        x->pid = 0;
        drop_ext(h, s);
    }
    s->ext = 0;
    s->fd = HO_SLOT_NONE;
    s->flags |= HO_SOCK_ORPHAN;
    h->orphans++;
}

void ho_sock_release(struct ho_host *h, struct ho_sock *s, bool dying, struct ho_time now)
{
    ho_call_unwake(h, s);
    struct ho_ext *x = ho_sock_ext(h, s);

    if (x != NULL) {
        ho_call_abandon(h, &x->ops, dying);
    }
    if (s->kind == HO_KIND_LISTEN) {
        ho_listener_close(h, s, now);
    }
    if (s->kind != HO_KIND_CONN) {
        ho_sock_free(h, s);
        return;
    }
    ho_sock_orphan(h, s);
    ho_tcp_close(&h->env, &s->tcp, false, now);
    if (h->orphans > h->sys.v[HO_SYSCTL_TCP_MAX_ORPHANS] && !ho_tcp_is_dead(&s->tcp)) {
        ho_machine_count(h, HO_HOST_COUNT_ORPHANS_FULL);
        ho_tcp_abort(&h->env, &s->tcp, now);
    }
    ho_sock_settle(h, s, now);
}

uint32_t ho_sock_poll(struct ho_host *h, struct ho_sock *s)
{
    uint32_t queued = (s->flags & HO_SOCK_ERRQUEUE) != 0 ? HO_POLLERR : 0;

    if (s->kind == HO_KIND_CONN) {
        return ho_tcp_poll(&h->env, &s->tcp) | queued;
    }
    if (s->kind == HO_KIND_LISTEN) {
        return ho_sock_ext(h, s)->listener->n_accept > 0 ? HO_POLLIN : 0;
    }
    return HO_POLLOUT | HO_POLLHUP | queued; /* tcp_poll() of a socket in CLOSE */
}
