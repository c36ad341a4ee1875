/* Words for drops. */

#include "wire/drop.h"

#include <assert.h>

const char *ho_wire_drop_text(enum ho_wire_drop drop)
{
    static const char *const words[HO_WIRE_DROP_COUNT] = {
#define X(id, text) text,
        HO_WIRE_DROPS(X)
#undef X
    };

    assert(drop < HO_WIRE_DROP_COUNT);
    return words[drop];
}
