/* What `halfopen predict` is asked: the arguments, and the settings of this host. Other commands
 * that start from a host take the same arguments and some of their own.
 */

#ifndef HO_CLI_PREDICT_IN_H
#define HO_CLI_PREDICT_IN_H

#include "forecast/predict.h"
#include "knobs/profile.h"

struct ho_predict_ask {
    const char *command; /* for messages */
    struct ho_predict_in in;
    const char *source;         /* "this host", "linux-6.12", ... whose settings were the start */
    enum ho_profile_id profile; /* --kernel; else the newest */
    bool has_hz;                /* --hz was said; else `in` has the host's */
    bool json;
};

/* A command's own arguments. */
struct ho_predict_more {
    const char *const *valued; /* with a value, without; each ends with NULL */
    const char *const *flags;
    void *self;
    /* Takes one; `value` is NULL for a flag. Returns HO_EXIT_OK, or has said what was wrong. */
    int (*take)(void *self, const char *name, char *value);
};

/* Reads the arguments behind the command's name, with those of `more`, which may be NULL. Returns
 * HO_EXIT_OK; otherwise has said what was wrong.
 */
int ho_predict_ask(struct ho_predict_ask *ret, const char *command,
                   const struct ho_predict_more *more, int argc, char **argv);

/* The sysctls and HZ of this host, of this network namespace. What its kernel does not have counts
 * as that kernel behaves.
 */
void ho_predict_this_host(struct ho_predict_in *in);

#endif
