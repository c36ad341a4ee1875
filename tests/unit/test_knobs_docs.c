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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "knobs/docs.h"

static const char sysctls_head[] =
    "# Sysctls\n\n"
    "Every setting of a host, with Linux's names, defaults and units. Generated from "
    "src/knobs/sysctl.def;\nwhich of them the model does not read is in departures.md.\n\n";
static const char sockopts_head[] =
    "# Socket options\n\n"
    "Every option of a socket, with Linux's names. Generated from src/knobs/sockopt.def.\n\n";

static void check(const char *path, const char *head, void (*table)(struct ho_text *))
{
    static char page[65536];
    struct ho_text t = { 0 };

    ho_text_put(&t, head);
    table(&t);
    assert_int_equal(ho_text_err(&t), 0);
    if (getenv("HO_WRITE_DOCS") != NULL) {
        FILE *out = fopen(path, "wb");
        assert_non_null(out);
        assert_int_equal(fwrite(ho_text_str(&t), 1, t.len, out), t.len);
        assert_int_equal(fclose(out), 0);
    }
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(page, 1, sizeof(page) - 1, f);
    page[n] = '\0';
    (void)fclose(f);
    if (strcmp(page, ho_text_str(&t)) != 0) {
        fail_msg("%s is not what the lists say: run HO_WRITE_DOCS=1 test_knobs_docs", path);
    }
    ho_text_free(&t);
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
