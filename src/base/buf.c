/* Two sizes and nothing in between: what a TCP host sends is either headers alone or a full
 * frame, and two pools cannot fragment.
 */

#include "base/buf.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

void ho_bufpool_init(struct ho_bufpool *p, size_t max)
{
    ho_pool_init(&p->small, sizeof(struct ho_buf) + HO_BUF_SMALL, max);
    ho_pool_init(&p->large, sizeof(struct ho_buf) + HO_BUF_LARGE, max);
}

void ho_bufpool_destroy(struct ho_bufpool *p)
{
    ho_pool_destroy(&p->small);
    ho_pool_destroy(&p->large);
}

struct ho_buf *ho_buf_get(struct ho_bufpool *p, size_t headroom, size_t room)
{
    if (headroom > HO_BUF_LARGE || room > HO_BUF_LARGE - headroom) {
        return NULL;
    }
    bool small = headroom + room <= HO_BUF_SMALL;
    struct ho_buf *b = ho_pool_take(small ? &p->small : &p->large);
    if (b == NULL) {
        return NULL;
    }
    *b = (struct ho_buf){
        .head = (uint16_t)headroom,
        .cap = small ? HO_BUF_SMALL : HO_BUF_LARGE,
    };
    return b;
}

void ho_buf_put(struct ho_bufpool *p, struct ho_buf *b)
{
    if (b == NULL) {
        return;
    }
    assert(b->cap == HO_BUF_SMALL || b->cap == HO_BUF_LARGE);
    ho_pool_put(b->cap == HO_BUF_SMALL ? &p->small : &p->large, b);
}

struct ho_buf *ho_buf_copy(struct ho_bufpool *p, const struct ho_buf *b)
{
    assert(b->head + b->len <= b->cap);
    struct ho_buf *copy = ho_buf_get(p, 0, b->cap);
    if (copy == NULL) {
        return NULL;
    }
    copy->head = b->head;
    copy->len = b->len;
    copy->user = b->user;
    copy->tag[0] = b->tag[0];
    copy->tag[1] = b->tag[1];
    memcpy(copy->data + b->head, b->data + b->head, b->len);
    return copy;
}

void ho_bufq_push(struct ho_bufq *q, struct ho_buf *b)
{
    b->next = NULL;
    if (q->last != NULL) {
        q->last->next = b;
    } else {
        q->first = b;
    }
    q->last = b;
    q->count++;
}

struct ho_buf *ho_bufq_shift(struct ho_bufq *q)
{
    struct ho_buf *b = q->first;

    if (b == NULL) {
        return NULL;
    }
    q->first = b->next;
    if (q->first == NULL) {
        q->last = NULL;
    }
    q->count--;
    b->next = NULL;
    return b;
}
