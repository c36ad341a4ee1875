/* What is advised holds when it is played, and what is refused cannot be had: eight random
 * questions (tests/support/advise_draw.h).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/advise_draw.h"

static void what_is_advised_holds(void **state)
{
    (void)state;
    advise_draws(1, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_advised_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
