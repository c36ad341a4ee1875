/* A scenario to be played: from the catalogue or from a file, read and checked. */

#ifndef HO_CLI_SOURCE_H
#define HO_CLI_SOURCE_H

#include "cli/options.h"

struct ho_source {
    const char *where; /* for messages: the file's path, or its path in the source tree */
    char *where_own;   /* the same, if it is to be freed */
    bool is_file;      /* not from the catalogue: its expectations are judged in any case */
    bool is_made;      /* by a command: ho_source_made() */
    struct ho_scn *scn;
};

/* Reads every scenario that the options name, the whole catalogue without a name, and checks
 * every case of each.
 *
 * Returns HO_EXIT_OK with *ret, an array of *ret_count; otherwise has said what was wrong.
 */
int ho_sources_read(struct ho_source **ret, size_t *ret_count, const struct ho_run_options *o);

/* From now on `name` is the scenario `text`, which a command has made: neither a file nor of the
 * catalogue. One at a time; both stay the caller's and must outlive the sources.
 */
void ho_source_made(const char *name, const char *text);

void ho_sources_free(struct ho_source *s, size_t count);

#endif
