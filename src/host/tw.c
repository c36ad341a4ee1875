/* TIME-WAIT records in the demultiplexer: what is left of a connection that has ended in order, or
 * of an orphan in FIN-WAIT-2. What they answer is tcp/timewait.h's business.
 */

#include "host/machine.h"

#define CARRIED (HO_SOCK_V6 | HO_SOCK_BOUND | HO_SOCK_REUSE | HO_SOCK_PICKED)

void ho_tw_make(struct ho_host *h, struct ho_sock *s, struct ho_time now)
{
    struct ho_tw lost = { .kind = HO_KIND_FREE };
    struct ho_tw *t = NULL;
    uint32_t number = 0;
    uint32_t ref = HO_REF_SOCK | ho_sock_number(h, s);

    if (h->tws.used < h->sys.v[HO_SYSCTL_TCP_MAX_TW_BUCKETS]) {
        t = ho_slots_get(&h->tws, &number);
    }
    s->flags |= HO_SOCK_HAS_TW;
    ho_tcp_tw_init(&h->env, t != NULL ? &t->t : &lost.t, &s->tcp, now);
    if (t == NULL) { /* the connection just ends */
        ho_machine_count(h, HO_HOST_COUNT_TW_OVERFLOW);
        return;
    }
    s->flags &= (uint16_t)~HO_SOCK_HASHED;
    t->kind = HO_KIND_TW;
    t->number = number;
    s->tcp.path->refs++;
    t->flags = s->flags & CARRIED;
    s->flags &= (uint16_t)~HO_SOCK_BOUND; /* the port is the record's now */
    ho_demux_replace(h, ref, HO_REF_TW | number);
    ho_timerq_arm_due(&h->timers, &t->timer, t->t.deadline);
}

void ho_tw_free(struct ho_host *h, struct ho_tw *t)
{
    struct ho_tcp_path *path = t->t.path;

    ho_demux_remove(h, HO_REF_TW | t->number);
    ho_timerq_cancel(&h->timers, &t->timer);
    if ((t->flags & HO_SOCK_BOUND) != 0) {
        ho_port_release(h, &path->local, t->t.lport, t->flags);
    }
    ho_slots_put(&h->tws, t->number);
    ho_way_put(h, path);
    h->generation++;
}

static void send_ack(struct ho_host *h, struct ho_tw *t, struct ho_time now)
{
    struct ho_buf *b = ho_tcp_tw_ack(&h->env, &t->t, now);

    if (b != NULL) {
        b->user = 0;
        b->tag[0] = b->tag[1] = 0;
        ho_ip_send_way(h, ho_container(t->t.path, struct ho_way, path), b, now);
    }
}

bool ho_tw_input(struct ho_host *h, struct ho_tw *t, const struct ho_wire_tcp *seg,
                 struct ho_time now)
{
    const struct ho_tcp_path *path = t->t.path;
    uint8_t before = t->t.substate;
    enum ho_tcp_tw_do what = ho_tcp_tw_input(&h->env, &t->t, seg, now);

    h->generation += t->t.substate != before;
    switch (what) {
    case HO_TCP_TW_NOTHING:
        break;
    case HO_TCP_TW_ACK:
        send_ack(h, t, now);
        break;
    case HO_TCP_TW_RESET:
        ho_tcp_refuse(h, &path->local, &path->remote, seg, now);
        ho_tw_free(h, t);
        return false;
    case HO_TCP_TW_SYN:
        if (ho_listener_find(h, &path->local, t->t.lport) != NULL) {
            ho_tw_free(h, t);
            return true;
        }
        send_ack(h, t, now);
        break;
    case HO_TCP_TW_FREE:
        ho_tw_free(h, t);
        return false;
    }
    ho_timerq_arm_due(&h->timers, &t->timer, t->t.deadline);
    return false;
}
