/* The runner walks a plan over an engine's verbs: here an engine that only writes down what it
 * was told.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "scenario/runner.h"

struct book {
    struct ho_text text;
    struct ho_timeline *tl;
    struct ho_time now;
    const char *fails; /* the verb that fails, or NULL */
    int err;
};

static int wrote(void *self, const char *verb, unsigned n)
{
    struct book *b = self;

    ho_text_printf(&b->text, "%lld %s %u\n", (long long)(b->now.ns / HO_NS_PER_S), verb, n);
    return b->fails != NULL && strcmp(b->fails, verb) == 0 ? b->err : 0;
}

static int on_check(void *self, const struct ho_plan *plan, const struct ho_step **ret_step)
{
    int err = wrote(self, "check", (unsigned)plan->step_count);

    if (err != 0) {
        *ret_step = &plan->steps[0];
    }
    return err;
}

static int on_begin(void *self, const struct ho_plan *plan, struct ho_timeline *timeline)
{
    struct book *b = self;

    b->tl = timeline;
    return wrote(self, "begin", (unsigned)plan->node_count);
}

static int on_run_until(void *self, struct ho_time t)
{
    struct book *b = self;

    assert_false(ho_time_before(t, b->now));
    b->now = t;
    return wrote(self, "run_until", 0);
}

static int on_call(void *self, uint16_t proc, const struct ho_plan_call *call)
{
    return wrote(self, ho_call_text(call->kind), proc);
}

static int on_program(void *self, uint16_t proc, const struct ho_plan_program *program)
{
    return wrote(self, program->name, proc);
}

static int on_sysctl(void *self, uint16_t host, const struct ho_plan_sysctl *sysctl)
{
    return wrote(self, sysctl->name, host);
}

static int on_start(void *self, uint16_t proc)
{
    return wrote(self, "start", proc);
}

static int on_note(void *self, const struct ho_step *step)
{
    struct book *b = self;
    const struct ho_record r = { .t = b->now,
                                 .kind = HO_REC_NOTE,
                                 .host = "",
                                 .process = "",
                                 .conn = "",
                                 .u.note.text = step->u.text };

    (void)ho_timeline_append(b->tl, &r);
    return wrote(self, "note", 0);
}

/* All verbs that take a place and a step. */
#define VERB(name)                                                           \
    static int on_##name(void *self, uint16_t n, const struct ho_step *step) \
    {                                                                        \
        assert_string_not_equal(step->verb, "");                             \
        return wrote(self, #name, n);                                        \
    }

VERB(kill)
VERB(stop)
VERB(cont)
VERB(power_off)
VERB(boot)
VERB(interface)
VERB(address)
VERB(route)
VERB(neighbour)
VERB(cut)
VERB(unplug)
VERB(plug)
VERB(drop)

static int on_finish(void *self)
{
    return wrote(self, "finish", 0);
}

static const char *on_why(void *self)
{
    const struct book *b = self;

    return b->fails;
}

static struct ho_engine engine_of(struct book *b)
{
    return (struct ho_engine){
        .name = "book",
        .self = b,
        .check = on_check,
        .begin = on_begin,
        .run_until = on_run_until,
        .start = on_start,
        .call = on_call,
        .program = on_program,
        .kill = on_kill,
        .stop = on_stop,
        .cont = on_cont,
        .sysctl = on_sysctl,
        .power_off = on_power_off,
        .boot = on_boot,
        .interface = on_interface,
        .address = on_address,
        .route = on_route,
        .neighbour = on_neighbour,
        .cut = on_cut,
        .unplug = on_unplug,
        .plug = on_plug,
        .drop = on_drop,
        .note = on_note,
        .finish = on_finish,
        .why = on_why,
    };
}

static const char all_verbs[] = "lasts 30s\n"
                                "host client\n"
                                "host server\n"
                                "cable client -- server\n"
                                "process client.db\n"
                                "connection client -> server:7000\n"
                                "program client.db heartbeat interval=1s\n"
                                "at 1s cut\n"
                                "at 2s plug\n"
                                "at 3s unplug server\n"
                                "at 4s drop next 2 ACK\n"
                                "at 5s set server net.ipv4.tcp_retries2 3\n"
                                "at 6s note \"here\"\n"
                                "at 7s client.db stop\n"
                                "at 8s client.db continue\n"
                                "at 9s client.db kill\n"
                                "at 10s client power-off\n"
                                "at 11s client boot\n"
                                "at 12s server interface lo down\n"
                                "at 12s server address del 10.0.0.2/24\n"
                                "at 12s server route del 10.0.0.0/24\n"
                                "at 12s server neighbour add client\n"
                                "expect nobody notices\n"
                                "expect client sends RST\n";

static const char all_told[] = "0 check 21\n"
                               "0 begin 2\n"
                               "0 start 2\n"
                               "0 heartbeat 2\n"
                               "0 start 1\n"
                               "0 listen 1\n"
                               "0 start 0\n"
                               "0 connect 0\n"
                               "1 run_until 0\n"
                               "1 cut 0\n"
                               "2 run_until 0\n"
                               "2 plug 0\n"
                               "3 run_until 0\n"
                               "3 unplug 0\n"
                               "4 run_until 0\n"
                               "4 drop 0\n"
                               "5 run_until 0\n"
                               "5 net.ipv4.tcp_retries2 1\n"
                               "6 run_until 0\n"
                               "6 note 0\n"
                               "7 run_until 0\n"
                               "7 stop 2\n"
                               "8 run_until 0\n"
                               "8 cont 2\n"
                               "9 run_until 0\n"
                               "9 kill 2\n"
                               "10 run_until 0\n"
                               "10 power_off 0\n"
                               "11 run_until 0\n"
                               "11 boot 0\n"
                               "12 run_until 0\n"
                               "12 interface 1\n"
                               "12 address 1\n"
                               "12 route 1\n"
                               "12 neighbour 1\n"
                               "30 run_until 0\n"
                               "30 finish 0\n";

struct played {
    struct ho_scn *s;
    struct ho_plan *p;
    struct ho_timeline tl;
    struct ho_run_result r;
    struct ho_run_error e;
};

static int play(struct played *x, struct book *b)
{
    struct ho_scn_error e = { 0 };
    const struct ho_engine engine = engine_of(b);

    assert_int_equal(ho_scn_parse(&x->s, "test", all_verbs, sizeof(all_verbs) - 1, &e), 0);
    const struct ho_scn_case c = ho_scn_case(x->s, 0);
    if (ho_plan_make(&x->p, x->s, &c, NULL, &e) != 0) {
        fail_msg("%u:%u: %s", e.line, e.column, e.text);
    }
    ho_timeline_init(&x->tl, 0);
    return ho_run(&x->r, x->p, &engine, &x->tl, &x->e);
}

static void end(struct played *x, struct book *b)
{
    ho_run_result_free(&x->r);
    ho_timeline_destroy(&x->tl);
    ho_plan_free(x->p);
    ho_scn_free(x->s);
    ho_text_free(&b->text);
}

static void every_step_becomes_its_verb_at_its_time(void **state)
{
    (void)state;
    struct book b = { 0 };
    struct played x = { 0 };

    assert_int_equal(play(&x, &b), 0);
    assert_string_equal(ho_text_str(&b.text), all_told);
    end(&x, &b);
}

static void expectations_are_judged_by_the_timeline(void **state)
{
    (void)state;
    struct book b = { 0 };
    struct played x = { 0 };
    struct ho_text t = { 0 };

    assert_int_equal(play(&x, &b), 0);
    assert_int_equal(x.tl.n, 1); /* the note */
    assert_int_equal(x.r.judgement_count, 2);
    assert_int_equal(x.r.failed, 1);
    assert_true(x.r.judgements[0].met);
    assert_false(x.r.judgements[1].met);
    ho_expect_print(x.s, x.r.judgements[1].expect, &t);
    assert_string_equal(ho_text_str(&t), "client sends RST");
    ho_text_free(&t);
    end(&x, &b);
}

static void an_engine_that_fails_ends_the_play_with_line_and_reason(void **state)
{
    (void)state;
    static const struct {
        const char *verb;
        int err;
        unsigned line;
        const char *last;
    } failures[] = {
        { "check", -ENOTSUP, 7, "0 check 21\n" },   { "begin", -ENOMEM, 0, "0 begin 2\n" },
        { "connect", -EINVAL, 6, "0 connect 0\n" }, { "unplug", -ENOTSUP, 10, "3 unplug 0\n" },
        { "finish", -EIO, 0, "30 finish 0\n" },
    };

    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        struct book b = { .fails = failures[i].verb, .err = failures[i].err };
        struct played x = { 0 };
        assert_int_equal(play(&x, &b), failures[i].err);
        assert_int_equal(x.e.line, failures[i].line);
        assert_string_equal(x.e.text, failures[i].verb);
        assert_null(x.r.judgements);
        size_t len = strlen(failures[i].last);
        assert_true(b.text.len >= len);
        assert_string_equal(ho_text_str(&b.text) + b.text.len - len, failures[i].last);
        end(&x, &b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_becomes_its_verb_at_its_time),
        cmocka_unit_test(expectations_are_judged_by_the_timeline),
        cmocka_unit_test(an_engine_that_fails_ends_the_play_with_line_and_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
