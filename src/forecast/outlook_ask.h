/* What the questions about a connection share. Internal to src/forecast/. */

#ifndef HO_FORECAST_OUTLOOK_ASK_H
#define HO_FORECAST_OUTLOOK_ASK_H

#include "forecast/outlook.h"
#include "forecast/silence.h"

struct outlook_ask {
    const struct ho_conn *c;
    const struct ho_conn_host *h;
    struct silence_rules rules;
    bool options; /* the socket's own are known, or cannot matter */
};

static inline int64_t sysctl(const struct outlook_ask *q, enum ho_sysctl id)
{
    return q->h->sysctls.v[id];
}

static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline bool between(int64_t v, int64_t min, int64_t max)
{
    return v >= min && v <= max;
}

/* The range of an answer, not before 0. */
void outlook_set_end(struct ho_outlook_answer *a, enum ho_outlook_kind kind, int64_t lo,
                     int64_t hi);

/* TCP_USER_TIMEOUT where it is set, for it comes first. */
enum ho_predict_knob outlook_knob(const struct outlook_ask *q, enum ho_predict_knob otherwise);
enum ho_predict_knob outlook_repeat_knob(const struct outlook_ask *q);

/* For how long nothing came, from now. */
int64_t outlook_silent_ms(const struct ho_conn *c);

/* The timeout before it was doubled, at most: where it was cut to the largest, that is lost. */
struct ho_dur outlook_greatest_rto(const struct outlook_ask *q);

/* By how much the ICMP of a neighbour that failed may put off the end (ground-truth A5). */
int64_t outlook_icmp_slack_ns(const struct outlook_ask *q, struct ho_dur base, int64_t limit);

uint32_t outlook_syn_retries(const struct outlook_ask *q);
uint32_t outlook_syn_linear(const struct outlook_ask *q);

/* Fills trouble, attempt, since_ns and end. */
void outlook_trouble(const struct outlook_ask *q, struct ho_outlook *o);

#endif
