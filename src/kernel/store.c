/* The folder of built kernels. */

#include "kernel/store.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/siphash.h"

static int path_put(char ret[HO_STORE_PATH], const char *a, const char *b)
{
    int n = snprintf(ret, HO_STORE_PATH, "%s%s", a, b);

    return n >= 0 && n < HO_STORE_PATH ? 0 : -ENAMETOOLONG;
}

int ho_store_folder(char ret[HO_STORE_PATH])
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");

    if (cache != NULL && cache[0] == '/') { /* the XDG base directory specification: absolute */
        return path_put(ret, cache, "/halfopen/kernels");
    }
    return home != NULL && home[0] != '\0' ? path_put(ret, home, "/.cache/halfopen/kernels")
                                           : -ENOENT;
}

int ho_store_mkdir(const char *path)
{
    char part[HO_STORE_PATH];
    int err = path_put(part, path, "");

    for (char *at = part + 1; err == 0 && *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            err = mkdir(part, 0700) == 0 || errno == EEXIST ? 0 : -errno;
            *at = '/';
        }
    }
    if (err != 0) {
        return err;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

void ho_store_hash(char ret[17], const char *config, size_t config_len, const char *recipe,
                   size_t recipe_len)
{
    const struct ho_sipkey key = { { 0, 0 } };
    uint64_t h = ho_siphash(&key, config, config_len);

    snprintf(ret, 17, "%016" PRIx64, h ^ ho_siphash(&key, recipe, recipe_len) << 1);
}

/* ---- one kernel ------------------------------------------------------------------------------ */

/* Fills in what the file says. Returns 0; -ENOENT: it is none that can be run. */
static int look(struct ho_store_kernel *k)
{
    struct stat s;

    if (stat(k->path, &s) != 0 || !S_ISREG(s.st_mode) || access(k->path, X_OK) != 0) {
        return -ENOENT;
    }
    k->bytes = (uint64_t)s.st_size;
    k->built = s.st_mtime;
    return 0;
}

/* Reads VERSION-hzHZ-HASH. False: it is no such name. */
static bool read_name(struct ho_store_kernel *k, const char *name)
{
    int end = 0;

    return strlen(name) < sizeof(k->name) &&
           sscanf(name, "%47[0-9.]-hz%" SCNu32 "-%16[0-9a-f]%n", k->version, &k->hz, k->hash,
                  &end) == 3 &&
           name[end] == '\0' && snprintf(k->name, sizeof(k->name), "%s", name) > 0;
}

static int path_of(char ret[HO_STORE_PATH], const char *folder, const char *name)
{
    int n = snprintf(ret, HO_STORE_PATH, "%s/%s/linux", folder, name);

    return n >= 0 && n < HO_STORE_PATH ? 0 : -ENAMETOOLONG;
}

/* ---- the store ------------------------------------------------------------------------------- */

/* Versions by their numbers, the newest first; equal ones by HZ, then the one built last. */
static int by_version(const void *a, const void *b)
{
    const struct ho_store_kernel *x = a, *y = b;
    int order = strverscmp(y->version, x->version);

    if (order == 0 && x->hz != y->hz) {
        return x->hz < y->hz ? -1 : 1;
    }
    return order != 0 ? order : x->built == y->built ? 0 : x->built > y->built ? -1 : 1;
}

static int read_folder(struct ho_store_kernel **ret, DIR *d, const char *folder)
{
    struct ho_store_kernel *all = NULL;
    size_t n = 0, room = 0;
    const struct dirent *e;

    while ((e = readdir(d)) != NULL) {
        if (n == room) {
            room = room == 0 ? 4 : room * 2;
            struct ho_store_kernel *more = realloc(all, room * sizeof(*more));

            if (more == NULL) {
                free(all);
                return -ENOMEM;
            }
            all = more;
        }
        all[n] = (struct ho_store_kernel){ .hz = 0 };
        if (read_name(&all[n], e->d_name) && path_of(all[n].path, folder, e->d_name) == 0 &&
            look(&all[n]) == 0) {
            n++;
        }
    }
    if (n > 0) {
        qsort(all, n, sizeof(*all), by_version);
    } else {
        free(all);
        all = NULL;
    }
    *ret = all;
    return (int)n;
}

int ho_store_list(struct ho_store_kernel **ret)
{
    char folder[HO_STORE_PATH];
    int err = ho_store_folder(folder);
    DIR *d = err == 0 ? opendir(folder) : NULL;

    *ret = NULL;
    if (err != 0 || d == NULL) {
        return err == 0 && errno != ENOENT ? -errno : 0;
    }
    err = read_folder(ret, d, folder);
    closedir(d);
    return err;
}

/* What HALFOPEN_KERNEL names. Its version and HZ are known if its folder is called as in the store.
 */
static int find_named(struct ho_store_kernel *ret, const char *path)
{
    struct ho_store_kernel k = { .hz = 0 };
    struct stat s;
    bool folder = stat(path, &s) == 0 && S_ISDIR(s.st_mode);
    int err = path_put(k.path, path, folder ? "/linux" : "");
    char parent[HO_STORE_PATH];

    if (err != 0 || look(&k) != 0) {
        return -EACCES;
    }
    path_put(parent, k.path, "");
    char *slash = strrchr(parent, '/');

    if (slash != NULL) {
        *slash = '\0';
        slash = strrchr(parent, '/');
    }
    if (slash == NULL || !read_name(&k, slash + 1)) {
        k.hz = 0;
        k.version[0] = k.hash[0] = '\0';
        snprintf(k.name, sizeof(k.name), "HALFOPEN_KERNEL");
    }
    *ret = k;
    return 0;
}

int ho_store_find(struct ho_store_kernel *ret, const char *name, uint32_t hz)
{
    const char *named = getenv("HALFOPEN_KERNEL");
    struct ho_store_kernel *all;
    int found = -ENOENT;

    if (named != NULL && named[0] != '\0') {
        return find_named(ret, named);
    }
    int n = ho_store_list(&all);

    for (int i = 0; all != NULL && i < n && found != 0; i++) {
        if ((hz == 0 || all[i].hz == hz) &&
            (name == NULL || strncmp(all[i].name, name, strlen(name)) == 0)) {
            *ret = all[i];
            found = 0;
        }
    }
    free(all);
    return n < 0 ? n : found;
}

int ho_store_add(struct ho_store_kernel *ret, const char *built, const char *version, uint32_t hz,
                 const char *hash)
{
    struct ho_store_kernel k = { .hz = 0 };
    char folder[HO_STORE_PATH], own[HO_STORE_PATH];
    char name[HO_STORE_NAME];
    int err = ho_store_folder(folder);

    snprintf(name, sizeof(name), "%s-hz%" PRIu32 "-%s", version, hz, hash);
    if (!read_name(&k, name)) {
        return -EINVAL;
    }
    err = err != 0 ? err : path_of(k.path, folder, name);
    if (err == 0) {
        path_put(own, k.path, "");
        *strrchr(own, '/') = '\0';
        err = ho_store_mkdir(own);
    }
    if (err == 0 && rename(built, k.path) != 0) {
        err = -errno;
    }
    err = err != 0 ? err : look(&k);
    if (err == 0) {
        *ret = k;
    }
    return err;
}

int ho_store_remove(const struct ho_store_kernel *k)
{
    char folder[HO_STORE_PATH];

    if (unlink(k->path) != 0) {
        return -errno;
    }
    path_put(folder, k->path, "");
    *strrchr(folder, '/') = '\0';
    return rmdir(folder) == 0 ? 0 : -errno;
}
