/* Listeners: a SYN makes a request, the ACK that completes the handshake makes a connection, which
 * waits in the accept queue (Linux: tcp_conn_request(), tcp_check_req()).
 *
 * Both queues are bounded by listen()'s backlog: a SYN that finds the request queue or the accept
 * queue full is dropped (there are no SYN cookies), and so is the last ACK of a handshake when the
 * accept queue is full, or answered with RST if tcp_abort_on_overflow says so. The accept queue
 * holds one more than the backlog, as in Linux.
 */

#include "host/machine.h"

/* How well a listener fits: its own address before any address, the family before `::`. */
static int fitness(const struct ho_listener *l, const struct ho_addr *addr)
{
    if (ho_addr_eq(&l->addr, addr)) {
        return 3;
    }
    if (!ho_addr_is_any(&l->addr)) {
        return 0;
    }
    if (ho_addr_is_v4(&l->addr) == ho_addr_is_v4(addr)) {
        return 2;
    }
    return ho_addr_is_v4(addr) ? 1 : 0;
}

struct ho_listener *ho_listener_find(struct ho_host *h, const struct ho_addr *addr, uint16_t port)
{
    struct ho_listener *best = NULL;
    int best_fit = 0;

    for (struct ho_list *at = h->listen_list.next; at != &h->listen_list; at = at->next) {
        struct ho_listener *l = ho_container(at, struct ho_listener, node);
        int fit = l->port == port ? fitness(l, addr) : 0;

        if (fit > best_fit) {
            best = l;
            best_fit = fit;
        }
    }
    return best;
}

/* ---- requests ------------------------------------------------------------------------------- */

static void send_to_peer(struct ho_host *h, struct ho_req *r, struct ho_buf *b, struct ho_time now)
{
    if (b != NULL) {
        b->user = 0; /* a request has nothing to retransmit that could wait */
        b->tag[0] = b->tag[1] = 0;
        ho_ip_send_way(h, ho_container(r->r.path, struct ho_way, path), b, now);
    }
}

static void arm(struct ho_host *h, struct ho_req *r)
{
    ho_timerq_arm_due(&h->timers, &r->timer, r->r.deadline);
    h->generation++;
}

/* The record goes; what it refers to stays. */
static void drop_record(struct ho_host *h, struct ho_req *r)
{
    ho_timerq_cancel(&h->timers, &r->timer);
    ho_list_remove(&r->node);
    r->listener->n_reqs--;
    ho_slots_put(&h->reqs, r->number);
    h->generation++;
}

void ho_req_free(struct ho_host *h, struct ho_req *r)
{
    struct ho_tcp_path *path = r->r.path;
    struct ho_tcp_opts *opts = r->r.opts;

    ho_demux_remove(h, HO_REF_REQ | r->number);
    drop_record(h, r);
    ho_way_put(h, path);
    ho_tcp_opts_put(&h->env, opts);
}

/* Linux's order of asking: the request queue (its last quarter is for peers known to be alive,
 * of which we know none, unless there are SYN cookies), then the accept queue.
 */
static bool is_full(struct ho_host *h, const struct ho_listener *l)
{
    int64_t most = h->sys.v[HO_SYSCTL_TCP_MAX_SYN_BACKLOG];
    bool scarce = h->sys.v[HO_SYSCTL_TCP_SYNCOOKIES] == 0 && most - l->n_reqs < most >> 2;

    if (l->n_reqs > l->backlog || scarce) {
        ho_machine_count(h, HO_HOST_COUNT_SYN_QUEUE_FULL);
        return true;
    }
    if (l->n_accept > l->backlog) {
        h->env.count[HO_TCP_COUNT_LISTEN_OVERFLOWS]++;
        return true;
    }
    return false;
}

/* The request in all tables, or NULL, with `way` no longer ours. */
static struct ho_req *new_req(struct ho_host *h, struct ho_listener *l, struct ho_way *way,
                              const struct ho_wire_tcp *syn, struct ho_time now)
{
    const struct ho_sock *s = ho_slots_at(&h->socks, l->sock);
    struct ho_tcp_opts *opts = ho_sock_ext(h, s)->opts;
    uint32_t number;
    struct ho_req *r = ho_slots_get(&h->reqs, &number);

    if (r == NULL) {
        ho_way_put(h, &way->path);
        return NULL;
    }
    r->kind = HO_KIND_REQ;
    r->number = number;
    r->listener = l;
    ho_tcp_req_init(&h->env, &r->r, &way->path, opts, syn, now);
    if (ho_demux_add(h, HO_REF_REQ | number) != 0) {
        ho_slots_put(&h->reqs, number);
        ho_way_put(h, &way->path);
        return NULL;
    }
    opts->refs++;
    ho_list_push(&l->reqs, &r->node);
    l->n_reqs++;
    return r;
}

static void on_syn(struct ho_host *h, struct ho_listener *l, const struct ho_wire_ip *ip,
                   const struct ho_wire_tcp *seg, struct ho_time now)
{
    struct ho_way *way = is_full(h, l) ? NULL : ho_way_get(h, &ip->dst, &ip->src);
    struct ho_req *r = NULL;

    if (way != NULL && way->path.route_err != 0) {
        ho_way_put(h, &way->path);
        way = NULL;
    }
    if (way != NULL) {
        r = new_req(h, l, way, seg, now);
    }
    if (r == NULL) {
        h->env.count[HO_TCP_COUNT_LISTEN_DROPS]++;
        return;
    }
    send_to_peer(h, r, ho_tcp_req_synack(&h->env, &r->r, now), now);
    arm(h, r);
}

void ho_listener_input(struct ho_host *h, struct ho_listener *l, const struct ho_wire_ip *ip,
                       const struct ho_wire_tcp *seg, struct ho_buf *b, struct ho_time now)
{
    ho_buf_put(h->conf.bufs, b); /* data on a SYN is sent again */
    if ((seg->flags & HO_TCP_RST) != 0) {
        h->env.count[HO_TCP_COUNT_DROP_REQUEST]++;
    } else if ((seg->flags & HO_TCP_ACK) != 0) { /* RFC 9293 3.10.7.2, second */
        h->env.count[HO_TCP_COUNT_DROP_NO_SOCKET]++;
        ho_tcp_refuse(h, &ip->dst, &ip->src, seg, now);
    } else if ((seg->flags & HO_TCP_SYN) != 0 && (seg->flags & HO_TCP_FIN) == 0) {
        on_syn(h, l, ip, seg, now);
    } else {
        h->env.count[HO_TCP_COUNT_DROP_REQUEST]++;
    }
}

/* ---- the accept queue ----------------------------------------------------------------------- */

static void queue_child(struct ho_host *h, struct ho_listener *l, struct ho_sock *s)
{
    uint32_t number = ho_sock_number(h, s);

    s->fd = HO_SLOT_NONE;
    s->flags |= HO_SOCK_QUEUED;
    if (l->n_accept++ == 0) {
        l->first = number;
    } else {
        ((struct ho_sock *)ho_slots_at(&h->socks, l->last))->fd = number;
    }
    l->last = number;
}

struct ho_sock *ho_listener_accept(struct ho_host *h, struct ho_listener *l)
{
    if (l->n_accept == 0) {
        return NULL;
    }
    struct ho_sock *s = ho_slots_at(&h->socks, l->first);
    l->first = s->fd;
    l->n_accept--;
    s->fd = HO_SLOT_NONE;
    s->flags &= (uint16_t)~HO_SOCK_QUEUED;
    return s;
}

/* The request becomes a socket. Returns it, or NULL without memory, with the request as it was. */
static struct ho_sock *make_child(struct ho_host *h, struct ho_req *r, struct ho_time now)
{
    const struct ho_sock *parent = ho_slots_at(&h->socks, r->listener->sock);
    unsigned flags = parent->flags & (HO_SOCK_V6 | HO_SOCK_REUSE);
    struct ho_sock *s = ho_sock_child(h);

    if (s == NULL) {
        return NULL;
    }
    if (ho_port_hold(h, &r->r.path->local, r->r.lport, flags) != 0) {
        ho_slots_put(&h->socks, ho_sock_number(h, s));
        return NULL;
    }
    s->kind = HO_KIND_CONN;
    s->flags = (uint16_t)(flags | HO_SOCK_BOUND | HO_SOCK_HASHED);
    ho_tcp_init(&s->tcp, r->r.path, r->r.opts, r->r.lport, r->r.rport);
    ho_tcp_req_child(&h->env, &r->r, &s->tcp, now);
    ho_demux_replace(h, HO_REF_REQ | r->number, HO_REF_SOCK | ho_sock_number(h, s));
    return s;
}

static void establish(struct ho_host *h, struct ho_req *r, const struct ho_wire_tcp *seg,
                      struct ho_buf *b, struct ho_time now)
{
    struct ho_listener *l = r->listener;

    if (l->n_accept > l->backlog) {
        h->env.count[HO_TCP_COUNT_LISTEN_OVERFLOWS]++;
        if (h->sys.v[HO_SYSCTL_TCP_ABORT_ON_OVERFLOW] != 0) {
            ho_tcp_refuse(h, &r->r.path->local, &r->r.path->remote, seg, now);
            ho_req_free(h, r);
        } else {
            r->r.acked = true;
        }
        ho_buf_put(h->conf.bufs, b);
        return;
    }
    struct ho_sock *s = make_child(h, r, now);
    if (s == NULL) {
        h->env.count[HO_TCP_COUNT_LISTEN_DROPS]++;
        ho_buf_put(h->conf.bufs, b);
        return;
    }
    drop_record(h, r);
    queue_child(h, l, s);
    if (seg->payload_len == 0) {
        ho_buf_put(h->conf.bufs, b);
        b = NULL;
    }
    ho_tcp_input(&h->env, &s->tcp, seg, b, now);
    ho_sock_settle(h, s, now);
    ho_sock_wake(h, ho_slots_at(&h->socks, l->sock), HO_WAKE_READ, now);
}

void ho_req_input(struct ho_host *h, struct ho_req *r, const struct ho_wire_tcp *seg,
                  struct ho_buf *b, struct ho_time now)
{
    switch (ho_tcp_req_input(&h->env, &r->r, seg, now)) {
    case HO_TCP_REQ_ESTABLISH:
        establish(h, r, seg, b, now);
        return;
    case HO_TCP_REQ_SYNACK:
        send_to_peer(h, r, ho_tcp_req_synack(&h->env, &r->r, now), now);
        break;
    case HO_TCP_REQ_ACK:
        send_to_peer(h, r, ho_tcp_req_ack(&h->env, &r->r, now), now);
        break;
    case HO_TCP_REQ_RESET:
        ho_tcp_refuse(h, &r->r.path->local, &r->r.path->remote, seg, now);
        break;
    case HO_TCP_REQ_DROP:
        ho_buf_put(h->conf.bufs, b);
        ho_req_free(h, r);
        return;
    case HO_TCP_REQ_NOTHING:
        break;
    }
    ho_buf_put(h->conf.bufs, b);
    arm(h, r);
}

void ho_req_tick(struct ho_host *h, struct ho_req *r, struct ho_time now)
{
    switch (ho_tcp_req_tick(&h->env, &r->r, now)) {
    case HO_TCP_REQ_SYNACK:
        send_to_peer(h, r, ho_tcp_req_synack(&h->env, &r->r, now), now);
        break;
    case HO_TCP_REQ_DROP:
        ho_req_free(h, r);
        return;
    default:
        break;
    }
    arm(h, r);
}

void ho_listener_close(struct ho_host *h, struct ho_sock *s, struct ho_time now)
{
    struct ho_listener *l = ho_sock_ext(h, s)->listener;
    struct ho_sock *child;

    ho_port_listening(h, &l->addr, l->port, -1);
    ho_list_remove(&l->node);
    while (!ho_list_empty(&l->reqs)) {
        ho_req_free(h, ho_container(l->reqs.next, struct ho_req, node));
    }
    while ((child = ho_listener_accept(h, l)) != NULL) { /* inet_csk_listen_stop(): RST */
        ho_tcp_abort(&h->env, &child->tcp, now);
        ho_sock_orphan(h, child);
        ho_sock_settle(h, child, now);
    }
    ho_pool_put(&h->listeners, l);
}
