/* `halfopen watch`: the doctor's look again and again, as a table, as JSON lines or as metrics. */

#include "cli/watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "os/clock.h"
#include "os/wall.h"

int ho_watch_look(struct ho_watch_look *l, const struct ho_watch_ask *a)
{
    struct ho_time begun = ho_os_now();
    struct ho_diagnosis d;
    struct ho_scan s;
    int err;

    l->why[0] = '\0';
    err = ho_scan(&s, &a->doctor.scan, l->why);
    if (err != 0) {
        goto fail;
    }
    err = ho_diagnose(&d, &s, &a->doctor.rules);
    if (err != 0) {
        ho_scan_free(&s);
        goto fail;
    }
    err = ho_watch_track(&l->track, &d, begun);
    if (err != 0) {
        ho_diagnosis_free(&d);
        ho_scan_free(&s);
        goto fail;
    }
    if (l->any) {
        ho_diagnosis_free(&l->d);
        ho_scan_free(&l->scan);
    }
    l->scan = s;
    l->d = d;
    l->d.scan = &l->scan; /* it has moved */
    l->any = true;
    l->at = begun;
    l->wall_ms = ho_os_wall_ms();
    l->took = ho_time_since(ho_os_now(), begun);
    l->looks++;
    l->failing = false;
    return 0;

fail:
    if (l->why[0] == '\0') {
        (void)snprintf(l->why, sizeof(l->why), "%s", strerror(-err));
    }
    l->failed++;
    l->failing = true;
    return err;
}

void ho_watch_look_free(struct ho_watch_look *l)
{
    if (l->any) {
        ho_diagnosis_free(&l->d);
        ho_scan_free(&l->scan);
    }
    ho_watch_track_free(&l->track);
    l->any = false;
}

int ho_watch_cannot(const struct ho_watch_look *l, const struct ho_watch_ask *a, int err)
{
    if (err == -ESRCH) {
        return ho_cli_say(HO_EXIT_USAGE, "watch: no process %d can be seen",
                          (int)a->doctor.scan.pid);
    }
    return ho_cli_say(HO_EXIT_CANNOT, "watch: %s", l->why);
}

static int watch_run(int argc, char **argv)
{
    struct ho_watch_ask a;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("%s", ho_command_watch.usage);
        return ho_cli_done();
    }
    int code = ho_watch_ask(&a, argc, argv);

    if (code != HO_EXIT_OK) {
        return code;
    }
    return a.jsonl            ? ho_watch_jsonl(&a)
           : a.listen != NULL ? ho_watch_serve(&a)
                              : ho_watch_screen(&a);
}

const struct ho_command ho_command_watch = {
    .name = "watch",
    .help = "shows connections and their trouble as it happens, or serves them as metrics",
    .usage = "usage: halfopen watch [OPTION ...]\n"
             "\n"
             "What 'halfopen doctor' says of each TCP connection, again and again: a table, in\n"
             "trouble first, or lines for programs, or metrics for Prometheus. docs/watch.md has\n"
             "the lines, the metrics, alert rules, a systemd unit and a Kubernetes manifest.\n"
             "\n"
             "  --interval TIME     between two looks, from 100ms to 1h; default: 2s\n"
             "  --sort WORD         trouble (this), idle, busy, process or peer\n"
             "  --filter TEXT       part of a name, an address, :port, a state\n"
             "  --trouble           only what is in trouble now\n"
             "  --jsonl             no table: one JSON object a line, for each look, each change,\n"
             "                      each connection\n"
             "  --changes           with --jsonl: looks and changes only\n"
             "  --count N           with --jsonl: so many looks\n"
             "  --listen ADDRESS    serves /metrics and /healthz at :9464, 127.0.0.1:9464 or\n"
             "                      [::1]:9464; it looks when it is asked, at most every interval\n"
             "\n"
             "  --all-namespaces    of every network namespace (needs CAP_SYS_ADMIN)\n"
             "  --pid N             only connections that this process holds\n"
             "  --port N            only those with this port at either end\n"
             "  --state STATE       only those in this state; may be given again\n"
             "  -4, -6              only IPv4, only IPv6\n"
             "  --no-options        do not read socket options: nothing is duplicated\n"
             "  --middlebox TIME    a box on the way forgets a flow that is idle for so long\n"
             "\n"
             "Keys: q, arrows and pages, s sort, f filter, t trouble only, e events, h help.\n",
    .run = watch_run,
};
