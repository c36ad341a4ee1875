/* A host is looked at whenever something was done to it and its generation moved: after every
 * frame, timer, call and fault. What sock_diag would say is shown to play/socks.h.
 */

#include "model/world.h"
#include "play/socks.h"

static struct ho_play_sock sock_of(const struct ho_sock_info *info)
{
    const struct ho_tcp_info *i = &info->tcp;

    return (struct ho_play_sock){
        .local = info->local,
        .remote = info->remote,
        .lport = info->lport,
        .rport = info->rport,
        .fd = info->fd,
        .owned = info->pid != 0,
        .state = i->state,
        .timer = i->timer,
        .expires_us = i->expires_us,
        .retransmits = i->retransmits,
        .probes = i->probes,
        .backoff = i->backoff,
        .rto_us = i->rto_us,
        .srtt_us = i->rtt_us,
        .rttvar_us = i->rttvar_us,
        .cwnd = i->cwnd,
        .ssthresh = i->ssthresh,
        .unacked = i->unacked,
        .lost = i->lost,
        .rq = i->rq,
        .wq = i->wq,
        .err = i->err,
        .err_soft = i->err_soft,
    };
}

static void watch_socks(struct ho_model *m, struct ho_model_node *n)
{
    struct ho_sock_info info;
    uint64_t cursor = 0;

    while (ho_host_sock_next(n->host, &cursor, m->tr.now, &info)) {
        if (info.tcp.state != HO_TCP_LISTEN) {
            struct ho_play_sock s = sock_of(&info);

            ho_trace_sock(&m->tr, n->index, &s);
        }
    }
    ho_trace_round_end_socks(&m->tr, n->index);
}

static void watch_neighs(struct ho_model *m, struct ho_model_node *n)
{
    struct ho_neigh_info info;
    uint64_t cursor = 0;

    while (ho_host_neigh_next(n->host, &cursor, &info)) {
        ho_trace_neigh(&m->tr, n->index, &info.addr, ho_nud_name(info.state));
    }
    ho_trace_round_end_neighs(&m->tr, n->index);
}

void ho_model_watch(struct ho_model *m, struct ho_model_node *n)
{
    uint64_t generation = ho_host_generation(n->host);

    if (generation == n->generation) {
        return;
    }
    n->generation = generation;
    ho_trace_round_begin(&m->tr);
    watch_socks(m, n);
    watch_neighs(m, n);
}
