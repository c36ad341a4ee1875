/* The kernels that a host can behave like. */

#include "knobs/profile.h"

#include <assert.h>
#include <string.h>

static const struct ho_profile profiles[HO_PROFILE_COUNT] = {
    [HO_PROFILE_6_18] = {
        .name = "linux-6.18",
#define X(id, what, v6_18, v6_12, v6_1, source) .id = (v6_18),
#include "knobs/profile.def"
#undef X
    },
    [HO_PROFILE_6_12] = {
        .name = "linux-6.12",
#define X(id, what, v6_18, v6_12, v6_1, source) .id = (v6_12),
#include "knobs/profile.def"
#undef X
    },
    [HO_PROFILE_6_1] = {
        .name = "linux-6.1",
#define X(id, what, v6_18, v6_12, v6_1, source) .id = (v6_1),
#include "knobs/profile.def"
#undef X
    },
};

const struct ho_profile *ho_profile(enum ho_profile_id id)
{
    assert(id < HO_PROFILE_COUNT);
    return &profiles[id];
}

int ho_profile_find(const char *name)
{
    for (int id = 0; id < HO_PROFILE_COUNT; id++) {
        if (strcmp(profiles[id].name, name) == 0) {
            return id;
        }
    }
    return -1;
}

/* Profiles count from the newest: one that has what came with `first` is not above it. */
bool ho_profile_has_sysctl(enum ho_profile_id id, enum ho_sysctl sysctl)
{
    switch (sysctl) {
#define ADDED(sysctl_id, first, before, release, source) \
    case HO_SYSCTL_##sysctl_id:                          \
        return id <= HO_PROFILE_##first;
#define DEFAULT(sysctl_id, first, before, release, source)
#define OPTION(option_id, first, release, source)
#include "knobs/profile_knobs.def"
#undef OPTION
#undef DEFAULT
#undef ADDED
    default:
        return true;
    }
}

bool ho_profile_has_sockopt(enum ho_profile_id id, enum ho_sockopt option)
{
    switch (option) {
#define ADDED(sysctl_id, first, before, release, source)
#define DEFAULT(sysctl_id, first, before, release, source)
#define OPTION(option_id, first, release, source) \
    case HO_SOCKOPT_##option_id:                  \
        return id <= HO_PROFILE_##first;
#include "knobs/profile_knobs.def"
#undef OPTION
#undef DEFAULT
#undef ADDED
    default:
        return true;
    }
}

const char *ho_profile_sysctl_since(enum ho_sysctl sysctl)
{
    switch (sysctl) {
#define ADDED(sysctl_id, first, before, release, source) \
    case HO_SYSCTL_##sysctl_id:                          \
        return release;
#define DEFAULT(sysctl_id, first, before, release, source)
#define OPTION(option_id, first, release, source)
#include "knobs/profile_knobs.def"
#undef OPTION
#undef DEFAULT
#undef ADDED
    default:
        return NULL;
    }
}

void ho_profile_sysctls(enum ho_profile_id id, struct ho_sysctls *s)
{
    assert(id < HO_PROFILE_COUNT);
    ho_sysctls_init(s);
#define ADDED(sysctl_id, first, before, release, source) \
    if (id > HO_PROFILE_##first) {                       \
        s->v[HO_SYSCTL_##sysctl_id] = before;            \
    }
#define DEFAULT(sysctl_id, first, before, release, source) \
    ADDED(sysctl_id, first, before, release, source)
#define OPTION(option_id, first, release, source)
#include "knobs/profile_knobs.def"
#undef OPTION
#undef DEFAULT
#undef ADDED
}
