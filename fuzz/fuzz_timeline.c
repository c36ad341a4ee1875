/* A timeline file of any bytes: what is read is written and read again the same, and every view
 * of it can be made. Input: JSON lines (docs/timeline.md).
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "forecast/range.h"
#include "timeline/basis.h"
#include "timeline/compare.h"
#include "timeline/jsonl.h"
#include "timeline/ladder.h"
#include "timeline/pcapng.h"
#include "timeline/verdict.h"

#define LEN_MAX 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(const struct ho_timeline *tl)
{
    struct ho_timeline again;
    struct ho_text one = { 0 }, two = { 0 };

    ho_timeline_init(&again, 0);
    ho_jsonl_write(&one, tl, HO_JSONL_RAW);
    assert(ho_jsonl_read(&again, ho_text_str(&one), one.len, NULL) == 0);
    ho_jsonl_write(&two, &again, HO_JSONL_RAW);
    assert(one.len == two.len && memcmp(one.s, two.s, one.len) == 0);
    ho_text_free(&one);
    ho_text_free(&two);
    ho_timeline_destroy(&again);
}

static void look_at_ranges(const struct ho_timeline *tl, const struct ho_verdicts *v)
{
    for (size_t i = 0; i < v->n; i++) {
        struct ho_basis b;
        int64_t at = 0;

        if (ho_verdict_basis(tl, v, &v->v[i], &b) == 0) {
            const struct ho_range_in in = {
                .kind = (enum ho_range_kind)b.chain,
                .hz = b.hz,
                .into_jiffy = b.into_jiffy,
                .rto_max = b.rto_max,
                .user_timeout = b.user_timeout,
                .cut_ns = b.cut_ns,
                .rtt = b.rtt,
                .ratelimit = b.ratelimit,
                .idle = b.idle,
                .intvl = b.intvl,
                .cnt = b.cnt,
                .armed_ns = b.armed_ns,
                .rto = b.rto,
                .srtt = b.srtt,
                .tlp = b.tlp,
                .one_segment = b.one_segment,
                .orphan = b.orphan,
                .retries2 = b.retries2,
                .orphan_retries = b.orphan_retries,
                .retries = b.retries,
                .linear = b.linear,
                .fin_timeout = b.fin_timeout,
            };

            (void)ho_range_at(&in, 12345, &at);
        }
    }
}

static void look(const struct ho_timeline *tl)
{
    const struct ho_ladder_opts ladder = { 0 }, all = {
        .ascii = true, .color = true, .unfolded = true, .all_calls = true
    };
    const struct ho_compare_opts compare = { .kinds = ~0u };
    struct ho_verdicts v = { 0 };
    struct ho_comparison c = { 0 };
    struct ho_text out = { 0 };

    (void)ho_ladder_write(&out, tl, &ladder);
    (void)ho_ladder_write(&out, tl, &all);
    assert(ho_pcapng_write(&out, tl, 0) == 0);
    assert(ho_verdicts_make(tl, NULL, &v) == 0);
    ho_verdicts_table(&out, &v, tl, "fuzz", 250);
    ho_verdicts_json(&out, &v);
    look_at_ranges(tl, &v);
    assert(ho_compare(tl, tl, &compare, &c) == 0);
    assert(c.first == c.n); /* everything agrees with itself */
    ho_comparison_text(&out, &c, "a", "b", false);
    ho_comparison_free(&c);
    ho_verdicts_free(&v);
    ho_text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ho_timeline tl;
    struct ho_jsonl_error error;

    if (size > LEN_MAX) {
        return 0;
    }
    char *text = malloc(size + 1);
    if (text == NULL) {
        return 0;
    }
    memcpy(text, data, size);
    ho_timeline_init(&tl, 0);
    if (ho_jsonl_read(&tl, text, size, &error) == 0) {
        same_again(&tl);
        look(&tl);
    }
    ho_timeline_destroy(&tl);
    free(text);
    return 0;
}
