/* `halfopen exec HOST -- CMD`: a command in a host of a lab, on this terminal. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/lab_client.h"
#include "os/enter.h"

struct exec {
    const char *lab, *host;
    char *const *command;
    bool privileged;
};

static int read_arguments(struct exec *e, int argc, char **argv)
{
    int code = ho_lab_client_option(&argc, argv, &e->lab);
    int i = 1;

    if (code != HO_EXIT_OK) {
        return code;
    }
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--privileged") == 0) {
            e->privileged = true;
        } else if (argv[i][0] == '-') {
            return ho_cli_say(HO_EXIT_USAGE, "no option '%s'; try 'halfopen help exec'", argv[i]);
        } else if (e->host == NULL) {
            e->host = argv[i];
        } else {
            return ho_cli_say(HO_EXIT_USAGE, "exec: found '%s', expected '--' and the command",
                              argv[i]);
        }
    }
    if (e->host == NULL || i + 1 >= argc) {
        return ho_cli_say(HO_EXIT_USAGE,
                          "exec: expected %s, as in: halfopen exec client -- curl http://server/",
                          e->host == NULL ? "a host" : "'--' and a command");
    }
    e->command = argv + i + 1;
    return HO_EXIT_OK;
}

/* Asks the lab for the host's namespaces. */
static int enter_host(const struct exec *e, struct ho_lab_client_conn *conn)
{
    struct ho_text question = { 0 };
    cJSON *answer = NULL;
    int code;

    ho_text_put(&question, "{\"do\":\"enter\",\"host\":");
    ho_text_json(&question, e->host);
    ho_text_char(&question, '}');
    code = ho_text_err(&question) != 0
               ? ho_cli_no_memory()
               : ho_lab_client_ask(conn, ho_text_str(&question), e->host, &answer);
    ho_text_free(&question);
    if (code != HO_EXIT_OK) {
        return code;
    }
    cJSON_Delete(answer);
    return conn->control.fd_count == HO_ENTER_COUNT
               ? HO_EXIT_OK
               : ho_cli_say(HO_EXIT_CANNOT, "lab '%s' is of another version", conn->name);
}

static int exec_run(int argc, char **argv)
{
    struct exec e = { .lab = NULL };
    struct ho_lab_client_conn conn;
    int status = 0;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("%s", ho_command_exec.usage);
        return ho_cli_done();
    }
    int code = read_arguments(&e, argc, argv);

    code = code != HO_EXIT_OK ? code : ho_lab_client_open(&conn, e.lab);
    if (code != HO_EXIT_OK) {
        return code;
    }
    code = enter_host(&e, &conn);
    if (code == HO_EXIT_OK) {
        int err = ho_enter_run(conn.control.fds, e.command, e.privileged, &status);

        if (err == -ENOENT || err == -EACCES) {
            ho_cli_say(0, "%s: %s", e.command[0], strerror(-err));
            status = err == -ENOENT ? 127 : 126; /* as shells have it */
        } else if (err != 0) {
            code = ho_cli_say(HO_EXIT_CANNOT, "%s cannot be entered: %s", e.host, strerror(-err));
        }
    }
    ho_lab_client_close(&conn);
    return code != HO_EXIT_OK ? code : status;
}

const struct ho_command ho_command_exec = {
    .name = "exec",
    .help = "runs a command in a host of a lab",
    .usage =
        "usage: halfopen exec [--privileged] HOST -- COMMAND [ARGUMENT..]\n"
        "\n"
        "The command runs on this terminal, as you, in the host's network. Its exit status is\n"
        "that of halfopen; 128 and the signal's number if a signal ended it.\n"
        "\n"
        "  --privileged  with the lab's capabilities over its own network, for tcpdump and ip;\n"
        "                without it the command has none\n"
        "  --lab NAME    where several labs run\n",
    .run = exec_run,
};
