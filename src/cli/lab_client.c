/* Finding a lab and talking to it. */

#include "cli/lab_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

#define LABS_SHOWN 16

/* The only lab there is. */
static int find_only(char *name)
{
    char names[LABS_SHOWN][HO_CONTROL_NAME];
    struct ho_text list = { 0 };
    int n = ho_control_list(names, LABS_SHOWN);

    if (n < 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "cannot look for labs: %s", strerror(-n));
    }
    if (n == 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "no lab runs; start one with 'halfopen lab FILE'");
    }
    if (n == 1) {
        snprintf(name, HO_CONTROL_NAME, "%s", names[0]);
        return HO_EXIT_OK;
    }
    for (int i = 0; i < n && i < LABS_SHOWN; i++) {
        ho_text_printf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    ho_cli_say(HO_EXIT_USAGE, "several labs run: %s%s; choose one with --lab NAME",
               ho_text_str(&list), n > LABS_SHOWN ? " .." : "");
    ho_text_free(&list);
    return HO_EXIT_USAGE;
}

int ho_lab_client_open(struct ho_lab_client_conn *ret, const char *name)
{
    struct ho_lab_client_conn c = { .control.fd = -1 };

    if (name == NULL) {
        int code = find_only(c.name);

        if (code != HO_EXIT_OK) {
            return code;
        }
    } else {
        snprintf(c.name, sizeof(c.name), "%s", name);
    }
    c.control.fd = ho_control_connect(name != NULL ? name : c.name);
    if (c.control.fd == -ECONNREFUSED) {
        return ho_cli_say(HO_EXIT_CANNOT, "no lab '%s' runs", name != NULL ? name : c.name);
    }
    if (c.control.fd < 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "lab '%s': %s", name != NULL ? name : c.name,
                          strerror(-c.control.fd));
    }
    *ret = c;
    return HO_EXIT_OK;
}

void ho_lab_client_close(struct ho_lab_client_conn *c)
{
    ho_control_close(&c->control);
}

/* What the lab did not like, with a mark below the place where it knows one. */
static int say_refused(const cJSON *answer, const char *what)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");
    const cJSON *column = cJSON_GetObjectItemCaseSensitive(answer, "column");

    if (cJSON_IsNumber(column) && column->valueint > 0) {
        return ho_cli_say(HO_EXIT_USAGE, "'%s': column %d: %s", what, column->valueint,
                          cJSON_IsString(error) ? error->valuestring : "refused");
    }
    return ho_cli_say(HO_EXIT_USAGE, "'%s': %s", what,
                      cJSON_IsString(error) ? error->valuestring : "refused");
}

int ho_lab_client_ask(struct ho_lab_client_conn *c, const char *question, const char *what,
                      cJSON **ret_answer)
{
    const char *line;
    int err = ho_control_ask(&c->control, question, &line);

    if (err != 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "lab '%s' %s", c->name,
                          err == -EPIPE ? "has gone" : strerror(-err));
    }
    cJSON *answer = cJSON_Parse(line);

    if (answer == NULL) {
        return ho_cli_say(HO_EXIT_CANNOT, "lab '%s' does not answer in JSON", c->name);
    }
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "ok"))) {
        int code = say_refused(answer, what);

        cJSON_Delete(answer);
        return code;
    }
    *ret_answer = answer;
    return HO_EXIT_OK;
}

static void take_out(int *argc, char **argv, int at, int count)
{
    memmove(argv + at, argv + at + count, (size_t)(*argc - at - count + 1) * sizeof(*argv));
    *argc -= count;
}

int ho_lab_client_option(int *argc, char **argv, const char **ret_name)
{
    const char *name = NULL;

    for (int i = 1; i < *argc && strcmp(argv[i], "--") != 0;) {
        if (strncmp(argv[i], "--lab=", 6) == 0) {
            name = argv[i] + 6;
            take_out(argc, argv, i, 1);
        } else if (strcmp(argv[i], "--lab") == 0) {
            if (i + 1 == *argc) {
                return ho_cli_say(HO_EXIT_USAGE, "--lab: expected the name of a lab");
            }
            name = argv[i + 1];
            take_out(argc, argv, i, 2);
        } else {
            i++;
        }
    }
    *ret_name = name;
    return HO_EXIT_OK;
}
