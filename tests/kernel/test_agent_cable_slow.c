/* Agents of two hosts with a cable that can be cut, this test: messages come before the SYN, a peer
 * that dies behind the cut, a close() that waits for it; and an agent with many connections.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/agent_stage.h"

/* ---- many connections ------------------------------------------------------------------------ */

#define MANY 1000

/* Returns how many messages there were. */
static unsigned take_all(struct ho_agent *a, unsigned *count)
{
    struct ho_agent_msg m;
    unsigned n = 0;

    while (ho_agent_next(a, &m) == 1) {
        count[m.kind]++;
        n++;
        if (m.kind == HO_AGENT_EVENT && m.u.event.kind == HO_PROGRAM_CALL &&
            strcmp(m.u.event.call, "recv") == 0 && m.u.event.ret == 10) {
            count[HO_AGENT_MSG_COUNT]++;
        }
    }
    return n;
}

static void one_agent_has_a_thousand_connections(void **state)
{
    unsigned server[HO_AGENT_MSG_COUNT + 1] = { 0 }, client[HO_AGENT_MSG_COUNT + 1] = { 0 };
    struct ho_agent_conf conf = { .netns = -1, .name = "many" };
    struct ho_program_arg listen[] = { { "port", "5000" }, { "max_connections", "2000" } };
    struct ho_agent *a, *b;
    unsigned number;
    char name[16];

    (void)state;
    stage_namespace();
    assert_int_equal(ho_agent_start(&a, &conf), 0);
    assert_int_equal(ho_agent_start(&b, &conf), 0);
    assert_int_equal(ho_agent_program(a, "echo-server", listen, 2, &number, NULL), 0);
    assert_int_equal(ho_agent_program(b, "raw", NULL, 0, &number, NULL), 0);
    for (int i = 0; i < MANY; i++) {
        struct ho_program_arg connect[] = { { "addr", "127.0.0.1" },
                                            { "port", "5000" },
                                            { "as", name } };
        struct ho_program_arg send[] = { { "bytes", "10" }, { "on", name } };

        snprintf(name, sizeof(name), "k%d", i);
        assert_int_equal(ho_agent_command(b, 0, "connect", connect, 3, NULL), 0);
        assert_int_equal(ho_agent_command(b, 0, "send", send, 2, NULL), 0);
        assert_int_equal(ho_agent_sync(a), 0); /* its accept queue is 128 long */
        take_all(a, server);
        take_all(b, client);
    }
    do {
        assert_int_equal(ho_agent_sync(a), 0);
        assert_int_equal(ho_agent_sync(b), 0);
    } while (take_all(a, server) + take_all(b, client) > 0);
    assert_int_equal(server[HO_AGENT_ACCEPTED], MANY);
    assert_int_equal(client[HO_AGENT_CONNECTED], MANY);
    assert_int_equal(server[HO_AGENT_MSG_COUNT], MANY);
    assert_int_equal(client[HO_AGENT_MSG_COUNT], MANY);
    assert_int_equal(ho_agent_kill(b), 0);
    do {
        assert_int_equal(ho_agent_sync(a), 0);
    } while (take_all(a, server) > 0);
    assert_int_equal(server[HO_AGENT_CLOSED], MANY);
    assert_int_equal(server[HO_AGENT_NOTE] + client[HO_AGENT_NOTE], 0); /* no event was lost */
    ho_agent_free(a);
    ho_agent_free(b);
}

/* ---- two hosts and a cable that can be cut --------------------------------------------------- */

struct pair {
    struct ho_agent *agent[2];
    int tun[2], netns[2];
    bool cut;
    unsigned syns;
    struct ho_agent_msg connect, connecting; /* of agent 1 */
    struct stage_line *said;
    size_t n_said;
};

static int open_tun(const char *address)
{
    struct ifreq r = { .ifr_name = "t0", .ifr_flags = IFF_TUN | IFF_NO_PI };
    struct sockaddr_in sin = { .sin_family = AF_INET };
    int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    if (tun < 0 || ioctl(tun, TUNSETIFF, &r) < 0) {
        fprintf(stderr, "skipped: /dev/net/tun: %s\n", strerror(errno));
        close(fd);
        return -1;
    }
    inet_pton(AF_INET, address, &sin.sin_addr);
    memcpy(&r.ifr_addr, &sin, sizeof(sin));
    assert_int_equal(ioctl(fd, SIOCSIFADDR, &r), 0);
    inet_pton(AF_INET, "255.255.255.0", &sin.sin_addr);
    memcpy(&r.ifr_netmask, &sin, sizeof(sin));
    assert_int_equal(ioctl(fd, SIOCSIFNETMASK, &r), 0);
    r.ifr_flags = IFF_UP | IFF_RUNNING;
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &r), 0);
    close(fd);
    return tun;
}

static void pair_end(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        ho_agent_free(p->agent[i]);
        if (p->tun[i] >= 0) {
            close(p->tun[i]);
        }
        if (p->netns[i] >= 0) {
            close(p->netns[i]);
        }
    }
    free(p->said);
}

static void pair_begin(struct pair *p)
{
    unsigned number;

    *p = (struct pair){ .tun = { -1, -1 }, .netns = { -1, -1 } };
    p->said = calloc(STAGE_LINES, sizeof(*p->said));
    assert_non_null(p->said);
    for (int i = 0; i < 2; i++) {
        stage_namespace();
        p->netns[i] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        assert_true(p->netns[i] >= 0);
        p->tun[i] = open_tun(i == 0 ? "10.9.0.1" : "10.9.0.2");
        if (p->tun[i] < 0) {
            pair_end(p);
            skip();
        }
    }
    stage_namespace(); /* a third one, which is nobody's */
    for (int i = 0; i < 2; i++) {
        struct timespec ts;
        struct ho_agent_conf conf = { .netns = p->netns[i], .name = i == 0 ? "server" : "client" };

        clock_gettime(CLOCK_MONOTONIC, &ts);
        conf.time0_ns = ts.tv_sec * HO_NS_PER_S + ts.tv_nsec;
        assert_int_equal(ho_agent_start(&p->agent[i], &conf), 0);
        assert_int_equal(ho_agent_program(p->agent[i], "raw", NULL, 0, &number, NULL), 0);
    }
}

static void pair_look(struct pair *p)
{
    struct ho_agent_msg m;

    while (ho_agent_next(p->agent[0], &m) == 1) {
    }
    while (ho_agent_next(p->agent[1], &m) == 1) {
        if (m.kind == HO_AGENT_CONNECT) {
            p->connect = m;
        } else if (m.kind == HO_AGENT_CONNECTING) {
            p->connecting = m;
        } else if (m.kind == HO_AGENT_EVENT) {
            struct stage_line *l = &p->said[p->n_said++];

            assert_true(p->n_said < STAGE_LINES);
            l->at = m.u.event.at;
            snprintf(l->text, sizeof(l->text), "%s %s ret=%lld err=%d value=%lld",
                     ho_program_event_kind_text(m.u.event.kind), m.u.event.call,
                     (long long)m.u.event.ret, m.u.event.err, (long long)m.u.event.value);
        }
    }
}

/* Before the relay looks at a SYN it takes the messages: then it knows whose it is. */
static void check_syn(struct pair *p, const unsigned char *packet)
{
    unsigned header = (packet[0] & 15u) * 4;
    unsigned port = packet[header] * 256u + packet[header + 1];

    if (packet[9] != IPPROTO_TCP || (packet[header + 13] & 0x12) != 0x02 || p->syns > 0) {
        return;
    }
    p->syns++;
    pair_look(p);
    assert_int_equal(p->connect.remote_port, packet[header + 2] * 256 + packet[header + 3]);
    assert_true(p->connect.cookie != 0);
    assert_true(p->connecting.fd == 0 || p->connecting.local_port == port);
    assert_int_equal(ho_agent_sync(p->agent[1]), 0);
    pair_look(p);
    assert_int_equal(p->connecting.local_port, port);
    assert_int_equal(p->connecting.cookie, p->connect.cookie);
    assert_false(ho_agent_connecting(p->agent[1]));
}

/* The cable: moves packets until the client has said `part`, or for `ms`. */
static long pump(struct pair *p, const char *part, int ms)
{
    unsigned char packet[2048];
    struct timespec ts;
    int64_t until, now;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    until = ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + ms;
    do {
        struct pollfd f[] = { { .fd = p->tun[0], .events = POLLIN },
                              { .fd = p->tun[1], .events = POLLIN },
                              { .fd = ho_agent_fd(p->agent[0]), .events = POLLIN },
                              { .fd = ho_agent_fd(p->agent[1]), .events = POLLIN } };
        bool all = ho_agent_ended(p->agent[0], NULL);

        f[2].fd = all ? -1 : f[2].fd;
        poll(f, 4, 10);
        for (int i = 0; i < 2; i++) {
            ssize_t n;

            while ((n = read(p->tun[i], packet, sizeof(packet))) > 0) {
                if (i == 1 && n >= 40 && packet[0] >> 4 == 4) {
                    check_syn(p, packet);
                }
                if (!p->cut) {
                    assert_int_equal(write(p->tun[1 - i], packet, (size_t)n), n);
                }
            }
        }
        pair_look(p);
        for (size_t i = 0; part != NULL && i < p->n_said; i++) {
            if (strstr(p->said[i].text, part) != NULL) {
                return (long)i;
            }
        }
        clock_gettime(CLOCK_MONOTONIC, &ts);
        now = ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
    } while (now < until);
    return -1;
}

static void command(struct pair *p, int i, const char *verb, const char *k1, const char *v1,
                    const char *k2, const char *v2)
{
    struct ho_program_arg arg[] = { { k1, v1 }, { k2, v2 } };

    assert_int_equal(ho_agent_command(p->agent[i], 0, verb, arg,
                                      k1 == NULL   ? 0
                                      : k2 == NULL ? 1
                                                   : 2,
                                      NULL),
                     0);
}

static void join(struct pair *p)
{
    command(p, 0, "listen", "port", "5000", "read", "no");
    command(p, 1, "connect", "addr", "10.9.0.1", "port", "5000");
    assert_true(pump(p, "call connect ret=0", 5000) >= 0);
    assert_int_equal(p->syns, 1);
}

static void a_user_timeout_ends_a_blocked_send(void **state)
{
    struct pair p;
    int64_t took;
    long at, end;

    (void)state;
    pair_begin(&p);
    join(&p);
    command(&p, 1, "setsockopt", "name", "TCP_USER_TIMEOUT", "value", "200");
    command(&p, 1, "reading", "value", "no", NULL, NULL);
    p.cut = true;
    command(&p, 1, "send", "bytes", "8M", "block", "yes");
    at = pump(&p, "enter send", 1000);
    end = pump(&p, "call send ret=", 5000);
    assert_true(at >= 0 && end >= 0);
    assert_null(strstr(p.said[end].text, "ret=-1")); /* a count: some of it is in the buffer */
    took = p.said[end].at.ns - p.said[at].at.ns;
    assert_in_range(took, 200000000, 1500000000); /* at a retransmission after 200 ms */
    command(&p, 1, "getsockopt", "name", "SO_ERROR", NULL, NULL);
    assert_true(pump(&p, "call getsockopt ret=0 err=0 value=110", 1000) >= 0);
    command(&p, 1, "send", "bytes", "1", NULL, NULL);
    assert_true(pump(&p, "call send ret=-1 err=32", 1000) >= 0);
    pair_end(&p);
}

/* close() with SO_LINGER holds up nothing but itself, and ends with its time (ground-truth B15). */
static void a_close_that_lingers_blocks_nothing_else(void **state)
{
    struct pair p;
    int64_t took;
    long at, end;

    (void)state;
    pair_begin(&p);
    join(&p);
    command(&p, 1, "setsockopt", "name", "SO_LINGER", "value", "1:1");
    p.cut = true;
    command(&p, 1, "send", "bytes", "100", NULL, NULL);
    command(&p, 1, "close", NULL, NULL, NULL, NULL);
    at = pump(&p, "enter close", 1000);
    command(&p, 1, "listen", "port", "6000", NULL, NULL);
    assert_true(pump(&p, "call listen ret=0", 300) >= 0);
    end = pump(&p, "call close ret=0", 5000);
    assert_true(at >= 0 && end >= 0);
    took = p.said[end].at.ns - p.said[at].at.ns;
    assert_in_range(took, 990000000, 1300000000);
    pair_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_agent_has_a_thousand_connections),
        cmocka_unit_test(a_user_timeout_ends_a_blocked_send),
        cmocka_unit_test(a_close_that_lingers_blocks_nothing_else),
    };

    stage_namespace(); /* or the whole test is skipped */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
