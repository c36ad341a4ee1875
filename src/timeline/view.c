/* Words and small questions that several views share. See timeline/view.h. */

#include "timeline/view.h"

#include <errno.h>
#include <string.h>

static const char flag_letters[] = "FSRPAUEC";

static const struct {
    uint32_t bit;
    const char *name;
} events_known[] = {
    { 0x001u, "IN" },  { 0x004u, "OUT" }, { 0x002u, "PRI" },
    { 0x008u, "ERR" }, { 0x010u, "HUP" }, { 0x2000u, "RDHUP" },
};

#define N_EVENTS (sizeof(events_known) / sizeof(events_known[0]))

const char *ho_view_flags(uint8_t flags, char *word)
{
    char *at = word;

    for (unsigned i = 0; i < 8; i++) {
        if ((flags & (1u << i)) != 0) {
            *at++ = flag_letters[i];
        }
    }
    *at = '\0';
    return word;
}

int ho_view_parse_flags(uint8_t *ret, const char *word)
{
    unsigned flags = 0;

    for (; *word != '\0'; word++) {
        const char *letter = strchr(flag_letters, *word);

        if (letter == NULL || (flags & (1u << (letter - flag_letters))) != 0) {
            return -EINVAL;
        }
        flags |= 1u << (letter - flag_letters);
    }
    *ret = (uint8_t)flags;
    return 0;
}

const char *ho_view_events(uint32_t events, char *word)
{
    char *at = word;

    for (size_t i = 0; i < N_EVENTS; i++) {
        if ((events & events_known[i].bit) != 0) {
            size_t len = strlen(events_known[i].name);

            if (at != word) {
                *at++ = '|';
            }
            memcpy(at, events_known[i].name, len);
            at += len;
        }
    }
    *at = '\0';
    return word;
}

int ho_view_parse_events(uint32_t *ret, const char *word)
{
    uint32_t events = 0;

    while (*word != '\0') {
        size_t len = strcspn(word, "|");
        size_t i = 0;

        while (i < N_EVENTS && (strlen(events_known[i].name) != len ||
                                strncmp(events_known[i].name, word, len) != 0)) {
            i++;
        }
        if (i == N_EVENTS) {
            return -EINVAL;
        }
        events |= events_known[i].bit;
        word += len;
        word += *word == '|';
    }
    *ret = events;
    return 0;
}

enum ho_fate ho_view_fate(const struct ho_record *rec)
{
    switch (rec->kind) {
    case HO_REC_SEG:
        return rec->u.seg.fate;
    case HO_REC_ND:
        return rec->u.nd.fate;
    case HO_REC_ICMP:
        return rec->u.icmp.fate;
    default:
        return HO_FATE_FWD;
    }
}

uint32_t ho_view_seg_space(const struct ho_rec_seg *seg)
{
    return seg->len + ((seg->flags & HO_TCP_SYN) != 0) + ((seg->flags & HO_TCP_FIN) != 0);
}

struct ho_time ho_view_arrival(const struct ho_record *rec)
{
    struct ho_dur dt = { 0 };

    if (ho_view_fate(rec) != HO_FATE_FWD) {
        return HO_NEVER;
    }
    switch (rec->kind) {
    case HO_REC_SEG:
        dt = rec->u.seg.dt_deliver;
        break;
    case HO_REC_ND:
        dt = rec->u.nd.dt_deliver;
        break;
    case HO_REC_ICMP:
        dt = rec->u.icmp.dt_deliver;
        break;
    default:
        break;
    }
    return ho_time_add(rec->t, dt);
}

void ho_view_put_fault(struct ho_text *out, const struct ho_record *rec)
{
    const struct ho_rec_fault *f = &rec->u.fault;

    ho_text_put(out, f->verb);
    if (f->what[0] != '\0') {
        ho_text_char(out, ' ');
        ho_text_put(out, f->what);
    }
    if (rec->host[0] != '\0' && strcmp(rec->host, f->what) != 0) {
        ho_text_put(out, " at ");
        ho_text_put(out, rec->host);
    }
    if (f->detail[0] != '\0') {
        ho_text_put(out, " (");
        ho_text_put(out, f->detail);
        ho_text_char(out, ')');
    }
}

int ho_view_fault(const struct ho_timeline *tl, const char *name, size_t *ret)
{
    for (size_t i = 0; i < tl->n; i++) {
        const struct ho_record *r = &tl->rec[i];

        if (r->kind == HO_REC_FAULT && (name == NULL || strcmp(r->u.fault.name, name) == 0)) {
            *ret = i;
            return 0;
        }
    }
    return -ENOENT;
}

const struct ho_rec_settings *ho_view_setting(const struct ho_timeline *tl, size_t before,
                                              const char *scope, const char *host, const char *conn,
                                              const char *name)
{
    const struct ho_record *r =
        ho_timeline_setting(tl, before, scope, host, conn == NULL ? "" : conn, name);

    return r == NULL ? NULL : &r->u.settings;
}
