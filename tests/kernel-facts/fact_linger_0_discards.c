#define _GNU_SOURCE
/* SO_LINGER on with time 0: close() throws away what was not sent and sends RST,ACK. (ground-truth
 * table row 6d)
 */

#include "lab.h"

#include <errno.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "SO_LINGER 0 makes close() a RST",
              (struct lab_conf){ .permanent = true });
    int l, c, s;
    lab_pair(&l, &c, &s);
    lab_linger(c, 0);
    (void)lab_send(c, 100);
    (void)close(c);
    lab_run(50);
    LAB_CHECK(lab_count('c', LAB_TCP, "RA") == 1, "no RST,ACK");
    LAB_CHECK(lab_count('c', LAB_TCP, "FA") == 0, "a FIN");
    lab_run(300);
    LAB_CHECK(lab_so_error(s) == ECONNRESET, "another errno");
    return lab_end();
}
