/* What `halfopen explain` can explain: the lists of src/knobs, and cli/explain.def on top. */

#ifndef HO_CLI_EXPLAIN_H
#define HO_CLI_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define HO_EXPLAIN_FOUND 4 /* topics that one question may have */

/* A topic that the data file has texts for. */
struct ho_explain_topic {
    const char *name;
    int64_t from_ms, to_ms; /* 0: not found by a time */
    const char *what, *because, *change, *scenario;
};

/* What a word is in the lists; any of them, none of them. */
enum ho_explain_kind {
    HO_EXPLAIN_TOPIC, /* only in the data file */
    HO_EXPLAIN_ERRNO,
    HO_EXPLAIN_SYSCTL,
    HO_EXPLAIN_SOCKOPT,
    HO_EXPLAIN_STATE,
    HO_EXPLAIN_FINDING, /* forecast/finding.def, whose texts it has */
    HO_EXPLAIN_PROGRAM, /* knobs/settings.def: all its settings */
    HO_EXPLAIN_SETTING  /* the settings of this name */
};

struct ho_explain_hit {
    const char *name; /* in full: "net.ipv4.tcp_retries2" */
    enum ho_explain_kind kind;
    int id;                              /* of its list */
    const struct ho_explain_topic *text; /* NULL: the data file says no more than the list */
};

/* The data file, ended by a NULL name. */
extern const struct ho_explain_topic ho_explain_topics[];

/* What `word` means, at most HO_EXPLAIN_FOUND hits, by name first, else by time: "924",
 * "15 minutes", "2h11m". Returns their number, 0 if nobody knows it.
 */
size_t ho_explain_find(const char *word, struct ho_explain_hit *ret);

/* Finds what a topic of the data file is. */
struct ho_explain_hit ho_explain_hit_of(const struct ho_explain_topic *topic);

/* "a sysctl", "an error" ... */
const char *ho_explain_kind_text(enum ho_explain_kind kind);

/* What the list says in one line: meaning, default, range; "" for a topic. */
void ho_explain_list_text(struct ho_text *out, const struct ho_explain_hit *hit);

/* Programs and settings (cli/explain_settings.c): looks a word up; the one line of the list; the
 * rows, as text and as a member of the JSON.
 */
bool ho_explain_setting_find(const char *word, struct ho_explain_hit *ret);
void ho_explain_setting_list(struct ho_text *out, const struct ho_explain_hit *hit);
void ho_explain_setting_rows(struct ho_text *out, const struct ho_explain_hit *hit);
void ho_explain_setting_json(struct ho_text *out, const struct ho_explain_hit *hit);

#endif
