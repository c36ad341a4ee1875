/* What TCP_INFO and sock_diag say of a socket, as a host hands it out. */

#ifndef HO_HOST_INFO_H
#define HO_HOST_INFO_H

#include "tcp/tcp.h"

struct ho_sock_info {
    struct ho_addr local, remote;
    uint16_t lport, rport;
    uint32_t pid; /* 0: an orphan, a request or a TIME-WAIT record */
    int fd;       /* -1 without a process */
    bool ipv6;
    struct ho_tcp_info tcp;
};

#endif
