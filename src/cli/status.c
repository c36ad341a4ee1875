#define _POSIX_C_SOURCE 200809L
/* `halfopen status`: what a lab is like now, as a table or as JSON; again and again with --watch.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/lab_client.h"

struct status {
    const char *lab;
    bool json, watch;
};

/* ---- one answer as text ---------------------------------------------------------------------- */

static const char *text_of(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsString(v) ? v->valuestring : "";
}

static int64_t number_of(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsNumber(v) ? (int64_t)v->valuedouble : 0;
}

static void put_count(struct ho_text *out, const cJSON *sock, const char *key, const char *unit)
{
    int64_t n = number_of(sock, key);

    if (n > 0) {
        ho_text_printf(out, ", %lld %s", (long long)n, unit);
    }
}

static void put_timer(struct ho_text *out, const cJSON *sock)
{
    const char *timer = text_of(sock, "timer");

    if (strcmp(timer, "off") == 0) {
        ho_text_put(out, "no timer");
    } else {
        ho_text_printf(out, "%s timer in ", timer);
        ho_text_dur(out, ho_us(number_of(sock, "expires_us")));
    }
    put_count(out, sock, "retransmits", "retransmissions");
    put_count(out, sock, "probes", "probes");
    put_count(out, sock, "wq", "bytes unacknowledged");
    put_count(out, sock, "rq", "bytes unread");
}

/* A listener has no timer, and its queues are those of connections (listen(2)). */
static void put_queue(struct ho_text *out, const cJSON *sock)
{
    ho_text_printf(out, "%lld of %lld connections wait", (long long)number_of(sock, "rq"),
                   (long long)number_of(sock, "wq"));
}

/* "  ESTABLISHED  10.0.0.1:40000  10.0.0.2:80  app  db  keepalive timer in 5.2 s" */
static void put_sock(struct ho_text *out, const cJSON *sock)
{
    static const struct {
        const char *key;
        unsigned width;
    } columns[] = { { "state", 12 }, { "local", 22 }, { "remote", 22 }, { "process", 8 } };

    ho_text_put(out, "  ");
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        const char *text = text_of(sock, columns[i].key);

        ho_text_pad(out, text[0] != '\0' ? text : "-", columns[i].width);
        ho_text_put(out, " ");
    }
    if (strcmp(text_of(sock, "state"), "LISTEN") == 0) {
        put_queue(out, sock);
    } else {
        put_timer(out, sock);
    }
    ho_text_char(out, '\n');
}

static void put_host(struct ho_text *out, const cJSON *host)
{
    const cJSON *addresses = cJSON_GetObjectItemCaseSensitive(host, "addresses");
    const cJSON *sockets = cJSON_GetObjectItemCaseSensitive(host, "sockets");
    const cJSON *v;

    ho_text_put(out, text_of(host, "name"));
    cJSON_ArrayForEach(v, addresses)
    {
        ho_text_printf(out, "  %s", cJSON_IsString(v) ? v->valuestring : "");
    }
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(host, "power"))) {
        ho_text_put(out, "  no power\n");
        return;
    }
    ho_text_put(out, cJSON_GetArraySize(sockets) == 0 ? "  no TCP sockets\n" : "\n");
    cJSON_ArrayForEach(v, sockets)
    {
        put_sock(out, v);
    }
}

static void put_status(struct ho_text *out, const cJSON *answer)
{
    const cJSON *v;

    ho_text_printf(out, "lab %s, for ", text_of(answer, "name"));
    ho_text_dur(out, ho_us(number_of(answer, "t_us") / 1000000 * 1000000));
    ho_text_char(out, '\n');
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(answer, "cables"))
    {
        ho_text_printf(out, "%s: %s\n", text_of(v, "name"), text_of(v, "state"));
    }
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(answer, "hosts"))
    {
        put_host(out, v);
    }
}

/* ---- the command ----------------------------------------------------------------------------- */

static int show(struct ho_lab_client_conn *conn, const struct status *s)
{
    cJSON *answer;
    struct ho_text out = { 0 };
    int code = ho_lab_client_ask(conn, "{\"do\":\"status\"}", "status", &answer);

    if (code != HO_EXIT_OK) {
        return code;
    }
    if (s->watch && !s->json && ho_cli_colour()) {
        ho_text_put(&out, "\033[H\033[J"); /* from the top of an empty screen */
    }
    if (s->json) {
        char *text = cJSON_PrintUnformatted(answer);

        ho_text_printf(&out, "%s\n", text != NULL ? text : "");
        cJSON_free(text);
    } else {
        put_status(&out, answer);
    }
    cJSON_Delete(answer);
    code = ho_text_err(&out) != 0 ? ho_cli_no_memory() : ho_cli_put(&out);
    ho_text_free(&out);
    return code == HO_EXIT_OK ? ho_cli_done() : code;
}

static int read_arguments(struct status *s, int argc, char **argv)
{
    int code = ho_lab_client_option(&argc, argv, &s->lab);

    for (int i = 1; i < argc && code == HO_EXIT_OK; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            s->json = true;
        } else if (strcmp(argv[i], "--watch") == 0) {
            s->watch = true;
        } else {
            code =
                ho_cli_say(HO_EXIT_USAGE,
                           "status: found '%s', expected --json, --watch or --lab NAME", argv[i]);
        }
    }
    return code;
}

static int status_run(int argc, char **argv)
{
    struct status s = { .lab = NULL };
    struct ho_lab_client_conn conn;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("%s", ho_command_status.usage);
        return ho_cli_done();
    }
    int code = read_arguments(&s, argc, argv);

    code = code != HO_EXIT_OK ? code : ho_lab_client_open(&conn, s.lab);
    if (code != HO_EXIT_OK) {
        return code;
    }
    code = show(&conn, &s);
    while (s.watch && code == HO_EXIT_OK) {
        sleep(1);
        code = show(&conn, &s);
    }
    ho_lab_client_close(&conn);
    return code;
}

const struct ho_command ho_command_status = {
    .name = "status",
    .help = "shows a lab: cables, hosts, their sockets and timers",
    .usage =
        "usage: halfopen status [--watch] [--json] [--lab NAME]\n"
        "\n"
        "The sockets are those of the kernel at this moment (sock_diag): state, ends, process,\n"
        "and which timer fires when.\n"
        "\n"
        "  --watch  again every second, until Ctrl-C or the lab's end\n"
        "  --json   the lab's answer as it is (docs/lab.md)\n",
    .run = status_run,
};
