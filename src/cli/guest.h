/* Plays on a virtual kernel (kernel/guest.h): each piece of work of a command line is done by this
 * program inside a guest, called with the same arguments, and comes back as if it had been done
 * here.
 *
 *     ho_guest_arguments()     before anything else: arguments are cut to pieces as they are read
 *     ho_guest_possible()      may it be tried?
 *     ho_guest_item()          in a child: does item `i`
 *
 * Inside, the command runs as ever until it would do all its items (cli/plays.c), and then does
 * one.
 */

#ifndef HO_CLI_GUEST_H
#define HO_CLI_GUEST_H

#include "cli/options.h"
#include "cli/rooms.h"
#include "kernel/guest.h"
#include "kernel/kernel.h"

/* Keeps a copy of the program's arguments; a command that hands over to another one replaces them.
 */
void ho_guest_arguments(int argc, char *const *argv);

/* The kernel for a plan: that of HALFOPEN_KERNEL; else the one whose name begins as the options say
 * and that is most like what the plan asks for. Returns 0 or as ho_store_find().
 */
struct ho_store_kernel;
int ho_guest_choose(struct ho_store_kernel *ret, const struct ho_plan *plan,
                    const struct ho_run_options *o);

/* Returns HO_EXIT_OK; otherwise has said what is missing. */
int ho_guest_possible(const struct ho_run_options *o);

/* The same without a word: `why` says what is missing, and what helps. */
#define HO_GUEST_MISSING 5000
int ho_guest_missing(const struct ho_run_options *o, char why[HO_GUEST_MISSING]);

/* Does item `i` of the command line, which is of that plan, in a guest, and fills the parts. `told`
 * reaches the program inside (ho_guest_inside()->told); NULL: nothing to tell.
 * Returns the exit code of the work; otherwise has said what went wrong.
 */
int ho_guest_item(const struct ho_run_options *o, const struct ho_plan *plan, size_t i,
                  const char *told, struct ho_text part[HO_ROOM_PARTS]);

/* Inside: what this guest is for; NULL outside. */
const struct ho_guest_inside *ho_guest_inside(void);

/* How the kernel is to play: inside of a guest its clock is virtual, and commands are those of
 * whoever plays.
 */
struct ho_kernel_options ho_guest_kernel_options(void);

/* Runs the program as a guest's pid 1, with what `run` does of arguments. Never returns. */
_Noreturn void ho_guest_main(int (*run)(int argc, char **argv));

#endif
