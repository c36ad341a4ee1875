/* Texts of /proc/PID, read from bytes: without a system call, so that any text can be fed to them
 * (fuzz/fuzz_procfs.c). None of them needs a 0 at the end.
 *
 * Formats: proc(5), cgroups(7), systemd.unit(5); names of container scopes as Docker, containerd,
 * CRI-O, Podman and LXC make them.
 */

#ifndef HO_OS_PROCFS_H
#define HO_OS_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HO_OS_COMM 16      /* TASK_COMM_LEN */
#define HO_OS_CONTAINER 72 /* 64 digits of an id, or a unit's name, cut */

/* The target of a link in /proc/PID/fd: "socket:[12345]". False if it is no socket. */
bool ho_os_procfs_socket(const char *text, size_t len, uint64_t *ret_inode);

/* The target of /proc/PID/ns/net: "net:[4026531840]". */
bool ho_os_procfs_netns(const char *text, size_t len, uint64_t *ret_inode);

/* /proc/PID/comm, as UTF-8 (RFC 3629). A process may call itself anything: a control character and
 * each byte that is no UTF-8 become `?`; so does the rest of a character that the kernel cut at 15
 * bytes. What else must not reach a terminal is up to who writes it there (base/words.h).
 */
void ho_os_procfs_comm(char ret[HO_OS_COMM], const char *text, size_t len);

/* /proc/PID/cgroup: the container's id of 64 digits, if a name in the path has one; else the last
 * unit ("nginx.service", "session-2.scope"), of LXC the container's name; else "". UTF-8 as above.
 */
void ho_os_procfs_container(char ret[HO_OS_CONTAINER], const char *text, size_t len);

#endif
