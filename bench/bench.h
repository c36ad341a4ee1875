/* What every benchmark does: measure a job, print one JSON line about it.
 *
 * A line says the job, n units of work, and a unit's CPU time, wall time and instructions:
 *     {"job":"timer queue: arm","n":10000000,"unit":"timer","cpu_ns":82,"wall_ns":82,
 *      "instructions":61,"by":"perf","of":"cpu_ns","budget":1000,"commit":"1a2b3c4"}
 * `of` and `budget` name the limit that DESIGN sets, where it sets one. `instructions` is null
 * where the kernel refuses perf_event_open(2) (perf_event_paranoid, a container, a machine without
 * counters); tools/bench.py then runs the program once more, shorter, under callgrind and fills
 * them in. `commit` is null unless tools/bench.py, which has just built what it runs, says it.
 */

#ifndef HO_BENCH_BENCH_H
#define HO_BENCH_BENCH_H

#include <stdint.h>

struct ho_bench {
    const char *job;
    int64_t wall_ns, cpu_ns; /* at the start */
    int fd;                  /* counts user instructions; -1: not to be had */
};

/* How many units to do where `n` are worth measuring: `n`, but fewer under callgrind, which is 50
 * times slower and needs no more than enough to make the beginning and the end not count.
 */
uint64_t ho_bench_units(uint64_t n);

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
