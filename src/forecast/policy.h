/* Rules that a machine's connections have to keep: `halfopen policy FILE`.
 *
 * A file of lines, each a sentence:
 *
 *     no connection to port 5432 may need more than 60s
 *     no connection from port 80 may need more than 3m while idle
 *     no connection of process postgres may have finding KA001 or UT003
 *     no connection to 10.0.0.0/8 in state ESTABLISHED may be retransmitting for more than 30s
 *     no connection may be in state CLOSE-WAIT
 *
 *     rule     = "no connection" WHICH* "may" WHAT
 *     WHICH    = ("to" | "from") "port" PORT ["-" PORT]      the remote port; the local one
 *              | ("to" | "from") ADDRESS ["/" BITS]
 *              | "of process" NAME | "of container" NAME
 *              | "in state" STATE
 *     WHAT     = "need more than" DURATION ["while" ("idle" | "busy")]
 *              | "have finding" ID ("or" ID)*
 *              | "be" TROUBLE ["for more than" DURATION]      a word of HO_TROUBLES
 *              | "be in" ("trouble" ["for more than" DURATION] | "state" STATE)
 *
 * Durations are those of the scenario language: 500ms, 1.5s, 2h11m. `#` begins a comment. What
 * stands twice (two ports) must all be so. An answer that is not known breaks a rule, unless the
 * line `policy allow unknown` stands in the file.
 */

#ifndef HO_FORECAST_POLICY_H
#define HO_FORECAST_POLICY_H

#include "base/text.h"
#include "forecast/finding.h"

struct ho_policy;

struct ho_policy_error {
    unsigned line, column;
    char text[160]; /* "FILE:3:12: ...: what was expected" */
};

#define HO_POLICY_RULES_MAX 1024
#define HO_POLICY_LINE_MAX 1000 /* bytes */

/* `file` names it in errors. Returns 0 with *ret to be freed; -EINVAL with *e; -ENOMEM. */
int ho_policy_parse(struct ho_policy **ret, const char *file, const char *text, size_t len,
                    struct ho_policy_error *e);
void ho_policy_free(struct ho_policy *p);

size_t ho_policy_rules(const struct ho_policy *p);
const char *ho_policy_rule_text(const struct ho_policy *p, size_t rule);
unsigned ho_policy_rule_line(const struct ho_policy *p, size_t rule);

/* Whether a rule is about the connection, and whether it keeps it. */
enum ho_policy_answer {
    HO_POLICY_NOT_ABOUT,
    HO_POLICY_NO_QUESTION, /* it is one of those, but has no peer that could vanish: `need` of a
                            * listener, in TIME-WAIT, or with both ends on this machine */
    HO_POLICY_KEPT,
    HO_POLICY_BROKEN
};

/* `owner` may be NULL. With BROKEN, `why` (of at least 120 bytes) says by what: "idle: never". */
enum ho_policy_answer ho_policy_ask(const struct ho_policy *p, size_t rule, const struct ho_conn *c,
                                    const struct ho_conn_owner *owner, const struct ho_outlook *o,
                                    const struct ho_finding *findings, size_t n_findings,
                                    char *why);

#endif
