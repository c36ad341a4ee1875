/* Control sockets: how a person's second terminal, or a test, finds a lab and talks to it.
 *
 * A lab listens on a stream socket in Linux's abstract namespace (unix(7)), "@halfopen/UID/NAME":
 * there is no file, so nothing is left behind however the lab ends, and a name is free again at
 * once. Abstract sockets have no owner: whoever takes a connection looks at the peer's uid
 * (SO_PEERCRED), and only the lab's own user is let in. They belong to a network namespace: labs
 * of another one are not seen.
 *
 * Both directions carry lines of text that end in '\n'. A line to the client may carry descriptors
 * (SCM_RIGHTS).
 *
 *     lab      ho_control_listen(), then at each connection ho_control_accept()
 *     client   ho_control_list(), ho_control_connect()
 *     both     ho_control_read() until -EAGAIN, ho_control_line() until NULL; ho_control_write()
 *
 * Nothing here blocks but ho_control_ask() and ho_control_wait_gone().
 */

#ifndef HO_OS_CONTROL_H
#define HO_OS_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#define HO_CONTROL_NAME 32       /* bytes of a lab's name, with the final 0 */
#define HO_CONTROL_LINE 65536    /* bytes of a line to the lab, with its end */
#define HO_CONTROL_OUT (1 << 22) /* bytes that may wait for a client that does not read */
#define HO_CONTROL_FDS 8         /* descriptors with one line */

/* Listens under a name of letters, digits, '-', '_' and '.'.
 *
 * Returns a descriptor, the caller's; -EINVAL: no such name is possible; -EADDRINUSE: a lab of that
 * name runs already; another negative errno of socket(2).
 */
int ho_control_listen(const char *name);

/* The next connection. Returns a descriptor that does not block, the caller's; -EAGAIN: there is
 * none; -EACCES: it was somebody else's and was closed; another negative errno of accept(2).
 */
int ho_control_accept(int listener);

/* Connects to a lab of this user. Returns a descriptor that blocks, the caller's; -ECONNREFUSED:
 * there is no lab of that name; -EACCES: it is another user's; another negative errno.
 */
int ho_control_connect(const char *name);

/* The names of the labs of this user that listen now, in alphabetical order; at most `max` of them
 * are written to `ret`. Returns how many there are; a negative errno.
 */
int ho_control_list(char (*ret)[HO_CONTROL_NAME], size_t max);

/* One end of a connection. Zero-initialised but for `fd`, which it owns from then on. */
struct ho_control {
    int fd;
    bool ended; /* the peer has said all it will say */
    char *in;
    size_t in_at, in_len, in_room;
    char *out;
    size_t out_at, out_len, out_room;
    int fds[HO_CONTROL_FDS]; /* that came with what was read; whoever wants them takes them */
    unsigned fd_count;
};

/* Frees everything and closes its descriptors. */
void ho_control_close(struct ho_control *c);

/* Takes what has arrived. Returns 0, also when there was nothing; -EMSGSIZE: a line of more than
 * HO_CONTROL_LINE bytes (labs: `max_line`; 0: no bound); -ENOMEM; a negative errno of recvmsg(2).
 */
int ho_control_read(struct ho_control *c, size_t max_line);

/* The next whole line without its end, valid until the next ho_control_read(); NULL: none yet. */
char *ho_control_line(struct ho_control *c);

/* Queues `len` bytes, lines with their ends, and sends what the socket takes. With `n` > 0 the
 * descriptors go with them; they stay the caller's.
 *
 * Returns 0; -ENOBUFS: the peer does not read, more than HO_CONTROL_OUT bytes would wait, or
 * descriptors cannot go out at once; -ENOMEM; a negative errno of sendmsg(2).
 */
int ho_control_write(struct ho_control *c, const char *text, size_t len, const int *fds,
                     unsigned n);

/* Sends what waits. Returns 0, also when some of it still waits; a negative errno. */
int ho_control_flush(struct ho_control *c);
bool ho_control_waits(const struct ho_control *c);

/* A client's question: sends the line (without its end) and waits for the answer, for ever.
 * Returns 0 with *ret_line valid until the next call; -EPIPE: the lab has gone; a negative errno.
 */
int ho_control_ask(struct ho_control *c, const char *line, const char **ret_line);

/* Waits until nobody listens under that name: for a client whose lab has said that it ends. Returns
 * 0; -EACCES: it is another user's; a negative errno.
 */
int ho_control_wait_gone(const char *name);

#endif
