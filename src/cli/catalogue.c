/* Finding a scenario of the catalogue by its name. The list itself is made by the build. */

#include "cli/catalogue.h"

#include <string.h>

const struct ho_catalogue_item *ho_catalogue_find(const char *name)
{
    const struct ho_catalogue_item *found = NULL;
    size_t len = strlen(name);

    for (size_t i = 0; i < ho_catalogue_count; i++) {
        const struct ho_catalogue_item *item = &ho_catalogue[i];

        if (strcmp(item->name, name) == 0) {
            return item;
        }
        if (len > 0 && strncmp(item->name, name, len) == 0) {
            if (found != NULL) {
                return NULL;
            }
            found = item;
        }
    }
    return found;
}
