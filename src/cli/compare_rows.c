/* A comparison as JSON: what both forms of `halfopen compare` write. */

#include "cli/compare.h"

/* An event up to what else is said of it; false: null, there is none and nothing to close. */
static bool begin_event(struct ho_text *out, const char *name, const struct ho_record *rec,
                        int64_t ns)
{
    struct ho_text what = { 0 };

    ho_text_printf(out, ",\"%s\":", name);
    if (rec == NULL) {
        ho_text_put(out, "null");
        return false;
    }
    ho_compare_words(&what, rec);
    ho_text_put(out, "{\"t_s\":");
    ho_text_seconds(out, ns, 6);
    ho_text_put(out, ",\"what\":");
    ho_text_json(out, ho_text_str(&what));
    ho_text_end_part(out, &what);
    return true;
}

static void put_json_event(struct ho_text *out, const char *name, const struct ho_record *rec,
                           int64_t ns)
{
    if (begin_event(out, name, rec, ns)) {
        ho_text_char(out, '}');
    }
}

static const char *const words[] = {
    [HO_COMPARE_SAME] = "same",   [HO_COMPARE_STEP] = "step",     [HO_COMPARE_TIME] = "time",
    [HO_COMPARE_OTHER] = "other", [HO_COMPARE_ONLY_A] = "only a", [HO_COMPARE_ONLY_B] = "only b",
};

void ho_compare_json_row(struct ho_text *out, const struct ho_compare_row *r)
{
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

/* ,"kernel":{"t_s":..,"what":..,"status":..,"apart_s":..}, or null where a side has it not. */
static void put_json_side(struct ho_text *out, const char *name, const struct ho_compare_row *r)
{
    if (!begin_event(out, name, r != NULL ? r->b : NULL, r != NULL ? r->b_ns : 0)) {
        return;
    }
    ho_text_printf(out, ",\"status\":\"%s\",\"apart_s\":", words[r->status]);
    if (r->a != NULL) {
        ho_text_seconds(out, r->apart_ns, 6);
    } else {
        ho_text_put(out, "null");
    }
    ho_text_char(out, '}');
}

static void put_json_joined(struct ho_text *out, const struct ho_join *j,
                            const struct ho_join_row *r)
{
    const struct ho_record *rec = ho_join_record(j, r);

    ho_text_printf(
        out, "{\"same\":%s,\"host\":", ho_join_status(j, r) == HO_COMPARE_SAME ? "true" : "false");
    ho_text_json(out, rec->host);
    ho_text_put(out, ",\"conn\":");
    ho_text_json(out, rec->conn);
    ho_text_put(out, ",\"kind\":");
    ho_text_json(out, ho_rec_kind_text(rec));
    put_json_event(out, j->name, r->base, r->base_ns);
    for (size_t s = 0; s < j->sides; s++) {
        put_json_side(out, j->side[s].name, r->side[s]);
    }
    ho_text_char(out, '}');
}

void ho_compare_json_join(struct ho_text *out, const struct ho_join *j, bool differences)
{
    bool first = true;

    ho_text_put(out, "\"rows\":[");
    for (size_t i = 0; i < j->n; i++) {
        if (!differences || ho_join_status(j, &j->row[i]) != HO_COMPARE_SAME) {
            ho_text_put(out, first ? "\n" : ",\n");
            put_json_joined(out, j, &j->row[i]);
            first = false;
        }
    }
    ho_text_char(out, ']');
}
