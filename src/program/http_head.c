/* The head of an HTTP/1.1 message (http_head.h): RFC 9112 2 to 6, RFC 9110 5.
 *
 * Strict where leniency is dangerous: a message that two parsers can read differently is
 * refused (RFC 9112 11.2).
 */

#include "program/http_head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define METHOD_MAX 32 /* characters; no method comes near it */

bool http_same(const char *a, const char *b)
{
    for (;; a++, b++) {
        unsigned char x = (unsigned char)*a, y = (unsigned char)*b;

        x = x >= 'A' && x <= 'Z' ? (unsigned char)(x + 32) : x;
        y = y >= 'A' && y <= 'Z' ? (unsigned char)(y + 32) : y;
        if (x != y) {
            return false;
        }
        if (x == 0) {
            return true;
        }
    }
}

/* tchar of RFC 9110 5.6.2. */
static bool is_tchar(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool http_is_token(const char *s)
{
    if (*s == '\0') {
        return false;
    }
    for (; *s != '\0'; s++) {
        if (!is_tchar((unsigned char)*s)) {
            return false;
        }
    }
    return true;
}

/* ---- finding ----------------------------------------------------------------------------------
 */

int64_t http_head_scan(const uint8_t *bytes, size_t len)
{
    size_t line = 0; /* where the present line begins */

    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\0' || (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r')) ||
            (bytes[i] != '\n' && i > 0 && bytes[i - 1] == '\r')) {
            return -400;
        }
        if (bytes[i] == '\n') {
            if (i == line + 1) {
                return (int64_t)i + 1;
            }
            line = i + 1;
        }
    }
    return 0;
}

size_t http_head_blank(const uint8_t *bytes, size_t len)
{
    size_t n = 0;

    while (n + 1 < len && bytes[n] == '\r' && bytes[n + 1] == '\n') {
        n += 2;
    }
    return n;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

/* Cuts off the line that begins at *at; its end is CRLF, as http_head_scan() saw. */
static char *cut_line(char **at)
{
    char *line = *at, *end = strchr(line, '\r');

    *end = '\0';
    *at = end + 2;
    return line;
}

static int read_version(const char *s, int *ret_minor)
{
    if (strncmp(s, "HTTP/", 5) != 0 || s[5] < '0' || s[5] > '9' || s[6] != '.' || s[7] < '0' ||
        s[7] > '9' || s[8] != '\0') {
        return -400;
    }
    if (s[5] != '1') {
        return -505;
    }
    *ret_minor = s[7] == '0' ? 0 : 1; /* a later minor version is read as the highest known */
    return 0;
}

/* request-line = method SP request-target SP HTTP-version (RFC 9112 3) */
static int read_request_line(struct http_head *h, char *line)
{
    char *target = strchr(line, ' '), *version;

    if (target == NULL) {
        return -400;
    }
    *target++ = '\0';
    version = strchr(target, ' ');
    if (version == NULL) {
        return -400;
    }
    *version++ = '\0';
    h->start[0] = line;
    h->start[1] = target;
    h->start[2] = version;
    if (!http_is_token(line) || *target == '\0') {
        return -400;
    }
    for (const char *s = target; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x21 || *s == 0x7f) {
            return -400;
        }
    }
    if (strlen(line) > METHOD_MAX) {
        return -501;
    }
    return read_version(version, &h->minor);
}

/* status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 4) */
static int read_status_line(struct http_head *h, char *line)
{
    char *status = strchr(line, ' ');

    if (status == NULL) {
        return -400;
    }
    *status++ = '\0';
    h->start[0] = line;
    h->start[1] = status;
    h->start[2] = "";
    for (int i = 0; i < 3; i++) {
        if (status[i] < '0' || status[i] > '9') {
            return -400;
        }
    }
    if (status[3] == ' ') { /* without the space there is no reason: widely seen, harmless */
        status[3] = '\0';
        h->start[2] = status + 4;
    } else if (status[3] != '\0') {
        return -400;
    }
    return status[0] == '0' ? -400 : read_version(line, &h->minor);
}

/* field-line = field-name ":" OWS field-value OWS (RFC 9112 5) */
static int read_field(struct http_field *f, char *line)
{
    char *colon = strchr(line, ':'), *value, *end;

    if (colon == NULL) {
        return -400;
    }
    *colon = '\0';
    if (!http_is_token(line)) {
        return -400; /* also a folded line, and white space before the colon */
    }
    for (value = colon + 1; *value == ' ' || *value == '\t'; value++) {
    }
    for (end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t'); end--) {
    }
    *end = '\0';
    for (const char *s = value; *s != '\0'; s++) {
        if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f) {
            return -400;
        }
    }
    f->name = line;
    f->value = value;
    return 0;
}

static unsigned count_lines(const uint8_t *bytes, size_t len)
{
    unsigned n = 0;

    for (size_t i = 0; i < len; i++) {
        n += bytes[i] == '\n';
    }
    return n;
}

static int read_lines(struct http_head *h, unsigned n_fields, bool response)
{
    char *at = h->text;
    int err = response ? read_status_line(h, cut_line(&at)) : read_request_line(h, cut_line(&at));

    for (; err == 0 && h->n_fields < n_fields; h->n_fields++) {
        err = read_field(&h->fields[h->n_fields], cut_line(&at));
    }
    return err;
}

int http_head_read(struct http_head *ret, const uint8_t *bytes, size_t len, bool response)
{
    unsigned n_fields = count_lines(bytes, len) - 2; /* but the start line and the empty one */
    struct http_head h = { 0 };
    int err = -ENOMEM;

    if (n_fields > HTTP_FIELDS_MAX) {
        return -431;
    }
    h.text = malloc(len + 1);
    h.fields = malloc((n_fields + 1) * sizeof(h.fields[0]));
    if (h.text != NULL && h.fields != NULL) {
        memcpy(h.text, bytes, len);
        h.text[len] = '\0';
        err = read_lines(&h, n_fields, response);
    }
    if (err < 0) {
        http_head_free(&h);
        return err;
    }
    *ret = h;
    return 0;
}

void http_head_free(struct http_head *h)
{
    free(h->text);
    free(h->fields);
    *h = (struct http_head){ 0 };
}

/* ---- asking -----------------------------------------------------------------------------------
 */

const char *http_head_field(const struct http_head *h, const char *name, unsigned n)
{
    for (unsigned i = 0; i < h->n_fields; i++) {
        if (http_same(h->fields[i].name, name) && n-- == 0) {
            return h->fields[i].value;
        }
    }
    return NULL;
}

/* True if the list `s` has `token` as one of its elements (RFC 9110 5.6.1). */
static bool list_has(const char *s, const char *token)
{
    size_t want = strlen(token);

    while (*s != '\0') {
        size_t len;

        s += strspn(s, " \t,");
        len = strcspn(s, " \t,");
        if (len == want) {
            size_t same = 0;

            while (same < len &&
                   ((unsigned char)s[same] | 32) == ((unsigned char)token[same] | 32)) {
                same++;
            }
            if (same == len) {
                return true;
            }
        }
        s += len;
    }
    return false;
}

bool http_head_has(const struct http_head *h, const char *name, const char *token)
{
    const char *value;

    for (unsigned n = 0; (value = http_head_field(h, name, n)) != NULL; n++) {
        if (list_has(value, token)) {
            return true;
        }
    }
    return false;
}

/* Content-Length = 1*DIGIT (RFC 9110 8.6) */
static int read_length(const char *s, uint64_t max, uint64_t *ret)
{
    uint64_t n = 0;
    bool over = false;

    if (*s == '\0') {
        return -400;
    }
    for (; *s != '\0'; s++) {
        if (*s < '0' || *s > '9') {
            return -400; /* also "5, 5" (RFC 9112 6.3, 5) */
        }
        over = over || n > (UINT64_MAX - (uint64_t)(*s - '0')) / 10;
        n = over ? UINT64_MAX : n * 10 + (uint64_t)(*s - '0');
    }
    if (over || n > max) {
        return -413;
    }
    *ret = n;
    return 0;
}

int http_head_framing(const struct http_head *h, bool response, uint64_t max,
                      enum http_framing *ret, uint64_t *ret_len)
{
    const char *coding = http_head_field(h, "Transfer-Encoding", 0);
    const char *length = http_head_field(h, "Content-Length", 0);

    *ret_len = 0;
    if (coding != NULL) {
        if (length != NULL || h->minor == 0) {
            return -400; /* RFC 9112 6.1: it may be an attempt to smuggle a request */
        }
        if (!http_same(coding, "chunked") || http_head_field(h, "Transfer-Encoding", 1) != NULL) {
            return -501;
        }
        *ret = HTTP_CHUNKED;
        return 0;
    }
    if (length == NULL) {
        *ret = response ? HTTP_UNTIL_CLOSE : HTTP_NO_CONTENT;
        return 0;
    }
    if (http_head_field(h, "Content-Length", 1) != NULL) {
        return -400;
    }
    *ret = HTTP_LENGTH;
    return read_length(length, max, ret_len);
}

bool http_head_keeps(const struct http_head *h)
{
    if (http_head_has(h, "Connection", "close")) {
        return false;
    }
    return h->minor > 0 || http_head_has(h, "Connection", "keep-alive");
}
