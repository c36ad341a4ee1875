/* Looks at a machine that wants to be misread, keys and sizes of a terminal, in any order: no line
 * of the live table is too wide or has a byte that a terminal would obey, a line for programs is
 * one line, and what came and went adds up.
 *
 * Input: operations. 'L' and connections: a look; 'K' and a key; 'D' and a size: it is drawn.
 */

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/watch.h"
#include "knobs/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONNS_MAX 12
#define OPERATIONS_MAX 64

struct input {
    const uint8_t *at;
    size_t left;
};

static uint32_t take(struct input *in, size_t n)
{
    uint32_t v = 0;

    for (; n > 0 && in->left > 0; n--) {
        v = v << 8 | *in->at++;
        in->left--;
    }
    return v;
}

/* All of a look. */
struct machine {
    struct ho_conn_host host;
    struct ho_conn_owner owners[CONNS_MAX];
    struct ho_conn conns[CONNS_MAX];
    struct ho_diagnosis_conn said[CONNS_MAX];
    struct ho_watch_look look;
    struct ho_watch_view view;
    struct ho_watch_log log;
};

static void take_answer(struct input *in, struct ho_outlook_answer *a)
{
    uint32_t bits = take(in, 1);

    a->kind = (enum ho_outlook_kind)(bits % 5);
    a->min_ns = (int64_t)take(in, 4) * 1000000;
    a->max_ns = a->min_ns + (int64_t)take(in, 4) * 1000000;
    a->err = (bits & 32) != 0 ? ETIMEDOUT : 0;
    a->other_err = (bits & 64) != 0 ? EHOSTUNREACH : 0;
}

static void take_conn(struct input *in, struct machine *m, size_t i)
{
    struct ho_conn *c = &m->conns[i];
    struct ho_conn_owner *w = &m->owners[i];
    struct ho_outlook *o = &m->said[i].outlook;
    uint32_t bits = take(in, 1);

    memset(c, 0, sizeof(*c));
    memset(w, 0, sizeof(*w));
    memset(o, 0, sizeof(*o));
    c->local = ho_addr_v4(10, 0, 0, 1);
    c->remote = ho_addr_v4(10, 0, 0, 2);
    if ((bits & 1) != 0) {
        c->ipv6 = true;
        memset(c->remote.b, 0xfd, sizeof(c->remote.b));
    }
    c->lport = (uint16_t)(take(in, 1) % 4);
    c->rport = (uint16_t)(take(in, 1) % 4);
    c->cookie = bits >> 1 & 3;
    c->inode = bits >> 3 & 3;
    c->orphan = (bits & 32) != 0;
    c->owner = (bits & 64) != 0 ? HO_CONN_NO_OWNER : (uint32_t)i;
    c->state = (uint8_t)(1 + take(in, 1) % (HO_TCP_STATE_COUNT - 1));
    w->pid = (int32_t)take(in, 1);
    for (size_t k = take(in, 1) % sizeof(w->name); k > 0; k--) {
        w->name[k - 1] = (char)take(in, 1);
    }
    for (size_t k = take(in, 1) % 8; k > 0; k--) {
        w->container[k - 1] = (char)take(in, 1);
    }
    take_answer(in, &o->idle);
    take_answer(in, &o->busy);
    take_answer(in, &o->end);
    o->trouble = (enum ho_trouble)(take(in, 1) % 7);
    o->attempt = take(in, 4);
    o->since_ns = (int64_t)take(in, 4) * 1000000 - 1;
}

static void check_line(const char *s, size_t columns)
{
    size_t all = 0, n;
    uint32_t cp = 0;

    for (; *s != '\0'; s += n) {
        n = ho_utf8_read(s, strlen(s), &cp);
        assert(n > 0 && ho_utf8_columns(cp) > 0);
        all += ho_utf8_columns(cp);
    }
    assert(all <= columns);
}

/* A line for programs: one, and no byte that is none of printable ASCII or UTF-8. */
static void check_jsonl(const struct ho_text *t)
{
    assert(ho_text_err(t) == 0 && t->len > 0 && t->s[t->len - 1] == '\n');
    t->s[t->len - 1] = '\0';
    check_line(t->s, SIZE_MAX);
}

static void do_look(struct input *in, struct machine *m)
{
    struct ho_watch_track *t = &m->look.track;
    uint64_t came = t->counts[HO_WATCH_NEW];
    uint64_t went =
        t->counts[HO_WATCH_GAVE_UP] + t->counts[HO_WATCH_CLOSED] + t->counts[HO_WATCH_ENDED];
    size_t before = t->n_conns, n = take(in, 1) % (CONNS_MAX + 1);
    bool first = !t->any;
    struct ho_time now = ho_time_add(t->at, ho_ms(take(in, 2)));

    for (size_t i = 0; i < n; i++) {
        take_conn(in, m, i);
    }
    m->look.scan = (struct ho_scan){ .hosts = &m->host,
                                     .n_hosts = 1,
                                     .owners = m->owners,
                                     .n_owners = n,
                                     .conns = m->conns,
                                     .n_conns = n };
    m->look.d = (struct ho_diagnosis){ .scan = &m->look.scan, .conns = m->said };
    m->look.looks++;
    assert(ho_watch_track(t, &m->look.d, now) == 0);
    came = t->counts[HO_WATCH_NEW] - came;
    went =
        t->counts[HO_WATCH_GAVE_UP] + t->counts[HO_WATCH_CLOSED] + t->counts[HO_WATCH_ENDED] - went;
    assert(first ? came == 0 && went == 0 : before + came == n + went);
    for (size_t i = 0; i < t->n_events; i++) {
        struct ho_text line = { 0 };

        assert(t->events[i].known_ns >= 0 && t->events[i].trouble_ns >= -1);
        ho_watch_put_change(&line, &m->look, &t->events[i]);
        check_jsonl(&line);
        ho_text_free(&line);
    }
    for (size_t i = 0; i < n; i++) {
        struct ho_text line = { 0 };

        ho_watch_put_conn(&line, &m->look, (uint32_t)i);
        check_jsonl(&line);
        ho_text_free(&line);
    }
    ho_watch_log_add(&m->log, t, "22:06:00");
    assert(ho_watch_order(&m->view, &m->look.d) == 0);
}

static void do_draw(struct input *in, struct machine *m)
{
    static const struct ho_watch_head head = { .clock = "22:06:00",
                                               .interval = { .ns = 2000000000 } };
    struct ho_watch_lines lines;
    unsigned rows = 1 + take(in, 1) % 50, columns = 1 + take(in, 1) % 200;

    m->view.ascii = take(in, 1) % 2 != 0;
    assert(ho_watch_draw(&lines, &m->view, &m->look.d, &m->log, &head, rows, columns) == 0);
    for (unsigned i = 0; i < rows; i++) {
        check_line(ho_text_str(&lines.text[i]), columns);
    }
    ho_watch_lines_free(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { .at = data, .left = size };
    struct machine *m = calloc(1, sizeof(*m));

    assert(m != NULL);
    m->host.netns = 1;
    m->host.hz = 250;
    ho_sysctls_init(&m->host.sysctls);
    m->look.d = (struct ho_diagnosis){ .scan = &m->look.scan, .conns = m->said };
    for (int i = 0; i < OPERATIONS_MAX && in.left > 0; i++) {
        switch (take(&in, 1)) {
        case 'L':
            do_look(&in, m);
            break;
        case 'K':
            if (ho_watch_key(&m->view, (int)(take(&in, 2) % (HO_KEY_GONE + 1)), 24) ==
                HO_WATCH_REORDER) {
                assert(ho_watch_order(&m->view, &m->look.d) == 0);
            }
            break;
        case 'D':
            do_draw(&in, m);
            break;
        default:
            break;
        }
    }
    ho_watch_view_free(&m->view);
    ho_watch_track_free(&m->look.track);
    free(m);
    return 0;
}
