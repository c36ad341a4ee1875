/* The event bits of poll(2) and epoll(7), with Linux's numbers. */

#ifndef HO_KNOBS_POLL_H
#define HO_KNOBS_POLL_H

#define HO_POLLIN 0x001u
#define HO_POLLPRI 0x002u
#define HO_POLLOUT 0x004u
#define HO_POLLERR 0x008u
#define HO_POLLHUP 0x010u
#define HO_POLLRDHUP 0x2000u

#endif
