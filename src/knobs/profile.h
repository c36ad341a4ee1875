/* Which kernel a host behaves like, where releases differ: knobs/profile.def lists behaviour,
 * knobs/profile_knobs.def sysctls, their defaults and socket options, both with their sources;
 * docs/profiles.md comes from them.
 */

#ifndef HO_KNOBS_PROFILE_H
#define HO_KNOBS_PROFILE_H

#include <stdbool.h>

#include "knobs/sockopt.h"
#include "knobs/sysctl.h"

/* The newest is 0: what a host is if nobody says otherwise. */
enum ho_profile_id {
    HO_PROFILE_6_18,
    HO_PROFILE_6_12,
    HO_PROFILE_6_1,
    HO_PROFILE_COUNT
};

struct ho_profile {
    const char *name; /* "linux-6.18" */
#define X(id, what, v6_18, v6_12, v6_1, source) bool id;
#include "knobs/profile.def"
#undef X
};

const struct ho_profile *ho_profile(enum ho_profile_id id);

/* The profile named "linux-6.12". Returns its id; -1 if there is none. */
int ho_profile_find(const char *name);

/* Whether the kernel has the sysctl, or the socket option: writing one that it does not have is
 * ENOENT, setting such an option ENOPROTOOPT.
 */
bool ho_profile_has_sysctl(enum ho_profile_id id, enum ho_sysctl sysctl);
bool ho_profile_has_sockopt(enum ho_profile_id id, enum ho_sockopt option);

/* The release that brought a sysctl which not every profile has, "6.15"; NULL for the others. */
const char *ho_profile_sysctl_since(enum ho_sysctl sysctl);

/* All values to the kernel's defaults. What it does not have yet gets the value that it behaves
 * by, so that who reads a sysctl need not ask for the profile.
 */
void ho_profile_sysctls(enum ho_profile_id id, struct ho_sysctls *s);

#endif
