/* A growable string: how everything below src/os/ makes its output.
 *
 * Writers append and do not check: the first failure to get memory is remembered in `err`,
 * nothing is appended after it, and whoever takes the text looks at ho_text_err() once. The
 * string always ends in a 0 byte that `len` does not count. Bytes of any value may be appended.
 */

#ifndef HO_BASE_TEXT_H
#define HO_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

struct ho_text {
    char *s; /* NULL until something was appended; use ho_text_str() */
    size_t len, room;
    int err; /* 0 or -ENOMEM */
};

/* Zero-initialised (`struct ho_text t = { 0 };`) is empty. Frees the memory, empty again. */
void ho_text_free(struct ho_text *t);

/* Frees `part`, a text made on the way to `t`; an error of it becomes one of `t`. */
void ho_text_end_part(struct ho_text *t, struct ho_text *part);

/* Empties it and keeps the memory. An error stays: a part was lost before. */
void ho_text_clear(struct ho_text *t);

/* 0, or -ENOMEM if something could not be appended. */
int ho_text_err(const struct ho_text *t);

/* The string so far, "" if empty; valid until the next append. */
const char *ho_text_str(const struct ho_text *t);

void ho_text_put(struct ho_text *t, const char *s);
void ho_text_bytes(struct ho_text *t, const void *bytes, size_t n);
void ho_text_char(struct ho_text *t, char c);
void ho_text_repeat(struct ho_text *t, const char *s, unsigned n);
void ho_text_int(struct ho_text *t, int64_t v);
void ho_text_uint(struct ho_text *t, uint64_t v);

/* As printf. Formats with floating point have no place here. */
void ho_text_printf(struct ho_text *t, const char *format, ...);
void ho_text_vprintf(struct ho_text *t, const char *format, va_list args);

/* `s` as a JSON string with its quotes (RFC 8259 7); bytes from 0x80 up pass unchanged. */
void ho_text_json(struct ho_text *t, const char *s);

/* A length of time for people, in at most three units, rounded to the nearest: "0 s", "850 us",
 * "4.2 ms", "208 ms", "1.02 s", "10.7 s", "15 m 37.8 s", "2 h 11 m 57 s", "1 d 0 h 0 m".
 */
void ho_text_dur(struct ho_text *t, struct ho_dur d);

/* The same for machines: seconds with `digits` digits (0 to 9) after the point, rounded to the
 * nearest: "937.764". Negative `ns` are allowed.
 */
void ho_text_seconds(struct ho_text *t, int64_t ns, unsigned digits);

/* Columns that `s` takes on a terminal: code points, not bytes. */
size_t ho_text_width(const char *s);

/* Appends `s` and spaces up to `width` columns; a longer one is not cut. */
void ho_text_pad(struct ho_text *t, const char *s, size_t width);

#endif
