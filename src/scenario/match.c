/* The words of a line against the forms of the language.
 *
 * Every form is tried from the left; the first that takes all words is the line's. If none does,
 * all are tried again, and what each wanted where it stopped is kept for the farthest word that
 * any form reached: that is the mistake's place, and the list of what could stand there (struct
 * ho_wanted). Patterns nest two deep, and that is all the recursion there is.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "scenario/match.h"

#define GROUPS_MAX 12 /* groups in a row that a pattern may have */

static bool word_is(const struct ho_words *w, unsigned pos, const char *text, size_t len)
{
    return pos < w->count && w->word[pos].len == len && !w->word[pos].quoted &&
           !w->word[pos].slashed && memcmp(w->word[pos].text, text, len) == 0;
}

static bool same_wanted(const struct ho_wanted *a, unsigned i, const struct ho_item *item)
{
    const char *text = a->item[i].text;

    if (item->kind == HO_ITEM_WORD) {
        return text != NULL && a->item[i].len == item->len &&
               memcmp(text, item->text, item->len) == 0;
    }
    if (text != NULL || a->item[i].type != item->type) {
        return false;
    }
    return item->type != HO_TYPE_CHOICE ||
           (a->item[i].list_len == item->list_len &&
            memcmp(a->item[i].list, item->list, item->list_len) == 0);
}

void ho_want(struct ho_matcher *m, unsigned pos, const struct ho_item *item)
{
    struct ho_wanted *w = &m->wanted;

    if (!m->explains) {
        return;
    }
    if (pos > w->at) {
        w->at = pos;
        w->count = 0;
    }
    if (pos < w->at || w->count == HO_WANTED_MAX) {
        return;
    }
    for (unsigned i = 0; i < w->count; i++) {
        if (same_wanted(w, i, item)) {
            return;
        }
    }
    w->item[w->count].text = item->kind == HO_ITEM_WORD ? item->text : NULL;
    w->item[w->count].len = item->len;
    w->item[w->count].type = item->type;
    w->item[w->count].list = item->list;
    w->item[w->count].list_len = item->list_len;
    w->count++;
}

/* The word or place at the beginning of a group. */
static struct ho_item first_of(const struct ho_item *group)
{
    const char *at = group->text;

    return ho_pattern_next(&at, group->text + group->len);
}

/* Takes a word or a place (with all its repetitions). Returns how many words it took; 0: none. */
static unsigned take(struct ho_matcher *m, const struct ho_item *item, unsigned pos)
{
    if (item->kind == HO_ITEM_WORD) {
        if (!word_is(m->words, pos, item->text, item->len)) {
            ho_want(m, pos, item);
            return 0;
        }
        return 1;
    }
    unsigned n = ho_place_read(m, item, pos), sum = n;
    while (n > 0 && item->many && m->count < HO_ARGS_MAX) {
        n = ho_place_read(m, item, pos + sum);
        sum += n;
    }
    if (n == 0) {
        ho_want(m, pos + sum, item);
    }
    return sum;
}

/* Matches the pattern from `at` to `end` beginning with the word `*pos`, which moves behind what
 * was taken. False when it does not fit.
 */
static bool match_items(struct ho_matcher *m, const char *at, const char *end, unsigned *pos);

/* Groups in a row, in any order, each at most once. */
static bool match_groups(struct ho_matcher *m, const struct ho_item *groups, unsigned count,
                         unsigned *pos)
{
    bool used[GROUPS_MAX] = { false }, progress = true;

    while (progress) {
        progress = false;
        for (unsigned i = 0; i < count && !progress; i++) {
            if (used[i]) {
                continue;
            }
            struct ho_item first = first_of(&groups[i]);
            unsigned args = m->count;
            bool begins = take(m, &first, *pos) > 0;
            m->count = args; /* that was only to look */
            if (begins) {
                if (!match_items(m, groups[i].text, groups[i].text + groups[i].len, pos)) {
                    return false;
                }
                used[i] = true;
                progress = true;
            }
        }
    }
    return true;
}

static bool match_items(struct ho_matcher *m, const char *at, const char *end, unsigned *pos)
{
    struct ho_item item = ho_pattern_next(&at, end);

    while (item.kind != HO_ITEM_END) {
        if (item.kind == HO_ITEM_GROUP) {
            struct ho_item groups[GROUPS_MAX];
            unsigned count = 0;
            for (; item.kind == HO_ITEM_GROUP; item = ho_pattern_next(&at, end)) {
                assert(count < GROUPS_MAX);
                groups[count++] = item;
            }
            if (!match_groups(m, groups, count, pos)) {
                return false;
            }
            continue;
        }
        unsigned n = take(m, &item, *pos);
        if (n == 0) {
            return false;
        }
        *pos += n;
        item = ho_pattern_next(&at, end);
    }
    return true;
}

static bool may_be_guarded(enum ho_form form)
{
    enum ho_section section = ho_form_info(form)->section;

    return section == HO_SECTION_STEP || section == HO_SECTION_EXPECT || form == HO_FORM_SET ||
           form == HO_FORM_OPTION;
}

/* `on model over ipv6 when NAME=VALUE`, in any order. Returns how many words they take. */
static unsigned take_guards(struct ho_matcher *m, struct ho_scn_guard *ret)
{
    static const char pattern[] =
        "[on <engine:engine>] [over <family:ipv4|ipv6>] [when <value:condition>]";
    unsigned pos = 0;

    *ret = (struct ho_scn_guard){ .sweep = -1 };
    m->offset_of = pattern;
    if (!match_items(m, pattern, pattern + sizeof(pattern) - 1, &pos)) {
        return HO_SCN_WORDS_MAX + 1;
    }
    for (unsigned i = 0; i < m->count; i++) {
        const struct ho_scn_arg *a = &m->arg[i];
        if (a->var >= 0) {
            ret->sweep = a->var;
            ret->value = a->text;
        } else if (pattern[a->place] == 'f') {
            ret->family = a->text[3] == '4' ? HO_FAMILY_V4 : HO_FAMILY_V6;
        } else {
            ret->engine = a->text;
        }
    }
    m->count = 0;
    return pos;
}

/* Patterns begin with a word: most forms are out at once. */
static bool can_begin(const struct ho_matcher *m, unsigned start, const struct ho_form_info *form)
{
    if (m->explains || start >= m->words->count) {
        return true;
    }
    const struct ho_word *w = &m->words->word[start];
    return form->len >= w->len && memcmp(form->pattern, w->text, w->len) == 0 &&
           (form->pattern[w->len] == ' ' || form->pattern[w->len] == '\0');
}

/* Tries all forms. Returns 0 when one fits. */
static int try_forms(struct ho_matcher *m)
{
    unsigned start = take_guards(m, &m->guard);

    for (unsigned f = 0; start <= m->words->count && f < HO_FORM_COUNT; f++) {
        const struct ho_form_info *form = ho_form_info((enum ho_form)f);
        unsigned pos = start;
        if ((start > 0 && !may_be_guarded((enum ho_form)f)) ||
            (f == HO_FORM_EMPTY && m->words->count > 0) || !can_begin(m, start, form)) {
            continue;
        }
        m->count = 0;
        m->offset_of = form->pattern;
        if (!match_items(m, form->pattern, form->pattern + form->len, &pos)) {
            continue;
        }
        if (pos == m->words->count) {
            m->form = (enum ho_form)f;
            return 0;
        }
        ho_want(m, pos, &(struct ho_item){ .kind = HO_ITEM_PLACE, .type = HO_TYPE_END });
    }
    return -EINVAL;
}

int ho_match(const struct ho_words *words, const struct ho_decls *decls, struct ho_matcher *m,
             struct ho_scn_error *e)
{
    m->words = words;
    m->decls = decls;
    m->count = 0;
    m->explains = false;
    if (try_forms(m) == 0) {
        return 0;
    }
    m->explains = true;
    m->wanted.at = 0;
    m->wanted.count = 0;
    m->count = 0;
    (void)try_forms(m);
    return ho_mistake_wanted(e, words, decls, &m->wanted);
}
