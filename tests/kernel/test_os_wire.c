/* Wires: frames both ways, checksums, carrier, names; what each form says when it cannot be had
 * (os/wire.h, os/net.h).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/diag.h"
#include "os/net.h"
#include "os/netns.h"
#include "os/sysctl.h"
#include "os/wire.h"
#include "support/in_room.h"

#define FRAME 65550
#define MTU 1500
#define PATIENCE_MS 5000
#define HASTY "net.ipv6.conf.default.mldv2_unsolicited_report_interval"

/* ---- two hosts and what is between them ------------------------------------------------------ */

struct side {
    int netns;
    struct ho_os_wire *wire;
    struct ho_os_net *net;
};

struct world {
    struct side side[2];
    uint64_t frames, tcp, bad, noise; /* bad: with a wrong checksum */
    size_t longest;
    bool ipv6;
    uint32_t mtu;   /* 0: MTU */
    bool hasty_mld; /* reports at once, and not within a second (RFC 3810, 9.11) */
};

static const char *address_text(const struct world *w, int side)
{
    static const char *const texts[2][2] = { { "10.0.0.1", "10.0.0.2" }, { "fd00::1", "fd00::2" } };

    return texts[w->ipv6][side];
}

static struct ho_addr address(const struct world *w, int side)
{
    struct ho_addr a;

    ROOM_CHECK(ho_addr_parse(&a, address_text(w, side)) == 0);
    return a;
}

static void build(struct world *w, enum ho_os_wire_form form)
{
    char why[HO_OS_WHY] = "";

    for (int i = 0; i < 2; i++) {
        struct side *s = &w->side[i];

        ROOM_CHECK(ho_os_netns_new(&s->netns) == 0);
        ROOM_CHECK(!w->hasty_mld || ho_os_sysctl_write(s->netns, HASTY, "1") == 0);
        struct ho_os_wire_options o = { .netns = s->netns,
                                        .name = "eth0",
                                        .mac = { { 2, 0, 0, 0, 0, (uint8_t)(i + 1) } },
                                        .mtu = w->mtu != 0 ? w->mtu : MTU,
                                        .form = form };

        if (ho_os_wire_open(&s->wire, &o, why) != 0) {
            (void)fprintf(stderr, "%s\n", why);
            _exit(1);
        }
        ROOM_CHECK(ho_os_net_open(&s->net, s->netns) == 0);
        struct ho_addr a = address(w, i);

        ROOM_CHECK(ho_os_net_addr_add(s->net, ho_os_wire_index(s->wire), &a, w->ipv6 ? 64 : 24) ==
                   0);
    }
}

static void tear_down(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        ho_os_net_close(w->side[i].net);
        ho_os_wire_close(w->side[i].wire);
        (void)close(w->side[i].netns);
    }
}

static uint32_t sum(const uint8_t *p, size_t n, uint32_t s)
{
    for (size_t i = 0; i + 1 < n; i += 2) {
        s += (uint32_t)p[i] << 8 | p[i + 1];
    }
    return n % 2 == 1 ? s + ((uint32_t)p[n - 1] << 8) : s;
}

static bool folds(uint32_t s)
{
    while (s > 0xffff) {
        s = (s >> 16) + (s & 0xffff);
    }
    return s == 0xffff;
}

/* RFC 9293, 3.1: the pseudo header, the header and the data sum to all ones. */
static void look(struct world *w, const uint8_t *d, size_t n)
{
    w->frames++;
    w->longest = n > w->longest ? n : w->longest;
    const uint8_t *ip = d + 14;

    if (d[12] == 8 && d[13] == 0 && ip[9] == IPPROTO_TCP) {
        size_t len = ((size_t)ip[2] << 8 | ip[3]) - 20;

        w->tcp++;
        w->bad += !folds(sum(ip, 20, 0)) ||
                  !folds(sum(ip + 20, len, sum(ip + 12, 8, IPPROTO_TCP + (uint32_t)len)));
    } else if (d[12] == 0x86 && ip[6] == IPPROTO_TCP) {
        size_t len = (size_t)ip[4] << 8 | ip[5];

        w->tcp++;
        w->bad += !folds(sum(ip + 40, len, sum(ip + 8, 32, IPPROTO_TCP + (uint32_t)len)));
    }
}

/* Carries what is there. Returns how many frames. */
static int carry(struct world *w)
{
    static uint8_t d[FRAME];
    struct ho_time at;
    int count = 0;

    for (int i = 0; i < 2; i++) {
        int n;

        while ((n = ho_os_wire_read(w->side[i].wire, d, sizeof(d), &at)) > 0) {
            look(w, d, (size_t)n);
            (void)ho_os_wire_write(w->side[1 - i].wire, d, (size_t)n);
            count++;
        }
        ROOM_CHECK(n == -EAGAIN);
    }
    return count;
}

/* Carries until `fd` has `events`, at most `ms`; what is there then is carried all the same. */
static bool carry_until(struct world *w, int fd, short events, int ms)
{
    struct ho_time end = ho_time_add(ho_os_now(), ho_ms(ms));

    for (;;) {
        struct pollfd p[3] = { { .fd = ho_os_wire_fd(w->side[0].wire), .events = POLLIN },
                               { .fd = ho_os_wire_fd(w->side[1].wire), .events = POLLIN },
                               { .fd = fd, .events = events } };
        struct ho_dur left = ho_time_since(end, ho_os_now());

        if (poll(p, fd >= 0 ? 3 : 2, left.ns > 0 ? (int)(left.ns / 1000000) : 0) == 0) {
            return false;
        }
        (void)carry(w);
        if (fd >= 0 && p[2].revents != 0) {
            return true;
        }
    }
}

static socklen_t endpoint(const struct world *w, int side, struct sockaddr_storage *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (w->ipv6) {
        struct sockaddr_in6 *a = (struct sockaddr_in6 *)(void *)ret;

        a->sin6_family = AF_INET6;
        a->sin6_port = htons(5000);
        ROOM_CHECK(inet_pton(AF_INET6, address_text(w, side), &a->sin6_addr) == 1);
        return sizeof(*a);
    }
    struct sockaddr_in *a = (struct sockaddr_in *)(void *)ret;

    a->sin_family = AF_INET;
    a->sin_port = htons(5000);
    ROOM_CHECK(inet_pton(AF_INET, address_text(w, side), &a->sin_addr) == 1);
    return sizeof(*a);
}

static void connect_both(struct world *w, int *ret_client, int *ret_server)
{
    struct sockaddr_storage a;
    socklen_t len = endpoint(w, 1, &a);
    int family = w->ipv6 ? AF_INET6 : AF_INET;
    int listener = ho_os_netns_socket(w->side[1].netns, family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int client = ho_os_netns_socket(w->side[0].netns, family, SOCK_STREAM | SOCK_NONBLOCK, 0);

    ROOM_CHECK(bind(listener, (struct sockaddr *)(void *)&a, len) == 0);
    ROOM_CHECK(listen(listener, 1) == 0);
    ROOM_CHECK(connect(client, (struct sockaddr *)(void *)&a, len) != 0 && errno == EINPROGRESS);
    ROOM_CHECK(carry_until(w, listener, POLLIN, PATIENCE_MS));
    *ret_server = accept(listener, NULL, NULL);
    ROOM_CHECK(*ret_server >= 0);
    ROOM_CHECK(carry_until(w, client, POLLOUT, PATIENCE_MS));
    *ret_client = client;
    (void)close(listener);
}

struct how {
    enum ho_os_wire_form form;
    bool ipv6;
    uint32_t mtu;
};

static int bytes_arrive(void *arg)
{
    static uint8_t out[200000], in[200000];
    const struct how *how = arg;
    struct world w = { .ipv6 = how->ipv6, .mtu = how->mtu };
    size_t mtu = how->mtu != 0 ? how->mtu : MTU;
    size_t sent = 0, got = 0;
    int c, s;

    build(&w, how->form);
    ROOM_CHECK(ho_os_wire_form(w.side[0].wire) == how->form);
    connect_both(&w, &c, &s);
    for (size_t i = 0; i < sizeof(out); i++) {
        out[i] = (uint8_t)(i * 7 + i / 251);
    }
    while (got < sizeof(in)) {
        ssize_t n = send(c, out + sent, sizeof(out) - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        sent += n > 0 ? (size_t)n : 0;
        ROOM_CHECK(carry_until(&w, s, POLLIN, PATIENCE_MS));
        n = recv(s, in + got, sizeof(in) - got, MSG_DONTWAIT);
        got += n > 0 ? (size_t)n : 0;
    }
    ROOM_CHECK(memcmp(in, out, sizeof(in)) == 0);
    ROOM_CHECK(w.tcp > sizeof(in) / mtu);
    ROOM_CHECK(w.bad == 0);
    ROOM_CHECK(w.longest <= mtu + 14 && w.longest > mtu / 2);
    ROOM_CHECK(ho_os_wire_counts(w.side[0].wire).in + ho_os_wire_counts(w.side[1].wire).in ==
               w.frames);
    (void)close(c);
    (void)close(s);
    tear_down(&w);
    return 0;
}

static const enum in_room_form rooms[] = { IN_ROOM_ROOT, IN_ROOM_USER };

/* Here /dev/net/tun is root's alone: an ordinary user's room has no TAP. */
static bool possible(enum in_room_form room, enum ho_os_wire_form form)
{
    return form == HO_OS_WIRE_VETH || (room == IN_ROOM_ROOT && geteuid() == 0) ||
           access("/dev/net/tun", R_OK | W_OK) == 0;
}

static void on_both(int (*body)(void *arg), bool ipv6_too)
{
    static const enum ho_os_wire_form wires[] = { HO_OS_WIRE_TAP, HO_OS_WIRE_VETH };

    for (size_t i = 0; i < 8; i++) {
        struct how how = { .form = wires[i / 2 % 2], .ipv6 = i >= 4 };
        enum in_room_form room = rooms[i % 2];

        if ((room == IN_ROOM_USER && how.form == HO_OS_WIRE_TAP && geteuid() == 0) ||
            !possible(room, how.form) || (how.ipv6 && !ipv6_too)) {
            continue;
        }
        print_message("    %s, %s, IPv%d\n", room == IN_ROOM_ROOT ? "this user" : "ordinary user",
                      ho_os_wire_form_name(how.form), how.ipv6 ? 6 : 4);
        assert_int_equal(in_room(room, body, &how), 0);
    }
}

static void frames_go_both_ways_with_right_checksums(void **state)
{
    (void)state;
    on_both(bytes_arrive, true);
}

static void large_frames_go_too(void **state)
{
    static const uint32_t mtus[] = { 9000, 65521 };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct how how = { .form = i % 2 ? HO_OS_WIRE_VETH : HO_OS_WIRE_TAP, .mtu = mtus[i / 2] };

        if (possible(IN_ROOM_ROOT, how.form)) {
            assert_int_equal(in_room(IN_ROOM_ROOT, bytes_arrive, &how), 0);
        }
    }
}

/* ---- carrier, names -------------------------------------------------------------------------- */

static struct ho_os_link link_of(const struct side *s)
{
    struct ho_os_link l;

    ROOM_CHECK(ho_os_net_link_get(s->net, ho_os_wire_index(s->wire), &l) == 0);
    return l;
}

static int pull_the_plug(void *arg)
{
    static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, 0x88, 0xb5 };
    const struct how *how = arg;
    struct world w = { .ipv6 = false };
    struct side *s = &w.side[0];

    build(&w, how->form);
    struct ho_os_link l = link_of(s);

    ROOM_CHECK(l.up && l.carrier && l.mtu == MTU);
    ROOM_CHECK(memcmp(&l.mac, &(struct ho_mac){ { 2, 0, 0, 0, 0, 1 } }, sizeof(l.mac)) == 0);
    ROOM_CHECK(ho_os_net_link(s->net, "eth0") == ho_os_wire_index(s->wire));
    ROOM_CHECK(ho_os_wire_write(s->wire, frame, sizeof(frame)) == 0);
    ROOM_CHECK(ho_os_wire_write(s->wire, frame, 13) == -EINVAL);
    ROOM_CHECK(ho_os_wire_write(s->wire, frame, MTU + 15) == -EMSGSIZE);
    for (int i = 0; i < 2; i++) {
        ROOM_CHECK(ho_os_wire_carrier(s->wire, false) == 0);
        l = link_of(s);
        ROOM_CHECK(l.up && !l.carrier);
        ROOM_CHECK(ho_os_wire_write(s->wire, frame, sizeof(frame)) == -ENETDOWN);
        struct pollfd p = { .fd = ho_os_wire_fd(s->wire), .events = 0 };

        ROOM_CHECK(poll(&p, 1, 0) == 0); /* no error that a loop would spin on */
        ROOM_CHECK(link_of(&w.side[1]).carrier);
        ROOM_CHECK(ho_os_wire_carrier(s->wire, true) == 0);
        ROOM_CHECK(link_of(s).carrier);
        ROOM_CHECK(ho_os_wire_write(s->wire, frame, sizeof(frame)) == 0);
    }
    int c, d;

    connect_both(&w, &c, &d); /* the wire works as before */
    ROOM_CHECK(w.bad == 0);
    (void)close(c);
    (void)close(d);
    tear_down(&w);
    return 0;
}

static void carrier_off_is_seen_inside_and_on_again(void **state)
{
    (void)state;
    on_both(pull_the_plug, false);
}

/* ---- silence --------------------------------------------------------------------------------- */

static int nothing_is_sent(void *arg)
{
    const struct how *how = arg;
    struct world w = { .ipv6 = true };

    w.hasty_mld = true;
    build(&w, how->form);
    for (int i = 0; i < 50 && ho_os_wire_counts(w.side[0].wire).noise == 0; i++) {
        ROOM_CHECK(!carry_until(&w, -1, 0, 100));
    }
    ROOM_CHECK(ho_os_wire_counts(w.side[0].wire).noise > 0); /* Linux did report its groups */
    ROOM_CHECK(!carry_until(&w, -1, 0, 100));
    ROOM_CHECK(w.frames == 0);
    tear_down(&w);
    return 0;
}

static void an_idle_ipv6_host_is_silent(void **state)
{
    (void)state;
    on_both(nothing_is_sent, false);
}

/* ---- what cannot be had ---------------------------------------------------------------------- */

static int try_without_tap(void *arg)
{
    struct ho_os_wire_options o = { .name = "eth0", .mac = { { 2 } }, .mtu = MTU };
    struct ho_os_wire *w = NULL;
    char why[HO_OS_WHY] = "";

    if (arg != NULL) { /* a machine whose device is not one */
        ROOM_CHECK(mount("/dev/null", "/dev/net/tun", NULL, MS_BIND, NULL) == 0);
    }
    ROOM_CHECK(ho_os_netns_new(&o.netns) == 0);
    o.form = HO_OS_WIRE_TAP;
    int err = ho_os_wire_open(&w, &o, why);

    ROOM_CHECK(err == (arg != NULL ? -ENODEV : -EACCES));
    ROOM_CHECK(arg != NULL || strstr(why, "/dev/net/tun") != NULL);
    ROOM_CHECK(strstr(why, arg != NULL ? "TAP" : "this user may not") != NULL);
    o.form = HO_OS_WIRE_AUTO;
    ROOM_CHECK(ho_os_wire_open(&w, &o, why) == 0);
    ROOM_CHECK(ho_os_wire_form(w) == HO_OS_WIRE_VETH);
    struct ho_os_wire *second = NULL;

    ROOM_CHECK(ho_os_wire_open(&second, &o, why) == -EEXIST);
    ho_os_wire_close(w);
    ROOM_CHECK(ho_os_wire_open(&second, &o, why) == 0);
    ho_os_wire_close(second);
    (void)close(o.netns);
    return 0;
}

static void without_a_tap_the_wire_is_a_veth_pair(void **state)
{
    (void)state;
    if (geteuid() == 0 && access("/dev/net/tun", F_OK) == 0) {
        assert_int_equal(in_room(IN_ROOM_ROOT, try_without_tap, (void *)"null"), 0);
    }
    if (!possible(IN_ROOM_USER, HO_OS_WIRE_TAP) || geteuid() == 0) {
        assert_int_equal(in_room(IN_ROOM_USER, try_without_tap, NULL), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_go_both_ways_with_right_checksums),
        cmocka_unit_test(large_frames_go_too),
        cmocka_unit_test(carrier_off_is_seen_inside_and_on_again),
        cmocka_unit_test(an_idle_ipv6_host_is_silent),
        cmocka_unit_test(without_a_tap_the_wire_is_a_veth_pair),
    };

    if (!in_room_allowed(IN_ROOM_ROOT) || !in_room_allowed(IN_ROOM_USER)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
