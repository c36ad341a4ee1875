/* A small strict reader of flat JSON objects (RFC 8259): a line of our own timeline.
 *
 * Values are texts, 64-bit integers, true, false, null, and arrays of integers, or of pairs of
 * integers. Fractions, exponents, nested objects and repeated names are errors: our own files
 * have none.
 */

#ifndef HO_TIMELINE_JSON_H
#define HO_TIMELINE_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define HO_JSON_FIELDS 40 /* fields an object may have */
#define HO_JSON_INTS 16   /* integers an array may have, in all */

enum ho_json_type {
    HO_JSON_NULL,
    HO_JSON_TRUE,
    HO_JSON_FALSE,
    HO_JSON_INT,
    HO_JSON_TEXT,
    HO_JSON_ARRAY, /* ints */
    HO_JSON_PAIRS  /* ints, two by two */
};

struct ho_json_field {
    size_t name, text; /* offsets into ho_json.texts, each ending in a 0 byte */
    size_t at;         /* where the value starts in the line, for messages */
    enum ho_json_type type;
    unsigned n_ints;
    int64_t ints[HO_JSON_INTS]; /* ints[0] of an integer */
};

struct ho_json {
    struct ho_text texts;
    struct ho_json_field field[HO_JSON_FIELDS];
    unsigned n;
    size_t error_at;   /* offset in the line */
    const char *error; /* what was expected there */
};

/* Reads one object from `len` bytes. *j is zero-initialised or was used before; free it with
 * ho_json_free(). Returns 0; -EINVAL with error and error_at set; -ENOMEM.
 */
int ho_json_read(struct ho_json *j, const char *line, size_t len);

void ho_json_free(struct ho_json *j);

/* The field of that name, or NULL. */
const struct ho_json_field *ho_json_find(const struct ho_json *j, const char *name);

static inline const char *ho_json_text(const struct ho_json *j, const struct ho_json_field *f)
{
    return ho_text_str(&j->texts) + f->text;
}

#endif
