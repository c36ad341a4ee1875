/* Diagnoses made by hand, for the tests of `halfopen watch`: nothing is scanned. */

#ifndef HO_TESTS_WATCH_MAKE_H
#define HO_TESTS_WATCH_MAKE_H

#include <string.h>

#include "doctor/report.h"
#include "knobs/state.h"

#define MADE_MAX 64

/* Connections of 10.0.0.1 to 10.0.0.2:PORT, all of one namespace. */
struct made {
    struct ho_conn_host host;
    struct ho_conn_owner owners[MADE_MAX];
    struct ho_conn conns[MADE_MAX];
    struct ho_diagnosis_conn said[MADE_MAX];
    struct ho_scan scan;
    struct ho_diagnosis d;
};

static inline void made_begin(struct made *m)
{
    memset(m, 0, sizeof(*m));
    m->host = (struct ho_conn_host){ .netns = 4026531840, .here = true, .hz = 250 };
    ho_sysctls_init(&m->host.sysctls);
    m->scan =
        (struct ho_scan){ .hosts = &m->host, .n_hosts = 1, .owners = m->owners, .conns = m->conns };
    m->d = (struct ho_diagnosis){ .scan = &m->scan, .conns = m->said };
}

/* One more; its cookie is its port, and it never notices. Returns its index. */
static inline size_t made_add(struct made *m, const char *process, uint16_t lport, uint16_t port)
{
    size_t i = m->scan.n_conns++;

    m->scan.n_owners = m->scan.n_conns;
    m->owners[i].pid = 100 + (int32_t)i;
    (void)strncpy(m->owners[i].name, process, sizeof(m->owners[i].name) - 1);
    m->conns[i] = (struct ho_conn){
        .local = ho_addr_v4(10, 0, 0, 1),
        .remote = ho_addr_v4(10, 0, 0, 2),
        .lport = lport,
        .rport = port,
        .owner = (uint32_t)i,
        .inode = 1000u + lport,
        .cookie = lport,
        .state = HO_TCP_ESTABLISHED,
    };
    m->said[i].outlook = (struct ho_outlook){
        .idle.kind = HO_OUTLOOK_NEVER,
        .busy = { .kind = HO_OUTLOOK_RANGE,
                  .min_ns = 937 * HO_NS_PER_S,
                  .max_ns = 940 * HO_NS_PER_S },
        .since_ns = -1,
    };
    return i;
}

/* It is in trouble for `since_s` and gives up with `err` after `min_s` to `max_s` more. */
static inline void made_trouble(struct made *m, size_t i, enum ho_trouble trouble, int64_t since_s,
                                int64_t min_s, int64_t max_s, int err)
{
    struct ho_outlook *o = &m->said[i].outlook;

    o->trouble = trouble;
    o->attempt = 6;
    o->since_ns = since_s * HO_NS_PER_S;
    o->end = (struct ho_outlook_answer){ .kind = HO_OUTLOOK_RANGE,
                                         .min_ns = min_s * HO_NS_PER_S,
                                         .max_ns = max_s * HO_NS_PER_S,
                                         .err = err };
    m->d.in_trouble++;
}

#endif
