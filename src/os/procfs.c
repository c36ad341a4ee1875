/* See os/procfs.h. */

#include "os/procfs.h"

#include <string.h>

#include "base/utf8.h"

#define ID_DIGITS 64

/* "NAME:[123]" and nothing behind it. */
static bool bracketed(const char *name, const char *text, size_t len, uint64_t *ret)
{
    size_t head = strlen(name);
    uint64_t v = 0;

    if (len < head + 2 || memcmp(text, name, head) != 0 || text[len - 1] != ']') {
        return false;
    }
    for (size_t i = head; i < len - 1; i++) {
        if (text[i] < '0' || text[i] > '9' || v > UINT64_MAX / 10 - 1) {
            return false;
        }
        v = v * 10 + (uint64_t)(text[i] - '0');
    }
    *ret = v;
    return true;
}

bool ho_os_procfs_socket(const char *text, size_t len, uint64_t *ret_inode)
{
    return bracketed("socket:[", text, len, ret_inode);
}

bool ho_os_procfs_netns(const char *text, size_t len, uint64_t *ret_inode)
{
    return bracketed("net:[", text, len, ret_inode);
}

static bool is_control(uint32_t cp)
{
    return cp < ' ' || (cp >= 0x7f && cp <= 0x9f); /* C0, DEL and C1 */
}

/* A character that has no room is left out whole, with what is behind it. */
static void put_name(char *ret, size_t size, const char *text, size_t len)
{
    size_t used = 0, n;
    uint32_t cp = 0;

    for (size_t i = 0; i < len; i += n) {
        size_t valid = ho_utf8_read(text + i, len - i, &cp);
        bool keep = valid > 0 && !is_control(cp);

        n = valid > 0 ? valid : 1;
        if (used + (keep ? n : 1) > size - 1) {
            break;
        }
        memcpy(ret + used, keep ? text + i : "?", keep ? n : 1);
        used += keep ? n : 1;
    }
    ret[used] = '\0';
}

void ho_os_procfs_comm(char ret[HO_OS_COMM], const char *text, size_t len)
{
    if (len > 0 && text[len - 1] == '\n') { /* the kernel's own, behind the name */
        len--;
    }
    const char *end = len > 0 ? memchr(text, '\0', len) : NULL;

    put_name(ret, HO_OS_COMM, text, end != NULL ? (size_t)(end - text) : len);
}

/* ---- cgroups --------------------------------------------------------------------------------- */

struct piece {
    const char *s;
    size_t len;
};

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* "docker-<64>.scope", "cri-containerd-<64>.scope", "libpod-<64>", "<64>". */
static bool find_id(struct piece name, struct piece *ret)
{
    size_t run = 0;

    for (size_t i = 0; i <= name.len; i++) {
        if (i < name.len && is_hex(name.s[i])) {
            run++;
            continue;
        }
        if (run == ID_DIGITS) {
            *ret = (struct piece){ .s = name.s + i - run, .len = run };
            return true;
        }
        run = 0;
    }
    return false;
}

static bool ends_in(struct piece name, const char *end)
{
    size_t n = strlen(end);

    return name.len > n && memcmp(name.s + name.len - n, end, n) == 0;
}

static bool begins_with(struct piece name, const char *begin)
{
    size_t n = strlen(begin);

    return name.len > n && memcmp(name.s, begin, n) == 0;
}

struct found {
    struct piece id, unit;
};

/* `name` comes after those nearer to the root: the last unit is the one that counts. */
static void see_name(struct found *f, struct piece name, struct piece before)
{
    struct piece id;

    if (find_id(name, &id)) {
        f->id = id; /* the innermost container */
    } else if (ends_in(name, ".service") || ends_in(name, ".scope")) {
        f->unit = name;
    } else if (begins_with(name, "lxc.payload.")) {
        f->unit = (struct piece){ .s = name.s + strlen("lxc.payload."),
                                  .len = name.len - strlen("lxc.payload.") };
    } else if (before.len == 3 && memcmp(before.s, "lxc", 3) == 0) {
        f->unit = name;
    }
}

static void see_path(struct found *f, struct piece path)
{
    struct piece before = { "", 0 };
    size_t from = 0;

    for (size_t i = 0; i <= path.len; i++) {
        if (i == path.len || path.s[i] == '/') {
            struct piece name = { .s = path.s + from, .len = i - from };

            if (name.len > 0) {
                see_name(f, name, before);
                before = name;
            }
            from = i + 1;
        }
    }
}

/* "0::/system.slice/nginx.service": the path is behind the second colon (cgroups(7)). */
static void see_line(struct found *f, struct piece line)
{
    const char *first = line.len > 0 ? memchr(line.s, ':', line.len) : NULL;
    const char *end = line.s + line.len;
    const char *second = first != NULL ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;

    if (second != NULL) {
        see_path(f, (struct piece){ .s = second + 1, .len = (size_t)(end - second - 1) });
    }
}

void ho_os_procfs_container(char ret[HO_OS_CONTAINER], const char *text, size_t len)
{
    struct found f = { .id = { "", 0 }, .unit = { "", 0 } };
    size_t from = 0;

    for (size_t i = 0; i <= len; i++) {
        if (i == len || text[i] == '\n') {
            see_line(&f, (struct piece){ .s = text + from, .len = i - from });
            from = i + 1;
        }
    }
    struct piece which = f.id.len > 0 ? f.id : f.unit;

    put_name(ret, HO_OS_CONTAINER, which.s, which.len);
}
