/* Advice for programs. See cli/advise.h. */

#include <inttypes.h>
#include <string.h>

#include "cli/advise.h"
#include "knobs/errno.h"

static void put_seconds(struct ho_text *out, const char *key, int64_t ns)
{
    ho_text_printf(out, ",\"%s\":", key);
    if (ns < 0 || ns == INT64_MAX) {
        ho_text_put(out, "null");
    } else {
        ho_text_seconds(out, ns, 3);
    }
}

static void put_options(struct ho_text *out, const struct ho_advice *d)
{
    ho_text_printf(out,
                   "{\"SO_KEEPALIVE\":1,\"TCP_KEEPIDLE\":%" PRId64 ",\"TCP_KEEPINTVL\":%" PRId64
                   ",\"TCP_KEEPCNT\":%" PRId64 ",\"TCP_USER_TIMEOUT\":%" PRId64,
                   d->idle_s, d->intvl_s, d->cnt, d->user_timeout_ms);
    if (d->syncnt > 0) {
        ho_text_printf(out, ",\"TCP_SYNCNT\":%" PRId64, d->syncnt);
    }
    ho_text_char(out, '}');
}

static void put_sysctls(struct ho_text *out, const struct ho_advice *d)
{
    const struct {
        enum ho_sysctl id;
        int64_t value;
    } set[] = {
        { HO_SYSCTL_TCP_KEEPALIVE_TIME, d->idle_s },
        { HO_SYSCTL_TCP_KEEPALIVE_INTVL, d->intvl_s },
        { HO_SYSCTL_TCP_KEEPALIVE_PROBES, d->cnt },
        { HO_SYSCTL_TCP_RETRIES2, d->retries2 },
        { HO_SYSCTL_TCP_ORPHAN_RETRIES, d->orphan_retries },
        { HO_SYSCTL_TCP_SYN_RETRIES, d->syn_retries },
        { HO_SYSCTL_TCP_SYNACK_RETRIES, d->synack_retries },
        { HO_SYSCTL_TCP_FIN_TIMEOUT, d->fin_timeout_s },
    };

    for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
        ho_text_printf(out, "%s\"%s\":", i == 0 ? "{" : ",", ho_sysctl_info(set[i].id)->name);
        if (set[i].value < 0) {
            ho_text_put(out, "null");
        } else {
            ho_text_int(out, set[i].value);
        }
    }
    ho_text_char(out, '}');
}

static void put_answers(struct ho_text *out, const struct ho_advising *a, enum ho_advice_way way)
{
    bool any = false;

    ho_text_put(out, ",\"answers\":[");
    for (int f = 0; f < HO_FAULT_COUNT; f++) {
        for (int i = HO_ACTIVITY_KEEPALIVE; i < HO_ACTIVITY_COUNT; i++) {
            struct ho_prediction p;

            if (ho_advice_answer(&a->ask, &a->advice, way, (enum ho_predict_fault)f,
                                 (enum ho_predict_activity)i, &p) != 0) {
                continue;
            }
            bool timed = p.outcome == HO_PREDICT_RANGE || p.outcome == HO_PREDICT_WITHIN;

            ho_text_printf(out, "%s\n{\"fault\":\"%s\",\"activity\":\"%s\",\"outcome\":\"%s\"",
                           any ? "," : "", ho_predict_fault_word(p.fault),
                           ho_predict_activity_word(p.activity),
                           ho_predict_outcome_word(p.outcome));
            put_seconds(out, "min_s", timed ? p.min_ns : -1);
            put_seconds(out, "max_s", timed ? p.max_ns : -1);
            ho_text_put(out, p.told ? ",\"told\":true}" : ",\"told\":false}");
            any = true;
        }
    }
    ho_text_put(out, "\n]");
}

static void put_way(struct ho_text *out, const struct ho_advising *a, enum ho_advice_way way)
{
    const struct ho_advice *d = &a->advice;

    ho_text_printf(out, ",\n\"%s\":{\"set\":", ho_proof_way(way));
    if (way == HO_ADVICE_OPTIONS) {
        put_options(out, d);
    } else {
        put_sysctls(out, d);
    }
    put_seconds(out, "idle_outlives_s", d->idle_outlives_ns);
    put_seconds(out, "data_outlives_s", d->data_outlives_ns[way]);
    if (way == HO_ADVICE_SYSCTLS) {
        put_seconds(out, "window_long_closed_s", d->window_by_sysctls_ns);
    }
    put_answers(out, a, way);
    ho_text_char(out, '}');
}

void ho_advising_json(struct ho_advising *a, struct ho_text *out)
{
    ho_text_put(out, "{\"source\":");
    ho_text_json(out, a->host.source);
    put_seconds(out, "within_s", a->ask.within.ns);
    put_seconds(out, "survive_s", a->ask.survive.ns);
    put_seconds(out, "rtt_s", a->ask.base.rtt.ns);
    ho_text_printf(out, ",\"path\":\"%s\",\"hz\":[", a->ask.base.on_link ? "lan" : "routed");
    for (unsigned i = 0; i < a->ask.hz_count; i++) {
        ho_text_printf(out, "%s%" PRIu32, i > 0 ? "," : "", a->ask.hz[i]);
    }
    ho_text_put(out, "]");
    for (int way = 0; way < HO_ADVICE_WAYS; way++) {
        if (way == HO_ADVICE_OPTIONS ? !a->ask.no_options : !a->ask.no_sysctls) {
            put_way(out, a, (enum ho_advice_way)way);
        }
    }
    ho_text_printf(out, ",\n\"probes_per_hour\":%" PRId64,
                   (3600 + a->advice.idle_s - 1) / a->advice.idle_s);
    ho_text_printf(out, ",\"proof\":{\"engine\":\"model\",\"scenarios\":%zu,\"plays\":%zu}",
                   a->scenarios, a->plays);
}
