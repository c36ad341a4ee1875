/* From the text of a chain to its timers. See forecast/order.h.
 *
 * An entry is words and a value, apart by blanks; entries are apart by commas. Words may stand in
 * any order; a side that is not said is the client. Times have their unit: a bare number would be
 * seconds to one program and milliseconds to the next. Keepalive is written as everywhere, in
 * seconds: idle/interval/count.
 */

#include <errno.h>
#include <string.h>

#include "forecast/order.h"
#include "knobs/sockopt.h"

#define TIME_MAX_S (100 * 86400LL) /* forecast/range.h goes to 115 days */
#define COUNT_MAX 255

static const char expected_words[] =
    "client, server, balancer, proxy or pool, and request, idle, life, wait, connect, keepalive, "
    "user_timeout, retries2, syn_retries or heartbeat";
static const char expected_time[] = "a time with its unit, as 500ms, 20s, 5m, 2h";
static const char expected_keepalive[] = "keepalive as idle/interval/count in seconds, as 15/15/3";
static const char expected_heartbeat[] = "a heartbeat as 30s x 3, or 30s + 10s";
static const char expected_count[] = "a count from 1 to 255";
static const char expected_once[] = "each timer once a side";
static const char expected_entry[] = "a timer and its time, as server idle 60s";
static const char expected_own[] = "a timer that this side has";

struct reader {
    const char *text;
    size_t at, end; /* of the entry that is being read */
    struct ho_order_mistake *mistake;
};

static int wrong(struct reader *r, size_t at, size_t len, const char *expected)
{
    *r->mistake = (struct ho_order_mistake){ at, len, expected };
    return -EINVAL;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && blank(r->text[r->at])) {
        r->at++;
    }
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static char plain(char c)
{
    return c == '-' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* A run of digits, at most 9 of them. */
static bool read_number(struct reader *r, int64_t *ret)
{
    size_t start = r->at;
    int64_t v = 0;

    while (r->at < r->end && digit(r->text[r->at]) && r->at - start < 9) {
        v = v * 10 + (r->text[r->at++] - '0');
    }
    if (r->at == start || (r->at < r->end && digit(r->text[r->at]))) {
        return false;
    }
    *ret = v;
    return true;
}

static int64_t read_unit(struct reader *r)
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

    while (r->at + n < r->end && plain(r->text[r->at + n]) >= 'a' &&
           plain(r->text[r->at + n]) <= 'z') {
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

/* "20s", "1.5s", "1m30s", "2 min". A fraction has at most three digits. */
static bool read_part(struct reader *r, int64_t *sum_ns)
{
    int64_t v, milli = 0, unit;

    if (!read_number(r, &v)) {
        return false;
    }
    if (r->at + 1 < r->end && r->text[r->at] == '.' && digit(r->text[r->at + 1])) {
        int64_t scale = 100;

        for (r->at++; r->at < r->end && digit(r->text[r->at]); r->at++, scale /= 10) {
            milli += (r->text[r->at] - '0') * scale;
        }
    }
    skip_blanks(r);
    unit = read_unit(r);
    if (unit == 0 || v > TIME_MAX_S * HO_NS_PER_S / unit) {
        return false;
    }
    *sum_ns += v * unit + milli * (unit / 1000);
    return true;
}

static int read_time(struct reader *r, int64_t *ret_ns)
{
    size_t start = r->at;
    int64_t sum = 0;

    do {
        if (!read_part(r, &sum)) {
            return wrong(r, start, r->end - start, expected_time);
        }
    } while (r->at < r->end && digit(r->text[r->at]) && sum <= TIME_MAX_S * HO_NS_PER_S);
    if (sum <= 0 || sum > TIME_MAX_S * HO_NS_PER_S) {
        return wrong(r, start, r->at - start, expected_time);
    }
    *ret_ns = sum;
    return 0;
}

/* A number of seconds, with or without the `s`, within what Linux takes for the option. */
static bool read_seconds(struct reader *r, enum ho_sockopt id, int64_t *ret)
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

static bool read_sign(struct reader *r, char sign)
{
    skip_blanks(r);
    if (r->at == r->end || r->text[r->at] != sign) {
        return false;
    }
    r->at++;
    skip_blanks(r);
    return true;
}

static int read_keepalive(struct reader *r, struct ho_order_entry *e)
{
    size_t start = r->at;
    int64_t idle, intvl, cnt;

    if (!read_seconds(r, HO_SOCKOPT_TCP_KEEPIDLE, &idle) || !read_sign(r, '/') ||
        !read_seconds(r, HO_SOCKOPT_TCP_KEEPINTVL, &intvl) || !read_sign(r, '/') ||
        !read_seconds(r, HO_SOCKOPT_TCP_KEEPCNT, &cnt)) {
        return wrong(r, start, r->end - start, expected_keepalive);
    }
    e->ns = idle * HO_NS_PER_S;
    e->more_ns = intvl * HO_NS_PER_S;
    e->count = cnt;
    return 0;
}

static int read_count(struct reader *r, struct ho_order_entry *e)
{
    size_t start = r->at;

    if (!read_number(r, &e->count) || e->count < 1 || e->count > COUNT_MAX) {
        return wrong(r, start, r->end - start, expected_count);
    }
    return 0;
}

static int read_heartbeat(struct reader *r, struct ho_order_entry *e)
{
    size_t start = r->at;

    if (read_time(r, &e->ns) != 0) {
        return -EINVAL;
    }
    if (read_sign(r, '+')) {
        return read_time(r, &e->more_ns);
    }
    if (!read_sign(r, 'x') || !read_number(r, &e->count) || e->count < 1 || e->count > COUNT_MAX) {
        return wrong(r, start, r->end - start, expected_heartbeat);
    }
    return 0;
}

/* ---- words ----------------------------------------------------------------------------------- */

#define NO_SIDE HO_ORDER_SIDE_COUNT
#define NO_TIMER HO_ORDER_TIMER_COUNT

static const struct {
    const char *word;
    enum ho_order_side side;
    enum ho_order_timer timer;
} words[] = {
    { "client", HO_ORDER_CLIENT, NO_TIMER },
    { "pool", HO_ORDER_CLIENT, HO_ORDER_T_IDLE }, /* unless another timer is said */
    { "server", HO_ORDER_SERVER, NO_TIMER },
    { "backend", HO_ORDER_SERVER, NO_TIMER },
    { "upstream", HO_ORDER_SERVER, NO_TIMER },
    { "proxy", HO_ORDER_PROXY, NO_TIMER },
    { "alb", HO_ORDER_PROXY, NO_TIMER },
    { "balancer", HO_ORDER_BOX, NO_TIMER },
    { "lb", HO_ORDER_BOX, NO_TIMER },
    { "nlb", HO_ORDER_BOX, NO_TIMER },
    { "nat", HO_ORDER_BOX, NO_TIMER },
    { "firewall", HO_ORDER_BOX, NO_TIMER },
    { "middlebox", HO_ORDER_BOX, NO_TIMER },
    { "conntrack", HO_ORDER_BOX, NO_TIMER },
    { "request", NO_SIDE, HO_ORDER_T_REQUEST },
    { "command", NO_SIDE, HO_ORDER_T_REQUEST },
    { "query", NO_SIDE, HO_ORDER_T_REQUEST },
    { "read", NO_SIDE, HO_ORDER_T_REQUEST },
    { "idle", NO_SIDE, HO_ORDER_T_IDLE },
    { "keepalive_timeout", NO_SIDE, HO_ORDER_T_IDLE },
    { "life", NO_SIDE, HO_ORDER_T_LIFE },
    { "lifetime", NO_SIDE, HO_ORDER_T_LIFE },
    { "wait", NO_SIDE, HO_ORDER_T_WAIT },
    { "connect", NO_SIDE, HO_ORDER_T_CONNECT },
    { "keepalive", NO_SIDE, HO_ORDER_T_KEEPALIVE },
    { "user_timeout", NO_SIDE, HO_ORDER_T_USER_TIMEOUT },
    { "tcp_user_timeout", NO_SIDE, HO_ORDER_T_USER_TIMEOUT },
    { "retries2", NO_SIDE, HO_ORDER_T_RETRIES2 },
    { "tcp_retries2", NO_SIDE, HO_ORDER_T_RETRIES2 },
    { "syn_retries", NO_SIDE, HO_ORDER_T_SYN_RETRIES },
    { "tcp_syn_retries", NO_SIDE, HO_ORDER_T_SYN_RETRIES },
    { "heartbeat", NO_SIDE, HO_ORDER_T_HEARTBEAT },
    { "ping", NO_SIDE, HO_ORDER_T_HEARTBEAT },
    { "timeout", NO_SIDE, NO_TIMER }, /* "request timeout 5s" */
    { "max", NO_SIDE, NO_TIMER },     /* "pool max lifetime 30m" */
};

static bool same_word(const char *text, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++) {
        if (plain(text[i]) != word[i] || word[i] == '\0') {
            return false;
        }
    }
    return word[n] == '\0';
}

struct names {
    enum ho_order_side side;
    enum ho_order_timer timer;
    bool pool;
};

static int read_word(struct reader *r, size_t n, struct names *names)
{
    const char *text = r->text + r->at;
    size_t i = 0;

    while (i < sizeof(words) / sizeof(words[0]) && !same_word(text, n, words[i].word)) {
        i++;
    }
    if (i == sizeof(words) / sizeof(words[0])) {
        return wrong(r, r->at, n, expected_words);
    }
    bool pool = words[i].side != NO_SIDE && words[i].timer != NO_TIMER;

    if ((words[i].side != NO_SIDE && names->side != NO_SIDE) ||
        (words[i].timer != NO_TIMER && !pool && names->timer != NO_TIMER)) {
        return wrong(r, r->at, n, "one side and one timer, and a comma between entries");
    }
    if (words[i].side != NO_SIDE) {
        names->side = words[i].side;
    }
    if (words[i].timer != NO_TIMER && !pool) {
        names->timer = words[i].timer;
    }
    names->pool = names->pool || pool;
    r->at += n;
    return 0;
}

/* The words before the value. */
static int read_names(struct reader *r, struct names *names)
{
    *names = (struct names){ NO_SIDE, NO_TIMER, false };
    for (skip_blanks(r); r->at < r->end && !digit(r->text[r->at]); skip_blanks(r)) {
        size_t n = 0;

        while (r->at + n < r->end && !blank(r->text[r->at + n])) {
            n++;
        }
        if (read_word(r, n, names) != 0) {
            return -EINVAL;
        }
    }
    if (names->timer == NO_TIMER &&
        (names->pool || names->side == HO_ORDER_BOX || names->side == HO_ORDER_PROXY)) {
        names->timer = HO_ORDER_T_IDLE;
    }
    if (names->side == NO_SIDE) {
        names->side = HO_ORDER_CLIENT;
    }
    return 0;
}

/* ---- entries --------------------------------------------------------------------------------- */

/* A box has no socket, a proxy is known by its pool, and only who connects has a pool. */
static bool has(enum ho_order_side side, enum ho_order_timer timer)
{
    switch (side) {
    case HO_ORDER_BOX:
    case HO_ORDER_PROXY:
        return timer == HO_ORDER_T_IDLE;
    case HO_ORDER_SERVER:
        return timer != HO_ORDER_T_LIFE && timer != HO_ORDER_T_WAIT &&
               timer != HO_ORDER_T_CONNECT && timer != HO_ORDER_T_SYN_RETRIES;
    default:
        return true;
    }
}

static int read_value(struct reader *r, enum ho_order_timer timer, struct ho_order_entry *e)
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
        return wrong(r, start, r->at - start, "a whole number of milliseconds, below 24 days");
    }
    return 0;
}

/* What a box does to a flow that it has forgotten. */
static void read_reset(struct reader *r, enum ho_order_side side, struct ho_order_entry *e)
{
    static const char *const manners[] = { "silent", "reset" };

    skip_blanks(r);
    for (size_t i = 0; i < 2 && side == HO_ORDER_BOX; i++) {
        size_t n = strlen(manners[i]);

        if (r->end - r->at >= n && same_word(r->text + r->at, n, manners[i])) {
            e->reset = i == 1;
            r->at += n;
            return;
        }
    }
}

static int read_entry(struct reader *r, struct ho_order_chain *chain)
{
    struct ho_order_entry e = { .there = true };
    struct names names;
    size_t start;

    skip_blanks(r);
    start = r->at;
    if (r->at == r->end) {
        return wrong(r, r->at, 0, expected_entry);
    }
    if (read_names(r, &names) != 0) {
        return -EINVAL;
    }
    if (names.timer == NO_TIMER) {
        return wrong(r, r->at, 0, "which timer it is: request, idle, keepalive, user_timeout, ...");
    }
    if (!has(names.side, names.timer)) {
        return wrong(r, start, r->at - start, expected_own);
    }
    if (chain->e[names.side][names.timer].there) {
        return wrong(r, start, r->at - start, expected_once);
    }
    if (read_value(r, names.timer, &e) != 0) {
        return -EINVAL;
    }
    read_reset(r, names.side, &e);
    skip_blanks(r);
    if (r->at != r->end) {
        return wrong(r, r->at, r->end - r->at, "a comma, or the end");
    }
    chain->e[names.side][names.timer] = e;
    return 0;
}

int ho_order_parse(struct ho_order_chain *ret, const char *text, struct ho_order_mistake *mistake)
{
    struct ho_order_chain chain = { .e = { { { .there = false } } } };
    struct reader r = { .text = text, .mistake = mistake };

    for (;;) {
        r.end = r.at + strcspn(text + r.at, ",");
        size_t end = r.end;

        if (read_entry(&r, &chain) != 0) {
            return -EINVAL;
        }
        if (text[end] == '\0') {
            break;
        }
        r.at = end + 1;
    }
    *ret = chain;
    return 0;
}
