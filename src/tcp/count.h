/* What a host counts about TCP, by the names of Linux's /proc/net/snmp and /proc/net/netstat
 * where Linux has one. Every drop of a segment has a name here.
 */

#ifndef HO_TCP_COUNT_H
#define HO_TCP_COUNT_H

#include <stdint.h>

#define HO_TCP_COUNTS(X)                                             \
    X(ACTIVE_OPENS, "Tcp.ActiveOpens")                               \
    X(PASSIVE_OPENS, "Tcp.PassiveOpens")                             \
    X(ATTEMPT_FAILS, "Tcp.AttemptFails")                             \
    X(ESTAB_RESETS, "Tcp.EstabResets")                               \
    X(IN_SEGS, "Tcp.InSegs")                                         \
    X(OUT_SEGS, "Tcp.OutSegs")                                       \
    X(RETRANS_SEGS, "Tcp.RetransSegs")                               \
    X(OUT_RSTS, "Tcp.OutRsts")                                       \
    X(LOSS_PROBES, "TCPLossProbes")                                  \
    X(LOSS_PROBE_RECOVERY, "TCPLossProbeRecovery")                   \
    X(TIMEOUTS, "TCPTimeouts")                                       \
    X(ABORT_ON_TIMEOUT, "TCPAbortOnTimeout")                         \
    X(ABORT_ON_DATA, "TCPAbortOnData")                               \
    X(ABORT_ON_CLOSE, "TCPAbortOnClose")                             \
    X(ABORT_ON_MEMORY, "TCPAbortOnMemory")                           \
    X(KEEPALIVE, "TCPKeepAlive")                                     \
    X(WIN_PROBE, "TCPWinProbe")                                      \
    X(CHALLENGE_ACK, "TCPChallengeACK")                              \
    X(SYN_CHALLENGE, "TCPSYNChallenge")                              \
    X(ACK_SKIPPED, "TCPACKSkippedSeq")                               \
    X(OUT_OF_WINDOW_ICMPS, "OutOfWindowIcmps")                       \
    X(PAWS_ESTAB, "PAWSEstabRejected")                               \
    X(PAWS_ACTIVE, "PAWSActive")                                     \
    X(PAWS_OLD_ACK, "PAWSOldAck")                                    \
    X(DSACK_RECV, "TCPDSACKRecv")                                    \
    X(DSACK_OLD_SENT, "TCPDSACKOldSent")                             \
    X(LOSS_UNDO, "TCPLossUndo")                                      \
    X(FULL_UNDO, "TCPFullUndo")                                      \
    X(DSACK_UNDO, "TCPDSACKUndo")                                    \
    X(SACK_RECOVERY, "TCPSackRecovery")                              \
    X(RENO_RECOVERY, "TCPRenoRecovery")                              \
    X(SPURIOUS_RTOS, "TCPSpuriousRTOs")                              \
    X(SYN_RETRANS, "TCPSynRetrans")                                  \
    X(OFO_QUEUE, "TCPOFOQueue")                                      \
    X(OFO_PRUNED, "OfoPruned")                                       \
    X(LISTEN_OVERFLOWS, "ListenOverflows")                           \
    X(LISTEN_DROPS, "ListenDrops")                                   \
    X(TW, "TW")                                                      \
    X(TW_RECYCLED, "TWRecycled")                                     \
    X(ZERO_WINDOW_ADV, "TCPToZeroWindowAdv")                         \
    X(RCV_Q_DROP, "TCPRcvQDrop")                                     \
    X(DROP_CHECKSUM, "Tcp.InCsumErrors")                             \
    X(DROP_HEADER, "Tcp.InErrs")                                     \
    X(DROP_NO_SOCKET, "drop: no socket")                             \
    X(DROP_NO_ACK, "drop: no ACK bit")                               \
    X(DROP_OLD_ACK, "drop: ACK too old (RFC 5961)")                  \
    X(DROP_FUTURE_ACK, "drop: ACK of what was not sent")             \
    X(DROP_OUT_OF_WINDOW, "drop: out of the window")                 \
    X(DROP_RST_OUT_OF_WINDOW, "drop: RST not at rcv_nxt (RFC 5961)") \
    X(DROP_ZERO_WINDOW, "drop: no room in the receive buffer")       \
    X(DROP_NO_MEMORY, "drop: out of memory")                         \
    X(DROP_CLOSED, "drop: the connection is closed")                 \
    X(DROP_SYN_SENT, "drop: not an answer to our SYN")               \
    X(DROP_REQUEST, "drop: not an answer to our SYN-ACK")

enum ho_tcp_count {
#define X(id, name) HO_TCP_COUNT_##id,
    HO_TCP_COUNTS(X)
#undef X
    HO_TCP_COUNT_N
};

/* Linux's name of a counter. */
const char *ho_tcp_count_name(enum ho_tcp_count id);

#endif
