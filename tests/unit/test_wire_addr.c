/* Unit tests of src/wire/addr.c and src/wire/eth.c's addresses. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/addr.h"
#include "wire/eth.h"

static struct ho_addr addr(const char *text)
{
    struct ho_addr a;

    assert_int_equal(ho_addr_parse(&a, text), 0);
    return a;
}

/* RFC 5952 4: what each notation is to be written as. */
static void text_is_that_of_rfc_5952(void **state)
{
    (void)state;
    const char *const cases[][2] = {
        { "10.0.0.1", "10.0.0.1" },
        { "255.255.255.255", "255.255.255.255" },
        { "::", "::" },
        { "::1", "::1" },
        { "1::", "1::" },
        { "fd00::1", "fd00::1" },
        { "2001:0db8::0001", "2001:db8::1" },              /* 4.1 */
        { "2001:db8:0:0:0:0:2:1", "2001:db8::2:1" },       /* 4.2.1 */
        { "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1" }, /* 4.2.2 */
        { "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },         /* 4.2.3 */
        { "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },   /* 4.2.3 */
        { "2001:DB8::ABCD", "2001:db8::abcd" },            /* 4.3 */
        { "1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0" },          /* one zero is not shortened */
        { "0:2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
        { "1:2:3:4:5:6::", "1:2:3:4:5:6::" },
        { "::ffff:10.0.0.1", "10.0.0.1" }, /* IPv4-mapped */
        { "64:ff9b::10.0.0.1", "64:ff9b::a00:1" },
        { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_addr a = addr(cases[i][0]);
        char text[HO_ADDR_TEXT];

        assert_string_equal(ho_addr_text(&a, text), cases[i][1]);
    }
}

static void what_is_no_address_is_refused_and_touches_nothing(void **state)
{
    (void)state;
    const char *const cases[] = {
        "",
        "10.0.0",
        "10.0.0.0.1",
        "10.0.0.256",
        "10.0.0.1x",
        "10.0.0.",
        "01.2.3.4",
        "1.2.3.1000",
        "a",
        "host",
        ":",
        ":::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "12345::",
        "g::",
        "1:2:3:4:5:6:7:8::",
        "::1.2.3",
        "1:2:3:4:5:6:7:1.2.3.4",
        ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        "::1 ",
        "1:2:3:4:5:6:7::8",
        "1:::2",
    };
    const struct ho_addr before = ho_addr_v4(1, 2, 3, 4);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_addr a = before;

        if (ho_addr_parse(&a, cases[i]) != -EINVAL) {
            fail_msg("\"%s\" was taken", cases[i]);
        }
        assert_true(ho_addr_eq(&a, &before));
    }
}

static void kinds_of_addresses_are_told_apart(void **state)
{
    (void)state;
    const struct {
        const char *text;
        bool v4, any, loopback, multicast;
    } cases[] = {
        { "0.0.0.0", true, true, false, false },
        { "::", false, true, false, false },
        { "127.0.0.1", true, false, true, false },
        { "127.255.0.9", true, false, true, false },
        { "::1", false, false, true, false },
        { "224.0.0.1", true, false, false, true },
        { "239.255.255.255", true, false, false, true },
        { "240.0.0.1", true, false, false, false },
        { "ff02::1", false, false, false, true },
        { "fe80::1", false, false, false, false },
        { "10.0.0.1", true, false, false, false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ho_addr a = addr(cases[i].text);

        assert_int_equal(ho_addr_is_v4(&a), cases[i].v4);
        assert_int_equal(ho_addr_is_any(&a), cases[i].any);
        assert_int_equal(ho_addr_is_loopback(&a), cases[i].loopback);
        assert_int_equal(ho_addr_is_multicast(&a), cases[i].multicast);
    }
}

static void prefixes_compare_bit_by_bit(void **state)
{
    (void)state;
    struct ho_addr host = ho_addr_v4(10, 0, 127, 1);
    struct ho_addr net = ho_addr_v4(10, 0, 128, 0);
    struct ho_addr host6 = addr("fd00:0:0:1::5"), net6 = addr("fd00::");

    assert_true(ho_addr_in(&host, &net, 96 + 16));
    assert_false(ho_addr_in(&host, &net, 96 + 17)); /* the 17th bit differs */
    assert_true(ho_addr_in(&host, &host, 128));
    assert_false(ho_addr_in(&host, &net, 128));
    assert_true(ho_addr_in(&host, &net, 0));
    assert_false(ho_addr_in(&host6, &host, 96)); /* IPv6 is in no IPv4 network */
    assert_true(ho_addr_in(&host6, &net6, 63));
    assert_false(ho_addr_in(&host6, &net6, 64));
}

/* RFC 1112 6.4 and RFC 2464 7. */
static void multicast_groups_have_their_ethernet_address(void **state)
{
    (void)state;
    struct ho_addr g4 = ho_addr_v4(239, 129, 2, 3), g6 = addr("ff02::1:ff00:2a");
    struct ho_mac m4 = ho_mac_multicast(&g4), m6 = ho_mac_multicast(&g6);
    char text[HO_MAC_TEXT];

    assert_string_equal(ho_mac_text(&m4, text), "01:00:5e:01:02:03");
    assert_string_equal(ho_mac_text(&m6, text), "33:33:ff:00:00:2a");
    assert_true(ho_mac_is_multicast(&m4));
    assert_true(ho_mac_is_multicast(&HO_MAC_BROADCAST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_that_of_rfc_5952),
        cmocka_unit_test(what_is_no_address_is_refused_and_touches_nothing),
        cmocka_unit_test(kinds_of_addresses_are_told_apart),
        cmocka_unit_test(prefixes_compare_bit_by_bit),
        cmocka_unit_test(multicast_groups_have_their_ethernet_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
