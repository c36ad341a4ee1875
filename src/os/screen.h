/* A terminal as a screen of lines and a source of keys (ncurses).
 *
 * One at a time. Whatever ends the program but SIGKILL - a signal, a failed assert, a crash -
 * leaves the terminal as it was: the handlers that this file sets put it back and let the signal do
 * what it does. Ctrl-Z and its `fg` work; Ctrl-L draws all of it again.
 *
 *     ho_os_screen_open(&s, why);
 *     ho_os_loop_add(loop, ho_os_screen_fd(s), HO_OS_IN, tag);    keys
 *     ho_os_loop_add(loop, ho_os_screen_resized(s), HO_OS_IN, tag);
 *     ho_os_screen_line(s, 0, "..", style); ..; ho_os_screen_show(s);
 *     while ((key = ho_os_screen_key(s)) != HO_KEY_NONE) ..
 *     ho_os_screen_close(s);
 */

#ifndef HO_OS_SCREEN_H
#define HO_OS_SCREEN_H

#include <stdbool.h>

#include "os/why.h"

struct ho_os_screen;

/* A key is a byte of text (UTF-8 comes byte by byte), or one of these. */
enum ho_key {
    HO_KEY_NONE = -1,
    HO_KEY_ENTER = '\n',
    HO_KEY_ESCAPE = 27,
    HO_KEY_BACKSPACE = 127,
    HO_KEY_UP = 0x100,
    HO_KEY_DOWN,
    HO_KEY_PAGE_UP,
    HO_KEY_PAGE_DOWN,
    HO_KEY_HOME,
    HO_KEY_END,
    HO_KEY_OTHER, /* a key that has no meaning here */
    HO_KEY_GONE   /* the terminal is gone */
};

/* How a line looks. Without colours, or with NO_COLOR, only bold and reverse are left. */
enum ho_style {
    HO_STYLE_PLAIN,
    HO_STYLE_TITLE, /* bold */
    HO_STYLE_HEAD,  /* reverse: the names of columns */
    HO_STYLE_BAD,   /* red, bold */
    HO_STYLE_WARN,  /* yellow */
    HO_STYLE_DIM,
    HO_STYLE_COUNT
};

#define HO_STYLE_CHOSEN 0x80u /* added to one: the line that the cursor is on */

/* Takes over the terminal of stdin and stdout. `colour`: if it has any.
 *
 * Returns 0 with *ret to be closed; -ENOTTY: no terminal; -ENOTSUP: a terminal that ncurses does
 * not know, or that can do too little; -ENOMEM and others. `why` (HO_OS_WHY bytes) has it in words.
 */
int ho_os_screen_open(struct ho_os_screen **ret, bool colour, char *why);

/* Gives the terminal back as it was. */
void ho_os_screen_close(struct ho_os_screen *s);

int ho_os_screen_fd(const struct ho_os_screen *s);      /* readable: keys */
int ho_os_screen_resized(const struct ho_os_screen *s); /* readable: another size */

/* Whether it shows UTF-8 (the locale's charset). */
bool ho_os_screen_utf8(const struct ho_os_screen *s);

void ho_os_screen_size(const struct ho_os_screen *s, unsigned *ret_rows, unsigned *ret_columns);

/* Takes note of another size. Everything has to be drawn again. */
void ho_os_screen_resize(struct ho_os_screen *s);

/* Draws a line, the lines from the top down: a text that is too long runs into the next, which is
 * then drawn over it. The text is clean (base/utf8.h). A line beyond the screen is left out.
 * ho_os_screen_show() brings what was drawn to the terminal.
 */
void ho_os_screen_line(struct ho_os_screen *s, unsigned row, const char *text, unsigned style);
void ho_os_screen_show(struct ho_os_screen *s);

/* The next key that was pressed, without waiting; HO_KEY_NONE. */
int ho_os_screen_key(struct ho_os_screen *s);

#endif
