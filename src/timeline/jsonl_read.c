/* Reading a timeline from JSON lines: the reverse of jsonl.c, by the same table of fields. */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "timeline/json.h"
#include "timeline/jsonl.h"
#include "timeline/jsonl_fields.h"
#include "timeline/view.h"

struct reader {
    struct ho_timeline *tl;
    struct ho_json json;
    struct ho_jsonl_error *error;
    size_t line;
};

/* Says what is wrong `at` bytes into the line. Returns -EINVAL. */
static int complain(struct reader *r, size_t at, const char *what, const char *name)
{
    if (r->error != NULL) {
        r->error->line = r->line;
        r->error->column = at + 1;
        snprintf(r->error->what, sizeof(r->error->what), "%s%s%s", what, name[0] ? ": " : "", name);
    }
    return -EINVAL;
}

static int need(struct reader *r, const char *name, enum ho_json_type type,
                const struct ho_json_field **ret)
{
    const struct ho_json_field *f = ho_json_find(&r->json, name);

    if (f == NULL) {
        return complain(r, 0, "a field is missing", name);
    }
    if (f->type != type) {
        return complain(r, f->at, "a value of another type is expected", name);
    }
    *ret = f;
    return 0;
}

/* The field as a name of the timeline. */
static int take_text(struct reader *r, const char *name, const char **ret)
{
    const struct ho_json_field *f = NULL;
    int err = need(r, name, HO_JSON_TEXT, &f);

    if (err == 0) {
        assert(f != NULL);
        *ret = ho_timeline_name(r->tl, ho_json_text(&r->json, f));
        err = *ret == NULL ? -ENOMEM : 0;
    }
    return err;
}

static int take_text_or_null(struct reader *r, const char *name, const char **ret)
{
    const struct ho_json_field *f = ho_json_find(&r->json, name);

    if (f != NULL && f->type == HO_JSON_NULL) {
        *ret = "";
        return 0;
    }
    return take_text(r, name, ret);
}

static int take_int(struct reader *r, const char *name, int64_t min, int64_t max, int64_t *ret)
{
    const struct ho_json_field *f = NULL;
    int err = need(r, name, HO_JSON_INT, &f);

    if (err != 0) {
        return err;
    }
    assert(f != NULL);
    if (f->ints[0] < min || f->ints[0] > max) {
        return complain(r, f->at, "the number is out of its range", name);
    }
    *ret = f->ints[0];
    return 0;
}

static int take_bool(struct reader *r, const char *name, bool *ret)
{
    const struct ho_json_field *f = ho_json_find(&r->json, name);

    if (f == NULL || (f->type != HO_JSON_TRUE && f->type != HO_JSON_FALSE)) {
        return complain(r, f == NULL ? 0 : f->at, "true or false is expected", name);
    }
    *ret = f->type == HO_JSON_TRUE;
    return 0;
}

static int take_value(struct reader *r, struct ho_rec_settings *s)
{
    const struct ho_json_field *f = ho_json_find(&r->json, "value");

    if (f != NULL && f->type == HO_JSON_TEXT) {
        return take_text(r, "value", &s->text);
    }
    s->text = "";
    return take_int(r, "value", INT64_MIN, INT64_MAX, &s->value);
}

static int take_ack(struct reader *r, struct ho_rec_seg *seg)
{
    const struct ho_json_field *f = ho_json_find(&r->json, "ack");
    int64_t v = 0;
    int err = 0;

    if (f == NULL || f->type != HO_JSON_NULL) {
        err = take_int(r, "ack", 0, UINT32_MAX, &v);
    }
    if (err == 0 && f != NULL && (f->type == HO_JSON_NULL) == ((seg->flags & HO_TCP_ACK) != 0)) {
        return complain(r, f->at, "a number with flag A, null without it", "ack");
    }
    seg->ack = (uint32_t)v;
    return err;
}

static int take_ints(struct reader *r, const char *name, enum ho_json_type type, unsigned max,
                     uint32_t *ret, unsigned *ret_n)
{
    const struct ho_json_field *f = NULL;
    int err = need(r, name, type, &f);

    if (err == 0 && (f->n_ints > max || f->n_ints % 2 != 0)) {
        return complain(r, f->at, "pairs of numbers are expected", name);
    }
    for (unsigned i = 0; err == 0 && i < f->n_ints; i++) {
        if (f->ints[i] < 0 || f->ints[i] > UINT32_MAX) {
            return complain(r, f->at, "the number is out of its range", name);
        }
        ret[i] = (uint32_t)f->ints[i];
    }
    *ret_n = err == 0 ? f->n_ints : 0;
    return err;
}

static int take_ts(struct reader *r, struct ho_rec_seg *seg)
{
    uint32_t v[2] = { 0 };
    unsigned n = 0;
    int err = take_ints(r, "ts", HO_JSON_ARRAY, 2, v, &n);

    seg->ts_val = v[0];
    seg->ts_ecr = v[1];
    return err;
}

static int take_sack(struct reader *r, struct ho_rec_seg *seg)
{
    uint32_t v[2 * HO_TCP_SACK_BLOCKS] = { 0 };
    unsigned n = 0;
    int err = 0;

    if (ho_json_find(&r->json, "sack") != NULL) {
        err = take_ints(r, "sack", HO_JSON_PAIRS, 2 * HO_TCP_SACK_BLOCKS, v, &n);
    }
    seg->n_sack = (uint8_t)(n / 2);
    for (unsigned i = 0; i < n / 2; i++) {
        seg->sack[i] = (struct ho_tcp_sack){ v[2 * (size_t)i], v[2 * (size_t)i + 1] };
    }
    return err;
}

/* Finds a word in a list of texts. */
static int take_word(struct reader *r, const char *name, const char *(*text)(int), int count,
                     int *ret)
{
    const struct ho_json_field *f = NULL;
    int err = need(r, name, HO_JSON_TEXT, &f);

    for (int i = 0; err == 0 && i < count; i++) {
        if (strcmp(text(i), ho_json_text(&r->json, f)) == 0) {
            *ret = i;
            return 0;
        }
    }
    return err != 0 ? err : complain(r, f->at, "an unknown word", ho_json_text(&r->json, f));
}

static const char *fate_word(int i)
{
    return ho_fate_text((enum ho_fate)i);
}

static const char *timer_word(int i)
{
    return ho_sock_timer_text((enum ho_sock_timer)i);
}

static const char *op_word(int i)
{
    return i == 1 ? "is-at" : "who-has";
}

static void set_fate(struct ho_record *rec, enum ho_fate fate)
{
    if (rec->kind == HO_REC_SEG) {
        rec->u.seg.fate = fate;
    } else if (rec->kind == HO_REC_ND) {
        rec->u.nd.fate = fate;
    } else {
        rec->u.icmp.fate = fate;
    }
}

/* Values that are written as a word of their own. */
static int take_special(struct reader *r, const struct jsonl_field *f, struct ho_record *rec,
                        void *p)
{
    const struct ho_json_field *v = NULL;
    int index = 0;
    int err;

    switch (f->type) {
    case JSONL_FATE:
        err = take_word(r, f->name, fate_word, HO_FATE_COUNT, &index);
        set_fate(rec, (enum ho_fate)index);
        return err;
    case JSONL_TIMER:
        err = take_word(r, f->name, timer_word, HO_SOCK_TIMER_COUNT, &index);
        rec->u.sock.timer = (enum ho_sock_timer)index;
        return err;
    case JSONL_OP:
        err = take_word(r, f->name, op_word, 2, &index);
        rec->u.nd.answer = index == 1;
        return err;
    default:
        break;
    }
    err = need(r, f->name, HO_JSON_TEXT, &v);
    if (err != 0) {
        return err;
    }
    const char *text = ho_json_text(&r->json, v);
    struct ho_addr addr = { { 0 } };

    if (f->type == JSONL_FLAGS) {
        err = ho_view_parse_flags(&rec->u.seg.flags, text);
    } else if (f->type == JSONL_EVENTS) {
        err = ho_view_parse_events(&rec->u.app.events, text);
    } else {
        err = ho_addr_parse(&addr, text);
        memcpy(p, &addr, sizeof(addr));
    }
    return err == 0 ? 0 : complain(r, v->at, "a word that makes no sense here", text);
}

static int take_number(struct reader *r, const struct jsonl_field *f, void *p)
{
    int64_t max = f->type == JSONL_U8 ? UINT8_MAX : f->type == JSONL_U16 ? UINT16_MAX : UINT32_MAX;
    int64_t v = 0;
    int err = take_int(r, f->name, 0, max, &v);

    if (err == 0 && f->type == JSONL_U8) {
        memcpy(p, &(uint8_t){ (uint8_t)v }, sizeof(uint8_t));
    } else if (err == 0 && f->type == JSONL_U16) {
        memcpy(p, &(uint16_t){ (uint16_t)v }, sizeof(uint16_t));
    } else if (err == 0) {
        memcpy(p, &(uint32_t){ (uint32_t)v }, sizeof(uint32_t));
    }
    return err;
}

static int take_field(struct reader *r, const struct jsonl_field *f, struct ho_record *rec)
{
    void *p = (char *)rec + f->at;
    const char *text = "";
    int64_t v = 0;
    bool yes = false;
    int err;

    switch (f->type) {
    case JSONL_TEXT:
    case JSONL_TEXT_OPT:
    case JSONL_TEXT_NULL:
        err = f->type == JSONL_TEXT_NULL ? take_text_or_null(r, f->name, &text)
                                         : take_text(r, f->name, &text);
        memcpy(p, &text, sizeof(const char *));
        return err;
    case JSONL_BOOL:
    case JSONL_BOOL_OPT:
        err = take_bool(r, f->name, &yes);
        memcpy(p, &yes, sizeof(yes));
        return err;
    case JSONL_I64:
    case JSONL_U64_OPT:
        err = take_int(r, f->name, f->type == JSONL_I64 ? INT64_MIN : 0, INT64_MAX, &v);
        memcpy(p, &v, sizeof(v));
        return err;
    case JSONL_DUR:
    case JSONL_DT:
        err = take_int(r, f->name, 0, INT64_MAX / 1000, &v);
        v *= 1000;
        memcpy(p, &v, sizeof(v));
        return err;
    case JSONL_U8:
    case JSONL_U16:
    case JSONL_U32:
        return take_number(r, f, p);
    case JSONL_VALUE:
        return take_value(r, &rec->u.settings);
    case JSONL_ACK:
        return take_ack(r, &rec->u.seg);
    case JSONL_TS:
        return take_ts(r, &rec->u.seg);
    case JSONL_SACK:
        return take_sack(r, &rec->u.seg);
    default:
        return take_special(r, f, rec, p);
    }
}

/* Whether a field may be left out; if it is, its value is the one of "not there". */
static bool optional(const struct jsonl_field *f, const struct ho_record *rec)
{
    return f->has != 0 || f->when == JSONL_WITH_RAW || f->type == JSONL_TEXT_OPT ||
           f->type == JSONL_BOOL_OPT || f->type == JSONL_U64_OPT || f->type == JSONL_SACK ||
           (f->when == JSONL_NOT_ENTERED && rec->u.app.enter) ||
           (f->type == JSONL_DT && ho_view_fate(rec) != HO_FATE_FWD);
}

/* The texts of the kind, so that a field that was left out is "". */
static void empty_texts(struct ho_record *rec, const struct jsonl_field *f)
{
    static const char *const empty = "";

    for (; f->name != NULL; f++) {
        if (f->type == JSONL_TEXT_OPT || f->type == JSONL_TEXT_NULL) {
            memcpy((char *)rec + f->at, &empty, sizeof(const char *));
        }
    }
}

static int take_kind(struct reader *r, struct ho_record *rec)
{
    const struct ho_json_field *f = NULL;
    int err = need(r, "kind", HO_JSON_TEXT, &f);

    if (err != 0) {
        return err;
    }
    assert(f != NULL);
    const char *text = ho_json_text(&r->json, f);
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        for (int kind = 0; kind < HO_REC_COUNT; kind++) {
            *rec = (struct ho_record){ .kind = (enum ho_rec_kind)kind };
            if (rec->kind == HO_REC_ND) {
                rec->u.nd.ipv6 = ipv6 == 1;
            }
            if (strcmp(ho_rec_kind_text(rec), text) == 0) {
                return 0;
            }
        }
    }
    return complain(r, f->at, "an unknown kind", text);
}

static int take_record(struct reader *r, struct ho_record *rec)
{
    unsigned known = 5; /* t_us, kind, host, process, conn */
    int64_t t_us = 0;
    int err = take_kind(r, rec);
    const struct jsonl_field *fields = err == 0 ? jsonl_fields(rec->kind) : NULL;

    if (err == 0) {
        err = take_int(r, "t_us", 0, INT64_MAX / 1000, &t_us);
    }
    rec->t.ns = t_us * 1000;
    if (err == 0) {
        err = take_text(r, "host", &rec->host);
    }
    if (err == 0) {
        err = take_text(r, "process", &rec->process);
    }
    if (err == 0) {
        err = take_text(r, "conn", &rec->conn);
    }
    if (err == 0) {
        empty_texts(rec, fields);
    }
    for (const struct jsonl_field *f = fields; err == 0 && f->name != NULL; f++) {
        if (ho_json_find(&r->json, f->name) != NULL) {
            const bool there = true;

            known++;
            err = take_field(r, f, rec);
            if (f->has != 0) {
                memcpy((char *)rec + f->has, &there, sizeof(there));
            }
        } else if (!optional(f, rec)) {
            err = complain(r, 0, "a field is missing", f->name);
        }
    }
    if (err == 0 && known != r->json.n) {
        return complain(r, 0, "a field that this kind does not have", ho_rec_kind_text(rec));
    }
    return err;
}

static bool is_schema(const struct ho_record *rec)
{
    return rec->kind == HO_REC_SETTINGS && strcmp(rec->u.settings.scope, "timeline") == 0;
}

static int take_line(struct reader *r, const char *line, size_t len)
{
    struct ho_record rec;
    int err = ho_json_read(&r->json, line, len);

    if (err == -EINVAL) {
        complain(r, r->json.error_at, "expected", r->json.error);
    }
    if (err == 0) {
        err = take_record(r, &rec);
    }
    if (err != 0) {
        return err;
    }
    if (r->line == 1) {
        if (!is_schema(&rec)) {
            return complain(r, 0, "the first line must say the schema's version", "");
        }
        if (rec.u.settings.value != HO_TIMELINE_SCHEMA) {
            complain(r, 0, "a version of the schema that is not known", "");
            return -EPROTONOSUPPORT;
        }
        return 0;
    }
    if (r->tl->n > 0 && ho_time_before(rec.t, r->tl->rec[r->tl->n - 1].t)) {
        return complain(r, 0, "the time lies before that of the line before", "");
    }
    return ho_timeline_append(r->tl, &rec);
}

int ho_jsonl_read(struct ho_timeline *tl, const char *bytes, size_t len,
                  struct ho_jsonl_error *ret_error)
{
    struct reader r = { .tl = tl, .error = ret_error, .line = 1 };
    int err = 0;
    size_t at = 0;

    do {
        const char *end = len == at ? NULL : memchr(bytes + at, '\n', len - at);
        size_t n = end == NULL ? len - at : (size_t)(end - (bytes + at));

        err = take_line(&r, bytes + at, n);
        at += n + 1;
        r.line++;
    } while (err == 0 && at < len);
    ho_json_free(&r.json);
    return err;
}
