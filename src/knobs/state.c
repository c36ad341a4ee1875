/* Names of states. */

#include "knobs/state.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *linux_name, *word;
} list[HO_TCP_STATE_COUNT] = {
#define X(id, number, linux_name, word) [number] = { linux_name, word },
#include "knobs/states.def"
#undef X
};

const char *ho_tcp_state_word(enum ho_tcp_state state)
{
    assert(state > 0 && state < HO_TCP_STATE_COUNT);
    return list[state].word;
}

const char *ho_tcp_state_linux(enum ho_tcp_state state)
{
    assert(state > 0 && state < HO_TCP_STATE_COUNT);
    return list[state].linux_name;
}

const char *ho_tcp_state_rfc(enum ho_tcp_state state)
{
    assert(state > 0 && state < HO_TCP_STATE_COUNT);
    switch (state) {
    case HO_TCP_ESTABLISHED:
        return "ESTABLISHED";
    case HO_TCP_SYN_RECEIVED:
        return "SYN-RECEIVED";
    case HO_TCP_CLOSED:
        return "CLOSED";
    default:
        return list[state].word; /* the others have one name */
    }
}

int ho_tcp_state_find(const char *name)
{
    for (int i = 1; i < HO_TCP_STATE_COUNT; i++) {
        if (strcmp(name, list[i].word) == 0 || strcmp(name, list[i].linux_name) == 0 ||
            strcmp(name, ho_tcp_state_rfc((enum ho_tcp_state)i)) == 0) {
            return i;
        }
    }
    return -ENOENT;
}
