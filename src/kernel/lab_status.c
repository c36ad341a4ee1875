/* What a lab is like now: its hosts with their sockets, its cables. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/lab_state.h"
#include "os/diag.h"
#include "play/trace.h"

#define SOCKS_MAX 4096 /* sockets of a host in an answer */

/* ---- sockets --------------------------------------------------------------------------------- */

static void put_end(struct ho_text *out, const char *key, const struct ho_addr *a, uint16_t port,
                    bool ipv6)
{
    char text[HO_ADDR_TEXT];

    ho_text_printf(out, ipv6 ? ",\"%s\":\"[%s]:%u\"" : ",\"%s\":\"%s:%u\"", key,
                   ho_addr_text(a, text), port);
}

/* A name that a process has told: until then it has none. */
static const char *told(const char *name)
{
    return name != NULL && name[0] != '\1' ? name : "";
}

static void put_sock(struct ho_text *out, const struct ho_trace *tr, const struct ho_os_sock *s)
{
    struct ho_play_tuple t = { s->local, s->remote, s->lport, s->rport };
    unsigned end = 0;
    const struct ho_play_pair *pair = ho_play_pair_find(tr, &t, &end);
    const struct ho_play_conn *conn = pair != NULL ? pair->now[end] : NULL;

    ho_text_put(out, "{\"conn\":");
    ho_text_json(out, conn != NULL ? told(conn->name) : "");
    ho_text_put(out, ",\"process\":");
    ho_text_json(out, conn != NULL ? told(conn->end[end].process) : "");
    put_end(out, "local", &s->local, s->lport, s->ipv6);
    put_end(out, "remote", &s->remote, s->rport, s->ipv6);
    ho_text_put(out, ",\"state\":");
    ho_text_json(out, ho_tcp_state_name((enum ho_tcp_state)s->state));
    ho_text_put(out, ",\"timer\":");
    ho_text_json(out, ho_sock_timer_text((enum ho_sock_timer)s->timer));
    if (s->timer != HO_SOCK_TIMER_OFF) {
        ho_text_printf(out, ",\"expires_us\":%llu", (unsigned long long)s->expires_ms * 1000);
    }
    if (s->has_info) {
        ho_text_printf(out, ",\"retransmits\":%u,\"probes\":%u,\"backoff\":%u,\"rto_us\":%u",
                       s->info.retransmits, s->info.probes, s->info.backoff, s->info.rto_us);
    }
    ho_text_printf(out, ",\"rq\":%u,\"wq\":%u}", s->rqueue, s->wqueue);
}

static int put_socks(struct ho_text *out, const struct ho_trace *tr, int netns,
                     struct ho_os_sock *socks)
{
    struct ho_os_diag *diag;
    bool first = true;
    int err = ho_os_diag_open(&diag, netns);

    if (err != 0) {
        return err;
    }
    int n = ho_os_diag_dump(diag, socks, SOCKS_MAX);

    ho_os_diag_close(diag);
    for (int i = 0; i < n && i < SOCKS_MAX; i++) {
        ho_text_put(out, first ? "" : ",");
        first = false;
        put_sock(out, tr, &socks[i]);
    }
    return n < 0 ? n : 0;
}

/* ---- hosts and cables ------------------------------------------------------------------------ */

static int put_host(const struct ho_lab *lab, uint16_t node, struct ho_os_sock *socks,
                    struct ho_text *out)
{
    const struct ho_plan_node *n = &lab->plan->nodes[node];
    int netns = ho_kernel_netns(lab->kernel, node);
    char text[HO_ADDR_TEXT];
    int err = 0;

    ho_text_put(out, "{\"name\":");
    ho_text_json(out, n->name);
    ho_text_printf(out, ",\"power\":%s,\"addresses\":[", netns >= 0 ? "true" : "false");
    for (unsigned i = 0; i < n->addr_count; i++) {
        ho_text_printf(out, "%s\"%s/%u\"", i > 0 ? "," : "", ho_addr_text(&n->addr[i].addr, text),
                       n->addr[i].bits);
    }
    ho_text_put(out, "],\"sockets\":[");
    if (netns >= 0) {
        err = put_socks(out, ho_kernel_trace(lab->kernel), netns, socks);
    }
    ho_text_put(out, "]}");
    return err;
}

int ho_lab_status(const struct ho_lab *lab, struct ho_text *out)
{
    struct ho_os_sock *socks = calloc(SOCKS_MAX, sizeof(*socks));
    bool first = true;
    int err = socks == NULL ? -ENOMEM : 0;

    ho_text_put(out, "\"hosts\":[");
    for (uint16_t i = 0; i < lab->plan->node_count && err == 0; i++) {
        if (lab->plan->nodes[i].kind == HO_NODE_HOST) {
            ho_text_put(out, first ? "" : ",");
            first = false;
            err = put_host(lab, i, socks, out);
        }
    }
    ho_text_put(out, "],\"cables\":[");
    for (size_t i = 0; i < lab->plan->cable_count; i++) {
        ho_text_put(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        ho_text_json(out, lab->plan->cables[i].name);
        ho_text_put(out, ",\"state\":");
        ho_text_json(out, lab->cable[i]);
        ho_text_char(out, '}');
    }
    ho_text_char(out, ']');
    free(socks);
    return err;
}

void ho_lab_status_step(struct ho_lab *lab, const struct ho_step *step)
{
    const struct ho_plan_cable *c;
    char *state;

    if (step->kind != HO_STEP_CUT && step->kind != HO_STEP_UNPLUG && step->kind != HO_STEP_PLUG) {
        return;
    }
    c = &lab->plan->cables[step->cable];
    state = lab->cable[step->cable];
    if (step->kind == HO_STEP_PLUG) {
        snprintf(state, HO_LAB_CABLE, "plugged");
    } else if (step->kind == HO_STEP_UNPLUG) {
        snprintf(state, HO_LAB_CABLE, "unplugged at %s",
                 lab->plan->nodes[step->u.end == 0 ? c->a : c->b].name);
    } else if (step->u.direction == HO_BOTH_WAYS) {
        snprintf(state, HO_LAB_CABLE, "cut");
    } else {
        bool from_a = step->u.direction == HO_A_TO_B;

        snprintf(state, HO_LAB_CABLE, "cut from %s to %s",
                 lab->plan->nodes[from_a ? c->a : c->b].name,
                 lab->plan->nodes[from_a ? c->b : c->a].name);
    }
}
