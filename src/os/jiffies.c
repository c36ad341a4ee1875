/* /proc/timer_list, and sleeping to an instant. See os/jiffies.h. */

#include "os/jiffies.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "os/clock.h"

/* So near to a tick it must be right: sleeping is late by less than 1 us. Where computing takes
 * time (plain time-travel) the look itself takes longer, and each try begins earlier.
 */
#define BESIDE_NS 20000

#define TRIES 8 /* the first ticks of a kernel that has just begun are odd */

/* The line "jiffies: 4294892308". */
static int read_count(uint64_t *ret)
{
    FILE *f = fopen("/proc/timer_list", "re");
    char line[256];
    int err = f == NULL ? -errno : -ENODATA;

    while (f != NULL && err != 0 && fgets(line, sizeof(line), f) != NULL) {
        if (sscanf(line, "jiffies: %" SCNu64, ret) == 1) {
            err = 0;
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return err;
}

void ho_os_sleep_until(struct ho_time t)
{
    struct timespec until = { .tv_sec = t.ns / HO_NS_PER_S, .tv_nsec = t.ns % HO_NS_PER_S };

    while (t.ns > 0 && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

/* Looks right before and right behind the tick at `at`. */
static int look(struct ho_time at, int64_t beside_ns, uint64_t *ret_count)
{
    uint64_t before = 0;
    uint64_t behind = 0;

    ho_os_sleep_until((struct ho_time){ at.ns - beside_ns });
    int err = read_count(&before);

    if (err == 0) {
        ho_os_sleep_until((struct ho_time){ at.ns + beside_ns });
        err = read_count(&behind);
    }
    *ret_count = behind;
    return err != 0 ? err : behind == before + 1 ? 0 : -ENODATA;
}

int ho_os_jiffies_read(struct ho_os_ticks *ret)
{
    uint32_t hz = ho_os_hz();
    int64_t jiffy = HO_NS_PER_S / hz;
    int64_t beside_ns = BESIDE_NS;
    struct ho_time tick = { 0 };
    uint64_t count = 0;
    int err = -ENODATA;

    for (int tries = 0; err == -ENODATA && tries < TRIES; tries++) {
        tick.ns = (ho_os_now().ns / jiffy + 2) * jiffy;
        err = look(tick, beside_ns, &count);
        beside_ns = beside_ns < jiffy / 4 ? 2 * beside_ns : beside_ns;
    }
    if (err == 0) {
        *ret = (struct ho_os_ticks){ .hz = hz, .count = count, .at = tick, .phase_ns = 0 };
    }
    return err;
}

struct ho_time ho_os_jiffies_next(const struct ho_os_ticks *j, struct ho_time from,
                                  uint64_t jiffies, uint64_t step, int64_t phase_ns)
{
    int64_t jiffy = HO_NS_PER_S / j->hz;
    int64_t in_jiffy;
    uint64_t now = ho_os_ticks_at(j, from, &in_jiffy);
    uint64_t to_go = (jiffies % step + step - now % step) % step;

    phase_ns %= jiffy;
    if (to_go == 0 && in_jiffy > phase_ns) {
        to_go = step;
    }
    return (struct ho_time){ from.ns - in_jiffy + (int64_t)to_go * jiffy + phase_ns };
}
