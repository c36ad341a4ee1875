/* src/base/pool.c and buf.c when there is no memory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/buf.h"
#include "support/alloc_fail.h"

static void pool_without_memory_gives_null_and_goes_on_later(void **state)
{
    (void)state;
    struct ho_pool p;

    ho_pool_init(&p, 64, 1000);
    ho_alloc_fail_nth(1);
    assert_null(ho_pool_get(&p));
    assert_true(ho_alloc_fail_happened());
    assert_int_equal(p.used, 0);

    assert_non_null(ho_pool_get(&p)); /* only the first one failed */
    assert_int_equal(ho_alloc_count(), 2);
    ho_alloc_fail_off();
    ho_pool_destroy(&p);
}

/* A full slab and no memory for the next: what is out stays whole, what comes back is reused. */
static void pool_that_cannot_grow_lives_on_what_it_has(void **state)
{
    (void)state;
    struct ho_pool p;
    void *obj = NULL;
    size_t n = 0;

    ho_pool_init(&p, 64, 1000);
    ho_alloc_fail_from(2);
    for (void *next = ho_pool_get(&p); next != NULL; next = ho_pool_get(&p)) {
        obj = next;
        n++;
    }
    assert_true(ho_alloc_fail_happened());
    assert_true(n > 0 && n < 1000);

    ho_pool_put(&p, obj);
    assert_ptr_equal(ho_pool_get(&p), obj);
    assert_null(ho_pool_get(&p));
    ho_alloc_fail_off();
    ho_pool_destroy(&p);
}

static void buffer_without_memory_is_null(void **state)
{
    (void)state;
    struct ho_bufpool p;

    ho_bufpool_init(&p, 10);
    ho_alloc_fail_from(1);
    assert_null(ho_buf_get(&p, 0, 100));
    assert_null(ho_buf_get(&p, 0, 2000));
    ho_alloc_fail_off();
    struct ho_buf *b = ho_buf_get(&p, 0, 100);
    assert_non_null(b);
    ho_alloc_fail_from(1);
    struct ho_buf *copy = ho_buf_copy(&p, b); /* the slab has room */
    assert_non_null(copy);
    ho_alloc_fail_off();
    ho_bufpool_destroy(&p);
}

/* The tool itself: each way to allocate comes through it, and "off" means off. Volatile, because
 * a compiler may leave out an allocation whose memory nobody uses.
 */
static void every_way_to_allocate_can_fail(void **state)
{
    (void)state;
    ho_alloc_fail_nth(2);
    void *volatile first = malloc(8);
    void *volatile second = malloc(8);
    ho_alloc_fail_nth(1);
    void *volatile zeroed = calloc(1, 8);
    ho_alloc_fail_nth(1);
    void *volatile moved = realloc(NULL, 8);
    ho_alloc_fail_off();
    void *volatile last = malloc(8);

    assert_non_null(first);
    assert_null(second);
    assert_null(zeroed);
    assert_null(moved);
    assert_non_null(last);
    free(first);
    free(last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_without_memory_gives_null_and_goes_on_later),
        cmocka_unit_test(pool_that_cannot_grow_lives_on_what_it_has),
        cmocka_unit_test(buffer_without_memory_is_null),
        cmocka_unit_test(every_way_to_allocate_can_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
