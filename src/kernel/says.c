/* What agents and commands report, as records.
 *
 * Messages carry the time at which things happened, in play time; the recorder is set to it.
 */

#include <errno.h>

#include "kernel/world.h"
#include "play/says.h"

static void tuple_of(const struct ho_agent_msg *m, struct ho_play_tuple *t)
{
    *t = (struct ho_play_tuple){
        .local = m->local, .remote = m->remote, .lport = m->local_port, .rport = m->remote_port
    };
}

/* ---- connect() ---------------------------------------------------------------------------------
 */

static void connect_comes(struct ho_kernel_proc *p, int fd, struct ho_time at)
{
    unsigned i = p->connects++ % HO_KERNEL_CONNECTS;

    p->connect[i].fd = fd;
    p->connect[i].at = at;
}

/* When the last connect() of this descriptor was called. */
static struct ho_time connect_since(const struct ho_kernel_proc *p, int fd,
                                    struct ho_time otherwise)
{
    unsigned n = p->connects < HO_KERNEL_CONNECTS ? p->connects : HO_KERNEL_CONNECTS;

    for (unsigned back = 1; back <= n; back++) {
        unsigned i = (p->connects - back) % HO_KERNEL_CONNECTS;

        if (p->connect[i].fd == fd) {
            return p->connect[i].at;
        }
    }
    return otherwise;
}

static void connected(struct ho_kernel *k, struct ho_kernel_proc *p, const struct ho_agent_msg *m)
{
    struct ho_play_tuple t;

    tuple_of(m, &t);
    ho_play_fd_connecting(&k->trace, &p->play, m->fd, m->name, m->local_port != 0 ? &t : NULL,
                          connect_since(p, m->fd, k->trace.now));
}

/* ---- messages ----------------------------------------------------------------------------------
 */

static void accepted(struct ho_kernel *k, struct ho_kernel_proc *p, const struct ho_agent_msg *m)
{
    struct ho_play_tuple t;

    tuple_of(m, &t);
    ho_play_fd_inherits(&k->trace, &p->play, m->from, m->fd);
    ho_play_fd_accepted(&k->trace, &p->play, m->fd, m->name, m->remote_port != 0 ? &t : NULL,
                        HO_TCP_ESTABLISHED);
}

static void exited(struct ho_kernel_proc *p)
{
    ho_play_fds_forget(&p->play);
    p->running = false;
    p->hands = -1;
}

static void refused(struct ho_kernel *k, const struct ho_kernel_proc *p,
                    const struct ho_agent_msg *m)
{
    ho_trace_refuse(&k->trace, p->play.name, m->u.text);
    ho_trace_fail(&k->trace, -EINVAL, k->trace.why);
}

static void hear(struct ho_kernel *k, struct ho_kernel_proc *p, const struct ho_agent_msg *m)
{
    struct ho_trace *tr = &k->trace;

    tr->now = (struct ho_time){ m->at.ns + k->zero.ns };
    switch (m->kind) {
    case HO_AGENT_EVENT:
        ho_trace_said(tr, &p->play, (int)m->program == p->hands, &m->u.event);
        break;
    case HO_AGENT_SOCKET:
        ho_play_fd_made(tr, &p->play, m->fd);
        break;
    case HO_AGENT_CONNECT:
        connect_comes(p, m->fd, tr->now);
        break;
    case HO_AGENT_CONNECTING:
    case HO_AGENT_CONNECTED:
        connected(k, p, m);
        break;
    case HO_AGENT_LISTENING:
        ho_play_fd_listening(tr, &p->play, m->fd, m->name);
        break;
    case HO_AGENT_ACCEPTED:
        accepted(k, p, m);
        break;
    case HO_AGENT_OPTION:
        ho_play_fd_option(tr, &p->play, m->fd, (enum ho_sockopt)m->opt, m->value);
        break;
    case HO_AGENT_CLOSED:
        ho_play_fd_closed(tr, &p->play, m->fd);
        break;
    case HO_AGENT_REFUSED:
        refused(k, p, m);
        break;
    case HO_AGENT_NOTE:
        ho_trace_note(tr, tr->node[p->play.node].name, m->u.text);
        break;
    case HO_AGENT_EXITED:
        exited(p);
        break;
    case HO_AGENT_MSG_COUNT:
        break;
    }
}

void ho_kernel_hear(struct ho_kernel *k, struct ho_kernel_proc *p)
{
    struct ho_agent_msg m;
    int n = 0;

    if (p->agent == NULL) {
        return;
    }
    while ((n = ho_agent_next(p->agent, &m)) == 1) {
        hear(k, p, &m);
        ho_kernel_dirty(k, p->play.node);
    }
    if (n == -EPIPE) {
        bool ended_by_itself = p->running;

        ho_kernel_proc_forget(k, p);
        ho_kernel_dirty(k, p->play.node);
        if (ended_by_itself) {
            ho_kernel_fail(k, -EPIPE, p->play.name, "its agent has died; nobody killed it");
        }
    }
}

void ho_kernel_hear_all(struct ho_kernel *k)
{
    for (size_t i = 0; i < k->plan->proc_count; i++) {
        ho_kernel_hear(k, &k->proc[i]);
    }
}

/* ---- commands ----------------------------------------------------------------------------------
 */

void ho_kernel_hear_services(struct ho_kernel *k)
{
    struct ho_service_event ev;
    int err;

    if (k->services == NULL) {
        return;
    }
    err = ho_services_read(k->services);
    if (err != 0) {
        ho_kernel_fail(k, err, "commands", ho_services_why(k->services));
        return;
    }
    while (ho_services_next(k->services, &ev)) {
        struct ho_record r;

        ho_kernel_dirty(k, k->plan->procs[ev.proc].host);
        if (!ho_trace_records(&k->trace)) {
            continue;
        }
        err = ho_services_record(&r, &ev, k->plan, k->trace.tl, k->base_ns);
        if (err == 0) {
            k->trace.now = r.t;
            ho_trace_put(&k->trace, &r);
        } else {
            ho_trace_fail(&k->trace, err, "no memory for a command's record");
        }
    }
}
