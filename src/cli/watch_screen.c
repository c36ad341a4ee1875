/* `halfopen watch` on a terminal: looks, keys and another size, drawn by os/screen.h. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/watch.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/wall.h"

#define TAG_KEYS 1
#define TAG_SIZE 2

struct show {
    const struct ho_watch_ask *a;
    struct ho_watch_look look;
    struct ho_watch_view view;
    struct ho_watch_log *log;
    struct ho_os_screen *screen;
    struct ho_os_loop *loop;
    char clock[HO_OS_WALL_TEXT];
};

static int look(struct show *s)
{
    int err = ho_watch_look(&s->look, s->a);

    if (err != 0) {
        return err;
    }
    (void)ho_os_wall_clock(s->look.wall_ms, s->clock);
    ho_watch_log_add(s->log, &s->look.track, s->clock);
    return ho_watch_order(&s->view, &s->look.d);
}

static int draw(struct show *s)
{
    struct ho_watch_head head = { .clock = s->clock,
                                  .interval = s->a->interval,
                                  .error = s->look.failing ? s->look.why : NULL };
    struct ho_watch_lines lines;
    unsigned rows, columns;
    int err;

    ho_os_screen_size(s->screen, &rows, &columns);
    err = ho_watch_draw(&lines, &s->view, &s->look.d, s->log, &head, rows, columns);
    if (err != 0) {
        return err;
    }
    for (unsigned i = 0; i < rows; i++) {
        ho_os_screen_line(s->screen, i, ho_text_str(&lines.text[i]), lines.style[i]);
    }
    ho_os_screen_show(s->screen);
    ho_watch_lines_free(&lines);
    return 0;
}

/* Takes all keys that were pressed. Returns whether to go on. */
static bool keys(struct show *s)
{
    unsigned rows, columns;
    int key;

    ho_os_screen_size(s->screen, &rows, &columns);
    while ((key = ho_os_screen_key(s->screen)) != HO_KEY_NONE) {
        enum ho_watch_done done = ho_watch_key(&s->view, key, rows);

        if (done == HO_WATCH_QUIT) {
            return false;
        }
        if (done == HO_WATCH_REORDER) {
            (void)ho_watch_order(&s->view, &s->look.d); /* without memory: an empty table */
        }
    }
    return true;
}

/* Until q. Returns 0; -ENOMEM. */
static int run(struct show *s)
{
    struct ho_time next = ho_time_add(ho_os_now(), s->a->interval);
    struct ho_os_event e[2];
    int err = draw(s);

    while (err == 0) {
        int n = ho_os_loop_wait(s->loop, e, 2, next);

        for (int i = 0; i < n; i++) {
            if (e[i].tag == TAG_SIZE) {
                ho_os_screen_resize(s->screen);
            }
        }
        if (!keys(s)) { /* also after a signal: Ctrl-Z and fg */
            return 0;
        }
        if (!ho_time_before(ho_os_now(), next)) {
            (void)look(s); /* a failure stands in the second line */
            next = ho_time_add(ho_os_now(), s->a->interval);
        }
        err = draw(s);
    }
    return err;
}

static int open_all(struct show *s)
{
    char why[HO_OS_WHY] = "";
    int err;

    s->log = calloc(1, sizeof(*s->log));
    if (s->log == NULL || ho_os_loop_new(&s->loop) != 0) {
        return ho_cli_no_memory();
    }
    err = look(s);
    if (err != 0) {
        return ho_watch_cannot(&s->look, s->a, err);
    }
    err = ho_os_screen_open(&s->screen, ho_cli_colour(), why);
    if (err == -ENOTTY) {
        return ho_cli_say(HO_EXIT_USAGE, "watch: %s; for programs there are --jsonl and --listen",
                          why);
    }
    if (err != 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "watch: %s", why);
    }
    s->view.ascii = !ho_os_screen_utf8(s->screen);
    err = ho_os_loop_add(s->loop, ho_os_screen_fd(s->screen), HO_OS_IN, TAG_KEYS);
    err = err != 0 ? err
                   : ho_os_loop_add(s->loop, ho_os_screen_resized(s->screen), HO_OS_IN, TAG_SIZE);
    return err != 0 ? ho_cli_no_memory() : HO_EXIT_OK;
}

int ho_watch_screen(const struct ho_watch_ask *a)
{
    struct show s = { .a = a, .view = a->view };
    int code = open_all(&s);
    int err = code == HO_EXIT_OK ? run(&s) : 0;

    ho_os_screen_close(s.screen);
    code = err != 0 ? ho_cli_no_memory() : code;
    ho_os_loop_free(s.loop);
    ho_watch_view_free(&s.view);
    ho_watch_look_free(&s.look);
    free(s.log);
    return code;
}
