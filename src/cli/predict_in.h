/* What `halfopen predict` is asked: the arguments, and the settings of this host. */

#ifndef HO_CLI_PREDICT_IN_H
#define HO_CLI_PREDICT_IN_H

#include "forecast/predict.h"
#include "knobs/profile.h"

struct ho_predict_ask {
    struct ho_predict_in in;
    const char *source; /* "this host", "linux-6.12", ... whose settings were the start */
    bool json;
};

/* Reads the arguments behind the command's name. Returns HO_EXIT_OK; otherwise has said what was
 * wrong.
 */
int ho_predict_ask(struct ho_predict_ask *ret, int argc, char **argv);

/* The sysctls and HZ of this host, of this network namespace. What its kernel does not have counts
 * as that kernel behaves.
 */
void ho_predict_this_host(struct ho_predict_in *in);

#endif
