/* Programs when memory runs out: every allocation of a whole conversation is made to fail in
 * turn. Nothing crashes, nothing leaks (AddressSanitizer looks), a program that could not be
 * made says -ENOMEM, and one that could goes on: the next connection works.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "program/program.h"
#include "support/alloc_fail.h"
#include "support/fake_sockets.h"

#define S INT64_C(1000000000)

/* What is played: a server and a client, and what the client's exit status is when all is well;
 * -1: it does not exit.
 */
struct play {
    const char *server, *server_args, *client, *client_args;
    int status;
};

static const struct play plays[] = {
    { "heartbeat", "listen port=80", "heartbeat", "connect addr=10.0.0.2 port=80", -1 },
    { "bulk-checker", "listen port=80", "bulk-sender", "connect addr=10.0.0.2 port=80 bytes=100k",
      0 },
    { "http-server", "80", "http-client", "10.0.0.2 80 requests=3 interval=1s after=close", 0 },
    { "http-server", "80", "http-client",
      "10.0.0.2 80 requests=2 method=POST content=20k interval=1s after=close", 0 },
};

static void new_program_fails_cleanly(void **state)
{
    (void)state;
    for (size_t i = 0; ho_program_behaviour(i) != NULL; i++) {
        static struct ho_program_arg args[] = { { "role", "listen" }, { "port", "80" } };
        const char *name = ho_program_behaviour(i)->name;
        struct ho_program_arg client[] = { { "addr", "10.0.0.2" }, { "port", "80" } };
        const struct ho_program_arg *a = args;
        size_t n_args = 2;

        if (strcmp(name, "raw") == 0) {
            n_args = 0;
        } else if (strcmp(name, "http-client") == 0) {
            a = client;
        } else if (strstr(name, "server") != NULL) {
            a = args + 1;
            n_args = 1;
        }
        for (size_t n = 1;; n++) {
            struct ho_program *p = NULL;
            int err;

            ho_alloc_fail_nth(n);
            err = ho_program_new(&p, name, a, n_args, NULL);
            if (!ho_alloc_fail_happened()) {
                ho_alloc_fail_off();
                assert_int_equal(err, 0);
                ho_program_free(p);
                break;
            }
            ho_alloc_fail_off();
            assert_int_equal(err, -ENOMEM);
            assert_null(p);
        }
    }
}

/* Plays with the n-th allocation of the programs failing. Returns whether one did. */
static bool play(const struct play *t, size_t n)
{
    struct fake *f = fake_new();
    int c, status = -1;
    bool happened;

    fake_start(f, t->server, t->server_args);
    c = fake_start(f, t->client, t->client_args);
    ho_alloc_fail_nth(n);
    fake_run(f, (struct ho_time){ 70 * S });
    happened = ho_alloc_fail_happened();
    ho_alloc_fail_off();
    if (!happened && t->status >= 0) {
        assert_true(ho_program_exited(f->program[c], &status));
        assert_int_equal(status, t->status);
    }
    if (happened) { /* the server serves on */
        int again = fake_start(f, t->client, t->client_args);

        fake_run(f, (struct ho_time){ 140 * S });
        if (t->status >= 0) {
            assert_true(ho_program_exited(f->program[again], &status));
            assert_int_equal(status, t->status);
        } else {
            assert_true(fake_conn_of(f, again) >= 0);
        }
    }
    fake_free(f);
    return happened;
}

static void each_allocation_may_fail_and_the_server_serves_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++) {
        size_t n = 1;

        while (play(&plays[i], n)) {
            n++;
        }
        assert_true(n > 3); /* some did fail */
    }
}

static void verbs_fail_cleanly(void **state)
{
    static const char *const verbs[] = {
        "listen 80",  "connect 10.0.0.2 80", "send 100", "fill",      "recv", "drain",
        "reading no", "reading yes",         "poll",     "watch yes", "close"
    };

    (void)state;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        for (size_t n = 1; n < 8; n++) {
            struct fake *f = fake_new();
            int s = fake_start(f, "raw", ""), c = fake_start(f, "raw", ""), err;

            fake_do(f, s, "listen 81");
            fake_do(f, c, "connect 10.0.0.2 81");
            fake_run(f, (struct ho_time){ S });
            ho_alloc_fail_nth(n);
            err = fake_try(f, c, verbs[i]);
            assert_true(err == 0 || (err == -ENOMEM && ho_alloc_fail_happened()));
            fake_run(f, (struct ho_time){ 2 * S });
            ho_alloc_fail_off();
            fake_do(f, s, "send 10");
            fake_run(f, (struct ho_time){ 3 * S });
            fake_free(f);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_program_fails_cleanly),
        cmocka_unit_test(each_allocation_may_fail_and_the_server_serves_on),
        cmocka_unit_test(verbs_fail_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
