/* The list of programs' settings, and look-ups in it. See knobs/settings.h. */

#include "knobs/settings.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum {
    SYSTEM = HO_SETTING_SYSTEM,
    NONE = HO_SETTING_NONE,
    VARIES = HO_SETTING_VARIES
};

enum {
    KNOWN = false,
    READ = true
};

static const struct ho_setting_program programs[] = {
#define PROGRAM(id, title) { id, title },
#define SETTING(program, versions, name, def, unit, role, side, place, form, source, checked, note)
#include "knobs/settings.def"
#undef SETTING
#undef PROGRAM
};

static const struct ho_setting settings[] = {
#define PROGRAM(id, title)
#define SETTING(program, versions, name, def, unit, role, side, place, form, source, checked, \
                note)                                                                         \
    { program,                                                                                \
      versions,                                                                               \
      name,                                                                                   \
      def,                                                                                    \
      HO_UNIT_##unit,                                                                         \
      HO_ROLE_##role,                                                                         \
      HO_SETTING_SIDE_##side,                                                                 \
      place,                                                                                  \
      form,                                                                                   \
      source,                                                                                 \
      checked,                                                                                \
      note },
#include "knobs/settings.def"
#undef SETTING
#undef PROGRAM
};

static const struct {
    const char *word, *text;
    enum ho_setting_kind kind;
} roles[HO_ROLE_COUNT] = {
#define X(id, word, kind, text) { word, text, HO_SETTING_##kind },
    HO_SETTING_ROLES(X)
#undef X
};

const struct ho_setting *ho_setting_at(size_t i)
{
    return i < sizeof(settings) / sizeof(settings[0]) ? &settings[i] : NULL;
}

const struct ho_setting_program *ho_setting_program_at(size_t i)
{
    return i < sizeof(programs) / sizeof(programs[0]) ? &programs[i] : NULL;
}

/* ---- names ----------------------------------------------------------------------------------- */

static char plain(char c)
{
    return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whether the first `n` characters of `name` are `word`. */
static bool same(const char *name, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++) {
        if (word[i] == '\0' || plain(name[i]) != plain(word[i])) {
            return false;
        }
    }
    return word[n] == '\0';
}

/* The id itself, or one of its parts. */
static bool is_program(const char *id, const char *word)
{
    size_t part = strcspn(id, "/");

    return same(id, strlen(id), word) || same(id, part, word) ||
           (id[part] == '/' && same(id + part + 1, strlen(id + part + 1), word));
}

const struct ho_setting_program *ho_setting_program_find(const char *word)
{
    const struct ho_setting_program *p;

    for (size_t i = 0; (p = ho_setting_program_at(i)) != NULL; i++) {
        if (is_program(p->id, word)) {
            return p;
        }
    }
    return NULL;
}

/* The row behind `after`; NULL at the end. */
static const struct ho_setting *behind(const struct ho_setting *after)
{
    assert(after == NULL ||
           (after >= settings && after < settings + sizeof(settings) / sizeof(settings[0])));
    return ho_setting_at(after == NULL ? 0 : (size_t)(after - settings) + 1);
}

const struct ho_setting *ho_setting_next(const char *word, const struct ho_setting *after)
{
    const struct ho_setting *s = behind(after);

    while (s != NULL && !is_program(s->program, word)) {
        s = behind(s);
    }
    return s;
}

const struct ho_setting *ho_setting_named(const char *name, const struct ho_setting *after)
{
    const struct ho_setting *s = behind(after);

    while (s != NULL && !same(s->name, strlen(s->name), name)) {
        s = behind(s);
    }
    return s;
}

/* ---- words ----------------------------------------------------------------------------------- */

bool ho_setting_is_old(const struct ho_setting *s)
{
    return s->versions[0] == '<';
}

const char *ho_setting_role_word(enum ho_setting_role role)
{
    assert(role < HO_ROLE_COUNT);
    return roles[role].word;
}

const char *ho_setting_role_text(enum ho_setting_role role)
{
    assert(role < HO_ROLE_COUNT);
    return roles[role].text;
}

enum ho_setting_kind ho_setting_role_kind(enum ho_setting_role role)
{
    assert(role < HO_ROLE_COUNT);
    return roles[role].kind;
}

const char *ho_setting_side_word(enum ho_setting_side side)
{
    switch (side) {
#define X(id, word)            \
    case HO_SETTING_SIDE_##id: \
        return word;
        HO_SETTING_SIDES(X)
#undef X
    }
    assert(0 && "no such side");
    return "";
}

void ho_setting_default_text(struct ho_text *out, const struct ho_setting *s)
{
    if (s->def == HO_SETTING_SYSTEM) {
        ho_text_put(out, "the system's");
    } else if (s->def == HO_SETTING_NONE) {
        ho_text_put(out, ho_setting_role_kind(s->role) == HO_SETTING_FLAG ? "off" : "none");
    } else if (s->def == HO_SETTING_VARIES) {
        ho_text_put(out, "varies");
    } else if (s->unit == HO_UNIT_BOOL) {
        ho_text_put(out, s->def != 0 ? "on" : "off");
    } else {
        ho_text_printf(out, "%" PRId64 "%s%s", s->def, s->unit == HO_UNIT_COUNT ? "" : " ",
                       ho_unit_suffix(s->unit));
    }
}
