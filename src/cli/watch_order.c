/* Which connections the table shows, in which order, and what keys do. See watch_table.h. */

#include "cli/watch_table.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "knobs/state.h"

static const char *const sort_words[] = {
#define X(id, word) word,
    HO_WATCH_SORTS(X)
#undef X
};

const char *ho_watch_sort_word(enum ho_watch_sort sort)
{
    return sort_words[sort];
}

int ho_watch_sort_find(const char *word)
{
    for (int i = 0; i < HO_WATCH_SORT_COUNT; i++) {
        if (strcmp(sort_words[i], word) == 0) {
            return i;
        }
    }
    return -1;
}

/* ---- the filter ------------------------------------------------------------------------------ */

static bool contains(const char *text, const char *part)
{
    size_t n = strlen(part);

    for (; *text != '\0'; text++) {
        size_t i = 0;

        while (i < n && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i])) {
            i++;
        }
        if (i == n) {
            return true;
        }
    }
    return n == 0;
}

static bool is_shown(const struct ho_watch_view *v, const struct ho_diagnosis *d, size_t i,
                     struct ho_text *scratch)
{
    const struct ho_conn *c = &d->scan->conns[i];
    enum ho_trouble trouble = d->conns[i].outlook.trouble;

    if (v->trouble_only && trouble == HO_TROUBLE_NONE) {
        return false;
    }
    if (v->filter[0] == '\0') {
        return true;
    }
    ho_text_clear(scratch);
    if (c->owner != HO_CONN_NO_OWNER) {
        ho_text_put(scratch, d->scan->owners[c->owner].name);
    }
    ho_text_char(scratch, ' ');
    ho_watch_put_end(scratch, &c->local, c->lport);
    ho_text_char(scratch, ' ');
    ho_watch_put_end(scratch, &c->remote, c->rport);
    ho_text_printf(scratch, " %s %s %s", ho_tcp_state_ss((enum ho_tcp_state)c->state),
                   ho_tcp_state_name((enum ho_tcp_state)c->state), ho_trouble_word(trouble));
    return contains(ho_text_str(scratch), v->filter);
}

/* ---- the order ------------------------------------------------------------------------------- */

struct item {
    int rank;       /* the smallest first */
    int64_t slow;   /* then the largest */
    int64_t slower; /* then the largest */
    const char *name;
    uint32_t index;
};

static int64_t slowness(const struct ho_outlook_answer *a)
{
    switch (a->kind) {
    case HO_OUTLOOK_NEVER:
        return INT64_MAX;
    case HO_OUTLOOK_UNKNOWN:
        return INT64_MAX - 1;
    case HO_OUTLOOK_RANGE:
    case HO_OUTLOOK_WITHIN:
        return a->max_ns;
    default:
        return -1;
    }
}

static struct item by_trouble(const struct ho_outlook *o)
{
    /* An orphan that waits for a FIN is nobody's loss; it comes behind those that serve somebody.
     */
    if (o->trouble == HO_TROUBLE_CLOSING) {
        return (struct item){ .rank = 2, .slow = o->since_ns };
    }
    if (o->trouble != HO_TROUBLE_NONE) {
        return (struct item){ .rank = 0, .slow = o->since_ns, .slower = o->attempt };
    }
    if (o->idle.kind == HO_OUTLOOK_NONE && o->busy.kind == HO_OUTLOOK_NONE) {
        return (struct item){ .rank = 3 };
    }
    return (struct item){ .rank = 1, .slow = slowness(&o->idle), .slower = slowness(&o->busy) };
}

static struct item item_of(const struct ho_watch_view *v, const struct ho_diagnosis *d, size_t i)
{
    const struct ho_outlook *o = &d->conns[i].outlook;
    const struct ho_conn *c = &d->scan->conns[i];
    struct item item = by_trouble(o);

    switch (v->sort) {
    case HO_WATCH_SORT_IDLE:
        item = (struct item){ .slow = slowness(&o->idle), .slower = slowness(&o->busy) };
        break;
    case HO_WATCH_SORT_BUSY:
        item = (struct item){ .slow = slowness(&o->busy), .slower = slowness(&o->idle) };
        break;
    case HO_WATCH_SORT_PROCESS:
    case HO_WATCH_SORT_PEER:
        item = (struct item){ .rank = 0 };
        break;
    default:
        break;
    }
    item.index = (uint32_t)i;
    item.name = c->owner != HO_CONN_NO_OWNER ? d->scan->owners[c->owner].name : "\x7f";
    return item;
}

static int compare(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int by_name = strcmp(x->name, y->name);

    return x->rank != y->rank       ? (x->rank > y->rank) - (x->rank < y->rank)
           : x->slow != y->slow     ? (x->slow < y->slow) - (x->slow > y->slow)
           : x->slower != y->slower ? (x->slower < y->slower) - (x->slower > y->slower)
           : by_name != 0           ? by_name
                                    : (x->index > y->index) - (x->index < y->index);
}

/* Peers are compared by address and port, which the items do not have. */
struct peer {
    struct ho_addr addr;
    uint16_t port;
    uint32_t index;
};

static int compare_peers(const void *a, const void *b)
{
    const struct peer *x = a, *y = b;
    int by_addr = memcmp(&x->addr, &y->addr, sizeof(x->addr));

    return by_addr != 0         ? by_addr
           : x->port != y->port ? (x->port > y->port) - (x->port < y->port)
                                : (x->index > y->index) - (x->index < y->index);
}

static int sort_peers(uint32_t *order, size_t n, const struct ho_scan *s)
{
    struct peer *peers = calloc(n + 1, sizeof(*peers));

    if (peers == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const struct ho_conn *c = &s->conns[order[i]];

        peers[i] = (struct peer){ .addr = c->remote, .port = c->rport, .index = order[i] };
    }
    qsort(peers, n, sizeof(*peers), compare_peers);
    for (size_t i = 0; i < n; i++) {
        order[i] = peers[i].index;
    }
    free(peers);
    return 0;
}

static int sort_items(uint32_t *order, size_t n, const struct ho_watch_view *v,
                      const struct ho_diagnosis *d)
{
    struct item *items = calloc(n + 1, sizeof(*items));

    if (items == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        items[i] = item_of(v, d, order[i]);
    }
    qsort(items, n, sizeof(*items), compare);
    for (size_t i = 0; i < n; i++) {
        order[i] = items[i].index;
    }
    free(items);
    return 0;
}

/* Puts the cursor on the connection that it was on, unless that was the first line. */
static void follow(struct ho_watch_view *v, const struct ho_diagnosis *d)
{
    const struct ho_watch_conn *w = &v->chosen;

    for (size_t i = 0; v->cursor > 0 && v->has_chosen && i < v->n_order; i++) {
        const struct ho_conn *c = &d->scan->conns[v->order[i]];

        if (c->lport == w->lport && c->rport == w->rport && ho_addr_eq(&c->remote, &w->remote) &&
            ho_addr_eq(&c->local, &w->local) && d->scan->hosts[c->host].netns == w->netns) {
            v->cursor = i;
            return;
        }
    }
    if (v->cursor >= v->n_order) {
        v->cursor = v->n_order > 0 ? v->n_order - 1 : 0;
    }
}

int ho_watch_order(struct ho_watch_view *v, const struct ho_diagnosis *d)
{
    struct ho_text scratch = { 0 };
    uint32_t *order = calloc(d->scan->n_conns + 1, sizeof(*order));
    size_t n = 0;
    int err = order == NULL ? -ENOMEM : 0;

    for (size_t i = 0; i < d->scan->n_conns && err == 0; i++) {
        if (is_shown(v, d, i, &scratch)) {
            order[n++] = (uint32_t)i;
        }
    }
    err = err != 0 ? err : ho_text_err(&scratch);
    ho_text_free(&scratch);
    if (err == 0) {
        err = v->sort == HO_WATCH_SORT_PEER ? sort_peers(order, n, d->scan)
                                            : sort_items(order, n, v, d);
    }
    free(v->order);
    if (err != 0) {
        free(order);
        order = NULL;
        n = 0;
    }
    v->order = order;
    v->n_order = n;
    follow(v, d);
    return err;
}

void ho_watch_view_free(struct ho_watch_view *v)
{
    free(v->order);
    v->order = NULL;
    v->n_order = 0;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static enum ho_watch_done edit(struct ho_watch_view *v, int key)
{
    size_t n = strlen(v->filter);

    if (key == HO_KEY_ENTER) {
        v->editing = false;
    } else if (key == HO_KEY_ESCAPE) {
        v->editing = false;
        v->filter[0] = '\0';
    } else if (key == HO_KEY_BACKSPACE) {
        while (n > 0 && ((unsigned char)v->filter[--n] & 0xc0u) == 0x80u) {
            /* a character of several bytes */
        }
        v->filter[n] = '\0';
    } else if (key >= ' ' && key < 0x100 && n + 1 < sizeof(v->filter)) {
        v->filter[n] = (char)key;
        v->filter[n + 1] = '\0';
    }
    return HO_WATCH_REORDER;
}

static size_t moved(size_t at, int key, size_t page, size_t last)
{
    switch (key) {
    case HO_KEY_UP:
        return at > 0 ? at - 1 : 0;
    case HO_KEY_DOWN:
        return at < last ? at + 1 : last;
    case HO_KEY_PAGE_UP:
        return at > page ? at - page : 0;
    case HO_KEY_PAGE_DOWN:
        return last - at > page ? at + page : last;
    case HO_KEY_HOME:
        return 0;
    default:
        return last;
    }
}

static void move(struct ho_watch_view *v, int key, unsigned rows)
{
    size_t page = rows > 12 ? rows - 10 : 2;

    v->has_chosen = false; /* what is under it now is noted when it is drawn */
    if (v->page == HO_WATCH_PAGE_TABLE && v->n_order > 0) {
        v->cursor = moved(v->cursor, key, page, v->n_order - 1);
    } else if (v->page == HO_WATCH_PAGE_EVENTS) {
        /* They run downwards to the newest; scrolling up goes back. */
        int turned = key == HO_KEY_UP          ? HO_KEY_DOWN
                     : key == HO_KEY_DOWN      ? HO_KEY_UP
                     : key == HO_KEY_PAGE_UP   ? HO_KEY_PAGE_DOWN
                     : key == HO_KEY_PAGE_DOWN ? HO_KEY_PAGE_UP
                     : key == HO_KEY_HOME      ? HO_KEY_END
                                               : HO_KEY_HOME;

        v->events_top = moved(v->events_top, turned, page, HO_WATCH_LOG);
    }
}

static enum ho_watch_done press(struct ho_watch_view *v, int key)
{
    switch (key) {
    case 's':
        v->sort = (enum ho_watch_sort)((v->sort + 1) % HO_WATCH_SORT_COUNT);
        v->page = HO_WATCH_PAGE_TABLE;
        return HO_WATCH_REORDER;
    case 'f':
    case '/':
        v->editing = true;
        v->page = HO_WATCH_PAGE_TABLE;
        return HO_WATCH_GO_ON;
    case 't':
        v->trouble_only = !v->trouble_only;
        v->page = HO_WATCH_PAGE_TABLE;
        return HO_WATCH_REORDER;
    case 'e':
        v->page = v->page == HO_WATCH_PAGE_EVENTS ? HO_WATCH_PAGE_TABLE : HO_WATCH_PAGE_EVENTS;
        v->events_top = 0;
        return HO_WATCH_GO_ON;
    case 'h':
    case '?':
        v->page = v->page == HO_WATCH_PAGE_HELP ? HO_WATCH_PAGE_TABLE : HO_WATCH_PAGE_HELP;
        return HO_WATCH_GO_ON;
    case HO_KEY_ESCAPE:
        v->page = HO_WATCH_PAGE_TABLE;
        v->filter[0] = '\0';
        return HO_WATCH_REORDER;
    default:
        return HO_WATCH_GO_ON;
    }
}

enum ho_watch_done ho_watch_key(struct ho_watch_view *v, int key, unsigned rows)
{
    if (key == HO_KEY_GONE) {
        return HO_WATCH_QUIT;
    }
    if (v->editing) {
        return edit(v, key);
    }
    if (key == 'q') {
        if (v->page == HO_WATCH_PAGE_TABLE) {
            return HO_WATCH_QUIT;
        }
        v->page = HO_WATCH_PAGE_TABLE;
        return HO_WATCH_GO_ON;
    }
    if (key >= HO_KEY_UP && key <= HO_KEY_END) {
        move(v, key, rows);
        return HO_WATCH_GO_ON;
    }
    return press(v, key);
}
