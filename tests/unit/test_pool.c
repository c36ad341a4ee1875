/* Unit tests of src/base/pool.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pool.h"

static void object_is_zeroed_also_when_it_was_used_before(void **state)
{
    (void)state;
    struct ho_pool p;

    ho_pool_init(&p, 24, 10);
    for (int round = 0; round < 2; round++) {
        uint8_t *obj = ho_pool_get(&p);
        assert_non_null(obj);
        for (int i = 0; i < 24; i++) {
            assert_int_equal(obj[i], 0);
            obj[i] = 0xff;
        }
        ho_pool_put(&p, obj);
    }
    ho_pool_destroy(&p);
}

static void bound_is_kept_and_an_object_given_back_can_be_had_again(void **state)
{
    (void)state;
    struct ho_pool p;
    void *obj[3];

    ho_pool_init(&p, 8, 3);
    for (int i = 0; i < 3; i++) {
        obj[i] = ho_pool_get(&p);
        assert_non_null(obj[i]);
    }
    assert_null(ho_pool_get(&p));
    assert_int_equal(p.used, 3);

    ho_pool_put(&p, obj[1]);
    assert_int_equal(p.used, 2);
    assert_ptr_equal(ho_pool_get(&p), obj[1]);
    assert_null(ho_pool_get(&p));
    ho_pool_destroy(&p);
}

/* Enough for many slabs, of a size that is no multiple of 8. */
static void objects_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    enum {
        N = 100000,
        SIZE = 13
    };
    struct ho_pool p;
    static uint8_t *obj[N];

    ho_pool_init(&p, SIZE, N);
    for (size_t i = 0; i < N; i++) {
        obj[i] = ho_pool_get(&p);
        assert_non_null(obj[i]);
        assert_int_equal((uintptr_t)obj[i] % 8, 0);
        for (size_t k = 0; k < SIZE; k++) {
            obj[i][k] = (uint8_t)(i * 31 + k);
        }
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k < SIZE; k++) {
            assert_int_equal(obj[i][k], (uint8_t)(i * 31 + k));
        }
    }
    ho_pool_destroy(&p);
}

static void object_larger_than_a_slab_is_had(void **state)
{
    (void)state;
    struct ho_pool p;

    ho_pool_init(&p, 3 << 20, 2);
    assert_non_null(ho_pool_get(&p));
    assert_non_null(ho_pool_get(&p));
    assert_null(ho_pool_get(&p));
    ho_pool_destroy(&p);
}

static void null_and_an_empty_pool_are_harmless(void **state)
{
    (void)state;
    struct ho_pool p;

    ho_pool_init(&p, 8, 0);
    ho_pool_put(&p, NULL);
    assert_null(ho_pool_get(&p));
    ho_pool_destroy(&p);
    ho_pool_destroy(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(object_is_zeroed_also_when_it_was_used_before),
        cmocka_unit_test(bound_is_kept_and_an_object_given_back_can_be_had_again),
        cmocka_unit_test(objects_are_aligned_and_do_not_overlap),
        cmocka_unit_test(object_larger_than_a_slab_is_had),
        cmocka_unit_test(null_and_an_empty_pool_are_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
