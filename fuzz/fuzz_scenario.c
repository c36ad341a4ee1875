/* Any bytes as a scenario: it is read or refused with a place inside it; what was read prints and
 * reads back as the same; and its first cases become plans, or are refused.
 */

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "scenario/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CASES 4 /* of them are planned; the others differ in values only */

static void check_error(int err, const struct ho_scn_error *e)
{
    assert(err == -EINVAL);
    assert(e->text[0] != '\0' && strlen(e->text) < sizeof(e->text));
}

static void check_round_trip(const struct ho_scn *s)
{
    struct ho_text once = { 0 }, twice = { 0 };
    struct ho_scn *again = NULL;

    ho_scn_print(s, &once);
    int err = ho_scn_parse(&again, "again", ho_text_str(&once), once.len, NULL);
    if (err != 0 && once.len > HO_SCN_TEXT_MAX / 2) {
        ho_text_free(&once); /* printing can make a text longer than what may be read */
        return;
    }
    assert(err == 0);
    ho_scn_print(again, &twice);
    assert(ho_text_err(&once) == 0 && ho_text_err(&twice) == 0);
    assert(once.len == twice.len && memcmp(ho_text_str(&once), ho_text_str(&twice), once.len) == 0);
    ho_scn_free(again);
    ho_text_free(&once);
    ho_text_free(&twice);
}

static void check_plan(const struct ho_scn *s, const struct ho_scn_case *c)
{
    struct ho_scn_error e = { 0 };
    struct ho_plan *p = NULL;
    int err = ho_plan_make(&p, s, c, NULL, &e);

    if (err != 0) {
        check_error(err, &e);
        return;
    }
    struct ho_time last = { 0 };
    for (size_t i = 0; i < p->step_count; i++) {
        assert(!ho_time_before(p->steps[i].at, last));
        last = p->steps[i].at;
    }
    assert(!ho_time_before(p->end, last));
    ho_plan_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ho_scn_error e = { 0 };
    struct ho_scn *s = NULL;
    int err = ho_scn_parse(&s, "fuzz", (const char *)data, size, &e);

    if (err != 0) {
        check_error(err, &e);
        assert(e.line >= 1 && e.column >= 1);
        return 0;
    }
    check_round_trip(s);
    for (size_t i = 0; i < ho_scn_case_count(s) && i < CASES; i++) {
        const struct ho_scn_case c = ho_scn_case(s, i);
        check_plan(s, &c);
    }
    ho_scn_free(s);
    return 0;
}
