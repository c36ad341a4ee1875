/* See support/docs_page.h. */

#include "support/docs_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void ho_docs_page_is(const char *path, const char *head, void (*table)(struct ho_text *out),
                     const char *test)
{
    static char page[262144];
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
        fail_msg("%s is not what the list says: run HO_WRITE_DOCS=1 %s", path, test);
    }
    ho_text_free(&t);
}
