/* A join as a table for people. See timeline/join.h. */

#include <string.h>

#include "timeline/join.h"

#define TIME_WIDTH 14
#define APART_WIDTH 13
#define HOST_WIDTH 10

static void right_aligned(struct ho_text *out, const struct ho_text *cell, size_t width)
{
    size_t w = ho_text_width(ho_text_str(cell));

    do { /* what is wider than its column is not glued to the one before */
        ho_text_char(out, ' ');
    } while (++w < width);
    ho_text_put(out, ho_text_str(cell));
}

/* Times are as wide as their column's name, if that is long. */
static size_t time_width(const char *name)
{
    size_t w = ho_text_width(name) + 2;

    return w > TIME_WIDTH ? w : TIME_WIDTH;
}

static void put_time(struct ho_text *out, const struct ho_record *r, int64_t ns, const char *name)
{
    struct ho_text cell = { 0 };

    if (r == NULL) {
        ho_text_char(&cell, '-');
    } else {
        ho_text_seconds(&cell, ns, 6);
    }
    right_aligned(out, &cell, time_width(name));
    ho_text_end_part(out, &cell);
}

static const char *mark_of(enum ho_compare_status status)
{
    return status == HO_COMPARE_SAME ? "  " : status == HO_COMPARE_STEP ? "~ " : "! ";
}

/* "+2.000 ms". */
static void put_apart(struct ho_text *out, const struct ho_compare_row *r, bool marked)
{
    struct ho_text cell = { 0 };

    if (r != NULL && marked && r->status != HO_COMPARE_SAME) {
        ho_text_put(&cell, mark_of(r->status));
    }
    if (r != NULL && r->a != NULL && r->b != NULL) {
        ho_text_put(&cell, r->apart_ns > 0 ? "+" : "");
        ho_text_seconds(&cell,
                        r->apart_ns > INT64_MAX / 1000      ? INT64_MAX
                        : r->apart_ns < -(INT64_MAX / 1000) ? -INT64_MAX
                                                            : r->apart_ns * 1000,
                        3); /* milliseconds, written as seconds are */
        ho_text_put(&cell, " ms");
    }
    right_aligned(out, &cell, APART_WIDTH);
    ho_text_end_part(out, &cell);
}

/* Who has it, where not everybody has: "only in kernel: ", "not in virtual-kernel: ". */
static void put_who(struct ho_text *out, const struct ho_join *j, const struct ho_join_row *r)
{
    size_t without = 0, listed = 0;

    for (size_t s = 0; s < j->sides; s++) {
        without += r->side[s] != NULL && r->side[s]->status == HO_COMPARE_ONLY_A;
    }
    if (r->base != NULL && without == 0) {
        return;
    }
    if (without == j->sides) {
        ho_text_printf(out, "only in %s: ", j->name);
        return;
    }
    ho_text_put(out, r->base != NULL ? "not in " : "only in ");
    for (size_t s = 0; s < j->sides; s++) {
        if (r->side[s] != NULL && (r->side[s]->b == NULL) == (r->base != NULL)) {
            ho_text_printf(out, "%s%s", listed++ > 0 ? ", " : "", j->side[s].name);
        }
    }
    ho_text_put(out, listed > 0 ? ": " : "a model: ");
}

static void put_what(struct ho_text *out, const struct ho_join *j, const struct ho_join_row *r)
{
    put_who(out, j, r);
    ho_compare_words(out, ho_join_record(j, r));
    for (size_t s = 0; s < j->sides; s++) {
        if (r->side[s] != NULL && r->side[s]->status == HO_COMPARE_OTHER) {
            ho_text_put(out, " | ");
            if (j->sides > 1) {
                ho_text_printf(out, "%s: ", j->side[s].name);
            }
            ho_compare_words(out, r->side[s]->b);
        }
    }
}

void ho_join_row(struct ho_text *out, const struct ho_join *j, const struct ho_join_row *r)
{
    ho_text_put(out, mark_of(ho_join_status(j, r)));
    put_time(out, r->base, r->base_ns, j->name);
    for (size_t s = 0; s < j->sides; s++) {
        const struct ho_record *rec = ho_join_of(r, s);

        put_time(out, rec, rec != NULL ? r->side[s]->b_ns : 0, j->side[s].name);
        put_apart(out, r->side[s], j->sides > 1);
    }
    ho_text_put(out, "  ");
    ho_text_pad(out, ho_join_record(j, r)->host, HOST_WIDTH);
    ho_text_char(out, ' ');
    put_what(out, j, r);
    ho_text_char(out, '\n');
}

static void put_title(struct ho_text *out, const char *title, size_t width)
{
    struct ho_text cell = { 0 };

    ho_text_put(&cell, title);
    right_aligned(out, &cell, width);
    ho_text_end_part(out, &cell);
}

void ho_join_head(struct ho_text *out, const struct ho_join *j)
{
    ho_text_put(out, "  ");
    put_title(out, j->name, time_width(j->name));
    for (size_t s = 0; s < j->sides; s++) {
        put_title(out, j->side[s].name, time_width(j->side[s].name));
        put_title(out, "difference", APART_WIDTH);
    }
    ho_text_put(out, "  host       what\n");
}

void ho_join_table(struct ho_text *out, const struct ho_join *j, bool differences)
{
    bool headed = false;

    for (size_t i = 0; i < j->n; i++) {
        if (differences && ho_join_status(j, &j->row[i]) == HO_COMPARE_SAME) {
            continue;
        }
        if (!headed) {
            ho_join_head(out, j);
            headed = true;
        }
        ho_join_row(out, j, &j->row[i]);
    }
}
