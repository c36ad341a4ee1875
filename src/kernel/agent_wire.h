/* What travels between the relay (agent.c) and an agent (agent_main.c): one struct a packet.
 *
 * The relay sends requests, an agent sends struct ho_agent_msg; an answer is a message of the kind
 * HO_AGENT_ANSWER with the number of its request. Nothing is converted: both are one program.
 */

#ifndef HO_KERNEL_AGENT_WIRE_H
#define HO_KERNEL_AGENT_WIRE_H

#include "kernel/agent.h"

/* An answer: `status` is the request's number, `err` the positive errno, `program` of a new
 * program, `from` and u.text what struct ho_program_error says.
 */
#define HO_AGENT_ANSWER HO_AGENT_MSG_COUNT

#define HO_AGENT_ARGS_MAX 32

enum ho_agent_request_kind {
    HO_AGENT_DO_PROGRAM,
    HO_AGENT_DO_COMMAND,
    HO_AGENT_DO_READING,
    HO_AGENT_DO_TIME0,
    HO_AGENT_DO_SYNC
};

/* `text` is a behaviour or verb and then key and value of each argument, each ended by a 0. */
struct ho_agent_request {
    enum ho_agent_request_kind kind;
    int number;
    bool answer; /* false: only a refusal is told, by HO_AGENT_REFUSED */
    bool yes;    /* READING */
    unsigned program;
    int64_t time0_ns;
    unsigned n_args;
    unsigned used; /* bytes of text; no more is sent */
    char text[HO_AGENT_TEXT_MAX];
};

/* The child. `ctl` is its end of the socketpair, `parent` who must be its parent. */
_Noreturn void ho_agent_main(int ctl, pid_t parent, const struct ho_agent_conf *conf);

#endif
