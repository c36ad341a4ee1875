/* Arguments: key=value texts in, checked values out. */

#ifndef HO_PROGRAM_PARAM_H
#define HO_PROGRAM_PARAM_H

#include <stdbool.h>
#include <stdint.h>

#include "knobs/sockopt.h"
#include "program/program.h"
#include "wire/addr.h"

#define HO_PARAMS_MAX 24 /* parameters of one behaviour or verb */
#define HO_PARAM_DUR_MAX (INT64_C(100000) * 3600 * HO_NS_PER_S) /* the longest duration taken */
#define HO_SOCKOPTS_ARG_MAX 12                                  /* socket options in one argument */
#define HO_SOCKOPTS_MAX 24 /* a connection: its own, and those of its process */

/* One checked value, at the index of its parameter. */
struct ho_value {
    bool given;          /* by an argument, not by the default */
    int64_t n;           /* COUNT, BYTES, PORT; DUR: ns; CHOICE: index of the word */
    struct ho_addr addr; /* ADDR */
    const char *text;    /* as it stood there; valid as long as the arguments */
};

/* Reads arguments against a list of parameters into `ret`, which has room for HO_PARAMS_MAX.
 *
 * Returns 0; -EINVAL with *ret_error filled (it may be NULL). `ret` is undefined after a failure.
 */
int ho_params_read(const struct ho_program_spec *spec, const struct ho_program_arg *args,
                   size_t n_args, struct ho_value *ret, struct ho_program_error *ret_error);

/* Socket options of one argument, in the order in which they stand there. */
struct ho_sockopts {
    unsigned n;
    struct {
        enum ho_sockopt opt;
        int64_t value[2]; /* SO_LINGER: on, seconds; TCP_CONGESTION: enum ho_congestion */
    } o[HO_SOCKOPTS_MAX];
};

/* Reads "SO_KEEPALIVE=1,TCP_KEEPIDLE=5,SO_LINGER=1:0,TCP_CONGESTION=reno"; "" is no option.
 * Returns 0, or -EINVAL with what could stand there in *ret_why (static text), *ret untouched.
 */
int ho_sockopts_read(struct ho_sockopts *ret, const char *text, const char **ret_why);

/* Appends `more`, as far as there is room. */
void ho_sockopts_join(struct ho_sockopts *to, const struct ho_sockopts *more);

/* A duration as an argument is written: "30s", "1500ms", "2h". At most 32 bytes. */
void ho_dur_write(char *to, size_t room, int64_t ns);

/* "500ms", "10s", "1.5s", "2h", "0" to nanoseconds. Returns 0, or -EINVAL with *ret untouched. */
int ho_dur_read(int64_t *ret_ns, const char *text);

#endif
