/* The live table of `halfopen watch`, as lines of text: what is shown, in which order, and what a
 * key does to that. Pure: no terminal, no clock; os/screen.h draws what ho_watch_draw() makes.
 *
 *     each look      ho_watch_track(); ho_watch_log_add(); ho_watch_order()
 *     each key       ho_watch_key(), then ho_watch_order() if it says so
 *     then           ho_watch_draw() of the screen's size
 */

#ifndef HO_CLI_WATCH_TABLE_H
#define HO_CLI_WATCH_TABLE_H

#include "cli/watch_track.h"
#include "os/screen.h"

/* id, word; s goes through them */
#define HO_WATCH_SORTS(X)                                                                  \
    X(TROUBLE, "trouble") /* in trouble now, then never, unknown, and slow before quick */ \
    X(IDLE, "idle")       /* never and slow first */                                       \
    X(BUSY, "busy")                                                                        \
    X(PROCESS, "process")                                                                  \
    X(PEER, "peer")

enum ho_watch_sort {
#define X(id, word) HO_WATCH_SORT_##id,
    HO_WATCH_SORTS(X)
#undef X
    HO_WATCH_SORT_COUNT
};

const char *ho_watch_sort_word(enum ho_watch_sort sort);
int ho_watch_sort_find(const char *word); /* -1: none */

enum ho_watch_page {
    HO_WATCH_PAGE_TABLE,
    HO_WATCH_PAGE_EVENTS,
    HO_WATCH_PAGE_HELP
};

#define HO_WATCH_FILTER_MAX 48

struct ho_watch_view {
    enum ho_watch_sort sort;
    enum ho_watch_page page;
    char filter[HO_WATCH_FILTER_MAX]; /* part of process, ends, state or trouble; case ignored */
    bool editing;                     /* keys go into the filter */
    bool trouble_only;
    bool ascii;                  /* the terminal knows no UTF-8 */
    size_t cursor, top;          /* in the order; first line that is shown */
    size_t events_top;           /* lines back from the newest */
    uint32_t *order;             /* indices of the diagnosis, as they are shown */
    size_t n_order;              /* and how many */
    struct ho_watch_conn chosen; /* the one under the cursor, to find it in the next look */
    bool has_chosen;
};

/* Events that are kept for the page of events, the newest last. */
#define HO_WATCH_LOG 256

struct ho_watch_log {
    struct {
        char clock[12];
        struct ho_watch_event event;
    } lines[HO_WATCH_LOG];
    size_t n; /* ever; line i is at i % HO_WATCH_LOG */
};

/* Keeps those events of the look that are about trouble or an end that nobody asked for. */
void ho_watch_log_add(struct ho_watch_log *log, const struct ho_watch_track *t, const char *clock);

/* What stands in the first lines beside the diagnosis. */
struct ho_watch_head {
    const char *clock; /* of the look */
    struct ho_dur interval;
    const char *error; /* why the last look failed; NULL: it did not */
};

/* Puts the connections that the view shows into its order, and the cursor where its connection is.
 * Returns 0; -ENOMEM, with the order of before emptied.
 */
int ho_watch_order(struct ho_watch_view *v, const struct ho_diagnosis *d);

void ho_watch_view_free(struct ho_watch_view *v);

enum ho_watch_done {
    HO_WATCH_GO_ON,
    HO_WATCH_REORDER, /* ho_watch_order() is due */
    HO_WATCH_QUIT
};

/* Does what a key (os/screen.h) says, on a screen of so many lines. */
enum ho_watch_done ho_watch_key(struct ho_watch_view *v, int key, unsigned rows);

/* A screen: `rows` lines, none wider than `columns`. */
struct ho_watch_lines {
    struct ho_text *text;
    uint8_t *style; /* enum ho_style, and HO_STYLE_CHOSEN */
    unsigned rows;
};

/* Returns 0 with *ret to be freed; -ENOMEM. Scrolls the view so that the cursor is seen. */
int ho_watch_draw(struct ho_watch_lines *ret, struct ho_watch_view *v, const struct ho_diagnosis *d,
                  const struct ho_watch_log *log, const struct ho_watch_head *head, unsigned rows,
                  unsigned columns);

void ho_watch_lines_free(struct ho_watch_lines *l);

/* "2h13m", "15m37s", "41s", "208ms", "3d4h": the two largest units, rounded down. */
void ho_watch_put_short(struct ho_text *out, int64_t ns);

#endif
