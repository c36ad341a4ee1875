/* CLOCK_MONOTONIC. See os/clock.h. */

#include "os/clock.h"

#include <time.h>

struct ho_time ho_os_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (struct ho_time){ .ns = (int64_t)t.tv_sec * HO_NS_PER_S + t.tv_nsec };
}

unsigned ho_os_hz(void)
{
    struct timespec step;

    (void)clock_getres(CLOCK_MONOTONIC_COARSE, &step);
    return (unsigned)((HO_NS_PER_S + step.tv_nsec / 2) / step.tv_nsec);
}
