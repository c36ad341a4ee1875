/* Scenarios that prove a piece of advice: whoever doubts it plays them.
 *
 *     for (kind = 0; kind < HO_PROOF_COUNT; kind++) {
 *         if (ho_proof_applies(p, kind)) {
 *             ho_proof_write(p, kind, &when, &text)     a file of the scenario language
 *         }
 *     }
 *
 * Each has two hosts with the settings of one way (forecast/advise.h), one fault, and what must
 * follow: that the kernel of either side gives up within the time, or that an outage was outlived
 * and every byte arrives. Phases of the timer wheel are chosen by ho_proof_phase(): those that the
 * arithmetic names as the worst, and others.
 */

#ifndef HO_FORECAST_PROOF_H
#define HO_FORECAST_PROOF_H

#include "base/text.h"
#include "forecast/advise.h"
#include "knobs/profile.h"

/* id, the scenario's name, its title */
#define HO_PROOFS(X)                                                                      \
    X(IDLE, "idle-cut", "Idle from the start, cut")                                       \
    X(USED, "used-cut", "Idle after some data, cut")                                      \
    X(DATA, "data-cut", "Data in flight, cut")                                            \
    X(SILENCE, "data-into-silence", "Cut, and data is sent while keepalive probes")       \
    X(CONNECT, "connect-cut", "connect() to a host that is gone")                         \
    X(CLOSED, "closed-cut", "Closed here with data in flight, cut")                       \
    X(WINDOW, "window-cut", "Cut when the peer's window has closed")                      \
    X(REBOOT, "server-reboots", "The server's host loses power and restarts")             \
    X(REBOOT_CLIENT, "client-reboots", "The client's host loses power and restarts")      \
    X(KILLED, "server-killed", "The server's process is killed")                          \
    X(KILLED_CLIENT, "client-killed", "The client's process is killed")                   \
    X(LOST_PROBE, "probe-lost", "Idle: one probe of each side is lost, and nobody minds") \
    X(IDLE_OUTAGE, "idle-outage", "Idle: an outage that begins before the first probe")   \
    X(DATA_OUTAGE, "data-outage", "Data in flight: an outage that begins as it is sent")

enum ho_proof_kind {
#define X(id, name, title) HO_PROOF_##id,
    HO_PROOFS(X)
#undef X
    HO_PROOF_COUNT
};

struct ho_proof {
    const struct ho_advise_ask *ask;
    const struct ho_advice *advice;
    enum ho_advice_way way;
    enum ho_profile_id profile; /* whose defaults the hosts have before anything is set */
    bool real; /* for a kernel that has its own HZ and phase, and processes that take time */
};

struct ho_proof_when {
    uint32_t hz;
    uint64_t jiffies; /* at the start */
    bool both;        /* over IPv4 and IPv6, else IPv4 */
};

/* False: this way does not claim it (no outage can be outlived, no value was found). */
bool ho_proof_applies(const struct ho_proof *p, enum ho_proof_kind kind);

/* Phases that ho_proof_phase() knows. */
#define HO_PROOF_PHASES 4

/* The starting jiffies of phase `i`: 0 the latest end, 1 the earliest, as ho_predict() names them
 * for what the scenario is about; the others lie somewhere else.
 */
uint64_t ho_proof_phase(const struct ho_proof *p, enum ho_proof_kind kind, uint32_t hz, unsigned i);

/* Appends the scenario. */
void ho_proof_write(const struct ho_proof *p, enum ho_proof_kind kind,
                    const struct ho_proof_when *when, struct ho_text *out);

/* How long it plays. */
struct ho_dur ho_proof_lasts(const struct ho_proof *p, enum ho_proof_kind kind);

const char *ho_proof_name(enum ho_proof_kind kind);
const char *ho_proof_title(enum ho_proof_kind kind);
const char *ho_proof_way(enum ho_advice_way way); /* "options", "sysctls": for names */

#endif
