/* The state diagram (RFC 9293 figure 5): which moves exist, and the ways to the end.
 *
 * Linux's connections begin and end in CLOSE; a listener makes its children in SYN_RECV. A move
 * that is not in the table is a bug in this program, whatever the peer sent: input.c decides what
 * a segment means before it asks for a move.
 */

#include <assert.h>

#include "tcp/conn.h"

#define TO(name) (1u << HO_TCP_##name)

/* Row: where from. Bits: where to. */
static const uint16_t legal[HO_TCP_STATE_COUNT] = {
    [HO_TCP_CLOSE] = TO(SYN_SENT) | TO(SYN_RECV) | TO(CLOSE),
    [HO_TCP_SYN_SENT] = TO(SYN_RECV) | TO(ESTABLISHED) | TO(CLOSE),
    [HO_TCP_SYN_RECV] = TO(ESTABLISHED) | TO(FIN_WAIT1) | TO(CLOSE_WAIT) | TO(CLOSE),
    [HO_TCP_ESTABLISHED] = TO(FIN_WAIT1) | TO(CLOSE_WAIT) | TO(CLOSE),
    [HO_TCP_FIN_WAIT1] = TO(FIN_WAIT2) | TO(CLOSING) | TO(TIME_WAIT) | TO(CLOSE),
    [HO_TCP_FIN_WAIT2] = TO(TIME_WAIT) | TO(CLOSE),
    [HO_TCP_CLOSE_WAIT] = TO(LAST_ACK) | TO(CLOSE),
    [HO_TCP_CLOSING] = TO(TIME_WAIT) | TO(CLOSE),
    [HO_TCP_LAST_ACK] = TO(CLOSE),
    [HO_TCP_TIME_WAIT] = TO(CLOSE),
};

void tcp_enter(struct ho_tcp *c, enum ho_tcp_state next)
{
    assert(next > 0 && next < HO_TCP_STATE_COUNT);
    assert(legal[c->state] & (1u << next));

    /* What entering a state always does is done here, and nowhere else. */
    c->flags |= TCP_F_OPENED;
    if (next == HO_TCP_CLOSE || next == HO_TCP_TIME_WAIT) {
        c->keep_at = HO_DUE_NEVER;
        tcp_disarm(c);
    }
    c->state = (uint8_t)next;
}

void tcp_done(struct ho_tcp_env *env, struct ho_tcp *c, enum ho_tcp_why why)
{
    if (c->state == HO_TCP_SYN_SENT || c->state == HO_TCP_SYN_RECV) {
        tcp_count(env, HO_TCP_COUNT_ATTEMPT_FAILS);
    }
    tcp_enter(c, HO_TCP_CLOSE);
    c->shut = TCP_SHUT_MASK;
    if (c->why == HO_TCP_WHY_NONE) {
        c->why = (uint8_t)why;
    }
    tcp_send_queue_purge(env, c);
    tcp_ooo_purge(env, c);
    if (c->work != NULL) {
        c->work->delack_at = HO_DUE_NEVER;
    }
    c->ack_pending = 0;
    c->want &= TCP_WANT_RST;
    c->wake |= HO_WAKE_STATE;
}

void tcp_fail(struct ho_tcp_env *env, struct ho_tcp *c, int err, enum ho_tcp_why why)
{
    c->err = (uint8_t)err;
    tcp_done(env, c, why);
    if (err != 0) {
        c->wake |= HO_WAKE_ERROR;
    }
}

enum ho_tcp_state ho_tcp_state(const struct ho_tcp *c)
{
    return (enum ho_tcp_state)c->state;
}

enum ho_tcp_why ho_tcp_why(const struct ho_tcp *c)
{
    return (enum ho_tcp_why)c->why;
}

bool ho_tcp_is_dead(const struct ho_tcp *c)
{
    return c->state == HO_TCP_CLOSE && (c->flags & TCP_F_OPENED) != 0;
}

bool ho_tcp_wants_tw(const struct ho_tcp *c)
{
    if (c->state == HO_TCP_TIME_WAIT) {
        return true;
    }
    return c->state == HO_TCP_FIN_WAIT2 && (c->flags & TCP_F_DEAD) != 0 &&
           ho_due_is_never(c->keep_at);
}

const char *ho_tcp_why_words(enum ho_tcp_why why)
{
    static const char *const words[] = {
#define X(id, text) text,
        HO_TCP_WHYS(X)
#undef X
    };
    assert((size_t)why < sizeof(words) / sizeof(words[0]));
    return words[why];
}

const char *ho_tcp_count_name(enum ho_tcp_count id)
{
    static const char *const names[] = {
#define X(id, text) text,
        HO_TCP_COUNTS(X)
#undef X
    };
    assert(id < HO_TCP_COUNT_N);
    return names[id];
}
