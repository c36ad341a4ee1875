/* Unit tests of src/play/socks.c. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "play/socks.h"
#include "support/play_rig.h"

static struct ho_play_sock sock(const struct play_rig *r, int node)
{
    struct ho_play_tuple t = play_rig_tuple(r, node);

    return (struct ho_play_sock){ .local = t.local,
                                  .remote = t.remote,
                                  .lport = t.lport,
                                  .rport = t.rport,
                                  .fd = -1,
                                  .owned = true,
                                  .state = HO_TCP_ESTABLISHED,
                                  .timer = HO_SOCK_TIMER_KEEPALIVE,
                                  .expires_us = 5000000,
                                  .rto_us = 204000,
                                  .cwnd = 10 };
}

/* One round at the client; `s` NULL: no socket is there. */
static void round_of(struct play_rig *r, const struct ho_play_sock *s)
{
    ho_trace_round_begin(&r->tr);
    if (s != NULL) {
        ho_trace_sock(&r->tr, CLIENT, s);
    }
    ho_trace_round_end(&r->tr, CLIENT);
}

static void a_sample_says_what_the_kernel_says(void **state)
{
    struct play_rig r;
    struct ho_play_sock s;
    const struct ho_record *rec;

    (void)state;
    play_rig_init(&r, false);
    s = sock(&r, CLIENT);
    s.err_soft = EHOSTUNREACH;
    round_of(&r, &s);
    rec = play_rig_last(&r);
    assert_int_equal(rec->kind, HO_REC_SOCK);
    assert_string_equal(rec->host, "client");
    assert_string_equal(rec->u.sock.state, "ESTABLISHED");
    assert_string_equal(rec->u.sock.err, "");
    assert_string_equal(rec->u.sock.err_soft, "EHOSTUNREACH");
    assert_int_equal(rec->u.sock.expires.ns, 5000000000);
    assert_int_equal(rec->u.sock.rto.ns, 204000000);
    play_rig_free(&r);
}

static void time_that_goes_by_is_no_change(void **state)
{
    struct play_rig r;
    struct ho_play_sock s;

    (void)state;
    play_rig_init(&r, false);
    s = sock(&r, CLIENT);
    round_of(&r, &s);
    s.expires_us = 4000000;
    round_of(&r, &s);
    assert_int_equal(r.tl.n, 1);
    s.probes = 1;
    round_of(&r, &s);
    assert_int_equal(r.tl.n, 2);
    play_rig_free(&r);
}

static void a_timer_that_is_off_expires_never(void **state)
{
    struct play_rig r;
    struct ho_play_sock s;

    (void)state;
    play_rig_init(&r, false);
    s = sock(&r, CLIENT);
    s.timer = HO_SOCK_TIMER_OFF;
    round_of(&r, &s);
    assert_int_equal(play_rig_last(&r)->u.sock.expires.ns, 0);
    play_rig_free(&r);
}

static void a_socket_that_is_not_found_is_gone_once(void **state)
{
    struct play_rig r;
    struct ho_play_sock s;

    (void)state;
    play_rig_init(&r, false);
    s = sock(&r, CLIENT);
    assert_false(ho_trace_has_socks(&r.tr, CLIENT));
    round_of(&r, &s);
    assert_true(ho_trace_has_socks(&r.tr, CLIENT));
    round_of(&r, NULL);
    round_of(&r, NULL);
    assert_int_equal(r.tl.n, 2);
    assert_string_equal(play_rig_last(&r)->u.sock.state, "gone");
    assert_false(ho_trace_has_socks(&r.tr, CLIENT));
    play_rig_free(&r);
}

static void one_host_s_round_says_nothing_of_another_s_sockets(void **state)
{
    struct play_rig r;
    struct ho_play_sock s;

    (void)state;
    play_rig_init(&r, false);
    s = sock(&r, SERVER);
    ho_trace_round_begin(&r.tr);
    ho_trace_sock(&r.tr, SERVER, &s);
    ho_trace_round_end(&r.tr, SERVER);
    round_of(&r, NULL);
    assert_int_equal(r.tl.n, 1);
    play_rig_free(&r);
}

/* 127.0.0.1 is every host's: no address of the plan. Two hosts may even have the same ports. */
static void a_connection_over_the_loopback_is_told_once(void **state)
{
    static const int nodes[] = { CLIENT, SERVER };
    struct play_rig r;
    struct ho_play_sock s, other;

    (void)state;
    play_rig_init(&r, false);
    s = sock(&r, CLIENT);
    s.local = s.remote = ho_addr_v4(127, 0, 0, 1);
    other = s;
    other.lport = s.rport;
    other.rport = s.lport;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 2; i++) {
            ho_trace_round_begin(&r.tr);
            ho_trace_sock(&r.tr, (uint16_t)nodes[i], &s);
            ho_trace_sock(&r.tr, (uint16_t)nodes[i], &other);
            ho_trace_round_end(&r.tr, (uint16_t)nodes[i]);
        }
    }
    assert_int_equal(r.tl.n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(r.tl.rec[i].u.sock.state, "ESTABLISHED");
        assert_string_equal(r.tl.rec[i].host, i < 2 ? "client" : "server");
    }
    round_of(&r, &s); /* one end is gone at one host */
    assert_int_equal(r.tl.n, 5);
    assert_string_equal(play_rig_last(&r)->u.sock.state, "gone");
    assert_true(ho_trace_has_socks(&r.tr, SERVER));
    play_rig_free(&r);
}

static void listeners_are_no_connections(void **state)
{
    struct play_rig r;
    struct ho_play_sock s;

    (void)state;
    play_rig_init(&r, false);
    s = sock(&r, CLIENT);
    s.state = HO_TCP_LISTEN;
    round_of(&r, &s);
    assert_int_equal(r.tl.n, 0);
    play_rig_free(&r);
}

static void an_orphan_belongs_to_no_process(void **state)
{
    struct play_rig r;
    struct ho_play_tuple t;
    struct ho_play_sock s;

    (void)state;
    play_rig_init(&r, false);
    t = play_rig_tuple(&r, CLIENT);
    ho_play_fd_connecting(&r.tr, &r.app, 5, "db", &t, r.tr.now);
    s = sock(&r, CLIENT);
    round_of(&r, &s);
    assert_string_equal(play_rig_last(&r)->process, "app");
    s.owned = false;
    s.state = HO_TCP_FIN_WAIT2;
    round_of(&r, &s);
    assert_string_equal(play_rig_last(&r)->process, "");
    assert_string_equal(play_rig_last(&r)->u.sock.sock, "db");
    play_rig_free(&r);
}

static void an_engine_may_know_whose_a_socket_is(void **state)
{
    struct play_rig r;
    struct ho_play_sock s;

    (void)state;
    play_rig_init(&r, true);
    s = sock(&r, CLIENT);
    s.process = "redis";
    round_of(&r, &s);
    assert_string_equal(play_rig_last(&r)->process, "redis");
    play_rig_free(&r);
}

static void neighbour(struct play_rig *r, const char *text)
{
    ho_trace_round_begin(&r->tr);
    if (text != NULL) {
        ho_trace_neigh(&r->tr, CLIENT, &r->node[SERVER].addr[0].addr, text);
    }
    ho_trace_round_end_neighs(&r->tr, CLIENT);
}

static void a_neighbour_is_told_of_when_its_state_changes(void **state)
{
    struct play_rig r;
    char stale[] = "STALE"; /* another pointer to equal text */

    (void)state;
    play_rig_init(&r, false);
    neighbour(&r, "NONE");
    assert_int_equal(r.tl.n, 0);
    neighbour(&r, "STALE");
    neighbour(&r, stale);
    assert_int_equal(r.tl.n, 1);
    neighbour(&r, "REACHABLE");
    assert_string_equal(play_rig_last(&r)->u.neigh.state, "REACHABLE");
    neighbour(&r, NULL);
    neighbour(&r, NULL);
    assert_int_equal(r.tl.n, 3);
    assert_string_equal(play_rig_last(&r)->u.neigh.state, "gone");
    play_rig_free(&r);
}

static void a_round_of_neighbours_leaves_sockets_alone(void **state)
{
    struct play_rig r;
    struct ho_play_sock s;

    (void)state;
    play_rig_init(&r, false);
    s = sock(&r, CLIENT);
    round_of(&r, &s);
    neighbour(&r, NULL);
    assert_int_equal(r.tl.n, 1);
    play_rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_says_what_the_kernel_says),
        cmocka_unit_test(time_that_goes_by_is_no_change),
        cmocka_unit_test(a_timer_that_is_off_expires_never),
        cmocka_unit_test(a_socket_that_is_not_found_is_gone_once),
        cmocka_unit_test(one_host_s_round_says_nothing_of_another_s_sockets),
        cmocka_unit_test(a_connection_over_the_loopback_is_told_once),
        cmocka_unit_test(listeners_are_no_connections),
        cmocka_unit_test(an_orphan_belongs_to_no_process),
        cmocka_unit_test(an_engine_may_know_whose_a_socket_is),
        cmocka_unit_test(a_neighbour_is_told_of_when_its_state_changes),
        cmocka_unit_test(a_round_of_neighbours_leaves_sockets_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
