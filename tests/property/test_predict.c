/* What `halfopen predict` says is what the model plays, for four hundred random settings and phases
 * (tests/support/predict_draw.h).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/predict_draw.h"

static void what_is_predicted_is_played(void **state)
{
    (void)state;
    predict_draws(1, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_predicted_is_played),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
