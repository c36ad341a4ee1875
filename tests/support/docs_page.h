/* A page of docs/ that a list in the code writes. */

#ifndef HO_SUPPORT_DOCS_PAGE_H
#define HO_SUPPORT_DOCS_PAGE_H

#include "base/text.h"

/* Fails unless the file `path` is `head` followed by what `table` puts. With HO_WRITE_DOCS in the
 * environment the file is written first; `test` is the program to be run for that.
 */
void ho_docs_page_is(const char *path, const char *head, void (*table)(struct ho_text *out),
                     const char *test);

#endif
