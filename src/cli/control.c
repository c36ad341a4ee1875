/* `halfopen cut`, `plug`, `unplug`, `power-off`, `boot`, `step`, `down`: things done to a lab.
 *
 * Each is a step of the scenario language, put together from the arguments and sent as text: the
 * lab knows its hosts and what makes sense.
 */

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/lab_client.h"

struct control {
    const char *name;
    const char *before, *after; /* the arguments stand between them */
    int least;                  /* arguments that it needs */
    const char *needs;
};

static const struct control controls[] = {
    { "cut", "cut ", "", 0, "" },
    { "plug", "plug ", "", 0, "" },
    { "unplug", "unplug ", "", 1, "a host, as in: halfopen unplug client" },
    { "power-off", "", " power-off", 1, "a host, as in: halfopen power-off server" },
    { "boot", "", " boot", 1, "a host, as in: halfopen boot server" },
    { "step", "", "", 1, "a step of the scenario language, as in: halfopen step server kill" },
};

static const struct control *find(const char *name)
{
    size_t i = 0;

    while (strcmp(controls[i].name, name) != 0) {
        i++;
    }
    return &controls[i];
}

/* An argument with blanks in it was quoted for the shell; the language quotes texts as well. */
static void put_word(struct ho_text *t, const char *word, bool whole)
{
    bool quote = !whole && strpbrk(word, " \t") != NULL && strpbrk(word, "\"\\") == NULL;

    ho_text_printf(t, quote ? "\"%s\"" : "%s", word);
}

static void put_step(struct ho_text *t, const struct control *c, int argc, char **argv)
{
    ho_text_put(t, c->before);
    for (int i = 1; i < argc; i++) {
        ho_text_put(t, i > 1 ? " " : "");
        put_word(t, argv[i], argc == 2);
    }
    while (t->len > 0 && t->s[t->len - 1] == ' ') {
        t->s[--t->len] = '\0';
    }
    ho_text_put(t, c->after);
}

static void print_done(const cJSON *answer, const char *step)
{
    const cJSON *t = cJSON_GetObjectItemCaseSensitive(answer, "t_us");
    struct ho_text out = { 0 };

    ho_text_seconds(&out, cJSON_IsNumber(t) ? (int64_t)t->valuedouble * 1000 : 0, 3);
    printf("%s s  %s\n", ho_text_str(&out), step);
    ho_text_free(&out);
}

static int send_step(const char *lab, const char *step)
{
    struct ho_lab_client_conn conn;
    struct ho_text question = { 0 };
    cJSON *answer = NULL;
    int code = ho_lab_client_open(&conn, lab);

    if (code != HO_EXIT_OK) {
        return code;
    }
    ho_text_put(&question, "{\"do\":\"step\",\"step\":");
    ho_text_json(&question, step);
    ho_text_char(&question, '}');
    code = ho_text_err(&question) != 0
               ? ho_cli_no_memory()
               : ho_lab_client_ask(&conn, ho_text_str(&question), step, &answer);
    if (code == HO_EXIT_OK) {
        print_done(answer, step);
        cJSON_Delete(answer);
        code = ho_cli_done();
    }
    ho_text_free(&question);
    ho_lab_client_close(&conn);
    return code;
}

static int control_run(int argc, char **argv)
{
    const struct control *c = find(argv[0]);
    const char *lab;
    struct ho_text step = { 0 };
    int code = ho_lab_client_option(&argc, argv, &lab);

    if (code != HO_EXIT_OK) {
        return code;
    }
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("%s", ho_command_find(c->name)->usage);
        return ho_cli_done();
    }
    if (argc > 1 && argv[1][0] == '-' && argv[1][1] == '-') {
        return ho_cli_say(HO_EXIT_USAGE, "no option '%s'; try 'halfopen help %s'", argv[1],
                          c->name);
    }
    if (argc - 1 < c->least) {
        return ho_cli_say(HO_EXIT_USAGE, "%s: expected %s", c->name, c->needs);
    }
    put_step(&step, c, argc, argv);
    code = ho_text_err(&step) != 0 ? ho_cli_no_memory() : send_step(lab, ho_text_str(&step));
    ho_text_free(&step);
    return code;
}

#define LAB "\nOption: --lab NAME, where several labs run.\n"

const struct ho_command ho_command_cut = {
    .name = "cut",
    .help = "cuts a cable of a lab: nobody loses carrier",
    .usage = "usage: halfopen cut [CABLE]\n"
             "\n"
             "  halfopen cut                    the only cable\n"
             "  halfopen cut client -- server   the cable between them\n"
             "  halfopen cut 'client -> server' only what the client sends is lost\n" LAB,
    .run = control_run,
};

const struct ho_command ho_command_plug = {
    .name = "plug",
    .help = "makes cables of a lab whole again",
    .usage = "usage: halfopen plug [CABLE]\n"
             "\n"
             "Undoes every cut and unplug, of all cables without an argument.\n" LAB,
    .run = control_run,
};

const struct ho_command ho_command_unplug = {
    .name = "unplug",
    .help = "pulls the plug at a host of a lab, which loses carrier",
    .usage = "usage: halfopen unplug HOST [from OTHER]\n"
             "\n"
             "HOST loses carrier, the other end of the cable does not. 'from OTHER' says which of\n"
             "the host's cables.\n" LAB,
    .run = control_run,
};

const struct ho_command ho_command_power_off = {
    .name = "power-off",
    .help = "takes the power from a host of a lab: nothing is sent",
    .usage = "usage: halfopen power-off HOST\n"
             "\n"
             "Its processes and sockets are gone at once; no FIN and no RST leaves.\n" LAB,
    .run = control_run,
};

const struct ho_command ho_command_boot = {
    .name = "boot",
    .help = "boots a host of a lab: the same addresses, no sockets",
    .usage = "usage: halfopen boot HOST\n" LAB,
    .run = control_run,
};

const struct ho_command ho_command_step = {
    .name = "step",
    .help = "does any step of the scenario language in a lab",
    .usage = "usage: halfopen step STEP\n"
             "\n"
             "STEP is the line of a scenario file without 'at TIME':\n"
             "  halfopen step server kill\n"
             "  halfopen step 'client connect server:80'\n"
             "  halfopen step set server tcp_retries2 5\n" LAB,
    .run = control_run,
};

/* ---- down ------------------------------------------------------------------------------------ */

static int down_run(int argc, char **argv)
{
    const char *lab;
    struct ho_lab_client_conn conn;
    cJSON *answer;
    int code = ho_lab_client_option(&argc, argv, &lab);

    if (code != HO_EXIT_OK) {
        return code;
    }
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("%s", ho_command_down.usage);
        return ho_cli_done();
    }
    if (argc > 1) {
        return ho_cli_say(HO_EXIT_USAGE, "down: found '%s', expected nothing but --lab NAME",
                          argv[1]);
    }
    code = ho_lab_client_open(&conn, lab);
    if (code != HO_EXIT_OK) {
        return code;
    }
    code = ho_lab_client_ask(&conn, "{\"do\":\"down\"}", "down", &answer);
    if (code == HO_EXIT_OK) {
        cJSON_Delete(answer);
        ho_control_wait_gone(conn.name);
    }
    ho_lab_client_close(&conn);
    return code;
}

const struct ho_command ho_command_down = {
    .name = "down",
    .help = "ends a lab",
    .usage = "usage: halfopen down\n"
             "\n"
             "Returns when the lab has ended; nothing of it is left.\n" LAB,
    .run = down_run,
};
