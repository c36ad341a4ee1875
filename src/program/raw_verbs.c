/* The verbs of `raw`: their parameters, and how arguments become tasks.
 *
 * `on` names the socket; without it it is the process's newest connection. The verbs watch,
 * react and option hold for every connection then, later ones too.
 */

#include <errno.h>
#include <stdio.h>

#include "program/raw_verbs.h"

#define MANNER_PARAMS                                                                          \
    { .key = "read",                                                                           \
      .kind = HO_PARAM_CHOICE,                                                                 \
      .fallback = "auto",                                                                      \
      .choices = "auto|epoll|no",                                                              \
      .help = "who reads what arrives: a thread that waits for it, or the epoll thread" },     \
        { .key = "on_error",                                                                   \
          .kind = HO_PARAM_CHOICE,                                                             \
          .fallback = "keep",                                                                  \
          .choices = "keep|close|probe",                                                       \
          .help = "after a recv() that failed" },                                              \
    {                                                                                          \
        .key = "on_eof", .kind = HO_PARAM_CHOICE, .fallback = "keep", .choices = "keep|close", \
        .help = "after the end of the stream"                                                  \
    }

#define ON_PARAM                                                                 \
    {                                                                            \
        .key = "on", .kind = HO_PARAM_NAME, .fallback = "", .help = "the socket" \
    }
#define NOTE_PARAM                                                                             \
    {                                                                                          \
        .key = "note", .kind = HO_PARAM_TEXT, .fallback = "", .help = "goes into the timeline" \
    }
#define BLOCK_PARAM                                                                     \
    {                                                                                   \
        .key = "block", .kind = HO_PARAM_CHOICE, .fallback = "no", .choices = "no|yes", \
        .help = "whether the call waits"                                                \
    }

#define HOUR_NS (3600 * HO_NS_PER_S)

static const struct ho_param listen_params[] = {
    { .key = "port",
      .kind = HO_PARAM_PORT,
      .min = 1,
      .max = 65535,
      .positional = true,
      .help = "the port" },
    { .key = "addr",
      .kind = HO_PARAM_ADDR,
      .fallback = "0.0.0.0",
      .help = "the address; :: for IPv6" },
    { .key = "as",
      .kind = HO_PARAM_NAME,
      .fallback = "",
      .help = "the listener's name; if not given L, L2, L3 ..." },
    { .key = "name",
      .kind = HO_PARAM_NAME,
      .fallback = "",
      .help = "x: its connections are x, x2, x3 ...; if not given 1, 2, 3 ..." },
    { .key = "backlog",
      .kind = HO_PARAM_COUNT,
      .fallback = "128",
      .max = 65535,
      .help = "length of the accept queue" },
    { .key = "accept",
      .kind = HO_PARAM_CHOICE,
      .fallback = "auto",
      .choices = "auto|no",
      .help = "whether connections are accepted at once" },
    { .key = "options",
      .kind = HO_PARAM_OPTIONS,
      .fallback = "",
      .help = "set on the listener, before bind()" },
    { .key = "accepted_options",
      .kind = HO_PARAM_OPTIONS,
      .fallback = "",
      .help = "set on each connection after accept()" },
    { .key = "watch",
      .kind = HO_PARAM_CHOICE,
      .fallback = "no",
      .choices = "no|yes",
      .help = "whether epoll reports the events of the connections" },
    BLOCK_PARAM,
    MANNER_PARAMS,
};

static const struct ho_param connect_params[] = {
    { .key = "addr", .kind = HO_PARAM_ADDR, .positional = true, .help = "the server's address" },
    { .key = "port",
      .kind = HO_PARAM_PORT,
      .min = 1,
      .max = 65535,
      .positional = true,
      .help = "the server's port" },
    { .key = "from",
      .kind = HO_PARAM_PORT,
      .fallback = "0",
      .max = 65535,
      .help = "the own port; 0: the system chooses" },
    { .key = "local",
      .kind = HO_PARAM_ADDR,
      .fallback = "0.0.0.0",
      .help = "the own address; unspecified: the system chooses" },
    { .key = "as",
      .kind = HO_PARAM_NAME,
      .fallback = "",
      .help = "the connection's name; if not given 1, 2, 3 ..." },
    { .key = "options", .kind = HO_PARAM_OPTIONS, .fallback = "", .help = "set before connect()" },
    { .key = "watch",
      .kind = HO_PARAM_CHOICE,
      .fallback = "no",
      .choices = "no|after|before|during",
      .help = "when epoll gets the socket; during: while connect() blocks" },
    NOTE_PARAM,
    MANNER_PARAMS,
};

static const struct ho_param accept_params[] = {
    { .key = "on",
      .kind = HO_PARAM_NAME,
      .fallback = "",
      .help = "the listener; if not given the newest" },
    { .key = "as",
      .kind = HO_PARAM_NAME,
      .fallback = "",
      .help = "the connection's name; the listener's next if not given" },
    NOTE_PARAM,
};

static const struct ho_param accepting_params[] = {
    { .key = "value",
      .kind = HO_PARAM_CHOICE,
      .choices = "no|yes",
      .positional = true,
      .help = "yes or no" },
    { .key = "on",
      .kind = HO_PARAM_NAME,
      .fallback = "",
      .help = "the listener; if not given the newest" },
};

static const struct ho_param send_params[] = {
    { .key = "bytes",
      .kind = HO_PARAM_BYTES,
      .min = 1,
      .max = HO_RAW_CALL_MAX,
      .positional = true,
      .help = "how many" },
    ON_PARAM,
    BLOCK_PARAM,
    NOTE_PARAM,
    { .key = "every",
      .kind = HO_PARAM_DUR,
      .fallback = "0",
      .max = 1000 * HOUR_NS,
      .help = "repeat it so often; 0: once" },
    { .key = "times",
      .kind = HO_PARAM_COUNT,
      .fallback = "0",
      .max = INT64_MAX,
      .help = "with every: how often in all; 0: until stop-sending" },
};

static const struct ho_param fill_params[] = {
    ON_PARAM,
    { .key = "chunk",
      .kind = HO_PARAM_BYTES,
      .fallback = "64k",
      .min = 1,
      .max = HO_RAW_CALL_MAX,
      .help = "bytes a call" },
    NOTE_PARAM,
};

static const struct ho_param recv_params[] = {
    ON_PARAM,
    { .key = "max",
      .kind = HO_PARAM_BYTES,
      .fallback = "64k",
      .min = 1,
      .max = HO_RAW_CALL_MAX,
      .help = "bytes at most" },
    BLOCK_PARAM,
    NOTE_PARAM,
};

static const struct ho_param on_params[] = { ON_PARAM, NOTE_PARAM }; /* of several verbs */

static const struct ho_param yes_params[] = {
    { .key = "value",
      .kind = HO_PARAM_CHOICE,
      .choices = "no|yes",
      .positional = true,
      .help = "yes or no" },
    ON_PARAM,
};

static const struct ho_param watch_params[] = {
    { .key = "value",
      .kind = HO_PARAM_CHOICE,
      .choices = "no|yes",
      .positional = true,
      .help = "yes or no" },
    { .key = "on",
      .kind = HO_PARAM_NAME,
      .fallback = "",
      .help = "the socket; if not given every connection" },
    { .key = "mode",
      .kind = HO_PARAM_CHOICE,
      .fallback = "edge",
      .choices = "edge|level",
      .help = "edge-triggered or level-triggered" },
};

static const struct ho_param shutdown_params[] = {
    { .key = "how",
      .kind = HO_PARAM_CHOICE,
      .fallback = "WR",
      .choices = "RD|WR|RDWR",
      .positional = true,
      .help = "which direction" },
    ON_PARAM,
    NOTE_PARAM,
};

static const struct ho_param setsockopt_params[] = {
    { .key = "name", .kind = HO_PARAM_TEXT, .positional = true, .help = "such as TCP_KEEPIDLE" },
    { .key = "value",
      .kind = HO_PARAM_TEXT,
      .positional = true,
      .help = "a number; SO_LINGER: on:seconds" },
    ON_PARAM,
    NOTE_PARAM,
};

static const struct ho_param option_params[] = {
    { .key = "name", .kind = HO_PARAM_TEXT, .positional = true, .help = "such as TCP_KEEPIDLE" },
    { .key = "value",
      .kind = HO_PARAM_TEXT,
      .positional = true,
      .help = "a number; SO_LINGER: on:seconds" },
};

static const struct ho_param getsockopt_params[] = {
    { .key = "name",
      .kind = HO_PARAM_TEXT,
      .fallback = "SO_ERROR",
      .positional = true,
      .help = "such as SO_ERROR" },
    ON_PARAM,
    NOTE_PARAM,
};

static const struct ho_param react_params[] = {
    { .key = "on",
      .kind = HO_PARAM_NAME,
      .fallback = "",
      .help = "the socket; if not given every connection" },
    { .key = "on_error",
      .kind = HO_PARAM_CHOICE,
      .fallback = "keep",
      .choices = "keep|close|probe",
      .help = "after a recv() that failed" },
    { .key = "on_eof",
      .kind = HO_PARAM_CHOICE,
      .fallback = "keep",
      .choices = "keep|close",
      .help = "after the end of the stream" },
};

static const struct ho_param exit_params[] = {
    { .key = "status",
      .kind = HO_PARAM_COUNT,
      .fallback = "0",
      .max = 255,
      .positional = true,
      .help = "the exit status" },
};

const struct ho_program_spec *ho_raw_verb(size_t i)
{
    static const struct ho_program_spec verbs[RAW_VERB_COUNT] = {
#define X(id, name, params, help)               \
    [RAW_##id] = { name, help, params##_params, \
                   sizeof(params##_params) / sizeof(params##_params[0]) },
        HO_RAW_VERBS(X)
#undef X
    };

    return i < RAW_VERB_COUNT ? &verbs[i] : NULL;
}

int raw_option_of(const struct ho_value *v, struct ho_sockopts *ret,
                  struct ho_program_error *ret_error)
{
    char text[64];
    const char *why = "a socket option and its value";
    int n = snprintf(text, sizeof(text), "%s=%s", v[SET_NAME].text, v[SET_VALUE].text);

    if (n < 0 || (size_t)n >= sizeof(text) || ho_sockopts_read(ret, text, &why) < 0) {
        return ho_program_refuse(ret_error, SET_VALUE, "value: found \"%.60s\", expected %s", text,
                                 why);
    }
    return 0;
}

int ho_raw_check(size_t verb, const struct ho_value *v, struct ho_program_error *ret_error)
{
    struct ho_sockopts o;

    if (verb == RAW_SETSOCKOPT || verb == RAW_OPTION) {
        return raw_option_of(v, &o, ret_error);
    }
    if (verb == RAW_GETSOCKOPT) {
        int id = ho_sockopt_find(v[GET_NAME].text);

        if (id < 0 || ho_sockopt_info((enum ho_sockopt)id)->type == HO_SOCKOPT_TYPE_INFO) {
            return ho_program_refuse(ret_error, GET_NAME,
                                     "name: found \"%.40s\", expected a socket option that is a "
                                     "number, such as SO_ERROR or TCP_USER_TIMEOUT",
                                     v[GET_NAME].text);
        }
    }
    return 0;
}
