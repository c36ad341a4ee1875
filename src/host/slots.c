/* Numbered objects in chunks: see slots.h. The table of chunks doubles; chunks stay where they are
 * until the store is destroyed.
 */

#include "host/slots.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void ho_slots_init(struct ho_slots *s, size_t size, uint32_t max)
{
    assert(max < HO_SLOT_NONE);
    *s = (struct ho_slots){ .size = (size + 7) / 8 * 8, .max = max, .free = HO_SLOT_NONE };
}

void ho_slots_destroy(struct ho_slots *s)
{
    for (uint32_t i = 0; i < s->n_chunks; i++) {
        free(s->chunk[i]);
    }
    free(s->chunk);
    ho_slots_init(s, s->size, s->max);
}

static int add_chunk(struct ho_slots *s)
{
    if (s->n_chunks == s->cap_chunks) {
        uint32_t cap = s->cap_chunks == 0 ? 8 : s->cap_chunks * 2;
        unsigned char **table = realloc(s->chunk, cap * sizeof(*table));
        if (table == NULL) {
            return -1;
        }
        s->chunk = table;
        s->cap_chunks = cap;
    }
    unsigned char *chunk = malloc(HO_SLOT_HEAD + HO_SLOT_CHUNK * s->size);
    if (chunk == NULL) {
        return -1;
    }
    *(uint32_t *)(void *)chunk = s->n_chunks * HO_SLOT_CHUNK;
    s->chunk[s->n_chunks++] = chunk;
    return 0;
}

void *ho_slots_get(struct ho_slots *s, uint32_t *ret_number)
{
    uint32_t number = s->free;
    unsigned char *obj;

    if (s->used == s->max) {
        return NULL;
    }
    if (number != HO_SLOT_NONE) {
        obj = ho_slots_at(s, number);
        memcpy(&s->free, obj, sizeof(s->free));
        memset(obj, 0, sizeof(s->free));
    } else {
        if (s->top == s->n_chunks * HO_SLOT_CHUNK && add_chunk(s) != 0) {
            return NULL;
        }
        number = s->top++;
        obj = ho_slots_at(s, number);
        memset(obj, 0, s->size);
    }
    s->used++;
    *ret_number = number;
    return obj;
}

void ho_slots_put(struct ho_slots *s, uint32_t number)
{
    unsigned char *obj = ho_slots_at(s, number);

    assert(number < s->top && s->used > 0);
    memset(obj, 0, s->size);
    memcpy(obj, &s->free, sizeof(s->free));
    s->free = number;
    s->used--;
}
