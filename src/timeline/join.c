/* Joining comparisons. See timeline/join.h. */

#include "timeline/join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Two sides that have what the base lacks mean the same event if they are no further apart. */
#define NEAR_NS (2 * INT64_C(1000000000))

/* A record of a base and the row that it is in. */
struct place {
    const struct ho_record *rec;
    size_t row;
};

struct joining {
    struct ho_join j;
    struct place *base; /* the base's records, by address */
    size_t base_n;
    struct place *own; /* those of a side's own base */
    size_t own_n;
};

static int by_address(const void *pa, const void *pb)
{
    const struct place *a = pa, *b = pb;

    return (a->rec > b->rec) - (a->rec < b->rec);
}

/* The place of a record; NULL: it has none. */
static const struct place *find(const struct place *all, size_t n, const struct ho_record *rec)
{
    struct place key = { .rec = rec };

    return n == 0 ? NULL : bsearch(&key, all, n, sizeof(*all), by_address);
}

static size_t add_row(struct joining *g, const struct ho_record *base, int64_t base_ns)
{
    g->j.row[g->j.n] = (struct ho_join_row){ .base = base, .base_ns = base_ns };
    return g->j.n++;
}

/* Every record of the base is in each comparison with it once. */
static void add_base(struct joining *g, const struct ho_comparison *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->row[i].a != NULL) {
            g->base[g->base_n++] = (struct place){
                c->row[i].a,
                add_row(g, c->row[i].a, c->row[i].a_ns),
            };
        }
    }
    qsort(g->base, g->base_n, sizeof(*g->base), by_address);
}

/* Which records of a side's own base stand for which of the base. */
static void map_own(struct joining *g, const struct ho_comparison *base)
{
    g->own_n = 0;
    for (size_t i = 0; base != NULL && i < base->n; i++) {
        const struct ho_compare_row *r = &base->row[i];
        const struct place *p = r->a != NULL && r->b != NULL && r->status != HO_COMPARE_OTHER
                                    ? find(g->base, g->base_n, r->a)
                                    : NULL;

        if (p != NULL) {
            g->own[g->own_n++] = (struct place){ r->b, p->row };
        }
    }
    qsort(g->own, g->own_n, sizeof(*g->own), by_address);
}

static int64_t time_of(const struct ho_compare_row *r)
{
    return r->b != NULL ? r->b_ns : r->a_ns;
}

static int64_t distance(int64_t a, int64_t b)
{
    return a < b ? b - a : a - b;
}

/* A row without a base that other sides made for the same event; none: g->j.n. */
static size_t find_extra(const struct joining *g, size_t side, const struct ho_compare_row *r)
{
    const struct ho_record *rec = r->b != NULL ? r->b : r->a;

    for (size_t i = g->base_n; i < g->j.n; i++) {
        const struct ho_join_row *row = &g->j.row[i];

        for (size_t s = 0; row->side[side] == NULL && s < side; s++) {
            const struct ho_compare_row *o = row->side[s];

            if (o != NULL && distance(time_of(o), time_of(r)) <= NEAR_NS &&
                ho_compare_same(o->b != NULL ? o->b : o->a, rec)) {
                return i;
            }
        }
    }
    return g->j.n;
}

static void add_side(struct joining *g, size_t side)
{
    const struct ho_join_side *s = &g->j.side[side];
    const struct place *places = s->base == NULL ? g->base : g->own;

    map_own(g, s->base);
    for (size_t i = 0; i < s->c->n; i++) {
        const struct ho_compare_row *r = &s->c->row[i];
        size_t n = s->base == NULL ? g->base_n : g->own_n;
        const struct place *p = r->a != NULL ? find(places, n, r->a) : NULL;
        size_t row = p != NULL ? p->row : find_extra(g, side, r);

        row = row == g->j.n ? add_row(g, NULL, 0) : row;
        g->j.row[row].side[side] = r;
    }
}

static const struct ho_compare_row *first_side(const struct ho_join_row *r, size_t *ret_side)
{
    size_t s = 0;

    while (s < HO_JOIN_SIDES && r->side[s] == NULL) {
        s++;
    }
    *ret_side = s;
    return s < HO_JOIN_SIDES ? r->side[s] : NULL;
}

/* As a comparison's own rows are ordered: by time; at equal times the base's first. */
static int row_order(const void *pa, const void *pb)
{
    const struct ho_join_row *a = pa, *b = pb;
    size_t sa, sb;
    const struct ho_compare_row *ra = first_side(a, &sa);
    const struct ho_compare_row *rb = first_side(b, &sb);
    int64_t ta = a->base != NULL ? a->base_ns : time_of(ra);
    int64_t tb = b->base != NULL ? b->base_ns : time_of(rb);

    if (ta != tb) {
        return ta < tb ? -1 : 1;
    }
    if ((a->base == NULL) != (b->base == NULL)) {
        return a->base == NULL ? 1 : -1;
    }
    if (a->base != NULL) {
        return (a->base > b->base) - (a->base < b->base);
    }
    return sa != sb ? (sa > sb) - (sa < sb) : (ra > rb) - (ra < rb);
}

int ho_join(struct ho_join *ret, const char *name, const struct ho_join_side *side, size_t sides)
{
    struct joining g = { .j = { .name = name, .side = side, .sides = sides } };
    size_t room = 1;
    int err = -ENOMEM;

    for (size_t s = 0; s < sides; s++) {
        room += side[s].c->n + (side[s].base != NULL ? side[s].base->n : 0);
    }
    g.j.row = calloc(room, sizeof(*g.j.row));
    g.base = calloc(room, sizeof(*g.base));
    g.own = calloc(room, sizeof(*g.own));
    if (g.j.row != NULL && g.base != NULL && g.own != NULL) {
        add_base(&g, side[0].c);
        for (size_t s = 0; s < sides; s++) {
            add_side(&g, s);
        }
        qsort(g.j.row, g.j.n, sizeof(*g.j.row), row_order);
        *ret = g.j;
        err = 0;
    } else {
        free(g.j.row);
    }
    free(g.base);
    free(g.own);
    return err;
}

void ho_join_free(struct ho_join *j)
{
    if (j != NULL) {
        free(j->row);
        *j = (struct ho_join){ .name = NULL };
    }
}

enum ho_compare_status ho_join_status(const struct ho_join *j, const struct ho_join_row *r)
{
    enum ho_compare_status worst = HO_COMPARE_SAME;

    for (size_t s = 0; s < j->sides; s++) {
        if (r->side[s] != NULL && r->side[s]->status > worst) {
            worst = r->side[s]->status;
        }
    }
    return worst;
}

const struct ho_record *ho_join_record(const struct ho_join *j, const struct ho_join_row *r)
{
    const struct ho_record *rec = r->base;

    for (size_t s = 0; rec == NULL && s < j->sides; s++) {
        rec = ho_join_of(r, s);
    }
    for (size_t s = 0; rec == NULL && s < j->sides; s++) {
        rec = r->side[s] != NULL ? r->side[s]->a : NULL; /* its own base alone has it */
    }
    return rec;
}

const struct ho_record *ho_join_of(const struct ho_join_row *r, size_t side)
{
    return r->side[side] != NULL ? r->side[side]->b : NULL;
}
