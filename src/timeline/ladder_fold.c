/* Folding a ladder: rows that repeat in the same order, with other times and numbers, are shown
 * twice at the start and once at the end.
 */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/ladder_row.h"

#define PERIOD_MAX 6  /* rows that may repeat as a group: a probe and its answer are 2 */
#define KEEP_FIRST 2  /* repeats shown before the fold */
#define REPEATS_MIN 5 /* fewer are shown as they are */

/* FNV-1a over a text without its digits. */
static uint32_t words_hash(uint32_t h, const char *s)
{
    for (; *s != '\0'; s++) {
        if (!isdigit((unsigned char)*s)) {
            h = (h ^ (unsigned char)*s) * 16777619u;
        }
    }
    return h * 16777619u;
}

static void sign_rows(struct ladder *l)
{
    for (size_t i = 0; i < l->n; i++) {
        struct ladder_row *r = &l->row[i];
        uint32_t h = (2166136261u ^ r->sign) * 16777619u;

        /* Plain segments are alike, however many share the row. */
        h = words_hash(h, r->times == 0 ? r->label : r->next != r->seq ? "data" : "ACK");
        h = words_hash(h, ladder_side(l, r, 0));
        h = words_hash(h, ladder_side(l, r, 1));
        h = (h ^ (uint32_t)r->kind) * 16777619u;
        h = (h ^ (uint32_t)(r->from_left ? 1 : 0)) * 16777619u;
        r->sign = (h ^ (uint32_t)(r->lost ? 2 : r->no_carrier ? 3 : 0)) * 16777619u;
    }
}

/* Rows from `at` on that repeat with that period: their number, a multiple of it. */
static size_t run_length(const struct ladder *l, size_t at, size_t period)
{
    size_t n = period;

    while (at + n < l->n && l->row[at + n].sign == l->row[at + n - period].sign) {
        n++;
    }
    return n / period * period;
}

static bool may_fold(const struct ladder *l, size_t at, size_t n)
{
    for (size_t i = at; i < at + n; i++) {
        if (l->row[i].kind != LADDER_ARROW && l->row[i].kind != LADDER_SIDE) {
            return false;
        }
    }
    return true;
}

/* Hides what lies between the first and the last repeats; the first hidden row becomes the fold. */
static void fold_run(struct ladder *l, size_t at, size_t n, size_t period)
{
    size_t first = at + KEEP_FIRST * period;
    size_t end = at + n - period;
    struct ladder_row *fold = &l->row[first];

    for (size_t i = first; i < end; i++) {
        l->row[i].hidden = true;
    }
    fold->hidden = false;
    fold->kind = LADDER_FOLD;
    fold->arrival = l->row[end - 1].t; /* until when */
    snprintf(fold->label, sizeof(fold->label), "%zu more like %s", (end - first) / period,
             period == 1 ? "this" : "these");
}

int ladder_fold(struct ladder *l)
{
    sign_rows(l);
    for (size_t at = 0; at < l->n;) {
        size_t step = 1;

        for (size_t period = 1; period <= PERIOD_MAX && step == 1; period++) {
            size_t n = run_length(l, at, period);

            if (n >= REPEATS_MIN * period && may_fold(l, at, n)) {
                fold_run(l, at, n, period);
                step = n;
            }
        }
        at += step;
    }
    return l->err;
}
