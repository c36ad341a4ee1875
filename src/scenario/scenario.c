/* What a file says about itself: title, claims, engines, and the ways to play it. */

#include <assert.h>
#include <string.h>

#include "scenario/scenario.h"
#include "scenario/words.h"

const char *ho_call_text(enum ho_call_kind k)
{
    static const char *const text[] = {
#define X(id, name) name,
        HO_CALLS(X)
#undef X
    };

    assert(k < HO_CALL_COUNT);
    return text[k];
}

const char *ho_step_text(enum ho_step_kind k)
{
    static const char *const text[] = {
#define X(id, name) name,
        HO_STEPS(X)
#undef X
    };

    assert(k < HO_STEP_COUNT);
    return text[k];
}

const char *ho_frame_text(enum ho_frame_kind k)
{
    static const char *const text[] = {
#define X(id, name) name,
        HO_FRAMES(X)
#undef X
    };

    assert(k < HO_FRAME_COUNT);
    return text[k];
}

const char *ho_scn_mark_text(enum ho_scn_mark mark)
{
    static const char *const text[] = {
#define X(id, name) name,
        HO_SCN_MARKS(X)
#undef X
    };

    assert(mark < HO_SCN_MARK_COUNT);
    return text[mark];
}

/* The first line of that form, or NULL. */
static const struct ho_scn_line *find_line(const struct ho_scn *s, enum ho_form form)
{
    for (size_t i = 0; i < s->line_count; i++) {
        if (s->lines[i].form == form) {
            return &s->lines[i];
        }
    }
    return NULL;
}

const char *ho_scn_title(const struct ho_scn *s)
{
    const struct ho_scn_line *line = find_line(s, HO_FORM_TITLE);

    return line != NULL ? ho_scn_arg(s, line, "text")->text : "";
}

static bool is_claim(enum ho_form form, enum ho_claim_verdict *ret)
{
    switch (form) {
    case HO_FORM_CLAIM_HOLDS:
        *ret = HO_CLAIM_HOLDS;
        return true;
    case HO_FORM_CLAIM_CORRECTED:
        *ret = HO_CLAIM_CORRECTED;
        return true;
    case HO_FORM_CLAIM_WRONG:
        *ret = HO_CLAIM_WRONG;
        return true;
    default:
        return false;
    }
}

bool ho_scn_claim(const struct ho_scn *s, size_t i, struct ho_claim *ret)
{
    enum ho_claim_verdict verdict;

    for (size_t n = 0; n < s->line_count; n++) {
        const struct ho_scn_line *line = &s->lines[n];
        if (!is_claim(line->form, &verdict) || i-- > 0) {
            continue;
        }
        const struct ho_scn_arg *correction = ho_scn_arg(s, line, "correction");
        *ret = (struct ho_claim){ .id = ho_scn_arg(s, line, "id")->text,
                                  .text = ho_scn_arg(s, line, "text")->text,
                                  .verdict = verdict,
                                  .correction = correction != NULL ? correction->text : "" };
        return true;
    }
    return false;
}

/* Real commands need a real kernel, unless the line is for some engine anyway. */
static bool has_commands(const struct ho_scn *s)
{
    for (size_t i = 0; i < s->line_count; i++) {
        enum ho_form form = s->lines[i].form;
        if (s->lines[i].guard.engine == NULL &&
            (form == HO_FORM_COMMAND || form == HO_FORM_COMMAND_LISTENS ||
             form == HO_FORM_COMMAND_SAYS || form == HO_FORM_RUN_COMMAND)) {
            return true;
        }
    }
    return false;
}

bool ho_scn_runs_on(const struct ho_scn *s, const char *engine)
{
    const struct ho_scn_line *line = find_line(s, HO_FORM_RUNS_ON);

    if (line == NULL && strcmp(engine, "model") == 0 && has_commands(s)) {
        return false;
    }

    for (uint32_t i = 0; line != NULL && i < line->arg_count; i++) {
        if (strcmp(s->args[line->arg_first + i].text, engine) == 0) {
            return true;
        }
    }
    return line == NULL;
}

/* The families in the order of `plays over`. Returns how many. */
static unsigned families(const struct ho_scn *s, enum ho_family ret[2])
{
    const struct ho_scn_line *line = find_line(s, HO_FORM_PLAYS_OVER);

    ret[0] = HO_FAMILY_V4;
    if (line == NULL) {
        return 1;
    }
    unsigned n = 0;
    for (uint32_t i = 0; i < line->arg_count && n < 2; i++) {
        bool v6 = strcmp(s->args[line->arg_first + i].text, "ipv6") == 0;
        enum ho_family family = v6 ? HO_FAMILY_V6 : HO_FAMILY_V4;
        if (n == 0 || ret[0] != family) {
            ret[n++] = family;
        }
    }
    return n;
}

size_t ho_scn_case_count(const struct ho_scn *s)
{
    enum ho_family family[2];
    size_t n = families(s, family);

    for (unsigned i = 0; i < s->sweep_count; i++) {
        n *= s->sweeps[i].arg_count;
    }
    return n;
}

struct ho_scn_case ho_scn_case(const struct ho_scn *s, size_t i)
{
    struct ho_scn_case c = { 0 };
    enum ho_family family[2];

    assert(i < ho_scn_case_count(s));
    families(s, family);
    for (unsigned n = s->sweep_count; n-- > 0;) {
        c.value[n] = (unsigned)(i % s->sweeps[n].arg_count);
        i /= s->sweeps[n].arg_count;
    }
    c.family = family[i];
    return c;
}
