#define _POSIX_C_SOURCE 200809L
/* Reading and writing whole files, and what is said on stderr and stdout. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/guest.h"
#include "scenario/syntax.h"

int ho_cli_say(int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("halfopen: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return code;
}

int ho_cli_no_memory(void)
{
    return ho_cli_say(HO_EXIT_CANNOT, "out of memory");
}

bool ho_cli_colour(void)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    if (ho_guest_inside() != NULL) {
        return ho_guest_inside()->colour; /* that of the stdout outside */
    }
    return (no == NULL || no[0] == '\0') && term != NULL && strcmp(term, "dumb") != 0 &&
           isatty(STDOUT_FILENO);
}

static int stdout_failed(int err)
{
    if (err == EPIPE) {
        return ho_cli_say(HO_EXIT_FOUND, "stdout: whoever read it has gone");
    }
    return ho_cli_say(HO_EXIT_CANNOT, "stdout: %s", strerror(err));
}

int ho_cli_put(const struct ho_text *t)
{
    if (ho_text_err(t) != 0) {
        return ho_cli_no_memory();
    }
    if (fwrite(ho_text_str(t), 1, t->len, stdout) != t->len) {
        int err = errno;

        clearerr(stdout);
        return stdout_failed(err);
    }
    return HO_EXIT_OK;
}

int ho_cli_done(void)
{
    if (fflush(stdout) != 0) {
        int err = errno;

        clearerr(stdout);
        return stdout_failed(err);
    }
    return HO_EXIT_OK;
}

/* Writes all bytes. Returns 0 or a positive errno. */
static int write_all(const char *path, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    int err = 0;

    if (f == NULL) {
        return errno;
    }
    if (fwrite(bytes, 1, len, f) != len || fflush(f) != 0) {
        err = errno;
    }
    if (fclose(f) != 0 && err == 0) {
        err = errno;
    }
    return err;
}

int ho_cli_save(const char *path, const void *bytes, size_t len)
{
    struct stat st;
    size_t room = strlen(path) + sizeof(".part");
    char *part;
    int err;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        err = write_all(path, bytes, len);
        return err == 0 ? 0 : ho_cli_say(HO_EXIT_CANNOT, "%s: %s", path, strerror(err));
    }
    part = malloc(room);
    if (part == NULL) {
        return ho_cli_no_memory();
    }
    snprintf(part, room, "%s.part", path);
    err = write_all(part, bytes, len);
    if (err == 0 && rename(part, path) != 0) {
        err = errno;
    }
    if (err != 0) {
        remove(part);
        ho_cli_say(HO_EXIT_CANNOT, "%s: %s", path, strerror(err));
    }
    free(part);
    return err == 0 ? 0 : HO_EXIT_CANNOT;
}

/* Reads the stream to its end. Returns 0, a positive errno, or EFBIG if it is too large. */
static int read_all(FILE *f, size_t max, char *buf, size_t *ret_len)
{
    size_t len = fread(buf, 1, max + 1, f);

    if (ferror(f)) {
        return errno != 0 ? errno : EIO;
    }
    *ret_len = len;
    return len > max ? EFBIG : 0;
}

int ho_cli_load(const char *path, size_t max, char **ret, size_t *ret_len)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    char *buf;
    int err;

    if (f == NULL) {
        return ho_cli_say(HO_EXIT_USAGE, "%s: %s", path, strerror(errno));
    }
    if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)) {
        fclose(f);
        return ho_cli_say(HO_EXIT_USAGE, "%s: is a directory", path);
    }
    buf = malloc(max + 1);
    if (buf == NULL) {
        fclose(f);
        return ho_cli_no_memory();
    }
    errno = 0;
    err = read_all(f, max, buf, ret_len);
    fclose(f);
    if (err != 0) {
        free(buf);
        return err == EFBIG ? ho_cli_say(HO_EXIT_USAGE, "%s: longer than %zu bytes", path, max)
                            : ho_cli_say(HO_EXIT_USAGE, "%s: %s", path, strerror(err));
    }
    *ret = buf;
    return 0;
}

const char *ho_cli_nearest(const char *word, const char *const *names)
{
    const char *best = NULL;
    unsigned distance = 4;

    for (; *names != NULL; names++) {
        unsigned d = ho_distance(word, *names, distance - 1);

        if (d < distance) {
            distance = d;
            best = *names;
        }
    }
    return best;
}
