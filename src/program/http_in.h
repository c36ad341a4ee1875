/* What has arrived on an HTTP connection and was not looked at: a buffer of a fixed size, which
 * exists only while something is in it.
 */

#ifndef HO_PROGRAM_HTTP_IN_H
#define HO_PROGRAM_HTTP_IN_H

#include <stddef.h>
#include <stdint.h>

struct http_in {
    uint8_t *bytes;
    size_t at, len; /* bytes[at .. len) */
    size_t size;
};

/* The bytes that were not looked at; *ret_len of them. */
const uint8_t *http_in_rest(const struct http_in *in, size_t *ret_len);
size_t http_in_room(const struct http_in *in);
/* At most http_in_room() bytes. Returns 0; -ENOMEM. */
int http_in_put(struct http_in *in, const void *bytes, size_t len);
/* `len` bytes were looked at; they stay where they are until the next call of this header. */
void http_in_take(struct http_in *in, size_t len);
/* Gives the memory back if nothing is left. */
void http_in_tidy(struct http_in *in);
void http_in_free(struct http_in *in);

#endif
