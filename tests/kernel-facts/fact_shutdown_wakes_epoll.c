#define _GNU_SOURCE
/* shutdown(SHUT_WR) alone, with nothing else happening, is an edge of EPOLLOUT.
 * (s15_shutdown_wr_r5)
 */

#include "lab.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "shutdown(SHUT_WR) is an edge for epoll",
              (struct lab_conf){ .permanent = true });
    int l, c, s;
    lab_pair(&l, &c, &s);
    int ep = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
    LAB_CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, s, &e) == 0, "epoll_ctl");
    LAB_CHECK(epoll_wait(ep, &e, 1, 0) == 1 && e.events == EPOLLOUT, "at the start");
    LAB_CHECK(epoll_wait(ep, &e, 1, 0) == 0, "an edge out of nothing");
    lab_cut("cs");
    (void)shutdown(s, SHUT_WR);
    LAB_CHECK(epoll_wait(ep, &e, 1, 0) == 1 && e.events == EPOLLOUT, "after shutdown: %x",
              e.events);
    return lab_end();
}
