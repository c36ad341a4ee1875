/* The timeline: a growable array of records, their frames' bytes, and the texts they name.
 *
 * Names are interned in an open hash table whose slots point into blocks that never move, so
 * that a name stays valid while the timeline grows.
 */

#include "timeline/record.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/group.h"

#define NAME_BLOCK 4096 /* bytes of text allocated at a time */

struct name_block {
    struct name_block *next;
    size_t used, room;
    char text[];
};

struct ho_names {
    struct name_block *blocks;
    size_t n, slots; /* slots: a power of two */
    const char **slot;
};

/* Settings by (host, connection, name): the newest record of each, and from each record the one
 * before it of the same key. Indices + 1; 0: none.
 */
struct ho_settings {
    struct ho_groups keys;
    size_t *newest;
    size_t n_newest;
    size_t *index, *before; /* a pair a settings record */
    size_t n, room_index, room_before;
};

void ho_timeline_init(struct ho_timeline *tl, size_t max)
{
    *tl = (struct ho_timeline){ .max = max == 0 ? SIZE_MAX : max };
}

void ho_timeline_destroy(struct ho_timeline *tl)
{
    if (tl == NULL) {
        return;
    }
    if (tl->names != NULL) {
        for (struct name_block *b = tl->names->blocks; b != NULL;) {
            struct name_block *next = b->next;

            free(b);
            b = next;
        }
        free(tl->names->slot);
        free(tl->names);
    }
    if (tl->settings != NULL) {
        ho_groups_free(&tl->settings->keys);
        free(tl->settings->newest);
        free(tl->settings->index);
        free(tl->settings->before);
        free(tl->settings);
    }
    free(tl->rec);
    free(tl->frames);
    ho_timeline_init(tl, tl->max);
}

/* FNV-1a. Names come from our own scenario, so nobody chooses them to collide. */
static size_t name_hash(const char *text)
{
    uint32_t h = 2166136261u;

    for (; *text != '\0'; text++) {
        h = (h ^ (unsigned char)*text) * 16777619u;
    }
    return h;
}

/* The slot that holds `text`, or the free one where it belongs. */
static size_t name_slot(const struct ho_names *names, const char *text)
{
    size_t i = name_hash(text) & (names->slots - 1);

    while (names->slot[i] != NULL && strcmp(names->slot[i], text) != 0) {
        i = (i + 1) & (names->slots - 1);
    }
    return i;
}

static int names_grow(struct ho_names *names)
{
    struct ho_names wider = { .slots = names->slots == 0 ? 64 : names->slots * 2 };

    wider.slot = calloc(wider.slots, sizeof(*wider.slot));
    if (wider.slot == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < names->slots; i++) {
        if (names->slot[i] != NULL) {
            wider.slot[name_slot(&wider, names->slot[i])] = names->slot[i];
        }
    }
    free(names->slot);
    names->slot = wider.slot;
    names->slots = wider.slots;
    return 0;
}

/* A copy of `text` in a block that stays where it is, or NULL. */
static const char *name_copy(struct ho_names *names, const char *text)
{
    size_t len = strlen(text) + 1;
    struct name_block *b = names->blocks;

    if (b == NULL || b->room - b->used < len) {
        size_t room = len > NAME_BLOCK ? len : NAME_BLOCK;

        b = malloc(sizeof(*b) + room);
        if (b == NULL) {
            return NULL;
        }
        *b = (struct name_block){ .next = names->blocks, .room = room };
        names->blocks = b;
    }
    memcpy(b->text + b->used, text, len);
    b->used += len;
    return b->text + b->used - len;
}

const char *ho_timeline_name(struct ho_timeline *tl, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        return "";
    }
    if (tl->names == NULL) {
        tl->names = calloc(1, sizeof(*tl->names));
        if (tl->names == NULL) {
            return NULL;
        }
    }
    struct ho_names *names = tl->names;

    if (names->n + names->n / 2 >= names->slots && names_grow(names) != 0) {
        return NULL;
    }
    size_t i = name_slot(names, text);

    if (names->slot[i] == NULL) {
        names->slot[i] = name_copy(names, text);
        names->n += names->slot[i] != NULL;
    }
    return names->slot[i];
}

static void not_null(const char **text)
{
    if (*text == NULL) {
        *text = "";
    }
}

/* Absent texts become "", so that no view has to ask. */
static void fill_texts(struct ho_record *r)
{
    not_null(&r->host);
    not_null(&r->process);
    not_null(&r->conn);
    switch (r->kind) {
    case HO_REC_SETTINGS:
        not_null(&r->u.settings.scope);
        not_null(&r->u.settings.what);
        not_null(&r->u.settings.name);
        not_null(&r->u.settings.text);
        break;
    case HO_REC_SEG:
        not_null(&r->u.seg.to);
        not_null(&r->u.seg.via);
        break;
    case HO_REC_ND:
        not_null(&r->u.nd.to);
        not_null(&r->u.nd.via);
        break;
    case HO_REC_ICMP:
        not_null(&r->u.icmp.to);
        not_null(&r->u.icmp.via);
        not_null(&r->u.icmp.what);
        break;
    case HO_REC_APP:
        not_null(&r->u.app.call);
        not_null(&r->u.app.sock);
        not_null(&r->u.app.detail);
        not_null(&r->u.app.err);
        break;
    case HO_REC_SOCK:
        not_null(&r->u.sock.sock);
        not_null(&r->u.sock.state);
        not_null(&r->u.sock.err);
        not_null(&r->u.sock.err_soft);
        break;
    case HO_REC_NEIGH:
        not_null(&r->u.neigh.state);
        break;
    case HO_REC_NOTE:
        not_null(&r->u.note.text);
        break;
    case HO_REC_FAULT:
        not_null(&r->u.fault.verb);
        not_null(&r->u.fault.what);
        not_null(&r->u.fault.detail);
        if (r->u.fault.name == NULL || r->u.fault.name[0] == '\0') {
            r->u.fault.name = r->u.fault.verb;
        }
        break;
    case HO_REC_COUNT:
        assert(0 && "no such kind");
    }
}

/* Room for one more element of `size` bytes, `n` in use; *room is in elements. */
static int grow(void **array, size_t *room, size_t need, size_t size)
{
    if (need <= *room) {
        return 0;
    }
    size_t wide = *room == 0 ? 64 : *room;
    while (wide < need) {
        wide += wide / 2;
    }
    if (wide > SIZE_MAX / size) {
        return -ENOMEM;
    }
    void *p = realloc(*array, wide * size);
    if (p == NULL) {
        return -ENOMEM;
    }
    *array = p;
    *room = wide;
    return 0;
}

static int grow_indices(size_t **array, size_t *room, size_t need)
{
    void *p = *array;
    int err = grow(&p, room, need, sizeof(**array));

    *array = p;
    return err;
}

/* Notes that record `index` is the newest of its setting. */
static int note_setting(struct ho_timeline *tl, const struct ho_record *r, size_t index)
{
    struct ho_settings *s = tl->settings;
    size_t key = 0;

    if (s == NULL) {
        s = calloc(1, sizeof(*s));
        if (s == NULL) {
            return -ENOMEM;
        }
        tl->settings = s;
    }
    if (ho_groups_of(&s->keys, r->host, r->conn, r->u.settings.name, &key) != 0 ||
        grow_indices(&s->index, &s->room_index, s->n + 1) != 0 ||
        grow_indices(&s->before, &s->room_before, s->n + 1) != 0) {
        return -ENOMEM;
    }
    if (key >= s->n_newest) {
        size_t room = s->n_newest;

        if (grow_indices(&s->newest, &room, key + 1) != 0) {
            return -ENOMEM;
        }
        memset(s->newest + s->n_newest, 0, (room - s->n_newest) * sizeof(*s->newest));
        s->n_newest = room;
    }
    s->index[s->n] = index;
    s->before[s->n] = s->newest[key];
    s->newest[key] = ++s->n;
    return 0;
}

const struct ho_record *ho_timeline_setting(const struct ho_timeline *tl, size_t before,
                                            const char *scope, const char *host, const char *conn,
                                            const char *name)
{
    const struct ho_settings *s = tl->settings;
    size_t key = 0;

    if (s == NULL || ho_groups_find(&s->keys, host, conn, name, &key) != 0 || key >= s->n_newest) {
        return NULL;
    }
    for (size_t i = s->newest[key]; i != 0; i = s->before[i - 1]) {
        const struct ho_record *r = &tl->rec[s->index[i - 1]];

        if (s->index[i - 1] <= before && strcmp(r->u.settings.scope, scope) == 0) {
            return r;
        }
    }
    return NULL;
}

int ho_timeline_append_frame(struct ho_timeline *tl, const struct ho_record *rec,
                             const uint8_t *bytes, size_t len)
{
    void *array = tl->rec;

    assert(rec->kind < HO_REC_COUNT);
    if (tl->n >= tl->max) {
        tl->dropped++;
        return 0;
    }
    assert(tl->any_order || tl->n == 0 || !ho_time_before(rec->t, tl->rec[tl->n - 1].t));
    if (grow(&array, &tl->room, tl->n + 1, sizeof(*tl->rec)) != 0) {
        return -ENOMEM;
    }
    tl->rec = array;

    /* Beyond 4 GiB of frames a capture is of no use to anybody: the rest has no bytes. */
    bool keep = tl->keep_frames && len > 0 && tl->n_frames <= UINT32_MAX - len;
    if (keep) {
        array = tl->frames;
        if (grow(&array, &tl->room_frames, tl->n_frames + len, 1) != 0) {
            return -ENOMEM;
        }
        tl->frames = array;
        memcpy(tl->frames + tl->n_frames, bytes, len);
    }
    struct ho_record *r = &tl->rec[tl->n];
    *r = *rec;
    fill_texts(r);
    if (r->kind == HO_REC_SETTINGS && note_setting(tl, r, tl->n) != 0) {
        return -ENOMEM;
    }
    tl->n++;
    r->frame_at = keep ? (uint32_t)tl->n_frames : 0;
    r->frame_len = keep ? (uint32_t)len : 0;
    tl->n_frames += r->frame_len;
    return 0;
}

int ho_timeline_append(struct ho_timeline *tl, const struct ho_record *rec)
{
    return ho_timeline_append_frame(tl, rec, NULL, 0);
}

const char *ho_rec_kind_text(const struct ho_record *rec)
{
    static const char *const text[] = {
#define X(id, name) [HO_REC_##id] = (name),
        HO_REC_KINDS(X)
#undef X
    };

    assert(rec->kind < HO_REC_COUNT);
    return rec->kind == HO_REC_ND && !rec->u.nd.ipv6 ? "arp" : text[rec->kind];
}

const char *ho_fate_text(enum ho_fate fate)
{
    static const char *const text[] = {
#define X(id, name) [HO_FATE_##id] = (name),
        HO_FATES(X)
#undef X
    };

    assert(fate < HO_FATE_COUNT);
    return text[fate];
}

const char *ho_sock_timer_text(enum ho_sock_timer timer)
{
    static const char *const text[] = {
#define X(id, name) [HO_SOCK_TIMER_##id] = (name),
        HO_SOCK_TIMERS(X)
#undef X
    };

    assert(timer < HO_SOCK_TIMER_COUNT);
    return text[timer];
}
