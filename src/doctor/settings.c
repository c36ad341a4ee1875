/* See doctor/settings.h. */

#include "doctor/settings.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "knobs/profile.h"
#include "os/clock.h"
#include "os/netns.h"
#include "os/sysctl.h"

/* A name of the list is for any interface; the host's own default is that of `default`. */
static void file_name(char *buf, size_t size, const char *name)
{
    const char *star = strchr(name, '*');
    size_t head = star != NULL ? (size_t)(star - name) : strlen(name);
    int n = snprintf(buf, size, "%.*s%s%s", (int)head, name, star != NULL ? "default" : "",
                     star != NULL ? star + 1 : "");

    assert(n > 0 && (size_t)n < size); /* names of our own list */
    (void)n;
}

/* What a kernel without the sysctl does: as the oldest kernel that is known. */
static int64_t without(enum ho_sysctl id)
{
    struct ho_sysctls old;

    ho_profile_sysctls(HO_PROFILE_6_1, &old);
    return old.v[id];
}

/* Of the namespace this thread is in. */
static void read_here(struct ho_sysctls *s)
{
    char path[256], value[256];

    ho_sysctls_init(s);
    for (unsigned i = 0; i < HO_SYSCTL_COUNT; i += ho_sysctl_numbers((enum ho_sysctl)i)) {
        const struct ho_sysctl_info *info = ho_sysctl_info((enum ho_sysctl)i);

        if (strstr(info->name, ".tcp_") == NULL && strstr(info->name, ".neigh.") == NULL) {
            continue;
        }
        file_name(path, sizeof(path), info->name);
        if (ho_os_sysctl_read(-1, path, value, sizeof(value)) < 0) {
            s->v[i] = without((enum ho_sysctl)i);
        } else {
            /* A value beyond the list's, as of an unknown congestion control, decides nothing here.
             */
            (void)ho_sysctl_parse(s, info->name, value);
        }
    }
}

int ho_doctor_settings(int netns, struct ho_sysctls *ret, uint32_t *ret_hz)
{
    int back = -1;

    if (netns >= 0) {
        int err = ho_os_netns_enter(netns, &back);

        if (err != 0) {
            return err;
        }
    }
    read_here(ret);
    if (netns >= 0) {
        ho_os_netns_leave(back);
    }
    *ret_hz = ho_os_hz();
    return 0;
}
