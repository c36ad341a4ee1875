/* Unit tests of src/base/list.h. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
    int number;
    struct ho_list node;
};

static void shift_gives_items_in_the_order_of_push(void **state)
{
    (void)state;
    struct ho_list head;
    struct item item[3] = { { .number = 0 }, { .number = 1 }, { .number = 2 } };

    ho_list_init(&head);
    assert_true(ho_list_empty(&head));
    for (int i = 0; i < 3; i++) {
        ho_list_push(&head, &item[i].node);
        assert_true(ho_list_linked(&item[i].node));
    }
    for (int i = 0; i < 3; i++) {
        struct ho_list *node = ho_list_shift(&head);
        assert_int_equal(ho_container(node, struct item, node)->number, i);
        assert_false(ho_list_linked(node));
    }
    assert_null(ho_list_shift(&head));
}

static void removing_from_the_middle_twice_is_harmless(void **state)
{
    (void)state;
    struct ho_list head;
    struct item item[3] = { { 0 }, { 0 }, { 0 } };

    ho_list_init(&head);
    for (int i = 0; i < 3; i++) {
        ho_list_push(&head, &item[i].node);
    }
    ho_list_remove(&item[1].node);
    ho_list_remove(&item[1].node);
    assert_ptr_equal(ho_list_shift(&head), &item[0].node);
    assert_ptr_equal(ho_list_shift(&head), &item[2].node);
    assert_true(ho_list_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shift_gives_items_in_the_order_of_push),
        cmocka_unit_test(removing_from_the_middle_twice_is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
