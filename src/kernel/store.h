/* Virtual kernels that were built and are kept: User Mode Linux with a virtual clock.
 *
 * They lie in the user's cache, $XDG_CACHE_HOME/halfopen/kernels (~/.cache without it), each in a
 * folder of its own whose name says all about it: VERSION-hzHZ-HASH, where HASH is that of the
 * configuration and the recipe that it was built with. The file in it is called `linux`.
 *
 * The variable HALFOPEN_KERNEL names one that lies anywhere, by its path: the file itself, or the
 * folder with a file `linux` in it.
 */

#ifndef HO_KERNEL_STORE_H
#define HO_KERNEL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define HO_STORE_NAME 96
#define HO_STORE_PATH 4096

struct ho_store_kernel {
    char name[HO_STORE_NAME]; /* "6.12.117-hz250-0123456789abcdef" */
    char version[48];         /* "6.12.117"; "" where the name does not say it */
    uint32_t hz;              /* 0: the name does not say it */
    char hash[17];            /* of configuration and recipe */
    char path[HO_STORE_PATH]; /* of the file */
    uint64_t bytes;
    time_t built;
};

/* Writes the folder where kernels are kept, without making it. Returns 0; -ENOENT: neither
 * XDG_CACHE_HOME nor HOME is set; -ENAMETOOLONG.
 */
int ho_store_folder(char ret[HO_STORE_PATH]);

/* All that are kept, the newest version first. Returns how many, with *ret to be freed by free();
 * 0 also where the folder does not exist; a negative errno.
 */
int ho_store_list(struct ho_store_kernel **ret);

/* The one to run: HALFOPEN_KERNEL's; else the first of the list with `hz` (0: with any), and
 * `name` at the beginning of its name (NULL: any).
 *
 * Returns 0; -ENOENT: none is there; -EACCES: HALFOPEN_KERNEL names what cannot be executed.
 */
int ho_store_find(struct ho_store_kernel *ret, const char *name, uint32_t hz);

/* Takes the file `built` (moved) into the store. Returns 0 with *ret; a negative errno. */
int ho_store_add(struct ho_store_kernel *ret, const char *built, const char *version, uint32_t hz,
                 const char *hash);

/* Removes one from disk. Returns 0; a negative errno. */
int ho_store_remove(const struct ho_store_kernel *k);

/* The hash in a kernel's name, of the texts that make it. */
void ho_store_hash(char ret[17], const char *config, size_t config_len, const char *recipe,
                   size_t recipe_len);

/* Makes a folder and those above it, for the user alone. Returns 0; a negative errno. */
int ho_store_mkdir(const char *path);

#endif
