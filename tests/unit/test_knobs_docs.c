/* docs/sysctls.md and docs/socket-options.md are what the lists say: they are written by
 *
 *     HO_WRITE_DOCS=1 <build>/test_knobs_docs
 *
 * in the source tree, never by hand.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "knobs/docs.h"
#include "support/docs_page.h"

static const char sysctls_head[] =
    "# Sysctls\n\n"
    "Every setting of a host, with Linux's names, defaults and units. Generated from "
    "src/knobs/sysctl.def;\nwhich of them the model does not read is in departures.md.\n\n";
static const char sockopts_head[] =
    "# Socket options\n\n"
    "Every option of a socket, with Linux's names. Generated from src/knobs/sockopt.def.\n\n";

static void check(const char *path, const char *head, void (*table)(struct ho_text *))
{
    ho_docs_page_is(path, head, table, "test_knobs_docs");
}

static void the_page_of_sysctls_is_the_list(void **state)
{
    (void)state;
    check("docs/sysctls.md", sysctls_head, ho_docs_sysctls);
}

static void the_page_of_socket_options_is_the_list(void **state)
{
    (void)state;
    check("docs/socket-options.md", sockopts_head, ho_docs_sockopts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_of_sysctls_is_the_list),
        cmocka_unit_test(the_page_of_socket_options_is_the_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
