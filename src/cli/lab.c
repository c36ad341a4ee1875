#define _POSIX_C_SOURCE 200809L
/* `halfopen lab`: hosts on the real kernel that stay until they are told to go.
 *
 * This process reads the file, takes the lab's name (its control socket) and makes the room; the
 * room's first process is engine and lab at once (kernel/lab.h). What it prints and writes comes
 * from there.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/catalogue.h"
#include "cli/cli.h"
#include "kernel/lab.h"
#include "os/control.h"
#include "os/room.h"
#include "timeline/jsonl.h"
#include "timeline/pcapng.h"

#define RECORDS_MAX 1000000u

static const char two_hosts[] = "title \"two hosts and a cable\"\n"
                                "host client\n"
                                "host server\n"
                                "cable client -- server\n";

struct lab {
    char name[HO_CONTROL_NAME];
    const char *file, *timeline, *pcapng, *save; /* NULL: none */
    struct ho_kernel_options kernel;
    struct ho_session *session;
    int listener;
};

/* ---- in the room ----------------------------------------------------------------------------- */

static void put_hosts(struct ho_text *out, const struct ho_plan *plan)
{
    char addr[HO_ADDR_TEXT];

    for (size_t i = 0; i < plan->node_count; i++) {
        const struct ho_plan_node *n = &plan->nodes[i];

        if (n->kind != HO_NODE_HOST) {
            continue;
        }
        ho_text_printf(out, "  halfopen exec %s -- sh", n->name);
        for (unsigned k = 0; k < n->addr_count; k++) {
            ho_text_printf(out, k == 0 ? "   # %s" : ", %s", ho_addr_text(&n->addr[k].addr, addr));
        }
        ho_text_char(out, '\n');
    }
}

/* Tells that the lab is ready, and what can be done with it. */
static int print_ready(const struct lab *l)
{
    const struct ho_plan *plan = ho_session_plan(l->session);
    struct ho_text out = { 0 };

    ho_text_printf(&out, "lab %s is up. Enter its hosts:\n", l->name);
    put_hosts(&out, plan);
    ho_text_put(&out, "Do things to it from another terminal:\n"
                      "  halfopen cut, plug, unplug HOST, power-off HOST, boot HOST, step STEP\n"
                      "  halfopen status --watch\n"
                      "It ends with halfopen down, or Ctrl-C.\n");
    if (ho_session_left_out(l->session) > 0) {
        ho_text_printf(&out, "The file's steps and expectations (%zu lines) are not played here.\n",
                       ho_session_left_out(l->session));
    }
    int code = ho_text_err(&out) != 0 ? ho_cli_no_memory() : ho_cli_put(&out);

    ho_text_free(&out);
    return code == HO_EXIT_OK ? ho_cli_done() : code;
}

/* What the options ask to be kept of it. */
static int save(const struct lab *l, const struct ho_timeline *tl)
{
    struct ho_text out = { 0 };
    int code = HO_EXIT_OK;

    if (l->timeline != NULL) {
        ho_jsonl_write(&out, tl, 0);
        code = ho_text_err(&out) != 0 ? ho_cli_no_memory()
                                      : ho_cli_save(l->timeline, ho_text_str(&out), out.len);
        ho_text_clear(&out);
    }
    if (l->pcapng != NULL && code == HO_EXIT_OK) {
        code = ho_pcapng_write(&out, tl, 0) != 0 || ho_text_err(&out) != 0
                   ? ho_cli_no_memory()
                   : ho_cli_save(l->pcapng, ho_text_str(&out), out.len);
        ho_text_clear(&out);
    }
    if (l->save != NULL && code == HO_EXIT_OK) {
        ho_session_print(l->session, &out);
        code = ho_text_err(&out) != 0 ? ho_cli_no_memory()
                                      : ho_cli_save(l->save, ho_text_str(&out), out.len);
    }
    ho_text_free(&out);
    return code;
}

/* Until somebody takes them: whoever reads that the lab is up may end it at once. */
static void hold_interrupts(sigset_t *ret_before)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, ret_before);
}

static int serve(const struct lab *l, const struct ho_engine *engine, struct ho_timeline *tl)
{
    const struct ho_lab_conf conf = {
        .name = l->name, .listener = l->listener, .engine = engine, .session = l->session
    };
    const struct ho_step *step = NULL;
    const struct ho_plan *plan = ho_session_plan(l->session);
    int signal = 0;
    int err = engine->check(engine->self, plan, &step);

    err = err != 0 ? err : engine->begin(engine->self, plan, tl);
    if (err != 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "lab: %s", engine->why(engine->self));
    }
    for (size_t i = 0; ho_kernel_warning(ho_kernel_of(engine), i) != NULL; i++) {
        ho_cli_say(0, "%s", ho_kernel_warning(ho_kernel_of(engine), i));
    }
    hold_interrupts(NULL); /* ho_lab_run() takes them */
    int code = print_ready(l);

    if (code != HO_EXIT_OK) {
        return code;
    }
    err = ho_lab_run(&conf, &signal);
    if (err != 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "lab: %s", engine->why(engine->self));
    }
    err = engine->finish(engine->self);
    return err == 0 ? save(l, tl)
                    : ho_cli_say(HO_EXIT_CANNOT, "lab: %s", engine->why(engine->self));
}

static int work(void *arg)
{
    const struct lab *l = arg;
    struct ho_engine engine;
    struct ho_timeline tl;

    if (ho_kernel_new(&engine, &l->kernel) != 0) {
        return ho_cli_no_memory();
    }
    ho_timeline_init(&tl, RECORDS_MAX);
    tl.keep_frames = l->pcapng != NULL;
    int code = serve(l, &engine, &tl);

    engine.destroy(engine.self);
    ho_timeline_destroy(&tl);
    fflush(stdout);
    return code;
}

/* ---- arguments ------------------------------------------------------------------------------- */

static int read_wire(struct lab *l, const char *text)
{
    if (strcmp(text, "tap") == 0) {
        l->kernel.wire = HO_KERNEL_WIRE_TAP;
    } else if (strcmp(text, "veth") == 0) {
        l->kernel.wire = HO_KERNEL_WIRE_VETH;
    } else {
        return ho_cli_say(HO_EXIT_USAGE, "--wire: found '%s', expected tap or veth", text);
    }
    return HO_EXIT_OK;
}

/* The option's value: behind its '=' or the next argument. NULL: it is another option. */
static const char *value_of(const char *option, int argc, char **argv, int *i)
{
    size_t len = strlen(option);

    if (strncmp(argv[*i], option, len) != 0) {
        return NULL;
    }
    if (argv[*i][len] == '=') {
        return argv[*i] + len + 1;
    }
    return argv[*i][len] == '\0' && *i + 1 < argc && argv[*i + 1] != NULL ? argv[++*i] : NULL;
}

static int read_arguments(struct lab *l, int argc, char **argv)
{
    const char *v;

    for (int i = 1; i < argc; i++) {
        if ((v = value_of("--name", argc, argv, &i)) != NULL) {
            snprintf(l->name, sizeof(l->name), "%s", v);
            if (strcmp(l->name, v) != 0) {
                return ho_cli_say(HO_EXIT_USAGE, "--name: '%s' is longer than %d letters", v,
                                  HO_CONTROL_NAME - 1);
            }
        } else if ((v = value_of("--wire", argc, argv, &i)) != NULL) {
            int code = read_wire(l, v);

            if (code != HO_EXIT_OK) {
                return code;
            }
        } else if ((v = value_of("--timeline", argc, argv, &i)) != NULL) {
            l->timeline = v;
        } else if ((v = value_of("--pcapng", argc, argv, &i)) != NULL) {
            l->pcapng = v;
        } else if ((v = value_of("--save", argc, argv, &i)) != NULL) {
            l->save = v;
        } else if (argv[i][0] == '-') {
            return ho_cli_say(HO_EXIT_USAGE,
                              "no option '%s', or its value is missing; try 'halfopen help lab'",
                              argv[i]);
        } else if (l->file != NULL) {
            return ho_cli_say(HO_EXIT_USAGE, "lab: found '%s', expected one file", argv[i]);
        } else {
            l->file = argv[i];
        }
    }
    return HO_EXIT_OK;
}

/* The file's name without folder and ending, as far as a lab may be called so. */
static void name_after(struct lab *l)
{
    const char *slash = strrchr(l->file, '/');
    const char *base = slash != NULL ? slash + 1 : l->file;
    size_t n = strcspn(base, ".");

    n = n < sizeof(l->name) - 1 ? n : sizeof(l->name) - 1;
    for (size_t i = 0; i < n; i++) {
        bool fits = strchr("-_.", base[i]) != NULL || (base[i] >= '0' && base[i] <= '9') ||
                    ((base[i] | 0x20) >= 'a' && (base[i] | 0x20) <= 'z');

        l->name[i] = (char)(fits ? base[i] : '-');
    }
    l->name[n] = '\0';
}

static int make_session(struct lab *l, const char *text, size_t len)
{
    static const struct ho_plan_options options = { .engine = "kernel" };
    struct ho_scn_error e;
    int err = ho_session_new(&l->session, l->name, text, len, &options, &e);

    if (err == -EINVAL) {
        fprintf(stderr, "%s:%u:%u: %s\n", l->file != NULL ? l->file : "lab", e.line, e.column,
                e.text);
        return HO_EXIT_USAGE;
    }
    return err == 0 ? HO_EXIT_OK : ho_cli_no_memory();
}

static int read_world(struct lab *l)
{
    const struct ho_catalogue_item *item =
        l->file != NULL && strchr(l->file, '/') == NULL ? ho_catalogue_find(l->file) : NULL;
    bool named = l->name[0] != '\0';
    char *text;
    size_t len;

    if (l->file == NULL) {
        if (!named) {
            snprintf(l->name, sizeof(l->name), "two-hosts");
        }
        return make_session(l, two_hosts, sizeof(two_hosts) - 1);
    }
    if (!named) {
        name_after(l);
    }
    if (item != NULL) {
        return make_session(l, item->text, item->len);
    }
    int code = ho_cli_load(l->file, (size_t)HO_SCN_TEXT_MAX, &text, &len);

    if (code == HO_EXIT_OK) {
        code = make_session(l, text, len);
        free(text);
    }
    return code;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int keep_room(struct lab *l)
{
    char why[HO_OS_WHY] = "";
    struct ho_os_room room;
    struct ho_os_exit end;
    sigset_t before;

    hold_interrupts(&before); /* ho_os_room_wait() takes them */
    int err = ho_os_room_start(&room, NULL, work, l, why);

    if (err != 0) {
        sigprocmask(SIG_SETMASK, &before, NULL); /* was it one of them? */
        return ho_cli_say(HO_EXIT_CANNOT, "lab: %s", why[0] != '\0' ? why : strerror(-err));
    }
    err = ho_os_room_wait(&room, &end);
    ho_os_room_free(&room);
    if (err != 0 || end.signal != 0) {
        return ho_cli_say(HO_EXIT_CANNOT, "lab: it was ended by signal %d",
                          err != 0 ? SIGKILL : end.signal);
    }
    return end.status;
}

static int lab_run(int argc, char **argv)
{
    struct lab l = { .listener = -1 };

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("%s", ho_command_lab.usage);
        return ho_cli_done();
    }
    int code = read_arguments(&l, argc, argv);

    code = code != HO_EXIT_OK ? code : read_world(&l);
    if (code == HO_EXIT_OK) {
        l.listener = ho_control_listen(l.name);
        if (l.listener < 0) {
            code =
                l.listener == -EADDRINUSE
                    ? ho_cli_say(HO_EXIT_USAGE, "a lab '%s' runs already; choose another --name",
                                 l.name)
                    : ho_cli_say(HO_EXIT_USAGE, "--name: '%s': %s", l.name, strerror(-l.listener));
        }
    }
    code = code != HO_EXIT_OK ? code : keep_room(&l);
    if (l.listener >= 0) {
        close(l.listener);
    }
    ho_session_free(l.session);
    return code;
}

const struct ho_command ho_command_lab = {
    .name = "lab",
    .help = "brings hosts up on the real kernel and keeps them",
    .usage =
        "usage: halfopen lab [OPTION..] [FILE]\n"
        "\n"
        "Brings up the hosts of a scenario file (without one: client, server and a cable) as\n"
        "namespaces of the real kernel and keeps them until 'halfopen down' or Ctrl-C. Its steps\n"
        "and expectations are not played: do things with cut, plug, unplug, power-off, boot,\n"
        "step; look with status; run programs in the hosts with exec.\n"
        "\n"
        "  --name NAME       of the lab, where several run; default: the file's\n"
        "  --wire tap|veth   what the cables are made of; default: tap where it is allowed\n"
        "  --timeline FILE   at its end, all that happened as JSON lines\n"
        "  --pcapng FILE     at its end, all frames, for Wireshark\n"
        "  --save FILE       at its end, all that was done to it, as a scenario\n",
    .run = lab_run,
};
