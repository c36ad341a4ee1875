/* A comparison as JSON: what both forms of `halfopen compare` write. */

#include "cli/compare.h"

static void put_json_event(struct ho_text *out, const char *name, const struct ho_record *rec,
                           int64_t ns)
{
    struct ho_text words = { 0 };

    ho_text_printf(out, ",\"%s\":", name);
    if (rec == NULL) {
        ho_text_put(out, "null");
        return;
    }
    ho_compare_words(&words, rec);
    ho_text_put(out, "{\"t_s\":");
    ho_text_seconds(out, ns, 6);
    ho_text_put(out, ",\"what\":");
    ho_text_json(out, ho_text_str(&words));
    ho_text_char(out, '}');
    if (words.err != 0) {
        out->err = words.err;
    }
    ho_text_free(&words);
}

void ho_compare_json_row(struct ho_text *out, const struct ho_compare_row *r)
{
    static const char *const words[] = {
        [HO_COMPARE_SAME] = "same",     [HO_COMPARE_STEP] = "step",
        [HO_COMPARE_TIME] = "time",     [HO_COMPARE_OTHER] = "other",
        [HO_COMPARE_ONLY_A] = "only a", [HO_COMPARE_ONLY_B] = "only b",
    };
    const struct ho_record *rec = r->a != NULL ? r->a : r->b;

    ho_text_printf(out, "{\"status\":\"%s\",\"host\":", words[r->status]);
    ho_text_json(out, rec->host);
    ho_text_put(out, ",\"conn\":");
    ho_text_json(out, rec->conn);
    ho_text_put(out, ",\"kind\":");
    ho_text_json(out, ho_rec_kind_text(rec));
    put_json_event(out, "a", r->a, r->a_ns);
    put_json_event(out, "b", r->b, r->b_ns);
    ho_text_put(out, ",\"apart_s\":");
    if (r->a != NULL && r->b != NULL) {
        ho_text_seconds(out, r->apart_ns, 6);
    } else {
        ho_text_put(out, "null");
    }
    ho_text_char(out, '}');
}

void ho_compare_json_rows(struct ho_text *out, const struct ho_comparison *c, bool differences)
{
    bool first = true;

    ho_text_printf(out, ",\"events\":%zu,\"same\":%zu,\"worst_s\":", c->n, c->same);
    ho_text_seconds(out, c->worst_ns, 6);
    ho_text_put(out, ",\"first_difference\":");
    if (c->first < c->n) {
        ho_compare_json_row(out, &c->row[c->first]);
    } else {
        ho_text_put(out, "null");
    }
    ho_text_put(out, ",\"rows\":[");
    for (size_t i = 0; i < c->n; i++) {
        if (!differences || c->row[i].status != HO_COMPARE_SAME) {
            ho_text_put(out, first ? "\n" : ",\n");
            ho_compare_json_row(out, &c->row[i]);
            first = false;
        }
    }
    ho_text_char(out, ']');
}
