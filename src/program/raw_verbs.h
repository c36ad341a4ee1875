/* The values of each verb, at the index of their parameters: raw_verbs.c has the parameters,
 * raw_command.c reads the values. `listen` and `connect` end with the three of MANNER.
 */

#ifndef HO_PROGRAM_RAW_VERBS_H
#define HO_PROGRAM_RAW_VERBS_H

#include "program/raw.h"

enum {
    LISTEN_PORT,
    LISTEN_ADDR,
    LISTEN_AS,
    LISTEN_NAME,
    LISTEN_BACKLOG,
    LISTEN_ACCEPT,
    LISTEN_OPTIONS,
    LISTEN_ACCEPTED,
    LISTEN_WATCH,
    LISTEN_BLOCK,
    LISTEN_MANNER
};

enum {
    CONNECT_ADDR,
    CONNECT_PORT,
    CONNECT_FROM,
    CONNECT_LOCAL,
    CONNECT_AS,
    CONNECT_OPTIONS,
    CONNECT_WATCH,
    CONNECT_NOTE,
    CONNECT_MANNER
};

enum {
    ACCEPT_ON,
    ACCEPT_AS,
    ACCEPT_NOTE
};

enum {
    ACCEPTING_VALUE,
    ACCEPTING_ON
};

enum {
    SEND_LEN,
    SEND_ON,
    SEND_BLOCK,
    SEND_NOTE,
    SEND_EVERY,
    SEND_TIMES
};

enum {
    FILL_ON,
    FILL_CHUNK,
    FILL_NOTE
};

enum {
    RECV_ON,
    RECV_MAX,
    RECV_BLOCK,
    RECV_NOTE
};

enum {
    ON_ON,
    ON_NOTE
};

enum {
    YES_VALUE,
    YES_ON
};

enum {
    WATCH_VALUE,
    WATCH_ON,
    WATCH_MODE
};

enum {
    SHUTDOWN_HOW,
    SHUTDOWN_ON,
    SHUTDOWN_NOTE
};

enum {
    SET_NAME,
    SET_VALUE,
    SET_ON,
    SET_NOTE
};

enum {
    OPTION_NAME,
    OPTION_VALUE
};

enum {
    GET_NAME,
    GET_ON,
    GET_NOTE
};

enum {
    REACT_ON,
    REACT_ERROR,
    REACT_EOF
};

/* "NAME=VALUE" of setsockopt and option, read. Returns 0; -EINVAL. */
int raw_option_of(const struct ho_value *v, struct ho_sockopts *ret,
                  struct ho_program_error *ret_error);

#endif
