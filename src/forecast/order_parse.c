/* From the text of a chain to its timers. See forecast/order.h.
 *
 * An entry is words and a value, apart by blanks; entries are apart by commas. Words may stand in
 * any order; a side that is not said is the client. Times have their unit: a bare number would be
 * seconds to one program and milliseconds to the next. Keepalive is written as everywhere, in
 * seconds: idle/interval/count. An entry may name a program in place of a timer and its value: its
 * timers are put in at the end, where no entry says another value.
 */

#include <errno.h>
#include <string.h>

#include "forecast/order.h"
#include "forecast/order_work.h"

static const char expected_words[] =
    "client, server, balancer, proxy or pool, and request, idle, life, wait, connect, keepalive, "
    "user_timeout, retries2, syn_retries or heartbeat, or a program";
static const char expected_once[] = "each timer once a side";
static const char expected_entry[] = "a timer and its time, as server idle 60s";
static const char expected_own[] = "a timer that this side has";

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
        if (order_plain(text[i]) != word[i] || word[i] == '\0') {
            return false;
        }
    }
    return word[n] == '\0';
}

#define PROGRAM_NAME 64

struct names {
    enum ho_order_side side;
    enum ho_order_timer timer;
    bool pool;
    char program[PROGRAM_NAME]; /* "": none */
};

/* A word that is no side and no timer may be a program. */
static int read_program(struct order_reader *r, size_t n, struct names *names)
{
    char word[PROGRAM_NAME];

    if (n >= sizeof(word) || names->program[0] != '\0') {
        return order_wrong(r, r->at, n, expected_words);
    }
    memcpy(word, r->text + r->at, n);
    word[n] = '\0';
    if (ho_setting_program_find(word) == NULL) {
        return order_wrong(r, r->at, n, expected_words);
    }
    memcpy(names->program, word, n + 1);
    r->at += n;
    return 0;
}

static int read_word(struct order_reader *r, size_t n, struct names *names)
{
    const char *text = r->text + r->at;
    size_t i = 0;

    while (i < sizeof(words) / sizeof(words[0]) && !same_word(text, n, words[i].word)) {
        i++;
    }
    if (i == sizeof(words) / sizeof(words[0])) {
        return read_program(r, n, names);
    }
    bool pool = words[i].side != NO_SIDE && words[i].timer != NO_TIMER;

    if ((words[i].side != NO_SIDE && names->side != NO_SIDE) ||
        (words[i].timer != NO_TIMER && !pool && names->timer != NO_TIMER)) {
        return order_wrong(r, r->at, n, "one side and one timer, and a comma between entries");
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
static int read_names(struct order_reader *r, struct names *names)
{
    *names = (struct names){ NO_SIDE, NO_TIMER, false, "" };
    for (order_skip_blanks(r); r->at < r->end && !order_digit(r->text[r->at]);
         order_skip_blanks(r)) {
        size_t n = 0;

        while (r->at + n < r->end && !order_blank(r->text[r->at + n])) {
            n++;
        }
        if (read_word(r, n, names) != 0) {
            return -EINVAL;
        }
    }
    if (names->program[0] != '\0') {
        return 0;
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

/* What a box does to a flow that it has forgotten. */
static void read_reset(struct order_reader *r, enum ho_order_side side, struct ho_order_entry *e)
{
    static const char *const manners[] = { "silent", "reset" };

    order_skip_blanks(r);
    for (size_t i = 0; i < 2 && side == HO_ORDER_BOX; i++) {
        size_t n = strlen(manners[i]);

        if (r->end - r->at >= n && same_word(r->text + r->at, n, manners[i])) {
            e->reset = i == 1;
            r->at += n;
            return;
        }
    }
}

/* "server nginx", "hikaricp" */
static int add_program(struct order_reader *r, size_t start, const struct names *names)
{
    enum ho_order_side side = names->side;

    if (names->timer != NO_TIMER || r->at != r->end) {
        return order_wrong(r, start, r->end - start,
                           "a program alone, and a comma before timers that are not its defaults");
    }
    if (side == NO_SIDE) {
        side = order_program_side(names->program);
    }
    if (side == NO_SIDE) {
        return order_wrong(r, start, r->at - start,
                           "which side the program is on, as server nginx");
    }
    if (!order_add_program(&r->filled, side, names->program)) {
        return order_wrong(r, start, r->at - start, "a program that has settings of this side");
    }
    return 0;
}

static int read_entry(struct order_reader *r)
{
    struct ho_order_entry e = { .there = true };
    struct ho_order_chain *chain = &r->said;
    struct names names;
    size_t start;

    order_skip_blanks(r);
    start = r->at;
    if (r->at == r->end) {
        return order_wrong(r, r->at, 0, expected_entry);
    }
    if (read_names(r, &names) != 0) {
        return -EINVAL;
    }
    if (names.program[0] != '\0') {
        return add_program(r, start, &names);
    }
    if (names.timer == NO_TIMER) {
        return order_wrong(r, r->at, 0,
                           "which timer it is: request, idle, keepalive, user_timeout, ...");
    }
    if (!has(names.side, names.timer)) {
        return order_wrong(r, start, r->at - start, expected_own);
    }
    if (chain->e[names.side][names.timer].there) {
        return order_wrong(r, start, r->at - start, expected_once);
    }
    if (order_read_value(r, names.timer, &e) != 0) {
        return -EINVAL;
    }
    read_reset(r, names.side, &e);
    order_skip_blanks(r);
    if (r->at != r->end) {
        return order_wrong(r, r->at, r->end - r->at, "a comma, or the end");
    }
    chain->e[names.side][names.timer] = e;
    return 0;
}

int ho_order_parse(struct ho_order_chain *ret, const char *text, struct ho_order_mistake *mistake)
{
    struct order_reader r = { .text = text, .mistake = mistake };

    for (;;) {
        r.end = r.at + strcspn(text + r.at, ",");
        size_t end = r.end;

        if (read_entry(&r) != 0) {
            return -EINVAL;
        }
        if (text[end] == '\0') {
            break;
        }
        r.at = end + 1;
    }
    for (int side = 0; side < HO_ORDER_SIDE_COUNT; side++) {
        for (int timer = 0; timer < HO_ORDER_TIMER_COUNT; timer++) {
            const struct ho_order_entry *e = &r.said.e[side][timer];

            ret->e[side][timer] = e->there ? *e : r.filled.e[side][timer];
        }
    }
    return 0;
}
