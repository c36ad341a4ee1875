/* Unit tests of src/play/conns.c and of how descriptors claim connections (src/play/fds.c). */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "play/conns.h"
#include "play/socks.h"
#include "support/play_rig.h"

static const struct ho_wire_tcp syn = { .flags = HO_TCP_SYN, .seq = 1000 };

/* The client's app begins a connection that the plan calls `name`, now. */
static struct ho_play_end *connects(struct play_rig *r, int fd, const char *name, int64_t since_ms)
{
    struct ho_play_tuple t = play_rig_tuple(r, CLIENT);

    ho_play_fd_made(&r->tr, &r->app, fd);
    ho_play_fd_connecting(&r->tr, &r->app, fd, name, &t,
                          (struct ho_time){ .ns = since_ms * 1000000 });
    return ho_play_fd(&r->tr, &r->app, fd)->end;
}

/* A look at one socket of `node`; -1: none is there. */
static void look(struct play_rig *r, int node, int state)
{
    struct ho_play_tuple t = play_rig_tuple(r, node);
    struct ho_play_sock s = { .local = t.local,
                              .remote = t.remote,
                              .lport = t.lport,
                              .rport = t.rport,
                              .fd = -1,
                              .owned = true,
                              .state = (enum ho_tcp_state)state };

    ho_trace_round_begin(&r->tr);
    if (state >= 0) {
        ho_trace_sock(&r->tr, (uint16_t)node, &s);
    }
    ho_trace_round_end(&r->tr, (uint16_t)node);
}

static void a_connection_has_one_name_at_both_ends(void **state)
{
    struct play_rig r;
    const struct ho_record *rec;

    (void)state;
    play_rig_init(&r, false);
    connects(&r, 5, "db", 0);
    assert_string_equal(play_rig_sends(&r, CLIENT, syn)->conn, "db");
    rec = play_rig_sends(&r, SERVER,
                         (struct ho_wire_tcp){ .flags = HO_TCP_SYN | HO_TCP_ACK, .seq = 7000 });
    assert_string_equal(rec->conn, "db");
    assert_string_equal(rec->u.seg.to, "client");
    play_rig_free(&r);
}

static void a_name_that_is_taken_gets_a_number(void **state)
{
    struct play_rig r;

    (void)state;
    play_rig_init(&r, false);
    connects(&r, 5, "db", 0);
    play_rig_sends(&r, CLIENT, syn);
    look(&r, CLIENT, HO_TCP_ESTABLISHED);
    look(&r, CLIENT, -1);
    ho_play_fd_closed(&r.tr, &r.app, 5);
    connects(&r, 6, "db", 0);
    assert_string_equal(play_rig_sends(&r, CLIENT, syn)->conn, "db#2");
    play_rig_free(&r);
}

/* ground-truth 8d: the client has rebooted, the server still holds the old connection. */
static void the_old_end_answers_in_the_old_life(void **state)
{
    struct play_rig r;
    const struct ho_wire_tcp data = { .flags = HO_TCP_ACK, .seq = 7001 };

    (void)state;
    play_rig_init(&r, false);
    connects(&r, 5, "old", 0);
    play_rig_sends(&r, CLIENT, syn);
    look(&r, SERVER, HO_TCP_ESTABLISHED);
    ho_play_fds_forget(&r.app); /* power off */
    look(&r, CLIENT, -1);
    connects(&r, 5, "new", 0);
    assert_string_equal(play_rig_sends(&r, CLIENT, syn)->conn, "new");
    assert_string_equal(play_rig_sends(&r, SERVER, data)->conn, "old");
    /* The reset answers that segment: it is of the old connection. */
    assert_string_equal(
        play_rig_sends(&r, CLIENT, (struct ho_wire_tcp){ .flags = HO_TCP_RST })->conn, "old");
    look(&r, SERVER, -1);
    assert_string_equal(play_rig_sends(&r, SERVER, data)->conn, "new");
    play_rig_free(&r);
}

static void both_ends_may_connect_to_each_other(void **state)
{
    struct play_rig r;
    struct ho_play_tuple t;

    (void)state;
    play_rig_init(&r, false);
    connects(&r, 5, "a", 0);
    t = play_rig_tuple(&r, SERVER);
    ho_play_fd_connecting(&r.tr, &r.db, 3, "b", &t, r.tr.now);
    assert_ptr_equal(r.db.fd[3]->end->conn, r.app.fd[5]->end->conn);
    assert_string_equal(r.db.fd[3]->end->conn->name, "a");
    play_rig_free(&r);
}

/* ---- reported late --------------------------------------------------------------------------- */

/* What the records of the private timeline become. */
static void merged(struct play_rig *r, struct ho_timeline *to)
{
    ho_timeline_init(to, 0);
    assert_int_equal(ho_trace_merge(&r->tr, to), 0);
    assert_int_equal(to->n, r->tl.n);
}

static void a_name_that_comes_after_the_frame_reaches_its_record(void **state)
{
    struct play_rig r;
    struct ho_timeline to;

    (void)state;
    play_rig_init(&r, true);
    play_rig_at(&r, 10);
    play_rig_sends(&r, CLIENT, syn);
    look(&r, CLIENT, HO_TCP_SYN_SENT);
    play_rig_at(&r, 12);
    connects(&r, 5, "db", 9);
    look(&r, CLIENT, HO_TCP_SYN_SENT); /* nothing new: the name alone is no change */
    merged(&r, &to);
    assert_int_equal(to.n, 2);
    assert_int_equal(to.rec[0].kind, HO_REC_SEG);
    assert_string_equal(to.rec[0].conn, "db");
    assert_int_equal(to.rec[1].kind, HO_REC_SOCK);
    assert_string_equal(to.rec[1].conn, "db");
    assert_string_equal(to.rec[1].process, "app");
    assert_string_equal(to.rec[1].u.sock.sock, "db");
    ho_timeline_destroy(&to);
    play_rig_free(&r);
}

static void what_nobody_ever_names_has_no_name(void **state)
{
    struct play_rig r;
    struct ho_timeline to;

    (void)state;
    play_rig_init(&r, true);
    play_rig_sends(&r, CLIENT, syn);
    look(&r, CLIENT, HO_TCP_SYN_SENT);
    merged(&r, &to);
    assert_string_equal(to.rec[0].conn, "");
    assert_string_equal(to.rec[1].process, "");
    assert_string_equal(to.rec[1].u.sock.sock, "");
    ho_timeline_destroy(&to);
    play_rig_free(&r);
}

/* Only the instant of the call tells which of two nameless lives the report is about. */
static void a_report_claims_what_began_after_its_call(void **state)
{
    struct play_rig r;

    (void)state;
    play_rig_init(&r, true);
    play_rig_at(&r, 10);
    play_rig_sends(&r, CLIENT, syn); /* some real program's */
    play_rig_at(&r, 50);
    struct ho_play_end *e = connects(&r, 5, "db", 40);

    assert_int_equal(e->conn->serial, 2);
    play_rig_at(&r, 51);
    play_rig_sends(&r, CLIENT, (struct ho_wire_tcp){ .flags = HO_TCP_SYN, .seq = 5000 });
    assert_int_equal(r.tr.conns.serial, 2);
    play_rig_free(&r);
}

static void a_syn_with_another_number_begins_another_life(void **state)
{
    struct play_rig r;
    struct ho_timeline to;

    (void)state;
    play_rig_init(&r, true);
    play_rig_at(&r, 10);
    play_rig_sends(&r, CLIENT, syn);
    connects(&r, 5, "one", 9);
    play_rig_at(&r, 20);
    play_rig_sends(&r, CLIENT, syn); /* once more */
    play_rig_at(&r, 30);
    play_rig_sends(&r, CLIENT, (struct ho_wire_tcp){ .flags = HO_TCP_SYN, .seq = 5000 });
    play_rig_at(&r, 31);
    ho_play_fds_forget(&r.app);
    connects(&r, 5, "two", 29);
    merged(&r, &to);
    assert_string_equal(to.rec[0].conn, "one");
    assert_string_equal(to.rec[1].conn, "one");
    assert_string_equal(to.rec[2].conn, "two");
    assert_int_equal(to.rec[2].u.seg.seq, 0);
    ho_timeline_destroy(&to);
    play_rig_free(&r);
}

static void an_accepted_socket_that_is_gone_already_is_found(void **state)
{
    struct play_rig r;
    struct ho_play_tuple t;

    (void)state;
    play_rig_init(&r, true);
    play_rig_sends(&r, CLIENT, syn);
    look(&r, SERVER, HO_TCP_ESTABLISHED);
    look(&r, SERVER, -1);
    t = play_rig_tuple(&r, SERVER);
    ho_play_fd_accepted(&r.tr, &r.db, 4, "1", &t, HO_TCP_ESTABLISHED);
    assert_int_equal(r.tr.conns.serial, 1);
    play_rig_free(&r);
}

static void a_new_socket_on_a_gone_one_s_ports_is_another_life(void **state)
{
    struct play_rig r;

    (void)state;
    play_rig_init(&r, true);
    look(&r, CLIENT, HO_TCP_ESTABLISHED);
    look(&r, CLIENT, -1);
    look(&r, CLIENT, HO_TCP_SYN_SENT);
    assert_int_equal(r.tr.conns.serial, 2);
    play_rig_free(&r);
}

static void a_real_command_s_connection_is_called_after_it(void **state)
{
    struct play_rig r;
    struct ho_play_tuple t;
    struct ho_timeline to;

    (void)state;
    play_rig_init(&r, true);
    t = play_rig_tuple(&r, CLIENT);
    ho_play_conn_claim(&r.tr, CLIENT, &t, "psql", "psql"); /* nothing is there yet */
    play_rig_sends(&r, CLIENT, syn);
    look(&r, CLIENT, HO_TCP_SYN_SENT);
    ho_play_conn_claim(&r.tr, CLIENT, &t, "psql", "psql");
    ho_play_conn_claim(&r.tr, CLIENT, &t, "other", "other");
    look(&r, CLIENT, HO_TCP_SYN_SENT);
    merged(&r, &to);
    assert_int_equal(to.n, 2);
    assert_string_equal(to.rec[0].conn, "psql");
    assert_string_equal(to.rec[1].conn, "psql");
    assert_string_equal(to.rec[1].process, "psql");
    assert_string_equal(to.rec[1].u.sock.sock, "");
    ho_timeline_destroy(&to);
    play_rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_has_one_name_at_both_ends),
        cmocka_unit_test(a_name_that_is_taken_gets_a_number),
        cmocka_unit_test(the_old_end_answers_in_the_old_life),
        cmocka_unit_test(both_ends_may_connect_to_each_other),
        cmocka_unit_test(a_name_that_comes_after_the_frame_reaches_its_record),
        cmocka_unit_test(what_nobody_ever_names_has_no_name),
        cmocka_unit_test(a_report_claims_what_began_after_its_call),
        cmocka_unit_test(a_syn_with_another_number_begins_another_life),
        cmocka_unit_test(an_accepted_socket_that_is_gone_already_is_found),
        cmocka_unit_test(a_real_command_s_connection_is_called_after_it),
        cmocka_unit_test(a_new_socket_on_a_gone_one_s_ports_is_another_life),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
