/* `halfopen doctor`: what this machine's connections would do if their peers vanished, what they
 * are doing about those that have, and what to change. src/doctor/ has all of it.
 */

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/doctor_in.h"

#define GIVEN_OUT 65536 /* bytes that are worth a write */

static int put(const struct ho_diagnosis *d, const struct ho_doctor_ask *a)
{
    struct ho_text out = { 0 };
    int code = HO_EXIT_OK;
    bool more = true;

    for (size_t at = 0; more && code == HO_EXIT_OK;) {
        more = ho_report_next(&out, a->form, d, &a->report, &at);
        if (!more || out.len >= GIVEN_OUT) {
            code = ho_cli_put(&out);
            ho_text_clear(&out);
        }
    }
    code = code == HO_EXIT_OK ? ho_cli_done() : code;
    ho_text_free(&out);
    return code;
}

static int doctor_run(int argc, char **argv)
{
    struct ho_doctor_ask a;
    struct ho_diagnosis d;
    struct ho_scan s;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("%s", ho_command_doctor.usage);
        return ho_cli_done();
    }
    int code = ho_doctor_ask(&a, NULL, HO_DOCTOR_FORMAT | HO_DOCTOR_JUDGING | HO_DOCTOR_LENGTH,
                             argc, argv);

    code = code == HO_EXIT_OK ? ho_doctor_look(&s, &d, &a, argv[0]) : code;
    if (code != HO_EXIT_OK) {
        return code;
    }
    a.report.colour = ho_cli_colour();
    code = put(&d, &a);
    if (code == HO_EXIT_OK && d.any && d.worst >= a.report.fail_on && !a.never_fails) {
        code = HO_EXIT_FOUND;
    }
    ho_diagnosis_free(&d);
    ho_scan_free(&s);
    return code;
}

const struct ho_command ho_command_doctor = {
    .name = "doctor",
    .help = "says what this machine's connections would do, and what to change",
    .usage = "usage: halfopen doctor [OPTION ...]\n"
             "\n"
             "Looks at every TCP connection of this network namespace: how soon it would notice\n"
             "that its peer is dead, idle and with data in flight; which are in trouble at this\n"
             "moment, and when that ends; what to change. Changes nothing, and needs no root:\n"
             "options of other users' sockets are 'unknown' then. docs/doctor.md has more.\n"
             "\n"
             "  --all-namespaces    of every network namespace (needs CAP_SYS_ADMIN)\n"
             "  --pid N             only connections that this process holds\n"
             "  --port N            only those with this port at either end\n"
             "  --state STATE       only those in this state; may be given again\n"
             "  -4, -6              only IPv4, only IPv6\n"
             "  --no-options        do not read socket options: nothing is duplicated\n"
             "  --middlebox TIME    a box on the way forgets a flow that is idle for so long\n"
             "  --fail-on SEVERITY  exit code 1 from this severity on: info, warn (this), fail,\n"
             "                      or never\n"
             "  --format FORMAT     text, json, markdown, prometheus, tap or junit\n"
             "  --all               text, markdown: connections without a finding as well\n",
    .run = doctor_run,
};
