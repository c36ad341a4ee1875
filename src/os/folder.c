/* Folders with a lock. */

#include "os/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int put_path(char *ret, const char *folder, const char *name, const char *end)
{
    int n = snprintf(ret, HO_OS_PATH, "%s/%s%s", folder, name, end);

    return n > 0 && n < HO_OS_PATH ? 0 : -ENAMETOOLONG;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *at)
{
    (void)s;
    (void)type;
    (void)at;
    (void)remove(path);
    return 0; /* what cannot be removed keeps nothing else */
}

static void remove_all(const char *path)
{
    nftw(path, remove_one, 64, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Those whose makers were killed: nobody holds their lock. */
static void remove_stale(const char *parent, const char *prefix)
{
    DIR *d = opendir(parent);
    const struct dirent *e;
    char path[HO_OS_PATH];
    size_t len = strlen(prefix);

    while (d != NULL && (e = readdir(d)) != NULL) {
        if (strncmp(e->d_name, prefix, len) != 0 || e->d_name[len] != '-' ||
            put_path(path, parent, e->d_name, "") != 0) {
            continue;
        }
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
            remove_all(path);
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    if (d != NULL) {
        closedir(d);
    }
}

int ho_os_folder_new(struct ho_os_folder *ret, const char *parent, const char *prefix)
{
    struct ho_os_folder f;

    remove_stale(parent, prefix);
    /* Between making and locking it looks like a stale one, and may be removed: once more then. */
    for (int tries = 0; tries < 10; tries++) {
        int err = put_path(f.path, parent, prefix, "-XXXXXX");

        if (err != 0 || mkdtemp(f.path) == NULL) {
            return err != 0 ? err : -errno;
        }
        f.lock = open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (f.lock >= 0 && flock(f.lock, LOCK_EX | LOCK_NB) == 0 && access(f.path, F_OK) == 0) {
            *ret = f;
            return 0;
        }
        if (f.lock >= 0) {
            close(f.lock);
        }
    }
    return -EAGAIN;
}

void ho_os_folder_remove(struct ho_os_folder *f)
{
    if (f == NULL || f->path[0] == '\0') {
        return;
    }
    remove_all(f->path);
    close(f->lock);
    f->path[0] = '\0';
}

int ho_os_folder_file(char ret[HO_OS_PATH], const struct ho_os_folder *f, const char *name)
{
    return put_path(ret, f->path, name, "");
}

int ho_os_folder_write(const struct ho_os_folder *f, const char *name, const void *bytes,
                       size_t len, unsigned mode)
{
    const char *at = bytes;
    int fd = openat(f->lock, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    int err = 0;

    if (fd < 0) {
        return -errno;
    }
    while (len > 0 && err == 0) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno != EINTR) {
            err = -errno;
        } else if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return close(fd) == 0 ? err : -errno;
}
