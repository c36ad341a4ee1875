/* Reads the scripts of tests/truth/data, and makes records of their expectations. */

#include "support/truth_script.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/op.h"
#include "knobs/state.h"

#define JIFFIES_US 8000 /* two, at HZ=250 */
#define NOISE_US 20000  /* scheduling on the measured machine (ground-truth A1) */

int ho_truth_host(const char *word)
{
    return word[0] == 's';
}

const char *ho_truth_word(const struct ho_truth_line *line, unsigned i)
{
    return i < line->n ? line->w[i] : "-";
}

int64_t ho_truth_num(const char *word)
{
    return strtoll(word, NULL, 10);
}

int ho_truth_proc(const struct ho_truth_script *s, const char *name)
{
    for (unsigned i = 0; i < s->n_procs; i++) {
        if (strcmp(s->procs[i], name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static void *grow(void *p, size_t n, size_t *room, size_t size)
{
    if (n < *room) {
        return p;
    }
    *room = *room == 0 ? 256 : *room * 2;
    p = realloc(p, *room * size);
    assert(p != NULL);
    return p;
}

struct ho_truth_rec *ho_truth_add(struct ho_truth_recs *list, enum ho_truth_kind kind, int who,
                                  int64_t t_us)
{
    list->r = grow(list->r, list->n, &list->room, sizeof(list->r[0]));
    struct ho_truth_rec *r = &list->r[list->n++];
    *r = (struct ho_truth_rec){ .t_us = t_us,
                                .kind = kind,
                                .who = who,
                                .win = -1,
                                .bytes = -1,
                                .pair = -1,
                                .t_last_us = t_us };
    return r;
}

struct ho_truth_state *ho_truth_state_add(struct ho_truth_states *list, int64_t t_us, int host)
{
    list->s = grow(list->s, list->n, &list->room, sizeof(list->s[0]));
    struct ho_truth_state *s = &list->s[list->n++];
    *s = (struct ho_truth_state){ .t_us = t_us, .host = host };
    for (size_t i = 0; i < HO_TRUTH_FIELDS; i++) {
        s->f[i] = INT64_MIN;
    }
    return s;
}

/* --- reading ---------------------------------------------------------------------------------- */

static char *slurp(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return NULL;
    }
    size_t n = 0, room = 1 << 16;
    char *text = malloc(room);
    assert(text != NULL);
    for (;;) {
        n += fread(text + n, 1, room - n - 1, f);
        if (n < room - 1) {
            break;
        }
        room *= 2;
        text = realloc(text, room);
        assert(text != NULL);
    }
    (void)fclose(f);
    text[n] = '\0';
    return text;
}

static bool has_word(const struct ho_truth_line *line, const char *word)
{
    for (unsigned i = 1; i < line->n; i++) {
        if (strcmp(line->w[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static void head_line(struct ho_truth_script *s, const struct ho_truth_line *line)
{
    const char *key = line->w[0], *value = ho_truth_word(line, 1);
    if (strcmp(key, "name") == 0) {
        (void)snprintf(s->name, sizeof(s->name), "%s", value);
    } else if (strcmp(key, "arp") == 0) {
        s->permanent = strcmp(value, "permanent") == 0;
    } else if (strcmp(key, "delay") == 0) {
        s->delay_us[ho_truth_host(value)] = ho_truth_num(ho_truth_word(line, 2));
    } else if (strcmp(key, "reads") == 0) {
        s->reads = (size_t)ho_truth_num(value);
    } else if (strcmp(key, "noise") == 0) {
        s->tolerance_us = JIFFIES_US + ho_truth_num(value);
    } else if (strcmp(key, "lacks") == 0) {
        s->no_icmp = has_word(line, "icmp");
        s->no_events = has_word(line, "events");
        s->no_options = has_word(line, "options");
    } else if (strcmp(key, "listen") == 0) {
        s->port = (uint16_t)ho_truth_num(value);
    } else if (strcmp(key, "start") == 0) {
        s->start_us = ho_truth_num(value);
    } else if (strcmp(key, "clock") == 0) {
        s->jiffies0 = strtoull(value, NULL, 10);
        s->phase_ns = ho_truth_num(ho_truth_word(line, 2));
    }
}

/* Splits one line into words; its kind is its first letter when that stands alone. */
static bool read_line(struct ho_truth_script *s, char *text, char ***words)
{
    struct ho_truth_line line = { .kind = 'h', .w = *words };
    for (char *p = text; *p != '\0';) {
        while (*p == ' ') {
            *p++ = '\0';
        }
        if (*p == '\0') {
            break;
        }
        *(*words)++ = p;
        line.n++;
        while (*p != ' ' && *p != '\0') {
            p++;
        }
    }
    if (line.n == 0) {
        return true;
    }
    bool end = strcmp(line.w[0], "end") == 0;
    if (line.w[0][1] == '\0' || end) {
        if (line.n < 2) {
            return false;
        }
        line.kind = end ? 'E' : line.w[0][0];
        line.t_us = ho_truth_num(line.w[1]);
        line.w += 2;
        line.n -= 2;
    } else {
        head_line(s, &line);
    }
    if (line.kind == 'E') {
        s->end_us = line.t_us;
    } else if (line.kind == 'p' && s->n_procs < HO_TRUTH_PROCS) {
        (void)snprintf(s->procs[s->n_procs++], sizeof(s->procs[0]), "%s", line.w[0]);
    }
    s->lines[s->n_lines++] = line;
    return true;
}

/* Takes `text`, which becomes the script's. */
static int parse(struct ho_truth_script *ret, char *text, const char *name)
{
    *ret = (struct ho_truth_script){ .port = 5000,
                                     .tolerance_us = JIFFIES_US + NOISE_US,
                                     .end_us = INT64_MAX };
    ret->text = text;
    size_t lines = 1, words = 1;
    for (const char *p = ret->text; *p != '\0'; p++) {
        lines += *p == '\n';
        words += *p == ' ' || *p == '\n';
    }
    ret->lines = calloc(lines, sizeof(ret->lines[0]));
    ret->words = calloc(words, sizeof(ret->words[0]));
    assert(ret->lines != NULL && ret->words != NULL);
    char **next_word = ret->words;
    for (char *p = ret->text; *p != '\0';) {
        char *end = strchr(p, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        if (!read_line(ret, p, &next_word)) {
            (void)fprintf(stderr, "%s: not a truth script\n", name);
            ho_truth_script_free(ret);
            return -EINVAL;
        }
        p = end == NULL ? p + strlen(p) : end + 1;
    }
    return 0;
}

int ho_truth_script_read(struct ho_truth_script *ret, const char *path)
{
    char *text = slurp(path);
    if (text == NULL) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        return -ENOENT;
    }
    return parse(ret, text, path);
}

int ho_truth_script_parse(struct ho_truth_script *ret, const char *text, const char *name)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    assert(copy != NULL);
    memcpy(copy, text, size);
    return parse(ret, copy, name);
}

void ho_truth_script_free(struct ho_truth_script *s)
{
    free(s->text);
    free(s->lines);
    free(s->words);
    *s = (struct ho_truth_script){ 0 };
}

/* --- expectations ----------------------------------------------------------------------------- */

static const struct {
    unsigned bit;
    const char *name;
} EVENTS[] = { { HO_POLLIN, "IN" },
               { HO_POLLOUT, "OUT" },
               { HO_POLLERR, "ERR" },
               { HO_POLLHUP, "HUP" },
               { HO_POLLRDHUP, "RDHUP" } };

unsigned ho_truth_events(const char *text)
{
    if (strcmp(text, "*") == 0) {
        return ~0u;
    }
    unsigned bits = 0;
    for (const char *p = text; *p != '\0';) {
        size_t n = strcspn(p, "|");
        for (size_t i = 0; i < sizeof(EVENTS) / sizeof(EVENTS[0]); i++) {
            if (strlen(EVENTS[i].name) == n && strncmp(p, EVENTS[i].name, n) == 0) {
                bits |= EVENTS[i].bit;
            }
        }
        p += n + (p[n] == '|');
    }
    return bits;
}

const char *ho_truth_events_text(unsigned events, char buf[48])
{
    buf[0] = '\0';
    if (events == ~0u) {
        return "*";
    }
    size_t used = 0;
    for (size_t i = 0; i < sizeof(EVENTS) / sizeof(EVENTS[0]); i++) {
        if ((events & EVENTS[i].bit) != 0) {
            used += (size_t)snprintf(buf + used, 48 - used, "%s%s", used > 0 ? "|" : "",
                                     EVENTS[i].name);
        }
    }
    return used == 0 ? "0" : buf;
}

int ho_truth_timer(const char *word)
{
    static const char *const NAMES[] = {
#define X(id, text) [HO_SOCK_TIMER_##id] = (text),
        HO_SOCK_TIMERS(X)
#undef X
    };
    for (int i = 0; i < HO_SOCK_TIMER_COUNT; i++) {
        if (strcmp(word, NAMES[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static void expect_seg(const struct ho_truth_line *l, struct ho_truth_recs *ret)
{
    struct ho_truth_rec *r = ho_truth_add(ret, HO_TRUTH_SEG, ho_truth_host(l->w[0]), l->t_us);
    int used = snprintf(r->text, sizeof(r->text), "%s %s:%s len %s %s", ho_truth_word(l, 1),
                        ho_truth_word(l, 2), ho_truth_word(l, 3), ho_truth_word(l, 4),
                        ho_truth_word(l, 6));
    for (unsigned i = 8; i < l->n && used > 0 && (size_t)used < sizeof(r->text); i++) {
        used += snprintf(r->text + used, sizeof(r->text) - (size_t)used, " %s", l->w[i]);
    }
    r->win = (long)ho_truth_num(ho_truth_word(l, 5));
}

/* A call's words for comparison: what it returned, not how long it took. */
static void expect_call(const struct ho_truth_script *s, const struct ho_truth_line *l,
                        struct ho_truth_recs *ret)
{
    const char *call = ho_truth_word(l, 2), *ret_text = ho_truth_word(l, 5);
    if (strcmp(ret_text, "?") == 0) {
        return; /* a blocking call that never returned */
    }
    int64_t t = l->n > 7 ? ho_truth_num(l->w[7]) : l->t_us;
    enum ho_truth_kind kind = l->n > 7 ? HO_TRUTH_WAIT : HO_TRUTH_APP;
    struct ho_truth_rec *r = ho_truth_add(ret, kind, ho_truth_proc(s, l->w[0]), t);
    bool receives = strcmp(call, "recv") == 0;
    if (receives && ho_truth_num(ret_text) > 0) {
        r->bytes = (long)ho_truth_num(ret_text);
    }
    bool shown =
        strcmp(call, "send") == 0 || strcmp(call, "accept") == 0 || strcmp(call, "status") == 0;
    (void)snprintf(r->text, sizeof(r->text), "%s %s %s= %s %s", call, ho_truth_word(l, 3),
                   shown ? ho_truth_word(l, 4) : "", ret_text, ho_truth_word(l, 6));
    (void)snprintf(r->sock, sizeof(r->sock), "%s", ho_truth_word(l, 3));
}

static void expect_state(const struct ho_truth_line *l, struct ho_truth_states *ret)
{
    struct ho_truth_state *s = ho_truth_state_add(ret, l->t_us, ho_truth_host(l->w[0]));
    (void)snprintf(s->state, sizeof(s->state), "%s", ho_truth_word(l, 1));
    for (unsigned i = 0; i < HO_TRUTH_FIELDS; i++) {
        const char *word = ho_truth_word(l, 2 + i);
        if (strcmp(word, "-") != 0) {
            s->f[i] = i == HO_TRUTH_F_TIMER ? ho_truth_timer(word) : ho_truth_num(word);
        }
    }
}

void ho_truth_expect(const struct ho_truth_script *s, struct ho_truth_recs *ret,
                     struct ho_truth_states *ret_socks, struct ho_truth_states *ret_neighs)
{
    for (size_t i = 0; i < s->n_lines; i++) {
        const struct ho_truth_line *l = &s->lines[i];
        struct ho_truth_rec *r;
        switch (l->kind) {
        case 's':
            expect_seg(l, ret);
            break;
        case 'a':
            r = ho_truth_add(ret, HO_TRUTH_ARP, ho_truth_host(l->w[0]), l->t_us);
            (void)snprintf(r->text, sizeof(r->text), "%s %s %s %s", ho_truth_word(l, 1),
                           ho_truth_word(l, 2), ho_truth_word(l, 3), ho_truth_word(l, 4));
            break;
        case 'i':
            r = ho_truth_add(ret, HO_TRUTH_ICMP, ho_truth_host(l->w[0]), l->t_us);
            (void)snprintf(r->text, sizeof(r->text), "%s/%s seq %s", ho_truth_word(l, 1),
                           ho_truth_word(l, 2), ho_truth_word(l, 3));
            break;
        case 'c':
            expect_call(s, l, ret);
            break;
        case 'e':
            r = ho_truth_add(ret, HO_TRUTH_APP, ho_truth_proc(s, l->w[0]), l->t_us);
            (void)snprintf(r->text, sizeof(r->text), "epoll %s %s", ho_truth_word(l, 1),
                           ho_truth_word(l, 2));
            (void)snprintf(r->sock, sizeof(r->sock), "%s", ho_truth_word(l, 1));
            r->events = ho_truth_events(ho_truth_word(l, 2));
            break;
        case 'k':
            expect_state(l, ret_socks);
            break;
        case 'n':
            expect_state(l, ret_neighs);
            break;
        default:
            break;
        }
    }
}
