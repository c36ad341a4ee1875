/* What changed between two looks at a machine's connections. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/watch_track.h"
#include "watch_make.h"

static struct ho_time at(int64_t s)
{
    return (struct ho_time){ .ns = s * HO_NS_PER_S };
}

/* The look, and its events as "nginx ended,..". */
static void look(struct ho_watch_track *t, struct made *m, int64_t s, const char *expected)
{
    struct ho_text text = { 0 };

    assert_int_equal(ho_watch_track(t, &m->d, at(s)), 0);
    for (size_t i = 0; i < t->n_events; i++) {
        ho_text_printf(&text, "%s%s %s", i > 0 ? "," : "", t->events[i].conn.name,
                       ho_watch_change_word(t->events[i].change));
    }
    assert_string_equal(ho_text_str(&text), expected);
    ho_text_free(&text);
}

static void words(const struct ho_watch_event *e, const char *expected)
{
    struct ho_text text = { 0 };

    ho_watch_put_event(&text, e);
    assert_string_equal(ho_text_str(&text), expected);
    ho_text_free(&text);
}

static void the_first_look_has_trouble_and_nothing_new(void **state)
{
    struct ho_watch_track t = { 0 };
    struct made m;

    (void)state;
    made_begin(&m);
    made_add(&m, "nginx", 80, 40000);
    made_trouble(&m, made_add(&m, "redis", 6379, 40001), HO_TROUBLE_RETRANSMITTING, 41, 800, 900,
                 ETIMEDOUT);
    look(&t, &m, 100, "redis trouble");
    words(&t.events[0], "redis 10.0.0.1:6379 - 10.0.0.2:40001: retransmitting");
    look(&t, &m, 102, "");
    assert_int_equal(t.counts[HO_WATCH_TROUBLE], 1);
    ho_watch_track_free(&t);
}

static void who_comes_is_new_and_who_goes_has_ended(void **state)
{
    struct ho_watch_track t = { 0 };
    struct made m, n;

    (void)state;
    made_begin(&m);
    made_add(&m, "nginx", 80, 40000);
    made_add(&m, "psql", 40002, 5432);
    look(&t, &m, 0, "");
    made_begin(&n);
    made_add(&n, "nginx", 80, 40000);
    made_add(&n, "curl", 40003, 443);
    look(&t, &n, 2, "psql ended,curl new");
    words(&t.events[0], "psql 10.0.0.1:40002 - 10.0.0.2:5432: ended");
    assert_int_equal(t.events[0].known_ns, 2 * HO_NS_PER_S);
    assert_int_equal(t.events[0].trouble_ns, -1);
    made_begin(&m);
    look(&t, &m, 4, "nginx ended,curl ended");
    look(&t, &m, 6, "");
    assert_int_equal(t.counts[HO_WATCH_ENDED], 3);
    ho_watch_track_free(&t);
}

static void trouble_that_was_to_end_by_now_gave_up(void **state)
{
    struct ho_watch_track t = { 0 };
    struct made m, none;

    (void)state;
    made_begin(&m);
    made_begin(&none);
    made_trouble(&m, made_add(&m, "psql", 40002, 5432), HO_TROUBLE_RETRANSMITTING, 935, 1, 4,
                 ETIMEDOUT);
    look(&t, &m, 10, "psql trouble");
    look(&t, &none, 12, "psql gave-up");
    words(&t.events[0], "psql 10.0.0.1:40002 - 10.0.0.2:5432: gave up after 15 m 37 s of "
                        "retransmitting, ETIMEDOUT");
    assert_int_equal(t.events[0].conn.end.err, ETIMEDOUT);
    ho_watch_track_free(&t);
}

static void trouble_that_was_to_last_is_not_said_to_have_given_up(void **state)
{
    struct ho_watch_track t = { 0 };
    struct made m, none;

    (void)state;
    made_begin(&m);
    made_begin(&none);
    made_trouble(&m, made_add(&m, "psql", 40002, 5432), HO_TROUBLE_PROBING, 20, 600, 610,
                 ETIMEDOUT);
    look(&t, &m, 10, "psql trouble");
    look(&t, &none, 12, "psql ended");
    words(&t.events[0], "psql 10.0.0.1:40002 - 10.0.0.2:5432: ended after 22 s of probing");
    ho_watch_track_free(&t);
}

static void a_peer_that_answers_again_has_recovered(void **state)
{
    struct ho_watch_track t = { 0 };
    struct made m;

    (void)state;
    made_begin(&m);
    made_trouble(&m, made_add(&m, "psql", 40002, 5432), HO_TROUBLE_RETRANSMITTING, 3, 900, 910,
                 ETIMEDOUT);
    look(&t, &m, 10, "psql trouble");
    look(&t, &m, 12, "");
    m.said[0].outlook.trouble = HO_TROUBLE_NONE;
    look(&t, &m, 14, "psql recovered");
    words(&t.events[0],
          "psql 10.0.0.1:40002 - 10.0.0.2:5432: recovered after 7.00 s of retransmitting");
    ho_watch_track_free(&t);
}

static void the_kernels_count_of_trouble_never_makes_it_younger(void **state)
{
    struct ho_watch_track t = { 0 };
    struct made m, none;

    (void)state;
    made_begin(&m);
    made_begin(&none);
    made_trouble(&m, made_add(&m, "psql", 40002, 5432), HO_TROUBLE_RETRANSMITTING, 30, 900, 910,
                 ETIMEDOUT);
    look(&t, &m, 100, "psql trouble");
    m.said[0].outlook.since_ns = -1; /* not known this time */
    look(&t, &m, 110, "");
    look(&t, &none, 120, "psql ended");
    assert_int_equal(t.events[0].trouble_ns, 50 * HO_NS_PER_S);
    ho_watch_track_free(&t);
}

static void what_was_being_closed_was_closed(void **state)
{
    struct ho_watch_track t = { 0 };
    struct made m, none;

    (void)state;
    made_begin(&m);
    made_begin(&none);
    made_add(&m, "curl", 40003, 443);
    look(&t, &m, 0, "");
    m.conns[0].state = HO_TCP_TIME_WAIT;
    m.conns[0].inode = 0;
    m.conns[0].cookie = 77; /* the kernel puts another record in its place */
    m.conns[0].owner = HO_CONN_NO_OWNER;
    look(&t, &m, 2, "curl state");
    words(&t.events[0], "curl 10.0.0.1:40003 - 10.0.0.2:443: TIME-WAIT, was ESTABLISHED");
    look(&t, &none, 62, "curl closed");
    assert_int_equal(t.events[0].known_ns, 62 * HO_NS_PER_S);
    ho_watch_track_free(&t);
}

static void the_same_ends_with_another_cookie_are_another_connection(void **state)
{
    struct ho_watch_track t = { 0 };
    struct made m;

    (void)state;
    made_begin(&m);
    made_add(&m, "psql", 40002, 5432);
    look(&t, &m, 0, "");
    m.conns[0].cookie = 99;
    look(&t, &m, 2, "psql ended,psql new");
    m.conns[0].cookie = 0; /* not known: its inode says that it is the same */
    look(&t, &m, 4, "");
    m.conns[0].inode = 7;
    look(&t, &m, 6, "psql ended,psql new");
    m.conns[0].state = HO_TCP_TIME_WAIT;
    look(&t, &m, 8, "psql state");
    m.conns[0].state = HO_TCP_SYN_SENT; /* the pair of ports is used again */
    look(&t, &m, 10, "psql closed,psql new");
    ho_watch_track_free(&t);
}

static void namespaces_may_have_the_same_addresses(void **state)
{
    struct ho_watch_track t = { 0 };
    struct ho_conn_host hosts[2];
    struct made m;

    (void)state;
    made_begin(&m);
    hosts[0] = hosts[1] = m.host;
    hosts[1].netns = 4026532000;
    m.scan.hosts = hosts;
    m.scan.n_hosts = 2;
    made_add(&m, "one", 40002, 5432);
    made_add(&m, "two", 40002, 5432);
    m.conns[1].host = 1;
    look(&t, &m, 0, "");
    m.conns[0].state = HO_TCP_CLOSE_WAIT;
    look(&t, &m, 2, "one state");
    assert_int_equal(t.events[0].conn.netns, 4026531840);
    ho_watch_track_free(&t);
}

static void thousands_of_connections_are_each_found_again(void **state)
{
    enum {
        N = 20000
    };
    struct ho_watch_track t = { 0 };
    struct ho_conn *conns = calloc(N, sizeof(*conns));
    struct ho_diagnosis_conn *said = calloc(N, sizeof(*said));
    struct made m;

    (void)state;
    made_begin(&m);
    made_add(&m, "x", 1, 1);
    for (size_t i = 0; i < N; i++) {
        conns[i] = m.conns[0];
        conns[i].lport = (uint16_t)(i % 7);
        conns[i].rport = (uint16_t)(i / 7);
        conns[i].cookie = i + 1;
        said[i] = m.said[0];
    }
    m.scan.conns = conns;
    m.scan.n_conns = N;
    m.d.conns = said;
    look(&t, &m, 0, "");
    for (size_t i = 0; i < N / 2; i++) { /* in another order */
        struct ho_conn c = conns[i];

        conns[i] = conns[N - 1 - i];
        conns[N - 1 - i] = c;
    }
    m.scan.n_conns = N - 1;
    assert_int_equal(ho_watch_track(&t, &m.d, at(2)), 0);
    assert_int_equal(t.n_events, 1);
    assert_int_equal(t.events[0].conn.cookie, 1);
    ho_watch_track_free(&t);
    free(conns);
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_look_has_trouble_and_nothing_new),
        cmocka_unit_test(who_comes_is_new_and_who_goes_has_ended),
        cmocka_unit_test(trouble_that_was_to_end_by_now_gave_up),
        cmocka_unit_test(trouble_that_was_to_last_is_not_said_to_have_given_up),
        cmocka_unit_test(a_peer_that_answers_again_has_recovered),
        cmocka_unit_test(the_kernels_count_of_trouble_never_makes_it_younger),
        cmocka_unit_test(what_was_being_closed_was_closed),
        cmocka_unit_test(the_same_ends_with_another_cookie_are_another_connection),
        cmocka_unit_test(namespaces_may_have_the_same_addresses),
        cmocka_unit_test(thousands_of_connections_are_each_found_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
