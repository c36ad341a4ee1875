/* What has arrived on an HTTP connection and was not looked at (http_in.h). */

#include "program/http_in.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t http_in_room(const struct http_in *in)
{
    return in->size - (in->len - in->at);
}

const uint8_t *http_in_rest(const struct http_in *in, size_t *ret_len)
{
    *ret_len = in->len - in->at;
    return *ret_len > 0 ? in->bytes + in->at : in->bytes;
}

int http_in_put(struct http_in *in, const void *bytes, size_t len)
{
    assert(len <= http_in_room(in));
    if (len == 0) {
        return 0;
    }
    if (in->bytes == NULL) {
        in->bytes = malloc(in->size);
        if (in->bytes == NULL) {
            return -ENOMEM;
        }
    }
    if (in->at > 0) {
        memmove(in->bytes, in->bytes + in->at, in->len - in->at);
        in->len -= in->at;
        in->at = 0;
    }
    memcpy(in->bytes + in->len, bytes, len);
    in->len += len;
    return 0;
}

void http_in_take(struct http_in *in, size_t len)
{
    assert(len <= in->len - in->at);
    in->at += len;
}

void http_in_tidy(struct http_in *in)
{
    if (in->at == in->len) {
        http_in_free(in);
    }
}

void http_in_free(struct http_in *in)
{
    free(in->bytes);
    in->bytes = NULL;
    in->at = 0;
    in->len = 0;
}
