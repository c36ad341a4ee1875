#define _GNU_SOURCE
/* Segments outside of the window are answered at most once in tcp_invalid_ratelimit (500 ms): of
 * two zero-window probes closer together the second stays unanswered. (ground-truth table row 12)
 */

#include "lab.h"

int main(int argc, char **argv)
{
    lab_begin(argc, argv, "the answer to a probe is limited to one in 500 ms",
              (struct lab_conf){ .permanent = true });
    (void)lab_sysctl('c', "net.ipv4.tcp_rmem", "4096 8192 16384");
    int l, c, s;
    lab_pair(&l, &c, &s);
    (void)lab_send(s, 60000);
    lab_run(100);
    size_t before = lab_count('c', LAB_TCP, "A");
    lab_run(1400); /* probes at about 0.2, 0.7 and 1.6 s */
    size_t probes = 0, answers = lab_count('c', LAB_TCP, "A") - before;
    for (size_t i = 0; i < lab_count('s', LAB_TCP, NULL); i++) {
        probes += lab_nth('s', LAB_TCP, NULL, i)->len == 0;
    }
    lab_say("%zu probes, %zu answers", probes, answers);
    LAB_CHECK(probes == 2, "%zu probes", probes);
    LAB_CHECK(answers == 1, "%zu answers", answers);
    return lab_end();
}
