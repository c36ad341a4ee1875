/* Explained differences. See truth_allow.h. */

#include "support/truth_allow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define AT_US 1000 /* how exactly a line names its event */

/* Steps of the timer wheel at HZ=250 (ground-truth A1), in ms. */
static bool is_step(const char *text)
{
    static const char *const STEPS[] = { "32", "256", "2048", "x" };
    bool is = false;
    for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++) {
        is = is || strcmp(text, STEPS[i]) == 0;
    }
    return is;
}

static void read_line(struct ho_truth_allowances *ret, const char *line)
{
    struct ho_truth_allowance a = { .used = 0 };
    double at;
    char step[8], reason[8];
    int n = sscanf(line, "%63s | %11s | %11[^|] | %lf | %7s | %7s", a.name, a.what, a.where, &at,
                   step, reason);
    assert(n == 6 && "a line of allowances.txt is wrong or gives no reason");
    assert(is_step(step) && "an allowance is one step of the wheel, or x");
    assert(ret->n < HO_TRUTH_ALLOWANCES);
    for (size_t k = strlen(a.where); k > 0 && a.where[k - 1] == ' '; k--) {
        a.where[k - 1] = '\0';
    }
    a.at_us = (int64_t)(at * 1e6);
    a.step_us = ho_truth_num(step) * 1000;
    ret->a[ret->n++] = a;
}

void ho_truth_allow_read(struct ho_truth_allowances *ret, const char *path)
{
    FILE *f = fopen(path, "r");
    char line[400];
    ret->n = 0;
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (line[0] != '#' && line[0] != '\n') {
            read_line(ret, line);
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
}

static bool fits(const struct ho_truth_allowance *a, const char *name,
                 const struct ho_truth_diff *d, int64_t tolerance_us)
{
    int64_t far = d->t_us > a->at_us ? d->t_us - a->at_us : a->at_us - d->t_us;
    if (a->used > 0 || strcmp(a->name, name) != 0 || far > AT_US ||
        strcmp(a->what, ho_truth_class_name(d->what)) != 0 || strcmp(a->where, d->where) != 0) {
        return false;
    }
    return a->step_us == 0 ||
           (d->what == HO_TRUTH_C_TIME && d->error_us <= a->step_us + tolerance_us);
}

static struct ho_truth_allowance *find(struct ho_truth_allowances *list, const char *name,
                                       const struct ho_truth_diff *d, int64_t tolerance_us)
{
    for (size_t i = 0; i < list->n; i++) {
        if (fits(&list->a[i], name, d, tolerance_us)) {
            return &list->a[i];
        }
    }
    return NULL;
}

void ho_truth_allow(struct ho_truth_allowances *list, const char *name, struct ho_truth_result *r,
                    int64_t tolerance_us, size_t *ret_steps, size_t *ret_exceptions)
{
    size_t n = 0;
    *ret_steps = *ret_exceptions = 0;
    for (size_t i = 0; i < r->n_diffs; i++) {
        struct ho_truth_allowance *a = find(list, name, &r->diffs[i], tolerance_us);
        if (a == NULL) {
            r->diffs[n++] = r->diffs[i];
            continue;
        }
        a->used++;
        r->count[r->diffs[i].what]--;
        *(a->step_us == 0 ? ret_exceptions : ret_steps) += 1;
    }
    r->n_diffs = n;
}

size_t ho_truth_allow_unused(const struct ho_truth_allowances *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (list->a[i].used == 0) {
            (void)printf("%s %s %s at %.4f: nothing needs this allowance any more\n",
                         list->a[i].name, list->a[i].what, list->a[i].where,
                         (double)list->a[i].at_us / 1e6);
            n++;
        }
    }
    return n;
}
