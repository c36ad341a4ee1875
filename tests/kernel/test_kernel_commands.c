/* Real commands in plays of the kernel engine: each verb once, on every wire, as root and as an
 * ordinary user; and what is said when a command cannot be started or is never ready.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/kernel_play.h"

#define WORLD "host client\nhost server\ncable client -- server\n"

/* The app record of that call and detail; ends the room if there is none. */
static const struct ho_record *said(const struct kernel_play *p, const char *call,
                                    const char *detail)
{
    for (size_t i = 0; i < p->tl.n; i++) {
        const struct ho_record *r = &p->tl.rec[i];
        if (r->kind == HO_REC_APP && strcmp(r->u.app.call, call) == 0 &&
            strcmp(r->u.app.detail, detail) == 0) {
            return r;
        }
    }
    (void)fprintf(stderr, "%s %s\n", call, detail);
    in_room_failed(__FILE__, __LINE__, "it was said");
}

/* --- verbs -------------------------------------------------------------------------------------
 */

static void looks_typed(struct kernel_play *p)
{
    const struct ho_record *early = said(p, "output", "up"), *hello = said(p, "output", "hello");

    ROOM_CHECK(early->t.ns <= 0);
    ROOM_CHECK(strcmp(hello->host, "client") == 0 && strcmp(hello->process, "cat") == 0);
    ROOM_CHECK(hello->conn[0] == '\0' && hello->u.app.ret == 5);
}

static void what_is_typed_comes_out(void **state)
{
    (void)state;
    kernel_play_all(WORLD "process client.cat runs \"sh -c 'echo up; cat'\" ready when its output"
                          " matches /^up$/ within 20s\n"
                          "at 0.1s client.cat type \"hello\\\\nrest\"\n"
                          "at 0.2s server as guest run \"sh -c 'getent hosts client; exit 7'\"\n"
                          "at 0.3s client.cat close input\n"
                          "lasts 1s\n"
                          "expect client.cat output matches /^hello$/ at 0.2s +- 0.1s\n"
                          "expect client.cat output matches /^rest$/ by 0.9s\n"
                          "expect client.cat exits with 0 between 0.3s and 0.9s\n"
                          "expect server output matches /^10\\.0\\.0\\.1 +client$/\n"
                          "expect server exits with 7\n",
                    looks_typed);
}

static void looks_killed(struct kernel_play *p)
{
    ROOM_CHECK(said(p, "exit", "SIGKILL")->u.app.ret == -1);
}

/* Who is stopped says nothing; a killed one's child says nothing any more. */
static void kill_stop_and_continue_mean_the_children_as_well(void **state)
{
    (void)state;
    kernel_play_all(WORLD "process server.busy runs \"sh -c '(while sleep 0.05; do echo tick; done)"
                          " & wait'\" ready when its output matches /tick/ within 20s\n"
                          "at 0.2s server.busy stop\n"
                          "at 0.6s server.busy continue\n"
                          "at 1s   server.busy kill\n"
                          "lasts 1.4s\n"
                          "expect server.busy output never matches /tick/ between 0.3s and 0.6s\n"
                          "expect server.busy output matches /tick/ between 0.6s and 1s\n"
                          "expect server.busy output never matches /tick/ between 1.1s and 1.4s\n"
                          "expect server.busy exits within 0.2s of kill\n",
                    looks_killed);
}

/* bash has TCP, and every Debian machine has bash. The peer is a program of ours; the connection
 * has the command's name at both ends. */
static void looks_named(struct kernel_play *p)
{
    bool both[2] = { false, false };

    for (size_t i = 0; i < p->tl.n; i++) {
        const struct ho_record *r = &p->tl.rec[i];
        if (r->kind == HO_REC_SOCK && strcmp(r->conn, "app") != 0 &&
            strcmp(r->u.sock.state, "ESTABLISHED") == 0) {
            ROOM_CHECK(strcmp(r->conn, "caller") == 0);
            both[strcmp(r->host, "client") == 0] = true;
            ROOM_CHECK(strcmp(r->host, "server") != 0 || strcmp(r->process, "caller") == 0);
        }
    }
    ROOM_CHECK(both[0] && both[1]);
}

static void a_connection_is_called_as_its_command(void **state)
{
    (void)state;
    kernel_play_all(WORLD "process server.caller\n"
                          "at 0s   client listen 7000\n"
                          "at 0.1s server.caller run \"bash -c 'exec 3<>/dev/tcp/client/7000 && "
                          "echo open && sleep 100'\"\n"
                          "at 1s   server.caller kill\n"
                          "lasts 1.5s\n"
                          "expect server.caller output matches /open/\n"
                          "expect server.caller has SO_KEEPALIVE off\n"
                          "expect server.caller enters ESTABLISHED by 1s\n"
                          "expect server sends FIN within 0.2s of kill\n"
                          "expect client notices EOF within 0.2s of kill\n",
                    looks_named);
}

static void looks_dark(struct kernel_play *p)
{
    ROOM_CHECK(kernel_segs(p, "server", 0, HO_FATE_FWD, kernel_fault(p, "power-off")) == 0);
    ROOM_CHECK(said(p, "output", "again") != NULL);
}

static void a_host_without_power_runs_nothing(void **state)
{
    (void)state;
    kernel_play_all(WORLD "process server.caller runs \"sh -c 'trap : TERM; setsid sleep 100 & "
                          "sleep 100'\"\n"
                          "at 0.2s server power-off\n"
                          "at 0.6s server boot\n"
                          "at 0.7s server.caller run \"echo again\"\n"
                          "lasts 1.2s\n"
                          "expect server.caller exits within 0.3s of power-off\n"
                          "expect server.caller output matches /again/\n",
                    looks_dark);
}

/* --- faults ------------------------------------------------------------------------------------
 */

/* Nothing but this process is left in the room. */
static void check_empty(void)
{
    ROOM_CHECK(kill(-1, 0) != 0 && errno == ESRCH);
}

static int refused(const struct kernel_form *form, const char *text, unsigned line, const char *why)
{
    struct kernel_play p;

    kernel_plan(&p, text, form);
    int err = kernel_run(&p);
    if (err == 0 || p.why.line != line || strstr(p.why.text, why) == NULL) {
        (void)fprintf(stderr, "%s: %d, line %u: %s\n", text, err, p.why.line, p.why.text);
        in_room_failed(__FILE__, __LINE__, "it is refused");
    }
    kernel_play_free(&p);
    check_empty();
    return 0;
}

static int no_program(const struct kernel_form *form)
{
    return refused(form, WORLD "at 0.1s server run \"no-such-program -x\"\n", 4,
                   "server: no-such-program: not found in PATH");
}

static int no_listener(const struct kernel_form *form)
{
    return refused(form,
                   WORLD "process server.x runs \"sh -c 'echo starting; trap \\\"\\\" TERM; sleep "
                         "100'\" ready when it listens on 80 within 0.3s\n",
                   0,
                   "server.x: its time was over before it listened on port 80; its last words: "
                   "\"starting\"");
}

static int runs_already(const struct kernel_form *form)
{
    return refused(form, WORLD "at 0s server run \"sleep 100\"\nat 0.1s server run \"true\"\n", 5,
                   "server: \"sleep 100\" still runs there");
}

static int types_to_nobody(const struct kernel_form *form)
{
    return refused(form, WORLD "at 0s server run \"true\"\nat 0.5s server type \"x\"\n", 5,
                   "server: no command runs there");
}

static void faults_of_commands_are_told(void **state)
{
    (void)state;
    kernel_body_all(no_program);
    kernel_body_all(no_listener);
    kernel_body_all(runs_already);
    kernel_body_all(types_to_nobody);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_typed_comes_out),
        cmocka_unit_test(kill_stop_and_continue_mean_the_children_as_well),
        cmocka_unit_test(a_connection_is_called_as_its_command),
        cmocka_unit_test(a_host_without_power_runs_nothing),
        cmocka_unit_test(faults_of_commands_are_told),
    };

    if (!kernel_play_allowed()) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
