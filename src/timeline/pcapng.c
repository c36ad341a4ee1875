/* Writing a capture. See timeline/pcapng.h.
 *
 * A block is its type, its length, its body, padding to 4 bytes, and its length again
 * (draft-ietf-opsawg-pcapng 3.1). Options are code, length, value, padding (3.5).
 */

#include "timeline/pcapng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/group.h"
#include "timeline/mark.h"
#include "timeline/view.h"

#define BLOCK_SECTION 0x0a0d0d0au /* 4.1 */
#define BLOCK_INTERFACE 1u        /* 4.2 */
#define BLOCK_PACKET 6u           /* 4.3 */
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINKTYPE_ETHERNET 1u
#define OPT_COMMENT 1u
#define OPT_SHB_USERAPPL 4u
#define OPT_IF_NAME 2u
#define OPT_IF_TSRESOL 9u
#define OPT_EPB_FLAGS 2u
#define EPB_OUTBOUND 2u

static void put16(struct ho_text *out, uint32_t v)
{
    ho_text_char(out, (char)(v & 0xff));
    ho_text_char(out, (char)(v >> 8 & 0xff));
}

static void put32(struct ho_text *out, uint32_t v)
{
    put16(out, v & 0xffff);
    put16(out, v >> 16);
}

static void pad4(struct ho_text *out, size_t len)
{
    for (; len % 4 != 0; len++) {
        ho_text_char(out, '\0');
    }
}

static void put_option(struct ho_text *out, uint32_t code, const void *value, size_t len)
{
    put16(out, code);
    put16(out, (uint32_t)len);
    ho_text_bytes(out, value, len);
    pad4(out, len);
}

static void end_options(struct ho_text *out)
{
    put32(out, 0); /* opt_endofopt */
}

/* A block around the body that `body` holds; empties `body`. */
static void put_block(struct ho_text *out, uint32_t type, struct ho_text *body)
{
    uint32_t len = (uint32_t)(12 + body->len);

    put32(out, type);
    put32(out, len);
    ho_text_bytes(out, ho_text_str(body), body->len);
    put32(out, len);
    if (body->err != 0) {
        out->err = body->err;
    }
    ho_text_clear(body);
}

static void put_section(struct ho_text *out, struct ho_text *body)
{
    put32(body, BYTE_ORDER_MAGIC);
    put16(body, 1); /* version 1.0 */
    put16(body, 0);
    put32(body, UINT32_MAX); /* the section's length: not said */
    put32(body, UINT32_MAX);
    put_option(body, OPT_SHB_USERAPPL, "halfopen", 8);
    end_options(body);
    put_block(out, BLOCK_SECTION, body);
}

static void put_interface(struct ho_text *out, struct ho_text *body, const char *host)
{
    const uint8_t ns = 9; /* 10^-9 s */

    put16(body, LINKTYPE_ETHERNET);
    put16(body, 0);
    put32(body, 0); /* no limit to a packet's length */
    put_option(body, OPT_IF_NAME, host, strlen(host));
    put_option(body, OPT_IF_TSRESOL, &ns, 1);
    end_options(body);
    put_block(out, BLOCK_INTERFACE, body);
}

/* What became of a frame that did not arrive, for people. */
static void put_fate(struct ho_text *out, const struct ho_record *r, const char *via)
{
    static const char *const words[] = {
        [HO_FATE_FWD] = "",
        [HO_FATE_CUT] = "lost: the cable is cut",
        [HO_FATE_LOST] = "lost on the way",
        [HO_FATE_QUEUE] = "lost: a queue was full",
        [HO_FATE_NO_CARRIER] = "lost: a port has no carrier",
    };

    ho_text_put(out, words[ho_view_fate(r)]);
    if (via[0] != '\0') {
        ho_text_put(out, " (");
        ho_text_put(out, via);
        ho_text_char(out, ')');
    }
}

/* The comment of a frame; empty if there is nothing to point out. */
static void put_comment(struct ho_text *out, const struct ho_record *r, const struct ho_mark *mark)
{
    ho_mark_put(out, mark);
    if (ho_view_fate(r) != HO_FATE_FWD) {
        const char *via = r->kind == HO_REC_SEG  ? r->u.seg.via
                          : r->kind == HO_REC_ND ? r->u.nd.via
                                                 : r->u.icmp.via;

        if (out->len > 0) {
            ho_text_put(out, "; ");
        }
        put_fate(out, r, via);
    }
}

static void put_packet(struct ho_text *out, struct ho_text *body, const struct ho_timeline *tl,
                       size_t at, uint32_t interface, int64_t epoch_s, const struct ho_mark *mark)
{
    const struct ho_record *r = &tl->rec[at];
    uint64_t ns = (uint64_t)epoch_s * (uint64_t)HO_NS_PER_S + (uint64_t)r->t.ns;
    const uint8_t outbound[4] = { EPB_OUTBOUND, 0, 0, 0 };
    struct ho_text comment = { 0 };

    put32(body, interface);
    put32(body, (uint32_t)(ns >> 32));
    put32(body, (uint32_t)ns);
    put32(body, r->frame_len);
    put32(body, r->frame_len);
    ho_text_bytes(body, tl->frames + r->frame_at, r->frame_len);
    pad4(body, r->frame_len);
    put_comment(&comment, r, mark);
    if (comment.len > 0) {
        put_option(body, OPT_COMMENT, ho_text_str(&comment), comment.len);
    }
    put_option(body, OPT_EPB_FLAGS, outbound, sizeof(outbound));
    end_options(body);
    put_block(out, BLOCK_PACKET, body);
    ho_text_end_part(out, &comment);
}

int ho_pcapng_write(struct ho_text *out, const struct ho_timeline *tl, int64_t epoch_s)
{
    struct ho_groups hosts = { 0 };
    struct ho_text body = { 0 };
    struct ho_mark *mark = NULL;
    size_t number = 0;
    int err = ho_marks_make(tl, &mark);

    for (size_t i = 0; err == 0 && i < tl->n; i++) {
        if (tl->rec[i].frame_len > 0) {
            err = ho_groups_of(&hosts, tl->rec[i].host, "", "", &number);
        }
    }
    if (err == 0) {
        put_section(out, &body);
        for (size_t i = 0; i < hosts.n; i++) {
            put_interface(out, &body, hosts.key[i].a);
        }
    }
    for (size_t i = 0; err == 0 && i < tl->n; i++) {
        if (tl->rec[i].frame_len > 0) {
            err = ho_groups_find(&hosts, tl->rec[i].host, "", "", &number);
            put_packet(out, &body, tl, i, (uint32_t)number, epoch_s, &mark[i]);
        }
    }
    ho_groups_free(&hosts);
    ho_text_free(&body);
    free(mark);
    return err != 0 ? err : ho_text_err(out);
}
