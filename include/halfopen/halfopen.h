/* libhalfopen: hosts, cables and TCP connections in virtual time, for your own tests.
 *
 * A world is made from the text of a scenario (docs/scenario-language.md): which hosts there are,
 * how they are cabled, and, if you like, what happens to them and when. Then either it is played
 * to its end, and the verdicts say who noticed, when, with which error, because of which knob; or
 * you drive it: let time run, make the calls of your own program, cut cables, and look.
 *
 *     struct halfopen *w;
 *     struct halfopen_error e;
 *     if (halfopen_new(&w, "test", text, strlen(text), &e) != 0) { ... e.text ... }
 *     int app = halfopen_process(w, "client", "mine");
 *     int fd = halfopen_socket(w, app, "server");
 *     halfopen_connect(w, app, fd, "server", 80);      -EINPROGRESS: no call ever blocks
 *     halfopen_run(w, halfopen_now(w) + HALFOPEN_S);
 *     halfopen_do(w, "cut client -- server", &e);
 *     halfopen_send(w, app, fd, "hello", 5);
 *     halfopen_run(w, halfopen_now(w) + 1000 * HALFOPEN_S);
 *     halfopen_recv(w, app, fd, buf, sizeof(buf));     -ETIMEDOUT
 *     halfopen_free(w);
 *
 * Nothing in it does I/O, reads a clock, draws an unseeded random number, uses a thread or calls
 * you back. The same text and the same calls give the same world, byte for byte. Two hours of
 * its time take microseconds. A world belongs to one thread at a time; there is no shared state.
 *
 * Times are nanoseconds since the world began. Errors are negative errno values of <errno.h>;
 * what a system call of Linux would return, the calls below return.
 */

#ifndef HO_HALFOPEN_H
#define HO_HALFOPEN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HALFOPEN_MS 1000000LL
#define HALFOPEN_S 1000000000LL

/* poll(2)'s events, with Linux's numbers. */
#define HALFOPEN_POLLIN 0x001u
#define HALFOPEN_POLLOUT 0x004u
#define HALFOPEN_POLLERR 0x008u
#define HALFOPEN_POLLHUP 0x010u
#define HALFOPEN_POLLRDHUP 0x2000u

struct halfopen; /* a world */

/* Where in the text a mistake is, from 1 (0: nowhere in particular), and what it is. */
struct halfopen_error {
    unsigned line, column;
    char text[480];
};

/* Builds the world of a scenario, the first case of several; every host has power, time is 0, and
 * nothing has been played. `text` is copied.
 *
 * Returns 0 with *ret owned by the caller; -EINVAL with *ret_error filled (it may be NULL);
 * -ENOMEM. On failure *ret is untouched.
 */
int halfopen_new(struct halfopen **ret, const char *name, const char *text, size_t len,
                 struct halfopen_error *ret_error);

/* Frees the world and everything it handed out. NULL is ignored. */
void halfopen_free(struct halfopen *w);

/* ---- time ------------------------------------------------------------------------------------ */

int64_t halfopen_now(const struct halfopen *w);

/* When the scenario ends. */
int64_t halfopen_end(const struct halfopen *w);

/* Lets the world run up to and including `until`; the scenario's own steps happen on the way.
 *
 * Returns 0; -EINVAL (`until` lies in the past, or a step makes no sense), -ENOMEM: then
 * halfopen_why() says it, and only that and halfopen_free() may be called.
 */
int halfopen_run(struct halfopen *w, int64_t until);

/* Does now what one step of a scenario says, without its time: "cut client -- server",
 * "server power-off", "client send 1000", "server run http-server port=80".
 *
 * Returns 0; -EINVAL with *ret_error filled (it may be NULL), and the world as it was if the
 * line is no step; -ENOMEM.
 */
int halfopen_do(struct halfopen *w, const char *step, struct halfopen_error *ret_error);

/* One line about the last error, never NULL. */
const char *halfopen_why(const struct halfopen *w);

/* ---- your own program's calls ---------------------------------------------------------------- */

/* A new process on a host of the scenario. Returns its number (> 0); -ENOENT: no such host;
 * -ENETDOWN: it has no power; -ENOMEM.
 */
int halfopen_process(struct halfopen *w, const char *host, const char *name);

/* SIGKILL: the kernel closes its sockets. Returns 0 or -ESRCH. A power loss does it as well. */
int halfopen_kill(struct halfopen *w, int process);

/* The system calls, on sockets that never block: connect() returns -EINPROGRESS, the others
 * -EAGAIN where they would wait. `host` is a host's name, or an address ("0.0.0.0", "::" to
 * listen everywhere); it also decides the family of a new socket. Each returns what Linux would,
 * or -ESRCH: no such process; -EINVAL: no such host, address or option.
 */
int halfopen_socket(struct halfopen *w, int process, const char *host);
int halfopen_bind(struct halfopen *w, int process, int fd, const char *host, uint16_t port);
int halfopen_listen(struct halfopen *w, int process, int fd, int backlog);
int halfopen_accept(struct halfopen *w, int process, int fd);
int halfopen_connect(struct halfopen *w, int process, int fd, const char *host, uint16_t port);
int64_t halfopen_send(struct halfopen *w, int process, int fd, const void *bytes, size_t len);
int64_t halfopen_recv(struct halfopen *w, int process, int fd, void *bytes, size_t len);
int halfopen_shutdown(struct halfopen *w, int process, int fd, int how); /* 0 read 1 write 2 both */
int halfopen_close(struct halfopen *w, int process, int fd);

/* By Linux's names: "SO_KEEPALIVE", "TCP_USER_TIMEOUT", "SO_ERROR" (a positive errno, cleared). */
int halfopen_setsockopt(struct halfopen *w, int process, int fd, const char *name, int64_t value);
int halfopen_getsockopt(struct halfopen *w, int process, int fd, const char *name,
                        int64_t *ret_value);

/* The HALFOPEN_POLL* events that hold now, or a negative errno. */
int halfopen_poll(struct halfopen *w, int process, int fd);

/* ---- what came of it ------------------------------------------------------------------------- */

/* One side of one connection. Texts live as long as the world. */
struct halfopen_verdict {
    const char *host, *process, *connection;
    const char *cause;      /* "keepalive", "retries2", "peer-rst", "nobody-noticed" ... */
    const char *words;      /* the same for people */
    const char *knob;       /* "net.ipv4.tcp_retries2=15"; "" if none made the number */
    const char *state;      /* at the end */
    int64_t kernel_at;      /* when the kernel gave up; -1: it did not */
    int64_t app_at;         /* when a call first told the process; -1: none did */
    const char *call, *err; /* which call, and "ETIMEDOUT"; "" without either */
};

/* Verdict number `i`, from 0, of what has happened so far. The scenario's own processes and those
 * of halfopen_process() have them alike.
 *
 * Returns 0; -ENOENT: there is none; -ENOMEM.
 */
int halfopen_verdict(struct halfopen *w, size_t i, struct halfopen_verdict *ret);

/* Judges the scenario's expectations. Returns how many are not met, or -ENOMEM. */
int halfopen_failed(struct halfopen *w);

/* Views of what has happened so far, as text that lives until the next call of the same function:
 * the verdict table, the sequence diagram, the timeline as JSON lines (docs/timeline.md).
 * NULL without memory.
 */
const char *halfopen_table(struct halfopen *w);
const char *halfopen_ladder(struct halfopen *w);
const char *halfopen_timeline(struct halfopen *w, size_t *ret_len);

#ifdef __cplusplus
}
#endif

#endif
