/* One line of a policy: its words, and the rule that they make. Internal to src/forecast/. */

#ifndef HO_FORECAST_POLICY_READ_H
#define HO_FORECAST_POLICY_READ_H

#include "forecast/policy.h"

enum policy_kind {
    POLICY_NO_RULE, /* `policy allow unknown` */
    POLICY_NEED,
    POLICY_FINDING,
    POLICY_TROUBLE,
    POLICY_STATE
};

struct policy_ports {
    bool set;
    uint16_t first, last;
};

struct policy_net {
    bool set;
    struct ho_addr net;
    unsigned bits; /* as ho_addr_in() counts */
};

struct policy_rule {
    enum policy_kind kind;
    struct policy_ports to, from; /* remote, local */
    struct policy_net to_net, from_net;
    int state; /* enum ho_tcp_state; -1: any */
    char process[16], container[72];
    bool idle, busy;   /* NEED: which question */
    int64_t limit_ns;  /* NEED; TROUBLE: -1: none */
    uint64_t findings; /* FINDING: bits 1 << enum ho_finding_id */
    enum ho_trouble trouble;
    bool any_trouble;
    int must_not_be; /* STATE */
};

#define POLICY_WORDS_MAX 64

struct policy_word {
    const char *at;
    size_t len;
};

struct policy_words {
    const char *file;
    unsigned line;
    const char *begin; /* of the line */
    struct policy_word word[POLICY_WORDS_MAX];
    size_t n, next;
    struct ho_policy_error *e;
    const char *tried[16]; /* what could have stood at `next` */
    size_t n_tried;
};

/* The words of a line up to its comment. Returns 0; -EINVAL with the error filled. */
int policy_split(struct policy_words *w, const char *text, size_t len);

/* Reads the line. Returns 0; -EINVAL with the error filled. */
int policy_read(struct policy_words *w, struct policy_rule *ret, bool *ret_allow_unknown);

/* Fills the error. Returns -EINVAL. */
int policy_refuse(const struct policy_words *w, unsigned column, const char *format, ...);

#endif
