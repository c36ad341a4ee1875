/* A private timeline, whose records came in any order, sorted into the caller's. */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "play/trace.h"

#define TEXTS_MAX 8

/* A record of the private timeline, and what its place in the other one follows from. */
struct place {
    int64_t t;
    bool later; /* at the beginning: after the settings of the world */
    size_t index;
};

static struct place place_of(const struct ho_record *r, size_t index)
{
    bool first = r->t.ns <= 0 && r->kind == HO_REC_SETTINGS && r->conn[0] == '\0';

    return (struct place){ r->t.ns < 0 ? 0 : r->t.ns, !first, index };
}

static int compare(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;

    if (x->t != y->t) {
        return x->t < y->t ? -1 : 1;
    }
    if (x->later != y->later) {
        return x->later ? 1 : -1;
    }
    return x->index < y->index ? -1 : 1;
}

/* The texts of what the record says, after the three that every record has. */
static size_t texts_of(struct ho_record *r, const char **ret[TEXTS_MAX])
{
    const char **settings[] = { &r->u.settings.scope, &r->u.settings.what, &r->u.settings.name,
                                &r->u.settings.text };
    const char **app[] = { &r->u.app.call, &r->u.app.sock, &r->u.app.detail, &r->u.app.err };
    const char **sock[] = { &r->u.sock.sock, &r->u.sock.state, &r->u.sock.err,
                            &r->u.sock.err_soft };
    const char **fault[] = { &r->u.fault.name, &r->u.fault.verb, &r->u.fault.what,
                             &r->u.fault.detail };
    const char **icmp[] = { &r->u.icmp.to, &r->u.icmp.via, &r->u.icmp.what };
    const char **seg[] = { &r->u.seg.to, &r->u.seg.via };
    const char **nd[] = { &r->u.nd.to, &r->u.nd.via };
    const char **neigh[] = { &r->u.neigh.state };
    const char **note[] = { &r->u.note.text };
    const struct {
        const char ***text;
        size_t n;
    } of[] = {
        [HO_REC_SETTINGS] = { settings, 4 },
        [HO_REC_SEG] = { seg, 2 },
        [HO_REC_ND] = { nd, 2 },
        [HO_REC_ICMP] = { icmp, 3 },
        [HO_REC_APP] = { app, 4 },
        [HO_REC_SOCK] = { sock, 4 },
        [HO_REC_NEIGH] = { neigh, 1 },
        [HO_REC_NOTE] = { note, 1 },
        [HO_REC_FAULT] = { fault, 4 },
    };

    assert(r->kind < HO_REC_COUNT);
    ret[0] = &r->host;
    ret[1] = &r->process;
    ret[2] = &r->conn;
    memcpy(ret + 3, of[r->kind].text, of[r->kind].n * sizeof(*ret));
    return 3 + of[r->kind].n;
}

static int append(struct ho_trace *tr, struct ho_play_conn *const *by_serial,
                  const struct place *place, struct ho_timeline *to)
{
    struct ho_record r = tr->tl->rec[place->index];
    const char **text[TEXTS_MAX];
    size_t n = texts_of(&r, text);

    for (size_t i = 0; i < n; i++) {
        *text[i] = ho_timeline_name(to, ho_play_conns_text(by_serial, *text[i]));
        if (*text[i] == NULL) {
            return -ENOMEM;
        }
    }
    r.t.ns = place->t;
    return ho_timeline_append_frame(to, &r, r.frame_len != 0 ? tr->tl->frames + r.frame_at : NULL,
                                    r.frame_len);
}

int ho_trace_merge(struct ho_trace *tr, struct ho_timeline *to)
{
    const struct ho_timeline *from = tr->tl;
    struct ho_play_conn **by_serial = ho_play_conns_list(&tr->conns);
    struct place *place = calloc(from->n + 1, sizeof(*place));
    int err = by_serial == NULL || place == NULL ? -ENOMEM : 0;

    for (size_t i = 0; i < from->n && err == 0; i++) {
        place[i] = place_of(&from->rec[i], i);
    }
    if (err == 0) {
        qsort(place, from->n, sizeof(*place), compare);
        err = from->n > 0 && to->n > 0 && place[0].t < to->rec[to->n - 1].t.ns ? -EINVAL : 0;
    }
    for (size_t i = 0; i < from->n && err == 0; i++) {
        err = append(tr, by_serial, &place[i], to);
    }
    if (err == 0) {
        to->dropped += from->dropped;
    }
    free(by_serial);
    free(place);
    return err;
}
