/* A lab's inside, for the files of the lab.
 *
 *     lab.c         the loop: engine, listener, clients, signals
 *     lab_ask.c     questions and their answers
 *     lab_status.c  hosts, cables and sockets as they are now, as JSON
 */

#ifndef HO_KERNEL_LAB_STATE_H
#define HO_KERNEL_LAB_STATE_H

#include "base/text.h"
#include "kernel/lab.h"
#include "os/control.h"

#define HO_LAB_CABLE 64 /* bytes of a cable's state as text */

struct ho_lab_client {
    struct ho_control control; /* fd -1: a free place */
    bool records;              /* wants to have them */
    size_t sent;               /* records that it has got */
};

struct ho_lab {
    const struct ho_lab_conf *conf;
    struct ho_kernel *kernel;
    const struct ho_plan *plan;
    struct ho_lab_client client[HO_LAB_CLIENTS];
    char (*cable)[HO_LAB_CABLE]; /* by the plan's index: "plugged", "cut" .. */
    bool down;
    int err; /* the engine's, which ends the lab */
};

/* Answers one line of a client. Returns 0; a negative errno: the client is to be given up. */
int ho_lab_ask(struct ho_lab *lab, struct ho_lab_client *client, const char *line);

/* Appends `"hosts":[..],"cables":[..]`. Returns 0; a negative errno of what could not be asked. */
int ho_lab_status(const struct ho_lab *lab, struct ho_text *out);

/* A step was done: what is its cable's state now? */
void ho_lab_status_step(struct ho_lab *lab, const struct ho_step *step);

#endif
