/* A private folder that goes with the process that made it.
 *
 * Its name is PARENT/PREFIX-XXXXXX. While its maker lives it is locked (flock(2)); a maker that is
 * killed leaves it behind, and whoever makes the next one with that prefix in that parent removes
 * it.
 */

#ifndef HO_OS_FOLDER_H
#define HO_OS_FOLDER_H

#include <stddef.h>

#define HO_OS_PATH 4096

struct ho_os_folder {
    char path[HO_OS_PATH]; /* "": none */
    int lock;              /* the folder itself; close-on-exec */
};

/* Makes one, for this user alone. Returns 0 with *ret, to be removed; a negative errno, with
 * nothing left.
 */
int ho_os_folder_new(struct ho_os_folder *ret, const char *parent, const char *prefix);

/* Removes it with everything in it; what is mounted below is left alone. Takes NULL. */
void ho_os_folder_remove(struct ho_os_folder *f);

/* Writes PATH/name into `ret`. Returns 0; -ENAMETOOLONG. */
int ho_os_folder_file(char ret[HO_OS_PATH], const struct ho_os_folder *f, const char *name);

/* Makes a file in it, `mode` as in open(2). Returns 0; a negative errno. */
int ho_os_folder_write(const struct ho_os_folder *f, const char *name, const void *bytes,
                       size_t len, unsigned mode);

#endif
