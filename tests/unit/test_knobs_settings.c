/* Unit tests of src/knobs/settings*: the list keeps its rules, rows are found, values are rounded
 * and written as each program takes them, and docs/settings.md is the list:
 *
 *     HO_WRITE_DOCS=1 <build>/test_knobs_settings
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "knobs/docs.h"
#include "knobs/settings.h"
#include "support/docs_page.h"

static const struct ho_setting *row(const char *program, const char *name)
{
    const struct ho_setting *s = ho_setting_next(program, NULL);

    while (s != NULL && strcmp(s->name, name) != 0) {
        s = ho_setting_next(program, s);
    }
    if (s == NULL) {
        fail_msg("%s has no setting %s", program, name);
    }
    return s;
}

/* ---- the list -------------------------------------------------------------------------------- */

static void every_row_belongs_to_a_program_and_rows_of_one_follow_each_other(void **state)
{
    const struct ho_setting *s;
    size_t programs = 0, at = 0;

    (void)state;
    for (; ho_setting_program_at(programs) != NULL; programs++) {
        const struct ho_setting_program *p = ho_setting_program_at(programs);
        size_t rows = 0;

        while ((s = ho_setting_at(at)) != NULL && strcmp(s->program, p->id) == 0) {
            at++;
            rows++;
        }
        if (rows == 0) {
            fail_msg("%s has no row behind it", p->id);
        }
    }
    assert_null(ho_setting_at(at));
}

static void program_ids_are_lower_case_and_unique(void **state)
{
    (void)state;
    for (size_t i = 0; ho_setting_program_at(i) != NULL; i++) {
        const char *id = ho_setting_program_at(i)->id;

        assert_true(id[0] != '\0' && ho_setting_program_at(i)->title[0] != '\0');
        assert_int_equal(strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-./"), strlen(id));
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(id, ho_setting_program_at(k)->id);
        }
    }
}

/* A role is a time, a count or a flag; so is the unit. */
static bool fits(const struct ho_setting *s)
{
    int64_t v;

    switch (ho_setting_role_kind(s->role)) {
    case HO_SETTING_TIME:
        return ho_setting_count(ho_s(60), s->unit, HO_SETTING_UP, &v) == 0;
    case HO_SETTING_COUNT:
        return s->unit == HO_UNIT_COUNT;
    case HO_SETTING_FLAG:
        return s->unit == HO_UNIT_BOOL;
    }
    return false;
}

static void every_row_is_whole(void **state)
{
    const struct ho_setting *s;

    (void)state;
    for (size_t i = 0; (s = ho_setting_at(i)) != NULL; i++) {
        if (s->name[0] == '\0' || s->place[0] == '\0' || s->source[0] == '\0' || !fits(s) ||
            s->def < HO_SETTING_VARIES || (s->def == HO_SETTING_VARIES && s->note[0] == '\0') ||
            (s->unit == HO_UNIT_BOOL && s->def > 1)) {
            fail_msg("%s: %s", s->program, s->name);
        }
    }
}

/* Who takes the first row of a name and role takes the newest versions'. */
static void older_versions_come_after_newer_ones(void **state)
{
    const struct ho_setting *s, *t;

    (void)state;
    for (size_t i = 0; (s = ho_setting_at(i)) != NULL; i++) {
        for (size_t k = i + 1; (t = ho_setting_at(k)) != NULL; k++) {
            if (strcmp(s->program, t->program) == 0 && strcmp(s->name, t->name) == 0 &&
                s->role == t->role && s->side == t->side && strcmp(s->place, t->place) == 0 &&
                (!ho_setting_is_old(t) || strcmp(s->versions, t->versions) == 0)) {
                fail_msg("%s: %s %s before %s", s->program, s->name, s->versions, t->versions);
            }
        }
    }
}

/* With 30 s, 3 and yes for everything each form says something, and nothing is left of it. */
static void every_form_can_be_written(void **state)
{
    const struct ho_setting *s;
    struct ho_setting_values values;

    (void)state;
    for (int role = 0; role < HO_ROLE_COUNT; role++) {
        enum ho_setting_kind kind = ho_setting_role_kind((enum ho_setting_role)role);

        values.has[role] = true;
        values.v[role] = kind == HO_SETTING_TIME ? ho_s(60).ns : kind == HO_SETTING_COUNT ? 3 : 1;
    }
    for (size_t i = 0; (s = ho_setting_at(i)) != NULL; i++) {
        struct ho_text line = { 0 };
        int err = ho_setting_write(s, &values, HO_SETTING_EXACTLY, &line);

        if (err != (s->form[0] == '\0' ? -ENOTSUP : 0) ||
            strpbrk(ho_text_str(&line), "|\n") != NULL || strstr(ho_text_str(&line), "%") != NULL) {
            fail_msg("%s: %s: %s", s->program, s->name, ho_text_str(&line));
        }
        ho_text_free(&line);
    }
}

static bool says_own_value(const struct ho_setting *s)
{
    struct ho_text own = { 0 };

    ho_text_printf(&own, "%%{%s", ho_setting_role_word(s->role));
    bool says = strstr(s->form, "%d") != NULL || strchr(s->form, '|') != NULL ||
                strstr(s->form, ho_text_str(&own)) != NULL;

    ho_text_free(&own);
    return says;
}

/* It has the row's own value; or it is the line of another row of the program, for the same place,
 * that turns this on as well.
 */
static void a_form_is_about_its_row(void **state)
{
    const struct ho_setting *s, *t;

    (void)state;
    for (size_t i = 0; (s = ho_setting_at(i)) != NULL; i++) {
        bool fine = s->form[0] == '\0' || says_own_value(s);

        for (size_t k = 0; !fine && (t = ho_setting_at(k)) != NULL; k++) {
            fine = k != i && strcmp(s->program, t->program) == 0 &&
                   strcmp(s->place, t->place) == 0 && strcmp(s->form, t->form) == 0 &&
                   says_own_value(t);
        }
        if (!fine) {
            fail_msg("%s: %s: %s", s->program, s->name, s->form);
        }
    }
}

/* ---- finding --------------------------------------------------------------------------------- */

static void programs_are_found_in_any_case_and_by_a_part(void **state)
{
    (void)state;
    assert_string_equal(ho_setting_program_find("postgresql")->id, "postgresql");
    assert_string_equal(ho_setting_program_find("PostgreSQL")->id, "postgresql");
    assert_null(ho_setting_program_find("postgres"));
    assert_null(ho_setting_program_find("postgresql2"));
    assert_null(ho_setting_program_find(""));
    assert_null(ho_setting_program_find("/"));
}

static void rows_are_found_by_program_and_by_name(void **state)
{
    const struct ho_setting *s = row("postgresql", "tcp_keepalives_idle");

    (void)state;
    assert_int_equal(s->role, HO_ROLE_KEEPALIVE_IDLE);
    assert_int_equal(s->unit, HO_UNIT_S);
    assert_int_equal(s->def, HO_SETTING_SYSTEM);
    assert_ptr_equal(ho_setting_named("TCP-Keepalives-Idle", NULL), s);
    assert_null(ho_setting_named("tcp_keepalives_idl", NULL));
    assert_null(ho_setting_next("no-such-program", NULL));
}

/* ---- units ----------------------------------------------------------------------------------- */

static void times_are_rounded_as_asked(void **state)
{
    int64_t v = 77;

    (void)state;
    assert_int_equal(ho_setting_count(ho_ms(1500), HO_UNIT_S, HO_SETTING_UP, &v), 0);
    assert_int_equal(v, 2);
    assert_int_equal(ho_setting_count(ho_ms(1500), HO_UNIT_S, HO_SETTING_DOWN, &v), 0);
    assert_int_equal(v, 1);
    assert_int_equal(ho_setting_count(ho_ms(1500), HO_UNIT_DS, HO_SETTING_EXACTLY, &v), 0);
    assert_int_equal(v, 15);
    assert_int_equal(ho_setting_count(ho_s(240), HO_UNIT_MIN, HO_SETTING_EXACTLY, &v), 0);
    assert_int_equal(v, 4);
    assert_int_equal(ho_setting_count(ho_s(30), HO_UNIT_MS, HO_SETTING_UP, &v), 0);
    assert_int_equal(v, 30000);
    assert_int_equal(ho_setting_count(ho_ns(0), HO_UNIT_S, HO_SETTING_DOWN, &v), 0);
    assert_int_equal(v, 0);
}

/* 0 turns most timeouts off: rounding never makes one. */
static void a_time_that_does_not_fit_its_unit_is_refused(void **state)
{
    int64_t v = 77;

    (void)state;
    assert_int_equal(ho_setting_count(ho_ms(1500), HO_UNIT_S, HO_SETTING_EXACTLY, &v), -ERANGE);
    assert_int_equal(ho_setting_count(ho_ms(900), HO_UNIT_S, HO_SETTING_DOWN, &v), -ERANGE);
    assert_int_equal(ho_setting_count(ho_s(1), HO_UNIT_COUNT, HO_SETTING_UP, &v), -ENOTSUP);
    assert_int_equal(ho_setting_count(ho_s(1), HO_UNIT_BOOL, HO_SETTING_UP, &v), -ENOTSUP);
    assert_int_equal(v, 77);
}

static void a_number_of_units_is_a_time(void **state)
{
    (void)state;
    assert_int_equal(ho_setting_dur(600, HO_UNIT_DS).ns, ho_s(60).ns);
    assert_int_equal(ho_setting_dur(4, HO_UNIT_MIN).ns, ho_s(240).ns);
    assert_int_equal(ho_setting_dur(20000, HO_UNIT_MS).ns, ho_s(20).ns);
    assert_int_equal(ho_setting_dur(9, HO_UNIT_COUNT).ns, 0);
}

/* ---- forms ----------------------------------------------------------------------------------- */

static void check_form(enum ho_setting_role role, enum ho_unit unit, const char *form, int err,
                       const char *expected)
{
    struct ho_setting s = { .role = role, .unit = unit, .form = form };
    struct ho_setting_values v = {
        .has = { [HO_ROLE_KEEPALIVE_IDLE] = true,
                 [HO_ROLE_KEEPALIVE_CNT] = true,
                 [HO_ROLE_KEEPALIVE] = true },
        .v = { [HO_ROLE_KEEPALIVE_IDLE] = ho_ms(12500).ns, [HO_ROLE_KEEPALIVE_CNT] = 3 }
    };
    struct ho_text out = { 0 };

    ho_text_put(&out, "> ");
    assert_int_equal(ho_setting_write(&s, &v, HO_SETTING_UP, &out), err);
    assert_string_equal(ho_text_str(&out), expected);
    ho_text_free(&out);
}

static void a_value_is_written_in_its_unit(void **state)
{
    (void)state;
    check_form(HO_ROLE_KEEPALIVE_IDLE, HO_UNIT_S, "idle = %d", 0, "> idle = 13");
    check_form(HO_ROLE_KEEPALIVE_IDLE, HO_UNIT_MS, "idle = %dms", 0, "> idle = 12500ms");
    check_form(HO_ROLE_KEEPALIVE_CNT, HO_UNIT_COUNT, "%d%%", 0, "> 3%");
    check_form(HO_ROLE_KEEPALIVE, HO_UNIT_BOOL, "ka=%{off|on};", 0, "> ka=off;");
    check_form(HO_ROLE_KEEPALIVE_CNT, HO_UNIT_COUNT, "%{idle:ds}:%{count}", 0, "> 125:3");
}

static void what_cannot_be_written_leaves_the_text_alone(void **state)
{
    (void)state;
    check_form(HO_ROLE_KEEPALIVE_IDLE, HO_UNIT_S, "", -ENOTSUP, "> ");
    check_form(HO_ROLE_KEEPALIVE_INTVL, HO_UNIT_S, "intvl %d", -ENOENT, "> ");
    check_form(HO_ROLE_KEEPALIVE_CNT, HO_UNIT_COUNT, "%{idle:s}:%{interval:s}", -ENOENT, "> ");
    check_form(HO_ROLE_KEEPALIVE_IDLE, HO_UNIT_COUNT, "%d", -ENOTSUP, "> ");
}

/* ---- what is known --------------------------------------------------------------------------- */

/* The rows that decide most outages, against the programs' own documents. */
static void known_defaults(void **state)
{
    static const struct {
        const char *program, *name;
        int64_t ms;
    } t[] = {
        { "nginx", "keepalive_timeout", 75000 },
        { "nginx", "upstream keepalive_timeout", 60000 },
        { "aws-alb", "idle_timeout.timeout_seconds", 60000 },
        { "aws-nlb", "tcp.idle_timeout.seconds", 350000 },
        { "azure-lb", "idleTimeoutInMinutes", 240000 },
        { "nfs", "timeo", 60000 },
        { "redis", "tcp-keepalive", 300000 },
        { "kafka", "connections.max.idle.ms", 540000 },
        { "grpc", "GRPC_ARG_KEEPALIVE_TIMEOUT_MS", 20000 },
        { "rust/reqwest", "tcp_user_timeout", 30000 },
        { "conntrack", "nf_conntrack_tcp_timeout_established", 432000000 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        const struct ho_setting *s = row(t[i].program, t[i].name);

        assert_int_equal(ho_setting_dur(s->def, s->unit).ns, ho_ms(t[i].ms).ns);
    }
    /* Node.js 26 changed it: both are there, the newer one first. */
    const struct ho_setting *node = row("node", "server.keepAliveTimeout");

    assert_int_equal(node->def, 65000);
    assert_false(ho_setting_is_old(node));
    node = ho_setting_named("server.keepAliveTimeout", node);
    assert_int_equal(node->def, 5000);
    assert_true(ho_setting_is_old(node));
}

static void programs_write_what_they_take(void **state)
{
    static const struct {
        const char *program, *name, *expected;
    } t[] = {
        { "postgresql", "tcp_user_timeout", "tcp_user_timeout = 20000" },
        { "libpq", "keepalives_idle", "keepalives_idle=15" },
        { "nginx", "so_keepalive keepcnt", "listen ... so_keepalive=15s:5s:3;" },
        { "haproxy", "option clitcpka", "option clitcpka" },
        { "redis", "tcp-keepalive", "tcp-keepalive 15" },
        { "java", "SO_KEEPALIVE", "socket.setKeepAlive(true);" },
        { "node", "socket.setKeepAlive", "socket.setKeepAlive(true, 15000);" },
        { "openssh", "TCPKeepAlive", "TCPKeepAlive yes" },
        { "reqwest", "tcp_user_timeout", ".tcp_user_timeout(Duration::from_secs(20))" },
        { "varnish", "connect_timeout", "-p connect_timeout=3" },
    };
    struct ho_setting_values v = { .has = { false } };

    (void)state;
    v.has[HO_ROLE_KEEPALIVE] = v.has[HO_ROLE_KEEPALIVE_IDLE] = v.has[HO_ROLE_KEEPALIVE_INTVL] =
        v.has[HO_ROLE_KEEPALIVE_CNT] = v.has[HO_ROLE_KEEPALIVE_THIRD] =
            v.has[HO_ROLE_USER_TIMEOUT] = v.has[HO_ROLE_CONNECT] = true;
    v.v[HO_ROLE_KEEPALIVE] = 1;
    v.v[HO_ROLE_KEEPALIVE_IDLE] = v.v[HO_ROLE_KEEPALIVE_THIRD] = ho_s(15).ns;
    v.v[HO_ROLE_KEEPALIVE_INTVL] = ho_s(5).ns;
    v.v[HO_ROLE_KEEPALIVE_CNT] = 3;
    v.v[HO_ROLE_USER_TIMEOUT] = ho_s(20).ns;
    v.v[HO_ROLE_CONNECT] = ho_ms(2500).ns;
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct ho_text line = { 0 };

        assert_int_equal(ho_setting_write(row(t[i].program, t[i].name), &v, HO_SETTING_UP, &line),
                         0);
        assert_string_equal(ho_text_str(&line), t[i].expected);
        ho_text_free(&line);
    }
}

static void there_are_at_least_sixty_programs(void **state)
{
    (void)state;
    assert_non_null(ho_setting_program_at(59));
    assert_string_equal(ho_setting_program_find("kube-proxy")->id, "kubernetes/kube-proxy");
    assert_string_equal(ho_setting_program_find("Kubernetes")->id, "kubernetes/kube-proxy");
    assert_string_equal(ho_setting_program_find("reqwest")->id, "rust/reqwest");
}

/* ---- the page -------------------------------------------------------------------------------- */

static const char head[] =
    "# Settings of programs\n\n"
    "What each program calls its liveness settings, what they are unless somebody changes them, "
    "and\nwhere they go. Generated from src/knobs/settings.def; `halfopen explain PROGRAM` shows "
    "one\nprogram's. What is written in `where` has places for values: `%d` in the setting's own "
    "unit,\n`%{idle:s}` another one in seconds, `%{no|yes}` a word for off and on.\n\n"
    "A version says that newer or older ones differ; without one no change is known. Defaults "
    "move: "
    "the\nsource names the version or the date at which it was read. **Not checked** is general "
    "knowledge.\n\n";

static void the_page_is_the_list(void **state)
{
    (void)state;
    ho_docs_page_is("docs/settings.md", head, ho_docs_settings, "test_knobs_settings");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_belongs_to_a_program_and_rows_of_one_follow_each_other),
        cmocka_unit_test(program_ids_are_lower_case_and_unique),
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(older_versions_come_after_newer_ones),
        cmocka_unit_test(every_form_can_be_written),
        cmocka_unit_test(a_form_is_about_its_row),
        cmocka_unit_test(programs_are_found_in_any_case_and_by_a_part),
        cmocka_unit_test(rows_are_found_by_program_and_by_name),
        cmocka_unit_test(times_are_rounded_as_asked),
        cmocka_unit_test(a_time_that_does_not_fit_its_unit_is_refused),
        cmocka_unit_test(a_number_of_units_is_a_time),
        cmocka_unit_test(a_value_is_written_in_its_unit),
        cmocka_unit_test(what_cannot_be_written_leaves_the_text_alone),
        cmocka_unit_test(known_defaults),
        cmocka_unit_test(programs_write_what_they_take),
        cmocka_unit_test(there_are_at_least_sixty_programs),
        cmocka_unit_test(the_page_is_the_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
