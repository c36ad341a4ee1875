/* What every benchmark does: measure a job, print one JSON line about it.
 *
 * A line looks like
 *     {"job":"keepalive death","n":1000,"unit":"death","cpu_ns":41200,"instructions":180000,
 *      "wall_ns":...,"budget":50000,"of":"cpu_ns","commit":"1a2b3c4"}
 * with cpu_ns, wall_ns and instructions per unit of work. `instructions` is null where the kernel
 * refuses perf_event_open(2) (perf_event_paranoid, a container, a machine without counters);
 * `commit` is null unless tools/bench.sh, which has just built what it runs, says it.
 */

#ifndef HO_BENCH_BENCH_H
#define HO_BENCH_BENCH_H

#include <stdint.h>

struct ho_bench {
    const char *job;
    int64_t wall_ns, cpu_ns; /* at the start */
    int fd;                  /* counts user instructions; -1: not to be had */
};

/* Starts to measure. `job` is kept, not copied. */
struct ho_bench ho_bench_start(const char *job);

/* Stops, and prints the line for `n` units of work. `budget` is the limit DESIGN sets for one unit
 * of `of` ("cpu_ns", "instructions" ...); 0: there is none.
 */
void ho_bench_stop(struct ho_bench *b, uint64_t n, const char *unit, const char *of,
                   uint64_t budget);

/* Prints a line about a quantity that is no time: bytes an endpoint, for example. */
void ho_bench_value(const char *job, const char *unit, uint64_t value, uint64_t budget);

/* Resident memory of this process, bytes; 0 where it cannot be read. */
uint64_t ho_bench_resident(void);

#endif
