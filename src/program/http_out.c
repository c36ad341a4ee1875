/* What waits to be sent on an HTTP connection (http_out.h). */

#include "program/http_out.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int http_out_put(struct http_out *o, const void *bytes, size_t len, const char *format, ...)
{
    va_list args, again;
    uint8_t *more;
    int n;

    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(n >= 0);
    more = realloc(o->bytes, o->len + (size_t)n + 1 + len);
    if (more != NULL) {
        o->bytes = more;
        vsnprintf((char *)more + o->len, (size_t)n + 1, format, again);
        o->len += (size_t)n;
        if (len > 0) {
            memcpy(more + o->len, bytes, len);
        }
        o->len += len;
    }
    va_end(again);
    return more != NULL ? 0 : -ENOMEM;
}

size_t http_out_rest(const struct http_out *o, const uint8_t **ret_bytes)
{
    *ret_bytes = o->bytes != NULL ? o->bytes + o->at : NULL;
    return o->len - o->at;
}

void http_out_sent(struct http_out *o, size_t len)
{
    assert(len <= o->len - o->at);
    o->at += len;
    if (o->at == o->len) {
        http_out_free(o);
    }
}

void http_out_free(struct http_out *o)
{
    free(o->bytes);
    *o = (struct http_out){ 0 };
}
