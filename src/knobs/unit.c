/* Names of units. */

#include "knobs/unit.h"

#include <assert.h>

const char *ho_unit_suffix(enum ho_unit unit)
{
    switch (unit) {
#define X(id, suffix, meaning) \
    case HO_UNIT_##id:         \
        return suffix;
        HO_UNITS(X)
#undef X
    }
    assert(0 && "no such unit");
    return "";
}

const char *ho_unit_text(enum ho_unit unit)
{
    switch (unit) {
#define X(id, suffix, meaning) \
    case HO_UNIT_##id:         \
        return meaning;
        HO_UNITS(X)
#undef X
    }
    assert(0 && "no such unit");
    return "";
}
