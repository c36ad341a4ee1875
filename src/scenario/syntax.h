/* Reading: words, patterns, values, mistakes. For src/scenario/ only.
 *
 *     lex.c      a line of text -> words, in place
 *     pattern.c  walks a form's pattern item by item
 *     value.c    numbers with units: text -> integer -> text
 *     names.c    everything that is one name of a list, and "did you mean"
 *     match.h    words against the patterns: the line's arguments, or the farthest mistake
 *     parse.c    a file: lines, declared names, the growing arrays
 */

#ifndef HO_SCENARIO_SYNTAX_H
#define HO_SCENARIO_SYNTAX_H

#include "scenario/scenario.h"

#define HO_NAME_MAX 15 /* letters of a host's, process's, cable's or connection's name */
#define HO_ARGS_MAX (3 * HO_SCN_WORDS_MAX)

/* What a place can hold (types.def). CHOICE: one of the words that the pattern lists. */
enum ho_type {
#define X(id, name, description) HO_TYPE_##id,
#include "scenario/types.def"
#undef X
    HO_TYPE_CHOICE,
    HO_TYPE_CONDITION, /* NAME=VALUE of a sweep, in a guard */
    HO_TYPE_END,       /* of the line: only in what was expected */
    HO_TYPE_COUNT_
};

/* --- lex.c ---------------------------------------------------------------------------------- */

struct ho_word {
    const char *text; /* ends in 0 */
    uint16_t len;
    uint16_t column;
    bool quoted, slashed; /* a text, an expression */
};

struct ho_words {
    struct ho_word word[HO_SCN_WORDS_MAX];
    unsigned count;
    const char *comment; /* NULL: none */
};

/* Cuts one line, which ends in 0 and is changed, into words.
 *
 * Returns 0; -EINVAL with a line-less *e (its column and text).
 */
int ho_lex(char *line, struct ho_words *ret, struct ho_scn_error *e);

/* --- pattern.c ------------------------------------------------------------------------------ */

enum ho_item_kind {
    HO_ITEM_END,   /* of the pattern, or of the group */
    HO_ITEM_WORD,  /* text, len */
    HO_ITEM_PLACE, /* text, len: its name; type; list, list_len: the words of a CHOICE */
    HO_ITEM_GROUP  /* text, len: what stands between the brackets */
};

struct ho_item {
    enum ho_item_kind kind;
    const char *text, *list;
    size_t len, list_len;
    enum ho_type type;
    bool many;
};

/* The item at `*at`, which moves behind it, and stops at `end`. Patterns are our own: a malformed
 * one is an assertion.
 */
struct ho_item ho_pattern_next(const char **at, const char *end);

const char *ho_type_name(enum ho_type type);
const char *ho_type_description(enum ho_type type);

/* --- value.c -------------------------------------------------------------------------------- */

/* The longest duration and time: 10 years. */
#define HO_DURATION_MAX_NS (3650LL * 86400 * HO_NS_PER_S)

/* True if types of this kind are an integer with a unit, for which `$name` may stand. */
bool ho_type_is_number(enum ho_type type);

/* Reads a number of the type: DURATION in ns, RATE in bit/s, PERCENT in millionths, HZ 0 for
 * exact. Returns 0; -EINVAL, with *ret untouched.
 */
int ho_value_read(enum ho_type type, const char *text, int64_t *ret);

/* Appends it so that it reads back as the same number. */
void ho_value_print(struct ho_text *t, enum ho_type type, int64_t value);

/* --- names.c -------------------------------------------------------------------------------- */

/* True if `text` is a name as hosts, labels and the like have. */
bool ho_is_name(const char *text, size_t max);

/* The n-th word of a type that is a fixed list (ENGINE, SYSCTL, SOCKOPT, STATE, WHAT, CALL, FRAME,
 * MARK), or NULL after the last. EVENTS: single events.
 */
const char *ho_type_word(enum ho_type type, unsigned n);

/* True if the type is a fixed list and `text` one of its words (in any of their spellings). */
bool ho_type_has(enum ho_type type, const char *text);

/* "IN|OUT" -> HO_POLL* bits. Returns -EINVAL if it is none. */
int ho_events_read(const char *text, uint32_t *ret);

/* How many letters must be added, removed, changed or swapped to make `b` of `a`; at most `max`+1.
 */
unsigned ho_distance(const char *a, const char *b, unsigned max);

/* --- mistake.c ------------------------------------------------------------------------------ */

/* Fills *e, which may be NULL, and returns -EINVAL. */
int ho_mistake(struct ho_scn_error *e, unsigned line, unsigned column, const char *format, ...);

#endif
