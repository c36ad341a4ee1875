/* The page about the truth files. See truth_page.h. */

#include "support/truth_page.h"

#include <string.h>

static const char *const INTRO =
    "# How faithful the model is\n"
    "\n"
    "What the model does in each measured scenario, next to what Linux did. `make fidelity` writes "
    "this page; `make test` plays all files\n"
    "and fails if this page is not what it finds, or if a file that matched does not any more.\n"
    "\n"
    "`s*`: 160 files, Linux 6.18 in real time, two CPUs, HZ=250. `vk_*`: 29 files, Linux 6.12 in "
    "virtual time, exact to the jiffy, at default settings.\n"
    "Both ends are the model. It is told the settings, the calls, the faults, the delays of the "
    "cable and what the kernel drew at random (tests/truth/convert.py);\n"
    "all else it has to find.\n";

static const char *const RULES =
    "\n"
    "## What is compared\n"
    "- **Order**: every segment (flags, relative numbers, length, fate, SACK blocks, MSS and "
    "window "
    "scale of a SYN), every ARP packet, every ICMP message over\n"
    "  `lo`, every call with its result and errno, every event of poll and epoll. The two lists "
    "are "
    "put side by side by the comparison that `halfopen compare`\n"
    "  makes (src/timeline/compare.c). Reads, and events that only say that there is something to "
    "read or room to write, within 50 ms of each other are one\n"
    "  entry with the sum of their bytes: how many wake-ups a process needs depends on its "
    "machine.\n"
    "- **Time**: each event, counted from the event that it follows from - the one that armed its "
    "timer, the frame that came, the call or fault - within two\n"
    "  jiffies (8 ms) in virtual time, and 20 ms more in real time (scheduling). The player knows "
    "which event that was, timer by timer\n"
    "  (tests/support/truth_cause.h). A step of the timer wheel beyond that is allowed for a "
    "listed "
    "event with its reason: tests/truth/allowances.txt.\n"
    "- **Samples** of sock_diag: state, timer, retransmits, probes and backoff have to be as the "
    "model's within the same time. The other numbers are\n"
    "  counted below and fail no file (`expires`: Linux shows for when the timer was set, the "
    "model when the "
    "wheel lets it fire). Samples of the neighbour: its state.\n"
    "- **Windows** of every segment.\n"
    "- **s04_bulk_\\***: phases of a stream that is cut: something lost, the first repeat, the "
    "first "
    "arrival, the time until all holes are filled, each within\n"
    "  20 % (or 28 ms, what one event may be off), and every byte the one that was sent.\n"
    "\n"
    "That a change of any one of these in a file makes it fail is itself a test: "
    "tests/property/test_truth_mutations.c.\n";

bool ho_truth_is_more(const char *name)
{
    return strncmp(name, "rt_", 3) == 0 || strncmp(name, "vkx_", 4) == 0;
}

struct sums {
    size_t files, match, steps, with_steps, exceptions, fields, unknown, times;
    size_t within[HO_TRUTH_BANDS];
    size_t n_of_field[HO_TRUTH_FIELDS], same_of_field[HO_TRUTH_FIELDS];
    size_t records, samples, windows, neighs;
};

static void add(struct sums *t, const struct ho_truth_verdict *v)
{
    t->files++;
    t->match += v->ok && v->exceptions == 0;
    t->steps += v->steps;
    t->with_steps += v->ok && v->exceptions == 0 && v->steps > 0;
    t->exceptions += v->ok && v->exceptions > 0;
    t->fields += v->r.fields;
    t->unknown += v->r.unknown;
    t->times += v->r.compared[HO_TRUTH_C_TIME];
    t->records += v->r.compared[HO_TRUTH_C_ORDER];
    t->samples += v->r.compared[HO_TRUTH_C_STATE];
    t->windows += v->r.compared[HO_TRUTH_C_WINDOW];
    t->neighs += v->r.compared[HO_TRUTH_C_NEIGH];
    for (size_t i = 0; i < HO_TRUTH_BANDS; i++) {
        t->within[i] += v->r.within[i];
    }
    for (size_t i = 0; i < HO_TRUTH_FIELDS; i++) {
        t->n_of_field[i] += v->r.n_of_field[i];
        t->same_of_field[i] += v->r.same_of_field[i];
    }
}

static void put_times(struct ho_text *out, const struct sums *t)
{
    static const char *const BANDS[] = { "a tenth of a jiffy (0.4 ms)", "one jiffy (4 ms)",
                                         "two jiffies (8 ms)", "two jiffies and 20 ms" };
    size_t sum = 0;
    ho_text_put(out, "\n| times, counted from their cause, that are right within | of ");
    ho_text_printf(out, "%zu | share |\n|---|---|---|\n", t->times);
    for (size_t i = 0; i < HO_TRUTH_BANDS; i++) {
        sum += t->within[i];
        ho_text_printf(out, "| %s | %zu | %.2f %% |\n", BANDS[i], sum,
                       100.0 * (double)sum / (double)(t->times > 0 ? t->times : 1));
    }
}

static const char *how_near(size_t field)
{
    return field == HO_TRUTH_F_EXPIRES                             ? " (as near as a time)"
           : field == HO_TRUTH_F_RTT || field == HO_TRUTH_F_RTTVAR ? " (within 1 ms)"
                                                                   : "";
}

static void put_samples(struct ho_text *out, const struct sums *t)
{
    static const char *const NAMES[] = {
#define X(id, text) text,
        HO_TRUTH_SAMPLES(X)
#undef X
    };
    ho_text_put(out, "\n| number of a sample | compared | alike | fails a file |\n"
                     "|---|---|---|---|\n");
    for (size_t i = 0; i < HO_TRUTH_FIELDS; i++) {
        const char *fails = ho_truth_is_main(i) ? "yes" : "no";
        if (t->n_of_field[i] > 0) {
            ho_text_printf(out, "| %s%s | %zu | %zu (%.1f %%) | %s |\n", NAMES[i], how_near(i),
                           t->n_of_field[i], t->same_of_field[i],
                           100.0 * (double)t->same_of_field[i] / (double)t->n_of_field[i], fails);
        }
    }
}

static void put_result(struct ho_text *out, const struct ho_truth_verdict *v)
{
    if (!v->ok) {
        for (const char *p = v->first; *p != '\0'; p++) {
            ho_text_put(out, *p == '|' ? "\\" : "");
            ho_text_char(out, *p);
        }
    } else if (v->exceptions > 0) {
        ho_text_put(out, "exception (departures.md)");
    } else {
        ho_text_put(out, "match");
    }
}

static void put_file(struct ho_text *out, const struct ho_truth_verdict *v)
{
    ho_text_printf(out, "| %s | ", v->name);
    put_result(out, v);
    ho_text_put(out, " | ");
    if (v->r.bulk_phases > 0) {
        ho_text_printf(out, "%.0f %% of a phase", v->r.bulk_percent);
    } else {
        ho_text_printf(out, "%.1f", (double)v->r.worst_us / 1e3);
    }
    ho_text_put(out, " | ");
    if (v->steps > 0) {
        ho_text_printf(out, "%zu", v->steps);
    }
    ho_text_printf(out, " | %zu | %zu | %zu | %zu |\n", v->r.compared[HO_TRUTH_C_ORDER],
                   v->r.compared[HO_TRUTH_C_STATE], v->r.fields, v->r.unknown);
}

static void put_table(struct ho_text *out, const struct ho_truth_verdict *v, size_t n, bool more)
{
    ho_text_put(out, "| file | result | time | steps | records | samples | compared | not in the "
                     "file |\n|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < n; i++) {
        if (ho_truth_is_more(v[i].name) == more) {
            put_file(out, &v[i]);
        }
    }
}

void ho_truth_page(struct ho_text *out, const struct ho_truth_verdict *v, size_t n)
{
    struct sums t = { 0 };
    struct sums more = { 0 };
    for (size_t i = 0; i < n; i++) {
        add(ho_truth_is_more(v[i].name) ? &more : &t, &v[i]);
    }
    ho_text_put(out, INTRO);
    ho_text_printf(
        out,
        "\n**%zu of %zu files match**, %zu of them with listed events one step of the timer "
        "wheel off, %zu in all. Exceptions, explained in\n"
        "[departures.md](departures.md): %zu. Others that do not match: %zu. Compared: %zu "
        "records, %zu samples of sockets, %zu of neighbours, %zu\n"
        "windows, in all %zu numbers and words; %zu that a file's format lacks were "
        "not.\n",
        t.match, t.files, t.with_steps, t.steps, t.exceptions, t.files - t.match - t.exceptions,
        t.records, t.samples, t.neighs, t.windows, t.fields, t.unknown);
    ho_text_put(out, RULES);
    put_times(out, &t);
    put_samples(out, &t);
    ho_text_put(out, "\n## The files\n"
                     "Time: the largest error in ms, listed steps left out. Steps: listed events "
                     "that are one step of the wheel off. Not in the file: numbers and words that\n"
                     "the file's format lacks.\n\n");
    put_table(out, v, n, false);
    ho_text_printf(
        out,
        "\n## Measured since, with other parameters\n"
        "On Linux 6.18.44 in real time, after the model was written, to see whether it "
        "implements rules or repeats files: round trips of 0.1 to 600 ms, other\n"
        "retries and intervals, several segments in flight, half cuts, streams, no SACK, "
        "other moments (rt_*); and on 6.12.117 in virtual time, from random scenarios that\n"
        "found mistakes (vkx_*). %zu of %zu match, %zu listed events a step off;\n"
        "%.1f %% of %zu times are right within 0.4 ms.\n\n",
        more.match, more.files, more.steps,
        100.0 * (double)more.within[0] / (double)(more.times > 0 ? more.times : 1), more.times);
    put_table(out, v, n, true);
}
