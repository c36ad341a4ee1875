/* The other end of a lab's control socket: which lab is meant, a question, its answer. */

#ifndef HO_CLI_LAB_CLIENT_H
#define HO_CLI_LAB_CLIENT_H

#include <cjson/cJSON.h>

#include "base/text.h"
#include "os/control.h"

struct ho_lab_client_conn {
    char name[HO_CONTROL_NAME];
    struct ho_control control;
};

/* Connects to the lab called `name`, or with NULL to the only one that runs. Returns HO_EXIT_OK;
 * otherwise has said what was wrong: HO_EXIT_USAGE if several run, HO_EXIT_CANNOT if none does.
 */
int ho_lab_client_open(struct ho_lab_client_conn *ret, const char *name);
void ho_lab_client_close(struct ho_lab_client_conn *c);

/* Asks a question in JSON. Returns HO_EXIT_OK with *ret_answer to be freed by cJSON_Delete(); has
 * otherwise said what the lab refused (HO_EXIT_USAGE) or that it has gone (HO_EXIT_CANNOT). What is
 * said begins with `what`, the words of the person where he has made a mistake.
 */
int ho_lab_client_ask(struct ho_lab_client_conn *c, const char *question, const char *what,
                      cJSON **ret_answer);

/* Takes `--lab NAME` or `--lab=NAME` out of argv. Returns HO_EXIT_OK with *ret_name, NULL without
 * it; HO_EXIT_USAGE, said, if the name is missing.
 */
int ho_lab_client_option(int *argc, char **argv, const char **ret_name);

#endif
