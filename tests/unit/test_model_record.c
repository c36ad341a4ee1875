/* What the model writes into the timeline: relative numbers, fates, names, order, and the same
 * bytes every time.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/model_play.h"
#include "timeline/jsonl.h"

#define CONNECTED                                                                     \
    "host client\nhost server\ncable client -- server delay 1ms\nneighbours static\n" \
    "connection client -> server:80\n"

/* The n-th record of a kind from a host, from 0. */
static const struct ho_record *find(const struct model_play *p, enum ho_rec_kind kind,
                                    const char *host, size_t n)
{
    for (size_t i = 0; i < p->tl.n; i++) {
        const struct ho_record *r = &p->tl.rec[i];

        if (r->kind == kind && (host[0] == '\0' || strcmp(r->host, host) == 0) && n-- == 0) {
            return r;
        }
    }
    fail_msg("the timeline has no such record");
    return NULL;
}

static void a_handshake_has_relative_numbers_and_both_options(void **state)
{
    struct model_play p;

    (void)state;
    model_play(&p, CONNECTED "at 1s client send 100\nlasts 2s\n");
    const struct ho_rec_seg *syn = &find(&p, HO_REC_SEG, "client", 0)->u.seg;
    const struct ho_rec_seg *syn_ack = &find(&p, HO_REC_SEG, "server", 0)->u.seg;
    const struct ho_rec_seg *ack = &find(&p, HO_REC_SEG, "client", 1)->u.seg;
    const struct ho_rec_seg *data = &find(&p, HO_REC_SEG, "client", 2)->u.seg;

    assert_int_equal(syn->flags, HO_TCP_SYN);
    assert_int_equal(syn->seq, 0);
    assert_true(syn->has_mss && syn->has_wscale && syn->sack_ok && syn->has_ts);
    assert_int_equal(syn->shift, 0);
    assert_string_equal(syn->to, "server");
    assert_int_equal(syn->fate, HO_FATE_FWD);
    assert_int_equal(syn->dt_deliver.ns, 1000000);
    assert_int_equal(syn_ack->flags, HO_TCP_SYN | HO_TCP_ACK);
    assert_int_equal(syn_ack->seq, 0);
    assert_int_equal(syn_ack->ack, 1);
    assert_int_equal(ack->seq, 1);
    assert_int_equal(ack->ack, 1);
    assert_int_equal(ack->shift, syn->wscale);
    assert_int_equal(data->seq, 1);
    assert_int_equal(data->len, 100);
    assert_int_not_equal(data->raw_seq, 1);
    model_play_free(&p);
}

static void a_cut_takes_what_is_under_way(void **state)
{
    struct model_play p;

    (void)state;
    /* The cut comes 0.5 ms after the segment left; its way takes 1 ms. */
    model_play(&p, CONNECTED "at 1s client send 100\nat 1.0005s cut\nlasts 1.1s\n");
    const struct ho_rec_seg *data = &find(&p, HO_REC_SEG, "client", 2)->u.seg;

    assert_int_equal(data->len, 100);
    assert_int_equal(data->fate, HO_FATE_CUT);
    assert_string_equal(data->via, "client -- server");
    model_play_free(&p);
}

static void fates_say_where_a_frame_was_lost(void **state)
{
    struct model_play p;

    (void)state;
    model_play(&p, "host client\nhost server\ncable client -- server as lan\nneighbours static\n"
                   "connection client -> server:80\nat 1s drop next 1 data\nat 1s client send 10\n"
                   "at 3s unplug client\nat 4s client send 10\nlasts 5s\n");
    const struct ho_rec_seg *dropped = &find(&p, HO_REC_SEG, "client", 2)->u.seg;

    assert_int_equal(dropped->fate, HO_FATE_LOST);
    assert_string_equal(dropped->via, "lan");
    /* Without carrier nothing leaves (ground-truth 3c): no further segment is on a wire. */
    for (size_t i = 0; i < p.tl.n; i++) {
        const struct ho_record *r = &p.tl.rec[i];

        if (r->kind == HO_REC_SEG && strcmp(r->host, "client") == 0 && r->t.ns > 3000000000) {
            assert_int_not_equal(r->u.seg.fate, HO_FATE_FWD);
        }
    }
    model_play_free(&p);
}

static void a_frame_through_a_switch_is_recorded_once(void **state)
{
    struct model_play p;

    (void)state;
    model_play(&p, "host client\nhost server\nhost other\nswitch lan\n"
                   "cable client -- lan delay 1ms\ncable server -- lan delay 2ms\n"
                   "cable other -- lan\nconnection client -> server:80\nlasts 1s\n");
    const struct ho_record *who_has = find(&p, HO_REC_ND, "client", 0);
    const struct ho_rec_seg *syn = &find(&p, HO_REC_SEG, "client", 0)->u.seg;

    assert_true(who_has->u.nd.multicast);
    assert_false(who_has->u.nd.answer);
    assert_int_equal(syn->dt_deliver.ns, 3000000);
    /* One question, one answer at the start; five seconds have not passed for more. */
    assert_int_equal(model_count(&p, HO_REC_ND, "client"), 1);
    assert_int_equal(model_count(&p, HO_REC_ND, "server"), 1);
    assert_int_equal(model_count(&p, HO_REC_ND, "other"), 0);
    model_play_free(&p);
}

/* The client's last two states must be these, from these instants on. */
static void check_last_states(const struct model_play *p, const char *first, int64_t first_ms,
                              const char *last, int64_t last_ms)
{
    const struct ho_record *seen[2] = { &p->tl.rec[0], &p->tl.rec[0] };

    for (size_t i = 0; i < p->tl.n; i++) {
        const struct ho_record *r = &p->tl.rec[i];

        if (r->kind == HO_REC_SOCK && strcmp(r->host, "client") == 0 &&
            (seen[1]->kind != HO_REC_SOCK || strcmp(seen[1]->u.sock.state, r->u.sock.state) != 0)) {
            seen[0] = seen[1];
            seen[1] = r;
        }
    }
    assert_int_equal(seen[0]->kind, HO_REC_SOCK);
    assert_string_equal(seen[0]->u.sock.state, first);
    assert_in_range(seen[0]->t.ns, first_ms * 1000000, (first_ms + 1) * 1000000);
    assert_string_equal(seen[1]->u.sock.state, last);
    assert_in_range(seen[1]->t.ns, last_ms * 1000000, (last_ms + 2100) * 1000000);
}

/* RFC 9293 3.10.7.4: FIN-WAIT-2 goes to TIME-WAIT, also where no process has it any more; 60 s
 * later a process that has it has a closed socket (tcp(7), TCP_INFO: CLOSE). A virtual 6.12 does
 * both.
 */
static void time_wait_is_seen_and_its_end(void **state)
{
    struct model_play p;

    (void)state;
    model_play(&p, CONNECTED "at 1s client close\nat 10s server close\nlasts 80s\n");
    check_last_states(&p, "TIME-WAIT", 10001, "gone", 70001);
    model_play_free(&p);
    model_play(&p, CONNECTED "at 1s client shutdown write\nat 10s server close\nlasts 80s\n");
    check_last_states(&p, "TIME-WAIT", 10001, "CLOSED", 70001);
    model_play_free(&p);
}

/* ground-truth s08d: SYN, challenge ACK of the old life, RST for it, SYN again 2 jiffies later. */
static void a_rebooted_client_on_the_same_port_begins_a_new_connection(void **state)
{
    static const struct {
        const char *host, *conn;
        uint8_t flags;
    } expected[] = {
        { "client", "new", HO_TCP_SYN },
        { "server", "old", HO_TCP_ACK },
        { "client", "old", HO_TCP_RST },
        { "client", "new", HO_TCP_SYN },
        { "server", "new", HO_TCP_SYN | HO_TCP_ACK },
        { "client", "new", HO_TCP_ACK },
    };
    struct model_play p;
    size_t n = 0;

    (void)state;
    model_play(&p, "host client\nhost server\ncable client -- server delay 1ms\n"
                   "neighbours static\nconnection client -> server:80 from 40000 as old\n"
                   "at 1s client send 100\nat 10s client power-off\nat 12s client boot\n"
                   "at 13s client connect server:80 from 40000 as new\nlasts 14s\n");
    for (size_t i = 0; i < p.tl.n; i++) {
        const struct ho_record *r = &p.tl.rec[i];

        if (r->kind != HO_REC_SEG || r->t.ns < 13000000000) {
            continue;
        }
        assert_true(n < sizeof(expected) / sizeof(expected[0]));
        assert_string_equal(r->host, expected[n].host);
        assert_string_equal(r->conn, expected[n].conn);
        assert_int_equal(r->u.seg.flags, expected[n].flags);
        n++;
    }
    assert_int_equal(n, sizeof(expected) / sizeof(expected[0]));
    model_play_free(&p);
}

static void an_option_is_a_setting_of_the_connection(void **state)
{
    struct model_play p;
    size_t n = 0;

    (void)state;
    model_play(&p, CONNECTED "option server TCP_KEEPIDLE 5s\noption server SO_KEEPALIVE 1\n"
                             "lasts 1s\n");
    for (size_t i = 0; i < p.tl.n; i++) {
        const struct ho_record *r = &p.tl.rec[i];

        if (r->kind == HO_REC_SETTINGS && strcmp(r->u.settings.scope, "sockopt") == 0) {
            assert_string_equal(r->host, "server");
            assert_string_equal(r->conn, "c1");
            assert_string_equal(r->process, "app");
            n++;
        }
    }
    assert_int_equal(n, 3); /* and SO_REUSEADDR, inherited from the listener */
    model_play_free(&p);
}

/* A sock record as its line, without what may change alone. */
static void sock_line(struct ho_text *out, const struct ho_record *r)
{
    struct ho_record copy = *r;

    copy.t.ns = 0;
    copy.u.sock.expires.ns = 0;
    ho_text_clear(out);
    ho_jsonl_record(out, &copy, 0);
}

/* The last sock record of a host; fails the test if there is none. */
static const struct ho_rec_sock *last_sock(const struct model_play *p, const char *host)
{
    return &find(p, HO_REC_SOCK, host, model_count(p, HO_REC_SOCK, host) - 1)->u.sock;
}

static void a_socket_is_written_down_only_when_it_changed(void **state)
{
    struct ho_text last = { 0 };
    struct ho_text line = { 0 };
    struct model_play p;

    (void)state;
    model_play(&p, CONNECTED "at 1s client send 100\nat 2s cut\nlasts 24h\n");
    for (size_t i = 0; i < p.tl.n; i++) {
        const struct ho_record *r = &p.tl.rec[i];

        if (r->kind == HO_REC_SOCK && strcmp(r->host, "client") == 0) {
            sock_line(&line, r);
            assert_string_not_equal(ho_text_str(&line), ho_text_str(&last));
            sock_line(&last, r);
        }
    }
    assert_string_equal(last_sock(&p, "client")->state, "ESTABLISHED");
    assert_true(model_count(&p, HO_REC_SOCK, "client") < 12);
    ho_text_free(&last);
    ho_text_free(&line);
    model_play_free(&p);
}

static void a_power_loss_ends_sockets_and_processes(void **state)
{
    struct model_play p;

    (void)state;
    model_play(&p, CONNECTED "at 10s client power-off\nlasts 20s\n");
    for (size_t i = 0; i < p.tl.n; i++) {
        assert_false(p.tl.rec[i].t.ns >= 10000000000 && p.tl.rec[i].kind == HO_REC_SEG);
    }
    assert_string_equal(last_sock(&p, "client")->state, "gone");
    model_play_free(&p);
}

static void a_stopped_process_takes_its_data_when_it_goes_on(void **state)
{
    struct model_play p;
    int64_t read_at = -1;
    bool waited = false;

    (void)state;
    model_play(&p, CONNECTED "at 1s client stop\nat 2s server send 500\nat 9s client continue\n"
                             "lasts 10s\n");
    for (size_t i = 0; i < p.tl.n; i++) {
        const struct ho_record *r = &p.tl.rec[i];

        if (strcmp(r->host, "client") == 0 && r->kind == HO_REC_SOCK && r->u.sock.rq == 500) {
            waited = true; /* its kernel has it, and has acknowledged it */
        }
        if (strcmp(r->host, "client") == 0 && r->kind == HO_REC_APP && !r->u.app.enter &&
            strcmp(r->u.app.call, "recv") == 0) {
            assert_int_equal(r->u.app.ret, 500);
            read_at = r->t.ns;
        }
    }
    assert_true(waited);
    assert_int_equal(read_at, 9000000000);
    model_play_free(&p);
}

static void the_same_plan_gives_the_same_timeline(void **state)
{
    static const char text[] =
        "host client\nhost server\ncable client -- server delay 3ms rate 20Mbit queue 40 loss 2%"
        " reorder 1% duplicate 1% corrupt 1%\nconnection client -> server:80\n"
        "at 1s client send 200k\nat 2s cut\nat 9s plug\nat 20s client power-off\nlasts 300s\n";
    struct model_play a;
    struct model_play b;

    (void)state;
    model_play(&a, text);
    model_play(&b, text);
    char *lines_a = model_lines(&a);
    char *lines_b = model_lines(&b);

    assert_true(a.tl.n > 500);
    assert_string_equal(lines_a, lines_b);
    free(lines_a);
    free(lines_b);
    model_play_free(&a);
    model_play_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_has_relative_numbers_and_both_options),
        cmocka_unit_test(a_cut_takes_what_is_under_way),
        cmocka_unit_test(fates_say_where_a_frame_was_lost),
        cmocka_unit_test(a_frame_through_a_switch_is_recorded_once),
        cmocka_unit_test(time_wait_is_seen_and_its_end),
        cmocka_unit_test(a_rebooted_client_on_the_same_port_begins_a_new_connection),
        cmocka_unit_test(an_option_is_a_setting_of_the_connection),
        cmocka_unit_test(a_socket_is_written_down_only_when_it_changed),
        cmocka_unit_test(a_power_loss_ends_sockets_and_processes),
        cmocka_unit_test(a_stopped_process_takes_its_data_when_it_goes_on),
        cmocka_unit_test(the_same_plan_gives_the_same_timeline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
