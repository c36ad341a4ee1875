/* Content out of its framing (http_body.h). Chunk extensions and trailers are read and forgotten,
 * as RFC 9112 7.1.1 and 7.1.2 allow.
 */

#include "program/http_body.h"

enum {
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER,
    TRAILER_LINE,
    TRAILER_LF,
    END_LF
};

void http_body_start(struct http_body *b, enum http_framing framing, uint64_t len, uint64_t max,
                     size_t max_line)
{
    *b = (struct http_body){ .framing = framing, .left = len, .max = max, .max_line = max_line };
    b->done = framing == HTTP_NO_CONTENT || (framing == HTTP_LENGTH && len == 0);
}

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* chunk-size [ chunk-ext ] CRLF */
static int size_byte(struct http_body *b, uint8_t c)
{
    int digit = hex(c);

    if (++b->line > b->max_line) {
        return -400;
    }
    if (b->step == SIZE && digit >= 0) {
        if (b->left > (UINT64_MAX >> 4)) {
            return -413;
        }
        b->left = b->left << 4 | (uint64_t)digit;
        b->digits = true;
        return 0;
    }
    if (!b->digits || c == '\n' || c == '\0') {
        return -400;
    }
    if (b->step == SIZE && c != '\r' && c != ';' && c != ' ' && c != '\t') {
        return -400;
    }
    b->step = c == '\r' ? SIZE_LF : EXTENSION;
    return 0;
}

static int size_done(struct http_body *b)
{
    if (b->left > b->max - b->got) {
        return -413;
    }
    b->line = 0;
    b->digits = false;
    b->step = b->left > 0 ? DATA : TRAILER;
    return 0;
}

/* *( field-line CRLF ) CRLF */
static int trailer_byte(struct http_body *b, uint8_t c)
{
    if (++b->line > b->max_line) {
        return -431;
    }
    if (c == '\n' || c == '\0') {
        return -400;
    }
    if (c == '\r') {
        b->step = b->step == TRAILER ? END_LF : TRAILER_LF;
    } else {
        b->step = TRAILER_LINE;
    }
    return 0;
}

/* A byte of the framing that is not content. */
static int framing_byte(struct http_body *b, uint8_t c)
{
    switch (b->step) {
    case SIZE:
    case EXTENSION:
        return size_byte(b, c);
    case SIZE_LF:
        return c == '\n' ? size_done(b) : -400;
    case DATA_CR:
        b->step = DATA_LF;
        return c == '\r' ? 0 : -400;
    case DATA_LF:
        b->step = SIZE;
        return c == '\n' ? 0 : -400;
    case TRAILER:
    case TRAILER_LINE:
        return trailer_byte(b, c);
    case TRAILER_LF:
        b->step = TRAILER;
        return c == '\n' ? 0 : -400;
    default: /* END_LF */
        b->done = c == '\n';
        return c == '\n' ? 0 : -400;
    }
}

/* Up to `left` bytes of content; or any number until the end of the stream. */
static int take_content(struct http_body *b, const uint8_t *bytes, size_t len, size_t *ret_used,
                        const uint8_t **ret_bytes, size_t *ret_len)
{
    size_t n = b->framing != HTTP_UNTIL_CLOSE && b->left < len ? (size_t)b->left : len;

    if (n > b->max - b->got) {
        return -413;
    }
    b->got += n;
    *ret_used += n;
    *ret_bytes = bytes;
    *ret_len = n;
    if (b->framing != HTTP_UNTIL_CLOSE) {
        b->left -= n;
        b->done = b->framing == HTTP_LENGTH && b->left == 0;
        b->step = b->left == 0 ? DATA_CR : DATA;
    }
    return 1;
}

int http_body_take(struct http_body *b, const uint8_t *bytes, size_t len, size_t *ret_used,
                   const uint8_t **ret_bytes, size_t *ret_len)
{
    *ret_used = 0;
    while (!b->done && *ret_used < len) {
        int err;

        if (b->framing != HTTP_CHUNKED || b->step == DATA) {
            return take_content(b, bytes + *ret_used, len - *ret_used, ret_used, ret_bytes,
                                ret_len);
        }
        err = framing_byte(b, bytes[(*ret_used)++]);
        if (err < 0) {
            return err;
        }
    }
    return 0;
}
