/* `halfopen try`: does this client notice when this server goes away? No scenario file needed: one
 * is made of the options, and `run` plays it.
 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/source.h"

#define PASSED_MAX 32

/* Our options, each with a value. */
#define TRY_OPTIONS(X)                                       \
    X(SERVER, "--server", "a command")                       \
    X(CLIENT, "--client", "a command")                       \
    X(PORT, "--port", "the port that the server listens on") \
    X(FAULT, "--fault", "a fault or a step of a scenario")   \
    X(AFTER, "--after", "a duration such as 5s")             \
    X(WITHIN, "--within", "a duration such as 60s")

enum try_option {
#define X(id, name, value) TRY_##id,
    TRY_OPTIONS(X)
#undef X
    TRY_COUNT
};

static const struct {
    const char *name, *value;
} options[] = {
#define X(id, name, value) { name, value },
    TRY_OPTIONS(X)
#undef X
};

/* Faults by a word; anything else is taken as a step of the language. */
static const struct {
    const char *word, *step;
} faults[] = {
    { "cut", "cut" },
    { "unplug", "unplug server" },
    { "power-off", "server power-off" },
    { "kill", "server.server kill" },
    { "stop", "server.server stop" },
    { "reboot", "server power-off" }, /* and boot, a second later */
};

struct
try {
    const char *value[TRY_COUNT];
    char *passed[PASSED_MAX]; /* the arguments for `run` */
    int n_passed;
    bool engine; /* one was named */
    bool print;  /* the scenario, instead of playing it */
};

/* ---- the scenario ---------------------------------------------------------------------------- */

/* As a text of the language: a quote and a backslash are escaped. */
static void put_quoted(struct ho_text *t, const char *s)
{
    ho_text_char(t, '"');
    for (; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\') {
            ho_text_char(t, '\\');
        }
        ho_text_char(t, *s);
    }
    ho_text_char(t, '"');
}

static const char *step_of(const char *fault)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (strcmp(faults[i].word, fault) == 0) {
            return faults[i].step;
        }
    }
    return fault;
}

static void put_scenario(struct ho_text *t, const struct try *y)
{
    const char *fault = y->value[TRY_FAULT];

    assert(fault != NULL);
    ho_text_put(t, "title ");
    put_quoted(t, "does the client notice?");
    ho_text_put(t,
                "\nhost client\nhost server\ncable client -- server\nprocess server.server runs ");
    put_quoted(t, y->value[TRY_SERVER]);
    ho_text_printf(t, " ready when it listens on %s\nprocess client.client runs ",
                   y->value[TRY_PORT]);
    put_quoted(t, y->value[TRY_CLIENT]);
    ho_text_printf(t, "\nat %s %s as fault\n", y->value[TRY_AFTER], step_of(fault));
    if (strcmp(fault, "reboot") == 0) {
        ho_text_put(t, "at fault+1s server boot\n");
    }
    ho_text_printf(t, "lasts fault+%s\nexpect client.client lets go within %s of fault\n",
                   y->value[TRY_WITHIN], y->value[TRY_WITHIN]);
}

/* ---- arguments ------------------------------------------------------------------------------- */

/* The value of one of our options, 1; 0: it is not ours; -1: its value is missing. */
static int take_ours(struct try *y, int argc, char **argv, int *i)
{
    for (int k = 0; k < TRY_COUNT; k++) {
        size_t len = strlen(options[k].name);

        if (strncmp(argv[*i], options[k].name, len) != 0) {
            continue;
        }
        if (argv[*i][len] == '=') {
            y->value[k] = argv[*i] + len + 1;
            return 1;
        }
        if (argv[*i][len] == '\0') {
            y->value[k] = *i + 1 < argc ? argv[++*i] : NULL;
            return y->value[k] != NULL ? 1 : -1;
        }
    }
    return 0;
}

static int read_arguments(struct try *y, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int ours = take_ours(y, argc, argv, &i);

        if (ours < 0) {
            return ho_cli_say(HO_EXIT_USAGE, "%s: its value is missing", argv[i]);
        }
        if (strcmp(argv[i], "--print") == 0) {
            y->print = true;
        } else if (ours == 0 && y->n_passed == PASSED_MAX) {
            return ho_cli_say(HO_EXIT_USAGE, "try: too many options");
        } else if (ours == 0) {
            y->engine = y->engine || strncmp(argv[i], "--engine", 8) == 0;
            y->passed[y->n_passed++] = argv[i];
        }
    }
    for (int k = 0; k < TRY_COUNT; k++) {
        if (y->value[k] == NULL) {
            return ho_cli_say(HO_EXIT_USAGE, "try: expected %s: %s", options[k].name,
                              options[k].value);
        }
        if (strpbrk(y->value[k], "\n\r") != NULL) {
            return ho_cli_say(HO_EXIT_USAGE, "%s: found a line break, expected one line",
                              options[k].name);
        }
    }
    return HO_EXIT_OK;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int play(struct try *y, const char *text)
{
    static char run[] = "run", engine[] = "--engine=kernel", name[] = "try";
    char *argv[PASSED_MAX + 4] = { run };
    int argc = 1;

    if (!y->engine) {
        argv[argc++] = engine;
    }
    for (int i = 0; i < y->n_passed; i++) {
        argv[argc++] = y->passed[i];
    }
    argv[argc++] = name;
    ho_source_made(name, text);
    return ho_command_run.run(argc, argv);
}

static int try_run(int argc, char **argv)
{
    struct try y = { .value[TRY_FAULT] = "cut",
                     .value[TRY_AFTER] = "5s",
                     .value[TRY_WITHIN] = "60s" };
    struct ho_text text = { 0 };

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("%s", ho_command_try.usage);
        return ho_cli_done();
    }
    int code = read_arguments(&y, argc, argv);

    if (code != HO_EXIT_OK) {
        return code;
    }
    put_scenario(&text, &y);
    if (ho_text_err(&text) != 0) {
        code = ho_cli_no_memory();
    } else if (y.print) {
        code = ho_cli_put(&text);
        code = code == HO_EXIT_OK ? ho_cli_done() : code;
    } else {
        code = play(&y, ho_text_str(&text));
    }
    ho_text_free(&text);
    return code;
}

const struct ho_command ho_command_try = {
    .name = "try",
    .help = "plays a fault between a server and a client of yours",
    .usage =
        "usage: halfopen try --server CMD --client CMD --port N [OPTION..]\n"
        "\n"
        "Starts the server on one host and, when it listens on the port, the client on another;\n"
        "the client finds it by the name 'server'. Then something happens to the server. Exit "
        "code\n"
        "0: the client let go in time (it ended, or its connection did); 1: it did not.\n"
        "\n"
        "  --fault FAULT      cut, the default; unplug, power-off, reboot, kill, stop; or any "
        "step\n"
        "                     of the scenario language, such as 'cut client -> server'\n"
        "  --after DURATION   when; default: 5s after both have started\n"
        "  --within DURATION  how long the client may take; default: 60s\n"
        "  --print            prints the scenario file instead of playing it\n"
        "\n"
        "The options of 'halfopen run' go as well: --engine virtual-kernel, --format tap or "
        "junit,\n"
        "--ladder, --set, --timeline, --pcapng.\n",
    .run = try_run,
};
