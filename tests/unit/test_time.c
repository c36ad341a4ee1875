/* Unit tests of src/base/time.h. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"

static void adding_never_passes_never(void **state)
{
    (void)state;
    assert_int_equal(ho_time_add((struct ho_time){ 5 }, ho_ns(7)).ns, 12);
    assert_int_equal(ho_time_add(HO_NEVER, ho_ns(1)).ns, HO_NEVER.ns);
    assert_int_equal(ho_time_add((struct ho_time){ INT64_MAX - 5 }, ho_ns(6)).ns, HO_NEVER.ns);
}

static void never_is_never_reached(void **state)
{
    (void)state;
    assert_false(ho_time_reached(HO_NEVER, HO_NEVER));
    assert_false(ho_time_reached((struct ho_time){ 6 }, (struct ho_time){ 5 }));
    assert_true(ho_time_reached((struct ho_time){ 5 }, (struct ho_time){ 5 }));
}

static void time_since_something_later_is_zero(void **state)
{
    (void)state;
    assert_int_equal(ho_time_since((struct ho_time){ 9 }, (struct ho_time){ 2 }).ns, 7);
    assert_int_equal(ho_time_since((struct ho_time){ 2 }, (struct ho_time){ 9 }).ns, 0);
}

static void units_are_what_they_say(void **state)
{
    (void)state;
    assert_int_equal(ho_us(3).ns, 3000);
    assert_int_equal(ho_ms(3).ns, 3000000);
    assert_int_equal(ho_s(3).ns, 3000000000);
    assert_int_equal(ho_time_min((struct ho_time){ 2 }, (struct ho_time){ 1 }).ns, 1);
    assert_true(ho_time_before((struct ho_time){ 1 }, (struct ho_time){ 2 }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding_never_passes_never),
        cmocka_unit_test(never_is_never_reached),
        cmocka_unit_test(time_since_something_later_is_zero),
        cmocka_unit_test(units_are_what_they_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
