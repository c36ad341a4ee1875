/* The head of an HTTP/1.1 message: start line and fields. Used by both ends of a connection.
 *
 * A head is found first (http_head_scan), which checks line ends and the length, and then read
 * (http_head_read), which cuts a copy of it into texts.
 */

#ifndef HO_PROGRAM_HTTP_HEAD_H
#define HO_PROGRAM_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_FIELDS_MAX 100

struct http_field {
    const char *name, *value;
};

struct http_head {
    char *text;           /* a copy of the head, cut into texts; NULL: none */
    const char *start[3]; /* method, target, version; or version, status, reason */
    int minor;            /* of HTTP/1.x */
    struct http_field *fields;
    unsigned n_fields;
};

/* How the content of a message is delimited (RFC 9112 6.3). */
enum http_framing {
    HTTP_NO_CONTENT,
    HTTP_LENGTH,
    HTTP_CHUNKED,
    HTTP_UNTIL_CLOSE /* responses only */
};

/* Looks for the end of a head in `len` bytes, all of which lie below the limit.
 *
 * Returns its length, with the empty line; 0 if it has not ended; -400 for a line end that is not
 * CRLF, or a NUL.
 */
int64_t http_head_scan(const uint8_t *bytes, size_t len);

/* How many bytes of empty lines stand before the head (RFC 9112 2.2): they are skipped. */
size_t http_head_blank(const uint8_t *bytes, size_t len);

/* Reads a head of `len` bytes that http_head_scan() found. `response`: it has a status line.
 *
 * Returns 0 with *ret owned by the caller; -ENOMEM; or the status to answer, negative: -400,
 * -431 (too many fields), -501 (a method longer than any), -505. On failure *ret is untouched.
 */
int http_head_read(struct http_head *ret, const uint8_t *bytes, size_t len, bool response);
void http_head_free(struct http_head *h); /* may be empty */

/* The n-th value of a field, NULL if there is none. */
const char *http_head_field(const struct http_head *h, const char *name, unsigned n);

/* True if a comma-separated list of any of the fields of that name has this token. */
bool http_head_has(const struct http_head *h, const char *name, const char *token);

/* How the content is delimited, and its length for HTTP_LENGTH. A request with neither field has
 * no content, a response lasts until the end of the stream.
 *
 * Returns 0; -400, -413 (the length exceeds `max`), -501 (a coding that is not chunked).
 */
int http_head_framing(const struct http_head *h, bool response, uint64_t max,
                      enum http_framing *ret, uint64_t *ret_len);

/* Does the sender keep the connection after this message (RFC 9112 9.3)? */
bool http_head_keeps(const struct http_head *h);

bool http_is_token(const char *s);
bool http_same(const char *a, const char *b); /* ASCII letters of either case are equal */

#endif
