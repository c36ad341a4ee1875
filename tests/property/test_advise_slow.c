/* The same as test_advise.c for a hundred and fifty random questions. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/advise_draw.h"

static void what_is_advised_holds(void **state)
{
    (void)state;
    advise_draws(2, 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_advised_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
