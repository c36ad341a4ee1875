/* Any bytes as a policy: it is read, or refused with a place inside of it; what was read can be
 * asked of any connection, and each of its rules reads back from its own text as the same rule.
 */

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "forecast/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WHY 120

static void check_error(const struct ho_policy_error *e, const char *text, size_t len)
{
    size_t lines = 1;

    for (size_t i = 0; i < len; i++) {
        lines += text[i] == '\n';
    }
    assert(e->line >= 1 && e->line <= lines && e->column >= 1);
    assert(e->column <= HO_POLICY_LINE_MAX + 1);
    assert(strncmp(e->text, "fuzz:", 5) == 0 && strlen(e->text) < sizeof(e->text));
}

/* A few connections, of which the bytes choose the kinds of answers. */
static enum ho_policy_answer ask(const struct ho_policy *p, size_t rule, const uint8_t *data,
                                 size_t size, unsigned i)
{
    struct ho_conn_owner owner = { .name = "postgres", .container = "web" };
    uint8_t a = size > i ? data[size - 1 - i] : 0;
    struct ho_conn c = { .local = ho_addr_v4(10, 0, 0, 1),
                         .remote = ho_addr_v4(10, 0, 0, a),
                         .lport = 80,
                         .rport = 5432,
                         .state = (uint8_t)(a % HO_TCP_STATE_COUNT) };
    struct ho_outlook o = { .idle = { .kind = (enum ho_outlook_kind)(a % 5), .max_ns = a },
                            .busy = { .kind = (enum ho_outlook_kind)(a / 5 % 5), .max_ns = 1 },
                            .trouble = (enum ho_trouble)(a % 7),
                            .since_ns = a - 1 };
    struct ho_finding f = { .id = (enum ho_finding_id)(a % HO_FINDING_COUNT), .detail = "detail" };
    char why[WHY] = "";
    enum ho_policy_answer got =
        ho_policy_ask(p, rule, &c, a % 2 == 0 ? &owner : NULL, &o, &f, 1, why);

    assert(memchr(why, '\0', sizeof(why)) != NULL);
    assert((got == HO_POLICY_BROKEN) == (why[0] != '\0'));
    return got;
}

static void check_rule(const struct ho_policy *p, size_t rule, const uint8_t *data, size_t size)
{
    const char *text = ho_policy_rule_text(p, rule);
    struct ho_policy_error e = { 0 };
    struct ho_policy *again = NULL;
    char with_unknown[HO_POLICY_LINE_MAX + 64];
    static const char allow[] = "\npolicy allow unknown\n";
    int err = ho_policy_parse(&again, "fuzz", text, strlen(text), &e);

    assert(err == 0 && ho_policy_rules(again) == 1);
    assert(strcmp(ho_policy_rule_text(again, 0), text) == 0);
    ho_policy_free(again);

    (void)snprintf(with_unknown, sizeof(with_unknown), "%s%s", text, allow);
    err = ho_policy_parse(&again, "fuzz", with_unknown, strlen(with_unknown), &e);
    assert(err == 0 && ho_policy_rules(again) == 1);
    for (unsigned i = 0; i < 8; i++) {
        enum ho_policy_answer strict = ask(p, rule, data, size, i);
        enum ho_policy_answer lenient = ask(again, 0, data, size, i);

        assert(lenient <= strict); /* what is unknown breaks nothing then */
    }
    ho_policy_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ho_policy_error e = { 0 };
    struct ho_policy *p = NULL;
    int err = ho_policy_parse(&p, "fuzz", (const char *)data, size, &e);

    if (err != 0) {
        assert(err == -EINVAL && p == NULL);
        check_error(&e, (const char *)data, size);
        return 0;
    }
    for (size_t i = 0; i < ho_policy_rules(p); i++) {
        assert(ho_policy_rule_line(p, i) >= 1);
        check_rule(p, i, data, size);
    }
    ho_policy_free(p);
    return 0;
}
