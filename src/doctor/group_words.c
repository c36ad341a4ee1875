/* How the groups of a diagnosis and their connections are named, in every form. See group.h. */

#include <inttypes.h>
#include <string.h>

#include "base/words.h"
#include "doctor/group.h"

void ho_group_put_count(struct ho_text *out, size_t n, const char *thing)
{
    ho_text_printf(out, "%zu %s%s", n, thing, n == 1 ? "" : "s");
}

void ho_group_put_netns(struct ho_text *out, const struct ho_conn_host *h)
{
    ho_text_printf(out, "net:[%" PRIu64 "]", h->netns);
}

void ho_group_put_end(struct ho_text *out, const struct ho_addr *addr, uint16_t port)
{
    char text[HO_ADDR_TEXT];

    ho_text_printf(out, ho_addr_is_v4(addr) ? "%s:%u" : "[%s]:%u", ho_addr_text(addr, text),
                   (unsigned)port);
}

void ho_group_put_ends(struct ho_text *out, const struct ho_conn *c)
{
    ho_group_put_end(out, &c->local, c->lport);
    ho_text_put(out, ho_group_end(c) == HO_GROUP_TO ? " to " : " from ");
    ho_group_put_end(out, &c->remote, c->rport);
}

void ho_group_put_owner(struct ho_text *out, const struct ho_diagnosis *d, uint32_t i)
{
    const struct ho_conn_owner *owner = ho_group_owner(d, i);

    if (owner == NULL) {
        ho_text_put(out, ho_group_conn(d, i)->inode == 0 ? "none" : "unknown");
    } else if (owner->name[0] == '\0') {
        ho_text_put(out, "unknown");
    } else {
        ho_text_plain(out, owner->name);
    }
}

/* "(pid 812, container 3f2a)": what is known of it. */
static void put_whose(struct ho_text *out, const struct ho_diagnosis *d,
                      const struct ho_diagnosis_group *g)
{
    const struct ho_conn_owner *owner = ho_group_owner(d, g->conns[0]);
    const char *sep = " (";

    if (owner == NULL) {
        return;
    }
    if (g->same_process && owner->pid > 0) {
        ho_text_printf(out, "%spid %" PRId32, sep, owner->pid);
        sep = ", ";
    }
    if (owner->container[0] != '\0') {
        ho_text_put(out, sep);
        ho_text_plain(out, owner->container);
        sep = ", ";
    }
    ho_text_put(out, strcmp(sep, ", ") == 0 ? ")" : "");
}

/* "nginx (pid 812)"; in the sentence "412 connections of .." or alone. */
static void put_who(struct ho_text *out, const struct ho_diagnosis *d,
                    const struct ho_diagnosis_group *g)
{
    uint32_t first = g->conns[0];

    if (ho_group_owner(d, first) != NULL) {
        ho_group_put_owner(out, d, first);
        put_whose(out, d, g);
    } else {
        ho_text_put(out, ho_group_conn(d, first)->inode == 0 ? "no process"
                                                             : "a process that cannot be seen");
    }
}

void ho_group_put_name(struct ho_text *out, const struct ho_diagnosis *d,
                       const struct ho_diagnosis_group *g)
{
    const struct ho_conn *c = ho_group_conn(d, g->conns[0]);

    if (g->n == 1) {
        put_who(out, d, g);
        ho_text_put(out, ", ");
        ho_group_put_ends(out, c);
    } else {
        ho_group_put_count(out, g->n, "connection");
        ho_text_put(out, " of ");
        put_who(out, d, g);
        ho_text_printf(out, " %s :%u", g->end == HO_GROUP_TO ? "to" : "on", (unsigned)g->port);
    }
    if (c->state != HO_TCP_ESTABLISHED) {
        ho_text_printf(out, ", %s", ho_tcp_state_name((enum ho_tcp_state)c->state));
    }
    ho_text_put(out, c->loopback ? ", both ends on this machine" : "");
    if (d->scan->n_hosts > 1) {
        ho_text_put(out, " in ");
        ho_group_put_netns(out, ho_group_host(d, g->conns[0]));
    }
}

/* ---- verdicts -------------------------------------------------------------------------------- */

/* One text, or two that differ: "A, up to B". */
static void put_two(struct ho_text *out, struct ho_text *first, struct ho_text *last)
{
    ho_text_put(out, ho_text_str(first));
    if (strcmp(ho_text_str(first), ho_text_str(last)) != 0) {
        ho_text_put(out, " .. ");
        ho_text_put(out, ho_text_str(last));
    }
    ho_text_end_part(out, first);
    ho_text_end_part(out, last);
}

void ho_group_put_idle(struct ho_text *out, const struct ho_diagnosis *d,
                       const struct ho_diagnosis_group *g)
{
    struct ho_text first = { 0 }, last = { 0 };

    ho_outlook_put_idle(&first, ho_group_outlook(d, g->idle_first), ho_group_conn(d, g->idle_first),
                        ho_group_host(d, g->idle_first));
    ho_outlook_put_idle(&last, ho_group_outlook(d, g->idle_last), ho_group_conn(d, g->idle_last),
                        ho_group_host(d, g->idle_last));
    put_two(out, &first, &last);
}

void ho_group_put_busy(struct ho_text *out, const struct ho_diagnosis *d,
                       const struct ho_diagnosis_group *g)
{
    struct ho_text first = { 0 }, last = { 0 };

    ho_outlook_put_busy(&first, ho_group_outlook(d, g->busy_first), ho_group_conn(d, g->busy_first),
                        ho_group_host(d, g->busy_first));
    ho_outlook_put_busy(&last, ho_group_outlook(d, g->busy_last), ho_group_conn(d, g->busy_last),
                        ho_group_host(d, g->busy_last));
    put_two(out, &first, &last);
}

void ho_group_put_trouble(struct ho_text *out, const struct ho_diagnosis *d,
                          const struct ho_diagnosis_group *g)
{
    struct ho_text first = { 0 }, last = { 0 };

    ho_outlook_put_trouble(&first, ho_group_outlook(d, g->end_first));
    ho_outlook_put_trouble(&last, ho_group_outlook(d, g->end_last));
    put_two(out, &first, &last);
}

/* ---- what is missing ------------------------------------------------------------------------- */

void ho_group_put_unread(struct ho_text *out, const struct ho_diagnosis *d, const char *before)
{
    const struct ho_scan *s = d->scan;

    if (s->n_unreadable > 0) {
        ho_text_put(out, before);
        ho_text_put(out, "the socket options of ");
        ho_group_put_count(out, s->n_unreadable, "connection");
        ho_text_put(out, " (" HO_CONN_NEEDS ")\n");
    }
    if (s->n_foreign_namespaces > 0) {
        ho_text_put(out, before);
        ho_group_put_count(out, s->n_foreign_namespaces, "network namespace");
        ho_text_put(out, " that could not be entered (needs CAP_SYS_ADMIN)\n");
    }
}
