/* Questions by netlink (libmnl), in a namespace: what net.c, wire.c and diag.c share. */

#ifndef HO_OS_NL_H
#define HO_OS_NL_H

#include <libmnl/libmnl.h>
#include <stdint.h>

struct ho_os_nl {
    struct mnl_socket *socket; /* NULL: closed */
    uint32_t seq;
    char out[2048]; /* the question */
    char in[32768]; /* a part of the answer; the kernel fills up to 32 KiB of a dump's buffer */
};

/* `netns`: a namespace; -1: this thread's. `bus`: NETLINK_ROUTE ... `groups`: of multicasts, or 0.
 * Returns 0 with *ret, to be closed; a negative errno.
 */
int ho_os_nl_open(struct ho_os_nl **ret, int netns, int bus, unsigned groups);
void ho_os_nl_close(struct ho_os_nl *n);

/* Begins a question in n->out. The flags are besides NLM_F_REQUEST; a question that is no dump asks
 * for an acknowledgement.
 */
struct nlmsghdr *ho_os_nl_begin(struct ho_os_nl *n, unsigned type, unsigned flags);

/* Asks, and gives every message of the answer to `see` (NULL: there is none but the errno). Returns
 * 0; the kernel's negative errno; -EINTR if a dump was disturbed: `see` has seen a mixture.
 */
int ho_os_nl_ask(struct ho_os_nl *n, mnl_cb_t see, void *data);

#endif
