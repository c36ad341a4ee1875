/* The content of an HTTP/1.1 message, taken out of its framing (RFC 9112 6.3 and 7.1). */

#ifndef HO_PROGRAM_HTTP_BODY_H
#define HO_PROGRAM_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "program/http_head.h"

struct http_body {
    enum http_framing framing;
    unsigned step;     /* of a chunked body: http_body.c */
    uint64_t left;     /* of the length, or of the chunk */
    uint64_t got, max; /* bytes of content so far; the limit */
    size_t line;       /* bytes of the present chunk-size line, or of all trailers */
    size_t max_line;
    bool digits, done;
};

/* `max_line` bounds a chunk-size line with its extensions, and the trailers. */
void http_body_start(struct http_body *b, enum http_framing framing, uint64_t len, uint64_t max,
                     size_t max_line);

/* Looks at `len` bytes. Sets *ret_used, and *ret_bytes and *ret_len to the content among them.
 *
 * Returns 1 with a piece of content; 0 when all bytes are used or the content is complete
 * (b->done); -400: broken framing; -413: more than `max`; -431: trailers too long.
 */
int http_body_take(struct http_body *b, const uint8_t *bytes, size_t len, size_t *ret_used,
                   const uint8_t **ret_bytes, size_t *ret_len);

#endif
