/* Facts of a connection as settings of a prediction. See forecast/conn.h. */

#include "forecast/conn.h"

const char *ho_known_word(enum ho_known known)
{
    static const char *const words[] = {
#define X(id, word) word,
        HO_KNOWNS(X)
#undef X
    };

    return words[known];
}

static bool is_allowed(enum ho_sockopt id, int64_t value)
{
    const struct ho_sockopt_info *info = ho_sockopt_info(id);

    return value >= info->min && value <= info->max;
}

bool ho_conn_has_options(const struct ho_conn *c)
{
    return c->options_known == HO_KNOWN_READ &&
           is_allowed(HO_SOCKOPT_TCP_KEEPIDLE, c->keepidle_s) &&
           is_allowed(HO_SOCKOPT_TCP_KEEPINTVL, c->keepintvl_s) &&
           is_allowed(HO_SOCKOPT_TCP_KEEPCNT, c->keepcnt) &&
           is_allowed(HO_SOCKOPT_TCP_USER_TIMEOUT, c->user_timeout_ms);
}

uint32_t ho_conn_rto_us(const struct ho_conn *c)
{
    unsigned doubled = c->timer == HO_SOCK_TIMER_ON ? c->backoff : 0;

    return c->has_info && doubled < 32 ? c->rto_us >> doubled : 0;
}

static void option(struct ho_predict_in *in, enum ho_sockopt id, int64_t value)
{
    in->has_option[id] = true;
    in->option[id] = value;
}

void ho_conn_predict_in(const struct ho_conn *c, const struct ho_conn_host *h,
                        struct ho_predict_in *ret)
{
    *ret = (struct ho_predict_in){
        .sysctls = h->sysctls,
        .hz = h->hz,
        .on_link = c->on_link,
        .ipv6 = c->ipv6,
    };
    if (c->has_info) {
        /* srtt and rto of 32 bits in microseconds: no overflow in nanoseconds */
        ret->rtt = ho_us(c->rtt_us);
        ret->rto = ho_us(ho_conn_rto_us(c));
    }
    if (ho_conn_has_options(c)) {
        option(ret, HO_SOCKOPT_TCP_KEEPIDLE, c->keepidle_s);
        option(ret, HO_SOCKOPT_TCP_KEEPINTVL, c->keepintvl_s);
        option(ret, HO_SOCKOPT_TCP_KEEPCNT, c->keepcnt);
        option(ret, HO_SOCKOPT_TCP_USER_TIMEOUT, c->user_timeout_ms);
    }
    if (c->keepalive_known != HO_KNOWN_UNKNOWN) {
        option(ret, HO_SOCKOPT_SO_KEEPALIVE, c->keepalive);
    }
}
