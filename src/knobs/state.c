/* Names of the states. */

#include "knobs/state.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>

static const struct {
    const char *ss, *rfc;
} names[HO_TCP_STATE_COUNT] = {
#define X(id, number, ss_, rfc_) [number] = { ss_, rfc_ },
    HO_TCP_STATES(X)
#undef X
};

const char *ho_tcp_state_ss(enum ho_tcp_state state)
{
    assert(state > 0 && state < HO_TCP_STATE_COUNT);
    return names[state].ss;
}

const char *ho_tcp_state_name(enum ho_tcp_state state)
{
    assert(state > 0 && state < HO_TCP_STATE_COUNT);
    return names[state].rfc;
}

static int folded(char c)
{
    return c == '_' ? '-' : toupper((unsigned char)c);
}

static bool same(const char *a, const char *b)
{
    while (*a != '\0' && folded(*a) == folded(*b)) {
        a++;
        b++;
    }
    return folded(*a) == folded(*b);
}

int ho_tcp_state_find(const char *name)
{
    for (int s = 1; s < HO_TCP_STATE_COUNT; s++) {
        if (same(name, names[s].ss) || same(name, names[s].rfc)) {
            return s;
        }
    }
    return -1;
}
