#define _GNU_SOURCE
/* Rooms, some at once. See cli/rooms.h.
 *
 * One loop: start rooms while there is a place, wait for the end of any (their pidfds) or for a
 * signal, read what it left in its memory file, hand on whatever is next in the order.
 */

#include "cli/rooms.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/room.h"

#define NS_PER_MS INT64_C(1000000)
#define SHOW_MS 250 /* between two looks of the progress */
#define GAP_MS                                                                         \
    200 /* between two starts: a room that begins needs a processor for that long, and \
         * must not make those late that play */

/* What the memory file begins with; the texts follow, one after another. */
struct head {
    int code;
    bool whole; /* written last */
    size_t len[HO_ROOM_PARTS];
};

/* One piece of work. */
struct slot {
    struct ho_os_room room;
    int results, said; /* memory files; -1: none */
    bool started, ended;
    struct ho_os_exit exit;
};

struct pool {
    const struct ho_rooms *r;
    struct slot *slot;
    struct pollfd *wait;
    size_t started, taken, running;
    struct ho_progress progress;
    int signals;         /* a descriptor of them */
    int signal;          /* the first that came */
    int code;            /* what take() returned */
    struct ho_text said; /* by the last that said something */
};

/* ---- in the room ----------------------------------------------------------------------------- */

struct order {
    const struct ho_rooms *r;
    size_t i;
    int results, said;
};

static int write_all(int fd, const void *bytes, size_t len)
{
    const char *p = bytes;

    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        p += n < 0 ? 0 : n;
        len -= n < 0 ? 0 : (size_t)n;
    }
    return 0;
}

static int hand_back(int fd, int code, const struct ho_text part[HO_ROOM_PARTS])
{
    struct head h = { .code = code };
    int err = write_all(fd, &h, sizeof(h));

    for (size_t i = 0; i < HO_ROOM_PARTS && err == 0; i++) {
        err = ho_text_err(&part[i]);
        err = err == 0 ? write_all(fd, ho_text_str(&part[i]), part[i].len) : err;
        h.len[i] = part[i].len;
    }
    if (err == 0) {
        h.whole = true;
        err = pwrite(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) ? 0 : -errno;
    }
    return err;
}

static int work_in_room(void *arg)
{
    const struct order *o = arg;
    struct ho_text part[HO_ROOM_PARTS] = { { 0 } };
    int code, err;

    dup2(o->said, STDERR_FILENO);
    code = o->r->work(o->r->self, o->i, part);
    err = hand_back(o->results, code, part);
    if (err != 0) {
        code = ho_cli_say(HO_EXIT_CANNOT, "the results: %s", strerror(-err));
    }
    for (size_t i = 0; i < HO_ROOM_PARTS; i++) {
        ho_text_free(&part[i]);
    }
    return code;
}

/* ---- what came back -------------------------------------------------------------------------- */

static void read_part(int fd, size_t at, size_t len, struct ho_text *out)
{
    char buf[65536];

    while (len > 0) {
        ssize_t n = pread(fd, buf, len < sizeof(buf) ? len : sizeof(buf), (off_t)at);

        if (n <= 0) {
            return;
        }
        ho_text_bytes(out, buf, (size_t)n);
        at += (size_t)n;
        len -= (size_t)n;
    }
}

static void read_result(const struct slot *s, struct ho_room_result *ret)
{
    struct head h;
    size_t at = sizeof(h);

    *ret = (struct ho_room_result){ .code = HO_EXIT_CANNOT };
    read_part(s->said, 0, SIZE_MAX, &ret->said);
    if (s->exit.signal != 0 || pread(s->results, &h, sizeof(h), 0) != (ssize_t)sizeof(h) ||
        !h.whole) {
        return;
    }
    ret->code = h.code;
    ret->whole = true;
    for (size_t i = 0; i < HO_ROOM_PARTS; i++) {
        read_part(s->results, at, h.len[i], &ret->part[i]);
        at += h.len[i];
    }
}

static void free_result(struct ho_room_result *r)
{
    for (size_t i = 0; i < HO_ROOM_PARTS; i++) {
        ho_text_free(&r->part[i]);
    }
    ho_text_free(&r->said);
}

/* A room that ended without having handed anything back, and not because we ended it. */
static void say_broken(const struct pool *p, size_t i, struct ho_room_result *r)
{
    const struct ho_os_exit *e = &p->slot[i].exit;

    if (r->whole || r->said.len > 0) {
        return;
    }
    ho_text_printf(&r->said, "halfopen: %s: ended before it was done (%s %d)\n",
                   p->r->name(p->r->self, i), e->signal != 0 ? "signal" : "status",
                   e->signal != 0 ? e->signal : e->status);
}

static void close_slot(struct slot *s)
{
    if (s->started) {
        ho_os_room_free(&s->room);
        s->started = false;
    }
    if (s->results >= 0) {
        close(s->results);
    }
    if (s->said >= 0) {
        close(s->said);
    }
    s->results = -1;
    s->said = -1;
}

/* ---- the loop -------------------------------------------------------------------------------- */

static int start_next(struct pool *p)
{
    size_t i = p->started;
    struct slot *s = &p->slot[i];
    struct order o = { .r = p->r, .i = i };
    struct ho_os_room_options options = { .plain = p->r->plain };
    char why[HO_OS_WHY] = "no memory file";
    int err = 0;

    s->results = memfd_create("halfopen-results", MFD_CLOEXEC);
    s->said = memfd_create("halfopen-said", MFD_CLOEXEC);
    if (s->results < 0 || s->said < 0) {
        err = -errno;
    } else {
        o.results = s->results;
        o.said = s->said;
        snprintf(why, sizeof(why), "no room");
        err = ho_os_room_start(&s->room, &options, work_in_room, &o, why);
    }
    if (err != 0) {
        ho_progress_hide(&p->progress);
        return ho_cli_say(HO_EXIT_CANNOT,
                          "the engine kernel does not run here: %s; --engine model plays anywhere",
                          why);
    }
    s->started = true;
    p->progress.item[i].running = true;
    p->progress.item[i].began = ho_os_now();
    p->started++;
    p->running++;
    return HO_EXIT_OK;
}

/* Ends what runs; `signal` 0: at once. */
static void end_rooms(struct pool *p, int signal)
{
    for (size_t i = 0; i < p->started; i++) {
        if (p->slot[i].started && !p->slot[i].ended) {
            ho_os_room_signal(&p->slot[i].room, signal != 0 ? signal : SIGKILL);
        }
    }
}

static void see_signals(struct pool *p)
{
    int signal;

    while ((signal = ho_os_signals_read(p->signals)) > 0) {
        if (p->signal == 0) {
            p->signal = signal;
            end_rooms(p, signal);
        } else {
            end_rooms(p, 0); /* a second one: no patience left */
        }
    }
}

static void see_ends(struct pool *p)
{
    for (size_t i = 0; i < p->started; i++) {
        struct slot *s = &p->slot[i];

        if (!s->started || s->ended || ho_os_room_poll(&s->room, &s->exit) != 0) {
            continue;
        }
        s->ended = true;
        p->running--;
        p->progress.item[i].done = true;
        p->progress.item[i].ended = ho_os_now();
        if (p->signal == 0 && !p->r->quiet) {
            ho_progress_done(&p->progress, i);
        }
    }
}

/* What many say in the same words - a warning about this machine - is said once. */
static void say(struct pool *p, const struct ho_text *said)
{
    if (said->len > 0 && strcmp(ho_text_str(said), ho_text_str(&p->said)) != 0) {
        fputs(ho_text_str(said), stderr);
        ho_text_clear(&p->said);
        ho_text_put(&p->said, ho_text_str(said));
    }
}

/* Hands on what is next in the order, as far as it has ended. */
static void take(struct pool *p)
{
    while (p->code == HO_EXIT_OK && p->taken < p->started && p->slot[p->taken].ended) {
        struct ho_room_result result;
        size_t i = p->taken;

        read_result(&p->slot[i], &result);
        if (p->signal != 0 && !result.whole) {
            free_result(&result);
            return; /* we ended it */
        }
        say_broken(p, i, &result);
        ho_progress_hide(&p->progress);
        say(p, &result.said);
        p->code = p->r->take(p->r->self, i, &result);
        free_result(&result);
        close_slot(&p->slot[i]);
        p->taken++;
    }
}

static bool wants_start(const struct pool *p)
{
    return p->signal == 0 && p->code == HO_EXIT_OK && p->started < p->r->count &&
           p->running < p->r->at_once;
}

/* Until the next one may start; 0: now. */
static int gap_ms(const struct pool *p)
{
    int64_t since;

    if (p->started == 0) {
        return 0;
    }
    since = ho_os_now().ns - p->progress.item[p->started - 1].began.ns;
    return since >= GAP_MS * NS_PER_MS ? 0 : GAP_MS - (int)(since / NS_PER_MS);
}

static void wait_for_one(struct pool *p)
{
    nfds_t n = 0;

    p->wait[n++] = (struct pollfd){ .fd = p->signals, .events = POLLIN };
    for (size_t i = p->taken; i < p->started; i++) {
        if (!p->slot[i].ended) {
            p->wait[n++] = (struct pollfd){ .fd = p->slot[i].room.pidfd, .events = POLLIN };
        }
    }
    ho_progress_show(&p->progress, ho_os_now());
    poll(p->wait, n, wants_start(p) ? gap_ms(p) : p->progress.terminal ? SHOW_MS : -1);
}

static int work_all(struct pool *p)
{
    int code = HO_EXIT_OK;

    while (code == HO_EXIT_OK && p->code == HO_EXIT_OK) {
        if (wants_start(p) && gap_ms(p) == 0) {
            code = start_next(p);
        }
        if (code != HO_EXIT_OK || (p->running == 0 && !wants_start(p))) {
            break;
        }
        wait_for_one(p);
        see_signals(p);
        see_ends(p);
        take(p);
    }
    if (code != HO_EXIT_OK || p->code != HO_EXIT_OK) {
        end_rooms(p, 0);
    }
    ho_progress_hide(&p->progress);
    return p->signal != 0 ? 128 + p->signal : code != HO_EXIT_OK ? code : p->code;
}

static void pool_free(struct pool *p)
{
    for (size_t i = 0; i < p->started; i++) {
        close_slot(&p->slot[i]);
    }
    free(p->slot);
    free(p->wait);
    free(p->progress.item);
    ho_text_free(&p->said);
}

int ho_rooms_run(const struct ho_rooms *r)
{
    static const int interrupts[] = { SIGINT, SIGTERM, SIGHUP, 0 };
    struct pool p = { .r = r, .progress = { .count = r->count, .at_once = r->at_once } };
    sigset_t before;
    int code;

    assert(r->at_once > 0);
    p.slot = calloc(r->count + 1, sizeof(*p.slot));
    p.wait = calloc(r->count + 1, sizeof(*p.wait));
    p.progress.item = calloc(r->count + 1, sizeof(*p.progress.item));
    sigprocmask(SIG_BLOCK, NULL, &before);
    if (p.slot == NULL || p.wait == NULL || p.progress.item == NULL ||
        ho_os_signals_open(&p.signals, interrupts) != 0) {
        pool_free(&p);
        return ho_cli_no_memory();
    }
    p.progress.terminal = ho_progress_terminal();
    for (size_t i = 0; i < r->count; i++) {
        p.progress.item[i].name = r->name(r->self, i);
        p.progress.item[i].lasts = r->lasts(r->self, i);
    }
    code = work_all(&p);
    close(p.signals);
    pool_free(&p);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return code;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

int ho_rooms_possible(char *why)
{
    const struct ho_os_room_options options = { .plain = false };
    struct ho_os_room room;
    struct ho_os_exit end;

    (void)snprintf(why, HO_OS_WHY, "no room");
    if (ho_os_room_start(&room, &options, nothing, NULL, why) != 0) {
        return HO_EXIT_CANNOT;
    }
    (void)ho_os_room_wait(&room, &end);
    ho_os_room_free(&room);
    return HO_EXIT_OK;
}

void ho_rooms_end(int code)
{
    if (code > 128) {
        signal(code - 128, SIG_DFL);
        raise(code - 128);
    }
}
