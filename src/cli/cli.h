/* The program `halfopen`: what its commands share.
 *
 * One file a command (run.c, help.c ...); commands.c has the list. Results go to stdout and are a
 * function of the arguments; progress, speed and errors go to stderr. The text of a result is
 * built in memory and written at its end, so that a failure leaves either all of it or one line
 * that says what was wrong.
 */

#ifndef HO_CLI_CLI_H
#define HO_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* Exit codes (README.md). */
#define HO_EXIT_OK 0     /* as expected */
#define HO_EXIT_FOUND 1  /* an expectation failed, a difference, or a finding */
#define HO_EXIT_USAGE 2  /* wrong arguments, or a file that cannot be read as what it should be */
#define HO_EXIT_CANNOT 3 /* not possible here: no memory, no space, no such capability */

struct ho_command {
    const char *name;
    const char *help;  /* one line */
    const char *usage; /* several lines, each with its newline */
    /* argv[0] is the command's name. Returns the exit code. */
    int (*run)(int argc, char **argv);
};

/* Runs the program; returns its exit code. */
int ho_cli(int argc, char **argv);

/* The command of that name, or NULL; the i-th one, NULL after the last. */
const struct ho_command *ho_command_find(const char *name);
const struct ho_command *ho_command_at(size_t i);

/* The commands. */
extern const struct ho_command ho_command_run;
extern const struct ho_command ho_command_compare;
extern const struct ho_command ho_command_kernel, ho_command_try;
extern const struct ho_command ho_command_lab, ho_command_status, ho_command_exec, ho_command_down;
extern const struct ho_command ho_command_cut, ho_command_plug, ho_command_unplug;
extern const struct ho_command ho_command_power_off, ho_command_boot, ho_command_step;
extern const struct ho_command ho_command_predict, ho_command_explain, ho_command_advise;
extern const struct ho_command ho_command_order;
extern const struct ho_command ho_command_doctor, ho_command_policy, ho_command_watch;
extern const struct ho_command ho_command_help;

/* What is shown without arguments. Returns the exit code. */
int ho_cli_welcome(void);

/* "halfopen: " and the message, as one line on stderr. Returns `code`. */
int ho_cli_say(int code, const char *format, ...);

/* Out of memory, said. Returns HO_EXIT_CANNOT. */
int ho_cli_no_memory(void);

/* Whether stdout takes colours: a terminal that is not dumb, and NO_COLOR is not set. */
bool ho_cli_colour(void);

/* Writes the text to stdout; ho_cli_done() does it for good and looks whether all of it went
 * out. Returns HO_EXIT_OK, or says what was wrong and returns HO_EXIT_FOUND (the reader went away)
 * or HO_EXIT_CANNOT.
 */
int ho_cli_put(const struct ho_text *t);
int ho_cli_done(void);

/* Writes `len` bytes to the file `path`, all or nothing: to PATH.part first, then renamed. What
 * is no regular file (a pipe, a device) is written to as it is. Returns 0; says what was wrong
 * and returns HO_EXIT_CANNOT.
 */
int ho_cli_save(const char *path, const void *bytes, size_t len);

/* Reads a whole file of at most `max` bytes. Returns 0 with *ret and *ret_len, to be freed; says
 * what was wrong and returns HO_EXIT_USAGE or HO_EXIT_CANNOT.
 */
int ho_cli_load(const char *path, size_t max, char **ret, size_t *ret_len);

/* The one of `names` (ended by NULL) that `word` is most like, if it is like one; else NULL. */
const char *ho_cli_nearest(const char *word, const char *const *names);

#endif
