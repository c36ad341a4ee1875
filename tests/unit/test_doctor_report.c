/* The forms of a diagnosis, over scans made by hand: groups, order, counts, and that nobody's name
 * gets out of the place that a form has for it.
 */

#include "doctor/report.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka needs these four before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/utf8.h"
#include "doctor/checks.h"

#define CONNS_MAX 400

struct made {
    struct ho_conn_host hosts[2];
    struct ho_conn_owner owners[CONNS_MAX];
    struct ho_conn conns[CONNS_MAX];
    struct ho_scan s;
    struct ho_diagnosis d;
};

static const char hostile[] = "a\n\x1b[2J|<\"#\\\x9b";

static struct made *make(void)
{
    struct made *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    ho_sysctls_init(&m->hosts[0].sysctls);
    m->hosts[0].hz = 250;
    m->hosts[0].here = true;
    m->hosts[0].netns = 4026531840;
    m->s =
        (struct ho_scan){ .hosts = m->hosts, .n_hosts = 1, .owners = m->owners, .conns = m->conns };
    return m;
}

static uint32_t owner(struct made *m, int32_t pid, const char *name)
{
    struct ho_conn_owner *o = &m->owners[m->s.n_owners];

    o->pid = pid;
    o->uid = 33;
    snprintf(o->name, sizeof(o->name), "%s", name);
    return (uint32_t)m->s.n_owners++;
}

/* A server's connection from a router's far side, everything known, keepalive off. */
static struct ho_conn *add(struct made *m, uint32_t whose, uint16_t lport, uint16_t rport)
{
    struct ho_conn *c = &m->conns[m->s.n_conns++];

    *c = (struct ho_conn){
        .local = ho_addr_v4(10, 0, 0, 1),
        .remote = ho_addr_v4(192, 0, 2, 9),
        .lport = lport,
        .rport = rport,
        .owner = whose,
        .inode = 77,
        .state = HO_TCP_ESTABLISHED,
        .has_info = true,
        .rto_us = 204000,
        .rtt_us = 1000,
        .keepalive_known = HO_KNOWN_READ,
        .options_known = HO_KNOWN_READ,
        .keepidle_s = 7200,
        .keepintvl_s = 75,
        .keepcnt = 9,
        .linger_known = HO_KNOWN_READ,
    };
    return c;
}

/* Three of nginx, two of them of one kind; one that retransmits; one that nobody may look at. */
static struct made *usual(void)
{
    struct made *m = make();
    uint32_t nginx = owner(m, 812, "nginx"), app = owner(m, 900, hostile);
    struct ho_conn *c;

    add(m, nginx, 80, 40001);
    add(m, nginx, 80, 40002);
    add(m, nginx, 80, 40003)->keepalive = true;
    c = add(m, app, 40004, 5432);
    c->timer = HO_SOCK_TIMER_ON;
    c->retrans = c->backoff = 6;
    c->rto_us = 204000u << 6;
    c->expires_ms = 5000;
    c->unacked = 1;
    c->wqueue = 100;
    c->last_ack_recv_ms = c->last_data_recv_ms = 30000;
    c->last_data_sent_ms = 26000;
    c = add(m, HO_CONN_NO_OWNER, 40005, 443);
    c->keepalive_known = c->options_known = c->linger_known = HO_KNOWN_UNKNOWN;
    m->s.n_unreadable = 1;
    return m;
}

static void diagnose(struct made *m)
{
    const struct ho_finding_rules rules = { 0 };

    assert_int_equal(ho_diagnose(&m->d, &m->s, &rules), 0);
}

static void done(struct made *m)
{
    ho_diagnosis_free(&m->d);
    free(m);
}

static char *form(struct made *m, enum ho_report_form f, bool all)
{
    const struct ho_report_options o = { .all = all, .fail_on = HO_SEVERITY_WARN };
    struct ho_text out = { 0 };

    ho_report(&out, f, &m->d, &o);
    assert_int_equal(ho_text_err(&out), 0);
    char *copy = malloc(out.len + 1);

    assert_non_null(copy);
    memcpy(copy, ho_text_str(&out), out.len + 1);
    ho_text_free(&out);
    return copy;
}

static void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("nothing like '%s' in:\n%s", part, text);
    }
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;

    for (const char *p = text; (p = strstr(p, part)) != NULL; p++) {
        n++;
    }
    return n;
}

/* Ends the line at `p`; returns what lies behind it, NULL at the end of the text. */
static char *cut(char *p)
{
    size_t n = strcspn(p, "\n");

    if (p[n] == '\0') {
        return NULL;
    }
    p[n] = '\0';
    return p + n + 1;
}

/* ---- the diagnosis --------------------------------------------------------------------------- */

static void connections_that_differ_in_the_peer_are_one_group(void **state)
{
    struct made *m = usual();

    (void)state;
    diagnose(m);
    assert_int_equal(m->d.n_groups, 4);
    assert_int_equal(m->d.never_idle, 3);
    assert_int_equal(m->d.unknown_idle, 1);
    assert_int_equal(m->d.in_trouble, 1);
    assert_int_equal(m->d.groups[0].conns[0], 3); /* trouble first */
    assert_int_equal(m->d.groups[0].end, HO_GROUP_TO);
    assert_int_equal(m->d.groups[0].port, 5432);
    assert_int_equal(m->d.groups[1].n, 2);
    assert_int_equal(m->d.groups[1].conns[0], 0);
    assert_int_equal(m->d.groups[1].conns[1], 1);
    assert_int_equal(m->d.groups[1].end, HO_GROUP_ON);
    assert_int_equal(m->d.groups[1].port, 80);
    assert_true(m->d.groups[1].same_process);
    done(m);
}

/* What groups are made of, each changed alone, takes a connection out of its group. */
static void each_difference_makes_a_group(void **state)
{
    struct made *m = make();
    uint32_t a = owner(m, 1, "a"), b = owner(m, 2, "b"), a2 = owner(m, 3, "a");

    (void)state;
    add(m, a, 80, 40000);
    add(m, a, 80, 40001)->remote = ho_addr_v4(192, 0, 2, 10);
    add(m, a2, 80, 40002); /* another process of that name: the same group */
    add(m, b, 80, 40003);
    add(m, a, 81, 40004);
    add(m, a, 40005, 80);
    add(m, a, 80, 40006)->state = HO_TCP_CLOSE_WAIT;
    add(m, a, 80, 40007)->keepidle_s = 60;
    add(m, a, 80, 40008)->user_timeout_ms = 1000;
    add(m, a, 80, 40009)->options_known = HO_KNOWN_UNKNOWN;
    diagnose(m);
    assert_int_equal(m->d.n_groups, 8);
    for (size_t i = 0; i < m->d.n_groups; i++) {
        assert_int_equal(m->d.groups[i].n, m->d.groups[i].conns[0] == 0 ? 3 : 1);
    }
    assert_int_equal(m->d.groups[0].conns[0], 0);
    assert_false(m->d.groups[0].same_process);
    done(m);
}

static void nothing_at_all_is_a_diagnosis(void **state)
{
    struct made *m = make();

    (void)state;
    diagnose(m);
    assert_false(m->d.any);
    for (int f = 0; f < HO_REPORT_FORM_COUNT; f++) {
        char *text = form(m, (enum ho_report_form)f, true);

        assert_true(strlen(text) > 10);
        free(text);
    }
    done(m);
}

/* ---- every form ------------------------------------------------------------------------------ */

/* Printable, and each line ends: a name that holds a line break or an escape could break either. */
static void no_form_lets_a_control_character_through(void **state)
{
    struct made *m = usual();

    (void)state;
    memcpy(m->owners[0].container, "\x1b]0;title\x07\xc2\x9b\xe2\x80\xae", 16);
    diagnose(m);
    for (int f = 0; f < HO_REPORT_FORM_COUNT; f++) {
        char *text = form(m, (enum ho_report_form)f, true);

        for (const char *p = text; *p != '\0';) {
            uint32_t cp = 0;
            size_t n = ho_utf8_read(p, strlen(p), &cp);

            if (n == 0 || (cp != '\n' && ho_utf8_columns(cp) == 0)) {
                fail_msg("form %d: byte 0x%02x at %zu", f, (unsigned)(unsigned char)*p,
                         (size_t)(p - text));
            }
            p += n;
        }
        assert_int_equal(text[strlen(text) - 1], '\n');
        free(text);
    }
    done(m);
}

static void the_same_scan_gives_the_same_bytes(void **state)
{
    struct made *m = usual(), *again = usual();

    (void)state;
    diagnose(m);
    diagnose(again);
    for (int f = 0; f < HO_REPORT_FORM_COUNT; f++) {
        char *a = form(m, (enum ho_report_form)f, true);
        char *b = form(again, (enum ho_report_form)f, true);

        assert_string_equal(a, b);
        free(a);
        free(b);
    }
    done(m);
    done(again);
}

static void text_fits_eighty_columns_and_says_what_is_wrong(void **state)
{
    struct made *m = usual();

    (void)state;
    memset(m->owners[1].container, 'x', 60);
    diagnose(m);
    char *text = form(m, HO_REPORT_TEXT, false);

    has(text, "5 TCP connections in this network namespace, HZ 250: 5 ESTABLISHED\n");
    has(text, "1 in trouble now; 3 would never notice a dead peer while idle");
    has(text, "  2 connections of nginx (pid 812) on :80\n    idle: never");
    has(text, "KA001");
    has(text, "retransmitting");
    has(text, "  the socket options of 1 connection (needs same uid or\n"
              "    CAP_SYS_PTRACE+CAP_DAC_READ_SEARCH)\n");
    assert_true(strstr(text, "In trouble now") < strstr(text, "nginx"));
    for (char *p = text, *next; (next = cut(p)) != NULL; p = next) {
        if (ho_text_width(p) > 80) {
            fail_msg("%zu columns: %s", ho_text_width(p), p);
        }
    }
    free(text);
    done(m);
}

static void what_is_in_order_is_shown_on_demand(void **state)
{
    struct made *m = make();
    struct ho_conn *c = add(m, owner(m, 5, "psql"), 40000, 5432);

    (void)state;
    c->keepalive = true;
    c->keepidle_s = 30;
    c->keepintvl_s = 10;
    c->keepcnt = 3;
    diagnose(m);
    char *few = form(m, HO_REPORT_TEXT, false), *all = form(m, HO_REPORT_TEXT, true);

    if (m->d.conns[0].n_findings == 0) {
        has(few, "1 connection without a finding");
        assert_null(strstr(few, "psql"));
    }
    has(all, "psql");
    has(all, "30/10/3");
    free(few);
    free(all);
    done(m);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static const cJSON *get(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    if (v == NULL) {
        fail_msg("no key '%s'", key);
    }
    return v;
}

/* Nobody who writes JSON out has to hold all of it. */
static void a_report_can_be_taken_in_pieces(void **state)
{
    const struct ho_report_options o = { .all = true, .fail_on = HO_SEVERITY_WARN };
    struct made *m = usual();

    (void)state;
    diagnose(m);
    for (int f = 0; f < HO_REPORT_FORM_COUNT; f++) {
        char *whole = form(m, (enum ho_report_form)f, true), *rest = whole;
        struct ho_text piece = { 0 };
        size_t at = 0, n = 0;
        bool more = true;

        for (; more; n++) {
            ho_text_clear(&piece);
            more = ho_report_next(&piece, (enum ho_report_form)f, &m->d, &o, &at);
            assert_true(piece.len > 0 && strncmp(rest, ho_text_str(&piece), piece.len) == 0);
            assert_true(f != HO_REPORT_JSON || n == 0 || piece.len < 4096);
            rest += piece.len;
        }
        assert_string_equal(rest, "");
        assert_int_equal(n, f == HO_REPORT_JSON ? m->s.n_conns + 2 : 1);
        ho_text_free(&piece);
        free(whole);
    }
    done(m);
}

static void json_has_every_connection_and_what_is_known_of_it(void **state)
{
    struct made *m = usual();

    (void)state;
    diagnose(m);
    char *text = form(m, HO_REPORT_JSON, false);
    cJSON *j = cJSON_Parse(text);

    assert_non_null(j);
    assert_int_equal(get(get(j, "summary"), "connections")->valueint, 5);
    assert_int_equal(get(get(j, "summary"), "never_idle")->valueint, 3);
    assert_int_equal(cJSON_GetArraySize(get(j, "connections")), 5);
    const cJSON *first = cJSON_GetArrayItem(get(j, "connections"), 0);

    assert_string_equal(get(get(first, "idle"), "kind")->valuestring, "never");
    assert_true(cJSON_IsNull(get(get(first, "idle"), "min_s")));
    assert_string_equal(get(get(first, "process"), "name")->valuestring, "nginx");
    assert_int_equal(get(get(first, "remote"), "port")->valueint, 40001);
    assert_true(cJSON_IsNull(get(first, "trouble")));
    assert_string_equal(get(cJSON_GetArrayItem(get(first, "findings"), 0), "id")->valuestring,
                        "KA001");

    const cJSON *third = cJSON_GetArrayItem(get(j, "connections"), 2);

    /* never early, and the timer wheel is late by at most an eighth a timer (ground-truth A1) */
    assert_true(get(get(third, "idle"), "min_s")->valuedouble >= 7200 + 9 * 75 - 10);
    assert_true(get(get(third, "idle"), "max_s")->valuedouble <= (7200 + 9 * 75) * 9.0 / 8);
    assert_string_equal(get(get(third, "idle"), "errno")->valuestring, "ETIMEDOUT");

    const cJSON *app = cJSON_GetArrayItem(get(j, "connections"), 3);

    assert_string_equal(get(get(app, "trouble"), "kind")->valuestring, "retransmitting");
    assert_string_equal(get(get(app, "process"), "name")->valuestring,
                        "a\\x0a\\x1b[2J|<\"#\\\\x9b");
    const cJSON *unseen = cJSON_GetArrayItem(get(j, "connections"), 4);

    assert_true(cJSON_IsNull(get(unseen, "process")));
    const cJSON *option = get(get(unseen, "options"), "TCP_KEEPIDLE");

    assert_string_equal(get(option, "known")->valuestring, "unknown");
    assert_true(cJSON_IsNull(get(option, "value")));
    cJSON_Delete(j);
    free(text);
    done(m);
}

/* ---- Prometheus ------------------------------------------------------------------------------ */

/* One line of the text format 0.0.4: a comment, or NAME{L="V",..} NUMBER. Returns the number. */
static double sample(const char *line)
{
    const char *p = line;

    if (strncmp(p, "# HELP ", 7) == 0 || strncmp(p, "# TYPE ", 7) == 0) {
        return 0;
    }
    while (islower((unsigned char)*p) || *p == '_') {
        p++;
    }
    assert_true(p > line);
    if (*p == '{') {
        do {
            p++;
            while (islower((unsigned char)*p)) {
                p++;
            }
            assert_true(strncmp(p, "=\"", 2) == 0);
            for (p += 2; *p != '"'; p++) {
                if (*p == '\\') {
                    p++;
                    assert_true(*p == '\\' || *p == '"' || *p == 'n');
                }
                assert_true(*p != '\0');
            }
            p++;
        } while (*p == ',');
        assert_int_equal(*p, '}');
        p++;
    }
    assert_int_equal(*p, ' ');
    char *end;
    double v = strtod(p, &end);

    assert_true(end > p + 1 && *end == '\0');
    return v;
}

static void metrics_are_well_formed_and_count_every_connection_once(void **state)
{
    struct made *m = usual();
    double sum = 0;

    (void)state;
    diagnose(m);
    char *text = form(m, HO_REPORT_PROMETHEUS, false);

    has(text, "halfopen_connections{process=\"nginx\",port=\"80\",state=\"ESTABLISHED\",idle="
              "\"never\",busy=\"1h\"} 2\n");
    has(text, "halfopen_connections_in_trouble{process=\"a\\\\x0a\\\\x1b[2J|<\\\"#\\\\\\\\x9b\",");
    has(text, "halfopen_findings{id=\"KA001\",severity=\"warn\"} 3\n");
    has(text, "halfopen_connections_unread 1\n");
    for (char *p = text, *next; (next = cut(p)) != NULL; p = next) {
        double v = sample(p);

        sum += strncmp(p, "halfopen_connections{", 21) == 0 ? v : 0;
    }
    assert_true(sum == 5);
    free(text);
    done(m);
}

static void the_number_of_series_is_bounded(void **state)
{
    struct made *m = make();
    char name[16];

    (void)state;
    for (unsigned i = 0; i < CONNS_MAX; i++) {
        snprintf(name, sizeof(name), "p%u", i % 300);
        add(m, owner(m, (int32_t)i + 1, name), 80, (uint16_t)(40000 + i));
    }
    diagnose(m);
    char *text = form(m, HO_REPORT_PROMETHEUS, false);

    /* p0 to p99 have two connections each: they are the hundred that stay */
    assert_int_equal(count(text, "halfopen_connections{"), 101);
    has(text, "process=\"p0\"");
    has(text, "process=\"p99\"");
    assert_null(strstr(text, "process=\"p100\""));
    has(text, "{process=\"other\",port=\"other\",state=\"ESTABLISHED\",idle=\"never\",busy=\"1h\"} "
              "200\n");
    free(text);
    done(m);
}

/* ---- TAP, JUnit, Markdown -------------------------------------------------------------------- */

static void a_finding_is_a_check_that_fails(void **state)
{
    struct made *m = usual();
    char plan[32];

    (void)state;
    diagnose(m);
    char *tap = form(m, HO_REPORT_TAP, false), *xml = form(m, HO_REPORT_JUNIT, false);

    snprintf(plan, sizeof(plan), "\n1..%d\n", HO_FINDING_COUNT);
    has(tap, plan);
    has(tap, "\nnot ok 1 - KA001 keepalive is off\n");
    assert_int_equal(count(tap, "\nok ") + count(tap, "\nnot ok "), HO_FINDING_COUNT);
    has(tap, "    - \"2 connections of nginx (pid 812) on :80: ");
    assert_int_equal(count(xml, "<testcase "), HO_FINDING_COUNT);
    has(xml, "name=\"KA001 keepalive is off\"");
    has(xml, "<failure type=\"finding\" message=\"warn, 3 times\">");
    free(tap);
    free(xml);
    done(m);
}

static void what_is_less_severe_than_asked_for_does_not_fail(void **state)
{
    struct made *m = usual();
    const struct ho_report_options o = { .fail_on = HO_SEVERITY_FAIL };
    struct ho_text out = { 0 };

    (void)state;
    diagnose(m);
    ho_report(&out, HO_REPORT_TAP, &m->d, &o);
    has(ho_text_str(&out), "\nok 1 - KA001 keepalive is off\n  ---\n  found: \"warn, 3 times\"");
    ho_text_free(&out);
    done(m);
}

static void checks_escape_names_and_places(void **state)
{
    const struct ho_check checks[] = {
        { .name = "a # SKIP", .ok = true, .found = "", .lines = "" },
        { .name = "b<c>",
          .found = "x\"y",
          .lines = "one\ntwo & three\n",
          .file = "f\"g",
          .line = 3 },
    };
    struct ho_text out = { 0 };

    (void)state;
    ho_checks_tap(&out, checks, 2);
    assert_string_equal(ho_text_str(&out), "TAP version 14\n"
                                           "1..2\n"
                                           "ok 1 - a \\# SKIP\n"
                                           "not ok 2 - b<c>\n"
                                           "  ---\n"
                                           "  found: \"x\\\"y\"\n"
                                           "  at: \"f\\\"g:3\"\n"
                                           "  by:\n"
                                           "    - \"one\"\n"
                                           "    - \"two & three\"\n"
                                           "  ...\n");
    ho_text_clear(&out);
    ho_checks_junit(&out, "s", checks, 2);
    has(ho_text_str(&out), "<testsuite name=\"s\" tests=\"2\" failures=\"1\"");
    has(ho_text_str(&out), "<testcase classname=\"s\" name=\"a # SKIP\"/>");
    has(ho_text_str(&out), "name=\"b&lt;c&gt;\" file=\"f&quot;g\" line=\"3\">");
    has(ho_text_str(&out), "message=\"x&quot;y\">one\ntwo &amp; three\n</failure>");
    ho_text_free(&out);
}

static void every_row_of_a_markdown_table_has_its_cells(void **state)
{
    struct made *m = usual();

    (void)state;
    diagnose(m);
    char *text = form(m, HO_REPORT_MARKDOWN, true);

    for (char *p = text, *next; (next = cut(p)) != NULL; p = next) {
        size_t cells = 0;

        for (const char *c = p; *c != '\0'; c++) {
            cells += *c == '|' && (c == p || c[-1] != '\\');
            assert_true(*c != '<');
        }
        assert_true(cells == 0 || cells == 6 || cells == 7);
    }
    free(text);
    done(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_that_differ_in_the_peer_are_one_group),
        cmocka_unit_test(each_difference_makes_a_group),
        cmocka_unit_test(nothing_at_all_is_a_diagnosis),
        cmocka_unit_test(no_form_lets_a_control_character_through),
        cmocka_unit_test(the_same_scan_gives_the_same_bytes),
        cmocka_unit_test(text_fits_eighty_columns_and_says_what_is_wrong),
        cmocka_unit_test(what_is_in_order_is_shown_on_demand),
        cmocka_unit_test(a_report_can_be_taken_in_pieces),
        cmocka_unit_test(json_has_every_connection_and_what_is_known_of_it),
        cmocka_unit_test(metrics_are_well_formed_and_count_every_connection_once),
        cmocka_unit_test(the_number_of_series_is_bounded),
        cmocka_unit_test(a_finding_is_a_check_that_fails),
        cmocka_unit_test(what_is_less_severe_than_asked_for_does_not_fail),
        cmocka_unit_test(checks_escape_names_and_places),
        cmocka_unit_test(every_row_of_a_markdown_table_has_its_cells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
