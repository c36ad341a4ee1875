/* Any text as a chain of timers: it is read, or refused with a place inside of it; what was read is
 * judged, said, and reads back from its own words as the same chain.
 */

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "forecast/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct ho_order_chain *chain)
{
    struct ho_order_mistake mistake;
    struct ho_order_chain again;
    struct ho_text text = { 0 };

    for (int side = 0; side < HO_ORDER_SIDE_COUNT; side++) {
        for (int timer = 0; timer < HO_ORDER_TIMER_COUNT; timer++) {
            const struct ho_order_entry *e = &chain->e[side][timer];

            if (e->there) {
                ho_text_put(&text, text.len > 0 ? ", " : "");
                ho_order_entry_text(&text, (enum ho_order_side)side, (enum ho_order_timer)timer, e);
            }
        }
    }
    if (text.len == 0) { /* a program that sets nothing */
        return;
    }
    assert(ho_order_parse(&again, ho_text_str(&text), &mistake) == 0);
    for (int side = 0; side < HO_ORDER_SIDE_COUNT; side++) {
        for (int timer = 0; timer < HO_ORDER_TIMER_COUNT; timer++) {
            const struct ho_order_entry *a = &chain->e[side][timer], *b = &again.e[side][timer];

            assert(a->there == b->there && a->reset == b->reset);
            assert(a->ns == b->ns && a->more_ns == b->more_ns && a->count == b->count);
        }
    }
    ho_text_free(&text);
}

static void check_judgement(const struct ho_order_chain *chain, uint32_t hz)
{
    struct ho_predict_in in = { .rtt = ho_ms(1), .hz = hz };
    struct ho_text why = { 0 };
    struct ho_order order;

    ho_sysctls_init(&in.sysctls);
    if (ho_order_judge(chain, &in, &order) != 0) {
        return;
    }
    assert(order.unsafe <= order.n && order.n <= HO_ORDER_FINDINGS);
    for (unsigned i = 0; i < order.n; i++) {
        assert(ho_order_reason_unsafe(order.finding[i].reason) == (i < order.unsafe));
        assert(order.finding[i].min_ns <= order.finding[i].max_ns);
        ho_order_why(&why, chain, &order.finding[i]);
    }
    for (int fault = 0; fault < HO_ORDER_FAULT_COUNT; fault++) {
        for (unsigned i = 0; i < order.cases[fault].n; i++) {
            assert(order.cases[fault].event[i].min_ns <= order.cases[fault].event[i].max_ns);
        }
    }
    ho_text_free(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ho_order_mistake mistake = { 0 };
    struct ho_sysctls sysctls;
    struct ho_order_chain chain;
    char *text = malloc(size + 1);

    if (text == NULL) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    int err = ho_order_parse(&chain, text, &mistake);

    if (err != 0) {
        assert(err == -EINVAL && mistake.expected != NULL);
        assert(mistake.at + mistake.len <= strlen(text));
    } else {
        ho_sysctls_init(&sysctls);
        ho_order_resolve(&chain, &sysctls);
        check_again(&chain);
        check_judgement(&chain, size % 2 == 0 ? 250 : 0);
    }
    free(text);
    return 0;
}
