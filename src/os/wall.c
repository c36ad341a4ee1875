/* See os/wall.h. */

#include "os/wall.h"

#include <stdio.h>
#include <time.h>

int64_t ho_os_wall_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const char *ho_os_wall_utc(int64_t ms, char *buf)
{
    time_t s = (time_t)(ms / 1000);
    struct tm tm;
    size_t n;

    (void)gmtime_r(&s, &tm);
    n = strftime(buf, HO_OS_WALL_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(buf + n, HO_OS_WALL_TEXT - n, ".%03dZ", (int)(ms % 1000));
    return buf;
}

const char *ho_os_wall_clock(int64_t ms, char *buf)
{
    time_t s = (time_t)(ms / 1000);
    struct tm tm;

    (void)localtime_r(&s, &tm);
    (void)strftime(buf, HO_OS_WALL_TEXT, "%H:%M:%S", &tm);
    return buf;
}
