/* The states of a TCP connection, with the names that RFC 9293, Linux and ss(8) give them. */

#ifndef HO_KNOBS_STATE_H
#define HO_KNOBS_STATE_H

/* Values are Linux's; 0 is no state. */
enum ho_tcp_state {
#define X(id, number, linux_name, word) HO_TCP_##id = (number),
#include "knobs/states.def"
#undef X
    HO_TCP_STATE_COUNT = 12 /* one more than the largest */
};

/* What ss(8) prints: "FIN-WAIT-1". */
const char *ho_tcp_state_word(enum ho_tcp_state state);

/* Linux's constant: "TCP_FIN_WAIT1". */
const char *ho_tcp_state_linux(enum ho_tcp_state state);

/* RFC 9293's name: "FIN-WAIT-1", "ESTABLISHED". */
const char *ho_tcp_state_rfc(enum ho_tcp_state state);

/* The state of any of the three names. Returns it (> 0); -ENOENT. */
int ho_tcp_state_find(const char *name);

#endif
