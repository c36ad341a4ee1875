/* A host while memory runs out: each allocation of a small life is made to fail in turn, then that
 * one and all after it. Calls say ENOMEM or lose a packet; nothing breaks, nothing is leaked.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host/host.h"
#include "support/alloc_fail.h"

static struct ho_bufpool bufs;
static struct ho_host *h;
static struct ho_time now;
static bool enomem; /* some call has said so */

/* The result of a call that may fail for want of memory only, or for what `also` says. */
static int64_t call(struct ho_op op, int also)
{
    if (ho_host_start(h, 1, &op, now) != HO_OP_DONE) {
        ho_host_cancel(h, &op);
        return -EAGAIN;
    }
    assert_true(op.ret >= 0 || op.ret == -ENOMEM || op.ret == -EAGAIN || op.ret == also);
    enomem = enomem || op.ret == -ENOMEM;
    return op.ret;
}

static void drain(void)
{
    struct ho_buf *b;
    int nic;

    while ((b = ho_host_output(h, &nic, now)) != NULL) {
        ho_buf_put(&bufs, b);
    }
}

/* A neighbour that never answers, in a socket of its own. */
static void to_nobody(void)
{
    int64_t fd = call((struct ho_op){ .kind = HO_OP_SOCKET, .addr = ho_addr_v4(0, 0, 0, 0) }, 0);
    struct ho_op op = {
        .kind = HO_OP_CONNECT, .fd = (int)fd, .addr = ho_addr_v4(10, 0, 0, 2), .port = 80
    };

    if (fd < 0) {
        return;
    }
    (void)ho_host_nonblock(h, 1, (int)fd, true);
    (void)call(op, -EINPROGRESS);
    for (int i = 0;
         i < 20 && !ho_time_before((struct ho_time){ 5 * HO_NS_PER_S }, ho_host_deadline(h)); i++) {
        now = ho_host_deadline(h);
        ho_host_tick(h, now);
        drain();
    }
}

/* A connection over lo, bytes through it, epoll on it. */
static void to_itself(void)
{
    static char bytes[3000];
    static struct ho_epoll_event ev[4];
    struct ho_addr own = ho_addr_v4(10, 0, 0, 1);
    struct ho_op sock = { .kind = HO_OP_SOCKET, .addr = own, .flags = HO_SOCK_NONBLOCK };
    int listener = (int)call(sock, 0), fd = (int)call(sock, 0);

    if (call((struct ho_op){ .kind = HO_OP_BIND, .fd = listener, .addr = own, .port = 80 },
             -EBADF) < 0 ||
        call((struct ho_op){ .kind = HO_OP_LISTEN, .fd = listener, .arg = 5 }, 0) < 0) {
        return;
    }
    (void)call((struct ho_op){ .kind = HO_OP_CONNECT, .fd = fd, .addr = own, .port = 80 },
               fd < 0 ? -EBADF : -EINPROGRESS);
    int64_t child = call((struct ho_op){ .kind = HO_OP_ACCEPT, .fd = listener }, 0);
    int64_t e = call((struct ho_op){ .kind = HO_OP_EPOLL_CREATE }, 0);
    if (child < 0 || e < 0 || fd < 0) {
        return;
    }
    (void)call((struct ho_op){ .kind = HO_OP_EPOLL_CTL,
                               .fd = (int)e,
                               .target = (int)child,
                               .arg = HO_EPOLL_ADD,
                               .events = HO_POLLIN },
               0);
    (void)call((struct ho_op){ .kind = HO_OP_SEND, .fd = fd, .buf = bytes, .len = sizeof(bytes) },
               0);
    (void)call((struct ho_op){ .kind = HO_OP_EPOLL_WAIT, .fd = (int)e, .buf = ev, .len = 4 }, 0);
    (void)call(
        (struct ho_op){ .kind = HO_OP_RECV, .fd = (int)child, .buf = bytes, .len = sizeof(bytes) },
        0);
    (void)call(
        (struct ho_op){ .kind = HO_OP_RECV, .fd = (int)child, .buf = bytes, .len = 1, .flags = 0 },
        0);
}

static void life(void)
{
    struct ho_host_conf conf = {
        .name = "h", .clk = { .hz = 250 }, .seed = 3, .bufs = &bufs, .max_sockets = 100
    };
    struct ho_mac mac = { .b = { 2, 0, 0, 0, 0, 1 } };
    struct ho_addr own = ho_addr_v4(10, 0, 0, 1);

    now = (struct ho_time){ 0 };
    enomem = false;
    ho_bufpool_init(&bufs, 1000);
    int err = ho_host_new(&h, &conf);
    if (err != 0) {
        assert_int_equal(err, -ENOMEM);
        enomem = true;
        ho_bufpool_destroy(&bufs);
        return;
    }
    assert_int_equal(ho_host_add_nic(h, "eth0", mac, 1500), 0);
    assert_int_equal(ho_host_addr_add(h, 0, &own, 24, now), 0);
    ho_host_record_lo(h, true);
    ho_host_boot(h, now);
    int pid = ho_host_spawn(h, "main");
    assert_true(pid == 1 || pid == -ENOMEM);
    if (pid == 1) {
        to_itself();
        to_nobody();
        assert_int_equal(ho_host_kill(h, 1, now), 0);
    }
    drain();
    ho_host_power_off(h, now);
    ho_host_free(h);
    assert_int_equal(bufs.small.used + bufs.large.used, 0);
    ho_bufpool_destroy(&bufs);
}

static void each_allocation_may_fail(void **state)
{
    size_t n = 1;

    (void)state;
    for (;; n++) {
        ho_alloc_fail_nth(n);
        life();
        bool happened = ho_alloc_fail_happened();
        ho_alloc_fail_off();
        if (!happened) {
            assert_false(enomem);
            break;
        }
    }
    assert_true(n > 10); /* the life does need memory */
}

static void no_memory_from_some_moment_on_is_survived(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        ho_alloc_fail_from(n);
        life();
        bool happened = ho_alloc_fail_happened();
        ho_alloc_fail_off();
        if (!happened) {
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(no_memory_from_some_moment_on_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
