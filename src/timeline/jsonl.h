/* The timeline as JSON lines, written and read: docs/timeline.md, schema version 1.
 *
 * One table (jsonl_fields.h) says which fields a kind has, in which order, and where they lie in
 * the record; writer and reader both follow it. The same records give the same bytes.
 */

#ifndef HO_TIMELINE_JSONL_H
#define HO_TIMELINE_JSONL_H

#include "base/text.h"
#include "timeline/record.h"

#define HO_JSONL_RAW 0x1u /* also raw sequence numbers and ports */

/* Appends one record as one line with its newline. */
void ho_jsonl_record(struct ho_text *out, const struct ho_record *rec, unsigned flags);

/* Appends the whole timeline: the schema's line, the records, and how many were left out. */
void ho_jsonl_write(struct ho_text *out, const struct ho_timeline *tl, unsigned flags);

/* Where a file is not as it should be. Lines and columns count from 1, columns in bytes. */
struct ho_jsonl_error {
    size_t line, column;
    char what[120]; /* what stands there or what was expected, a phrase */
};

/* Reads `len` bytes of JSON lines and appends their records to `tl`, which must be empty.
 *
 * Strict: known kinds and fields only, each once, none missing, integers only; the order of the
 * fields is free. Returns 0; -EINVAL with *ret_error filled (it may be NULL), and what came
 * before the error in `tl`; -EPROTONOSUPPORT for a schema version other than ours, with
 * *ret_error filled; -ENOMEM.
 */
int ho_jsonl_read(struct ho_timeline *tl, const char *bytes, size_t len,
                  struct ho_jsonl_error *ret_error);

#endif
