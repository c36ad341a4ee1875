#define _GNU_SOURCE
/* A send() that blocks when the connection dies returns the bytes that it had queued, no error; the
 * next call gets the error. (ground-truth table row 3f)
 */

#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#define BYTES 4000000

static char bytes[BYTES];
static int sock;
static long result;

static void *blocked(void *arg)
{
    result = send(sock, bytes, BYTES, MSG_NOSIGNAL);
    return arg;
}

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "a blocked send() tells how much it had queued",
              (struct lab_conf){ .permanent = true });
    (void)lab_sysctl('s', "net.ipv4.tcp_retries2", "1");
    (void)lab_sysctl('s', "net.ipv4.tcp_wmem", "4096 16384 65536");
    int l, c;
    pthread_t thread;
    lab_pair(&l, &c, &sock);
    lab_cut("cs");
    LAB_CHECK(fcntl(sock, F_SETFL, 0) == 0, "cannot make it block");
    LAB_CHECK(pthread_create(&thread, NULL, blocked, NULL) == 0, "no thread");
    lab_run(4000); /* dead after 1.7 s */
    LAB_CHECK(pthread_join(thread, NULL) == 0, "no thread");
    long next = send(sock, bytes, 1, MSG_NOSIGNAL);
    int err = errno;
    lab_say("send() returned %ld, the next one %ld, errno %d", result, next, err);
    LAB_CHECK(result > 0 && result < BYTES, "not a part");
    LAB_CHECK(next == -1 && err == ETIMEDOUT, "no error at the next call");
    return lab_end();
}
