/* Connections of the calling process over `lo` of its room, and scans that see them. All of it is
 * for the inside of a room (support/in_room.h): what fails ends the room.
 */

#ifndef HO_SUPPORT_SCAN_STAGE_H
#define HO_SUPPORT_SCAN_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "doctor/scan.h"

/* Runs body(&ipv6) in rooms of root and of an ordinary user, with IPv4 and with IPv6. */
void stage_everywhere(int (*body)(void *arg));

struct stage_pair {
    int listener, client, server;
    uint16_t port; /* the listener's */
};

struct stage_pair stage_new_pair(bool ipv6);
int stage_new_listener(bool ipv6, uint16_t *ret_port);
int stage_new_client(int listener);

/* setsockopt() of an int. */
void stage_set(int fd, int level, int name, int value);

uint32_t stage_inode(int fd);
uint16_t stage_local_port(int fd);

/* Must succeed. `o` NULL: of everything. To be freed. */
struct ho_scan stage_scan(const struct ho_scan_options *o);

/* How many connections a scan says; all are of o->states. */
size_t stage_count(const struct ho_scan_options *o);

/* The connection of a socket of this process. NULL: it is not there; stage_must() fails then. */
const struct ho_conn *stage_find(const struct ho_scan *s, int fd);
const struct ho_conn *stage_must(const struct ho_scan *s, int fd);

/* The connection between two ports; NULL. */
const struct ho_conn *stage_by_port(const struct ho_scan *s, uint16_t lport, uint16_t rport);

#endif
