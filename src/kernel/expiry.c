/* When a socket's timer will have fired.
 *
 * sock_diag tells how long it is until the timer's nominal time; the wheel fires later, by up to
 * the granule of the level that the delay fell into when it was armed (base/clk.h, ground-truth
 * A1). Most timers send a frame, which is seen; what only changes the socket - it gives up without
 * a word, TIME-WAIT ends - is seen by looking one jiffy after the timer has fired. With the
 * kernel's jiffy count that instant is known. Without it, or when the arming was not seen, the
 * looks double their distance: there are at most some twenty for one timer, however long it is.
 */

#include <errno.h>
#include <stdlib.h>

#include "kernel/world.h"

#define TRIES 24

static struct ho_dur jiffies(const struct ho_kernel *k, uint64_t n)
{
    return ho_ns((int64_t)n * HO_NS_PER_S / (k->clk.hz != 0 ? k->clk.hz : 250));
}

/* The entry of this socket's timer: at its place of the last look, or somewhere. */
static struct ho_kernel_expiry *find(struct ho_kernel_host *h, size_t at, uint64_t cookie)
{
    for (size_t i = at; i < h->expiries; i++) {
        if (h->expiry[i].cookie == cookie) {
            return &h->expiry[i];
        }
    }
    return NULL;
}

static bool grow(struct ho_kernel_host *h)
{
    if (h->expiries == h->expiry_room) {
        size_t room = h->expiry_room == 0 ? 16 : h->expiry_room * 2;
        struct ho_kernel_expiry *more = realloc(h->expiry, room * sizeof(*more));

        if (more == NULL) {
            return false;
        }
        h->expiry = more;
        h->expiry_room = room;
    }
    return true;
}

static bool same_arming(const struct ho_kernel *k, const struct ho_kernel_expiry *e,
                        const struct ho_os_sock *s, struct ho_time due, struct ho_time now)
{
    int64_t apart = due.ns > e->due.ns ? due.ns - e->due.ns : e->due.ns - due.ns;

    if (e->timer != s->timer) {
        return false;
    }
    /* A timer that is late says 0. */
    return (s->expires_ms == 0 && !ho_time_before(now, e->due)) || apart <= jiffies(k, 3).ns;
}

/* When the timer has fired for certain, if it was armed at e->armed. */
static struct ho_time fires(const struct ho_kernel *k, const struct ho_kernel_expiry *e)
{
    struct ho_time t = e->due;

    if (k->has_clk) {
        t = ho_clk_timer(&k->clk, e->armed, ho_time_since(e->due, e->armed));
    }
    return ho_time_add(t, jiffies(k, 1));
}

void ho_kernel_expiry(struct ho_kernel *k, struct ho_kernel_host *h, size_t *count,
                      const struct ho_os_sock *s, struct ho_time now)
{
    struct ho_time due = ho_time_add(now, ho_ms(s->expires_ms));
    struct ho_kernel_expiry *e;
    struct ho_kernel_expiry x;

    if (s->timer == HO_SOCK_TIMER_OFF) {
        return;
    }
    e = find(h, *count, s->cookie);
    if (e == NULL) {
        if (!grow(h)) {
            ho_trace_fail(&k->trace, -ENOMEM, "no memory for a socket's timer");
            return;
        }
        e = &h->expiry[h->expiries++];
        *e = (struct ho_kernel_expiry){ .cookie = s->cookie, .timer = HO_SOCK_TIMER_OFF };
    }
    if (!same_arming(k, e, s, due, now)) {
        *e = (struct ho_kernel_expiry){
            .cookie = s->cookie, .timer = s->timer, .armed = now, .due = due
        };
        e->look = fires(k, e);
    } else if (ho_time_reached(e->look, now)) {
        e->tries++;
        e->look = e->tries < TRIES ? ho_time_add(now, jiffies(k, 1u << e->tries)) : HO_NEVER;
    }
    x = h->expiry[*count];
    h->expiry[*count] = *e;
    *e = x;
    ++*count;
}

void ho_kernel_expiry_end(struct ho_kernel_host *h, size_t count)
{
    h->expiries = count;
    h->look = HO_NEVER;
    for (size_t i = 0; i < count; i++) {
        h->look = ho_time_min(h->look, h->expiry[i].look);
    }
}
