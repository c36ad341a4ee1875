/* Writing the timeline as JSON lines (docs/timeline.md). Reading is jsonl_read.c. */

#include "timeline/jsonl.h"

#include <assert.h>
#include <string.h>

#include "timeline/jsonl_fields.h"
#include "timeline/view.h"

#define AT(member) offsetof(struct ho_record, u.member)

static const struct jsonl_field settings_fields[] = {
    { "scope", JSONL_TEXT, AT(settings.scope), 0, JSONL_ALWAYS },
    { "what", JSONL_TEXT_OPT, AT(settings.what), 0, JSONL_ALWAYS },
    { "name", JSONL_TEXT, AT(settings.name), 0, JSONL_ALWAYS },
    { "value", JSONL_VALUE, 0, 0, JSONL_ALWAYS },
    { 0 },
};

static const struct jsonl_field seg_fields[] = {
    { "to", JSONL_TEXT, AT(seg.to), 0, JSONL_ALWAYS },
    { "via", JSONL_TEXT_OPT, AT(seg.via), 0, JSONL_ALWAYS },
    { "flags", JSONL_FLAGS, AT(seg.flags), 0, JSONL_ALWAYS },
    { "seq", JSONL_U32, AT(seg.seq), 0, JSONL_ALWAYS },
    { "ack", JSONL_ACK, AT(seg.ack), 0, JSONL_ALWAYS },
    { "len", JSONL_U32, AT(seg.len), 0, JSONL_ALWAYS },
    { "win", JSONL_U16, AT(seg.window), 0, JSONL_ALWAYS },
    { "shift", JSONL_U8, AT(seg.shift), 0, JSONL_ALWAYS },
    { "mss", JSONL_U16, AT(seg.mss), AT(seg.has_mss), JSONL_ALWAYS },
    { "wscale", JSONL_U8, AT(seg.wscale), AT(seg.has_wscale), JSONL_ALWAYS },
    { "sack_ok", JSONL_BOOL_OPT, AT(seg.sack_ok), 0, JSONL_ALWAYS },
    { "ts", JSONL_TS, 0, AT(seg.has_ts), JSONL_ALWAYS },
    { "sack", JSONL_SACK, 0, 0, JSONL_ALWAYS },
    { "raw_seq", JSONL_U32, AT(seg.raw_seq), 0, JSONL_WITH_RAW },
    { "raw_ack", JSONL_U32, AT(seg.raw_ack), 0, JSONL_WITH_RAW },
    { "sport", JSONL_U16, AT(seg.sport), 0, JSONL_WITH_RAW },
    { "dport", JSONL_U16, AT(seg.dport), 0, JSONL_WITH_RAW },
    { "fate", JSONL_FATE, AT(seg.fate), 0, JSONL_ALWAYS },
    { "dt_us", JSONL_DT, AT(seg.dt_deliver), 0, JSONL_ALWAYS },
    { 0 },
};

static const struct jsonl_field nd_fields[] = {
    { "to", JSONL_TEXT, AT(nd.to), 0, JSONL_ALWAYS },
    { "via", JSONL_TEXT_OPT, AT(nd.via), 0, JSONL_ALWAYS },
    { "op", JSONL_OP, AT(nd.answer), 0, JSONL_ALWAYS },
    { "target", JSONL_ADDR, AT(nd.target), 0, JSONL_ALWAYS },
    { "bcast", JSONL_BOOL, AT(nd.multicast), 0, JSONL_ALWAYS },
    { "fate", JSONL_FATE, AT(nd.fate), 0, JSONL_ALWAYS },
    { "dt_us", JSONL_DT, AT(nd.dt_deliver), 0, JSONL_ALWAYS },
    { 0 },
};

static const struct jsonl_field icmp_fields[] = {
    { "to", JSONL_TEXT, AT(icmp.to), 0, JSONL_ALWAYS },
    { "via", JSONL_TEXT_OPT, AT(icmp.via), 0, JSONL_ALWAYS },
    { "what", JSONL_TEXT, AT(icmp.what), 0, JSONL_ALWAYS },
    { "type", JSONL_U8, AT(icmp.type), 0, JSONL_ALWAYS },
    { "code", JSONL_U8, AT(icmp.code), 0, JSONL_ALWAYS },
    { "ipv6", JSONL_BOOL_OPT, AT(icmp.ipv6), 0, JSONL_ALWAYS },
    { "seq", JSONL_U32, AT(icmp.seq), AT(icmp.has_seq), JSONL_ALWAYS },
    { "fate", JSONL_FATE, AT(icmp.fate), 0, JSONL_ALWAYS },
    { "dt_us", JSONL_DT, AT(icmp.dt_deliver), 0, JSONL_ALWAYS },
    { 0 },
};

static const struct jsonl_field app_fields[] = {
    { "call", JSONL_TEXT, AT(app.call), 0, JSONL_ALWAYS },
    { "sock", JSONL_TEXT, AT(app.sock), 0, JSONL_ALWAYS },
    { "detail", JSONL_TEXT_OPT, AT(app.detail), 0, JSONL_ALWAYS },
    { "enter", JSONL_BOOL_OPT, AT(app.enter), 0, JSONL_ALWAYS },
    { "finding", JSONL_BOOL_OPT, AT(app.finding), 0, JSONL_ALWAYS },
    { "asked", JSONL_I64, AT(app.asked), AT(app.has_asked), JSONL_ALWAYS },
    { "ret", JSONL_I64, AT(app.ret), 0, JSONL_NOT_ENTERED },
    { "errno", JSONL_TEXT_NULL, AT(app.err), 0, JSONL_NOT_ENTERED },
    { "events", JSONL_EVENTS, AT(app.events), AT(app.has_events), JSONL_NOT_ENTERED },
    { "bytes", JSONL_U64_OPT, AT(app.bytes), 0, JSONL_NOT_ENTERED },
    { "bad", JSONL_U64_OPT, AT(app.bad), 0, JSONL_NOT_ENTERED },
    { "value", JSONL_I64, AT(app.value), AT(app.has_value), JSONL_NOT_ENTERED },
    { "took_us", JSONL_DUR, AT(app.took), 0, JSONL_NOT_ENTERED },
    { 0 },
};

static const struct jsonl_field sock_fields[] = {
    { "sock", JSONL_TEXT, AT(sock.sock), 0, JSONL_ALWAYS },
    { "state", JSONL_TEXT, AT(sock.state), 0, JSONL_ALWAYS },
    { "sk_err", JSONL_TEXT_NULL, AT(sock.err), 0, JSONL_ALWAYS },
    { "sk_err_soft", JSONL_TEXT_NULL, AT(sock.err_soft), 0, JSONL_ALWAYS },
    { "timer", JSONL_TIMER, AT(sock.timer), 0, JSONL_ALWAYS },
    { "expires_us", JSONL_DUR, AT(sock.expires), 0, JSONL_ALWAYS },
    { "retransmits", JSONL_U8, AT(sock.retransmits), 0, JSONL_ALWAYS },
    { "probes", JSONL_U8, AT(sock.probes), 0, JSONL_ALWAYS },
    { "backoff", JSONL_U8, AT(sock.backoff), 0, JSONL_ALWAYS },
    { "rto_us", JSONL_DUR, AT(sock.rto), 0, JSONL_ALWAYS },
    { "srtt_us", JSONL_DUR, AT(sock.srtt), 0, JSONL_ALWAYS },
    { "rttvar_us", JSONL_DUR, AT(sock.rttvar), 0, JSONL_ALWAYS },
    { "cwnd", JSONL_U32, AT(sock.cwnd), 0, JSONL_ALWAYS },
    { "ssthresh", JSONL_U32, AT(sock.ssthresh), 0, JSONL_ALWAYS },
    { "unacked", JSONL_U32, AT(sock.unacked), 0, JSONL_ALWAYS },
    { "lost", JSONL_U32, AT(sock.lost), 0, JSONL_ALWAYS },
    { "rq", JSONL_U32, AT(sock.rq), 0, JSONL_ALWAYS },
    { "wq", JSONL_U32, AT(sock.wq), 0, JSONL_ALWAYS },
    { 0 },
};

static const struct jsonl_field neigh_fields[] = {
    { "addr", JSONL_ADDR, AT(neigh.addr), 0, JSONL_ALWAYS },
    { "state", JSONL_TEXT, AT(neigh.state), 0, JSONL_ALWAYS },
    { 0 },
};

static const struct jsonl_field note_fields[] = {
    { "text", JSONL_TEXT, AT(note.text), 0, JSONL_ALWAYS },
    { 0 },
};

static const struct jsonl_field fault_fields[] = {
    { "name", JSONL_TEXT, AT(fault.name), 0, JSONL_ALWAYS },
    { "verb", JSONL_TEXT, AT(fault.verb), 0, JSONL_ALWAYS },
    { "what", JSONL_TEXT, AT(fault.what), 0, JSONL_ALWAYS },
    { "detail", JSONL_TEXT_OPT, AT(fault.detail), 0, JSONL_ALWAYS },
    { 0 },
};

const struct jsonl_field *jsonl_fields(enum ho_rec_kind kind)
{
    static const struct jsonl_field *const fields[] = {
        [HO_REC_SETTINGS] = settings_fields,
        [HO_REC_SEG] = seg_fields,
        [HO_REC_ND] = nd_fields,
        [HO_REC_ICMP] = icmp_fields,
        [HO_REC_APP] = app_fields,
        [HO_REC_SOCK] = sock_fields,
        [HO_REC_NEIGH] = neigh_fields,
        [HO_REC_NOTE] = note_fields,
        [HO_REC_FAULT] = fault_fields,
    };

    assert(kind < HO_REC_COUNT);
    return fields[kind];
}

/* The value at `p`, of which only the type knows how wide it is. */
static bool field_bool(const void *p)
{
    bool v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static const char *field_text(const void *p)
{
    const char *v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static uint32_t field_u32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static int64_t field_i64(const void *p)
{
    int64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static uint16_t field_u16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static bool left_out(const struct ho_record *rec, const struct jsonl_field *f, unsigned flags)
{
    const char *base = (const char *)rec;

    if ((f->when == JSONL_WITH_RAW && (flags & HO_JSONL_RAW) == 0) ||
        (f->when == JSONL_NOT_ENTERED && rec->u.app.enter)) {
        return true;
    }
    if (f->has != 0) {
        return !field_bool(base + f->has);
    }
    switch (f->type) {
    case JSONL_TEXT_OPT:
        return field_text(base + f->at)[0] == '\0';
    case JSONL_BOOL_OPT:
        return !field_bool(base + f->at);
    case JSONL_U64_OPT:
        return field_i64(base + f->at) == 0;
    case JSONL_SACK:
        return rec->u.seg.n_sack == 0;
    case JSONL_DT:
        return ho_view_fate(rec) != HO_FATE_FWD;
    default:
        return false;
    }
}

static void put_sack(struct ho_text *out, const struct ho_rec_seg *seg)
{
    for (unsigned i = 0; i < seg->n_sack && i < HO_TCP_SACK_BLOCKS; i++) {
        ho_text_put(out, i == 0 ? "[[" : ",[");
        ho_text_uint(out, seg->sack[i].from);
        ho_text_char(out, ',');
        ho_text_uint(out, seg->sack[i].to);
        ho_text_char(out, ']');
    }
    ho_text_char(out, ']');
}

static void put_text_or_null(struct ho_text *out, const char *s)
{
    if (s[0] == '\0') {
        ho_text_put(out, "null");
    } else {
        ho_text_json(out, s);
    }
}

/* The types that need more of the record than their own bytes, or are written as words. */
static void put_special(struct ho_text *out, const struct ho_record *rec,
                        const struct jsonl_field *f, const void *p)
{
    char word[HO_VIEW_WORD];

    switch (f->type) {
    case JSONL_VALUE:
        if (rec->u.settings.text[0] != '\0') {
            ho_text_json(out, rec->u.settings.text);
        } else {
            ho_text_int(out, rec->u.settings.value);
        }
        break;
    case JSONL_FATE:
        ho_text_json(out, ho_fate_text(ho_view_fate(rec)));
        break;
    case JSONL_FLAGS:
        ho_text_json(out, ho_view_flags(rec->u.seg.flags, word));
        break;
    case JSONL_ACK:
        if ((rec->u.seg.flags & HO_TCP_ACK) != 0) {
            ho_text_uint(out, rec->u.seg.ack);
        } else {
            ho_text_put(out, "null");
        }
        break;
    case JSONL_TS:
        ho_text_char(out, '[');
        ho_text_uint(out, rec->u.seg.ts_val);
        ho_text_char(out, ',');
        ho_text_uint(out, rec->u.seg.ts_ecr);
        ho_text_char(out, ']');
        break;
    case JSONL_SACK:
        put_sack(out, &rec->u.seg);
        break;
    case JSONL_OP:
        ho_text_json(out, field_bool(p) ? "is-at" : "who-has");
        break;
    case JSONL_ADDR: {
        struct ho_addr addr;
        char text[HO_ADDR_TEXT];

        memcpy(&addr, p, sizeof(addr));
        ho_text_json(out, ho_addr_text(&addr, text));
        break;
    }
    case JSONL_EVENTS:
        ho_text_json(out, ho_view_events(rec->u.app.events, word));
        break;
    case JSONL_TIMER:
        ho_text_json(out, ho_sock_timer_text(rec->u.sock.timer));
        break;
    default:
        assert(0 && "no such type");
    }
}

static void put_value(struct ho_text *out, const struct ho_record *rec, const struct jsonl_field *f)
{
    const void *p = (const char *)rec + f->at;

    switch (f->type) {
    case JSONL_TEXT:
    case JSONL_TEXT_OPT:
        ho_text_json(out, field_text(p));
        break;
    case JSONL_TEXT_NULL:
        put_text_or_null(out, field_text(p));
        break;
    case JSONL_BOOL:
    case JSONL_BOOL_OPT:
        ho_text_put(out, field_bool(p) ? "true" : "false");
        break;
    case JSONL_U8:
        ho_text_uint(out, *(const uint8_t *)p);
        break;
    case JSONL_U16:
        ho_text_uint(out, field_u16(p));
        break;
    case JSONL_U32:
        ho_text_uint(out, field_u32(p));
        break;
    case JSONL_I64:
    case JSONL_U64_OPT:
        ho_text_int(out, field_i64(p));
        break;
    case JSONL_DUR:
    case JSONL_DT:
        ho_text_int(out, field_i64(p) / 1000);
        break;
    default:
        put_special(out, rec, f, p);
    }
}

void ho_jsonl_record(struct ho_text *out, const struct ho_record *rec, unsigned flags)
{
    ho_text_put(out, "{\"t_us\":");
    ho_text_int(out, rec->t.ns / 1000);
    ho_text_put(out, ",\"kind\":");
    ho_text_json(out, ho_rec_kind_text(rec));
    ho_text_put(out, ",\"host\":");
    ho_text_json(out, rec->host);
    ho_text_put(out, ",\"process\":");
    ho_text_json(out, rec->process);
    ho_text_put(out, ",\"conn\":");
    ho_text_json(out, rec->conn);
    for (const struct jsonl_field *f = jsonl_fields(rec->kind); f->name != NULL; f++) {
        if (!left_out(rec, f, flags)) {
            ho_text_put(out, ",\"");
            ho_text_put(out, f->name);
            ho_text_put(out, "\":");
            put_value(out, rec, f);
        }
    }
    ho_text_put(out, "}\n");
}

void ho_jsonl_write(struct ho_text *out, const struct ho_timeline *tl, unsigned flags)
{
    const struct ho_record schema = {
        .kind = HO_REC_SETTINGS,
        .host = "",
        .process = "",
        .conn = "",
        .u.settings = { "timeline", "", "schema", "", HO_TIMELINE_SCHEMA },
    };

    ho_jsonl_record(out, &schema, 0);
    for (size_t i = 0; i < tl->n; i++) {
        ho_jsonl_record(out, &tl->rec[i], flags);
    }
    if (tl->dropped > 0) {
        struct ho_text text = { 0 };

        ho_text_uint(&text, tl->dropped);
        ho_text_put(&text, " more records were left out");
        const struct ho_record last = {
            .t = tl->n == 0 ? (struct ho_time){ 0 } : tl->rec[tl->n - 1].t,
            .kind = HO_REC_NOTE,
            .host = "",
            .process = "",
            .conn = "",
            .u.note = { ho_text_str(&text) },
        };
        ho_jsonl_record(out, &last, 0);
        ho_text_end_part(out, &text);
    }
}
