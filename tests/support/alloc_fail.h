/* Makes allocations fail, one after the other.
 *
 * For test programs whose file name ends in _allocfail.c: CMake links those with --wrap, so that
 * every malloc(), calloc() and realloc() of our own code comes through here. Libraries that are
 * loaded at run time (libc, cmocka) are not touched.
 *
 *     for (size_t n = 1; ; n++) {
 *         ho_alloc_fail_nth(n);
 *         int err = job();
 *         if (!ho_alloc_fail_happened()) { break; }    the job needs less than n allocations
 *         assert_int_equal(err, -ENOMEM);
 *     }
 *     ho_alloc_fail_off();
 */

#ifndef HO_TESTS_ALLOC_FAIL_H
#define HO_TESTS_ALLOC_FAIL_H

#include <stdbool.h>
#include <stddef.h>

/* From now on the `n`th allocation fails, n >= 1, and only that one. */
void ho_alloc_fail_nth(size_t n);

/* From now on the `n`th allocation and every one after it fails. */
void ho_alloc_fail_from(size_t n);

/* No allocation fails. The count goes on. */
void ho_alloc_fail_off(void);

/* Whether one failed since the last ho_alloc_fail_nth() or ho_alloc_fail_from(). */
bool ho_alloc_fail_happened(void);

/* Allocations asked for since then, failed ones included. */
size_t ho_alloc_count(void);

#endif
