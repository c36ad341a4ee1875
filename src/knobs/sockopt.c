/* Look-up of socket options. */

#include "knobs/sockopt.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Lets the list write NONE where another line names a sysctl. */
#define HO_SYSCTL_NONE (-1)

static const struct ho_sockopt_info list[HO_SOCKOPT_COUNT] = {
#define X(id, level, number, type, access, unit, def, from, min, max, meaning) \
    { #id,                                                                     \
      meaning,                                                                 \
      HO_SOL_##level,                                                          \
      number,                                                                  \
      HO_SOCKOPT_TYPE_##type,                                                  \
      ACCESS_##access,                                                         \
      HO_UNIT_##unit,                                                          \
      (int)HO_SYSCTL_##from,                                                   \
      def,                                                                     \
      min,                                                                     \
      max },
#define ACCESS_RW false
#define ACCESS_RO true
#include "knobs/sockopt.def"
#undef X
};

const struct ho_sockopt_info *ho_sockopt_info(enum ho_sockopt id)
{
    assert(id < HO_SOCKOPT_COUNT);
    return &list[id];
}

int ho_sockopt_find(const char *name)
{
    for (int id = 0; id < HO_SOCKOPT_COUNT; id++) {
        if (strcmp(list[id].name, name) == 0) {
            return id;
        }
    }
    return -ENOENT;
}

int64_t ho_sockopt_default(enum ho_sockopt id, const struct ho_sysctls *s)
{
    assert(id < HO_SOCKOPT_COUNT);
    return list[id].from < 0 ? list[id].def : s->v[list[id].from];
}

const char *ho_sockopt_level_name(enum ho_sockopt_level level)
{
    switch (level) {
    case HO_SOL_IP:
        return "IPPROTO_IP";
    case HO_SOL_SOCKET:
        return "SOL_SOCKET";
    case HO_SOL_TCP:
        return "IPPROTO_TCP";
    case HO_SOL_IPV6:
        return "IPPROTO_IPV6";
    }
    assert(0 && "no such level");
    return "?";
}
