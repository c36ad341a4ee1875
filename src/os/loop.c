/* An epoll set whose deadline is a timerfd inside it. See os/loop.h. */

#include "os/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define OWN UINT64_MAX /* the tag of the timer */
#define EVENTS_MAX 64

struct ho_os_loop {
    int epoll, timer;
    struct ho_time armed; /* HO_NEVER: the timer is off */
    uint64_t wakes;
};

int ho_os_loop_new(struct ho_os_loop **ret)
{
    struct ho_os_loop *l = calloc(1, sizeof(*l));
    int err;

    if (l == NULL) {
        return -ENOMEM;
    }
    l->armed = HO_NEVER;
    l->timer = -1;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll >= 0) {
        l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    }
    err = l->timer < 0 ? -errno : ho_os_loop_add(l, l->timer, HO_OS_IN, OWN);
    if (err != 0) {
        ho_os_loop_free(l);
        return err;
    }
    *ret = l;
    return 0;
}

void ho_os_loop_free(struct ho_os_loop *l)
{
    if (l == NULL) {
        return;
    }
    if (l->timer >= 0) {
        (void)close(l->timer);
    }
    if (l->epoll >= 0) {
        (void)close(l->epoll);
    }
    free(l);
}

static int control(struct ho_os_loop *l, int op, int fd, uint32_t what, uint64_t tag)
{
    struct epoll_event e = { .events = what, .data.u64 = tag };

    return epoll_ctl(l->epoll, op, fd, &e) == 0 ? 0 : -errno;
}

int ho_os_loop_add(struct ho_os_loop *l, int fd, uint32_t what, uint64_t tag)
{
    return control(l, EPOLL_CTL_ADD, fd, what, tag);
}

int ho_os_loop_change(struct ho_os_loop *l, int fd, uint32_t what, uint64_t tag)
{
    return control(l, EPOLL_CTL_MOD, fd, what, tag);
}

int ho_os_loop_remove(struct ho_os_loop *l, int fd)
{
    return control(l, EPOLL_CTL_DEL, fd, 0, 0);
}

int ho_os_loop_fd(const struct ho_os_loop *l)
{
    return l->epoll;
}

void ho_os_loop_deadline(struct ho_os_loop *l, struct ho_time deadline)
{
    struct itimerspec at = { 0 };

    if (deadline.ns == l->armed.ns) {
        return;
    }
    if (deadline.ns != HO_NEVER.ns) {
        /* All zero would turn it off: an instant in the past is 1 ns. */
        int64_t ns = deadline.ns > 0 ? deadline.ns : 1;

        at.it_value.tv_sec = ns / HO_NS_PER_S;
        at.it_value.tv_nsec = ns % HO_NS_PER_S;
    }
    int rc = timerfd_settime(l->timer, TFD_TIMER_ABSTIME, &at, NULL);

    assert(rc == 0);
    (void)rc;
    l->armed = deadline;
}

/* Takes the timer's own event out of the list. Returns how many are left. */
static size_t without_timer(struct ho_os_loop *l, const struct epoll_event *from, size_t n,
                            struct ho_os_event *ret, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        if (from[i].data.u64 == OWN) {
            uint64_t times;

            (void)!read(l->timer, &times, sizeof(times));
            l->armed = HO_NEVER; /* it has fired */
        } else if (count < max) {
            ret[count++] = (struct ho_os_event){ .tag = from[i].data.u64, .what = from[i].events };
        }
    }
    return count;
}

int ho_os_loop_wait(struct ho_os_loop *l, struct ho_os_event *ret, size_t max,
                    struct ho_time deadline)
{
    struct epoll_event found[EVENTS_MAX];
    size_t ask = max < EVENTS_MAX ? max : EVENTS_MAX;

    ho_os_loop_deadline(l, deadline);
    int n = epoll_wait(l->epoll, found, (int)ask, 0);

    if (n == 0) {
        n = epoll_wait(l->epoll, found, (int)ask, -1);
        l->wakes++;
    }
    return n < 0 ? -errno : (int)without_timer(l, found, (size_t)n, ret, max);
}

uint64_t ho_os_loop_wakes(const struct ho_os_loop *l)
{
    return l->wakes;
}

int ho_os_signals_open(int *ret_fd, const int *signals)
{
    sigset_t set;

    (void)sigemptyset(&set);
    for (; *signals != 0; signals++) {
        (void)sigaddset(&set, *signals);
    }
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

    if (fd < 0) {
        return -errno;
    }
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    *ret_fd = fd;
    return 0;
}

int ho_os_signals_read(int fd)
{
    struct signalfd_siginfo info;

    return read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}
