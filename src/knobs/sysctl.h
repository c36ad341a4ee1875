/* A host's sysctls: Linux's names, defaults, ranges and units, from one list (sysctl.def).
 *
 * A host holds one struct ho_sysctls; its parts read a value at the moment of use:
 *
 *     ho_s(s->v[HO_SYSCTL_TCP_KEEPALIVE_TIME])
 *
 * Values are in Linux's own unit. Sources: Documentation/networking/ip-sysctl.rst; a running 6.18.
 */

#ifndef HO_KNOBS_SYSCTL_H
#define HO_KNOBS_SYSCTL_H

#include <stddef.h>
#include <stdint.h>

#include "knobs/unit.h"

enum ho_sysctl {
#define X(id, name, def, min, max, unit, meaning) HO_SYSCTL_##id,
#include "knobs/sysctl.def"
#undef X
    HO_SYSCTL_COUNT
};

/* The values of net.ipv4.tcp_congestion_control. */
enum ho_congestion {
    HO_CONGESTION_RENO,
    HO_CONGESTION_CUBIC
};

struct ho_sysctls {
    int64_t v[HO_SYSCTL_COUNT];
};

struct ho_sysctl_info {
    const char *name; /* Linux's, with `*` for an interface: "net.ipv4.neigh.*.gc_stale_time" */
    const char *meaning;
    int64_t def, min, max;
    enum ho_unit unit;
};

/* Enough for any text that ho_sysctl_print() writes, with the final 0. */
#define HO_SYSCTL_TEXT 64

/* All values to Linux's defaults. */
void ho_sysctls_init(struct ho_sysctls *s);

/* What the list says about `id`. */
const struct ho_sysctl_info *ho_sysctl_info(enum ho_sysctl id);

/* Finds a sysctl by Linux's name. `/` may stand for `.`, "net.ipv4." may be left out, and any one
 * word stands for the `*` of an interface. Of a sysctl with several numbers, the first.
 *
 * Returns the id (>= 0); -ENOENT.
 */
int ho_sysctl_find(const char *name);

/* How many numbers the sysctl that `id` belongs to has: 1 to 3. */
unsigned ho_sysctl_numbers(enum ho_sysctl id);

/* Sets one number. Returns 0; -EINVAL, with nothing changed, if `value` is out of range, or would
 * put the two ports of ip_local_port_range out of order.
 */
int ho_sysctl_set(struct ho_sysctls *s, enum ho_sysctl id, int64_t value);

/* Sets a whole sysctl from text as sysctl(8) takes it: "8", "4096 131072 33554432", "cubic". With
 * fewer numbers than the sysctl has, the first ones, as Linux does; the two ports of
 * ip_local_port_range must end up in order.
 *
 * Returns 0; -ENOENT if there is no such name; -EINVAL if the text is not a value, a number is
 * out of range, or too many are given. On failure nothing is changed.
 */
int ho_sysctl_parse(struct ho_sysctls *s, const char *name, const char *text);

/* Writes the whole value as ho_sysctl_parse() reads it, at most `size` bytes with the final 0.
 *
 * Returns 0; -ENOENT if there is no such name, with `buf` untouched; -ENOSPC if `size` is too
 * small (HO_SYSCTL_TEXT never is), with `buf` untouched.
 */
int ho_sysctl_print(const struct ho_sysctls *s, const char *name, char *buf, size_t size);

/* The word for a number of a sysctl that Linux keeps as a word ("cubic"); NULL for others. */
const char *ho_sysctl_word(enum ho_sysctl id, int64_t value);

#endif
