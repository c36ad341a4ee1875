/* The tables a host is made of: numbered objects, descriptors; and that a host's doings are a
 * function of its inputs.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/fdtab.h"
#include "host/slots.h"
#include "knobs/sockopt.h"
#include "support/pair.h"

static void numbers_are_handed_out_again_last_first(void **state)
{
    struct ho_slots s;
    uint32_t number;

    (void)state;
    ho_slots_init(&s, 20, 1000);
    assert_int_equal(s.size, 24);
    for (uint32_t i = 0; i < 300; i++) { /* over two chunks and into a third */
        assert_non_null(ho_slots_get(&s, &number));
        assert_int_equal(number, i);
    }
    memset(ho_slots_at(&s, 7), 0xff, 24);
    ho_slots_put(&s, 7);
    ho_slots_put(&s, 200);
    assert_non_null(ho_slots_get(&s, &number));
    assert_int_equal(number, 200);
    unsigned char *obj = ho_slots_get(&s, &number);
    assert_int_equal(number, 7);
    for (int i = 0; i < 24; i++) {
        assert_int_equal(obj[i], 0);
    }
    assert_int_equal(ho_slots_number(&s, ho_slots_at(&s, 299), 299 % HO_SLOT_CHUNK), 299);
    ho_slots_destroy(&s);
}

static void a_bound_is_kept(void **state)
{
    struct ho_slots s;
    uint32_t number;

    (void)state;
    ho_slots_init(&s, 8, 2);
    assert_non_null(ho_slots_get(&s, &number));
    assert_non_null(ho_slots_get(&s, &number));
    assert_null(ho_slots_get(&s, &number));
    ho_slots_put(&s, 0);
    assert_non_null(ho_slots_get(&s, &number));
    ho_slots_destroy(&s);
}

static void the_lowest_descriptor_is_found_among_many(void **state)
{
    struct ho_fdtab t;
    static const int holes[] = { 3, 64, 4095, 4096, 8000, 19999 };

    (void)state;
    ho_fdtab_init(&t, 20000);
    for (int fd = HO_FD_FIRST; fd < 20000; fd++) {
        assert_int_equal(ho_fdtab_open(&t, 1), fd);
    }
    assert_int_equal(ho_fdtab_open(&t, 1), -EMFILE);
    for (size_t i = sizeof(holes) / sizeof(holes[0]); i-- > 0;) {
        ho_fdtab_close(&t, holes[i]);
        assert_int_equal(ho_fdtab_get(&t, holes[i]), HO_FD_NONE);
    }
    for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
        assert_int_equal(ho_fdtab_open(&t, 1), holes[i]);
    }
    assert_int_equal(ho_fdtab_open(&t, 1), -EMFILE);
    assert_int_equal(ho_fdtab_next(&t, -1), HO_FD_FIRST);
    assert_int_equal(ho_fdtab_next(&t, 20000), -1);
    ho_fdtab_destroy(&t);
}

/* All frames of a run with ARP, a transfer, a cut and the end, as one number. */
static uint64_t run_once(void)
{
    static struct ho_pair p;
    int64_t a, b;
    uint64_t hash = 14695981039346656037u; /* FNV-1a */

    ho_pair_init(&p, false, 250);
    ho_pair_connect(&p, 80, &a, &b);
    assert_int_equal(ho_pair_send(&p, 1, b, "some bytes", 10), 10);
    ho_pair_run_for(&p, ho_s(1));
    ho_host_carrier(p.host[1], 0, false, -1, p.now);
    assert_int_equal(ho_pair_send(&p, 1, b, "more bytes", 10), 10);
    ho_pair_run_for(&p, ho_s(30));
    for (size_t i = 0; i < p.n_sent; i++) {
        uint64_t word[4] = { (uint64_t)p.sent[i].at.ns, (uint64_t)p.sent[i].kind, p.sent[i].seg.seq,
                             p.sent[i].seg.ts_val };
        for (int k = 0; k < 4; k++) {
            hash = (hash ^ word[k]) * 1099511628211u;
        }
    }
    ho_pair_done(&p);
    return hash;
}

static void the_same_inputs_give_the_same_frames(void **state)
{
    (void)state;
    assert_true(run_once() == run_once());
}

/* DESIGN.md: 192 bytes an idle endpoint, all included. */
static void an_idle_connection_fits_its_budget(void **state)
{
    (void)state;
    assert_in_range(ho_host_idle_bytes(), 150, 192);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_handed_out_again_last_first),
        cmocka_unit_test(a_bound_is_kept),
        cmocka_unit_test(the_lowest_descriptor_is_found_among_many),
        cmocka_unit_test(the_same_inputs_give_the_same_frames),
        cmocka_unit_test(an_idle_connection_fits_its_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
