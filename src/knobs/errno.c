/* The list of errors, looked through: short, and never on a hot path. */

#include "knobs/errno.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct entry {
    int value, linux_number;
    const char *name, *text;
} list[] = {
#define X(name, number, sentence) { name, number, #name, sentence },
#include "knobs/errno.def"
#undef X
};

#define COUNT (sizeof(list) / sizeof(list[0]))

static const struct entry *entry_of(int err)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (list[i].value == err || -list[i].value == err) {
            return &list[i];
        }
    }
    return NULL;
}

const char *ho_errno_name(int err)
{
    const struct entry *e = entry_of(err);

    if (e != NULL) {
        return e->name;
    }
    return err == 0 ? "0" : "E?";
}

const char *ho_errno_text(int err)
{
    const struct entry *e = entry_of(err);

    return e != NULL ? e->text : "";
}

int ho_errno_linux(int err)
{
    const struct entry *e = entry_of(err);

    return e != NULL ? e->linux_number : 0;
}

int ho_errno_find(const char *name)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(list[i].name, name) == 0) {
            return list[i].value;
        }
    }
    return -ENOENT;
}

int ho_errno_from_linux(int number)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (list[i].linux_number == number) {
            return list[i].value;
        }
    }
    return -ENOENT;
}
