/* The rows of a ladder, before they are drawn. Internal to ladder*.c. */

#ifndef HO_TIMELINE_LADDER_ROW_H
#define HO_TIMELINE_LADDER_ROW_H

#include "timeline/ladder.h"

#define LADDER_LABEL 112 /* bytes of an arrow's or band's label, with the final 0 */

enum ladder_kind {
    LADDER_SIDE,  /* texts at the sides only */
    LADDER_ARROW, /* a frame between the hosts */
    LADDER_BAND,  /* a fault or a note, across */
    LADDER_FOLD,  /* rows that repeat: `label` says how often */
    LADDER_END
};

struct ladder_row {
    struct ho_time t, arrival; /* arrival HO_NEVER if it has none */
    enum ladder_kind kind;
    bool from_left, lost, no_carrier;
    bool hidden;             /* part of a fold */
    bool error[2];           /* the side's text tells an error */
    uint32_t sign;           /* equal for rows that differ in time and number only */
    uint32_t times;          /* segments in this row: bursts share one */
    uint32_t seq, next, ack; /* of plain data and ACKs: what the row covers */
    char label[LADDER_LABEL];
    size_t side[2]; /* offsets of the sides' texts in ladder.texts; 0: none */
};

struct ladder {
    const struct ho_timeline *tl;
    struct ho_ladder_opts opts;
    const char *host[2]; /* left, right */
    struct ho_time since;
    struct ladder_row *row;
    size_t n, room;
    struct ho_text texts; /* begins with a 0 byte: offset 0 is "" */
    int err;
};

/* Makes the rows of l->tl for l->opts. Returns 0; -ENOENT; -ENOMEM. */
int ladder_make(struct ladder *l);

/* Hides rows that repeat behind LADDER_FOLD rows. Returns 0; -ENOMEM. */
int ladder_fold(struct ladder *l);

/* A new row at `t`, zeroed; NULL without memory. */
struct ladder_row *ladder_add(struct ladder *l, struct ho_time t, enum ladder_kind kind);

static inline const char *ladder_side(const struct ladder *l, const struct ladder_row *r, int side)
{
    return r->side[side] == 0 ? "" : ho_text_str(&l->texts) + r->side[side];
}

#endif
