/* What waits to be sent on an HTTP connection: bytes that grow at one end and shrink at the other.
 */

#ifndef HO_PROGRAM_HTTP_OUT_H
#define HO_PROGRAM_HTTP_OUT_H

#include <stddef.h>
#include <stdint.h>

struct http_out {
    uint8_t *bytes; /* NULL while nothing waits */
    size_t at, len; /* bytes[at .. len) */
};

/* Appends a text in printf's format, then `len` bytes. Returns 0; -ENOMEM, nothing appended. */
int http_out_put(struct http_out *o, const void *bytes, size_t len, const char *format, ...);
/* What waits; sets *ret_bytes and returns how many. */
size_t http_out_rest(const struct http_out *o, const uint8_t **ret_bytes);
void http_out_sent(struct http_out *o, size_t len); /* gives the memory back when all is sent */
void http_out_free(struct http_out *o);

#endif
