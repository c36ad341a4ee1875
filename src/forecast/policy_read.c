/* Reading one line of a policy. See forecast/policy.h for the language, policy_read.h for this. */

#include "forecast/policy_read.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 96
#define NEAR 2 /* letters that a word may differ in to be what was meant */

static_assert(HO_FINDING_COUNT <= 64, "a rule keeps findings as bits");

/* ---- mistakes -------------------------------------------------------------------------------- */

int policy_refuse(const struct policy_words *w, unsigned column, const char *format, ...)
{
    size_t size = sizeof(w->e->text);
    va_list args;

    w->e->line = w->line;
    w->e->column = column;
    int n = snprintf(w->e->text, size, "%.60s:%u:%u: ", w->file, w->line, column);

    va_start(args, format);
    vsnprintf(w->e->text + n, size - (size_t)n, format, args);
    va_end(args);
    return -EINVAL;
}

static unsigned column_of(const struct policy_words *w, size_t i)
{
    const struct policy_word *last = w->n > 0 ? &w->word[w->n - 1] : NULL;

    if (i < w->n) {
        return (unsigned)(w->word[i].at - w->begin) + 1;
    }
    return last == NULL ? 1 : (unsigned)(last->at - w->begin + (ptrdiff_t)last->len) + 1;
}

/* How many letters must be changed, added or taken away (Levenshtein), case ignored. */
static unsigned distance(const char *a, size_t n, const char *b)
{
    unsigned row[WORD_MAX + 1];
    size_t m = strlen(b);

    if (m > WORD_MAX || n > WORD_MAX) {
        return WORD_MAX;
    }
    for (size_t j = 0; j <= m; j++) {
        row[j] = (unsigned)j;
    }
    for (size_t i = 1; i <= n; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            unsigned best = diagonal + (same ? 0 : 1);

            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            row[j] = best;
        }
    }
    return row[m];
}

/* The nearest of `n` words, NULL if none is near. */
static const char *nearest(const struct policy_word *word, const char *const *words, size_t n)
{
    const char *best = NULL;
    unsigned least = NEAR + 1;

    for (size_t i = 0; i < n; i++) {
        unsigned d = distance(word->at, word->len, words[i]);

        if (d < least && 2 * (size_t)d <= word->len) {
            least = d;
            best = words[i];
        }
    }
    return best;
}

/* "found 'prot', expected 'port' or an address; did you mean 'port'?" */
static int mistake(const struct policy_words *w, const char *expected, const char *near)
{
    char found[40] = "the line ends";

    if (w->next < w->n) {
        const struct policy_word *word = &w->word[w->next];

        snprintf(found, sizeof(found), "found '%.*s'", word->len < 30 ? (int)word->len : 30,
                 word->at);
    }
    return policy_refuse(w, column_of(w, w->next), "%s, expected %s%s%s%s", found, expected,
                         near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                         near != NULL ? "'?" : "");
}

/* None of the words that were tried stands here; `also` may, too ("" for nothing). */
static int none_of_the_tried(const struct policy_words *w, const char *also)
{
    char expected[120] = "";
    size_t len = 0;

    for (size_t i = 0; i < w->n_tried && len < sizeof(expected); i++) {
        bool last = i + 1 == w->n_tried && also[0] == '\0';
        int n = snprintf(expected + len, sizeof(expected) - len, "%s'%s'",
                         i == 0 ? ""
                         : last ? " or "
                                : ", ",
                         w->tried[i]);

        len += n > 0 ? (size_t)n : 0;
    }
    if (also[0] != '\0' && len < sizeof(expected)) {
        snprintf(expected + len, sizeof(expected) - len, "%s%s", len > 0 ? " or " : "", also);
    }
    return mistake(w, expected,
                   w->next < w->n ? nearest(&w->word[w->next], w->tried, w->n_tried) : NULL);
}

/* ---- words ----------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

int policy_split(struct policy_words *w, const char *text, size_t len)
{
    w->begin = text;
    w->n = w->next = w->n_tried = 0;
    if (len > HO_POLICY_LINE_MAX) {
        return policy_refuse(w, HO_POLICY_LINE_MAX, "a line of more than %d bytes",
                             HO_POLICY_LINE_MAX);
    }
    for (size_t i = 0; i < len;) {
        size_t from = i;

        while (i < len && !is_blank(text[i])) {
            if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
                return policy_refuse(w, (unsigned)i + 1, "a byte that is no text");
            }
            i++;
        }
        if (i > from && text[from] == '#') {
            return 0;
        }
        if (i > from && w->n == POLICY_WORDS_MAX) {
            return policy_refuse(w, (unsigned)from + 1, "more than %d words", POLICY_WORDS_MAX);
        }
        if (i > from) {
            w->word[w->n++] = (struct policy_word){ text + from, i - from };
        }
        i += i < len ? 1 : 0;
    }
    return 0;
}

/* Whether the next word is this one; goes behind it. */
static bool take(struct policy_words *w, const char *word)
{
    const struct policy_word *next = &w->word[w->next];

    if (w->next < w->n && next->len == strlen(word) && memcmp(next->at, word, next->len) == 0) {
        w->next++;
        w->n_tried = 0;
        return true;
    }
    if (w->n_tried < sizeof(w->tried) / sizeof(w->tried[0])) {
        w->tried[w->n_tried++] = word;
    }
    return false;
}

static int need_word(struct policy_words *w, const char *word)
{
    return take(w, word) ? 0 : none_of_the_tried(w, "");
}

/* The next word as a string, whatever it is; false if there is none or it is too long. */
static bool peek(const struct policy_words *w, char *buf, size_t size)
{
    if (w->next >= w->n || w->word[w->next].len >= size) {
        return false;
    }
    memcpy(buf, w->word[w->next].at, w->word[w->next].len);
    buf[w->word[w->next].len] = '\0';
    return true;
}

static void accept(struct policy_words *w)
{
    w->next++;
    w->n_tried = 0;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* Digits at *p as a number up to `max`; moves behind them. */
static bool digits(const char **p, int64_t max, int64_t *ret)
{
    const char *start = *p;
    int64_t v = 0;

    for (; **p >= '0' && **p <= '9'; (*p)++) {
        if (v > (max - (**p - '0')) / 10) {
            return false;
        }
        v = v * 10 + (**p - '0');
    }
    *ret = v;
    return *p != start;
}

static int64_t unit_at(const char **p)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = { { "ns", 1 },
                  { "us", 1000 },
                  { "ms", 1000000 },
                  { "s", HO_NS_PER_S },
                  { "m", 60 * HO_NS_PER_S },
                  { "min", 60 * HO_NS_PER_S },
                  { "h", 3600 * HO_NS_PER_S },
                  { "d", 86400 * HO_NS_PER_S } };
    size_t len = strcspn(*p, "0123456789.");

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strlen(units[i].name) == len && memcmp(units[i].name, *p, len) == 0) {
            *p += len;
            return units[i].ns;
        }
    }
    return 0;
}

/* One "12.5s" added to *sum; its unit must be smaller than *unit. */
static bool term(const char **p, int64_t *sum, int64_t *unit)
{
    int64_t whole, fraction = 0, scale = 1;

    if (!digits(p, INT64_MAX, &whole)) {
        return false;
    }
    if (**p == '.') {
        const char *start = ++*p;

        if (!digits(p, 999999999, &fraction)) {
            return false;
        }
        for (; start < *p; start++) {
            scale = scale < HO_NS_PER_S ? scale * 10 : scale;
        }
    }
    int64_t size = unit_at(p);

    if (size == 0 || size >= *unit || whole > (INT64_MAX - *sum) / size ||
        fraction * (size / scale) > INT64_MAX - *sum - whole * size) {
        return false;
    }
    *sum += whole * size + fraction * (size / scale) + fraction * (size % scale) / scale;
    *unit = size;
    return true;
}

static int duration(struct policy_words *w, int64_t *ret)
{
    int64_t sum = 0, unit = INT64_MAX;
    char text[WORD_MAX];
    const char *p = text;

    if (!peek(w, text, sizeof(text))) {
        return mistake(w, "a duration such as 30s or 2m30s", NULL);
    }
    do {
        if (!term(&p, &sum, &unit)) {
            return mistake(w, "a duration such as 30s or 2m30s", NULL);
        }
    } while (*p != '\0');
    accept(w);
    *ret = sum;
    return 0;
}

static int ports(struct policy_words *w, struct policy_ports *ret)
{
    char text[WORD_MAX];
    const char *p = text;
    int64_t first, last;
    bool ok = peek(w, text, sizeof(text)) && digits(&p, UINT16_MAX, &first) && first > 0;

    last = ok ? first : 0;
    if (ok && *p == '-') {
        p++;
        ok = digits(&p, UINT16_MAX, &last) && last >= first;
    }
    if (!ok || *p != '\0') {
        return mistake(w, "a port, or two as 8000-8099", NULL);
    }
    if (ret->set) {
        return policy_refuse(w, column_of(w, w->next), "a second port for the same end");
    }
    *ret = (struct policy_ports){ true, (uint16_t)first, (uint16_t)last };
    accept(w);
    return 0;
}

/* ADDRESS or ADDRESS/BITS; false, with nothing taken, if the word is none. */
static bool net(struct policy_words *w, struct policy_net *ret)
{
    char text[WORD_MAX];
    struct policy_net n = { .set = true };
    int64_t bits;

    if (!peek(w, text, sizeof(text))) {
        return false;
    }
    char *slash = strchr(text, '/');

    if (slash != NULL) {
        *slash = '\0';
    }
    if (ho_addr_parse(&n.net, text) != 0) {
        return false;
    }
    int64_t most = ho_addr_is_v4(&n.net) ? 32 : 128;
    const char *p = slash != NULL ? slash + 1 : "";

    bits = most;
    if (slash != NULL && (!digits(&p, most, &bits) || *p != '\0')) {
        return false;
    }
    n.bits = (unsigned)(bits + 128 - most);
    *ret = n;
    accept(w);
    return true;
}

static int state(struct policy_words *w, int *ret)
{
    static const char *const names[] = {
#define X(id, number, ss, rfc) rfc,
        HO_TCP_STATES(X)
#undef X
    };
    char text[WORD_MAX];
    int found = peek(w, text, sizeof(text)) ? ho_tcp_state_find(text) : -1;

    if (found < 0) {
        return mistake(w, "a state such as ESTABLISHED",
                       w->next < w->n
                           ? nearest(&w->word[w->next], names, sizeof(names) / sizeof(names[0]))
                           : NULL);
    }
    *ret = found;
    accept(w);
    return 0;
}

static int name(struct policy_words *w, const char *what, char *ret, size_t size)
{
    char text[WORD_MAX];

    if (!peek(w, text, size < sizeof(text) ? size : sizeof(text))) {
        char expected[64];

        snprintf(expected, sizeof(expected), "%s of at most %zu bytes", what, size - 1);
        return mistake(w, expected, NULL);
    }
    memcpy(ret, text, strlen(text) + 1);
    accept(w);
    return 0;
}

/* ---- which ----------------------------------------------------------------------------------- */

static int end_of(struct policy_words *w, struct policy_ports *p, struct policy_net *n)
{
    if (take(w, "port")) {
        return ports(w, p);
    }
    unsigned column = column_of(w, w->next);
    bool twice = n->set;

    if (!net(w, n)) {
        return none_of_the_tried(w, "an address such as 10.0.0.0/8");
    }
    return twice ? policy_refuse(w, column, "a second address for the same end") : 0;
}

/* Everything between "no connection" and "may". */
static int which(struct policy_words *w, struct policy_rule *r)
{
    int err = 0;

    while (err == 0 && !take(w, "may")) {
        if (take(w, "to")) {
            err = end_of(w, &r->to, &r->to_net);
        } else if (take(w, "from")) {
            err = end_of(w, &r->from, &r->from_net);
        } else if (take(w, "of")) {
            if (take(w, "process")) {
                err = name(w, "a process's name", r->process, sizeof(r->process));
            } else if (take(w, "container")) {
                err = name(w, "a container's name", r->container, sizeof(r->container));
            } else {
                err = none_of_the_tried(w, "");
            }
        } else if (take(w, "in")) {
            err = need_word(w, "state");
            err = err == 0 ? state(w, &r->state) : err;
        } else {
            err = none_of_the_tried(w, "");
        }
    }
    return err;
}

/* ---- what ------------------------------------------------------------------------------------ */

static int more_than(struct policy_words *w, int64_t *ret)
{
    int err = need_word(w, "more");

    err = err == 0 ? need_word(w, "than") : err;
    return err == 0 ? duration(w, ret) : err;
}

static int needs(struct policy_words *w, struct policy_rule *r)
{
    int err = more_than(w, &r->limit_ns);

    r->kind = POLICY_NEED;
    r->idle = r->busy = true;
    if (err == 0 && take(w, "while")) {
        r->idle = take(w, "idle");
        r->busy = !r->idle && take(w, "busy");
        err = r->idle || r->busy ? 0 : none_of_the_tried(w, "");
    }
    return err;
}

static int finding(struct policy_words *w, struct policy_rule *r)
{
    const char *ids[HO_FINDING_COUNT];
    char text[WORD_MAX];

    for (int i = 0; i < HO_FINDING_COUNT; i++) {
        ids[i] = ho_finding_info((enum ho_finding_id)i)->id;
    }
    int id = peek(w, text, sizeof(text)) ? ho_finding_find(text) : -1;

    if (id < 0) {
        return mistake(w, "a finding such as KA001",
                       w->next < w->n ? nearest(&w->word[w->next], ids, HO_FINDING_COUNT) : NULL);
    }
    r->findings |= UINT64_C(1) << id;
    accept(w);
    return 0;
}

static int findings(struct policy_words *w, struct policy_rule *r)
{
    int err = need_word(w, "finding");

    r->kind = POLICY_FINDING;
    err = err == 0 ? finding(w, r) : err;
    while (err == 0 && take(w, "or")) {
        err = finding(w, r);
    }
    return err;
}

static int for_how_long(struct policy_words *w, struct policy_rule *r)
{
    return take(w, "for") ? more_than(w, &r->limit_ns) : 0;
}

static int is(struct policy_words *w, struct policy_rule *r)
{
    static const char *const words[] = {
#define X(id, word) word,
        HO_TROUBLES(X)
#undef X
    };

    r->kind = POLICY_TROUBLE;
    for (size_t i = HO_TROUBLE_NONE + 1; i < sizeof(words) / sizeof(words[0]); i++) {
        if (take(w, words[i])) {
            r->trouble = (enum ho_trouble)i;
            return for_how_long(w, r);
        }
    }
    if (!take(w, "in")) {
        return none_of_the_tried(w, "");
    }
    if (take(w, "state")) {
        r->kind = POLICY_STATE;
        return state(w, &r->must_not_be);
    }
    r->any_trouble = take(w, "trouble");
    return r->any_trouble ? for_how_long(w, r) : none_of_the_tried(w, "");
}

static int what(struct policy_words *w, struct policy_rule *r)
{
    if (take(w, "need")) {
        return needs(w, r);
    }
    if (take(w, "have")) {
        return findings(w, r);
    }
    return take(w, "be") ? is(w, r) : none_of_the_tried(w, "");
}

int policy_read(struct policy_words *w, struct policy_rule *ret, bool *ret_allow_unknown)
{
    struct policy_rule r = { .state = -1, .limit_ns = -1 };
    int err;

    if (take(w, "policy")) {
        err = need_word(w, "allow");
        err = err == 0 ? need_word(w, "unknown") : err;
        r.kind = POLICY_NO_RULE;
    } else {
        err = need_word(w, "no");
        err = err == 0 ? need_word(w, "connection") : err;
        err = err == 0 ? which(w, &r) : err;
        err = err == 0 ? what(w, &r) : err;
    }
    if (err == 0 && w->next < w->n) {
        err = none_of_the_tried(w, "the end of the line");
    }
    if (err == 0) {
        *ret = r;
        *ret_allow_unknown = *ret_allow_unknown || r.kind == POLICY_NO_RULE;
    }
    return err;
}
