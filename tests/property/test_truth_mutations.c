/* Can the truth tests fail? Every expectation of some measured files is made wrong, one at a time,
 * and the comparison has to find it: each field of each segment, ARP packet, ICMP message, call,
 * event and sample; each of their times; a record too few, a record twice.
 *
 * The files cover what there is: a death by retransmission with dynamic ARP, keepalive, a zero
 * window, a reset, a connect() that fails, virtual time.
 */

#include "support/truth_bulk.h"
#include "support/truth_compare.h"
#include "support/truth_play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_MAX 400000
#define WORDS 24
#define FROM_US (-300000) /* what comes long before the fault is alike in all files */
#define TO_US 100000000

static char *slurp(const char *name)
{
    char path[200];
    (void)snprintf(path, sizeof(path), "tests/truth/data/%s.truth", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *text = calloc(1, TEXT_MAX);
    assert_non_null(text);
    size_t n = fread(text, 1, TEXT_MAX - 1, f);
    assert_true(n > 0 && n < TEXT_MAX - 1);
    (void)fclose(f);
    return text;
}

/* How many differences that make a file fail. */
static size_t failures_of(const char *text)
{
    struct ho_truth_options o = { 0 };
    struct ho_truth_script s;
    struct ho_truth_result r = { 0 };
    size_t n = 0;
    assert_int_equal(ho_truth_script_parse(&s, text, "mutated"), 0);
    ho_truth_expect(&s, &r.expected, &r.socks, &r.neighs);
    assert_int_equal(ho_truth_play(&s, &o, &r.got, &r.got_socks, &r.got_neighs), 0);
    ho_truth_compare(&s, &r);
    for (enum ho_truth_class c = HO_TRUTH_C_ORDER; c < HO_TRUTH_C_DETAIL; c++) {
        n += r.count[c];
    }
    ho_truth_result_free(&r);
    ho_truth_script_free(&s);
    return n;
}

/* One line of a file, in words. */
struct line {
    const char *at;
    size_t len;
    char text[600];
    char *w[WORDS];
    unsigned n;
};

static void split(struct line *l)
{
    l->n = 0;
    (void)snprintf(l->text, sizeof(l->text), "%.*s", (int)l->len, l->at);
    for (char *p = l->text; *p != '\0' && l->n < WORDS;) {
        size_t n = strcspn(p, " ");
        l->w[l->n++] = p;
        p += n;
        if (*p == ' ') {
            *p++ = '\0';
        }
    }
}

static void join(const struct line *l, char *out, size_t size)
{
    size_t used = 0;
    for (unsigned i = 0; i < l->n; i++) {
        used += (size_t)snprintf(out + used, size - used, "%s%s", i == 0 ? "" : " ", l->w[i]);
    }
}

struct mutant {
    const char *text; /* of the whole file */
    char *room;
    size_t tried, survived;
};

/* Plays the file with `instead` in the place of the line. */
static void try_line(struct mutant *m, const struct line *l, const char *instead)
{
    size_t before = (size_t)(l->at - m->text), n = strlen(instead);
    memcpy(m->room, m->text, before);
    memcpy(m->room + before, instead, n);
    (void)snprintf(m->room + before + n, TEXT_MAX + 1000 - before - n, "%s", l->at + l->len);
    m->tried++;
    if (failures_of(m->room) == 0) {
        m->survived++;
        (void)printf("not found: \"%.*s\" made \"%s\"\n", (int)l->len, l->at, instead);
    }
}

static void try_word(struct mutant *m, struct line *l, unsigned word, const char *instead)
{
    char line[700];
    if (word >= l->n || strcmp(l->w[word], instead) == 0 || strcmp(l->w[word], "?") == 0 ||
        strcmp(l->w[word], "*") == 0 || strcmp(l->w[word], "-") == 0) {
        return;
    }
    char *was = l->w[word], changed[100];
    (void)snprintf(changed, sizeof(changed), "%s", instead);
    l->w[word] = changed;
    join(l, line, sizeof(line));
    try_line(m, l, line);
    l->w[word] = was;
}

static void try_number(struct mutant *m, struct line *l, unsigned word, int by)
{
    char more[32];
    if (word < l->n) {
        (void)snprintf(more, sizeof(more), "%lld", atoll(l->w[word]) + by);
        try_word(m, l, word, more);
    }
}

static void try_either(struct mutant *m, struct line *l, unsigned word, const char *a,
                       const char *b)
{
    if (word < l->n) {
        try_word(m, l, word, strcmp(l->w[word], a) == 0 ? b : a);
    }
}

/* Later and earlier than the tolerance, wherever in it the model's is; missing; twice. */
static void try_record(struct mutant *m, struct line *l, int64_t late_us)
{
    char line[1400], time[32];
    const int64_t by[] = { late_us, -late_us };
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(time, sizeof(time), "%lld", atoll(l->w[1]) + (long long)by[i]);
        try_word(m, l, 1, time);
    }
    try_line(m, l, "");
    (void)snprintf(line, sizeof(line), "%.*s\n%.*s", (int)l->len, l->at, (int)l->len, l->at);
    try_line(m, l, line);
}

static void try_seg(struct mutant *m, struct line *l)
{
    try_either(m, l, 3, "A", "PA");
    for (unsigned word = 4; word <= 7; word++) { /* seq, ack, len, window */
        try_number(m, l, word, 1);
    }
    try_either(m, l, 8, "fwd", "cut");
}

static void try_sample(struct mutant *m, struct line *l)
{
    /* What the model is never in: the next state may be so near that it is right, too. */
    try_either(m, l, 3, "CLOSING", "LISTEN");
    try_either(m, l, 4, "timewait", "off");
    for (unsigned word = 10; word <= 12; word++) { /* retransmits, probes, backoff */
        try_number(m, l, word, 100);
    }
}

static void try_call(struct mutant *m, struct line *l)
{
    if (l->n > 8 && strcmp(l->w[4], "poll") == 0) {
        try_either(m, l, 7, "IN", "OUT");
    } else if (l->n > 8) {
        try_number(m, l, 7, 1);
        if (strcmp(l->w[4], "recv") != 0 || atoll(l->w[7]) <= 0) {
            try_either(m, l, 8, "EPIPE", "ECONNRESET");
        }
    }
    if (l->n > 9) {
        char late[32];
        (void)snprintf(late, sizeof(late), "%lld", atoll(l->w[9]) + 100000);
        try_word(m, l, 9, late);
    }
}

static void mutate_line(struct mutant *m, struct line *l, int64_t late_us)
{
    split(l);
    if (l->n > 1 && (atoll(l->w[1]) < FROM_US || atoll(l->w[1]) > TO_US)) {
        return;
    }
    switch (l->n > 2 && strlen(l->w[0]) == 1 ? l->w[0][0] : '\0') {
    case 's':
        try_seg(m, l);
        try_record(m, l, late_us);
        break;
    case 'a':
        try_either(m, l, 3, "who-has", "is-at");
        try_either(m, l, 4, "c", "s");
        try_either(m, l, 5, "bcast", "ucast");
        try_either(m, l, 6, "fwd", "cut");
        try_record(m, l, late_us);
        break;
    case 'i':
        for (unsigned word = 3; word <= 5; word++) {
            try_number(m, l, word, 1);
        }
        try_record(m, l, late_us);
        break;
    case 'k':
        try_sample(m, l);
        break;
    case 'n':
        try_either(m, l, 3, "NOARP", "NONE");
        break;
    case 'e':
        try_either(m, l, 4, "IN|OUT|ERR|HUP|RDHUP", "IN|OUT|PRI");
        break;
    case 'c':
        try_call(m, l);
        break;
    default:
        break;
    }
}

static void every_mutation_is_found(const char *name)
{
    struct mutant m = { .text = slurp(name) };
    char *text = (char *)(uintptr_t)m.text;
    m.room = malloc(TEXT_MAX + 1000);
    assert_non_null(m.room);
    assert_int_equal(failures_of(text), 0);
    bool exact = strstr(text, "\nnoise 0\n") != NULL;
    for (const char *p = text; *p != '\0';) {
        struct line l = { .at = p, .len = strcspn(p, "\n") };
        mutate_line(&m, &l, exact ? 2 * 8000 + 500 : 2 * 28000 + 500);
        p += l.len + (p[l.len] == '\n');
    }
    (void)printf("%s: %zu mutations, %zu not found\n", name, m.tried, m.survived);
    free(text);
    free(m.room);
    assert_true(m.tried >= 50);
    assert_int_equal(m.survived, 0);
}

#define FILES(X)                         \
    X(s03_silent_dynarp_lan_r8)          \
    X(s02_ka523_permarp)                 \
    X(s12_cut_r3)                        \
    X(s08a_server_sends)                 \
    X(s10_dynarp_syn2)                   \
    X(s06a_nothing_unread_server_closes) \
    X(s03x_recverr_own_dyn_r5)           \
    X(s14_s2c_cut_keepalive)             \
    X(s09_ut3000_data_lan)               \
    X(vk_retries_short_arp)              \
    X(vk_ka_default_dynamic)

#define X(name)                                   \
    static void mutations_of_##name(void **state) \
    {                                             \
        (void)state;                              \
        every_mutation_is_found(#name);           \
    }
FILES(X)
#undef X

int main(void)
{
    const struct CMUnitTest tests[] = {
#define X(name) cmocka_unit_test(mutations_of_##name),
        FILES(X)
#undef X
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
