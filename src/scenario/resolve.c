/* What the arguments of a line mean in one case. */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "knobs/sockopt.h"
#include "knobs/sysctl.h"
#include "scenario/make.h"

const struct ho_scn_arg *ho_resolve_args(const struct ho_maker *m, const struct ho_scn_line *line,
                                         const char *name, uint32_t *ret_count)
{
    const struct ho_scn_arg *a = ho_scn_arg(m->s, line, name);
    uint32_t n = 0;

    if (a != NULL) {
        const struct ho_scn_arg *end = m->s->args + line->arg_first + line->arg_count;
        while (a + n < end && a[n].place == a->place) {
            n++;
        }
    }
    *ret_count = n;
    return a;
}

static const struct ho_scn_arg *swept(const struct ho_maker *m, int16_t var)
{
    return &m->s->args[m->s->sweeps[var].arg_first + m->c->value[var]];
}

const char *ho_resolve_text(const struct ho_maker *m, const struct ho_scn_arg *a)
{
    return a->var >= 0 ? swept(m, a->var)->text : a->text;
}

/* A swept value is read only here, where its type is known: a mistake is the sweep's. */
static int arg_number(const struct ho_maker *m, const struct ho_scn_line *line,
                      const struct ho_scn_arg *a, enum ho_type type, int64_t *ret)
{
    if (a->var < 0) {
        *ret = a->number;
        return 0;
    }
    const struct ho_scn_arg *value = swept(m, a->var);
    if (ho_value_read(type, value->text, ret) != 0) {
        return ho_mistake(m->e, m->s->sweeps[a->var].line, value->column,
                          "found '%.60s', expected %s (for line %u)", value->text,
                          ho_type_description(type), line->number);
    }
    return 0;
}

int ho_resolve_number(struct ho_maker *m, const struct ho_scn_line *line, const char *name,
                      enum ho_type type, int64_t fallback, int64_t *ret)
{
    const struct ho_scn_arg *a = ho_scn_arg(m->s, line, name);

    if (a == NULL) {
        *ret = fallback;
        return 0;
    }
    return arg_number(m, line, a, type, ret);
}

/* "cut" if no label is far from it. */
static const char *nearest_label(const struct ho_maker *m, const char *name)
{
    const char *best = NULL;
    unsigned distance = 3;

    for (size_t i = 0; i < m->label_count; i++) {
        unsigned d = ho_distance(name, m->labels[i].name, distance - 1);
        if (d < distance) {
            distance = d;
            best = m->labels[i].name;
        }
    }
    return best;
}

int ho_resolve_label(struct ho_maker *m, const struct ho_scn_line *line, const struct ho_scn_arg *a,
                     struct ho_time *ret)
{
    for (size_t i = 0; i < m->label_count; i++) {
        if (strcmp(m->labels[i].name, a->text) == 0) {
            *ret = m->labels[i].at;
            return 0;
        }
    }
    const char *near = nearest_label(m, a->text);
    return ho_maker_refuse(m, line, a, "found '%s', expected the label of a step further up%s%s%s",
                           a->text, near != NULL ? "; did you mean '" : "",
                           near != NULL ? near : "", near != NULL ? "'?" : "");
}

int ho_resolve_time(struct ho_maker *m, const struct ho_scn_line *line, const char *name,
                    struct ho_time *ret)
{
    const struct ho_scn_arg *a = ho_scn_arg(m->s, line, name);
    struct ho_time base = { 0 };

    assert(a != NULL);
    if (!a->relative && a->text != NULL) { /* the end */
        if (m->plan->end.ns == 0) {
            return ho_maker_refuse(m, line, a, "'the end' needs a line `lasts` further up");
        }
        *ret = m->plan->end;
        return 0;
    }
    int err = 0;
    if (a->text != NULL) {
        err = ho_resolve_label(m, line, a, &base);
    } else if (a->relative) {
        base = m->last;
    }
    int64_t offset;
    err = err != 0 ? err : arg_number(m, line, a, HO_TYPE_DURATION, &offset);
    if (err != 0) {
        return err;
    }
    *ret = ho_time_add(base, ho_ns(offset));
    if (ret->ns > HO_DURATION_MAX_NS) {
        return ho_maker_refuse(m, line, a, "more than ten years after the start");
    }
    if (ho_time_before(m->latest, *ret)) {
        m->latest = *ret;
    }
    return 0;
}

uint16_t ho_resolve_node(const struct ho_maker *m, const char *name)
{
    for (size_t i = 0; i < m->plan->node_count; i++) {
        if (strcmp(m->plan->nodes[i].name, name) == 0) {
            return (uint16_t)i;
        }
    }
    return HO_PLAN_NONE;
}

uint16_t ho_resolve_proc(const struct ho_maker *m, const struct ho_scn_arg *actor)
{
    const char *name = actor->text2 != NULL ? actor->text2 : "app";
    uint16_t host = ho_resolve_node(m, actor->text);

    for (size_t i = 0; i < m->plan->proc_count; i++) {
        if (m->plan->procs[i].host == host && strcmp(m->plan->procs[i].name, name) == 0) {
            return (uint16_t)i;
        }
    }
    assert(0 && "an actor that the reader let through");
    return HO_PLAN_NONE;
}

/* The names of all cables, for a mistake. */
static void list_cables(const struct ho_maker *m, char *text, size_t size)
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < m->plan->cable_count && len < size; i++) {
        int n =
            snprintf(text + len, size - len, "%s%s", i > 0 ? ", " : "", m->plan->cables[i].name);
        len += n > 0 ? (size_t)n : 0;
    }
}

static int no_cable(const struct ho_maker *m, const struct ho_scn_line *line,
                    const struct ho_scn_arg *a, const char *what)
{
    char all[160];

    list_cables(m, all, sizeof(all));
    return ho_maker_refuse(m, line, a, "%s; the cables: %s", what, all);
}

int ho_resolve_node_cable(struct ho_maker *m, const struct ho_scn_line *line,
                          const struct ho_scn_arg *a, uint16_t node, uint16_t *ret)
{
    uint16_t found = HO_PLAN_NONE;

    for (size_t i = 0; i < m->plan->cable_count; i++) {
        const struct ho_plan_cable *c = &m->plan->cables[i];
        if (c->a != node && c->b != node) {
            continue;
        }
        if (found != HO_PLAN_NONE) {
            return no_cable(m, line, a, "it has several cables: name one");
        }
        found = (uint16_t)i;
    }
    if (found == HO_PLAN_NONE) {
        return no_cable(m, line, a, "it has no cable");
    }
    *ret = found;
    return 0;
}

static int cable_between(struct ho_maker *m, const struct ho_scn_line *line,
                         const struct ho_scn_arg *a, uint16_t *ret, enum ho_direction *ret_dir)
{
    uint16_t from = ho_resolve_node(m, a[0].text), to = ho_resolve_node(m, a[1].text);

    for (size_t i = 0; i < m->plan->cable_count; i++) {
        const struct ho_plan_cable *c = &m->plan->cables[i];
        bool forth = c->a == from && c->b == to, back = c->a == to && c->b == from;
        if (forth || back) {
            *ret = (uint16_t)i;
            *ret_dir = a[1].number == 0 ? HO_BOTH_WAYS : forth ? HO_A_TO_B : HO_B_TO_A;
            return 0;
        }
    }
    return no_cable(m, line, &a[0], "no cable joins these two directly");
}

int ho_resolve_cable(struct ho_maker *m, const struct ho_scn_line *line, const struct ho_scn_arg *a,
                     uint32_t count, uint16_t *ret, enum ho_direction *ret_direction)
{
    *ret_direction = HO_BOTH_WAYS;
    if (count == 0) {
        if (m->plan->cable_count != 1) {
            return no_cable(m, line, NULL, "which cable?");
        }
        *ret = 0;
        return 0;
    }
    if (count == 2) {
        return cable_between(m, line, a, ret, ret_direction);
    }
    for (size_t i = 0; i < m->plan->cable_count; i++) {
        if (strcmp(m->plan->cables[i].name, a->text) == 0) {
            *ret = (uint16_t)i;
            return 0;
        }
    }
    return ho_resolve_node_cable(m, line, a, ho_resolve_node(m, a->text), ret);
}

int ho_resolve_host_addr(struct ho_maker *m, const struct ho_scn_line *line,
                         const struct ho_scn_arg *a, uint16_t node, struct ho_addr *ret)
{
    const struct ho_plan_node *n = &m->plan->nodes[node];

    for (unsigned i = 0; i < n->addr_count; i++) {
        if (ho_addr_is_v4(&n->addr[i].addr) == (m->plan->family == HO_FAMILY_V4)) {
            *ret = n->addr[i].addr;
            return 0;
        }
    }
    return ho_maker_refuse(m, line, a, "%s has no address of IPv%d", n->name, (int)m->plan->family);
}

/* --- settings -------------------------------------------------------------------------------- */

static int64_t unit_ns(enum ho_unit unit)
{
    switch (unit) {
    case HO_UNIT_S:
        return HO_NS_PER_S;
    case HO_UNIT_CS:
        return HO_NS_PER_S / 100;
    case HO_UNIT_MS:
        return 1000000;
    case HO_UNIT_US:
        return 1000;
    case HO_UNIT_NS:
        return 1;
    default:
        return 0;
    }
}

/* "5s" in the setting's unit, as digits in `out`; anything else is copied. False if it is a
 * duration that the unit cannot hold.
 */
static bool in_unit(enum ho_unit unit, const char *text, char *out, size_t size)
{
    int64_t ns, plain;

    if (unit_ns(unit) == 0 || ho_value_read(HO_TYPE_NUMBER, text, &plain) == 0 ||
        ho_value_read(HO_TYPE_DURATION, text, &ns) != 0) {
        return (size_t)snprintf(out, size, "%s", text) < size;
    }
    return ns % unit_ns(unit) == 0 &&
           (size_t)snprintf(out, size, "%lld", (long long)(ns / unit_ns(unit))) < size;
}

int ho_resolve_sysctl_text(struct ho_maker *m, const struct ho_scn_line *line,
                           const struct ho_scn_arg *a, const char *name, const char *text,
                           struct ho_plan_sysctl *ret)
{
    struct ho_sysctls values;
    int id = ho_sysctl_find(name);

    assert(id >= 0);
    const struct ho_sysctl_info *info = ho_sysctl_info((enum ho_sysctl)id);
    ho_sysctls_init(&values);
    if (ho_sysctl_parse(&values, name, text) != 0) {
        return ho_maker_refuse(m, line, a, "found '%.60s', expected a value of %s: %lld to %lld %s",
                               text, info->name, (long long)info->min, (long long)info->max,
                               ho_unit_text(info->unit));
    }
    *ret = (struct ho_plan_sysctl){ .id = id, .name = info->name };
    ret->text = ho_maker_keep(m, text);
    if (ret->text == NULL) {
        return -ENOMEM;
    }
    ret->count = ho_sysctl_numbers((enum ho_sysctl)id);
    for (unsigned i = 0; i < ret->count; i++) {
        ret->value[i] = values.v[id + (int)i];
    }
    return 0;
}

int ho_resolve_sysctl(struct ho_maker *m, const struct ho_scn_line *line,
                      struct ho_plan_sysctl *ret)
{
    const struct ho_scn_arg *name = ho_scn_arg(m->s, line, "name");
    uint32_t count;
    const struct ho_scn_arg *a = ho_resolve_args(m, line, "value", &count);
    const struct ho_sysctl_info *info;
    char text[128], one[64];
    size_t len = 0;

    info = ho_sysctl_info((enum ho_sysctl)ho_sysctl_find(name->text));
    for (uint32_t i = 0; i < count; i++) {
        if (!in_unit(info->unit, ho_resolve_text(m, &a[i]), one, sizeof(one))) {
            return ho_maker_refuse(m, line, &a[i], "found '%.60s', expected whole %s",
                                   ho_resolve_text(m, &a[i]), ho_unit_text(info->unit));
        }
        int n = snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? " " : "", one);
        len += n > 0 ? (size_t)n : 0;
        if (len >= sizeof(text)) {
            return ho_maker_refuse(m, line, &a[i], "too many values");
        }
    }
    return ho_resolve_sysctl_text(m, line, a, name->text, text, ret);
}

static int bad_option(const struct ho_maker *m, const struct ho_scn_line *line,
                      const struct ho_scn_arg *a, const struct ho_sockopt_info *info)
{
    const char *text = ho_resolve_text(m, a);

    if (info->type == HO_SOCKOPT_TYPE_INT) {
        return ho_maker_refuse(m, line, a, "found '%.60s', expected a value of %s: %lld to %lld %s",
                               text, info->name, (long long)info->min, (long long)info->max,
                               ho_unit_text(info->unit));
    }
    return ho_maker_refuse(m, line, a, "found '%.60s', expected %s", text,
                           info->type == HO_SOCKOPT_TYPE_LINGER ? "off, or seconds"
                           : info->type == HO_SOCKOPT_TYPE_BOOL ? "0, 1, on or off"
                                                                : "reno or cubic");
}

static int option_value(const struct ho_sockopt_info *info, const char *text, int64_t value[2])
{
    char number[64];

    if (info->type == HO_SOCKOPT_TYPE_NAME) {
        for (int64_t v = info->min; v <= info->max; v++) {
            const char *word = ho_sysctl_word(HO_SYSCTL_TCP_CONGESTION_CONTROL, v);
            if (word != NULL && strcmp(word, text) == 0) {
                value[0] = v;
                return 0;
            }
        }
        return -EINVAL;
    }
    bool flag = info->type == HO_SOCKOPT_TYPE_BOOL || info->type == HO_SOCKOPT_TYPE_LINGER;
    if (flag && strcmp(text, "off") == 0) {
        return 0;
    }
    if (info->type == HO_SOCKOPT_TYPE_BOOL && strcmp(text, "on") == 0) {
        value[0] = 1;
        return 0;
    }
    int64_t *v = &value[info->type == HO_SOCKOPT_TYPE_LINGER];
    bool negative = text[0] == '-';
    if (!in_unit(info->unit, text + negative, number, sizeof(number)) ||
        ho_value_read(HO_TYPE_NUMBER, number, v) != 0) {
        return -EINVAL;
    }
    *v = negative ? -*v : *v;
    if (info->type == HO_SOCKOPT_TYPE_LINGER) {
        value[0] = 1;
    }
    return *v >= info->min && *v <= info->max ? 0 : -EINVAL;
}

int ho_resolve_sockopt(struct ho_maker *m, const struct ho_scn_line *line, struct ho_plan_call *ret)
{
    const struct ho_scn_arg *name = ho_scn_arg(m->s, line, "name");
    uint32_t count;
    const struct ho_scn_arg *a = ho_resolve_args(m, line, "value", &count);
    int id = ho_sockopt_find(name->text);

    assert(id >= 0);
    const struct ho_sockopt_info *info = ho_sockopt_info((enum ho_sockopt)id);
    ret->opt = id;
    ret->opt_name = info->name;
    if (a == NULL) {
        return 0;
    }
    if (info->read_only) {
        return ho_maker_refuse(m, line, name, "%s can only be read", info->name);
    }
    if (count != 1) {
        return ho_maker_refuse(m, line, &a[1],
                               "found a second value, expected the end of the line");
    }
    if (option_value(info, ho_resolve_text(m, a), ret->value) != 0) {
        return bad_option(m, line, a, info);
    }
    return 0;
}
