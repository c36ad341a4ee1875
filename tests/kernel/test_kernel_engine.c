/* The kernel engine: connections, processes, settings, and what it cannot do, in plays of about a
 * second, in every form at the same time. Cables and power: test_kernel_faults.c.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/kernel_play.h"

#define WORLD                    \
    "neighbours static\n"        \
    "host client\nhost server\n" \
    "cable client -- server\n"

#define PAIR WORLD "connection client -> server:7000\n"

static void a_conversation(void **state)
{
    (void)state;
    kernel_play_all(PAIR "at 0.2s client send 1000\n"
                         "at 0.3s server send 100000\n"
                         "at 0.6s client close\n"
                         "at 0.7s server close\n"
                         "lasts 1.1s\n"
                         "expect the stream arrives whole\n"
                         "expect client connect succeeds\n"
                         "expect server received 1000\n"
                         "expect client received 100000\n"
                         "expect client enters FIN-WAIT-1 between 0.6s and 0.69s\n"
                         "expect server enters CLOSE-WAIT between 0.6s and 0.69s\n"
                         "expect server enters LAST-ACK between 0.7s and 0.95s\n"
                         "expect client is TIME-WAIT at 1.05s\n"
                         "expect server is gone at 1.05s\n"
                         "expect client sends exactly 1 SYN\n",
                    NULL);
}

static void over_ipv6(void **state)
{
    (void)state;
    kernel_play_all("plays over ipv6\n" PAIR "at 0.2s client send 1000\n"
                    "at 0.4s client close\n"
                    "lasts 0.6s\n"
                    "expect the stream arrives whole\n"
                    "expect server received 1000\n"
                    "expect server notices EOF between 0.4s and 0.59s\n",
                    NULL);
}

/* Addresses are asked for, and who answers is REACHABLE. */
static void has_neigh(const struct kernel_play *p, const char *host, const char *state)
{
    bool found = false;

    for (size_t i = 0; i < p->tl.n; i++) {
        const struct ho_record *r = &p->tl.rec[i];

        found = found || (r->kind == HO_REC_NEIGH && strcmp(r->host, host) == 0 &&
                          strcmp(r->u.neigh.state, state) == 0);
    }
    ROOM_CHECK(found);
}

static void neighbours_are_there(struct kernel_play *p)
{
    has_neigh(p, "client", "REACHABLE");
    ROOM_CHECK(kernel_count(p, HO_REC_ND, "client") >= 1);
    ROOM_CHECK(kernel_count(p, HO_REC_ND, "server") >= 1);
}

static void neighbours_are_found(void **state)
{
    (void)state;
    kernel_play_all("host client\nhost server\ncable client -- server\n"
                    "connection client -> server:7000\n"
                    "at 0.2s client send 100\n"
                    "lasts 0.4s\n"
                    "expect client sends ARP\n"
                    "expect server received 100\n",
                    neighbours_are_there);
}

static void a_refused_connection(void **state)
{
    (void)state;
    kernel_play_all(WORLD "at 0.1s client connect server:7001\n"
                          "lasts 0.3s\n"
                          "expect client connect fails with ECONNREFUSED\n"
                          "expect server sends RST\n",
                    NULL);
}

/* SIGKILL closes the sockets: FIN, and the other end reads the end of the stream. */
static void a_kill_is_a_fin(void **state)
{
    (void)state;
    kernel_play_all(PAIR "at 0.2s client send 100\n"
                         "at 0.4s client kill\n"
                         "lasts 0.7s\n"
                         "expect client sends exactly 1 FIN after kill\n"
                         "expect server notices EOF within 250ms of kill\n"
                         "expect client is FIN-WAIT-2 at the end\n"
                         "expect client sends no RST\n",
                    NULL);
}

/* A kill with unread data in the buffer is a reset (RFC 2525). */
static void a_kill_with_unread_data_is_a_reset(void **state)
{
    (void)state;
    kernel_play_all(PAIR "at 0.1s client stop reading\n"
                         "at 0.2s server send 100\n"
                         "at 0.4s client kill\n"
                         "lasts 0.6s\n"
                         "expect client sends RST within 250ms of kill\n"
                         "expect server notices ECONNRESET within 250ms of kill\n",
                    NULL);
}

static void stopped_processes_say_nothing(void **state)
{
    (void)state;
    kernel_play_all(PAIR "at 0.2s server stop\n"
                         "at 0.3s client send 500\n"
                         "at 0.6s server continue\n"
                         "lasts 0.9s\n"
                         "expect server receives exactly 1 data\n"
                         "expect server received 500 between 0.6s and 0.85s\n"
                         "expect client sends no retransmission\n",
                    NULL);
}

static void settings_of_a_host(void **state)
{
    (void)state;
    kernel_play_all(PAIR "set server net.ipv4.tcp_retries2 4\n"
                         "at 0.2s set server net.ipv4.tcp_keepalive_time 1\n"
                         "at 0.3s server setsockopt SO_KEEPALIVE on\n"
                         "at 0.3s server interface lo down\n"
                         "at 0.35s server route add 10.9.0.0/16 via 10.0.0.1\n"
                         "at 0.36s server route del 10.9.0.0/16 via 10.0.0.1\n"
                         "at 0.37s server address add 10.0.0.9/24\n"
                         "at 0.38s server address del 10.0.0.9/24\n"
                         "at 0.4s server neighbour del client\n"
                         "at 0.5s server neighbour add client\n"
                         "at 0.5s note \"all of it was done\"\n"
                         "lasts 1.6s\n"
                         "expect server sends exactly 1 keepalive-probe between 1.1s and 1.5s\n"
                         "expect server setsockopt succeeds\n",
                    NULL);
}

static void are_read_back(struct kernel_play *p)
{
    const struct ho_record *r =
        ho_timeline_setting(&p->tl, p->tl.n - 1, "sysctl", "server", "", "net.ipv4.tcp_retries2");
    const struct ho_record *kernel =
        ho_timeline_setting(&p->tl, p->tl.n - 1, "run", "", "", "kernel");
    const struct ho_record *other =
        ho_timeline_setting(&p->tl, p->tl.n - 1, "sysctl", "client", "", "net.ipv4.tcp_retries2");

    ROOM_CHECK(r != NULL && r->u.settings.value == 4 && r->t.ns == 0);
    ROOM_CHECK(other != NULL && other->u.settings.value == 15);
    ROOM_CHECK(kernel != NULL && kernel->u.settings.text[0] != '\0');
    ROOM_CHECK(ho_timeline_setting(&p->tl, p->tl.n - 1, "host", "server", "", "hz") != NULL);
}

static void settings_are_read_back(void **state)
{
    (void)state;
    kernel_play_all(PAIR "set server net.ipv4.tcp_retries2 4\nlasts 0.1s\n", are_read_back);
}

/* ---- what it cannot do -------------------------------------------------------------------------
 */

static int wishes(const struct kernel_form *form)
{
    static const struct {
        const char *text, *why;
    } plans[] = {
        { "hz exact\n" PAIR "lasts 0.1s\n", "hz exact" },
        { "hz 300\n" PAIR "lasts 0.1s\n", "hz 300" },
        { "host client profile linux-6.1\nhost server\ncable client -- server\nlasts 0.1s\n",
          "linux-6.1" },
    };

    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        struct kernel_play p;

        kernel_plan(&p, plans[i].text, form);
        ROOM_CHECK(kernel_run(&p) == -ENOTSUP);
        ROOM_CHECK(strstr(p.why.text, plans[i].why) != NULL);
        kernel_play_free(&p);
    }
    return 0;
}

static void wishes_for_another_kernel_are_refused(void **state)
{
    (void)state;
    kernel_body_all(wishes);
}

static int senseless(const struct kernel_form *form)
{
    struct kernel_play p;

    kernel_plan(&p, WORLD "at 0.1s client send 10\nlasts 0.2s\n", form);
    ROOM_CHECK(kernel_run(&p) == -EINVAL);
    ROOM_CHECK(p.why.line == 5);
    ROOM_CHECK(strstr(p.why.text, "no such connection") != NULL);
    kernel_play_free(&p);
    return 0;
}

static void a_step_without_sense_is_refused(void **state)
{
    (void)state;
    kernel_body_all(senseless);
}

/* A wire that is not to be had makes the scenario not playable here, and says what is missing. */
static int no_tap(const struct kernel_form *form)
{
    struct kernel_form tap = *form;
    struct kernel_play p;

    if (form->room != IN_ROOM_USER || access("/dev/net/tun", R_OK | W_OK) == 0) {
        return 0;
    }
    tap.wire = HO_KERNEL_WIRE_TAP;
    kernel_plan(&p, PAIR "lasts 0.1s\n", &tap);
    ROOM_CHECK(kernel_run(&p) == -ENOTSUP);
    ROOM_CHECK(strstr(p.why.text, "/dev/net/tun") != NULL);
    kernel_play_free(&p);
    return 0;
}

static void a_wire_that_is_not_allowed_is_named(void **state)
{
    (void)state;
    kernel_body_all(no_tap);
}

/* ---- how it waits ---------------------------------------------------------------------------- */

/* A connection with the default keepalive at rest: the next thing is two hours away. */
static int idle(const struct kernel_form *form)
{
    struct kernel_play p;
    const struct ho_kernel *k;

    kernel_plan(&p,
                PAIR "option server SO_KEEPALIVE on\noption client SO_KEEPALIVE on\nlasts 0.1s\n",
                form);
    k = ho_kernel_of(&p.engine);
    ROOM_CHECK(kernel_run(&p) == 0);
    ROOM_CHECK(ho_kernel_deadline(k).ns != HO_NEVER.ns);
    ROOM_CHECK(ho_kernel_deadline(k).ns > 3600 * HO_NS_PER_S);
    kernel_play_free(&p);
    return 0;
}

static void an_idle_play_waits_for_its_timers(void **state)
{
    (void)state;
    kernel_body_all(idle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conversation),
        cmocka_unit_test(over_ipv6),
        cmocka_unit_test(neighbours_are_found),
        cmocka_unit_test(a_refused_connection),
        cmocka_unit_test(a_kill_is_a_fin),
        cmocka_unit_test(a_kill_with_unread_data_is_a_reset),
        cmocka_unit_test(stopped_processes_say_nothing),
        cmocka_unit_test(settings_of_a_host),
        cmocka_unit_test(settings_are_read_back),
        cmocka_unit_test(wishes_for_another_kernel_are_refused),
        cmocka_unit_test(a_step_without_sense_is_refused),
        cmocka_unit_test(a_wire_that_is_not_allowed_is_named),
        cmocka_unit_test(an_idle_play_waits_for_its_timers),
    };

    if (!kernel_play_allowed()) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
