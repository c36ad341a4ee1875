/* Reading one place of a pattern: does this word, do these words, fill it? */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/regex.h"
#include "scenario/match.h"
#include "wire/addr.h"

const struct ho_decl *ho_decl_find(const struct ho_decls *d, enum ho_decl_kind kind,
                                   const char *owner, const char *name)
{
    for (unsigned i = 0; i < d->count; i++) {
        const struct ho_decl *x = &d->decl[i];
        if (x->kind == kind && strcmp(x->name, name) == 0 &&
            (owner == NULL || strcmp(x->owner, owner) == 0)) {
            return x;
        }
    }
    return NULL;
}

static bool is_node(const struct ho_decls *d, const char *name)
{
    return ho_decl_find(d, HO_DECL_HOST, NULL, name) != NULL ||
           ho_decl_find(d, HO_DECL_SWITCH, NULL, name) != NULL ||
           ho_decl_find(d, HO_DECL_MIDDLEBOX, NULL, name) != NULL;
}

/* A word that the language itself uses: a host of that name could not be told from a verb. */
bool ho_is_reserved(const char *text)
{
    const size_t len = strlen(text);

    for (unsigned f = 0; f < HO_FORM_COUNT; f++) {
        const struct ho_form_info *form = ho_form_info((enum ho_form)f);
        if (form->section == HO_SECTION_ABOUT) {
            continue; /* hosts are not spoken of there */
        }
        for (const char *at = strstr(form->pattern, text); at != NULL; at = strstr(at + 1, text)) {
            bool begins = at == form->pattern || strchr(" [", at[-1]) != NULL;
            if (begins && (at[len] == '\0' || strchr(" ]", at[len]) != NULL)) {
                return true;
            }
        }
    }
    return false;
}

/* Copies up to the first of `stops` into `out` (HO_NAME_MAX + 1 bytes) and moves behind it. False
 * if it is no name.
 */
static bool part(const char **p, const char *stops, char *out)
{
    size_t n = strcspn(*p, stops);

    if (n > HO_NAME_MAX) {
        return false;
    }
    memcpy(out, *p, n);
    out[n] = '\0';
    *p += n;
    return true;
}

static bool is_actor(const struct ho_decls *d, const char *text)
{
    char host[HO_NAME_MAX + 1], word[HO_NAME_MAX + 1];
    const char *p = text;

    if (!part(&p, "./", host) || ho_decl_find(d, HO_DECL_HOST, NULL, host) == NULL) {
        return false;
    }
    if (*p == '.') {
        p++;
        if (!part(&p, "/", word) ||
            (strcmp(word, "app") != 0 && ho_decl_find(d, HO_DECL_PROCESS, host, word) == NULL)) {
            return false;
        }
    }
    if (*p == '/') {
        p++;
        return *p != '\0' && strlen(p) <= HO_NAME_MAX &&
               strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
                   strlen(p);
    }
    return *p == '\0';
}

static bool is_new_process(const struct ho_decls *d, const char *text)
{
    char host[HO_NAME_MAX + 1];
    const char *p = text;

    return part(&p, ".", host) && *p == '.' && ho_is_name(p + 1, HO_NAME_MAX) &&
           strcmp(p + 1, "app") != 0 && ho_decl_find(d, HO_DECL_HOST, NULL, host) != NULL &&
           ho_decl_find(d, HO_DECL_PROCESS, host, p + 1) == NULL;
}

bool ho_prefix_read(const char *text, struct ho_addr *ret_addr, uint8_t *ret_bits)
{
    char addr[HO_ADDR_TEXT];
    const char *slash = strchr(text, '/');
    int64_t bits;
    struct ho_addr a;

    if (slash == NULL || (size_t)(slash - text) >= sizeof(addr)) {
        return false;
    }
    memcpy(addr, text, (size_t)(slash - text));
    addr[slash - text] = '\0';
    if (ho_addr_parse(&a, addr) != 0 || ho_value_read(HO_TYPE_NUMBER, slash + 1, &bits) != 0 ||
        bits > (ho_addr_is_v4(&a) ? 32 : 128)) {
        return false;
    }
    *ret_addr = a;
    *ret_bits = (uint8_t)bits;
    return true;
}

bool ho_mac_read(const char *text, struct ho_mac *ret)
{
    static const char hex[] = "0123456789abcdef";
    struct ho_mac mac;

    for (unsigned i = 0; i < 6; i++, text += 3) {
        const char *high = text[0] != '\0' ? strchr(hex, text[0]) : NULL;
        const char *low = high != NULL && text[1] != '\0' ? strchr(hex, text[1]) : NULL;
        if (low == NULL || text[2] != (i < 5 ? ':' : '\0')) {
            return false;
        }
        mac.b[i] = (uint8_t)((high - hex) * 16 + (low - hex));
    }
    *ret = mac;
    return true;
}

/* "server:7000", "10.0.0.2:7000", "[fd00::2]:7000". The port goes to `number`. */
static bool read_endpoint(const struct ho_decls *d, const char *text, struct ho_scn_arg *a)
{
    char host[HO_ADDR_TEXT];
    const char *colon = strrchr(text, ':');
    struct ho_addr addr;

    if (colon == NULL || (size_t)(colon - text) >= sizeof(host) ||
        ho_value_read(HO_TYPE_PORT, colon + 1, &a->number) != 0) {
        return false;
    }
    size_t n = (size_t)(colon - text);
    bool bracket = n > 2 && text[0] == '[' && text[n - 1] == ']';
    memcpy(host, text + bracket, n - (bracket ? 2 : 0));
    host[n - (bracket ? 2 : 0)] = '\0';
    return (!bracket && ho_decl_find(d, HO_DECL_HOST, NULL, host) != NULL) ||
           (ho_addr_parse(&addr, host) == 0 && bracket == !ho_addr_is_v4(&addr));
}

/* `$name` where a number or value may stand. */
static bool read_swept(const struct ho_matcher *m, const char *name, struct ho_scn_arg *a)
{
    int16_t n = 0;

    for (unsigned i = 0; i < m->decls->count; i++) {
        if (m->decls->decl[i].kind == HO_DECL_SWEEP) {
            if (strcmp(m->decls->decl[i].name, name) == 0) {
                a->var = n;
                return true;
            }
            n++;
        }
    }
    return false;
}

/* A duration, or the sweep that gives one. */
static bool read_offset(const struct ho_matcher *m, const char *text, struct ho_scn_arg *a)
{
    return text[0] == '$' ? read_swept(m, text + 1, a)
                          : ho_value_read(HO_TYPE_DURATION, text, &a->number) == 0;
}

/* "10s", "+10s", "cut", "cut+10s"; "the end" are two words. Returns the words taken. */
static unsigned read_time(const struct ho_matcher *m, unsigned pos, struct ho_scn_arg *a)
{
    const struct ho_words *w = m->words;
    const char *text = w->word[pos].text, *plus = strchr(text, '+');

    a->text = NULL;
    if (strcmp(text, "the") == 0) {
        a->text = "end";
        return pos + 1 < w->count && strcmp(w->word[pos + 1].text, "end") == 0 ? 2 : 0;
    }
    if (plus != NULL) {
        a->relative = true;
        a->text = plus == text ? NULL : text; /* ho_split_arg() puts a 0 where the plus is */
        size_t n = (size_t)(plus - text);
        char label[HO_NAME_MAX + 1];
        if (n > HO_NAME_MAX || !read_offset(m, plus + 1, a)) {
            return 0;
        }
        memcpy(label, text, n);
        label[n] = '\0';
        return n == 0 || ho_is_name(label, HO_NAME_MAX) ? 1 : 0;
    }
    if (read_offset(m, text, a)) {
        return 1;
    }
    a->relative = true;
    a->text = text;
    return ho_is_name(text, HO_NAME_MAX) ? 1 : 0;
}

/* A cable's ends, `a -- b`; CHAIN: `a -- b -- c ..`; CABLE: also `a -> b`, or one name. Each
 * end is an argument. Returns the words taken.
 */
static unsigned read_cable(struct ho_matcher *m, const struct ho_item *item, unsigned pos,
                           const struct ho_scn_arg *model)
{
    const struct ho_words *w = m->words;
    const bool chain = item->type == HO_TYPE_CHAIN;
    unsigned n = 0;

    while (pos + n < w->count && m->count < HO_ARGS_MAX) {
        struct ho_scn_arg *a = &m->arg[m->count];
        const char *text = w->word[pos + n].text;
        bool known =
            is_node(m->decls, text) ||
            (!chain && n == 0 && ho_decl_find(m->decls, HO_DECL_CABLE, NULL, text) != NULL);
        if (!known || w->word[pos + n].quoted) {
            break;
        }
        *a = *model;
        a->text = text;
        a->column = w->word[pos + n].column;
        a->number = n > 0 && strcmp(w->word[pos + n - 1].text, "->") == 0;
        m->count++;
        n++;
        bool more = pos + n < w->count && (strcmp(w->word[pos + n].text, "--") == 0 ||
                                           (!chain && strcmp(w->word[pos + n].text, "->") == 0));
        if (!more || (!chain && n > 1)) {
            if (!chain || n > 1) {
                return n;
            }
            ho_want(m, pos + n, &(struct ho_item){ .kind = HO_ITEM_WORD, .text = "--", .len = 2 });
            return 0;
        }
        n++; /* the sign between */
    }
    if (n > 0) {
        ho_want(m, pos + n, &(struct ho_item){ .kind = HO_ITEM_PLACE, .type = HO_TYPE_NODE });
    }
    return 0;
}

/* "retries2=8": the sweep goes to `var`, `text` is the value. */
static bool read_condition(const struct ho_matcher *m, const char *text, struct ho_scn_arg *a)
{
    char name[64];
    const char *equals = strchr(text, '=');

    if (equals == NULL || (size_t)(equals - text) >= sizeof(name)) {
        return false;
    }
    memcpy(name, text, (size_t)(equals - text));
    name[equals - text] = '\0';
    a->text = equals + 1;
    return read_swept(m, name, a);
}

static bool in_choice(const struct ho_item *item, const char *text)
{
    const char *p = item->list, *end = item->list + item->list_len;

    while (p < end) {
        const char *bar = memchr(p, '|', (size_t)(end - p));
        size_t n = (size_t)((bar != NULL ? bar : end) - p);
        if (strlen(text) == n && memcmp(p, text, n) == 0) {
            return true;
        }
        p += n + 1;
    }
    return false;
}

/* The names that a file makes: new ones must be free, others declared. */
static bool is_declared(const struct ho_matcher *m, enum ho_type type, const char *text)
{
    const struct ho_decls *d = m->decls;

    switch (type) {
    case HO_TYPE_NEW:
        return ho_is_name(text, HO_NAME_MAX) && !is_node(d, text) &&
               ho_decl_find(d, HO_DECL_CABLE, NULL, text) == NULL && !ho_is_reserved(text);
    case HO_TYPE_NEWPROCESS:
        return is_new_process(d, text);
    case HO_TYPE_SWEPT:
        return ho_decl_find(d, HO_DECL_SWEEP, NULL, text) == NULL &&
               (ho_is_name(text, HO_NAME_MAX) || ho_type_has(HO_TYPE_SYSCTL, text));
    case HO_TYPE_HOSTS:
        return strcmp(text, "all") == 0 || ho_decl_find(d, HO_DECL_HOST, NULL, text) != NULL;
    case HO_TYPE_HOST:
        return ho_decl_find(d, HO_DECL_HOST, NULL, text) != NULL;
    case HO_TYPE_NODE:
        return is_node(d, text);
    case HO_TYPE_ACTOR:
        return is_actor(d, text);
    default:
        assert(0 && "a type that is no name");
        return false;
    }
}

static bool is_pair(const char *text)
{
    const char *equals = strchr(text, '=');

    return equals != NULL && equals != text && equals[1] != '\0';
}

/* Everything that is one word and no number. */
static bool read_word(const struct ho_matcher *m, const struct ho_item *item, const char *text,
                      struct ho_scn_arg *a)
{
    struct ho_addr addr;
    struct ho_mac mac;
    uint8_t bits;

    switch (item->type) {
    case HO_TYPE_CHOICE:
        return in_choice(item, text);
    case HO_TYPE_WORD:
    case HO_TYPE_VALUE:
        return true;
    case HO_TYPE_PAIR:
        return is_pair(text);
    case HO_TYPE_LABEL:
    case HO_TYPE_CLAIM:
        return ho_is_name(text, HO_NAME_MAX);
    case HO_TYPE_ADDRESS:
        return ho_addr_parse(&addr, text) == 0;
    case HO_TYPE_PREFIX:
        return ho_prefix_read(text, &addr, &bits);
    case HO_TYPE_MAC:
        return ho_mac_read(text, &mac);
    case HO_TYPE_ENDPOINT:
        return read_endpoint(m->decls, text, a);
    case HO_TYPE_CONDITION:
        return read_condition(m, text, a);
    case HO_TYPE_ENGINE:
    case HO_TYPE_PROFILE:
    case HO_TYPE_SYSCTL:
    case HO_TYPE_SOCKOPT:
    case HO_TYPE_STATE:
    case HO_TYPE_WHAT:
    case HO_TYPE_CALL:
    case HO_TYPE_FRAME:
    case HO_TYPE_MARK:
    case HO_TYPE_EVENTS:
        return ho_type_has(item->type, text);
    default:
        return is_declared(m, item->type, text);
    }
}

unsigned ho_place_read(struct ho_matcher *m, const struct ho_item *item, unsigned pos)
{
    if (pos >= m->words->count || m->count == HO_ARGS_MAX) {
        return 0;
    }
    const struct ho_word *w = &m->words->word[pos];
    struct ho_scn_arg a = { .place = (uint16_t)(item->text - m->offset_of),
                            .column = w->column,
                            .var = -1,
                            .text = w->text };
    struct ho_regex re;
    unsigned n = 1;
    bool fits;

    if (w->quoted || item->type == HO_TYPE_TEXT) {
        fits = w->quoted && item->type == HO_TYPE_TEXT;
    } else if (w->slashed || item->type == HO_TYPE_REGEX) {
        fits =
            w->slashed && item->type == HO_TYPE_REGEX && ho_regex_compile(&re, w->text, NULL) == 0;
    } else if (item->type == HO_TYPE_CHAIN || item->type == HO_TYPE_CABLE) {
        return read_cable(m, item, pos, &a);
    } else if (item->type == HO_TYPE_TIME) {
        n = read_time(m, pos, &a);
        fits = n > 0;
    } else if (w->text[0] == '$' &&
               (ho_type_is_number(item->type) || item->type == HO_TYPE_VALUE)) {
        fits = read_swept(m, w->text + 1, &a);
    } else if (ho_type_is_number(item->type)) {
        fits = ho_value_read(item->type, w->text, &a.number) == 0;
    } else {
        fits = read_word(m, item, w->text, &a);
    }
    if (!fits) {
        return 0;
    }
    m->arg[m->count++] = a;
    return n;
}

void ho_split_arg(enum ho_type type, struct ho_scn_arg *a, char *word)
{
    char *p;

    switch (type) {
    case HO_TYPE_ACTOR:
        if ((p = strchr(word, '/')) != NULL) {
            *p = '\0';
            a->text3 = p + 1;
        }
        if ((p = strchr(word, '.')) != NULL) {
            *p = '\0';
            a->text2 = p + 1;
        }
        break;
    case HO_TYPE_NEWPROCESS:
        p = strchr(word, '.');
        assert(p != NULL);
        *p = '\0';
        a->text2 = p + 1;
        break;
    case HO_TYPE_PAIR:
        p = strchr(word, '=');
        assert(p != NULL);
        *p = '\0';
        a->text2 = p + 1;
        break;
    case HO_TYPE_ENDPOINT:
        p = strrchr(word, ':');
        assert(p != NULL);
        *p = '\0';
        if (word[0] == '[') {
            p[-1] = '\0';
            a->text = word + 1;
        }
        break;
    case HO_TYPE_TIME:
        if (a->relative && (p = strchr(word, '+')) != NULL) {
            *p = '\0';
        }
        break;
    default:
        break;
    }
}
