/* Unit tests of src/knobs/state.c, errno.c, sockopt.c, unit.c and docs.c. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "knobs/docs.h"
#include "knobs/errno.h"
#include "knobs/sockopt.h"
#include "knobs/state.h"

/* Numbers: /usr/include/netinet/tcp.h. Words: ss(8). */
static void states_have_linux_numbers_and_the_words_of_ss(void **state)
{
    (void)state;
    const struct {
        enum ho_tcp_state state;
        int number;
        const char *ss, *rfc;
    } cases[] = {
        { HO_TCP_ESTABLISHED, 1, "ESTAB", "ESTABLISHED" },
        { HO_TCP_SYN_SENT, 2, "SYN-SENT", "SYN-SENT" },
        { HO_TCP_SYN_RECV, 3, "SYN-RECV", "SYN-RECEIVED" },
        { HO_TCP_FIN_WAIT1, 4, "FIN-WAIT-1", "FIN-WAIT-1" },
        { HO_TCP_FIN_WAIT2, 5, "FIN-WAIT-2", "FIN-WAIT-2" },
        { HO_TCP_TIME_WAIT, 6, "TIME-WAIT", "TIME-WAIT" },
        { HO_TCP_CLOSE, 7, "UNCONN", "CLOSED" },
        { HO_TCP_CLOSE_WAIT, 8, "CLOSE-WAIT", "CLOSE-WAIT" },
        { HO_TCP_LAST_ACK, 9, "LAST-ACK", "LAST-ACK" },
        { HO_TCP_LISTEN, 10, "LISTEN", "LISTEN" },
        { HO_TCP_CLOSING, 11, "CLOSING", "CLOSING" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(cases[i].state, cases[i].number);
        assert_string_equal(ho_tcp_state_ss(cases[i].state), cases[i].ss);
        assert_string_equal(ho_tcp_state_name(cases[i].state), cases[i].rfc);
        assert_int_equal(ho_tcp_state_find(cases[i].ss), cases[i].number);
        assert_int_equal(ho_tcp_state_find(cases[i].rfc), cases[i].number);
    }
    assert_int_equal(ho_tcp_state_find("fin_wait_1"), HO_TCP_FIN_WAIT1);
    assert_int_equal(ho_tcp_state_find("ESTABLISH"), -1);
    assert_int_equal(ho_tcp_state_find(""), -1);
}

static void errnos_are_known_by_name_and_number(void **state)
{
    (void)state;

    assert_string_equal(ho_errno_name(ETIMEDOUT), "ETIMEDOUT");
    assert_string_equal(ho_errno_name(-EHOSTUNREACH), "EHOSTUNREACH");
    assert_string_equal(ho_errno_name(0), "0");
    assert_string_equal(ho_errno_name(9999), "E?");
    assert_string_equal(ho_errno_text(0), "");
    assert_true(strlen(ho_errno_text(-EPIPE)) > 0);
    assert_int_equal(ho_errno_find("ECONNRESET"), ECONNRESET);
    assert_int_equal(ho_errno_find("ENOTHING"), -ENOENT);
    assert_int_equal(ho_errno_find("0"), -ENOENT);
    /* include/uapi/asm-generic/errno.h */
    assert_int_equal(ho_errno_linux(ETIMEDOUT), 110);
    assert_int_equal(ho_errno_linux(-EPIPE), 32);
    assert_int_equal(ho_errno_linux(9999), 0);
    assert_int_equal(ho_errno_from_linux(113), EHOSTUNREACH);
    assert_int_equal(ho_errno_from_linux(9999), -ENOENT);
}

#ifdef __linux__
static void errno_numbers_are_those_of_this_linux(void **state)
{
    (void)state;

#define X(name, number, sentence) assert_int_equal(name, number);
#include "knobs/errno.def"
#undef X
}
#endif

static void socket_options_are_known_both_ways(void **state)
{
    (void)state;

    for (unsigned id = 0; id < HO_SOCKOPT_COUNT; id++) {
        const struct ho_sockopt_info *info = ho_sockopt_info((enum ho_sockopt)id);

        assert_int_equal(ho_sockopt_find(info->name), id);
        assert_true(strlen(info->meaning) > 0);
        assert_null(strchr(info->meaning, '|'));
        assert_true(info->min <= info->max);
    }
    assert_int_equal(ho_sockopt_find("TCP_NOTHING"), -ENOENT);
    assert_string_equal(ho_sockopt_level_name(HO_SOL_TCP), "IPPROTO_TCP");
    assert_string_equal(ho_sockopt_level_name(HO_SOL_SOCKET), "SOL_SOCKET");
}

static void defaults_of_options_follow_the_sysctls(void **state)
{
    (void)state;
    struct ho_sysctls s;

    ho_sysctls_init(&s);
    assert_int_equal(ho_sockopt_default(HO_SOCKOPT_TCP_KEEPIDLE, &s), 7200);
    assert_int_equal(ho_sockopt_default(HO_SOCKOPT_SO_KEEPALIVE, &s), 0);
    assert_int_equal(ho_sysctl_set(&s, HO_SYSCTL_TCP_KEEPALIVE_TIME, 60), 0);
    assert_int_equal(ho_sockopt_default(HO_SOCKOPT_TCP_KEEPIDLE, &s), 60);
    /* What the list says when no host is asked is the same as the sysctl's default. */
    ho_sysctls_init(&s);
    for (unsigned id = 0; id < HO_SOCKOPT_COUNT; id++) {
        assert_int_equal(ho_sockopt_default((enum ho_sockopt)id, &s),
                         ho_sockopt_info((enum ho_sockopt)id)->def);
    }
}

static void units_have_words(void **state)
{
    (void)state;

    assert_string_equal(ho_unit_suffix(HO_UNIT_MS), "ms");
    assert_string_equal(ho_unit_text(HO_UNIT_S), "seconds");
    assert_string_equal(ho_unit_suffix(HO_UNIT_COUNT), "");
}

/* Each line of a table has as many bars as the first one. */
static void check_table(void (*docs)(struct ho_text *), const char *must_have)
{
    struct ho_text t = { 0 };
    int bars = 0;

    docs(&t);
    assert_int_equal(ho_text_err(&t), 0);
    assert_non_null(strstr(ho_text_str(&t), must_have));
    for (const char *p = ho_text_str(&t); *p != '\n'; p++) {
        bars += *p == '|';
    }
    for (const char *line = ho_text_str(&t); *line != '\0'; line++) {
        int n = 0;

        assert_int_equal(*line, '|');
        for (; *line != '\n'; line++) {
            n += *line == '|';
        }
        assert_int_equal(n, bars);
    }
    ho_text_free(&t);
}

static void tables_are_whole(void **state)
{
    (void)state;

    check_table(ho_docs_sysctls, "| `net.ipv4.tcp_rmem` | 4096 131072 33554432 |");
    check_table(ho_docs_sockopts, "| `TCP_USER_TIMEOUT` | IPPROTO_TCP | 0 |");
    check_table(ho_docs_states, "| CLOSED | UNCONN | `TCP_CLOSE` (7) |");
    check_table(ho_docs_errnos, "| `ETIMEDOUT` | 110 |");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_have_linux_numbers_and_the_words_of_ss),
        cmocka_unit_test(errnos_are_known_by_name_and_number),
#ifdef __linux__
        cmocka_unit_test(errno_numbers_are_those_of_this_linux),
#endif
        cmocka_unit_test(socket_options_are_known_both_ways),
        cmocka_unit_test(defaults_of_options_follow_the_sysctls),
        cmocka_unit_test(units_have_words),
        cmocka_unit_test(tables_are_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
