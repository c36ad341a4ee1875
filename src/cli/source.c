/* Names and files become scenarios. */

#include "cli/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/cli.h"

static bool is_file(const char *name)
{
    size_t len = strlen(name);

    return strchr(name, '/') != NULL || (len > 4 && strcmp(name + len - 4, ".scn") == 0);
}

static int say_mistake(const struct ho_source *s, const struct ho_scn_error *e)
{
    fprintf(stderr, "%s:%u:%u: %s\n", s->where, e->line, e->column, e->text);
    return HO_EXIT_USAGE;
}

/* Reads and checks the text. */
static int read_text(struct ho_source *s, const char *name, const char *text, size_t len)
{
    struct ho_scn_error e;
    int err = ho_scn_parse(&s->scn, name, text, len, &e);

    if (err == 0) {
        err = ho_scn_check(s->scn, &e);
    }
    if (err == -EINVAL) {
        return say_mistake(s, &e);
    }
    return err == 0 ? HO_EXIT_OK : ho_cli_no_memory();
}

static int read_item(struct ho_source *s, const struct ho_catalogue_item *item)
{
    size_t room = strlen(item->name) + sizeof("scenarios/.scn");

    s->where_own = malloc(room);
    if (s->where_own == NULL) {
        return ho_cli_no_memory();
    }
    snprintf(s->where_own, room, "scenarios/%s.scn", item->name);
    s->where = s->where_own;
    return read_text(s, item->name, item->text, item->len);
}

/* "idle-cut" of "mine/idle-cut.scn". */
static void base_name(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    char *dot;

    snprintf(name, size, "%s", slash != NULL ? slash + 1 : path);
    dot = strrchr(name, '.');
    if (dot != NULL && dot != name) {
        *dot = '\0';
    }
}

static int read_file(struct ho_source *s, const char *path)
{
    char name[64];
    char *text;
    size_t len;
    int code = ho_cli_load(path, (size_t)HO_SCN_TEXT_MAX, &text, &len);

    if (code != HO_EXIT_OK) {
        return code;
    }
    s->where = path;
    s->is_file = true;
    base_name(path, name, sizeof(name));
    code = read_text(s, name, text, len);
    free(text);
    return code;
}

/* What a name that fits none or several could have been. */
static int unknown(const char *name)
{
    const char **names = calloc(ho_catalogue_count + 1, sizeof(*names));
    struct ho_text like = { 0 };
    const char *near;

    if (names == NULL) {
        return ho_cli_no_memory();
    }
    for (size_t i = 0; i < ho_catalogue_count; i++) {
        names[i] = ho_catalogue[i].name;
        if (strncmp(names[i], name, strlen(name)) == 0) {
            ho_text_printf(&like, "%s%s", like.len > 0 ? ", " : "", names[i]);
        }
    }
    near = ho_cli_nearest(name, names);
    if (like.len > 0) {
        ho_cli_say(HO_EXIT_USAGE, "'%s' begins several scenarios: %s", name, ho_text_str(&like));
    } else {
        ho_cli_say(HO_EXIT_USAGE,
                   "no scenario '%s'%s%s%s; 'halfopen run --list' names them, and "
                   "a file has a '/' or ends in .scn",
                   name, near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
                   near != NULL ? "'?" : "");
    }
    ho_text_free(&like);
    free(names);
    return HO_EXIT_USAGE;
}

static struct {
    const char *name, *text; /* NULL: none */
} made;

void ho_source_made(const char *name, const char *text)
{
    made.name = name;
    made.text = text;
}

static int read_one(struct ho_source *s, const char *name)
{
    const struct ho_catalogue_item *item;

    if (made.name != NULL && strcmp(made.name, name) == 0) {
        s->where = name;
        s->is_file = s->is_made = true;
        return read_text(s, name, made.text, strlen(made.text));
    }
    if (is_file(name)) {
        return read_file(s, name);
    }
    item = ho_catalogue_find(name);
    return item != NULL ? read_item(s, item) : unknown(name);
}

int ho_sources_read(struct ho_source **ret, size_t *ret_count, const struct ho_run_options *o)
{
    size_t count = o->name_count > 0 ? o->name_count : ho_catalogue_count;
    struct ho_source *s = calloc(count + 1, sizeof(*s));
    int code = HO_EXIT_OK;

    if (s == NULL) {
        return ho_cli_no_memory();
    }
    for (size_t i = 0; i < count && code == HO_EXIT_OK; i++) {
        code =
            o->name_count > 0 ? read_one(&s[i], o->names[i]) : read_item(&s[i], &ho_catalogue[i]);
    }
    if (code != HO_EXIT_OK) {
        ho_sources_free(s, count);
        return code;
    }
    *ret = s;
    *ret_count = count;
    return HO_EXIT_OK;
}

void ho_sources_free(struct ho_source *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ho_scn_free(s[i].scn);
        free(s[i].where_own);
    }
    free(s);
}
