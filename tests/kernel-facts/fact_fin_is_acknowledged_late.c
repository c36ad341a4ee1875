#define _GNU_SOURCE
/* A FIN without data is acknowledged by a delayed ACK, about 40 ms later. (ground-truth table row
 * 6a)
 */

#include "lab.h"

#include <unistd.h>

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "the ACK of a FIN is delayed", (struct lab_conf){ .permanent = true });
    int l, c, s;
    lab_pair(&l, &c, &s);
    (void)close(c);
    lab_run(300);
    const struct lab_rec *fin = lab_nth('c', LAB_TCP, "FA", 0);
    LAB_CHECK(fin != NULL, "no FIN");
    int64_t sent = fin->us;
    const struct lab_rec *ack = lab_nth('s', LAB_TCP, "A", 0);
    LAB_CHECK(ack != NULL, "no ACK");
    lab_say("%.1f ms", (double)(ack->us - sent) / 1e3);
    LAB_BETWEEN(ack->us - sent, 36, 80);
    return lab_end();
}
