/* Phases of a cut stream. See truth_bulk.h. */

#include "support/truth_bulk.h"

#include <stdlib.h>
#include <string.h>

#define PERCENT 20
#define LEAST_US 28000 /* 2 jiffies and 20 ms: what a single event may be late */

struct phases {
    int64_t lost;       /* data segments that did not arrive, from the first loss to the plug */
    int64_t resent_us;  /* the first repeat after the first loss */
    int64_t arrives_us; /* the first data segment that arrives after the first loss */
    int64_t refill_us;  /* from there until all that was sent before it is acknowledged */
    bool whole;         /* both ends agree on the bytes, and none is wrong */
};

/* "PA 801:801 len 1448 fwd": its numbers. */
static bool data_of(const struct ho_truth_rec *r, int host, int64_t *ret_seq, int64_t *ret_ack,
                    int64_t *ret_len, bool *ret_fwd)
{
    const char *seq = strchr(r->text, ' '), *ack = strchr(r->text, ':');
    const char *len = strstr(r->text, " len ");
    if (r->kind != HO_TRUTH_SEG || r->who != host || seq == NULL || ack == NULL || len == NULL) {
        return false;
    }
    *ret_seq = ho_truth_num(seq + 1);
    *ret_ack = ho_truth_num(ack + 1);
    *ret_len = ho_truth_num(len + 5);
    *ret_fwd = strstr(len, "fwd") != NULL;
    return true;
}

/* The bytes that `status` lines tell: what one end sent the other has received. */
static bool is_whole(const struct ho_truth_recs *list)
{
    long tx[2] = { -1, -1 }, rx[2] = { -1, -1 }, bad[2] = { -1, -1 };
    int n = 0;
    for (size_t i = 0; i < list->n && n < 2; i++) {
        const char *text = list->r[i].text;
        char sock[8];
        if (sscanf(text, "status %7s %ld,%ld= %ld", sock, &tx[n], &rx[n], &bad[n]) == 4) {
            n++;
        }
    }
    return n == 2 && bad[0] == 0 && bad[1] == 0 && tx[0] == rx[1] && tx[1] == rx[0];
}

static struct phases phases_of(const struct ho_truth_recs *list)
{
    struct phases p = { .resent_us = -1, .arrives_us = -1, .refill_us = -1 };
    int64_t top = 0, sent_before = -1, seq, ack, len;
    bool fwd, losing = false;
    for (size_t i = 0; i < list->n; i++) {
        const struct ho_truth_rec *r = &list->r[i];
        if (data_of(r, 1, &seq, &ack, &len, &fwd) && len > 0) {
            losing = losing || !fwd;
            p.lost += !fwd;
            if (losing && p.resent_us < 0 && seq < top) {
                p.resent_us = r->t_us;
            }
            if (losing && fwd && p.arrives_us < 0 && r->t_us > 0) {
                p.arrives_us = r->t_us;
                sent_before = top;
            }
            top = seq + len > top ? seq + len : top;
        } else if (data_of(r, 0, &seq, &ack, &len, &fwd) && sent_before >= 0 && p.refill_us < 0 &&
                   ack >= sent_before) {
            p.refill_us = r->t_us - p.arrives_us;
        }
    }
    p.whole = is_whole(list);
    return p;
}

static void check(struct ho_truth_result *r, const char *what, int64_t file, int64_t model,
                  int64_t least)
{
    int64_t far = model > file ? model - file : file - model, allowed = file * PERCENT / 100;
    r->compared[HO_TRUTH_C_ORDER]++;
    r->fields++;
    r->bulk_phases++;
    if (file > 1 && (double)far * 100.0 / (double)file > r->bulk_percent) {
        r->bulk_percent = (double)far * 100.0 / (double)file;
    }
    if (file >= 0 && model >= 0 && far <= (allowed > least ? allowed : least)) {
        return;
    }
    r->diffs = realloc(r->diffs, (r->n_diffs + 1) * sizeof(r->diffs[0]));
    if (r->diffs == NULL) {
        abort();
    }
    struct ho_truth_diff *d = &r->diffs[r->n_diffs++];
    *d = (struct ho_truth_diff){ .what = HO_TRUTH_C_ORDER };
    (void)snprintf(d->where, sizeof(d->where), "bulk");
    (void)snprintf(d->expected, sizeof(d->expected), "%s %lld", what, (long long)file);
    (void)snprintf(d->got, sizeof(d->got), "%lld", (long long)model);
    r->count[HO_TRUTH_C_ORDER]++;
}

void ho_truth_compare_bulk(struct ho_truth_result *r)
{
    struct phases file = phases_of(&r->expected), model = phases_of(&r->got);
    r->n_diffs = 0;
    r->room = 0;
    r->worst_us = 0;
    r->fields = r->unknown = 0;
    memset(r->n_of_field, 0, sizeof(r->n_of_field));
    memset(r->same_of_field, 0, sizeof(r->same_of_field));
    memset(r->within, 0, sizeof(r->within));
    memset(r->count, 0, sizeof(r->count));
    memset(r->compared, 0, sizeof(r->compared));
    check(r, "something was lost", file.lost > 0, model.lost > 0, 0);
    check(r, "first repeat at (us)", file.resent_us, model.resent_us, LEAST_US);
    check(r, "first arrival at (us)", file.arrives_us, model.arrives_us, LEAST_US);
    check(r, "refill takes (us)", file.refill_us, model.refill_us, LEAST_US);
    check(r, "whole", file.whole, model.whole, 0);
}
