/* The connections of a namespace: sock_diag(7), and how each peer is reached. See
 * doctor/scan_work.h.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/scan_work.h"
#include "doctor/settings.h"
#include "os/diag.h"
#include "os/netns.h"
#include "os/reach.h"
#include "os/why.h"

#define ALL_STATES ((1U << HO_TCP_STATE_COUNT) - 1)

/* ---- one connection -------------------------------------------------------------------------- */

/* States that a socket without a process can be in. TIME-WAIT and SYN-RECEIVED are never a
 * process's; an ESTABLISHED one without an inode waits to be accepted.
 */
static bool is_orphan(const struct ho_os_sock *s)
{
    return s->inode == 0 && (s->state == HO_TCP_FIN_WAIT1 || s->state == HO_TCP_FIN_WAIT2 ||
                             s->state == HO_TCP_CLOSING || s->state == HO_TCP_LAST_ACK);
}

static void take_info(struct ho_conn *c, const struct ho_os_tcp_info *i)
{
    c->has_info = true;
    c->backoff = i->backoff;
    c->probes = i->probes;
    c->rto_us = i->rto_us;
    c->rtt_us = i->rtt_us;
    c->unacked = i->unacked;
    c->snd_wnd = i->snd_wnd;
    c->snd_wnd_known = i->has_snd_wnd;
    c->notsent_bytes = i->notsent_bytes;
    c->last_data_sent_ms = i->last_data_sent_ms;
    c->last_data_recv_ms = i->last_data_recv_ms;
    c->last_ack_recv_ms = i->last_ack_recv_ms;
    c->total_retrans = i->total_retrans;
    c->rto_time_known = i->has_rto_time;
    c->rto_recoveries = i->rto_recoveries;
    c->rto_time_ms = i->rto_time_ms;
}

/* sk_timer is the keepalive timer in these two states and runs as long as SO_KEEPALIVE is on (it
 * puts itself off while data is in flight); sock_diag shows it only where no other timer runs.
 */
static void infer_keepalive(struct ho_conn *c)
{
    if (c->state != HO_TCP_ESTABLISHED && c->state != HO_TCP_CLOSE_WAIT) {
        return;
    }
    if (c->timer == HO_SOCK_TIMER_KEEPALIVE) {
        c->keepalive_known = HO_KNOWN_INFERRED;
        c->keepalive = true;
    } else if (c->timer == HO_SOCK_TIMER_OFF && c->has_info && c->unacked == 0 && c->wqueue == 0) {
        c->keepalive_known = HO_KNOWN_INFERRED;
        c->keepalive = false;
    }
}

struct ho_conn ho_scan_conn(const struct ho_os_sock *s)
{
    struct ho_conn c = {
        .local = s->local,
        .remote = s->remote,
        .lport = s->lport,
        .rport = s->rport,
        .owner = HO_CONN_NO_OWNER,
        .inode = s->inode,
        .cookie = s->cookie,
        .uid = s->uid,
        .state = s->state,
        .ipv6 = !ho_addr_is_v4(&s->remote), /* a socket of IPv6 may carry IPv4 */
        .orphan = is_orphan(s),
        .timer = s->timer,
        .retrans = s->retrans,
        .expires_ms = s->expires_ms,
        .rqueue = s->rqueue,
        .wqueue = s->wqueue,
    };

    if (s->has_info && s->state != HO_TCP_LISTEN) {
        take_info(&c, &s->info);
    }
    infer_keepalive(&c);
    return c;
}

/* ---- all of a namespace ---------------------------------------------------------------------- */

static bool is_wanted(const struct ho_scan_options *o, const struct ho_os_sock *s)
{
    bool ipv6 = !ho_addr_is_v4(s->state == HO_TCP_LISTEN ? &s->local : &s->remote);

    return (o->port == 0 || s->lport == o->port || s->rport == o->port) &&
           (o->ipv4 == o->ipv6 || ipv6 == o->ipv6);
}

/* Until the way to its peer is known, `owner` holds the number of the question. */
static int add(struct ho_scan_work *w, struct ho_os_reach *r, const struct ho_os_sock *s)
{
    struct ho_conn c = ho_scan_conn(s);
    int err = 0;

    if (s->state != HO_TCP_LISTEN) {
        err = ho_os_reach_want(r, &s->local, &s->remote, s->ifindex, &c.owner);
    }
    c.host = (uint32_t)(w->s.n_hosts - 1);
    if (err == 0) {
        err = ho_scan_grow((void **)&w->s.conns, &w->conn_room, w->s.n_conns, sizeof(c));
    }
    if (err == 0) {
        w->s.conns[w->s.n_conns++] = c;
    }
    return err;
}

static int add_all(struct ho_scan_work *w, struct ho_os_diag *d, struct ho_os_reach *r)
{
    uint32_t states = w->o->states != 0 ? w->o->states : ALL_STATES & ~(1U << HO_TCP_LISTEN);
    struct ho_os_sock s;
    int err = ho_os_diag_start(d, states, true);
    int got = err == 0 ? 1 : err;

    while (got == 1) {
        got = ho_os_diag_next(d, &s);
        if (got == 1 && is_wanted(w->o, &s)) {
            err = add(w, r, &s);
            got = err != 0 ? err : 1;
        }
    }
    return got == -EINTR ? 0 : got; /* what was told was so when it was told */
}

static int add_host(struct ho_scan_work *w, int netns, bool here)
{
    struct ho_conn_host h = { .here = here };
    int own = -1;
    int err = here ? ho_os_netns_here(&own) : 0;

    if (err == 0) {
        h.netns = ho_os_netns_id(here ? own : netns);
        err = ho_doctor_settings(netns, &h.sysctls, &h.hz);
    }
    ho_os_netns_close(own);
    if (err == 0) {
        err = ho_scan_grow((void **)&w->s.hosts, &w->host_room, w->s.n_hosts, sizeof(h));
    }
    if (err == 0) {
        w->s.hosts[w->s.n_hosts++] = h;
    }
    return err;
}

int ho_scan_dump(struct ho_scan_work *w, int netns, bool here, struct ho_os_reach **ret_ways)
{
    struct ho_os_diag *d = NULL;
    struct ho_os_reach *r = NULL;
    int err = add_host(w, netns, here);

    if (err != 0) {
        ho_os_why(w->why, "the settings of the network namespace cannot be read: %s",
                  strerror(-err));
        return err;
    }
    w->dumped = w->s.n_conns;
    err = ho_os_diag_open(&d, netns);
    if (err == 0) {
        err = ho_os_reach_open(&r, netns);
    }
    if (err == 0) {
        err = add_all(w, d, r);
    }
    ho_os_diag_close(d);
    if (err != 0) {
        ho_os_reach_close(r);
        ho_os_why(w->why, "sock_diag does not list the TCP connections: %s", strerror(-err));
        return err;
    }
    *ret_ways = r;
    return 0;
}

int ho_scan_ways(struct ho_scan_work *w, struct ho_os_reach *ways)
{
    size_t n = w->dumped;
    int err = ho_os_reach_ask(ways);

    for (size_t i = w->dumped; i < w->s.n_conns && err == 0; i++) {
        struct ho_conn c = w->s.conns[i];

        if (c.owner != HO_CONN_NO_OWNER) {
            struct ho_os_way way = ho_os_reach_way(ways, c.owner);

            c.owner = HO_CONN_NO_OWNER;
            c.loopback = way.loopback;
            c.on_link = way.on_link;
        }
        if (!c.loopback || !w->o->no_loopback) {
            w->s.conns[n++] = c;
        }
    }
    w->s.n_conns = err == 0 ? n : w->s.n_conns;
    ho_os_reach_close(ways);
    if (err != 0) {
        ho_os_why(w->why, "the ways to the peers cannot be asked for: %s", strerror(-err));
    }
    return err;
}
