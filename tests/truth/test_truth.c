/* The model against Linux: plays every measured file and compares.
 *
 *     test_truth                     all files of tests/truth/data and more; fails if one that
 *                                    tests/truth/expected.txt names does not match, if more than
 *                                    MAX_EXCEPTIONS do not, or if docs/fidelity.md is out of date
 *     test_truth NAME...             these files; fails if one does not match
 *     test_truth -v NAME [FROM [TO]] both timelines side by side, seconds of the file
 *     test_truth -d NAME             every difference
 *     test_truth -g NAME [FROM [TO]] what the model did, record by record, nothing folded
 *     test_truth --draws NAME        the neighbour reachable times that fit the file best
 *     test_truth --page              docs/fidelity.md, for `make fidelity`
 *
 * How it is played: tests/support/truth_play.h. What counts as the same: truth_compare.h.
 * A wider allowance is a line of tests/truth/allowances.txt, for one event, with its reason.
 */

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/truth_allow.h"
#include "support/truth_bulk.h"
#include "support/truth_compare.h"
#include "support/truth_page.h"
#include "support/truth_play.h"

#define DIR_DATA "tests/truth/data"
#define DIR_MORE "tests/truth/more" /* rt_*, vkx_*: measured later, other parameters */
#define MAX_FILES 400
#define MAX_EXCEPTIONS 5 /* files that do not match, explained in docs/departures.md */
#define DRAW_MIN 15000   /* ms: half and one and a half times base_reachable_time */
#define DRAW_MAX 45000
#define DRAW_STEP 250

struct names {
    char *name[MAX_FILES];
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_name(struct names *list, const char *name)
{
    assert(list->n < MAX_FILES);
    size_t size = strlen(name) + 1;
    list->name[list->n] = malloc(size);
    assert(list->name[list->n] != NULL);
    memcpy(list->name[list->n++], name, size);
}

static void free_names(struct names *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->name[i]);
    }
    list->n = 0;
}

static void files_of(struct names *list, const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        char *end = strstr(e->d_name, ".truth");
        if (end != NULL && end[6] == '\0') {
            *end = '\0';
            add_name(list, e->d_name);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
}

static void all_files(struct names *list)
{
    files_of(list, DIR_DATA);
    files_of(list, DIR_MORE);
    qsort(list->name, list->n, sizeof(list->name[0]), by_name);
}

/* The names in expected.txt: one a line, `#` starts a comment. */
static void expected_files(struct names *list)
{
    FILE *f = fopen("tests/truth/expected.txt", "r");
    char line[256];
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, " #\n")] = '\0';
        if (line[0] != '\0') {
            add_name(list, line);
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
}

static bool has_name(const struct names *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->name[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* --- one file --------------------------------------------------------------------------------- */

static struct ho_truth_allowances allowed;
static size_t steps, exceptions; /* allowed differences of the file played last */

static void path_of(char *ret, size_t size, const char *name)
{
    bool is_path = strchr(name, '/') != NULL;
    const char *dir = ho_truth_is_more(name) ? DIR_MORE "/" : DIR_DATA "/";
    (void)snprintf(ret, size, "%s%s%s", is_path ? "" : dir, name,
                   strstr(name, ".truth") != NULL ? "" : ".truth");
}

/* Plays the file and compares. Returns false if it cannot be read. */
static bool play(const char *name, const struct ho_truth_options *o, struct ho_truth_script *s,
                 struct ho_truth_result *r)
{
    char path[300];
    path_of(path, sizeof(path), name);
    *r = (struct ho_truth_result){ 0 };
    if (ho_truth_script_read(s, path) < 0) {
        return false;
    }
    ho_truth_expect(s, &r->expected, &r->socks, &r->neighs);
    int err = ho_truth_play(s, o, &r->got, &r->got_socks, &r->got_neighs);
    assert(err == 0);
    ho_truth_compare(s, r);
    if (strncmp(s->name, "s04_bulk", 8) == 0) {
        ho_truth_compare_bulk(r);
    }
    ho_truth_allow(&allowed, s->name, r, s->tolerance_us, &steps, &exceptions);
    return true;
}

/* Differences that make a file fail. */
static bool counts(enum ho_truth_class what)
{
    return what != HO_TRUTH_C_DETAIL;
}

static size_t failures(const struct ho_truth_result *r)
{
    size_t n = 0;
    for (enum ho_truth_class c = HO_TRUTH_C_ORDER; c < HO_TRUTH_CLASSES; c++) {
        n += counts(c) ? r->count[c] : 0;
    }
    return n;
}

static void print_diff(const struct ho_truth_diff *d)
{
    (void)printf("%s at %.4f, %s: file: %s | model: %s\n", ho_truth_class_name(d->what),
                 (double)d->t_us / 1e6, d->where, d->expected, d->got);
}

static void print_line(const char *name, const struct ho_truth_result *r)
{
    if (failures(r) == 0) {
        (void)printf("ok    %-50s %4zu records, %3zu samples, worst %5.1f ms, windows -%zu, "
                     "details -%zu\n",
                     name, r->compared[HO_TRUTH_C_ORDER], r->compared[HO_TRUTH_C_STATE],
                     (double)r->worst_us / 1e3, r->count[HO_TRUTH_C_WINDOW],
                     r->count[HO_TRUTH_C_DETAIL]);
        return;
    }
    (void)printf("DIFF  %-40s order %zu time %zu state %zu neigh %zu: ", name,
                 r->count[HO_TRUTH_C_ORDER], r->count[HO_TRUTH_C_TIME], r->count[HO_TRUTH_C_STATE],
                 r->count[HO_TRUTH_C_NEIGH]);
    for (size_t i = 0; i < r->n_diffs; i++) {
        if (counts(r->diffs[i].what)) {
            print_diff(&r->diffs[i]);
            break;
        }
    }
}

/* --- the jobs --------------------------------------------------------------------------------- */

static struct ho_truth_verdict verdict_of(const char *name, struct ho_truth_result *r)
{
    struct ho_truth_verdict v = { .ok = failures(r) == 0,
                                  .steps = steps,
                                  .exceptions = exceptions };
    (void)snprintf(v.name, sizeof(v.name), "%s", name);
    for (size_t i = 0; i < r->n_diffs && v.first[0] == '\0'; i++) {
        const struct ho_truth_diff *d = &r->diffs[i];
        if (counts(d->what)) {
            (void)snprintf(v.first, sizeof(v.first), "%s of %s at %.4f: %s, model %s",
                           ho_truth_class_name(d->what), d->where, (double)d->t_us / 1e6,
                           d->expected, d->got);
        }
    }
    v.r = *r;
    v.r.expected = v.r.got = (struct ho_truth_recs){ 0 }; /* the numbers stay, the lists go */
    v.r.socks = v.r.got_socks = v.r.neighs = v.r.got_neighs = (struct ho_truth_states){ 0 };
    v.r.diffs = NULL;
    ho_truth_result_free(r);
    return v;
}

/* Plays all of them. `ret` has a place for each. Returns how many match. */
static size_t play_all(const struct names *files, struct ho_truth_verdict *ret, bool print)
{
    size_t matched = 0;
    for (size_t i = 0; i < files->n; i++) {
        struct ho_truth_options o = { 0 };
        struct ho_truth_script s;
        struct ho_truth_result r;
        if (!play(files->name[i], &o, &s, &r)) {
            continue;
        }
        if (print) {
            print_line(files->name[i], &r);
        }
        ret[i] = verdict_of(files->name[i], &r);
        matched += ret[i].ok && ret[i].exceptions == 0;
        ho_truth_script_free(&s);
    }
    return matched;
}

/* Whether docs/fidelity.md is what these verdicts make. */
static bool page_is_right(const struct ho_truth_verdict *v, size_t n)
{
    struct ho_text page = { 0 };
    ho_truth_page(&page, v, n);
    FILE *f = fopen("docs/fidelity.md", "r");
    bool same = f != NULL;
    for (size_t i = 0; same && i < page.len; i++) {
        same = fgetc(f) == (unsigned char)page.s[i];
    }
    same = same && fgetc(f) == EOF;
    if (f != NULL) {
        (void)fclose(f);
    }
    ho_text_free(&page);
    if (!same) {
        (void)printf("docs/fidelity.md is not what was found now: `make fidelity` writes it\n");
    }
    return same;
}

static bool at_most_exceptions(const struct ho_truth_verdict *v, size_t n)
{
    size_t files = 0;
    for (size_t i = 0; i < n; i++) {
        files += !ho_truth_is_more(v[i].name) && (!v[i].ok || v[i].exceptions > 0);
    }
    return files <= MAX_EXCEPTIONS;
}

static struct ho_truth_verdict *verdicts_for(const struct names *files)
{
    struct ho_truth_verdict *v = calloc(files->n + 1, sizeof(*v));
    assert(v != NULL);
    return v;
}

static int run_files(const struct names *files)
{
    struct ho_truth_verdict *v = verdicts_for(files);
    size_t matched = play_all(files, v, true);
    free(v);
    return matched == files->n ? 0 : 1;
}

/* Files that do not match although expected.txt names them, and names that are no file. */
static size_t unexpected(const struct names *files, const struct names *must,
                         const struct ho_truth_verdict *v)
{
    size_t n = 0;
    for (size_t i = 0; i < files->n; i++) {
        if (!v[i].ok && has_name(must, files->name[i])) {
            (void)printf("%s matched before and does not (tests/truth/expected.txt)\n",
                         files->name[i]);
            n++;
        }
    }
    for (size_t i = 0; i < must->n; i++) {
        if (!has_name(files, must->name[i])) {
            (void)printf("%s: in expected.txt, but there is no such file\n", must->name[i]);
            n++;
        }
    }
    return n;
}

static int run_all(void)
{
    struct names files = { 0 }, must = { 0 };
    all_files(&files);
    expected_files(&must);
    struct ho_truth_verdict *v = verdicts_for(&files);
    size_t matched = play_all(&files, v, true);
    (void)printf("%zu of %zu files match\n", matched, files.n);
    bool ok = files.n > 0 && unexpected(&files, &must, v) == 0;
    ok = ho_truth_allow_unused(&allowed) == 0 && ok;
    ok = at_most_exceptions(v, files.n) && ok;
    ok = page_is_right(v, files.n) && ok;
    free(v);
    free_names(&files);
    free_names(&must);
    return ok ? 0 : 1;
}

static int print_page(void)
{
    struct names files = { 0 };
    struct ho_text page = { 0 };
    all_files(&files);
    struct ho_truth_verdict *v = verdicts_for(&files);
    (void)play_all(&files, v, false);
    ho_truth_page(&page, v, files.n);
    (void)fputs(ho_text_str(&page), stdout);
    ho_text_free(&page);
    free(v);
    free_names(&files);
    return 0;
}

static int64_t seconds(const char *text)
{
    return (int64_t)(strtod(text, NULL) * 1e6);
}

static int show(const char *name, const char *from, const char *to, bool list)
{
    struct ho_truth_options o = { 0 };
    struct ho_truth_script s;
    struct ho_truth_result r;
    if (!play(name, &o, &s, &r)) {
        return 1;
    }
    if (list) {
        for (size_t i = 0; i < r.n_diffs; i++) {
            print_diff(&r.diffs[i]);
        }
    } else {
        ho_truth_show(&s, &r, stdout, from == NULL ? INT64_MIN : seconds(from),
                      to == NULL ? INT64_MAX : seconds(to));
    }
    print_line(name, &r);
    int rc = failures(&r) == 0 ? 0 : 1;
    ho_truth_result_free(&r);
    ho_truth_script_free(&s);
    return rc;
}

static int show_model(const char *name, const char *from, const char *to)
{
    struct ho_truth_options o = { 0 };
    struct ho_truth_script s;
    struct ho_truth_result r = { 0 };
    char path[300];
    path_of(path, sizeof(path), name);
    if (ho_truth_script_read(&s, path) < 0) {
        return 1;
    }
    int err = ho_truth_play(&s, &o, &r.got, &r.got_socks, &r.got_neighs);
    assert(err == 0);
    int64_t lo = from == NULL ? INT64_MIN : seconds(from);
    int64_t hi = to == NULL ? INT64_MAX : seconds(to);
    for (size_t i = 0; i < r.got.n; i++) {
        const struct ho_truth_rec *g = &r.got.r[i];
        if (g->t_us >= lo && g->t_us <= hi) {
            (void)printf("%14.6f %d %d %s win %ld\n", (double)g->t_us / 1e6, (int)g->kind, g->who,
                         g->text, g->win);
        }
    }
    for (size_t i = 0; i < r.got_socks.n; i++) {
        const struct ho_truth_state *g = &r.got_socks.s[i];
        if (g->t_us >= lo && g->t_us <= hi) {
            (void)printf("%14.6f sock %d %s", (double)g->t_us / 1e6, g->host, g->state);
            for (size_t k = 0; k < HO_TRUTH_FIELDS; k++) {
                (void)printf(" %lld", (long long)g->f[k]);
            }
            (void)printf("\n");
        }
    }
    ho_truth_result_free(&r);
    ho_truth_script_free(&s);
    return 0;
}

/* How badly the model's neighbours fit with a reachable time: ARP and neighbour samples alone. */
static size_t misfit(const char *name, const struct ho_truth_options *o)
{
    struct ho_truth_script s;
    struct ho_truth_result r;
    bool ok = play(name, o, &s, &r);
    assert(ok);
    size_t n = 0;
    for (size_t i = 0; i < r.n_diffs; i++) {
        n += strncmp(r.diffs[i].where, "arp", 3) == 0 || strncmp(r.diffs[i].where, "neigh", 5) == 0;
    }
    ho_truth_result_free(&r);
    ho_truth_script_free(&s);
    return n;
}

/* The longest run of reachable times of `host` that fit best, in *ret_first and *ret_last. */
static size_t fit_host(const char *name, struct ho_truth_options *o, int host, int64_t *ret_first,
                       int64_t *ret_last)
{
    size_t best = SIZE_MAX, last_fit = SIZE_MAX;
    int64_t first = 0;
    for (int64_t ms = DRAW_MIN; ms <= DRAW_MAX; ms += DRAW_STEP) {
        o->draw_ns[host] = ms * 1000000;
        size_t n = misfit(name, o);
        if (n != last_fit) {
            first = ms;
        }
        last_fit = n;
        if (n < best || (n == best && ms - first > *ret_last - *ret_first)) {
            best = n;
            *ret_first = first;
            *ret_last = ms;
        }
    }
    return best;
}

/* Host by host, twice, because what one does depends on the other. A host whose file does not
 * depend on it is left out.
 */
static int find_draws(const char *name)
{
    struct ho_truth_options o = { 0 };
    int64_t first[HO_TRUTH_HOSTS] = { 0 }, last[HO_TRUTH_HOSTS] = { 0 };
    size_t best = 0;
    for (int round = 0; round < 2; round++) {
        for (int host = HO_TRUTH_HOSTS - 1; host >= 0; host--) {
            best = fit_host(name, &o, host, &first[host], &last[host]);
            o.draw_ns[host] = (first[host] + last[host]) / 2 * 1000000;
        }
    }
    for (int host = 0; host < HO_TRUTH_HOSTS; host++) {
        if (first[host] > DRAW_MIN || last[host] < DRAW_MAX) {
            (void)printf("%s %c %lld # %lld to %lld fit; %zu records do not\n", name,
                         host == 0 ? 'c' : 's', (long long)(first[host] + last[host]) / 2,
                         (long long)first[host], (long long)last[host], best);
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    ho_truth_allow_read(&allowed, "tests/truth/allowances.txt");
    if (argc == 1) {
        return run_all();
    }
    if (strcmp(argv[1], "--page") == 0) {
        return print_page();
    }
    if (argv[1][0] == '-' && argc < 3) {
        (void)fprintf(stderr, "test_truth: a name is missing\n");
        return 2;
    }
    if (strcmp(argv[1], "-v") == 0 || strcmp(argv[1], "-d") == 0) {
        return show(argv[2], argc > 3 ? argv[3] : NULL, argc > 4 ? argv[4] : NULL,
                    argv[1][1] == 'd');
    }
    if (strcmp(argv[1], "-g") == 0) {
        return show_model(argv[2], argc > 3 ? argv[3] : NULL, argc > 4 ? argv[4] : NULL);
    }
    if (strcmp(argv[1], "--draws") == 0) {
        return find_draws(argv[2]);
    }
    struct names files = { 0 };
    for (int i = 1; i < argc; i++) {
        add_name(&files, argv[i]);
    }
    int rc = run_files(&files);
    free_names(&files);
    return rc;
}
