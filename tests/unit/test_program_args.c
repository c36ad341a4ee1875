/* Unit tests of arguments (src/program/param.c) and of the lists of behaviours and verbs. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "program/param.h"
#include "program/program.h"

static void durations_are_exact_or_refused(void **state)
{
    static const struct {
        const char *text;
        int64_t ns; /* -1: refused */
    } cases[] = {
        { "0", 0 },
        { "0s", 0 },
        { "1ns", 1 },
        { "7us", 7000 },
        { "500ms", 500000000 },
        { "1.5s", 1500000000 },
        { "0.000000001s", 1 },
        { "1.000000001s", 1000000001 },
        { "2.5m", 150000000000 },
        { "2h", 7200000000000 },
        { "3min", 180000000000 },
        { "2h11m15s", 7875000000000 },
        { "1s500ms", 1500000000 },
        { "1s1h", -1 },
        { "1s1s", -1 },
        { "1h1", -1 },
        { "9223372036s1s", -1 },
        { "2562047h48m", -1 },
        { "0.25d", 21600000000000 },
        { "9223372036s", 9223372036000000000 },
        { "9223372037s", -1 },
        { "106752d", -1 },
        { "99999999999999999999s", -1 },
        { "1.0000000001s", -1 },
        { "10", -1 },
        { "s", -1 },
        { "", -1 },
        { "-1s", -1 },
        { "1.s", -1 },
        { ".5s", -1 },
        { "1 s", -1 },
        { "1sec", -1 },
        { "1e3s", -1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ns = 42;

        assert_int_equal(ho_dur_read(&ns, cases[i].text), cases[i].ns < 0 ? -EINVAL : 0);
        assert_int_equal(ns, cases[i].ns < 0 ? 42 : cases[i].ns);
    }
}

static void durations_are_written_as_they_are_read(void **state)
{
    static const char *const texts[] = { "0s",  "1ns",   "1500us", "1500ms", "60s",
                                         "90s", "3600s", "2h",     "24h",    "7201s" };
    char text[32];
    int64_t ns;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(ho_dur_read(&ns, texts[i]), 0);
        ho_dur_write(text, sizeof(text), ns);
        assert_string_equal(text, texts[i]);
    }
}

static void socket_options_are_read_or_refused_with_what_could_stand_there(void **state)
{
    static const struct {
        const char *text, *why; /* NULL: good */
        unsigned n;
    } cases[] = {
        { "", NULL, 0 },
        { "SO_KEEPALIVE=1", NULL, 1 },
        { "SO_KEEPALIVE=1,TCP_KEEPIDLE=5,SO_LINGER=1:0,TCP_CONGESTION=reno,TCP_LINGER2=-1", NULL,
          5 },
        { "SO_KEEPALIVE", "NAME=VALUE, such as SO_KEEPALIVE=1", 0 },
        { "SO_KEEPALIV=1", "the name of a socket option, such as SO_KEEPALIVE or TCP_USER_TIMEOUT",
          0 },
        { "SO_ERROR=1", "an option that can be set", 0 },
        { "TCP_KEEPIDLE=x", "a whole number", 0 },
        { "TCP_KEEPIDLE=5s", "a whole number", 0 },
        { "SO_LINGER=1", "on:seconds, such as SO_LINGER=1:0", 0 },
        { "TCP_CONGESTION=bbr", "\"reno\" or \"cubic\"", 0 },
        { "SO_KEEPALIVE=1,", "another option after the comma", 0 },
    };
    struct ho_sockopts o;
    const char *why;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int ret = ho_sockopts_read(&o, cases[i].text, &why);

        assert_int_equal(ret, cases[i].why == NULL ? 0 : -EINVAL);
        if (ret == 0) {
            assert_int_equal(o.n, cases[i].n);
        } else {
            assert_string_equal(why, cases[i].why);
        }
    }
    ho_sockopts_read(&o, "SO_LINGER=1:7", &why);
    assert_int_equal(o.o[0].opt, HO_SOCKOPT_SO_LINGER);
    assert_int_equal(o.o[0].value[0], 1);
    assert_int_equal(o.o[0].value[1], 7);
}

static void refused(const char *behaviour, const char *text, const char *want)
{
    struct ho_program_arg args[8];
    struct ho_program_error error = { 0 };
    char copy[200], *s = copy;
    size_t n = 0;

    snprintf(copy, sizeof(copy), "%s", text);
    while (*s != '\0') {
        char *end = strchr(s, ' '), *eq;

        if (end != NULL) {
            *end = '\0';
        }
        eq = strchr(s, '=');
        args[n] = (struct ho_program_arg){ NULL, s };
        if (eq != NULL) {
            *eq = '\0';
            args[n] = (struct ho_program_arg){ s, eq + 1 };
        }
        n++;
        s = end != NULL ? end + 1 : s + strlen(s);
        s = end == NULL && eq != NULL ? eq + 1 + strlen(eq + 1) : s;
    }
    assert_int_equal(ho_program_check(behaviour, args, n, &error), -EINVAL);
    assert_string_equal(error.text, want);
}

static void mistakes_name_the_key_what_was_found_and_what_could_stand_there(void **state)
{
    (void)state;
    refused("echo", "7",
            "program: found \"echo\", expected raw, echo-server, bulk-sender, bulk-checker, "
            "heartbeat, http-server, http-client");
    refused("echo-server", "", "port: missing, expected a port from 1 to 65535");
    refused("echo-server", "port=0", "port: found \"0\", expected 1 to 65535");
    refused("echo-server", "port=http", "port: found \"http\", expected a port from 1 to 65535");
    refused("echo-server", "7 7",
            "found \"7\", expected a key of echo-server: port, addr, name, backlog, "
            "max_connections, buffer, options, log");
    refused("echo-server", "7 port=8", "port: given twice");
    refused("echo-server", "7 addr=10.0.0",
            "addr: found \"10.0.0\", expected an address such as 10.0.0.2 or fd00::2");
    refused("echo-server", "7 name=a.b",
            "name: found \"a.b\", expected a name of at most 15 letters, digits, '-' or '_'");
    refused("echo-server", "7 buffer=1T",
            "buffer: found \"1T\", expected a number of bytes such as 1000, 64k or 10M");
    refused("echo-server", "7 buffer=65M", "buffer: found \"65M\", expected 1 to 67108864 bytes");
    refused("heartbeat", "port=5", "role: missing, expected connect|listen");
    refused("heartbeat", "listen port=5 interval=ten",
            "interval: found \"ten\", expected a duration such as 500ms, 10s, 1.5s or 2h");
    refused("http-server", "80 header_timeout=0",
            "header_timeout: found \"0\", expected 1ms to 100000h");
    refused("raw", "port=5", "port: raw has no such key, expected no arguments");
}

/* Every default is a value that the parameter itself takes, and every list fits. */
static void the_lists_are_sound(void **state)
{
    struct ho_value v[HO_PARAMS_MAX];
    struct ho_program_error error;
    const struct ho_program_spec *s;

    (void)state;
    for (int verbs = 0; verbs < 2; verbs++) {
        for (size_t i = 0; (s = verbs ? ho_program_verb(i) : ho_program_behaviour(i)) != NULL;
             i++) {
            struct ho_program_spec optional = *s;
            struct ho_param params[HO_PARAMS_MAX];

            assert_true(s->n_params <= HO_PARAMS_MAX);
            optional.n_params = 0;
            for (size_t k = 0; k < s->n_params; k++) {
                assert_non_null(s->params[k].help);
                assert_true((s->params[k].kind == HO_PARAM_CHOICE) ==
                            (s->params[k].choices != NULL));
                if (s->params[k].fallback != NULL) {
                    params[optional.n_params++] = s->params[k];
                }
            }
            optional.params = params;
            error.text[0] = '\0';
            assert_int_equal(ho_params_read(&optional, NULL, 0, v, &error), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_exact_or_refused),
        cmocka_unit_test(durations_are_written_as_they_are_read),
        cmocka_unit_test(socket_options_are_read_or_refused_with_what_could_stand_there),
        cmocka_unit_test(mistakes_name_the_key_what_was_found_and_what_could_stand_there),
        cmocka_unit_test(the_lists_are_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
