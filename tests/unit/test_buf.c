/* Unit tests of src/base/buf.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"

static void buffer_has_the_room_asked_for_behind_its_headroom(void **state)
{
    (void)state;
    struct ho_bufpool p;

    ho_bufpool_init(&p, 4);
    struct ho_buf *small = ho_buf_get(&p, 92, 100);
    struct ho_buf *large = ho_buf_get(&p, 93, 100);
    struct ho_buf *largest = ho_buf_get(&p, 0, HO_BUF_LARGE);

    assert_int_equal(small->cap, HO_BUF_SMALL);
    assert_int_equal(large->cap, HO_BUF_LARGE);
    assert_int_equal(largest->cap, HO_BUF_LARGE);
    assert_int_equal(small->head, 92);
    assert_int_equal(small->len, 0);
    assert_ptr_equal(ho_buf_bytes(small), small->data + 92);
    memset(ho_buf_bytes(largest), 1, HO_BUF_LARGE); /* AddressSanitizer sees a byte too much */
    ho_bufpool_destroy(&p);
}

static void more_than_the_largest_is_refused(void **state)
{
    (void)state;
    struct ho_bufpool p;

    ho_bufpool_init(&p, 4);
    assert_null(ho_buf_get(&p, 0, HO_BUF_LARGE + 1));
    assert_null(ho_buf_get(&p, 1, HO_BUF_LARGE));
    assert_null(ho_buf_get(&p, SIZE_MAX, 1));
    assert_null(ho_buf_get(&p, 1, SIZE_MAX));
    ho_bufpool_destroy(&p);
}

static void each_size_has_its_own_bound(void **state)
{
    (void)state;
    struct ho_bufpool p;

    ho_bufpool_init(&p, 1);
    struct ho_buf *small = ho_buf_get(&p, 0, 1);
    assert_non_null(small);
    assert_null(ho_buf_get(&p, 0, 1));
    struct ho_buf *large = ho_buf_get(&p, 0, 1000);
    assert_non_null(large);
    assert_null(ho_buf_get(&p, 0, 1000));

    ho_buf_put(&p, small);
    assert_ptr_equal(ho_buf_get(&p, 0, 1), small);
    ho_buf_put(&p, large);
    assert_ptr_equal(ho_buf_get(&p, 0, 1000), large);
    ho_buf_put(&p, NULL);
    ho_bufpool_destroy(&p);
}

static void buffer_used_before_comes_back_clean(void **state)
{
    (void)state;
    struct ho_bufpool p;

    ho_bufpool_init(&p, 1);
    struct ho_buf *b = ho_buf_get(&p, 0, 10);
    b->len = 10;
    b->user = 7;
    b->tag[1] = 9;
    b->next = b;
    ho_buf_put(&p, b);

    b = ho_buf_get(&p, 3, 10);
    assert_int_equal(b->len, 0);
    assert_int_equal(b->user, 0);
    assert_int_equal(b->tag[1], 0);
    assert_null(b->next);
    assert_int_equal(b->head, 3);
    ho_bufpool_destroy(&p);
}

static void copy_has_the_same_bytes_and_its_own_memory(void **state)
{
    (void)state;
    struct ho_bufpool p;

    ho_bufpool_init(&p, 2);
    struct ho_buf *b = ho_buf_get(&p, 14, 60);
    memcpy(ho_buf_bytes(b), "abc", 3);
    b->len = 3;
    b->user = 5;
    b->tag[0] = 6;
    b->tag[1] = 7;

    struct ho_buf *copy = ho_buf_copy(&p, b);
    memset(ho_buf_bytes(b), 'x', 3);
    assert_int_equal(copy->len, 3);
    assert_int_equal(copy->head, 14);
    assert_int_equal(copy->cap, b->cap);
    assert_int_equal(copy->user, 5);
    assert_int_equal(copy->tag[0], 6);
    assert_int_equal(copy->tag[1], 7);
    assert_memory_equal(ho_buf_bytes(copy), "abc", 3);
    assert_null(ho_buf_copy(&p, b)); /* the bound */
    ho_bufpool_destroy(&p);
}

static void queue_is_first_in_first_out(void **state)
{
    (void)state;
    struct ho_bufpool p;
    struct ho_bufq q = { 0 };
    struct ho_buf *b[3];

    ho_bufpool_init(&p, 3);
    assert_null(ho_bufq_shift(&q));
    for (int round = 0; round < 2; round++) { /* an emptied queue is as good as a new one */
        for (int i = 0; i < 3; i++) {
            b[i] = ho_buf_get(&p, 0, 1);
            ho_bufq_push(&q, b[i]);
        }
        assert_int_equal(q.count, 3);
        for (int i = 0; i < 3; i++) {
            struct ho_buf *got = ho_bufq_shift(&q);
            assert_ptr_equal(got, b[i]);
            assert_null(got->next);
            ho_buf_put(&p, got);
        }
        assert_int_equal(q.count, 0);
        assert_null(ho_bufq_shift(&q));
    }
    ho_bufpool_destroy(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_has_the_room_asked_for_behind_its_headroom),
        cmocka_unit_test(more_than_the_largest_is_refused),
        cmocka_unit_test(each_size_has_its_own_bound),
        cmocka_unit_test(buffer_used_before_comes_back_clean),
        cmocka_unit_test(copy_has_the_same_bytes_and_its_own_memory),
        cmocka_unit_test(queue_is_first_in_first_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
