/* The lists as tables in Markdown, for docs/: generated, never written by hand.
 *
 * Each function writes at most `size` bytes, the final 0 included, into `buf`, and returns the
 * length of the whole table without the final 0, as snprintf() does: a result >= `size` means it
 * was cut. `buf` may be NULL with `size` 0.
 */

#ifndef HO_KNOBS_DOCS_H
#define HO_KNOBS_DOCS_H

#include <stddef.h>

size_t ho_docs_sysctls(char *buf, size_t size);
size_t ho_docs_sockopts(char *buf, size_t size);
size_t ho_docs_states(char *buf, size_t size);
size_t ho_docs_errnos(char *buf, size_t size);

#endif
