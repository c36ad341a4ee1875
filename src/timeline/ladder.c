/* Drawing a ladder's rows. See timeline/ladder.h; ladder_row.c makes the rows.
 *
 * Columns: 14 for the time, 20 for the left side's texts, the left lifeline, 38 between them, the
 * right lifeline, 23 for the right side's. A side's text that is longer goes on in a row below.
 */

#include "timeline/ladder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/ladder_row.h"

#define TIME_WIDTH 14
#define LEFT_WIDTH 20
#define MIDDLE 38
#define RIGHT_WIDTH 23
#define LOST_AT 27 /* columns that a lost segment's arrow gets */
#define GAP_NS (10 * HO_NS_PER_S)

enum glyph {
    LIFELINE,
    DASH,
    TO_RIGHT,
    TO_LEFT,
    CROSS,
    DOUBLE,
    DOTS,
    GLYPH_COUNT
};

static const char *const glyphs[2][GLYPH_COUNT] = {
    { "\xe2\x94\x82", "\xe2\x94\x80", "\xe2\x96\xb6", "\xe2\x97\x80", "\xe2\x9c\x97",
      "\xe2\x95\x90", "\xe2\x94\x8a" },
    { "|", "-", ">", "<", "x", "=", ":" },
};

struct pen {
    struct ho_text *out;
    const struct ladder *l;
    struct ho_text cell;
};

static const char *glyph(const struct pen *p, enum glyph g)
{
    return glyphs[p->l->opts.ascii ? 1 : 0][g];
}

static void color_on(struct pen *p, const char *code)
{
    if (p->l->opts.color) {
        ho_text_put(p->out, code);
    }
}

static void color_off(struct pen *p)
{
    color_on(p, "\033[0m");
}

#define RED "\033[31m"
#define YELLOW "\033[33m"
#define DIM "\033[2m"

static void spaces(struct pen *p, size_t n)
{
    ho_text_repeat(p->out, " ", (unsigned)n);
}

static void put_right_aligned(struct pen *p, const char *s, size_t width)
{
    size_t have = ho_text_width(s);

    spaces(p, have < width ? width - have : 0);
    ho_text_put(p->out, s);
}

/* The time of a row since the first fault, or nothing if the row before shows the same. */
static void put_time(struct pen *p, struct ho_time t, char *last, size_t size)
{
    struct ho_text *c = &p->cell;
    int64_t ns = t.ns - p->l->since.ns;

    ho_text_clear(c);
    if (ns < 0) {
        ho_text_char(c, '-');
    }
    ho_text_dur(c, ho_ns(ns < 0 ? -ns : ns));
    if (c->len < size && strcmp(last, ho_text_str(c)) != 0) {
        memcpy(last, ho_text_str(c), c->len + 1);
        put_right_aligned(p, last, TIME_WIDTH);
    } else {
        spaces(p, TIME_WIDTH);
    }
    ho_text_char(p->out, ' ');
}

/* The length of the first piece of `s` that fits into `width` columns, cut at a space if there is
 * one; *ret_skip spaces follow it.
 */
static size_t piece(const char *s, size_t width, size_t *ret_skip)
{
    size_t columns = 0, cut = 0, i = 0;

    for (; s[i] != '\0'; i++) {
        bool starts = ((unsigned char)s[i] & 0xc0) != 0x80;

        if (starts && columns == width) {
            break;
        }
        columns += starts;
        cut = s[i] == ' ' && i > 0 ? i : cut;
    }
    *ret_skip = 0;
    if (s[i] == '\0') {
        return i;
    }
    if (s[i] != ' ' && cut == 0) {
        return i; /* one long word */
    }
    i = s[i] == ' ' ? i : cut;
    *ret_skip = 1;
    return i;
}

/* The next piece of a side's text into p->cell; *s moves on. */
static void take_piece(struct pen *p, const char **s, size_t width)
{
    size_t skip = 0;
    size_t n = piece(*s, width, &skip);

    ho_text_clear(&p->cell);
    ho_text_bytes(&p->cell, *s, n);
    *s += n + skip;
}

static void put_left(struct pen *p, const char **s, bool error)
{
    take_piece(p, s, LEFT_WIDTH);
    spaces(p, LEFT_WIDTH - ho_text_width(ho_text_str(&p->cell)));
    color_on(p, error ? RED : "");
    ho_text_put(p->out, ho_text_str(&p->cell));
    if (error) {
        color_off(p);
    }
    ho_text_char(p->out, ' ');
}

static void put_right(struct pen *p, const char **s, bool error)
{
    if ((*s)[0] != '\0') {
        take_piece(p, s, RIGHT_WIDTH);
        ho_text_char(p->out, ' ');
        color_on(p, error ? RED : "");
        ho_text_put(p->out, ho_text_str(&p->cell));
        if (error) {
            color_off(p);
        }
    }
    ho_text_char(p->out, '\n');
}

static void dashes(struct pen *p, size_t n)
{
    ho_text_repeat(p->out, glyph(p, DASH), (unsigned)n);
}

/* `width` columns: dashes with the label in their middle. */
static void labelled(struct pen *p, const char *label, size_t width)
{
    size_t n = ho_text_width(label) + 2;
    size_t left = width > n ? (width - n) / 2 : 0;

    dashes(p, left);
    ho_text_char(p->out, ' ');
    ho_text_put(p->out, label);
    ho_text_char(p->out, ' ');
    dashes(p, width > n + left ? width - n - left : 0);
}

/* An arrow of MIDDLE columns; a longer label is cut first. */
static void put_arrow(struct pen *p, const struct ladder_row *r)
{
    char label[LADDER_LABEL];
    size_t room = r->lost ? LOST_AT - 1 : MIDDLE - 1;
    size_t skip = 0, n = strlen(r->label);

    if (ho_text_width(r->label) + 2 > room) {
        room = MIDDLE - 1;
        n = ho_text_width(r->label) + 2 > room ? piece(r->label, room - 2, &skip) : n;
    }
    memcpy(label, r->label, n);
    label[n] = '\0';
    size_t used = ho_text_width(label) + 2 > room ? ho_text_width(label) + 2 : room;

    color_on(p, r->lost ? RED : "");
    if (r->no_carrier) { /* it never left */
        size_t w = ho_text_width(label) + 2;

        spaces(p, r->from_left ? 0 : MIDDLE - w);
        ho_text_put(p->out, r->from_left ? glyph(p, CROSS) : label);
        ho_text_char(p->out, ' ');
        ho_text_put(p->out, r->from_left ? label : glyph(p, CROSS));
        spaces(p, r->from_left ? MIDDLE - w : 0);
    } else if (r->from_left) {
        labelled(p, label, used);
        ho_text_put(p->out, glyph(p, r->lost ? CROSS : TO_RIGHT));
        spaces(p, MIDDLE - 1 - used);
    } else {
        spaces(p, MIDDLE - 1 - used);
        ho_text_put(p->out, glyph(p, r->lost ? CROSS : TO_LEFT));
        labelled(p, label, used);
    }
    if (r->lost) {
        color_off(p);
    }
}

/* What stands between the lifelines in a row without an arrow: words in the middle, or nothing. */
static void put_middle(struct pen *p, const char *words, const char *fill)
{
    size_t n = ho_text_width(words);
    size_t pad = n > 0 ? n + 2 : 0;
    size_t left = MIDDLE > pad ? (MIDDLE - pad) / 2 : 0;

    ho_text_repeat(p->out, fill, (unsigned)left);
    if (n > 0) {
        ho_text_char(p->out, ' ');
        ho_text_put(p->out, words);
        ho_text_char(p->out, ' ');
    }
    ho_text_repeat(p->out, fill, (unsigned)(MIDDLE > pad + left ? MIDDLE - pad - left : 0));
}

/* A row of dotted lifelines with words between them. */
static void put_dots(struct pen *p, const char *words)
{
    spaces(p, TIME_WIDTH + 1 + LEFT_WIDTH + 1);
    color_on(p, DIM);
    ho_text_put(p->out, glyph(p, DOTS));
    put_middle(p, words, " ");
    ho_text_put(p->out, glyph(p, DOTS));
    color_off(p);
    ho_text_char(p->out, '\n');
}

static void put_gap(struct pen *p, struct ho_time from, struct ho_time to)
{
    struct ho_text words = { 0 };

    if (to.ns - from.ns < GAP_NS) {
        return;
    }
    ho_text_put(&words, "... ");
    ho_text_dur(&words, ho_time_since(to, from));
    ho_text_put(&words, " ...");
    put_dots(p, ho_text_str(&words));
    ho_text_end_part(p->out, &words);
}

static void put_fold(struct pen *p, const struct ladder_row *r)
{
    struct ho_text words = { 0 };

    ho_text_put(&words, "... ");
    ho_text_put(&words, r->label);
    ho_text_put(&words, " ...");
    put_dots(p, ho_text_str(&words));
    ho_text_end_part(p->out, &words);
}

/* A piece of a band's words; the first one stands in the band, the rest below it. */
static void put_band(struct pen *p, const char **words, bool first)
{
    char part[LADDER_LABEL];

    take_piece(p, words, MIDDLE - 2);
    memcpy(part, ho_text_str(&p->cell), p->cell.len + 1);
    color_on(p, YELLOW);
    ho_text_put(p->out, glyph(p, first ? DOUBLE : LIFELINE));
    put_middle(p, part, first ? glyph(p, DOUBLE) : " ");
    ho_text_put(p->out, glyph(p, first ? DOUBLE : LIFELINE));
    color_off(p);
}

static void put_row(struct pen *p, const struct ladder_row *r, char *last, size_t size)
{
    const char *left = ladder_side(p->l, r, 0);
    const char *right = ladder_side(p->l, r, 1);
    const char *words = r->kind == LADDER_BAND ? r->label : "";
    bool first = true;

    put_time(p, r->t, last, size);
    do {
        if (!first) {
            spaces(p, TIME_WIDTH + 1);
        }
        put_left(p, &left, r->error[0]);
        if (words[0] != '\0') {
            put_band(p, &words, first);
        } else {
            ho_text_put(p->out, glyph(p, LIFELINE));
            if (first && r->kind == LADDER_ARROW) {
                put_arrow(p, r);
            } else {
                put_middle(p, first && r->kind == LADDER_END ? "end" : "", " ");
            }
            ho_text_put(p->out, glyph(p, LIFELINE));
        }
        put_right(p, &right, r->error[1]);
        first = false;
    } while (left[0] != '\0' || right[0] != '\0' || words[0] != '\0');
}

static void put_head(struct pen *p)
{
    put_right_aligned(p, "time", TIME_WIDTH);
    ho_text_char(p->out, ' ');
    put_right_aligned(p, p->l->host[0], LEFT_WIDTH + 2);
    put_right_aligned(p, "", MIDDLE);
    ho_text_put(p->out, p->l->host[1]);
    ho_text_char(p->out, '\n');
}

static void draw(struct pen *p)
{
    char last[32] = "";
    struct ho_time before = { 0 };
    bool any = false;

    put_head(p);
    for (size_t i = 0; i < p->l->n; i++) {
        const struct ladder_row *r = &p->l->row[i];

        if (r->hidden) {
            continue;
        }
        if (r->kind == LADDER_FOLD) {
            put_fold(p, r);
            before = r->arrival;
            continue;
        }
        if (any && (i == 0 || p->l->row[i - 1].kind != LADDER_FOLD)) {
            put_gap(p, before, r->t);
        }
        put_row(p, r, last, sizeof(last));
        before = r->t;
        any = true;
    }
}

int ho_ladder_write(struct ho_text *out, const struct ho_timeline *tl,
                    const struct ho_ladder_opts *opts)
{
    struct ladder l = { .tl = tl, .opts = *opts };
    struct pen p = { .out = out, .l = &l };
    int err = ladder_make(&l);

    if (err == 0 && !opts->unfolded) {
        err = ladder_fold(&l);
    }
    if (err == 0) {
        draw(&p);
        err = p.cell.err != 0 ? p.cell.err : ho_text_err(out);
    }
    ho_text_free(&p.cell);
    ho_text_free(&l.texts);
    free(l.row);
    return err;
}
