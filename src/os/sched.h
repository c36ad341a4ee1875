/* Getting a processor in time. */

#ifndef HO_OS_SCHED_H
#define HO_OS_SCHED_H

/* This process goes before ordinary ones whenever it has something to do (sched(7): SCHED_RR with
 * the lowest priority; its children do not inherit it). For who is woken seldom, does little and
 * must do it in time. The kernel keeps a part of each second for the others
 * (/proc/sys/kernel/sched_rt_runtime_us).
 *
 * Returns 0; -EPERM for who has not CAP_SYS_NICE over the machine.
 */
int ho_os_sched_prompt(void);

/* The kernel's thread for what an interrupt has left to do (ksoftirqd/0) goes before every process,
 * so that whoever the interrupt woke finds it done. For a machine of one's own, with one processor.
 *
 * Returns 0; -ENOENT: it is not found in /proc; -EPERM.
 */
int ho_os_sched_softirqs(void);

#endif
