/* Names of states. */

#include "knobs/state.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>

static const struct {
    const char *ss, *rfc;
} list[HO_TCP_STATE_COUNT] = {
#define X(id, number, ss, rfc) [number] = { ss, rfc },
    HO_TCP_STATES(X)
#undef X
};

const char *ho_tcp_state_ss(enum ho_tcp_state state)
{
    assert(state > 0 && state < HO_TCP_STATE_COUNT);
    return list[state].ss;
}

const char *ho_tcp_state_name(enum ho_tcp_state state)
{
    assert(state > 0 && state < HO_TCP_STATE_COUNT);
    return list[state].rfc;
}

static int canonical(char c)
{
    return c == '_' ? '-' : toupper((unsigned char)c);
}

static bool same(const char *a, const char *b)
{
    while (*a != '\0' && canonical(*a) == canonical(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

int ho_tcp_state_find(const char *name)
{
    for (int i = 1; i < HO_TCP_STATE_COUNT; i++) {
        if (same(name, list[i].ss) || same(name, list[i].rfc)) {
            return i;
        }
    }
    return -1;
}
