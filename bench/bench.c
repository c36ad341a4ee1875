#define _GNU_SOURCE
/* See bench.h. Instructions come from perf_event_open(2), user space only, this thread only. */

#include "bench/bench.h"

#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#define HAVE_CALLGRIND 1
#endif
#endif

/* Under callgrind: counting starts at zero here; what was counted goes to a dump named `job`. */
static void callgrind_start(void)
{
#ifdef HAVE_CALLGRIND
    CALLGRIND_ZERO_STATS;
#endif
}

static void callgrind_stop(const char *job)
{
#ifdef HAVE_CALLGRIND
    CALLGRIND_DUMP_STATS_AT(job);
#else
    (void)job;
#endif
}

static bool under_callgrind(void)
{
#ifdef HAVE_CALLGRIND
    return RUNNING_ON_VALGRIND;
#else
    return false;
#endif
}

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;

    if (clock_gettime(id, &t) != 0) {
        return 0;
    }
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int open_counter(void)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attr),
        .config = PERF_COUNT_HW_INSTRUCTIONS,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };

    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* The instructions counted, or 0 if there is no counter. */
static uint64_t read_counter(int fd)
{
    uint64_t count;

    if (fd < 0 || read(fd, &count, sizeof(count)) != (ssize_t)sizeof(count)) {
        return 0;
    }
    return count;
}

static void print_commit(void)
{
    const char *commit = getenv("HALFOPEN_COMMIT");

    if (commit != NULL) {
        printf(",\"commit\":\"%s\"}\n", commit);
    } else {
        printf(",\"commit\":null}\n");
    }
    fflush(stdout);
}

uint64_t ho_bench_units(uint64_t n)
{
    if (!under_callgrind()) {
        return n;
    }
    return n / 200 > 0 ? n / 200 : 1;
}

struct ho_bench ho_bench_start(const char *job)
{
    callgrind_start();
    return (struct ho_bench){
        .job = job,
        .fd = open_counter(),
        .wall_ns = clock_ns(CLOCK_MONOTONIC),
        .cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID),
    };
}

void ho_bench_stop(struct ho_bench *b, uint64_t n, const char *unit, const char *of,
                   uint64_t budget)
{
    callgrind_stop(b->job);
    uint64_t instructions = read_counter(b->fd);
    uint64_t cpu = (uint64_t)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - b->cpu_ns);
    uint64_t wall = (uint64_t)(clock_ns(CLOCK_MONOTONIC) - b->wall_ns);

    if (b->fd >= 0) {
        close(b->fd);
        b->fd = -1;
    }
    n = n > 0 ? n : 1;
    printf("{\"job\":\"%s\",\"n\":%" PRIu64 ",\"unit\":\"%s\",\"cpu_ns\":%" PRIu64
           ",\"wall_ns\":%" PRIu64,
           b->job, n, unit, cpu / n, wall / n);
    if (instructions > 0) {
        printf(",\"instructions\":%" PRIu64 ",\"by\":\"perf\"", instructions / n);
    } else {
        printf(",\"instructions\":null");
    }
    if (budget > 0) {
        printf(",\"of\":\"%s\",\"budget\":%" PRIu64, of, budget);
    }
    print_commit();
}

void ho_bench_value(const char *job, const char *unit, uint64_t value, uint64_t budget)
{
    printf("{\"job\":\"%s\",\"unit\":\"%s\",\"value\":%" PRIu64, job, unit, value);
    if (budget > 0) {
        printf(",\"budget\":%" PRIu64, budget);
    }
    print_commit();
}

uint64_t ho_bench_resident(void)
{
    unsigned long size = 0;
    unsigned long resident = 0;

    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL) {
        return 0;
    }
    int got = fscanf(f, "%lu %lu", &size, &resident);
    fclose(f);
    return got == 2 ? (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
