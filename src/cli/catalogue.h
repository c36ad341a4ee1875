/* The catalogue: the files of scenarios/, built into the program (tools/embed.cmake), so that it
 * runs from anywhere.
 */

#ifndef HO_CLI_CATALOGUE_H
#define HO_CLI_CATALOGUE_H

#include <stddef.h>

struct ho_catalogue_item {
    const char *name; /* the file's name without .scn */
    const char *text;
    size_t len;
};

extern const struct ho_catalogue_item ho_catalogue[]; /* by name; the last has a NULL name */
extern const size_t ho_catalogue_count;

/* The item of that name, or the only one whose name begins so; NULL if there is none. */
const struct ho_catalogue_item *ho_catalogue_find(const char *name);

#endif
