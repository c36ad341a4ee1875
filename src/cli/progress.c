#define _DEFAULT_SOURCE
/* The line of progress. See cli/progress.h. */

#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

bool ho_progress_terminal(void)
{
    const char *term = getenv("TERM");

    return isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
}

static size_t columns(void)
{
    struct winsize w;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : 80;
}

/* What is left for an item, 0 for one that takes longer than was said. */
static int64_t left_of(const struct ho_progress_item *i, struct ho_time now)
{
    int64_t ns = i->lasts.ns - (i->running ? now.ns - i->began.ns : 0);

    return i->done || ns < 0 ? 0 : ns;
}

/* The longest one must end, and all of them share the places. */
static int64_t left_of_all(const struct ho_progress *p, struct ho_time now)
{
    int64_t longest = 0, sum = 0;

    for (size_t i = 0; i < p->count; i++) {
        int64_t ns = left_of(&p->item[i], now);

        longest = ns > longest ? ns : longest;
        sum += ns / p->at_once;
    }
    return sum > longest ? sum : longest;
}

static size_t count_done(const struct ho_progress *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->count; i++) {
        n += p->item[i].done;
    }
    return n;
}

static void put_left(struct ho_text *out, int64_t seconds)
{
    if (seconds >= 60) {
        ho_text_int(out, seconds / 60);
        ho_text_put(out, " m ");
    }
    ho_text_int(out, seconds % 60);
    ho_text_put(out, " s left");
}

static void put_running(struct ho_text *out, const struct ho_progress *p, struct ho_time now)
{
    const char *sep = ": ";

    for (size_t i = 0; i < p->count; i++) {
        const struct ho_progress_item *item = &p->item[i];

        if (item->running && !item->done) {
            ho_text_put(out, sep);
            ho_text_put(out, item->name);
            ho_text_char(out, ' ');
            ho_text_seconds(out, (now.ns - item->began.ns) / HO_NS_PER_S * HO_NS_PER_S, 0);
            ho_text_char(out, '/');
            ho_text_seconds(out, item->lasts.ns, 0);
            ho_text_put(out, " s");
            sep = ", ";
        }
    }
}

void ho_progress_show(struct ho_progress *p, struct ho_time now)
{
    struct ho_text line = { 0 };
    size_t width = columns() - 1;

    if (!p->terminal) {
        return;
    }
    ho_text_printf(&line, "%zu of %zu, ", count_done(p), p->count);
    put_left(&line, left_of_all(p, now) / HO_NS_PER_S + 1);
    put_running(&line, p, now);
    fprintf(stderr, "\r\033[K%.*s", (int)(line.len < width ? line.len : width), ho_text_str(&line));
    fflush(stderr);
    p->shown = true;
    ho_text_free(&line);
}

void ho_progress_hide(struct ho_progress *p)
{
    if (p->shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        p->shown = false;
    }
}

void ho_progress_done(struct ho_progress *p, size_t i)
{
    struct ho_text line = { 0 };

    if (p->terminal) {
        return;
    }
    ho_text_printf(&line, "%zu of %zu: %s, ", count_done(p), p->count, p->item[i].name);
    ho_text_dur(&line, ho_time_since(p->item[i].ended, p->item[i].began));
    fprintf(stderr, "%s\n", ho_text_str(&line));
    ho_text_free(&line);
}
