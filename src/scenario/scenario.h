/* A scenario: text that says which hosts there are, what happens to them and what must follow.
 *
 *     read     ho_scn_parse()      text -> lines (the syntax; docs/scenario-language.md)
 *     check    ho_scn_check()      do all cases make a plan?
 *     plan     ho_plan_make()      one case -> what an engine plays (plan.h, engine.h)
 *     play     ho_run()            runner.h
 *     print    ho_scn_print()      lines -> text: reads back as the same lines
 *
 * How it works. The language is one table (forms.def): every line of a file is one of its forms, a
 * pattern of words and typed places. Reading matches the table, printing walks it, and the
 * errors ("expected one of ..") and the documents come from it.
 *
 * A line holds arguments, in the order of the pattern, each with the place it fills. Numbers are
 * already converted (durations to nanoseconds, rates to bits a second, percentages to millionths);
 * a `$name` stands for a swept value until a case is planned.
 *
 * Bounds: HO_SCN_TEXT_MAX bytes, HO_SCN_LINES_MAX lines, HO_SCN_WORDS_MAX words a line; nothing
 * recurses on the input. No I/O: the caller reads the file.
 */

#ifndef HO_SCENARIO_SCENARIO_H
#define HO_SCENARIO_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "base/time.h"
#include "scenario/plan.h"

#define HO_SCN_TEXT_MAX 262144 /* 256 KiB */
#define HO_SCN_LINES_MAX 4096
#define HO_SCN_WORDS_MAX 64
#define HO_SCN_SWEEPS_MAX 4  /* sweeps in a file */
#define HO_SCN_CASES_MAX 256 /* cases a file may have */

/* Where a mistake is and what it is: "found 'clinet', expected a host: client, server; did you
 * mean 'client'?". Lines and columns count from 1; columns are bytes.
 */
struct ho_scn_error {
    unsigned line, column;
    char text[480];
};

/* The forms a line can have (forms.def). */
enum ho_form {
#define X(id, section, pattern, meaning) HO_FORM_##id,
#include "scenario/forms.def"
#undef X
    HO_FORM_COUNT
};

enum ho_section {
    HO_SECTION_TEXT,  /* empty lines and comments */
    HO_SECTION_ABOUT, /* title, claims, where and how it is played */
    HO_SECTION_WORLD, /* hosts, cables, settings, connections */
    HO_SECTION_STEP,  /* at TIME .. */
    HO_SECTION_EXPECT /* expect .. */
};

struct ho_form_info {
    const char *pattern; /* "at <at:time> <who:actor> send <bytes:bytes>" */
    size_t len;          /* of the pattern */
    const char *meaning;
    enum ho_section section;
};

const struct ho_form_info *ho_form_info(enum ho_form form);

/* One argument. Which members count depends on the type of its place. */
struct ho_scn_arg {
    uint16_t place; /* offset of the place in the form's pattern */
    uint16_t column;
    int16_t var;   /* >= 0: the sweep whose value stands here (`$name`); else -1 */
    bool relative; /* time: counts from `text` or, without one, from the step before */
    int64_t number;
    const char *text;  /* a word; time: the label; actor and endpoint: the host */
    const char *text2; /* actor: the process, NULL if not named */
    const char *text3; /* actor: the connection, NULL if not named */
};

/* `on model`, `over ipv6`, `when NAME=VALUE`: in which cases a line counts. */
struct ho_scn_guard {
    const char *engine; /* NULL: on every engine */
    uint8_t family;     /* enum ho_family; 0: over both */
    int16_t sweep;      /* -1: for every value */
    const char *value;
};

struct ho_scn_line {
    enum ho_form form;
    unsigned number; /* in the file */
    struct ho_scn_guard guard;
    uint32_t arg_first, arg_count; /* in ho_scn.args */
    const char *comment;           /* after '#', NULL: none */
};

struct ho_scn_sweep {
    const char *name;
    uint32_t line, arg_first, arg_count; /* its values: args of that line */
};

struct ho_scn {
    char *name;
    char *text; /* the file's, cut into words; every const char * above points into it */
    struct ho_scn_line *lines;
    size_t line_count, line_room;
    struct ho_scn_arg *args;
    size_t arg_count, arg_room;
    struct ho_scn_sweep sweeps[HO_SCN_SWEEPS_MAX];
    unsigned sweep_count;
};

/* Reads `len` bytes of `text`, which need not end in 0 and are copied. `name` is the scenario's
 * name for people ("cut-idle-no-keepalive"), copied.
 *
 * Returns 0 with *ret owned by the caller; -EINVAL with *ret_error filled; -ENOMEM. On failure
 * *ret is untouched.
 */
int ho_scn_parse(struct ho_scn **ret, const char *name, const char *text, size_t len,
                 struct ho_scn_error *ret_error);

/* Frees it; NULL is ignored. */
void ho_scn_free(struct ho_scn *s);

/* Appends the scenario as text. Reading the text gives the same lines. */
void ho_scn_print(const struct ho_scn *s, struct ho_text *out);

/* Plans every case on every engine and forgets the plans.
 *
 * Returns 0; -EINVAL with *ret_error filled; -ENOMEM.
 */
int ho_scn_check(const struct ho_scn *s, struct ho_scn_error *ret_error);

/* The first argument of `line` at the place called `name` ("bytes" of "<bytes:bytes>"), or NULL. */
const struct ho_scn_arg *ho_scn_arg(const struct ho_scn *s, const struct ho_scn_line *line,
                                    const char *name);

/* The text of `title`, or "" . */
const char *ho_scn_title(const struct ho_scn *s);

/* A claim of the articles that the scenario plays. */
enum ho_claim_verdict {
    HO_CLAIM_HOLDS,
    HO_CLAIM_CORRECTED,
    HO_CLAIM_WRONG
};

struct ho_claim {
    const char *id, *text;
    enum ho_claim_verdict verdict;
    const char *correction; /* "" if it holds */
};

/* The claim number `i` of the file, from 0. False, with *ret untouched, when there is none. */
bool ho_scn_claim(const struct ho_scn *s, size_t i, struct ho_claim *ret);

/* True if the file says `runs on` with this engine, or does not say it; one with real commands then
 * runs on no model.
 */
bool ho_scn_runs_on(const struct ho_scn *s, const char *engine);

/* One way to play the file: a family and one value of each sweep. */
struct ho_scn_case {
    enum ho_family family;
    unsigned value[HO_SCN_SWEEPS_MAX]; /* index into the sweep's values */
};

/* Cases in order: family by family, within it the first sweep changes slowest. */
size_t ho_scn_case_count(const struct ho_scn *s);
struct ho_scn_case ho_scn_case(const struct ho_scn *s, size_t i);

/* What the command line changes. Zero-initialised: nothing. */
struct ho_plan_options {
    const char *engine; /* whose guarded lines count; NULL: "model" */
    bool has_seed, has_hz, has_rtt, has_jiffy;
    uint64_t seed;
    uint32_t hz; /* 0: exact */
    struct ho_dur rtt;
    uint64_t jiffies0;
    const char *const *set; /* "net.ipv4.tcp_retries2=8", for all hosts, after the file's own */
    size_t set_count;
};

/* Makes the plan of a case. `s` must outlive it; the engine's name and `set` must, too.
 *
 * Returns 0 with *ret owned by the caller; -EINVAL with *ret_error filled; -ENOMEM.
 * On failure *ret is untouched.
 */
int ho_plan_make(struct ho_plan **ret, const struct ho_scn *s, const struct ho_scn_case *c,
                 const struct ho_plan_options *options, struct ho_scn_error *ret_error);

/* Frees it; NULL is ignored. */
void ho_plan_free(struct ho_plan *p);

#endif
