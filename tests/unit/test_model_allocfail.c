/* Every allocation of a play made to fail in turn: building the world, playing it, reading its
 * verdicts. Each failure is an error with a clear line or the kernel's own (a lost frame, a call
 * that fails), and nothing is leaked (LeakSanitizer); the last play, without a failure, is right.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/model.h"
#include "scenario/runner.h"
#include "support/alloc_fail.h"
#include "support/model_play.h"

/* ARP, data, a switch, a middlebox, a cut, a reboot, a kill, programs, keepalive, an option. */
static const char text[] =
    "host client\nhost server\nswitch lan\nmiddlebox nat forgets after 300s then resets\n"
    "cable client -- lan -- nat -- server\n"
    "option server SO_KEEPALIVE 1\noption server TCP_KEEPIDLE 5s\noption server TCP_KEEPINTVL 1s\n"
    "connection client -> server:80\nset server net.ipv4.tcp_retries2 3\n"
    "process server.echo\nat 0s server.echo run echo-server port=7\n"
    "at 1s client send 3000\nat 1.5s client connect server:7 as echo\nat 2s client send 10\n"
    "at 3s cut client -- lan\nat 4s server send 100\n"
    "at 20s plug\nat 21s client power-off\nat 23s client boot\n"
    "at 24s client connect server:80 as again\nat 25s client kill\nlasts 30s\n";

/* Plays `p`'s plan on a fresh model; the plan stays. */
static int play(struct model_play *p)
{
    int err = model_run(p);

    if (err == 0) {
        err = ho_verdicts_range(&p->tl, &p->result.verdicts);
        ho_run_result_free(&p->result);
    }
    return err;
}

static void every_allocation_may_fail(void **state)
{
    struct model_play p;
    size_t n = 0;
    bool happened = true;

    (void)state;
    model_plan(&p, text);
    while (happened) {
        ho_alloc_fail_nth(++n);
        int err = play(&p);

        happened = ho_alloc_fail_happened();
        ho_alloc_fail_off();
        /* As in a kernel a frame that could not be made is a counted drop, and a call may fail:
         * then the play goes on, or a later step finds no connection (-EINVAL). model_run() wants a
         * reason for every error.
         */
        if (happened && err != -EINVAL && err != 0) {
            assert_int_equal(err, -ENOMEM);
        }
        if (!happened) {
            assert_int_equal(err, 0);
        }
        ho_timeline_destroy(&p.tl);
        p.why.text[0] = '\0';
    }
    assert_true(n > 40);
    model_play_free(&p);
}

/* Memory that is gone for good, from some moment on. */
static void memory_may_be_gone_from_any_moment_on(void **state)
{
    struct model_play p;
    bool happened = true;

    (void)state;
    model_plan(&p, text);
    for (size_t n = 1; happened; n += 7) {
        ho_alloc_fail_from(n);
        int err = play(&p);

        happened = ho_alloc_fail_happened();
        ho_alloc_fail_off();
        assert_true(err == 0 || err == -ENOMEM || err == -EINVAL);
        ho_timeline_destroy(&p.tl);
    }
    model_play_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(memory_may_be_gone_from_any_moment_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
