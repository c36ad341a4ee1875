/* Which options are really in force on the sockets of commands, as records.
 *
 * What an agent sets it reports; a command says nothing. Its sockets' options are read through
 * duplicates that live for these calls only (service.h), at the end of a round of the relay and so
 * never while a fault is made. Written down is what differs from the default - for the keepalive
 * times that is the host's sysctl - and what has changed since.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/world.h"
#include "knobs/sockopt.h"

#define VALUES 5

static const char *const names[VALUES] = { "SO_KEEPALIVE", "TCP_KEEPIDLE", "TCP_KEEPINTVL",
                                           "TCP_KEEPCNT", "TCP_USER_TIMEOUT" };

struct ho_kernel_option {
    uint64_t cookie;
    int64_t value[VALUES];
};

static void defaults(const struct ho_kernel_host *h, int64_t value[VALUES])
{
    const int64_t *v = h->sysctls.v;

    value[0] = 0;
    value[1] = v[HO_SYSCTL_TCP_KEEPALIVE_TIME];
    value[2] = v[HO_SYSCTL_TCP_KEEPALIVE_INTVL];
    value[3] = v[HO_SYSCTL_TCP_KEEPALIVE_PROBES];
    value[4] = 0;
}

/* What is known of the socket; made with the defaults. NULL without memory. */
static struct ho_kernel_option *known(struct ho_kernel *k, const struct ho_kernel_host *h,
                                      uint64_t cookie)
{
    struct ho_kernel_option *o;

    for (size_t i = 0; i < k->options_known; i++) {
        if (k->option[i].cookie == cookie) {
            return &k->option[i];
        }
    }
    o = realloc(k->option, (k->options_known + 1) * sizeof(*o));
    if (o == NULL) {
        ho_trace_fail(&k->trace, -ENOMEM, "no memory for a socket's options");
        return NULL;
    }
    k->option = o;
    o = &k->option[k->options_known++];
    o->cookie = cookie;
    defaults(h, o->value);
    return o;
}

/* The connection that this look found the socket to be. */
static const struct ho_play_conn *conn_of(const struct ho_kernel *k, const struct ho_os_sock *s)
{
    struct ho_play_tuple t = {
        .local = s->local, .remote = s->remote, .lport = s->lport, .rport = s->rport
    };
    unsigned end;
    const struct ho_play_pair *p = ho_play_pair_find(&k->trace, &t, &end);
    const struct ho_play_conn *c = p != NULL ? p->newest : NULL;

    while (c != NULL && c->end[end].mark != k->trace.mark) {
        c = c->older;
    }
    return c;
}

static void put(struct ho_kernel *k, const struct ho_kernel_host *h, uint16_t proc,
                const struct ho_play_conn *c, unsigned i, int64_t value)
{
    ho_trace_put(&k->trace, &(struct ho_record){
                                .kind = HO_REC_SETTINGS,
                                .host = k->trace.node[h->node].name,
                                .process = k->trace.proc[proc],
                                .conn = c->name,
                                .u.settings = { .scope = "sockopt",
                                                .what = "",
                                                .name = names[i],
                                                .text = "",
                                                .value = value },
                            });
}

static void look_at(struct ho_kernel *k, const struct ho_kernel_host *h, uint16_t proc,
                    const struct ho_os_sock *s)
{
    struct ho_service_options o;
    struct ho_kernel_option *last = known(k, h, s->cookie);
    const struct ho_play_conn *c = conn_of(k, s);

    if (last == NULL || c == NULL || ho_services_options(k->services, h->node, s->inode, &o) != 0) {
        return;
    }
    const int64_t now[VALUES] = { o.keepalive, o.keepidle, o.keepintvl, o.keepcnt, o.user_timeout };

    for (unsigned i = 0; i < VALUES; i++) {
        if (now[i] != last->value[i]) {
            put(k, h, proc, c, i, now[i]);
            last->value[i] = now[i];
        }
    }
}

void ho_kernel_options_of(struct ho_kernel *k, const struct ho_kernel_host *h, size_t n)
{
    for (size_t i = 0; k->services != NULL && ho_trace_records(&k->trace) && i < n; i++) {
        const struct ho_os_sock *s = &k->socks[i];
        uint16_t proc =
            s->inode != 0 ? ho_services_owner(k->services, h->node, s->inode) : HO_PLAN_NONE;

        if (proc != HO_PLAN_NONE && s->rport != 0) {
            look_at(k, h, proc, s);
        }
    }
}
