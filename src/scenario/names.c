/* Words that are names: of the fixed lists, and of what "did you mean" looks for. */

#include <errno.h>
#include <string.h>

#include "host/op.h"
#include "knobs/errno.h"
#include "knobs/profile.h"
#include "knobs/sockopt.h"
#include "knobs/state.h"
#include "knobs/sysctl.h"
#include "scenario/syntax.h"
#include "scenario/words.h"
#include "timeline/view.h"

bool ho_is_name(const char *text, size_t max)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
    bool letter = (text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z');

    return letter && text[len] == '\0' && len <= max;
}

static const char *engine_word(unsigned n)
{
    static const char *const words[] = { "model", "kernel", "virtual-kernel" };

    return n < sizeof(words) / sizeof(words[0]) ? words[n] : NULL;
}

static const char *profile_word(unsigned n)
{
    return n < HO_PROFILE_COUNT ? ho_profile((enum ho_profile_id)n)->name : NULL;
}

/* Several numbers of one sysctl are lines of the same name: the first stands for all. */
static const char *sysctl_word(unsigned n)
{
    return n < HO_SYSCTL_COUNT ? ho_sysctl_info((enum ho_sysctl)n)->name : NULL;
}

static const char *sockopt_word(unsigned n)
{
    return n < HO_SOCKOPT_COUNT ? ho_sockopt_info((enum ho_sockopt)n)->name : NULL;
}

/* As timelines write them. */
static const char *state_word(unsigned n)
{
    static const char *const words[] = {
#define X(id, number, ss, rfc) rfc,
        HO_TCP_STATES(X)
#undef X
            "gone",
    };

    return n < sizeof(words) / sizeof(words[0]) ? words[n] : NULL;
}

static const char *what_word(unsigned n)
{
    static const char *const words[] = {
        "EOF",
        "timeout",
#define X(name, number, text) #name,
#include "knobs/errno.def"
#undef X
    };

    return n < sizeof(words) / sizeof(words[0]) ? words[n] : NULL;
}

static const char *call_word(unsigned n)
{
    static const char *const words[] = {
#define X(id, text) text,
        HO_OPS(X) HO_OWN_CALLS(X)
#undef X
    };

    return n < sizeof(words) / sizeof(words[0]) ? words[n] : NULL;
}

static const char *frame_word(unsigned n)
{
    return n < HO_FRAME_COUNT ? ho_frame_text((enum ho_frame_kind)n) : NULL;
}

static const char *mark_word(unsigned n)
{
    return n < HO_SCN_MARK_COUNT ? ho_scn_mark_text((enum ho_scn_mark)n) : NULL;
}

static const char *events_word(unsigned n)
{
    static const char *const words[] = { "IN", "PRI", "OUT", "ERR", "HUP", "RDHUP" };

    return n < sizeof(words) / sizeof(words[0]) ? words[n] : NULL;
}

static const char *(*const lists[HO_TYPE_COUNT_])(unsigned) = {
    [HO_TYPE_ENGINE] = engine_word, [HO_TYPE_PROFILE] = profile_word,
    [HO_TYPE_SYSCTL] = sysctl_word, [HO_TYPE_SOCKOPT] = sockopt_word,
    [HO_TYPE_STATE] = state_word,   [HO_TYPE_WHAT] = what_word,
    [HO_TYPE_CALL] = call_word,     [HO_TYPE_FRAME] = frame_word,
    [HO_TYPE_MARK] = mark_word,     [HO_TYPE_EVENTS] = events_word,
};

const char *ho_type_word(enum ho_type type, unsigned n)
{
    return lists[type] != NULL ? lists[type](n) : NULL;
}

const char *ho_scn_state(const char *text)
{
    static const struct {
        const char *name, *ss, *linux_name;
    } states[] = {
#define X(id, number, ss, rfc) { rfc, ss, #id },
        HO_TCP_STATES(X)
#undef X
            { "gone", "gone", "gone" },
    };

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(text, states[i].name) == 0 || strcmp(text, states[i].ss) == 0 ||
            strcmp(text, states[i].linux_name) == 0) {
            return states[i].name;
        }
    }
    return NULL;
}

int ho_events_read(const char *text, uint32_t *ret)
{
    return ho_view_parse_events(ret, text);
}

bool ho_type_has(enum ho_type type, const char *text)
{
    uint32_t events;
    const char *word;

    switch (type) {
    case HO_TYPE_SYSCTL:
        return ho_sysctl_find(text) >= 0;
    case HO_TYPE_SOCKOPT:
        return ho_sockopt_find(text) >= 0;
    case HO_TYPE_STATE:
        return ho_scn_state(text) != NULL;
    case HO_TYPE_EVENTS:
        return ho_events_read(text, &events) == 0;
    default:
        for (unsigned n = 0; (word = ho_type_word(type, n)) != NULL; n++) {
            if (strcmp(word, text) == 0) {
                return true;
            }
        }
        return false;
    }
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Damerau's distance, row by row; the rows are as long as the longest word looked at. */
unsigned ho_distance(const char *a, const char *b, unsigned max)
{
    enum {
        LONGEST = 48
    };
    size_t na = strlen(a), nb = strlen(b);
    unsigned rows[3][LONGEST + 1], *before = rows[0], *last = rows[1], *row = rows[2];

    if (na > LONGEST || nb > LONGEST || na > nb + max || nb > na + max) {
        return max + 1;
    }
    for (unsigned j = 0; j <= nb; j++) {
        last[j] = j;
        before[j] = j;
    }
    for (size_t i = 1; i <= na; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], before[j - 2] + 1);
            }
        }
        unsigned *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return least(last[nb], max + 1);
}
