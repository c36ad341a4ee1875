/* The settings of a loop from the arguments that behaviours share (loop.h). */

#include <assert.h>

#include "program/loop.h"

static void listen_on(struct ho_loop *l, const struct ho_value *addr, const struct ho_value *port)
{
    l->listens = true;
    l->addr = addr->addr;
    l->port = (uint16_t)port->n;
    l->backlog = 128;
}

void ho_loop_serve(struct ho_loop *l, const struct ho_value *v)
{
    listen_on(l, &v[HO_SERVER_ADDR], &v[HO_SERVER_PORT]);
    l->backlog = (int)v[HO_SERVER_BACKLOG].n;
    l->max_conns = (unsigned)v[HO_SERVER_MAX].n;
    ho_copy_text(l->prefix, sizeof(l->prefix), v[HO_SERVER_NAME].text);
}

void ho_loop_dial(struct ho_loop *l, const struct ho_value *v)
{
    l->addr = v[HO_CLIENT_ADDR].addr;
    l->port = (uint16_t)v[HO_CLIENT_PORT].n;
    l->from = (uint16_t)v[HO_CLIENT_FROM].n;
    l->connect_timeout = ho_ns(v[HO_CLIENT_TIMEOUT].n);
    ho_copy_text(l->prefix, sizeof(l->prefix), v[HO_CLIENT_NAME].text);
}

void ho_loop_either(struct ho_loop *l, const struct ho_value *v)
{
    bool listens = v[HO_PEER_ROLE].n != 0;

    if (listens) {
        listen_on(l, &v[HO_PEER_ADDR], &v[HO_PEER_PORT]);
    }
    l->addr = v[HO_PEER_ADDR].addr;
    l->port = (uint16_t)v[HO_PEER_PORT].n;
    l->from = (uint16_t)v[HO_PEER_FROM].n;
    l->connect_timeout = ho_ns(v[HO_PEER_TIMEOUT].n);
    l->max_conns = (unsigned)v[HO_PEER_MAX].n;
    ho_copy_text(l->prefix, sizeof(l->prefix),
                 *v[HO_PEER_NAME].text != '\0' ? v[HO_PEER_NAME].text
                 : listens                     ? "x"
                                               : "k");
}

/* HO_LOOP_SHARED */
void ho_loop_shared(struct ho_loop *l, const struct ho_value *v)
{
    const char *why;
    int err = ho_sockopts_read(&l->options, v[0].text, &why);

    assert(err == 0); /* ho_params_read() saw it */
    (void)err;
    l->brief = v[1].n != 0;
}
