/* One function a scenario. See forecast/proof.h.
 *
 * A connection is made at 0 s. What counts from "the last segment received" counts from its
 * handshake, so that the moment is known and the keepalive timers were just armed; `used-cut` has
 * timers that were armed before.
 */

#include "forecast/proof.h"

#include <assert.h>
#include <inttypes.h>

#define US_PER_S INT64_C(1000000)
#define A_BIT_US 2000 /* the connection stands, its last segment has arrived */
#define A_BIT_REAL_US 100000
#define JIFFIES (UINT64_C(1) << 32) /* a multiple of every step of the wheel */

struct play {
    const struct ho_proof *p;
    struct ho_text *out;
    int64_t rtt_us, within_us, survive_us;
    int64_t at_us;   /* when it happens */
    int64_t ends_us; /* when the play ends */
};

static const char *const hosts[] = { "client", "server" };

/* ---- times ----------------------------------------------------------------------------------- */

static int64_t up_us(int64_t ns)
{
    return (ns + 999) / 1000;
}

/* What each way claims to outlive. */
static int64_t outlives_us(const struct ho_proof *p, enum ho_proof_kind kind)
{
    return (kind == HO_PROOF_IDLE_OUTAGE ? p->advice->idle_outlives_ns
                                         : p->advice->data_outlives_ns[p->way]) /
           1000;
}

/* By sysctls it hangs on the timeout, which delayed ACKs have made longer when the window closes,
 * and on how long the window has been closed: then the worst is claimed, and no more.
 */
static int64_t window_us(const struct play *y)
{
    int64_t worst_us = up_us(y->p->advice->window_by_sysctls_ns);

    return y->p->way == HO_ADVICE_SYSCTLS && worst_us > y->within_us ? worst_us : y->within_us;
}

/* When a connection stands: after its handshake, and after the neighbours' requests. */
static int64_t stands_us(const struct play *y)
{
    return y->rtt_us * 3 / 2 + (y->p->ask->base.on_link ? 2 * y->rtt_us : 0);
}

static int64_t a_bit_us(const struct play *y)
{
    return y->p->real ? A_BIT_REAL_US : A_BIT_US;
}

/* When the fault comes, and when the play ends. */
static void set_times(struct play *y, enum ho_proof_kind kind)
{
    const struct ho_advice *a = y->p->advice;
    int64_t idle_us = a->idle_s * US_PER_S;

    y->at_us = stands_us(y) + a_bit_us(y);
    y->ends_us = y->within_us + US_PER_S;
    switch (kind) {
    case HO_PROOF_USED:
        y->at_us += idle_us / 2 + 2 * y->rtt_us + 60000; /* and a delayed ACK */
        break;
    case HO_PROOF_SILENCE:
        y->ends_us += idle_us + US_PER_S / 2;
        break;
    case HO_PROOF_WINDOW:
        y->at_us += 10 * y->rtt_us + 150000;
        y->ends_us = window_us(y) + US_PER_S;
        break;
    case HO_PROOF_LOST_PROBE:
        y->at_us = y->rtt_us * 3 / 2 + idle_us - 1000;
        y->ends_us = 3 * y->within_us + 20 * y->rtt_us;
        break;
    case HO_PROOF_IDLE_OUTAGE:
        y->at_us = y->rtt_us * 3 / 2 + idle_us - 1000;
        y->ends_us = y->survive_us + y->within_us + 20 * y->rtt_us + 5 * US_PER_S;
        break;
    case HO_PROOF_DATA_OUTAGE:
        y->ends_us = y->survive_us + y->within_us + 20 * y->rtt_us + 5 * US_PER_S;
        break;
    default:
        break;
    }
    y->ends_us += y->at_us;
}

static struct play begin(const struct ho_proof *p, enum ho_proof_kind kind, struct ho_text *out)
{
    struct play y = { .p = p, .out = out };

    y.rtt_us = up_us(p->ask->base.rtt.ns) + 1;
    y.rtt_us -= y.rtt_us % 2; /* each way takes a half of it */
    y.rtt_us = y.rtt_us > 0 ? y.rtt_us : 2;
    y.within_us = up_us(p->ask->within.ns);
    y.survive_us = outlives_us(p, kind);
    set_times(&y, kind);
    return y;
}

/* ---- the hosts ------------------------------------------------------------------------------- */

/* Sysctls that decide and are not advised: said if they are not what the hosts start with. */
static const enum ho_sysctl left_alone[] = {
    HO_SYSCTL_TCP_KEEPALIVE_TIME,    HO_SYSCTL_TCP_KEEPALIVE_INTVL,
    HO_SYSCTL_TCP_KEEPALIVE_PROBES,  HO_SYSCTL_TCP_RETRIES2,
    HO_SYSCTL_TCP_ORPHAN_RETRIES,    HO_SYSCTL_TCP_SYN_RETRIES,
    HO_SYSCTL_TCP_SYNACK_RETRIES,    HO_SYSCTL_TCP_SYN_LINEAR_TIMEOUTS,
    HO_SYSCTL_TCP_FIN_TIMEOUT,       HO_SYSCTL_TCP_RTO_MAX_MS,
    HO_SYSCTL_TCP_RTO_MIN_US,        HO_SYSCTL_TCP_EARLY_RETRANS,
    HO_SYSCTL_NEIGH_MCAST_SOLICIT,   HO_SYSCTL_NEIGH_UCAST_SOLICIT,
    HO_SYSCTL_NEIGH_RETRANS_TIME_MS, HO_SYSCTL_NEIGH6_MCAST_SOLICIT,
    HO_SYSCTL_NEIGH6_UCAST_SOLICIT,  HO_SYSCTL_NEIGH6_RETRANS_TIME_MS,
};

/* The name, with the interface that the hosts have. */
static void put_sysctl(struct ho_text *out, enum ho_sysctl id, int64_t value)
{
    ho_text_put(out, "set all ");
    for (const char *p = ho_sysctl_info(id)->name; *p != '\0'; p++) {
        if (*p == '*') {
            ho_text_put(out, "eth0");
        } else {
            ho_text_char(out, *p);
        }
    }
    ho_text_printf(out, " %" PRId64 "\n", value);
}

static void put_settings(const struct play *y)
{
    struct ho_sysctls start;
    struct ho_predict_in in;

    ho_profile_sysctls(y->p->profile, &start);
    ho_advice_apply(y->p->ask, y->p->advice, y->p->way, 0, &in);
    for (size_t i = 0; i < sizeof(left_alone) / sizeof(left_alone[0]); i++) {
        enum ho_sysctl id = left_alone[i];

        if (in.sysctls.v[id] != start.v[id] && ho_profile_has_sysctl(y->p->profile, id)) {
            put_sysctl(y->out, id, in.sysctls.v[id]);
        }
    }
    for (size_t h = 0; h < 2; h++) {
        ho_text_printf(y->out, "option %s SO_KEEPALIVE on\n", hosts[h]);
        for (int i = 0; i < HO_SOCKOPT_COUNT; i++) {
            if (in.has_option[i]) {
                const struct ho_sockopt_info *info = ho_sockopt_info((enum ho_sockopt)i);

                ho_text_printf(y->out, "option %s %s %" PRId64 "%s\n", hosts[h], info->name,
                               in.option[i], ho_unit_suffix(info->unit));
            }
        }
    }
}

static void put_world(const struct play *y, enum ho_proof_kind kind,
                      const struct ho_proof_when *when)
{
    const char *profile =
        y->p->profile == 0 ? NULL : ho_profile(y->p->profile)->name; /* 0: the default */

    ho_text_printf(y->out, "title \"%s\"\n", ho_proof_title(kind));
    if (when->both) {
        ho_text_put(y->out, "plays over ipv4 ipv6\n");
    }
    if (!y->p->real && when->hz == 0) {
        ho_text_put(y->out, "hz exact\n");
    } else if (!y->p->real) {
        ho_text_printf(y->out, "hz %" PRIu32 "\njiffy %" PRIu64 "\n", when->hz, when->jiffies);
    }
    ho_text_printf(y->out, "rtt %" PRId64 "us\n", y->rtt_us);
    for (size_t h = 0; h < 2; h++) {
        ho_text_printf(y->out, "host %s%s%s\n", hosts[h], profile != NULL ? " profile " : "",
                       profile != NULL ? profile : "");
    }
    ho_text_put(y->out, "cable client -- server\n");
    if (!y->p->ask->base.on_link) {
        ho_text_put(y->out, "neighbours static\n");
    }
    put_settings(y);
}

/* ---- what happens ---------------------------------------------------------------------------- */

static void put_connection(const struct play *y)
{
    ho_text_put(y->out, "connection client -> server:80\n");
}

/* "at 1500us client send 1000" of both hosts, different sizes: one segment, several. */
static void both_send(const struct play *y, int64_t at_us)
{
    ho_text_printf(y->out, "at %" PRId64 "us client send 1000\nat %" PRId64 "us server send 9000\n",
                   at_us, at_us);
}

static void both_give_up(const struct play *y, int64_t within_us)
{
    for (size_t h = 0; h < 2; h++) {
        ho_text_printf(y->out, "expect kernel of %s gives up within %" PRId64 "us of cut\n",
                       hosts[h], within_us);
    }
}

static void put_cut(const struct play *y)
{
    ho_text_printf(y->out, "at %" PRId64 "us cut\n", y->at_us);
}

static void put_silence(const struct play *y)
{
    int64_t after_us = y->p->advice->idle_s * US_PER_S + US_PER_S / 2;

    put_cut(y);
    both_send(y, y->at_us + after_us);
    both_give_up(y, after_us + y->within_us);
}

static void put_connect(const struct play *y)
{
    ho_text_printf(y->out,
                   "at 0s client listen 81\nat 0s server listen 80\nat %" PRId64 "us cut\n"
                   "at %" PRId64 "us client connect server:80\n"
                   "at %" PRId64 "us server connect client:81\n",
                   y->at_us, y->at_us, y->at_us);
    both_give_up(y, y->within_us);
}

static void put_closed(const struct play *y)
{
    put_cut(y);
    both_send(y, y->at_us);
    for (size_t h = 0; h < 2; h++) {
        ho_text_printf(y->out, "at %" PRId64 "us %s close\n", y->at_us, hosts[h]);
    }
    for (size_t h = 0; h < 2; h++) {
        ho_text_printf(y->out, "expect %s enters gone within %" PRId64 "us of cut\n", hosts[h],
                       y->within_us);
    }
}

/* One connection for each direction; small buffers, which fill at once. */
static void put_window(const struct play *y)
{
    int64_t send_us = stands_us(y) + a_bit_us(y);

    ho_text_printf(
        y->out,
        "set all net.ipv4.tcp_rmem 4096 8192 16384\n"
        "connection client -> server:80 as there\nconnection client -> server:81 as back\n"
        "at %" PRId64 "us server/there stop reading\n"
        "at %" PRId64 "us client/back stop reading\n"
        "at %" PRId64 "us client/there send until blocked\n"
        "at %" PRId64 "us server/back send until blocked\n",
        send_us, send_us, send_us, send_us);
    put_cut(y);
    ho_text_printf(y->out, "expect kernel of client/there gives up within %" PRId64 "us of cut\n",
                   window_us(y));
    ho_text_printf(y->out, "expect kernel of server/back gives up within %" PRId64 "us of cut\n",
                   window_us(y));
}

static void put_reboot(const struct play *y, const char *dies, const char *lives)
{
    int64_t down_us = y->within_us / 8 < 2 * US_PER_S ? y->within_us / 8 : 2 * US_PER_S;

    ho_text_printf(y->out,
                   "at %" PRId64 "us %s power-off\nat %" PRId64 "us %s boot\n"
                   "expect kernel of %s gives up within %" PRId64 "us of power-off\n",
                   y->at_us, dies, y->at_us + down_us, dies, lives, y->within_us);
}

static void put_killed(const struct play *y, const char *dies, const char *lives)
{
    ho_text_printf(y->out,
                   "at %" PRId64 "us %s kill\n"
                   "expect %s notices EOF within %" PRId64 "us of kill\n",
                   y->at_us, dies, lives, y->within_us);
}

/* It lives: data goes both ways at the end. */
static void put_alive(const struct play *y)
{
    both_send(y, y->ends_us - 10 * y->rtt_us - US_PER_S);
    ho_text_put(y->out, "expect nobody notices\nexpect the stream arrives whole\n");
}

static void put_lost_probe(const struct play *y)
{
    for (size_t h = 0; h < 2; h++) {
        ho_text_printf(y->out, "at %" PRId64 "us drop next 1 ACK from %s on client -- server\n",
                       y->at_us, hosts[h]);
    }
    put_alive(y);
}

static void put_outage(const struct play *y)
{
    put_cut(y);
    ho_text_printf(y->out, "at %" PRId64 "us plug\n", y->at_us + y->survive_us);
}

static void put_steps(const struct play *y, enum ho_proof_kind kind)
{
    switch (kind) {
    case HO_PROOF_USED:
        both_send(y, y->at_us - 2 * y->rtt_us - 60000);
        put_cut(y);
        both_give_up(y, y->within_us);
        break;
    case HO_PROOF_DATA:
        put_cut(y);
        both_send(y, y->at_us);
        both_give_up(y, y->within_us);
        break;
    case HO_PROOF_SILENCE:
        put_silence(y);
        break;
    case HO_PROOF_CLOSED:
        put_closed(y);
        break;
    case HO_PROOF_REBOOT:
        put_reboot(y, "server", "client");
        break;
    case HO_PROOF_REBOOT_CLIENT:
        put_reboot(y, "client", "server");
        break;
    case HO_PROOF_KILLED:
        put_killed(y, "server", "client");
        break;
    case HO_PROOF_KILLED_CLIENT:
        put_killed(y, "client", "server");
        break;
    case HO_PROOF_LOST_PROBE:
        put_lost_probe(y);
        break;
    case HO_PROOF_IDLE_OUTAGE:
        put_outage(y);
        put_alive(y);
        break;
    case HO_PROOF_DATA_OUTAGE:
        put_outage(y);
        both_send(y, y->at_us);
        put_alive(y);
        break;
    default: /* IDLE */
        put_cut(y);
        both_give_up(y, y->within_us);
        break;
    }
}

void ho_proof_write(const struct ho_proof *p, enum ho_proof_kind kind,
                    const struct ho_proof_when *when, struct ho_text *out)
{
    struct play y = begin(p, kind, out);

    put_world(&y, kind, when);
    if (kind == HO_PROOF_CONNECT) {
        put_connect(&y);
    } else if (kind == HO_PROOF_WINDOW) {
        put_window(&y);
    } else {
        put_connection(&y);
        put_steps(&y, kind);
    }
    ho_text_printf(out, "lasts %" PRId64 "us\n", y.ends_us);
}

struct ho_dur ho_proof_lasts(const struct ho_proof *p, enum ho_proof_kind kind)
{
    struct play y = begin(p, kind, NULL);

    return ho_us(y.ends_us);
}

bool ho_proof_applies(const struct ho_proof *p, enum ho_proof_kind kind)
{
    bool sysctls = p->way == HO_ADVICE_SYSCTLS;

    switch (kind) {
    case HO_PROOF_DATA:
    case HO_PROOF_SILENCE:
    case HO_PROOF_WINDOW:
        return !sysctls || p->advice->retries2 >= 0;
    case HO_PROOF_CONNECT:
        return !sysctls || p->advice->syn_retries >= 0;
    case HO_PROOF_CLOSED:
        return !sysctls || p->advice->orphan_retries >= 0;
    case HO_PROOF_IDLE_OUTAGE:
        return outlives_us(p, kind) > 0;
    case HO_PROOF_DATA_OUTAGE:
        return (!sysctls || p->advice->retries2 >= 0) && outlives_us(p, kind) > 0;
    default:
        return true;
    }
}

/* ---- phases ---------------------------------------------------------------------------------- */

/* What the arithmetic calls it. */
static enum ho_predict_activity activity_of(enum ho_proof_kind kind)
{
    switch (kind) {
    case HO_PROOF_DATA:
    case HO_PROOF_SILENCE:
    case HO_PROOF_DATA_OUTAGE:
        return HO_ACTIVITY_DATA;
    case HO_PROOF_CONNECT:
        return HO_ACTIVITY_CONNECT;
    case HO_PROOF_CLOSED:
        return HO_ACTIVITY_CLOSING;
    case HO_PROOF_WINDOW:
        return HO_ACTIVITY_WINDOW;
    default:
        return HO_ACTIVITY_KEEPALIVE;
    }
}

uint64_t ho_proof_phase(const struct ho_proof *p, enum ho_proof_kind kind, uint32_t hz, unsigned i)
{
    struct play y = begin(p, kind, NULL);
    struct ho_predict_in in;
    struct ho_prediction d;
    int64_t origin_us = activity_of(kind) == HO_ACTIVITY_KEEPALIVE ? y.rtt_us * 3 / 2 : y.at_us;

    ho_advice_apply(p->ask, p->advice, p->way, hz, &in);
    if (ho_predict(&in, HO_FAULT_CUT, activity_of(kind), &d) != 0 || hz == 0) {
        return JIFFIES;
    }
    uint64_t step = d.outcome == HO_PREDICT_RANGE ? d.step : 4096;
    uint64_t phase = i == 0   ? d.at_max.jiffies
                     : i == 1 ? d.at_min.jiffies
                              : step * (2 * i - 3) / (UINT64_C(2) * (HO_PROOF_PHASES - 2)) + i;

    return JIFFIES + phase - (uint64_t)origin_us * hz / US_PER_S;
}

/* ---- names ----------------------------------------------------------------------------------- */

const char *ho_proof_name(enum ho_proof_kind kind)
{
    static const char *const names[] = {
#define X(id, name, title) name,
        HO_PROOFS(X)
#undef X
    };

    assert(kind < HO_PROOF_COUNT);
    return names[kind];
}

const char *ho_proof_title(enum ho_proof_kind kind)
{
    static const char *const titles[] = {
#define X(id, name, title) title,
        HO_PROOFS(X)
#undef X
    };

    assert(kind < HO_PROOF_COUNT);
    return titles[kind];
}

const char *ho_proof_way(enum ho_advice_way way)
{
    return way == HO_ADVICE_OPTIONS ? "options" : "sysctls";
}
