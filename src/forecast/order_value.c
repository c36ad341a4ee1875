/* The values of a chain: times, counts, keepalive, heartbeats. See order_parse.c. */

#include <errno.h>
#include <string.h>

#include "forecast/order_work.h"
#include "knobs/sockopt.h"

#define TIME_MAX_S (100 * 86400LL) /* forecast/range.h goes to 115 days */
#define COUNT_MAX 255

static const char expected_time[] = "a time with its unit, as 500ms, 20s, 5m, 2h";
static const char expected_keepalive[] = "keepalive as idle/interval/count in seconds, as 15/15/3";
static const char expected_heartbeat[] = "a heartbeat as 30s x 3, or 30s + 10s";
static const char expected_count[] = "a count from 1 to 255";

int order_wrong(struct order_reader *r, size_t at, size_t len, const char *expected)
{
    *r->mistake = (struct ho_order_mistake){ at, len, expected };
    return -EINVAL;
}

bool order_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void order_skip_blanks(struct order_reader *r)
{
    while (r->at < r->end && order_blank(r->text[r->at])) {
        r->at++;
    }
}

bool order_digit(char c)
{
    return c >= '0' && c <= '9';
}

char order_plain(char c)
{
    return c == '-' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* A run of digits, at most 9 of them. */
static bool read_number(struct order_reader *r, int64_t *ret)
{
    size_t start = r->at;
    int64_t v = 0;

    while (r->at < r->end && order_digit(r->text[r->at]) && r->at - start < 9) {
        v = v * 10 + (r->text[r->at++] - '0');
    }
    if (r->at == start || (r->at < r->end && order_digit(r->text[r->at]))) {
        return false;
    }
    *ret = v;
    return true;
}

static int64_t read_unit(struct order_reader *r)
{
    static const struct {
        const char *word;
        int64_t ns;
    } units[] = {
        { "ms", 1000000 },
        { "s", HO_NS_PER_S },
        { "sec", HO_NS_PER_S },
        { "m", 60 * HO_NS_PER_S },
        { "min", 60 * HO_NS_PER_S },
        { "h", 3600 * HO_NS_PER_S },
        { "d", 86400 * HO_NS_PER_S },
    };
    size_t n = 0;

    while (r->at + n < r->end && order_plain(r->text[r->at + n]) >= 'a' &&
           order_plain(r->text[r->at + n]) <= 'z') {
        n++;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strlen(units[i].word) == n && strncmp(units[i].word, r->text + r->at, n) == 0) {
            r->at += n;
            return units[i].ns;
        }
    }
    return 0;
}

/* "20s", "1.5s", "2 min". A fraction has at most three digits, and is none of a millisecond. */
static bool read_part(struct order_reader *r, int64_t *sum_ns)
{
    int64_t v, milli = 0, scale = 100;

    if (!read_number(r, &v)) {
        return false;
    }
    if (r->at + 1 < r->end && r->text[r->at] == '.' && order_digit(r->text[r->at + 1])) {
        for (r->at++; r->at < r->end && order_digit(r->text[r->at]); r->at++, scale /= 10) {
            if (scale == 0) {
                return false;
            }
            milli += (r->text[r->at] - '0') * scale;
        }
    }
    order_skip_blanks(r);
    int64_t unit = read_unit(r);

    if (unit == 0 || v > TIME_MAX_S * HO_NS_PER_S / unit || (milli > 0 && unit < HO_NS_PER_S)) {
        return false;
    }
    *sum_ns += v * unit + milli * (unit / 1000);
    return true;
}

static int read_time(struct order_reader *r, int64_t *ret_ns)
{
    size_t start = r->at;
    int64_t sum = 0;

    do {
        if (!read_part(r, &sum)) {
            return order_wrong(r, start, r->end - start, expected_time);
        }
    } while (r->at < r->end && order_digit(r->text[r->at]) && sum <= TIME_MAX_S * HO_NS_PER_S);
    if (sum <= 0 || sum > TIME_MAX_S * HO_NS_PER_S) {
        return order_wrong(r, start, r->at - start, expected_time);
    }
    *ret_ns = sum;
    return 0;
}

/* A number of seconds, with or without the `s`, within what Linux takes for the option. */
static bool read_seconds(struct order_reader *r, enum ho_sockopt id, int64_t *ret)
{
    int64_t v;

    if (!read_number(r, &v) || v < ho_sockopt_info(id)->min || v > ho_sockopt_info(id)->max) {
        return false;
    }
    if (id != HO_SOCKOPT_TCP_KEEPCNT && r->at < r->end && r->text[r->at] == 's') {
        r->at++;
    }
    *ret = v;
    return true;
}

static bool read_sign(struct order_reader *r, char sign)
{
    order_skip_blanks(r);
    if (r->at == r->end || r->text[r->at] != sign) {
        return false;
    }
    r->at++;
    order_skip_blanks(r);
    return true;
}

static int read_keepalive(struct order_reader *r, struct ho_order_entry *e)
{
    size_t start = r->at;
    int64_t idle, intvl, cnt;

    if (!read_seconds(r, HO_SOCKOPT_TCP_KEEPIDLE, &idle) || !read_sign(r, '/') ||
        !read_seconds(r, HO_SOCKOPT_TCP_KEEPINTVL, &intvl) || !read_sign(r, '/') ||
        !read_seconds(r, HO_SOCKOPT_TCP_KEEPCNT, &cnt)) {
        return order_wrong(r, start, r->end - start, expected_keepalive);
    }
    e->ns = idle * HO_NS_PER_S;
    e->more_ns = intvl * HO_NS_PER_S;
    e->count = cnt;
    return 0;
}

static int read_count(struct order_reader *r, struct ho_order_entry *e)
{
    size_t start = r->at;

    if (!read_number(r, &e->count) || e->count < 1 || e->count > COUNT_MAX) {
        return order_wrong(r, start, r->end - start, expected_count);
    }
    return 0;
}

static int read_heartbeat(struct order_reader *r, struct ho_order_entry *e)
{
    size_t start = r->at;

    if (read_time(r, &e->ns) != 0) {
        return -EINVAL;
    }
    if (read_sign(r, '+')) {
        return read_time(r, &e->more_ns);
    }
    if (!read_sign(r, 'x') || !read_number(r, &e->count) || e->count < 1 || e->count > COUNT_MAX) {
        return order_wrong(r, start, r->end - start, expected_heartbeat);
    }
    return 0;
}

int order_read_value(struct order_reader *r, enum ho_order_timer timer, struct ho_order_entry *e)
{
    size_t start = r->at;

    switch (timer) {
    case HO_ORDER_T_KEEPALIVE:
        return read_keepalive(r, e);
    case HO_ORDER_T_RETRIES2:
    case HO_ORDER_T_SYN_RETRIES:
        return read_count(r, e);
    case HO_ORDER_T_HEARTBEAT:
        return read_heartbeat(r, e);
    default:
        break;
    }
    if (read_time(r, &e->ns) != 0) {
        return -EINVAL;
    }
    if (timer == HO_ORDER_T_USER_TIMEOUT &&
        (e->ns % 1000000 != 0 ||
         e->ns / 1000000 > ho_sockopt_info(HO_SOCKOPT_TCP_USER_TIMEOUT)->max)) {
        return order_wrong(r, start, r->at - start,
                           "a whole number of milliseconds, below 24 days");
    }
    return 0;
}
