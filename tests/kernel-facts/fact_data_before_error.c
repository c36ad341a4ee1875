#define _GNU_SOURCE
/* What arrived before a RST is read first, then ECONNRESET, then the end. A process that dies with
 * unread data makes its kernel send RST,ACK and no FIN (RFC 2525 2.17). (ground-truth table rows
 * 5, 6b)
 */

#include "lab.h"

#include <errno.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "data first, then the error; unread data makes close() a RST",
              (struct lab_conf){ .permanent = true });
    int l, c, s;
    lab_pair(&l, &c, &s);
    (void)lab_send(s, 100);
    (void)lab_send(c, 300);
    lab_run(50);
    (void)close(c);
    lab_run(20);
    LAB_CHECK(lab_count('c', LAB_TCP, "RA") == 1, "no RST,ACK");
    LAB_CHECK(lab_count('c', LAB_TCP, "FA") == 0, "a FIN");
    LAB_CHECK(lab_recv(s, 1000) == 300, "the data");
    LAB_CHECK(lab_recv(s, 1000) == -ECONNRESET, "then the error");
    LAB_CHECK(lab_recv(s, 1000) == 0, "then the end");
    return lab_end();
}
