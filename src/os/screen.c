/* ncurses. See os/screen.h.
 *
 * endwin() may not be called from a signal handler. So what a handler needs is got ready when the
 * screen is opened: the terminal's settings, and the bytes that leave the screen.
 */

#include "os/screen.h"

#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "os/loop.h"

#define LEAVE_MAX 128
#define REPAINT 12 /* Ctrl-L */

struct ho_os_screen {
    SCREEN *screen;
    WINDOW *window;
    int resized; /* signalfd of SIGWINCH */
    bool colour, utf8;
    sigset_t mask; /* of before */
};

/* ---- leaving, from a signal's handler -------------------------------------------------------- */

static const int fatal[] = { SIGINT,  SIGTERM, SIGHUP, SIGQUIT, SIGABRT,
                             SIGSEGV, SIGBUS,  SIGFPE, SIGILL };

#define FATAL (sizeof(fatal) / sizeof(fatal[0]))

static struct {
    struct termios tty;
    char leave[LEAVE_MAX]; /* bytes that leave the screen */
    size_t leave_len;
    struct sigaction before[FATAL];
} back;

static void on_fatal(int signal_number)
{
    /* Output may be stopped by Ctrl-S: what is queued is dropped before anything is written. */
    (void)tcflush(STDOUT_FILENO, TCOFLUSH);
    (void)tcflow(STDOUT_FILENO, TCOON);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &back.tty);
    (void)!write(STDOUT_FILENO, back.leave, back.leave_len);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number); /* as soon as the handler returns */
}

static void add_leave(const char *capability)
{
    char name[8];
    const char *s;

    (void)strncpy(name, capability, sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    s = tigetstr(name);
    /* NULL: absent; -1: no text (terminfo(3)). */
    if (s == NULL || s == (const char *)-1 || back.leave_len + strlen(s) > LEAVE_MAX) {
        return;
    }
    memcpy(back.leave + back.leave_len, s, strlen(s));
    back.leave_len += strlen(s);
}

static void catch_signals(void)
{
    struct sigaction a = { .sa_handler = on_fatal };

    (void)sigfillset(&a.sa_mask);
    for (size_t i = 0; i < FATAL; i++) {
        (void)sigaction(fatal[i], NULL, &back.before[i]);
        if (back.before[i].sa_handler != SIG_IGN) { /* nohup's wish */
            (void)sigaction(fatal[i], &a, NULL);
        }
    }
}

static void leave_signals(void)
{
    for (size_t i = 0; i < FATAL; i++) {
        (void)sigaction(fatal[i], &back.before[i], NULL);
    }
}

/* ---- opening --------------------------------------------------------------------------------- */

static void start_colours(struct ho_os_screen *s, bool wanted)
{
    s->colour = wanted && has_colors() && start_color() == OK;
    if (s->colour) {
        short ground = use_default_colors() == OK ? -1 : COLOR_BLACK;

        (void)init_pair(1, COLOR_RED, ground);
        (void)init_pair(2, COLOR_YELLOW, ground);
    }
}

/* Whether it is a terminal that a cursor can be moved on. newterm() leaks where it does not know
 * one.
 */
static bool is_able(void)
{
    static char cup[] = "cup";
    const char *move;
    int found = 0;

    if (setupterm(NULL, STDOUT_FILENO, &found) != OK) {
        return false;
    }
    move = tigetstr(cup);
    bool able = move != NULL && move != (const char *)-1; /* absent, no text (terminfo(3)) */

    (void)del_curterm(cur_term);
    return able;
}

static int start(struct ho_os_screen *s, bool colour, char *why)
{
    const int resize[] = { SIGWINCH, 0 };
    const char *term = getenv("TERM");
    int err;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
        tcgetattr(STDIN_FILENO, &back.tty) != 0) {
        ho_os_why(why, "no terminal here (stdin and stdout)");
        return -ENOTTY;
    }
    (void)sigprocmask(SIG_BLOCK, NULL, &s->mask);
    err = ho_os_signals_open(&s->resized, resize);
    if (err != 0) {
        ho_os_why(why, "signalfd: %s", strerror(-err));
        return err;
    }
    (void)setlocale(LC_CTYPE, "");
    s->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    s->screen = is_able() ? newterm(NULL, stdout, stdin) : NULL;
    if (s->screen == NULL) {
        ho_os_why(why, "a terminal of type '%s' (TERM) is not known here, or can do too little",
                  term != NULL ? term : "");
        return -ENOTSUP;
    }
    s->window = stdscr;
    back.leave_len = 0;
    add_leave("sgr0");
    add_leave("rmkx");
    add_leave("cnorm");
    add_leave("rmcup");
    catch_signals();
    (void)cbreak();
    (void)noecho();
    (void)nonl();
    (void)keypad(s->window, true);
    (void)nodelay(s->window, true);
    (void)set_escdelay(25);
    (void)curs_set(0);
    start_colours(s, colour);
    return 0;
}

int ho_os_screen_open(struct ho_os_screen **ret, bool colour, char *why)
{
    struct ho_os_screen *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        ho_os_why(why, "out of memory");
        return -ENOMEM;
    }
    s->resized = -1;
    int err = start(s, colour, why);

    if (err != 0) {
        ho_os_screen_close(s);
        return err;
    }
    *ret = s;
    return 0;
}

void ho_os_screen_close(struct ho_os_screen *s)
{
    if (s == NULL) {
        return;
    }
    if (s->screen != NULL) {
        (void)endwin();
        leave_signals();
        delscreen(s->screen);
    }
    if (s->resized >= 0) {
        (void)close(s->resized);
        (void)sigprocmask(SIG_SETMASK, &s->mask, NULL);
    }
    free(s);
}

int ho_os_screen_fd(const struct ho_os_screen *s)
{
    (void)s;
    return STDIN_FILENO;
}

int ho_os_screen_resized(const struct ho_os_screen *s)
{
    return s->resized;
}

bool ho_os_screen_utf8(const struct ho_os_screen *s)
{
    return s->utf8;
}

/* ---- drawing --------------------------------------------------------------------------------- */

void ho_os_screen_size(const struct ho_os_screen *s, unsigned *ret_rows, unsigned *ret_columns)
{
    int high = getmaxy(s->window), wide = getmaxx(s->window);

    *ret_rows = high > 0 ? (unsigned)high : 1;
    *ret_columns = wide > 0 ? (unsigned)wide : 1;
}

void ho_os_screen_resize(struct ho_os_screen *s)
{
    struct winsize size;

    while (ho_os_signals_read(s->resized) > 0) {
    }
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
        (void)resizeterm(size.ws_row, size.ws_col);
    }
    (void)clearok(s->window, true);
}

static attr_t look_of(const struct ho_os_screen *s, unsigned style)
{
    static const attr_t looks[HO_STYLE_COUNT] = {
        [HO_STYLE_TITLE] = A_BOLD,
        [HO_STYLE_HEAD] = A_REVERSE,
        [HO_STYLE_BAD] = A_BOLD,
        [HO_STYLE_DIM] = A_DIM,
    };
    unsigned base = style & ~HO_STYLE_CHOSEN;
    attr_t look = base < HO_STYLE_COUNT ? looks[base] : A_NORMAL;

    if (s->colour && (base == HO_STYLE_BAD || base == HO_STYLE_WARN)) {
        look |= (attr_t)COLOR_PAIR(base == HO_STYLE_BAD ? 1 : 2);
    }
    return (style & HO_STYLE_CHOSEN) != 0 ? look | A_REVERSE : look;
}

void ho_os_screen_line(struct ho_os_screen *s, unsigned row, const char *text, unsigned style)
{
    unsigned high, wide;

    ho_os_screen_size(s, &high, &wide);
    if (row >= high) {
        return;
    }
    (void)wattrset(s->window, A_NORMAL);
    (void)wmove(s->window, (int)row, 0);
    (void)wclrtoeol(s->window);
    (void)wattrset(s->window, (int)look_of(s, style));
    (void)waddstr(s->window, text);
    (void)wattrset(s->window, A_NORMAL);
}

void ho_os_screen_show(struct ho_os_screen *s)
{
    (void)wrefresh(s->window);
}

/* ---- keys ------------------------------------------------------------------------------------ */

int ho_os_screen_key(struct ho_os_screen *s)
{
    static const struct {
        int curses;
        enum ho_key key;
    } keys[] = {
        { KEY_UP, HO_KEY_UP },         { KEY_DOWN, HO_KEY_DOWN },
        { KEY_PPAGE, HO_KEY_PAGE_UP }, { KEY_NPAGE, HO_KEY_PAGE_DOWN },
        { KEY_HOME, HO_KEY_HOME },     { KEY_END, HO_KEY_END },
        { KEY_ENTER, HO_KEY_ENTER },   { KEY_BACKSPACE, HO_KEY_BACKSPACE },
        { '\r', HO_KEY_ENTER },        { '\b', HO_KEY_BACKSPACE },
    };
    int waiting = 0;
    int c = wgetch(s->window);

    if (c == ERR) {
        /* Readable and nothing to read: the other end of the terminal was closed. */
        bool gone = ioctl(STDIN_FILENO, FIONREAD, &waiting) != 0;

        return gone ? HO_KEY_GONE : HO_KEY_NONE;
    }
    if (c == REPAINT) {
        (void)clearok(s->window, true);
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (c == keys[i].curses) {
            return keys[i].key;
        }
    }
    return c < 0x100 ? c : HO_KEY_OTHER;
}
