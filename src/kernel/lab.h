/* The lab: hosts that stay, and a control socket that does things to them (docs/lab.md).
 *
 * The engine plays no plan but what its clients ask for, one step after another: a session
 * (scenario/session.h) makes the steps of their words. Clients come over a control socket
 * (os/control.h) and speak JSON lines: a question an object, an answer an object, in order.
 *
 *     in the room   engine.check(), engine.begin() with ho_session_plan(); then
 *     run           ho_lab_run()   until a client says `down`, a signal comes or the engine fails
 *     afterwards    engine.finish(), destroy()
 */

#ifndef HO_KERNEL_LAB_H
#define HO_KERNEL_LAB_H

#include "kernel/kernel.h"
#include "scenario/session.h"

#define HO_LAB_CLIENTS 32 /* at a time; one more is turned away with a sentence */

struct ho_lab_conf {
    const char *name;
    int listener; /* of ho_control_listen(); stays the caller's */
    const struct ho_engine *engine;
    struct ho_session *session;
};

/* Serves until the end. Takes SIGINT, SIGTERM and SIGHUP as `down`.
 *
 * Returns 0 with *ret_signal the signal that ended it, 0 if a client did; -ENOMEM; the error of a
 * verb of the engine that ends a play (engine.why says it); another negative errno.
 */
int ho_lab_run(const struct ho_lab_conf *conf, int *ret_signal);

#endif
