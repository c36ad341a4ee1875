/* The files between a guest and its outside, in the private folder. For src/kernel/guest*.c.
 *
 *     FOLDER/init           the program, a symbolic link
 *     FOLDER/job            what is to be done: texts, each ended by a 0, "NAME=VALUE"
 *     FOLDER/console        what the kernel says
 *     FOLDER/tmp/           the kernel's own
 *     FOLDER/out/result     a line of numbers, and the texts behind it
 *     FOLDER/out/said       stderr of the program inside
 *     FOLDER/out/progress   changes as time passes inside
 */

#ifndef HO_KERNEL_GUEST_FILES_H
#define HO_KERNEL_GUEST_FILES_H

#include "kernel/guest.h"

/* The guest's root is the machine's, so that the folder is where /proc/self/cwd of the kernel's
 * process leads. That name is always the same, which the folder's is not: the kernel hashes its
 * command line into its random numbers.
 */
#define HO_GUEST_HERE "/proc/self/cwd"

#define HO_GUEST_RESULT_MAX (UINT64_C(1) << 32)

/* Writes the job's text, for the directory `cwd` and the folder `folder`. */
void ho_guest_put_job(struct ho_text *out, const struct ho_guest_job *job, const char *cwd,
                      const char *folder);

/* Reads it: `text`, which ends with a 0, becomes ret->text, which the others of *ret point into.
 * Sets the environment. Returns 0; -EINVAL; -ENOMEM.
 */
int ho_guest_read_job(struct ho_guest_inside *ret, char *text, size_t len, const char **ret_cwd,
                      const char **ret_folder);

/* The first line of the result, for texts of these lengths; and its reading. */
void ho_guest_put_head(struct ho_text *out, int code, const struct ho_text part[HO_GUEST_PARTS]);
int ho_guest_read_head(const char *text, int *ret_code, uint64_t ret_len[HO_GUEST_PARTS],
                       size_t *ret_size);

/* All of a file, if it is not longer than `max`. Returns 0; a negative errno. */
int ho_guest_load(struct ho_text *out, int dir, const char *name, uint64_t max);

/* What a console's text says went wrong, as one line. */
void ho_guest_blame(char why[HO_GUEST_WHY], const char *console);

#endif
