/* A host as a whole: made, ticked, and asked when it wants to be ticked. */

#include "host/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/machine.h"

#define NUMBERS (1u << 30) /* what a reference of the demultiplexer can name */

int ho_host_new(struct ho_host **ret, const struct ho_host_conf *conf)
{
    struct ho_host *h = calloc(1, sizeof(*h));
    uint32_t most = conf->max_sockets < NUMBERS ? (uint32_t)conf->max_sockets : NUMBERS - 1;

    if (h == NULL) {
        return -ENOMEM;
    }
    h->conf = *conf;
    h->clk = conf->clk;
    h->lo_up = true;
    ho_profile_sysctls(conf->profile, &h->sys);
    ho_rng_init(&h->rng, conf->seed, 0);
    h->key.k[0] = ho_rng_next(&h->rng);
    h->key.k[1] = ho_rng_next(&h->rng);
    ho_timerq_init(&h->timers, (struct ho_time){ 0 });
    ho_neigh_init(h);
    ho_slots_init(&h->ways, sizeof(struct ho_way), NUMBERS);
    ho_slots_init(&h->socks, sizeof(struct ho_sock), most);
    ho_slots_init(&h->exts, sizeof(struct ho_ext), NUMBERS);
    ho_slots_init(&h->reqs, sizeof(struct ho_req), most);
    ho_slots_init(&h->tws, sizeof(struct ho_tw), NUMBERS - 1);
    ho_slots_init(&h->ports, sizeof(struct ho_port), NUMBERS);
    ho_slots_init(&h->epolls, sizeof(struct ho_epoll), NUMBERS);
    ho_pool_init(&h->listeners, sizeof(struct ho_listener), most);
    ho_pool_init(&h->watches, sizeof(struct ho_watch), SIZE_MAX);
    ho_list_init(&h->listen_list);
    ho_list_init(&h->completed);
    ho_list_init(&h->woken);
    ho_list_init(&h->epoll_look);
    ho_list_init(&h->lingers);
    h->env.clk = &h->clk;
    h->env.sys = &h->sys;
    h->env.profile = ho_profile(conf->profile);
    h->env.bufs = conf->bufs;
    ho_tcp_env_init(&h->env, most);
    h->opts = ho_tcp_opts_new(&h->env);
    if (h->opts == NULL) {
        ho_host_free(h);
        return -ENOMEM;
    }
    *ret = h;
    return 0;
}

void ho_host_free(struct ho_host *h)
{
    struct ho_buf *b;

    if (h == NULL) {
        return;
    }
    ho_power_stop(h);
    while ((b = ho_bufq_shift(&h->lo_record)) != NULL) {
        ho_buf_put(h->conf.bufs, b);
    }
    ho_neigh_destroy(h);
    ho_tcp_opts_put(&h->env, h->opts);
    ho_tcp_env_destroy(&h->env);
    ho_slots_destroy(&h->ways);
    ho_slots_destroy(&h->socks);
    ho_slots_destroy(&h->exts);
    ho_slots_destroy(&h->reqs);
    ho_slots_destroy(&h->tws);
    ho_slots_destroy(&h->ports);
    ho_slots_destroy(&h->epolls);
    ho_pool_destroy(&h->listeners);
    ho_pool_destroy(&h->watches);
    free(h->way_bucket);
    free(h->demux_bucket);
    free(h->port_bucket);
    free(h->proc);
    free(h);
}

void ho_machine_drop(struct ho_host *h, struct ho_buf *b, enum ho_host_count why)
{
    h->count[why]++;
    ho_buf_put(h->conf.bufs, b);
}

void ho_machine_run(struct ho_host *h, struct ho_time now)
{
    struct ho_buf *b;

    h->now = now;
    while ((b = ho_bufq_shift(&h->lo)) != NULL) {
        ho_ip_input(h, HO_NIC_LO, b, now);
    }
    ho_epoll_run(h);
}

struct ho_time ho_host_deadline(const struct ho_host *h)
{
    return h->up ? ho_timerq_deadline(&h->timers) : HO_NEVER;
}

static void fire(struct ho_host *h, struct ho_timer *t, struct ho_time now)
{
    struct ho_sock *s;

    switch (ho_kind_of(t)) {
    case HO_KIND_CONN:
        s = ho_container(t, struct ho_sock, timer);
        ho_tcp_fire(&h->env, &s->tcp, now);
        ho_sock_settle(h, s, now);
        return;
    case HO_KIND_REQ:
        ho_req_tick(h, ho_container(t, struct ho_req, timer), now);
        return;
    case HO_KIND_TW:
        ho_tw_free(h, ho_container(t, struct ho_tw, timer));
        return;
    case HO_KIND_NEIGH:
        ho_neigh_tick(h, ho_container(t, struct ho_neigh, timer), now);
        return;
    case HO_KIND_NIC:
        ho_nic_tick(h, ho_container(t, struct ho_nic, timer), now);
        return;
    case HO_KIND_OP:
        ho_call_timer(h, ho_container(t, struct ho_op, wait.timer), now);
        return;
    default:
        assert(0 && "a timer of nobody's");
    }
}

void ho_host_tick(struct ho_host *h, struct ho_time now)
{
    struct ho_timer *t;

    h->now = now;
    if (!h->up) {
        return;
    }
    while ((t = ho_timerq_pop(&h->timers, now)) != NULL) {
        /* All timers of a tick fire, then what they sent over lo arrives, then sockets go on. */
        bool goes_on = t->due.key % HO_DUE_TURNS == HO_DUE_LAST;
        if (goes_on && h->lo.count > 0) {
            ho_timerq_arm_due(&h->timers, t, t->due);
            ho_machine_run(h, now);
            continue;
        }
        if (!goes_on && ho_due_time(t->due).ns == now.ns) {
            ho_clk_ran(&h->clk, now);
        }
        fire(h, t, now);
    }
    ho_machine_run(h, now);
}

struct ho_sysctls *ho_host_sysctls(struct ho_host *h)
{
    return &h->sys;
}

void ho_host_neigh_draws(struct ho_host *h, const int64_t *ns, size_t n)
{
    h->n_draws = n < HO_DRAWS ? n : HO_DRAWS;
    h->next_draw = 0;
    memcpy(h->draw_ns, ns, h->n_draws * sizeof(*ns));
}

void ho_host_neigh_hold(struct ho_host *h, int nic, bool ipv6, struct ho_dur d)
{
    assert(nic >= 0 && nic < h->n_nics);
    h->nic[nic].reach[ipv6].jiffies = ho_clk_dur_jiffies(&h->clk, d);
    h->nic[nic].reach[ipv6].held = true;
}
