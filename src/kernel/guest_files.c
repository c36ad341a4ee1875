/* The job and the result as texts. See kernel/guest_files.h. */

#include "kernel/guest_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD "halfopen-result"

/* ---- the job --------------------------------------------------------------------------------- */

static void put(struct ho_text *out, const char *name, const char *value)
{
    ho_text_printf(out, "%s=%s", name, value);
    ho_text_char(out, '\0');
}

static void put_number(struct ho_text *out, const char *name, size_t value)
{
    ho_text_printf(out, "%s=%zu", name, value);
    ho_text_char(out, '\0');
}

/* What programs go by; the rest of the caller's environment stays outside, and with it what would
 * make one run another than the next.
 */
static bool is_needed(const char *var)
{
    static const char *const names[] = { "PATH=", "HOME=", "USER=", "LOGNAME=",
                                         "LANG=", "LC_",   "TZ=" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strncmp(var, names[i], strlen(names[i])) == 0) {
            return true;
        }
    }
    return false;
}

void ho_guest_put_job(struct ho_text *out, const struct ho_guest_job *job, const char *cwd,
                      const char *folder)
{
    put(out, "folder", folder);
    put(out, "cwd", cwd);
    put_number(out, "item", job->item);
    put_number(out, "uid", geteuid());
    put_number(out, "gid", getegid());
    put(out, "colour", job->colour ? "1" : "0");
    put(out, "told", job->told != NULL ? job->told : "");
    for (char *const *e = environ; e != NULL && *e != NULL; e++) {
        if (is_needed(*e)) {
            put(out, "env", *e);
        }
    }
    for (char *const *a = job->argv; *a != NULL; a++) {
        put(out, "arg", *a);
    }
}

struct reading {
    struct ho_guest_inside g;
    const char *cwd, *folder;
    int err;
};

static void read_one(struct reading *r, char *name, char *value)
{
    if (strcmp(name, "folder") == 0) {
        r->folder = value;
    } else if (strcmp(name, "cwd") == 0) {
        r->cwd = value;
    } else if (strcmp(name, "item") == 0) {
        r->g.item = (size_t)strtoull(value, NULL, 10);
    } else if (strcmp(name, "uid") == 0) {
        r->g.uid = (unsigned)strtoul(value, NULL, 10);
    } else if (strcmp(name, "gid") == 0) {
        r->g.gid = (unsigned)strtoul(value, NULL, 10);
    } else if (strcmp(name, "colour") == 0) {
        r->g.colour = value[0] == '1';
    } else if (strcmp(name, "told") == 0) {
        r->g.told = value;
    } else if (strcmp(name, "env") == 0) {
        r->err = putenv(value) == 0 ? r->err : -ENOMEM;
    } else if (strcmp(name, "arg") == 0) {
        r->g.argv[r->g.argc++] = value;
    }
}

int ho_guest_read_job(struct ho_guest_inside *ret, char *text, size_t len, const char **ret_cwd,
                      const char **ret_folder)
{
    struct reading r = { .g = { .text = text, .told = "", .out = -1 } };
    size_t texts = 1;

    for (size_t i = 0; i < len; i++) {
        texts += text[i] == '\0';
    }
    r.g.argv = calloc(texts + 1, sizeof(*r.g.argv));
    if (r.g.argv == NULL) {
        return -ENOMEM;
    }
    (void)clearenv();
    for (char *at = text; at < text + len;) {
        char *next = at + strlen(at) + 1;
        char *eq = strchr(at, '=');

        if (eq != NULL) {
            *eq = '\0';
            read_one(&r, at, eq + 1);
        }
        at = next;
    }
    if (r.err != 0 || r.cwd == NULL || r.folder == NULL || r.g.argc == 0) {
        free(r.g.argv);
        return r.err != 0 ? r.err : -EINVAL;
    }
    *ret = r.g;
    *ret_cwd = r.cwd;
    *ret_folder = r.folder;
    return 0;
}

/* ---- the result ------------------------------------------------------------------------------ */

void ho_guest_put_head(struct ho_text *out, int code, const struct ho_text part[HO_GUEST_PARTS])
{
    ho_text_printf(out, HEAD " %d", code);
    for (size_t i = 0; i < HO_GUEST_PARTS; i++) {
        ho_text_printf(out, " %zu", part[i].len);
    }
    ho_text_char(out, '\n');
}

int ho_guest_read_head(const char *text, int *ret_code, uint64_t ret_len[HO_GUEST_PARTS],
                       size_t *ret_size)
{
    uint64_t len[HO_GUEST_PARTS];
    int code, end = -1;

    if (sscanf(text, HEAD " %d %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 "%n", &code, &len[0],
               &len[1], &len[2], &len[3], &end) != 1 + HO_GUEST_PARTS ||
        text[end] != '\n') {
        return -EINVAL;
    }
    for (size_t i = 0; i < HO_GUEST_PARTS; i++) {
        if (len[i] > HO_GUEST_RESULT_MAX) {
            return -EINVAL;
        }
    }
    memcpy(ret_len, len, sizeof(len));
    *ret_code = code;
    *ret_size = (size_t)end + 1;
    return 0;
}

int ho_guest_load(struct ho_text *out, int dir, const char *name, uint64_t max)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    char buf[65536];
    ssize_t n = 0;
    int err = fd < 0 ? -errno : 0;

    while (err == 0 && (n = read(fd, buf, sizeof(buf))) != 0) {
        if (n > 0) {
            ho_text_bytes(out, buf, (size_t)n);
        }
        err = n < 0 && errno != EINTR ? -errno : out->len > max ? -EFBIG : ho_text_err(out);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return err;
}

/* ---- the console ----------------------------------------------------------------------------- */

/* The last line with something in it, up to `end`; NULL: none. */
static const char *last_line(const char *text, const char *end, size_t *ret_len)
{
    while (end > text && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' ')) {
        end--;
    }
    const char *at = end;

    while (at > text && at[-1] != '\n') {
        at--;
    }
    *ret_len = (size_t)(end - at);
    return at == end ? NULL : at;
}

void ho_guest_blame(char why[HO_GUEST_WHY], const char *console)
{
    static const char panic[] = "Kernel panic - not syncing: ";
    const char *at = strstr(console, panic);
    const char *what = "its kernel panicked: ";
    size_t len;

    if (at != NULL) {
        at += sizeof(panic) - 1;
        len = strcspn(at, "\r\n");
    } else {
        what = "its console's last line: ";
        at = last_line(console, console + strlen(console), &len);
    }
    if (at == NULL) {
        (void)snprintf(why, HO_GUEST_WHY, "its console is empty");
        return;
    }
    (void)snprintf(why, HO_GUEST_WHY, "%s%.*s", what, len > 400 ? 400 : (int)len, at);
}
