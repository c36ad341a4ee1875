/* The units that settings are counted in. Linux mixes them, so each setting names its own. */

#ifndef HO_KNOBS_UNIT_H
#define HO_KNOBS_UNIT_H

#define HO_UNITS(X)                          \
    X(COUNT, "", "a count")                  \
    X(BOOL, "", "0 no, 1 yes")               \
    X(MODE, "", "a choice, see the meaning") \
    X(MASK, "", "a bit mask")                \
    X(PORT, "", "a port number")             \
    X(BYTES, "B", "bytes")                   \
    X(MIN, "min", "minutes")                 \
    X(S, "s", "seconds")                     \
    X(DS, "ds", "tenths of a second")        \
    X(CS, "cs", "hundredths of a second")    \
    X(MS, "ms", "milliseconds")              \
    X(US, "us", "microseconds")              \
    X(NS, "ns", "nanoseconds")               \
    X(STRUCT, "", "a structure")

enum ho_unit {
#define X(id, suffix, meaning) HO_UNIT_##id,
    HO_UNITS(X)
#undef X
};

/* "ms", or "" where a bare number says enough. */
const char *ho_unit_suffix(enum ho_unit unit);

/* "milliseconds". */
const char *ho_unit_text(enum ho_unit unit);

#endif
