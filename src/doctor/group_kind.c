/* Numbers instead of connections: all that a group has in common is made a row of numbers, and the
 * rows are numbered by a hash table. Sorting 100,000 connections by the same facts took eleven
 * times the instructions. See doctor/group_kind.h.
 */

#include "doctor/group_kind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/group.h"

/* All that the connections of a group have in common: as numbers, to be compared at once. */
struct kind {
    int64_t v[20];
};

/* An owner to be sorted. */
struct named {
    const struct ho_conn_owner *is;
};

static int compare_names(const struct named *a, const struct named *b)
{
    int r = strcmp(a->is->name, b->is->name);

    return r != 0 ? r : strcmp(a->is->container, b->is->container);
}

static int compare_owners(const void *a, const void *b)
{
    const struct named *p = a, *q = b;
    int r = compare_names(p, q);

    return r != 0 ? r : (p->is > q->is) - (p->is < q->is);
}

/* A number for each owner: the least index of one of the same name and container. NULL: no memory.
 */
static uint32_t *number_names(const struct ho_scan *s)
{
    struct named *sorted = malloc((s->n_owners + 1) * sizeof(*sorted));
    uint32_t *names = malloc((s->n_owners + 1) * sizeof(*names));

    if (sorted == NULL || names == NULL) {
        free(sorted);
        free(names);
        return NULL;
    }
    for (size_t i = 0; i < s->n_owners; i++) {
        sorted[i].is = &s->owners[i];
    }
    qsort(sorted, s->n_owners, sizeof(*sorted), compare_owners);
    for (size_t i = 0, first = 0; i < s->n_owners; i++) {
        first = compare_names(&sorted[first], &sorted[i]) == 0 ? first : i;
        names[sorted[i].is - s->owners] = (uint32_t)(sorted[first].is - s->owners);
    }
    free(sorted);
    return names;
}

/* Ids of findings are less than 255. */
static int64_t findings_as_number(const struct ho_diagnosis_conn *c)
{
    uint64_t v = 0;

    _Static_assert(HO_FINDINGS_MAX <= sizeof(v) && HO_FINDING_COUNT < UINT8_MAX, "a byte each");
    for (size_t i = 0; i < c->n_findings; i++) {
        v = v << 8 | ((uint64_t)c->findings[i].id + 1);
    }
    return (int64_t)v;
}

/* The settings that the verdicts come from: what is not known is the same as what is not known. */
static struct kind kind_of(const struct ho_diagnosis *d, const uint32_t *names, uint32_t i)
{
    const struct ho_conn *c = ho_group_conn(d, i);
    const struct ho_outlook *o = ho_group_outlook(d, i);
    bool keepalive = c->keepalive_known != HO_KNOWN_UNKNOWN && c->keepalive;
    bool read = c->options_known != HO_KNOWN_UNKNOWN;

    return (struct kind){ {
        c->host,
        ho_group_port(c),
        (int64_t)ho_group_end(c),
        c->state,
        c->inode == 0,
        c->owner < d->scan->n_owners ? (int64_t)names[c->owner] : -1,
        (int64_t)c->keepalive_known,
        keepalive,
        (int64_t)c->options_known,
        read ? c->keepidle_s : 0,
        read ? c->keepintvl_s : 0,
        read ? c->keepcnt : 0,
        read ? c->user_timeout_ms : 0,
        (int64_t)o->trouble,
        (int64_t)o->idle.kind,
        (int64_t)o->idle.knob,
        (int64_t)o->busy.kind,
        (int64_t)o->busy.knob,
        (int64_t)o->end.kind,
        findings_as_number(&d->conns[i]),
    } };
}

static size_t hash(const struct kind *k)
{
    uint64_t h = 0;

    for (size_t i = 0; i < sizeof(k->v) / sizeof(k->v[0]); i++) {
        h = (h ^ (uint64_t)k->v[i]) * 0x9e3779b97f4a7c15ULL;
        h ^= h >> 32;
    }
    return (size_t)h;
}

/* ---- numbering them -------------------------------------------------------------------------- */

struct table {
    struct kind *kind; /* as they came */
    size_t *size;      /* connections of each */
    size_t n, room;
    uint32_t *slot; /* number + 1; 0: free. Open addressing, at most half full */
    size_t slots;   /* a power of two */
};

static size_t place(const struct table *t, const struct kind *kind)
{
    size_t at = hash(kind) & (t->slots - 1);

    while (t->slot[at] != 0 && memcmp(&t->kind[t->slot[at] - 1], kind, sizeof(*kind)) != 0) {
        at = (at + 1) & (t->slots - 1);
    }
    return at;
}

static int grow(struct table *t)
{
    size_t room = t->room != 0 ? 2 * t->room : 64;
    struct kind *kind = realloc(t->kind, room * sizeof(*kind));

    t->kind = kind != NULL ? kind : t->kind;
    size_t *size = realloc(t->size, room * sizeof(*size));

    t->size = size != NULL ? size : t->size;
    uint32_t *slot = calloc(2 * room, sizeof(*slot));

    if (kind == NULL || size == NULL || slot == NULL) {
        free(slot);
        return -ENOMEM;
    }
    free(t->slot);
    t->slot = slot;
    t->slots = 2 * room;
    t->room = room;
    for (uint32_t i = 0; i < t->n; i++) {
        t->slot[place(t, &t->kind[i])] = i + 1;
    }
    return 0;
}

static int add(struct table *t, const struct kind *kind, uint32_t *ret_number)
{
    if (t->n == t->room && grow(t) != 0) {
        return -ENOMEM;
    }
    size_t at = place(t, kind);

    if (t->slot[at] == 0) {
        t->kind[t->n] = *kind;
        t->size[t->n] = 0;
        t->slot[at] = (uint32_t)++t->n;
    }
    *ret_number = t->slot[at] - 1;
    t->size[*ret_number]++;
    return 0;
}

int ho_group_kinds_make(struct ho_group_kinds *ret, const struct ho_diagnosis *d)
{
    uint32_t *of_conn = malloc((d->scan->n_conns + 1) * sizeof(*of_conn));
    uint32_t *names = number_names(d->scan);
    struct table t = { .n = 0 };
    int err = of_conn == NULL || names == NULL ? -ENOMEM : 0;

    for (uint32_t i = 0; i < d->scan->n_conns && err == 0; i++) {
        struct kind kind = kind_of(d, names, i);

        err = add(&t, &kind, &of_conn[i]);
    }
    free(names);
    free(t.kind);
    free(t.slot);
    if (err != 0) {
        free(t.size);
        free(of_conn);
        return err;
    }
    *ret = (struct ho_group_kinds){ .n = t.n, .size = t.size, .of_conn = of_conn };
    return 0;
}

void ho_group_kinds_free(struct ho_group_kinds *k)
{
    if (k != NULL) {
        free(k->size);
        free(k->of_conn);
        *k = (struct ho_group_kinds){ .n = 0 };
    }
}
