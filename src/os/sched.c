/* See os/sched.h. */

#include "os/sched.h"

#include <errno.h>
#include <sched.h>

int ho_os_sched_prompt(void)
{
    struct sched_param p = { .sched_priority = 1 };

    return sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &p) == 0 ? 0 : -errno;
}
