/* The kernel engine: what is done to cables and to a host's power, in plays of about a second, in
 * every form at the same time.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/net.h"
#include "support/kernel_play.h"

#define WORLD                    \
    "neighbours static\n"        \
    "host client\nhost server\n" \
    "cable client -- server\n"

#define PAIR WORLD "connection client -> server:7000\n"

static void the_cut_is_exact(struct kernel_play *p)
{
    struct ho_time cut = kernel_fault(p, "cut");

    ROOM_CHECK(cut.ns >= 300000000 && cut.ns < 550000000);
    ROOM_CHECK(kernel_segs(p, "client", 0, HO_FATE_CUT, cut) >= 1);
    ROOM_CHECK(kernel_segs(p, "client", 0, HO_FATE_CUT, (struct ho_time){ 0 }) ==
               kernel_segs(p, "client", 0, HO_FATE_CUT, cut));
}

/* Nothing passes between the cut and the plug; afterwards the retransmission does. */
static void a_cut_and_a_plug(void **state)
{
    (void)state;
    kernel_play_all(PAIR "at 0.3s cut\n"
                         "at 0.31s client send 100\n"
                         "at 0.7s plug\n"
                         "lasts 1.6s\n"
                         "expect server received 100 between 0.7s and 1.5s\n"
                         "expect client sends at-least 1 retransmission\n"
                         "expect the stream arrives whole\n",
                    the_cut_is_exact);
}

static void a_half_cut(void **state)
{
    (void)state;
    kernel_play_all(PAIR "at 0.3s cut server -> client as half\n"
                         "at 0.4s client send 100\n"
                         "at 0.9s plug\n"
                         "lasts 1.2s\n"
                         "expect server received 100 between 0.4s and 0.65s\n"
                         "expect client sends at-least 1 TLP\n",
                    NULL);
}

static void a_dropped_frame(void **state)
{
    (void)state;
    kernel_play_all(PAIR "at 0.2s drop next 1 data from client\n"
                         "at 0.3s client send 100\n"
                         "lasts 1s\n"
                         "expect server received 100 between 0.45s and 0.8s\n"
                         "expect the stream arrives whole\n",
                    NULL);
}

/* With the plug out the host's own interface has no carrier: nothing leaves it. */
static void unplugged(struct kernel_play *p)
{
    struct ho_time unplug = kernel_fault(p, "unplug");

    ROOM_CHECK(unplug.ns != HO_NEVER.ns);
    ROOM_CHECK(kernel_segs(p, "client", 0, HO_FATE_FWD, unplug) ==
               kernel_segs(p, "client", 0, HO_FATE_FWD, kernel_fault(p, "plug")));
}

static void an_unplugged_host(void **state)
{
    (void)state;
    kernel_play_all(PAIR "at 0.3s unplug client\n"
                         "at 0.31s client send 100\n"
                         "at 0.7s plug\n"
                         "lasts 1.8s\n"
                         "expect server received 100 between 0.7s and 1.7s\n",
                    unplugged);
}

/* Power goes: not a frame. It boots: what was open there is unknown, RST answers. */
static void power_off(struct kernel_play *p)
{
    struct ho_time off = kernel_fault(p, "power-off");
    struct ho_time boot = kernel_fault(p, "boot");

    ROOM_CHECK(kernel_segs(p, "server", 0, HO_FATE_FWD, off) ==
               kernel_segs(p, "server", 0, HO_FATE_FWD, boot));
    ROOM_CHECK(kernel_segs(p, "server", HO_TCP_RST, HO_FATE_FWD, boot) == 1);
    ROOM_CHECK(ho_kernel_life(ho_kernel_of(&p->engine), 1) == 2);
}

static void a_reboot_is_a_reset(void **state)
{
    (void)state;
    kernel_play_all(PAIR "at 0.2s server send 100\n"
                         "at 0.4s server power-off\n"
                         "at 0.6s server boot\n"
                         "at 0.8s client send 100\n"
                         "lasts 1.1s\n"
                         "expect server enters gone within 250ms of power-off\n"
                         "expect client notices ECONNRESET between 0.8s and 1.05s\n"
                         "expect client enters CLOSED between 0.8s and 1.05s\n"
                         "expect server sends no FIN\n",
                    power_off);
}

/* After the boot the processes can be started again, on the same addresses. */
static void a_booted_host_serves_again(void **state)
{
    (void)state;
    kernel_play_all(WORLD "at 0.1s server listen 80\n"
                          "at 0.2s client connect server:80 as one\n"
                          "at 0.4s server power-off\n"
                          "at 0.5s client close\n"
                          "at 0.6s server boot\n"
                          "at 0.8s server listen 80\n"
                          "at 0.9s client connect server:80 as two\n"
                          "at 1s client/two send 300\n"
                          "lasts 1.3s\n"
                          "expect server received 300 between 1s and 1.25s\n",
                    NULL);
}

static void through_a_switch(void **state)
{
    (void)state;
    kernel_play_all("neighbours static\n"
                    "host client\nhost server\nhost third\nswitch lan\n"
                    "cable client -- lan\ncable server -- lan\ncable third -- lan\n"
                    "connection client -> server:7000\n"
                    "at 0.2s client send 100\n"
                    "at 0.3s unplug server\n"
                    "lasts 0.5s\n"
                    "expect server received 100\n"
                    "expect client stays ESTABLISHED\n"
                    "expect third receives no data\n",
                    NULL);
}

/* A middlebox that has forgotten the flow drops; the sender repeats in vain. */
static void a_middlebox_forgets(void **state)
{
    (void)state;
    kernel_play_all("neighbours static\n"
                    "host client\nhost server\nmiddlebox fw forgets after 300ms then resets\n"
                    "cable client -- fw -- server\n"
                    "connection client -> server:7000\n"
                    "at 0.1s client send 100\n"
                    "at 0.7s client send 100\n"
                    "lasts 1s\n"
                    "expect server received 100 by 0.3s\n"
                    "expect client notices ECONNRESET between 0.7s and 0.95s\n",
                    NULL);
}

/* An orphan with unsent data would keep its namespace, and with it the interface, for minutes. */
static int dies(const struct kernel_form *form)
{
    struct kernel_play p;
    struct ho_os_net *room;
    int links = 0;

    if (form->wire != HO_KERNEL_WIRE_VETH) {
        return 0; /* the other end of a TAP is no interface that could be seen to vanish */
    }
    kernel_plan(&p,
                PAIR "at 0.2s cut\n"
                     "at 0.25s server send 100000\n"
                     "at 0.3s server close\n"
                     "at 0.4s server power-off\n"
                     "lasts 0.5s\n",
                form);
    ROOM_CHECK(kernel_run(&p) == 0);
    ROOM_CHECK(ho_os_net_open(&room, -1) == 0);
    for (int i = 0; i < 300; i++) {
        links = ho_os_net_links(room);
        if (links == 2) { /* lo, and the far end of the client's */
            break;
        }
        (void)usleep(10000);
    }
    ROOM_CHECK(links == 2);
    ho_os_net_close(room);
    kernel_play_free(&p);
    return 0;
}

static void a_host_without_power_leaves_nothing(void **state)
{
    (void)state;
    kernel_body_all(dies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_and_a_plug),
        cmocka_unit_test(a_half_cut),
        cmocka_unit_test(a_dropped_frame),
        cmocka_unit_test(an_unplugged_host),
        cmocka_unit_test(a_reboot_is_a_reset),
        cmocka_unit_test(a_booted_host_serves_again),
        cmocka_unit_test(a_host_without_power_leaves_nothing),
        cmocka_unit_test(through_a_switch),
        cmocka_unit_test(a_middlebox_forgets),
    };

    if (!kernel_play_allowed()) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
