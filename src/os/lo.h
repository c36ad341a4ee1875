/* What a host sends to itself over `lo`: packets, read by a packet socket (packet(7)).
 *
 * The socket is in the host's namespace and keeps it alive: close it at power-off.
 */

#ifndef HO_OS_LO_H
#define HO_OS_LO_H

#include <stddef.h>

#include "base/time.h"

#define HO_OS_LO_MAX 65552 /* bytes that a packet of lo can have */

/* Returns a descriptor that is readable when a packet has passed, close-on-exec and not blocking;
 * a negative errno.
 */
int ho_os_lo_open(int netns);

/* The next packet, IP header first, and when it was read. Longer ones than `size` are left out.
 * Returns its length, > 0; -EAGAIN when there is none.
 */
int ho_os_lo_read(int fd, void *buf, size_t size, struct ho_time *ret_at);

#endif
