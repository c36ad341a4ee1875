/* The table of forms, and walking a form's pattern. */

#include <assert.h>
#include <string.h>

#include "scenario/syntax.h"

static const struct ho_form_info forms[HO_FORM_COUNT] = {
#define X(id, section, pattern, meaning) \
    [HO_FORM_##id] = { pattern, sizeof(pattern) - 1, meaning, HO_SECTION_##section },
#include "scenario/forms.def"
#undef X
};

static const struct {
    const char *name;
    size_t len;
    const char *description;
} types[HO_TYPE_COUNT_] = {
#define X(id, name, description) [HO_TYPE_##id] = { name, sizeof(name) - 1, description },
#include "scenario/types.def"
#undef X
    [HO_TYPE_CHOICE] = { "choice", 6, "a word" },
    [HO_TYPE_CONDITION] = { "condition", 9, "a sweep and its value such as NAME=VALUE" },
    [HO_TYPE_END] = { "end", 3, "the end of the line" },
};

const struct ho_form_info *ho_form_info(enum ho_form form)
{
    assert(form < HO_FORM_COUNT);
    return &forms[form];
}

const char *ho_type_name(enum ho_type type)
{
    return types[type].name;
}

const char *ho_type_description(enum ho_type type)
{
    return types[type].description;
}

static enum ho_type find_type(const char *name, size_t len)
{
    for (unsigned i = 0; i < HO_TYPE_COUNT_; i++) {
        if (types[i].len == len && memcmp(types[i].name, name, len) == 0) {
            return (enum ho_type)i;
        }
    }
    assert(0 && "a pattern names a type that is not in types.def");
    return HO_TYPE_COUNT_;
}

/* "<name:type>", "<name:type...>" or "<name:a|b>", behind the '<'; moves behind the '>'. */
static struct ho_item place(const char **at)
{
    struct ho_item item = { .kind = HO_ITEM_PLACE, .text = *at };
    const char *colon = strchr(*at, ':'), *end = strchr(*at, '>');

    assert(colon != NULL && end != NULL && colon < end);
    item.len = (size_t)(colon - *at);
    item.list = colon + 1;
    *at = end + 1;
    if (end - item.list > 3 && memcmp(end - 3, "...", 3) == 0) {
        item.many = true;
        end -= 3;
    }
    item.list_len = (size_t)(end - item.list);
    item.type = memchr(item.list, '|', item.list_len) != NULL ? HO_TYPE_CHOICE
                                                              : find_type(item.list, item.list_len);
    return item;
}

/* "[..]" behind the '['; moves behind the matching ']'. */
static struct ho_item group(const char **at, const char *end)
{
    struct ho_item item = { .kind = HO_ITEM_GROUP, .text = *at };
    const char *p = *at;

    for (unsigned depth = 1; depth > 0; p++) {
        assert(p < end);
        depth += *p == '[';
        depth -= *p == ']';
    }
    item.len = (size_t)(p - 1 - *at);
    *at = p;
    return item;
}

struct ho_item ho_pattern_next(const char **at, const char *end)
{
    struct ho_item item = { .kind = HO_ITEM_END };

    while (*at < end && **at == ' ') {
        (*at)++;
    }
    if (*at == end) {
        return item;
    }
    if (**at == '<') {
        (*at)++;
        return place(at);
    }
    if (**at == '[') {
        (*at)++;
        return group(at, end);
    }
    item.kind = HO_ITEM_WORD;
    item.text = *at;
    while (*at < end && **at != ' ') {
        (*at)++;
    }
    item.len = (size_t)(*at - item.text);
    return item;
}
