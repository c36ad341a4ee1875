/* Records as timelines, and their pairs. See truth_align.h. */

#include "support/truth_align.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/compare.h"

#define BEFORE_US 3600000000LL /* so that no time is negative */

static const char *const KINDS[] = { "seg", "arp", "icmp", "app", "event", "wait" };

static enum ho_fate fate_of(const char *word)
{
    return strcmp(word, "fwd") == 0 ? HO_FATE_FWD : HO_FATE_CUT;
}

static uint8_t flags_of(const char *letters)
{
    static const char LETTERS[] = "SFRPA";
    static const uint8_t BITS[] = { HO_TCP_SYN, HO_TCP_FIN, HO_TCP_RST, HO_TCP_PSH, HO_TCP_ACK };
    uint8_t flags = 0;
    for (size_t i = 0; i < sizeof(BITS); i++) {
        flags |= strchr(letters, LETTERS[i]) != NULL ? BITS[i] : 0;
    }
    return flags;
}

/* "PA 801:1 len 1000 cut sack=.." What is no number of a segment's record stands in `to`: numbers
 * that the measurement did not know, and options.
 */
static void fill_seg(struct ho_timeline *tl, struct ho_rec_seg *seg, const char *text)
{
    char flags[16], seq[20], ack[20], fate[8], rest[100];
    unsigned len = 0;
    int used = 0;
    int n = sscanf(text, "%15s %19[^:]:%19s len %u %7s%n", flags, seq, ack, &len, fate, &used);
    assert(n == 5);
    (void)snprintf(rest, sizeof(rest), "%s%s%s", seq[0] == '?' ? "?" : "", ack[0] == '?' ? "?" : "",
                   text + used);
    seg->flags = flags_of(flags);
    seg->seq = (uint32_t)ho_truth_num(seq);
    seg->ack = (uint32_t)ho_truth_num(ack);
    seg->len = len;
    seg->fate = fate_of(fate);
    seg->to = ho_timeline_name(tl, rest);
    assert(seg->to != NULL);
}

static void fill_nd(struct ho_rec_nd *nd, const char *text)
{
    char op[16], target[8], cast[8], fate[8];
    int n = sscanf(text, "%15s %7s %7s %7s", op, target, cast, fate);
    assert(n == 4);
    nd->answer = strcmp(op, "is-at") == 0;
    nd->multicast = strcmp(cast, "bcast") == 0;
    nd->target = ho_addr_v4(10, 0, 0, (uint8_t)(ho_truth_host(target) + 1));
    nd->fate = fate_of(fate);
}

static void fill_icmp(struct ho_timeline *tl, struct ho_rec_icmp *icmp, const char *text)
{
    unsigned type = 0, code = 0;
    int used = 0;
    int n = sscanf(text, "%u/%u%n", &type, &code, &used);
    assert(n == 2);
    icmp->type = (uint8_t)type;
    icmp->code = (uint8_t)code;
    icmp->to = ho_timeline_name(tl, text + used); /* about which segment */
    assert(icmp->to != NULL);
}

/* "recv x = -1 ETIMEDOUT", "epoll x IN|OUT", "poll x = OUT 0", "flow x IN 300 bytes" */
static void fill_app(struct ho_timeline *tl, struct ho_rec_app *app, const struct ho_truth_rec *r)
{
    char call[112], ret[48] = "0", err[48] = "0";
    const char *result = strstr(r->text, "= ");
    size_t len = result == NULL ? strlen(r->text) : (size_t)(result - r->text);
    if (result != NULL) {
        (void)sscanf(result + 2, "%47s %47s", ret, err);
    } else if (r->events != 0 && r->events != ~0u && r->bytes < 0) {
        len = strcspn(r->text, " ") + 1 + strlen(r->sock);
        app->has_events = true;
        app->events = r->events;
    }
    (void)snprintf(call, sizeof(call), "%.*s", (int)len, r->text);
    if (strncmp(call, "poll ", 5) == 0) {
        app->has_events = true;
        app->events = ho_truth_events(ret);
    } else {
        app->ret = ho_truth_num(ret);
    }
    app->call = ho_timeline_name(tl, call);
    app->err = ho_timeline_name(tl, err);
    assert(app->call != NULL && app->err != NULL);
}

static void add(const struct ho_truth_script *s, struct ho_timeline *tl,
                const struct ho_truth_rec *r)
{
    bool of_process = r->kind >= HO_TRUTH_APP;
    struct ho_record rec = { .t = { .ns = (r->t_us + BEFORE_US) * 1000 } };
    char conn[16];
    (void)snprintf(conn, sizeof(conn), "%s %s", KINDS[r->kind], of_process ? s->procs[r->who] : "");
    rec.conn = ho_timeline_name(tl, conn);
    rec.host = (of_process ? ho_truth_host(s->procs[r->who]) : r->who) == 0 ? "c" : "s";
    rec.process = of_process ? ho_timeline_name(tl, s->procs[r->who]) : "";
    assert(rec.conn != NULL && rec.process != NULL);
    if (r->kind == HO_TRUTH_SEG) {
        rec.kind = HO_REC_SEG;
        fill_seg(tl, &rec.u.seg, r->text);
    } else if (r->kind == HO_TRUTH_ARP) {
        rec.kind = HO_REC_ND;
        fill_nd(&rec.u.nd, r->text);
    } else if (r->kind == HO_TRUTH_ICMP) {
        rec.kind = HO_REC_ICMP;
        fill_icmp(tl, &rec.u.icmp, r->text);
    } else {
        rec.kind = HO_REC_APP;
        fill_app(tl, &rec.u.app, r);
    }
    int err = ho_timeline_append(tl, &rec);
    assert(err == 0);
}

static void fill(const struct ho_truth_script *s, struct ho_timeline *tl,
                 const struct ho_truth_recs *list)
{
    ho_timeline_init(tl, 0);
    for (size_t i = 0; i < list->n; i++) {
        add(s, tl, &list->r[i]);
    }
}

void ho_truth_align(const struct ho_truth_script *s, struct ho_truth_result *r)
{
    struct ho_timeline file, model;
    struct ho_comparison c;
    /* What a time may be off is judged by its cause (truth_compare.c), not by the record before. */
    const struct ho_compare_opts opts = { .tolerance = { .ns = INT64_MAX } };
    fill(s, &file, &r->expected);
    fill(s, &model, &r->got);
    int err = ho_compare(&file, &model, &opts, &c);
    assert(err == 0);
    for (size_t i = 0; i < c.n; i++) {
        if (c.row[i].status == HO_COMPARE_SAME) {
            size_t x = (size_t)(c.row[i].a - file.rec), y = (size_t)(c.row[i].b - model.rec);
            r->expected.r[x].pair = (int)y;
            r->got.r[y].pair = (int)x;
        }
    }
    ho_comparison_free(&c);
    ho_timeline_destroy(&file);
    ho_timeline_destroy(&model);
}
