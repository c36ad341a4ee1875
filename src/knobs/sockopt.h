/* Socket options: Linux's names, types, units, defaults and ranges, from one list (sockopt.def). */

#ifndef HO_KNOBS_SOCKOPT_H
#define HO_KNOBS_SOCKOPT_H

#include <stdbool.h>
#include <stdint.h>

#include "knobs/sysctl.h"
#include "knobs/unit.h"

enum ho_sockopt {
#define X(id, level, number, type, access, unit, def, from, min, max, meaning) HO_SOCKOPT_##id,
#include "knobs/sockopt.def"
#undef X
    HO_SOCKOPT_COUNT
};

/* Values are Linux's: SOL_SOCKET on x86, and the protocol numbers. */
enum ho_sockopt_level {
    HO_SOL_IP = 0,
    HO_SOL_SOCKET = 1,
    HO_SOL_TCP = 6,
    HO_SOL_IPV6 = 41
};

enum ho_sockopt_type {
    HO_SOCKOPT_TYPE_INT,
    HO_SOCKOPT_TYPE_BOOL,
    HO_SOCKOPT_TYPE_LINGER,
    HO_SOCKOPT_TYPE_INFO,
    HO_SOCKOPT_TYPE_NAME
};

struct ho_sockopt_info {
    const char *name; /* "TCP_KEEPIDLE" */
    const char *meaning;
    enum ho_sockopt_level level;
    int number; /* in Linux's headers on x86 */
    enum ho_sockopt_type type;
    bool read_only;
    enum ho_unit unit;
    int from;         /* the enum ho_sysctl that gives the default; -1: `def` is the default */
    int64_t def;      /* the default where the sysctl has its own */
    int64_t min, max; /* what setsockopt() takes, for INT and BOOL */
};

const struct ho_sockopt_info *ho_sockopt_info(enum ho_sockopt id);

/* Finds an option by its name, "TCP_KEEPIDLE". Returns the id (>= 0); -ENOENT. */
int ho_sockopt_find(const char *name);

/* The option's value on a new socket of a host with the sysctls `s`. */
int64_t ho_sockopt_default(enum ho_sockopt id, const struct ho_sysctls *s);

/* "SOL_SOCKET", "IPPROTO_TCP", "IPPROTO_IP", "IPPROTO_IPV6". */
const char *ho_sockopt_level_name(enum ho_sockopt_level level);

#endif
