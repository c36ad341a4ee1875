/* A comparison as a table for people. See timeline/compare.h; the table itself is join_text.c's: a
 * comparison is the join (timeline/join.h) of one side.
 */

#include <inttypes.h>

#include "timeline/compare.h"
#include "timeline/join.h"
#include "timeline/view.h"

static void words_of_seg(struct ho_text *out, const struct ho_rec_seg *s)
{
    char word[HO_VIEW_WORD];

    ho_text_put(out, ho_view_flags(s->flags, word));
    ho_text_printf(out, " %" PRIu32, s->seq);
    if (s->len > 0) {
        ho_text_printf(out, " +%" PRIu32, s->len);
    }
    if ((s->flags & HO_TCP_ACK) != 0) {
        ho_text_printf(out, " ack %" PRIu32, s->ack);
    }
}

static void words_of_app(struct ho_text *out, const struct ho_rec_app *a)
{
    char word[HO_VIEW_WORD];

    ho_text_put(out, a->call);
    ho_text_put(out, a->detail[0] != '\0' ? " " : "");
    ho_text_put(out, a->detail);
    ho_text_put(out, " = ");
    ho_text_int(out, a->ret);
    if (a->err[0] != '\0') {
        ho_text_char(out, ' ');
        ho_text_put(out, a->err);
    }
    if (a->has_events) {
        ho_text_char(out, ' ');
        ho_text_put(out, ho_view_events(a->events, word));
    }
}

void ho_compare_words(struct ho_text *out, const struct ho_record *rec)
{
    char addr[HO_ADDR_TEXT];

    switch (rec->kind) {
    case HO_REC_SEG:
        words_of_seg(out, &rec->u.seg);
        break;
    case HO_REC_ND:
        ho_text_printf(out, "%s %s %s", ho_rec_kind_text(rec),
                       rec->u.nd.answer ? "is-at" : "who-has",
                       ho_addr_text(&rec->u.nd.target, addr));
        break;
    case HO_REC_ICMP:
        ho_text_printf(out, "icmp %s", rec->u.icmp.what);
        break;
    case HO_REC_APP:
        words_of_app(out, &rec->u.app);
        break;
    case HO_REC_SOCK:
        ho_text_put(out, rec->u.sock.state);
        break;
    case HO_REC_NEIGH:
        ho_text_printf(out, "neighbour %s %s", ho_addr_text(&rec->u.neigh.addr, addr),
                       rec->u.neigh.state);
        break;
    case HO_REC_NOTE:
        ho_text_put(out, rec->u.note.text);
        break;
    case HO_REC_FAULT:
        ho_view_put_fault(out, rec);
        break;
    case HO_REC_SETTINGS:
        ho_text_put(out, rec->u.settings.name);
        break;
    case HO_REC_COUNT:
        break;
    }
    if (ho_view_fate(rec) != HO_FATE_FWD) {
        ho_text_put(out, ", ");
        ho_text_put(out, ho_fate_text(ho_view_fate(rec)));
    }
}

void ho_comparison_row(struct ho_text *out, const struct ho_compare_row *r, const char *a,
                       const char *b)
{
    const struct ho_join_side side = { .name = b };
    const struct ho_join j = { .name = a, .side = &side, .sides = 1 };
    const struct ho_join_row row = { .base = r->a, .base_ns = r->a_ns, .side[0] = r };

    ho_join_row(out, &j, &row);
}

static void put_sum(struct ho_text *out, const struct ho_comparison *c, const char *a,
                    const char *b)
{
    if (c->first == c->n) {
        ho_text_printf(out, "%s and %s agree within ", a, b);
        ho_text_dur(out, ho_ns(c->worst_ns));
        ho_text_printf(out, " (%zu events)\n", c->n);
        return;
    }
    ho_text_printf(out, "%zu of %zu events agree; the first difference:\n", c->same, c->n);
    ho_comparison_row(out, &c->row[c->first], a, b);
}

void ho_comparison_table(struct ho_text *out, const struct ho_comparison *c, const char *a,
                         const char *b, bool differences)
{
    const struct ho_join_side side = { .name = b };
    const struct ho_join j = { .name = a, .side = &side, .sides = 1 };
    bool headed = false;

    for (size_t i = 0; i < c->n; i++) {
        if (differences && c->row[i].status == HO_COMPARE_SAME) {
            continue;
        }
        if (!headed) {
            ho_join_head(out, &j);
            headed = true;
        }
        ho_comparison_row(out, &c->row[i], a, b);
    }
}

void ho_comparison_text(struct ho_text *out, const struct ho_comparison *c, const char *a,
                        const char *b, bool differences)
{
    ho_comparison_table(out, c, a, b, differences);
    put_sum(out, c, a, b);
}
