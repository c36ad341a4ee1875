/* Words against patterns. For src/scenario/ only.
 *
 *     match.c    forms: which one is this line?
 *     place.c    one place: does this word fill it?
 *     mistake.c  what was found, what could stand there, what was perhaps meant
 */

#ifndef HO_SCENARIO_MATCH_H
#define HO_SCENARIO_MATCH_H

#include "scenario/syntax.h"

/* A name that the file has declared. */
enum ho_decl_kind {
    HO_DECL_HOST,
    HO_DECL_SWITCH,
    HO_DECL_MIDDLEBOX,
    HO_DECL_PROCESS, /* name: of the process, owner: of the host */
    HO_DECL_CABLE,
    HO_DECL_SWEEP
};

#define HO_DECLS_MAX 256

struct ho_decl {
    enum ho_decl_kind kind;
    const char *name, *owner;
};

struct ho_decls {
    struct ho_decl decl[HO_DECLS_MAX];
    unsigned count;
};

/* The declaration of that kind and name (and owner, if not NULL), or NULL. */
const struct ho_decl *ho_decl_find(const struct ho_decls *d, enum ho_decl_kind kind,
                                   const char *owner, const char *name);

/* What could have stood at the farthest word that any form reached. */
#define HO_WANTED_MAX 96

struct ho_wanted {
    unsigned at; /* index of the word */
    unsigned count;
    struct {
        const char *text; /* a word of a pattern, or NULL: a place of `type` */
        size_t len;
        enum ho_type type;
        const char *list; /* of a CHOICE */
        size_t list_len;
    } item[HO_WANTED_MAX];
};

struct ho_matcher {
    const struct ho_words *words;
    const struct ho_decls *decls;
    const char *offset_of; /* the pattern that places are offsets of */
    bool explains;         /* collect what was wanted */
    struct ho_wanted wanted;

    enum ho_form form; /* the result, with arg[0..count) */
    struct ho_scn_guard guard;
    struct ho_scn_arg arg[HO_ARGS_MAX];
    unsigned count;
};

/* Finds the form of a line; *m need not be initialised. Names are still part of their words:
 * ho_split_arg() cuts them. Returns 0; -EINVAL with *e (its column and text).
 */
int ho_match(const struct ho_words *words, const struct ho_decls *decls, struct ho_matcher *m,
             struct ho_scn_error *e);

/* Remembers that `item` could have stood at the word `pos`. */
void ho_want(struct ho_matcher *m, unsigned pos, const struct ho_item *item);

/* Fills a place with the word at `pos` (some types take more than one) and appends the
 * argument. Returns how many words were taken; 0: it does not fit, nothing was appended.
 */
unsigned ho_place_read(struct ho_matcher *m, const struct ho_item *item, unsigned pos);

/* Cuts `word`, the one `a` was read from, into the names that are part of it. */
void ho_split_arg(enum ho_type type, struct ho_scn_arg *a, char *word);

/* "10.0.0.1/24" and "02:00:00:00:00:01". False, with nothing changed, if it is none. */
bool ho_prefix_read(const char *text, struct ho_addr *ret_addr, uint8_t *ret_bits);
bool ho_mac_read(const char *text, struct ho_mac *ret);

/* True for a word of the language: a host of that name could not be told from a verb. */
bool ho_is_reserved(const char *text);

/* The message for the word at `wanted->at`: found, expected, did you mean. Returns -EINVAL. */
int ho_mistake_wanted(struct ho_scn_error *e, const struct ho_words *words,
                      const struct ho_decls *decls, const struct ho_wanted *wanted);

#endif
