/* A program in a chain: the timers that it has unless somebody changes them (knobs/settings.h).
 *
 * Only what is a timer of every connection of the program is taken, of its newest versions: of a
 * server, what ends idle connections, keepalive and the user timeout. How long a server waits for
 * the rest of a request says nothing of its answers, and heartbeats often belong to one use of the
 * program (replication): both must be written. Of two timers that do the same, the one that fires
 * first counts.
 */

#include "forecast/order_work.h"

/* Whose rows a side looks at. A proxy is a client of the server. */
static bool is_of(const struct ho_setting *s, enum ho_order_side side)
{
    switch (side) {
    case HO_ORDER_SERVER:
        return s->side == HO_SETTING_SIDE_SERVER || s->side == HO_SETTING_SIDE_BOTH;
    case HO_ORDER_BOX:
        return s->side == HO_SETTING_SIDE_MIDDLEBOX;
    default:
        return s->side == HO_SETTING_SIDE_CLIENT || s->side == HO_SETTING_SIDE_BOTH;
    }
}

static enum ho_order_timer timer_of(enum ho_setting_role role, enum ho_order_side side)
{
    if (side == HO_ORDER_BOX) {
        return role == HO_ROLE_FORGET ? HO_ORDER_T_IDLE : HO_ORDER_TIMER_COUNT;
    }
    if (role == HO_ROLE_IDLE_CLOSE) {
        return HO_ORDER_T_IDLE;
    }
    if (side == HO_ORDER_PROXY) {
        return HO_ORDER_TIMER_COUNT;
    }
    if (role == HO_ROLE_USER_TIMEOUT) {
        return HO_ORDER_T_USER_TIMEOUT;
    }
    if (side == HO_ORDER_SERVER) {
        return HO_ORDER_TIMER_COUNT;
    }
    return role == HO_ROLE_REQUEST || role == HO_ROLE_READ ? HO_ORDER_T_REQUEST
           : role == HO_ROLE_CONNECT                       ? HO_ORDER_T_CONNECT
           : role == HO_ROLE_MAX_LIFE                      ? HO_ORDER_T_LIFE
           : role == HO_ROLE_POOL_WAIT                     ? HO_ORDER_T_WAIT
                                                           : HO_ORDER_TIMER_COUNT;
}

static void smaller(int64_t *at, int64_t value)
{
    if (*at == 0 || value < *at) {
        *at = value;
    }
}

/* One row about keepalive; what no row gives stays 0, which is the system's. */
static void add_keepalive(struct ho_order_entry *k, const struct ho_setting *s)
{
    int64_t ns = ho_setting_dur(s->def, s->unit).ns;

    switch (s->role) {
    case HO_ROLE_KEEPALIVE:
        k->there = k->there || s->def == 1;
        return;
    case HO_ROLE_KEEPALIVE_IDLE:
        smaller(&k->ns, ns);
        break;
    case HO_ROLE_KEEPALIVE_INTVL:
        smaller(&k->more_ns, ns);
        return;
    case HO_ROLE_KEEPALIVE_CNT:
        smaller(&k->count, s->def);
        return;
    case HO_ROLE_KEEPALIVE_BOTH:
        smaller(&k->ns, ns);
        smaller(&k->more_ns, ns);
        break;
    case HO_ROLE_KEEPALIVE_THIRD:
        smaller(&k->ns, ns);
        smaller(&k->more_ns, ns / 3 / HO_NS_PER_S * HO_NS_PER_S);
        smaller(&k->count, 3);
        break;
    default:
        return;
    }
    k->there = true;
}

bool order_add_program(struct ho_order_chain *chain, enum ho_order_side side, const char *program)
{
    struct ho_order_entry *entries = chain->e[side], k = { .there = false, .filled = true };
    bool any = false;

    for (const struct ho_setting *s = ho_setting_next(program, NULL); s != NULL;
         s = ho_setting_next(program, s)) {
        enum ho_order_timer timer = timer_of(s->role, side);

        if (ho_setting_is_old(s) || !is_of(s, side)) {
            continue;
        }
        any = true;
        if (s->def > 0 && timer < HO_ORDER_TIMER_COUNT) {
            entries[timer].there = entries[timer].filled = true;
            smaller(&entries[timer].ns, ho_setting_dur(s->def, s->unit).ns);
        } else if (s->def == HO_SETTING_VARIES && timer < HO_ORDER_TIMER_COUNT) {
            entries[timer].varies = true;
        } else if (s->def > 0 && (side == HO_ORDER_CLIENT || side == HO_ORDER_SERVER)) {
            add_keepalive(&k, s);
        }
    }
    struct ho_order_entry *old = &entries[HO_ORDER_T_KEEPALIVE];

    if (k.there && (!old->there || k.ns < old->ns)) {
        *old = k;
    }
    return any;
}

enum ho_order_side order_program_side(const char *program)
{
    bool client = false, server = false, box = false;

    for (const struct ho_setting *s = ho_setting_next(program, NULL); s != NULL;
         s = ho_setting_next(program, s)) {
        client = client || s->side == HO_SETTING_SIDE_CLIENT;
        server = server || s->side == HO_SETTING_SIDE_SERVER;
        box = box || s->side == HO_SETTING_SIDE_MIDDLEBOX;
    }
    return client && !server && !box   ? HO_ORDER_CLIENT
           : server && !client && !box ? HO_ORDER_SERVER
           : box && !client && !server ? HO_ORDER_BOX
                                       : HO_ORDER_SIDE_COUNT;
}

void ho_order_resolve(struct ho_order_chain *chain, const struct ho_sysctls *sysctls)
{
    for (int side = 0; side < HO_ORDER_SIDE_COUNT; side++) {
        struct ho_order_entry *k = &chain->e[side][HO_ORDER_T_KEEPALIVE];

        if (!k->there) {
            continue;
        }
        k->ns = k->ns > 0 ? k->ns : sysctls->v[HO_SYSCTL_TCP_KEEPALIVE_TIME] * HO_NS_PER_S;
        k->more_ns =
            k->more_ns > 0 ? k->more_ns : sysctls->v[HO_SYSCTL_TCP_KEEPALIVE_INTVL] * HO_NS_PER_S;
        k->count = k->count > 0 ? k->count : sysctls->v[HO_SYSCTL_TCP_KEEPALIVE_PROBES];
    }
}
