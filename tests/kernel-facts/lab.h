/* A laboratory for one fact about Linux: two network namespaces, a cable in this program.
 *
 * Side 'c' (client, 10.77.0.1 or fd77::1) and side 's' (server, .2 or ::2) each have one TAP,
 * eth0; this program reads what one side sends and writes it to the other, after LAB_DELAY_US,
 * and keeps a list of it. One thread: nothing moves but inside lab_run(), so calls on sockets
 * never block and are made between two of them. Times are microseconds since lab_mark().
 *
 * A fact is a program fact_NAME.c: it says what it proves at its top, checks it with LAB_CHECK and
 * returns lab_end(). With the argument 6 it runs over IPv6. Exit status: 0 true, 1 false, 77 not
 * possible here (no namespaces, no TAP), with the reason.
 */

#ifndef HO_TESTS_LAB_H
#define HO_TESTS_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAB_DELAY_US 1000 /* each way, unless lab_delay() says else */
#define LAB_PORT 5000
#define LAB_CLIENT_PORT 40000
#define LAB_SKIP 77

enum lab_kind {
    LAB_TCP,
    LAB_ARP,   /* or neighbour discovery: a request */
    LAB_IS_AT, /* its answer */
    LAB_OTHER
};

struct lab_rec {
    int64_t us;
    char side; /* who sent it */
    enum lab_kind kind;
    char flags[6];     /* of "SFRPA" */
    uint32_t seq, ack; /* relative to the last SYN of their side */
    uint32_t tsval;
    unsigned len, win;
    bool passed; /* not cut */
    bool multicast;
};

struct lab_conf {
    bool permanent; /* each side knows the other's address without asking */
};

/* Builds everything; on failure ends the program with LAB_SKIP. `what` is printed. */
void lab_begin(int argc, char **argv, const char *what, struct lab_conf conf);
bool lab_ipv6(void);

/* Prints a result line; returns the exit status. */
int lab_end(void);

/* A sysctl of a side below net.ipv4 or, with IPv6 and `net.ipv6` in it, net.ipv6:
 * lab_sysctl('s', "net.ipv4.tcp_retries2", "3"). False: there is none such here.
 */
bool lab_sysctl(char side, const char *name, const char *value);

/* Neighbour settings of eth0, for the family in use: lab_neigh('s', "retrans_time_ms", "100"). */
void lab_neigh(char side, const char *name, const char *value);

void lab_mark(void);
int64_t lab_now(void);
void lab_run(int ms);
/* Runs until the socket polls one of `events`, at most `ms`. Returns its revents, 0: timed out. */
int lab_run_until(int fd, int events, int ms);

void lab_delay(int64_t us);      /* of frames sent from now on */
void lab_cut(const char *sides); /* what these sides send is lost */
void lab_plug(void);
void lab_drop(bool (*drop)(const struct lab_rec *r)); /* also lost; NULL: no more */
void lab_carrier(char side, bool on);
void lab_link(char side, bool lo, bool up);
void lab_address(char side, bool add);

/* Sockets do not block. */
int lab_socket(char side);
int lab_listen(void);
/* Starts connect() from LAB_CLIENT_PORT; returns 0 or the errno. */
int lab_connect(int fd);
/* A connection that has carried 100 bytes each way a few times; *ret_l is the listener. */
void lab_pair(int *ret_l, int *ret_c, int *ret_s);
void lab_option(int fd, int level, int name, int value);
void lab_linger(int fd, int seconds);
/* send() and recv(): the result, or minus the errno. */
long lab_send(int fd, size_t n);
long lab_recv(int fd, size_t n);
int lab_so_error(int fd);
int lab_poll(int fd);
/* TCP_INFO's state, TCP_ESTABLISHED... */
int lab_state(int fd);

/* What went over the cable since lab_mark(). */
size_t lab_count(char side, enum lab_kind kind, const char *flags);
const struct lab_rec *lab_nth(char side, enum lab_kind kind, const char *flags, size_t n);

#define LAB_CHECK(cond, ...)                                  \
    do {                                                      \
        if (!(cond)) {                                        \
            lab_fail(__FILE__, __LINE__, #cond, __VA_ARGS__); \
        }                                                     \
    } while (0)
/* In milliseconds, both ends allowed. On a busy machine this program sees things late: so much is
 * allowed beyond the upper end.
 */
#define LAB_LATE_MS 250
#define LAB_BETWEEN(us, lo, hi)                                                      \
    LAB_CHECK((us) >= (lo)*1000LL && (us) <= ((hi) + LAB_LATE_MS) * 1000LL,          \
              "%.1f ms, expected %lld to %lld", (double)(us) / 1e3, (long long)(lo), \
              (long long)(hi))

void lab_fail(const char *file, int line, const char *cond, const char *format, ...)
    __attribute__((format(printf, 4, 5), noreturn));
void lab_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
