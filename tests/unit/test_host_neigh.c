/* The neighbour table, seen from outside: states and times as Linux's (ground-truth A4, B1, B3,
 * B10, D), at HZ=250: a timer of 1 s is up to 32 ms late, one of 5 s up to 256 ms, one of 20 s up
 * to 2.048 s.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/pair.h"

static struct ho_pair p;
static int64_t a, b; /* a connection from host 0 to host 1 */

static int setup(bool ipv6)
{
    const int64_t draws[] = { 20 * HO_NS_PER_S };

    ho_pair_init(&p, ipv6, 250);
    ho_host_neigh_draws(p.host[0], draws, 1);
    ho_host_neigh_draws(p.host[1], draws, 1);
    ho_pair_connect(&p, 80, &a, &b);
    return 0;
}

static int setup_v4(void **state)
{
    (void)state;
    return setup(false);
}

static int setup_v6(void **state)
{
    (void)state;
    return setup(true);
}

static int teardown(void **state)
{
    (void)state;
    ho_pair_done(&p);
    return 0;
}

static struct ho_time s_ms(int64_t ms)
{
    return (struct ho_time){ .ns = ms * 1000000 };
}

static void send_one(int i)
{
    assert_int_equal(ho_pair_send(&p, i, i == 0 ? a : b, "x", 1), 1);
}

/* Who asked is REACHABLE by the answer; who was asked knows the asker only by hearsay, and its own
 * first packet starts the delay.
 */
static void the_asker_is_reachable_and_the_asked_in_delay(void **state)
{
    (void)state;
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_REACHABLE);
    assert_int_equal(ho_pair_neigh(&p, 1), HO_NUD_DELAY);
}

/* The drawn 20 s, up to a wheel step of 2.048 s later (20 s are 5000 jiffies). */
static void reachable_becomes_stale_after_the_drawn_time(void **state)
{
    (void)state;
    ho_pair_run(&p, s_ms(20000));
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_REACHABLE);
    ho_pair_run(&p, s_ms(22100));
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_STALE);
}

/* What is told from outside counts at once, for an entry that is REACHABLE already: the timer that
 * was armed for 20 s finds 40 (neigh_timer_handler() reads the time anew), and no 300 s end it.
 */
static void a_held_reachable_time_counts_from_now_on(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        ho_host_neigh_hold(p.host[i], 0, false, ho_s(40));
        ho_host_neigh_hold(p.host[i], 0, true, ho_s(40));
    }
    ho_pair_run(&p, s_ms(39900));
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_REACHABLE);
    ho_pair_run(&p, s_ms(44200));
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_STALE);
}

/* Timers of one jiffy (base/due.h): the neighbour's was armed for 20 s and stands a level above
 * keepalive's, armed later for 5 s. It goes first: the entry is STALE, and the probe behind it
 * starts the delay. Were the last armed the first, the probe would find the entry REACHABLE and
 * leave it STALE, and the neighbour would be asked a probe later. In scenarios/hang-keepalive.scn
 * this happens every minute, and the virtual kernel has it so (docs/engines.md).
 */
static void of_one_jiffy_the_timer_armed_further_ahead_goes_first(void **state)
{
    (void)state;
    /* 5000 jiffies after 1000 end, by a grid of 512, at 6144; 1250 after 4860, by one of 64, too.
     */
    const struct ho_time both = s_ms(INT64_C(4) * (6144 - 1000));

    ho_pair_run(&p, s_ms(INT64_C(4) * (4860 - 1000)));
    assert_int_equal(ho_pair_set(&p, 0, a, HO_SOCKOPT_TCP_KEEPIDLE, 5), 0);
    assert_int_equal(ho_pair_set(&p, 0, a, HO_SOCKOPT_SO_KEEPALIVE, 1), 0);
    size_t mark = p.n_sent;
    ho_pair_run(&p, (struct ho_time){ both.ns - 1 });
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_REACHABLE);
    assert_int_equal(ho_pair_count(&p, 0, HO_PAIR_TCP, mark), 0);
    ho_pair_run(&p, both);
    assert_int_equal(ho_pair_count(&p, 0, HO_PAIR_TCP, mark), 1);
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_DELAY);
}

/* Traffic both ways confirms: the entry of the asked becomes REACHABLE when its delay is over. */
static void progress_of_tcp_confirms_the_neighbour(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        ho_pair_run_for(&p, ho_ms(1000));
        send_one(1);
    }
    size_t mark = p.n_sent;
    ho_pair_run_for(&p, ho_ms(1500));
    assert_int_equal(ho_pair_neigh(&p, 1), HO_NUD_REACHABLE);
    assert_int_equal(ho_pair_count(&p, 1, HO_PAIR_ARP, mark), 0);
}

/* Ground-truth B1: the data goes to the old MAC at once, the check comes 5 s later. */
static void a_stale_neighbour_is_used_at_once_and_checked_later(void **state)
{
    (void)state;
    ho_pair_run(&p, s_ms(30000));
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_STALE);
    size_t mark = p.n_sent;
    struct ho_time began = p.now;
    send_one(0);
    assert_int_equal(p.n_sent, mark + 1);
    assert_int_equal(p.sent[mark].kind, HO_PAIR_TCP);
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_DELAY);
    ho_pair_run(&p, ho_time_add(began, ho_ms(4990)));
    assert_int_equal(ho_pair_count(&p, 0, HO_PAIR_ARP, mark), 0);
    ho_pair_run(&p, ho_time_add(began, ho_ms(5300)));
    assert_in_range(ho_pair_count(&p, 0, HO_PAIR_ARP, mark), 1, 2); /* host 1 checks as well */
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_REACHABLE);
}

/* B3b: DELAY, three unicast requests, FAILED; until then segments leave and no ICMP is made. */
static void a_vanished_neighbour_fails_after_three_unicast_requests(void **state)
{
    size_t n = 0;

    (void)state;
    ho_pair_run(&p, s_ms(30000));
    p.cut[0] = p.cut[1] = true;
    struct ho_time began = p.now;
    size_t mark = p.n_sent;
    send_one(0);
    ho_pair_run(&p, ho_time_add(began, ho_ms(7900)));
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_PROBE);
    ho_pair_run(&p, ho_time_add(began, ho_ms(8400)));
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_FAILED);
    for (size_t i = mark; i < p.n_sent; i++) {
        if (p.sent[i].from == 0 && p.sent[i].kind == HO_PAIR_ARP) {
            assert_false(p.sent[i].to_all);
            n++;
        }
    }
    assert_int_equal(n, 3);
    assert_int_equal(ho_pair_counter(&p, 0, "Icmp.OutDestUnreachs"), 0);
}

/* The next retransmission asks everybody, three times; its ICMP comes 3.05 to 3.1 s later. */
static void after_that_a_retransmission_waits_for_three_broadcasts_and_fails(void **state)
{
    struct ho_time asked = { 0 };
    size_t n = 0;

    (void)state;
    ho_pair_run(&p, s_ms(30000));
    p.cut[0] = p.cut[1] = true;
    send_one(0);
    ho_pair_run_for(&p, ho_ms(8400));
    size_t mark = p.n_sent;
    while (ho_pair_counter(&p, 0, "Icmp.OutDestUnreachs") == 0 && p.now.ns < 80 * HO_NS_PER_S) {
        ho_pair_run_for(&p, ho_ms(1));
        if (asked.ns == 0 && ho_pair_neigh(&p, 0) == HO_NUD_INCOMPLETE) {
            asked = p.now;
        }
    }
    for (size_t i = mark; i < p.n_sent; i++) {
        n += p.sent[i].from == 0 && p.sent[i].kind == HO_PAIR_ARP && p.sent[i].to_all;
    }
    assert_int_equal(n, 3);
    assert_int_equal(ho_pair_count(&p, 0, HO_PAIR_TCP, mark), 0);
    assert_in_range(ho_time_since(p.now, asked).ns / 1000000, 3000, 3100);
    assert_int_equal(ho_pair_counter(&p, 0, "Icmp.InDestUnreachs"), 1);
}

/* B1, D: the entry goes when link watch acts; until then segments still leave. */
static void carrier_loss_forgets_the_neighbour_when_link_watch_acts(void **state)
{
    (void)state;
    ho_host_carrier(p.host[0], 0, false, 500000000, p.now);
    size_t mark = p.n_sent;
    send_one(0);
    assert_int_equal(p.n_sent, mark + 1);
    ho_pair_run_for(&p, ho_ms(499));
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_REACHABLE);
    ho_pair_run_for(&p, ho_ms(2));
    assert_int_equal(ho_pair_neigh(&p, 0), -1);
    mark = p.n_sent;
    ho_pair_run_for(&p, ho_s(20));
    assert_int_equal(ho_pair_count(&p, 0, HO_PAIR_TCP, mark), 0);
    assert_int_equal(ho_pair_count(&p, 0, HO_PAIR_ARP, mark), 0);
    assert_true(ho_pair_counter(&p, 0, "drop: the interface has no carrier") > 0);
}

static void carrier_back_before_link_watch_changes_nothing(void **state)
{
    (void)state;
    ho_host_carrier(p.host[0], 0, false, 500000000, p.now);
    ho_pair_run_for(&p, ho_ms(400));
    ho_host_carrier(p.host[0], 0, true, -1, p.now);
    ho_pair_run_for(&p, ho_ms(1000));
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_REACHABLE);
}

static void without_eviction_carrier_loss_keeps_the_neighbour(void **state)
{
    (void)state;
    ho_host_sysctls(p.host[0])->v[HO_SYSCTL_ARP_EVICT_NOCARRIER] = 0;
    ho_host_sysctls(p.host[0])->v[HO_SYSCTL_NDISC_EVICT_NOCARRIER] = 0;
    ho_host_carrier(p.host[0], 0, false, 0, p.now);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_REACHABLE);
}

static void permanent_entries_survive_carrier_loss_but_not_the_link_going_down(void **state)
{
    struct ho_mac mac = { .b = { 2, 0, 0, 0, 0, 2 } };

    (void)state;
    assert_int_equal(ho_host_neigh_add(p.host[0], 0, &p.addr[1], mac, p.now), 0);
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_PERMANENT);
    ho_host_carrier(p.host[0], 0, false, 0, p.now);
    ho_pair_run_for(&p, ho_ms(10));
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_PERMANENT);
    assert_int_equal(ho_host_link(p.host[0], 0, false, p.now), 0);
    assert_int_equal(ho_pair_neigh(&p, 0), -1);
}

static void permanent_entries_are_configuration_and_come_back_with_power(void **state)
{
    struct ho_mac mac = { .b = { 2, 0, 0, 0, 0, 2 } };

    (void)state;
    assert_int_equal(ho_host_neigh_add(p.host[0], 0, &p.addr[1], mac, p.now), 0);
    ho_host_power_off(p.host[0], p.now);
    assert_int_equal(ho_pair_neigh(&p, 0), -1);
    ho_host_boot(p.host[0], p.now);
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_PERMANENT);
    assert_int_equal(ho_host_neigh_del(p.host[0], 0, &p.addr[1], p.now), 0);
    assert_int_equal(ho_host_neigh_del(p.host[0], 0, &p.addr[1], p.now), -ENOENT);
}

/* The request that checks a neighbour over IPv6 comes from the link-local address. Without one it
 * is not sent, and the entry fails after three as if it had been: the first requests seen are
 * those to all (fact_no_probe_without_link_local).
 */
static void without_a_link_local_address_no_neighbour_is_checked(void **state)
{
    struct ho_addr own;

    (void)state;
    assert_int_equal(ho_addr_parse(&own, "fe80::ff:fe00:1"), 0);
    assert_int_equal(ho_host_addr_del(p.host[0], 0, &own, p.now), 0);
    ho_pair_run(&p, s_ms(30000));
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_STALE);
    p.cut[0] = p.cut[1] = true;
    size_t mark = p.n_sent;
    struct ho_time began = p.now;
    send_one(0);
    ho_pair_run(&p, ho_time_add(began, ho_ms(5300)));
    assert_int_equal(ho_pair_neigh(&p, 0), HO_NUD_PROBE);
    ho_pair_run(&p, ho_time_add(began, ho_ms(40000)));
    assert_in_range(ho_pair_count(&p, 0, HO_PAIR_ARP, mark), 3, 30);
    for (size_t i = mark; i < p.n_sent; i++) {
        if (p.sent[i].from == 0 && p.sent[i].kind == HO_PAIR_ARP) {
            assert_true(p.sent[i].to_all);
        }
    }
}

/* unres_qlen_bytes bounds what waits; the oldest goes. Two small packets fit into 2000 bytes. */
static void the_queue_of_an_unresolved_neighbour_is_bounded(void **state)
{
    static struct ho_op op[4];

    (void)state;
    ho_host_sysctls(p.host[0])->v[HO_SYSCTL_NEIGH_UNRES_QLEN_BYTES] = 2000;
    ho_host_sysctls(p.host[0])->v[HO_SYSCTL_NEIGH6_UNRES_QLEN_BYTES] = 2000;
    struct ho_addr absent = p.addr[1];
    absent.b[15] = 9;
    for (int i = 0; i < 4; i++) {
        int64_t fd = ho_pair_socket(&p, 0, true);

        op[i] = (struct ho_op){ .kind = HO_OP_CONNECT, .fd = (int)fd, .addr = absent, .port = 80 };
        assert_true(ho_pair_start(&p, 0, &op[i]));
    }
    assert_int_equal(ho_pair_counter(&p, 0, "neigh.unresolved_discards"), 2);
}

#define BOTH(name)                                             \
    cmocka_unit_test_setup_teardown(name, setup_v4, teardown), \
    {                                                          \
#name " (IPv6)", name, setup_v6, teardown, NULL        \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(the_asker_is_reachable_and_the_asked_in_delay),
        BOTH(reachable_becomes_stale_after_the_drawn_time),
        BOTH(a_held_reachable_time_counts_from_now_on),
        BOTH(of_one_jiffy_the_timer_armed_further_ahead_goes_first),
        BOTH(progress_of_tcp_confirms_the_neighbour),
        BOTH(a_stale_neighbour_is_used_at_once_and_checked_later),
        BOTH(a_vanished_neighbour_fails_after_three_unicast_requests),
        BOTH(after_that_a_retransmission_waits_for_three_broadcasts_and_fails),
        BOTH(carrier_loss_forgets_the_neighbour_when_link_watch_acts),
        BOTH(carrier_back_before_link_watch_changes_nothing),
        BOTH(without_eviction_carrier_loss_keeps_the_neighbour),
        BOTH(permanent_entries_survive_carrier_loss_but_not_the_link_going_down),
        BOTH(permanent_entries_are_configuration_and_come_back_with_power),
        BOTH(the_queue_of_an_unresolved_neighbour_is_bounded),
        cmocka_unit_test_setup_teardown(without_a_link_local_address_no_neighbour_is_checked,
                                        setup_v6, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
