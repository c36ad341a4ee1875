/* Verdicts as a table for people and as JSON for programs. */

#include <assert.h>
#include <string.h>

#include "timeline/verdict.h"
#include "timeline/view.h"

#define WIDTH 100 /* columns of the table */
#define SAW_WIDTH 34
#define WHEN_WIDTH 14
#define SECONDS_WIDTH 11
#define SIDE_MAX 20 /* columns that a side's name may take before it pushes the others */
#define NOTABLE_NS 1000000
#define FAULTS_SHOWN 4

const char *ho_cause_word(enum ho_cause cause)
{
    static const char *const word[] = {
#define X(id, text, words) [HO_CAUSE_##id] = (text),
        HO_CAUSES(X)
#undef X
    };

    assert(cause < HO_CAUSE_COUNT);
    return word[cause];
}

const char *ho_cause_text(enum ho_cause cause)
{
    static const char *const text[] = {
#define X(id, word, words) [HO_CAUSE_##id] = (words),
        HO_CAUSES(X)
#undef X
    };

    assert(cause < HO_CAUSE_COUNT);
    return text[cause];
}

void ho_verdicts_happened(struct ho_text *out, const struct ho_timeline *tl)
{
    struct ho_time before = { 0 };
    unsigned n = 0;

    for (size_t i = 0; i < tl->n; i++) {
        const struct ho_record *r = &tl->rec[i];

        if (r->kind != HO_REC_FAULT) {
            continue;
        }
        if (n == FAULTS_SHOWN) {
            ho_text_put(out, "; ...");
            return;
        }
        ho_text_put(out, n > 0 ? "; " : "");
        ho_view_put_fault(out, r);
        if (n > 0) {
            ho_text_char(out, ' ');
            ho_text_dur(out, ho_time_since(r->t, before));
            ho_text_put(out, " later");
        }
        before = r->t;
        n++;
    }
    if (n == 0) {
        ho_text_put(out, "no fault");
    }
}

/* "client", or "client/app" where a host has several processes in the list, and the connection
 * where the process has several.
 */
static void put_side(struct ho_text *out, const struct ho_verdicts *v, const struct ho_verdict *one)
{
    bool processes = false, connections = false;

    for (size_t i = 0; i < v->n; i++) {
        const struct ho_verdict *other = &v->v[i];

        if (strcmp(other->host, one->host) == 0) {
            processes = processes || strcmp(other->process, one->process) != 0;
            connections = connections || strcmp(other->conn, one->conn) != 0;
        }
    }
    ho_text_put(out, one->host);
    if (processes && one->process[0] != '\0') {
        ho_text_char(out, '/');
        ho_text_put(out, one->process);
    }
    if (connections) {
        ho_text_char(out, ' ');
        ho_text_put(out, one->conn);
    }
}

static size_t side_width(struct ho_text *out, const struct ho_verdicts *v)
{
    struct ho_text side = { 0 };
    size_t width = 0;

    for (size_t i = 0; i < v->n; i++) {
        ho_text_clear(&side);
        put_side(&side, v, &v->v[i]);
        size_t w = ho_text_width(ho_text_str(&side));
        width = w > width && w <= SIDE_MAX ? w : width;
    }
    ho_text_end_part(out, &side);
    return width;
}

/* When the application was told, else when the kernel gave up; false if neither did. */
static bool noticed_at(const struct ho_verdict *one, struct ho_time *ret)
{
    if (!one->has_app && !one->has_kernel) {
        return false;
    }
    *ret = one->has_app ? one->app_at : one->kernel_at;
    return true;
}

static void put_when(struct ho_text *out, const struct ho_verdicts *v, const struct ho_verdict *one)
{
    struct ho_text cell = { 0 };
    struct ho_time at = { 0 };
    bool ended = noticed_at(one, &at), noticed = ended && !ho_time_before(at, v->since);

    if (noticed) {
        ho_text_dur(&cell, ho_time_since(at, v->since));
    } else {
        ho_text_put(&cell, ended ? "before" : "-"); /* it is no answer to the fault */
    }
    ho_text_pad(out, ho_text_str(&cell), WHEN_WIDTH);
    ho_text_char(out, ' ');
    ho_text_clear(&cell);
    if (noticed) {
        ho_text_seconds(&cell, ho_time_since(at, v->since).ns, 3);
    } else {
        ho_text_put(&cell, "-");
    }
    for (size_t w = cell.len; w < SECONDS_WIDTH; w++) {
        ho_text_char(out, ' ');
    }
    ho_text_put(out, ho_text_str(&cell));
    ho_text_put(out, "  ");
    ho_text_end_part(out, &cell);
}

/* "ETIMEDOUT from recv", "end of stream from recv", "HUP from poll". */
static void put_result(struct ho_text *out, const struct ho_verdict *one)
{
    char word[HO_VIEW_WORD];

    if (!one->has_app) {
        if (one->has_kernel) {
            ho_text_put(out, "no call was told");
        } else if (strcmp(one->state, "gone") == 0) {
            ho_text_put(out, "gone");
        } else {
            ho_text_put(out, one->cause == HO_CAUSE_POWER ? "" : "still ");
            ho_text_put(out, one->cause == HO_CAUSE_POWER ? "" : one->state);
        }
        return;
    }
    if (one->cause == HO_CAUSE_FINDING) {
        ho_text_put(out, one->app_call);
        return;
    }
    if (one->app_err[0] != '\0') {
        ho_text_put(out, one->app_err);
    } else if (one->app_events != 0 && strcmp(one->app_call, "recv") != 0 &&
               strcmp(one->app_call, "read") != 0) {
        ho_text_put(out, ho_view_events(one->app_events, word));
    } else {
        ho_text_put(out, "end of stream");
    }
    ho_text_put(out, " from ");
    ho_text_put(out, one->app_call);
}

/* `ns` as seconds, the last digit rounded down or up. */
static void put_bound(struct ho_text *out, int64_t ns, unsigned digits, bool up)
{
    int64_t unit = HO_NS_PER_S;

    for (unsigned i = 0; i < digits; i++) {
        unit /= 10;
    }
    int64_t whole = ns / unit;
    whole += up && ns > whole * unit ? 1 : 0;
    ho_text_seconds(out, whole * unit, digits);
}

/* The range with as many digits as its width needs, never narrower than it is: "938.1 to 940.3 s",
 * "7873 to 8004 s".
 */
static void put_range(struct ho_text *out, const struct ho_verdict *one, uint32_t hz)
{
    unsigned digits = one->range_max_ns - one->range_min_ns > 100 * HO_NS_PER_S ? 0 : 1;

    if (one->range_max_ns - one->range_min_ns < HO_NS_PER_S) {
        digits = one->range_max_ns < 10 * HO_NS_PER_S ? 3 : 2;
    }
    put_bound(out, one->range_min_ns, digits, false);
    ho_text_put(out, " to ");
    put_bound(out, one->range_max_ns, digits, true);
    if (hz == 0) {
        ho_text_put(out, " s with exact timers");
    } else {
        ho_text_printf(out, " s at HZ=%u", (unsigned)hz);
    }
}

static void put_kernel(struct ho_text *out, const struct ho_verdicts *v,
                       const struct ho_verdict *one)
{
    int64_t apart = one->kernel_at.ns - one->app_at.ns;

    if (!one->has_kernel || (one->has_app && apart <= NOTABLE_NS && apart >= -NOTABLE_NS)) {
        return;
    }
    ho_text_put(out, out->len > 0 ? "; " : "");
    if (ho_time_before(one->kernel_at, v->since)) {
        ho_text_put(out, "kernel gave up before");
    } else {
        ho_text_put(out, "kernel gave up at ");
        ho_text_seconds(out, ho_time_since(one->kernel_at, v->since).ns, 3);
        ho_text_put(out, " s");
    }
    if (one->kernel_err[0] != '\0') {
        ho_text_put(out, ": ");
        ho_text_put(out, one->kernel_err);
    }
}

/* The second line's words, broken at "; " so that no line is wider than the table. */
static void put_wrapped(struct ho_text *out, const char *text, size_t indent)
{
    size_t column = indent;

    ho_text_repeat(out, " ", (unsigned)indent);
    while (*text != '\0') {
        const char *end = strstr(text, "; ");
        size_t len = end == NULL ? strlen(text) : (size_t)(end - text) + 1;

        if (column > indent && column + 1 + len > WIDTH) {
            ho_text_char(out, '\n');
            ho_text_repeat(out, " ", (unsigned)indent);
            column = indent;
        } else if (column > indent) {
            ho_text_char(out, ' ');
            column++;
        }
        ho_text_bytes(out, text, len);
        column += len;
        text += len;
        text += *text == ' ';
    }
    ho_text_char(out, '\n');
}

static void put_row(struct ho_text *out, const struct ho_verdicts *v, const struct ho_verdict *one,
                    size_t width, uint32_t hz)
{
    struct ho_text line = { 0 };

    put_side(&line, v, one);
    ho_text_put(out, "  ");
    ho_text_pad(out, ho_text_str(&line), width);
    ho_text_put(out, "  ");
    ho_text_pad(out, ho_cause_text(one->cause), SAW_WIDTH);
    ho_text_char(out, ' ');
    put_when(out, v, one);
    put_result(out, one);
    ho_text_char(out, '\n');

    ho_text_clear(&line);
    ho_text_put(&line, one->knob);
    if (one->has_range) {
        ho_text_put(&line, line.len > 0 ? "; " : "");
        put_range(&line, one, hz);
    }
    put_kernel(&line, v, one);
    if (line.len > 0) {
        put_wrapped(out, ho_text_str(&line), width + 4);
    }
    ho_text_end_part(out, &line);
}

void ho_verdicts_table(struct ho_text *out, const struct ho_verdicts *v,
                       const struct ho_timeline *tl, const char *scenario, uint32_t hz)
{
    size_t width = side_width(out, v);

    ho_text_put(out, scenario);
    ho_text_put(out, ": ");
    ho_verdicts_happened(out, tl);
    ho_text_char(out, '\n');
    for (size_t i = 0; i < v->n; i++) {
        put_row(out, v, &v->v[i], width, hz);
    }
}

/* Seconds without needless zeros: "937.764", "0". */
static void json_seconds(struct ho_text *out, int64_t ns)
{
    ho_text_seconds(out, ns, 6);
    if (out->err == 0) {
        while (out->s[out->len - 1] == '0') {
            out->s[--out->len] = '\0';
        }
        if (out->s[out->len - 1] == '.') {
            out->s[--out->len] = '\0';
        }
    }
}

static void json_text_or_null(struct ho_text *out, const char *s)
{
    if (s[0] == '\0') {
        ho_text_put(out, "null");
    } else {
        ho_text_json(out, s);
    }
}

static void json_times(struct ho_text *out, const struct ho_verdicts *v, struct ho_time at)
{
    ho_text_put(out, "{\"at_s\":");
    json_seconds(out, at.ns);
    ho_text_put(out, ",\"after_s\":");
    json_seconds(out, at.ns - v->since.ns);
}

static void json_kernel(struct ho_text *out, const struct ho_verdicts *v,
                        const struct ho_verdict *one)
{
    ho_text_put(out, ",\"kernel\":");
    if (!one->has_kernel) {
        ho_text_put(out, "null");
        return;
    }
    json_times(out, v, one->kernel_at);
    ho_text_put(out, ",\"state\":");
    ho_text_json(out, one->kernel_state);
    ho_text_put(out, ",\"sk_err\":");
    json_text_or_null(out, one->kernel_err);
    ho_text_char(out, '}');
}

static void json_app(struct ho_text *out, const struct ho_verdicts *v, const struct ho_verdict *one)
{
    char word[HO_VIEW_WORD];

    ho_text_put(out, ",\"app\":");
    if (!one->has_app) {
        ho_text_put(out, "null");
        return;
    }
    json_times(out, v, one->app_at);
    ho_text_put(out, ",\"call\":");
    ho_text_json(out, one->app_call);
    ho_text_put(out, ",\"errno\":");
    json_text_or_null(out, one->app_err);
    ho_text_put(out, ",\"events\":");
    json_text_or_null(out, ho_view_events(one->app_events, word));
    ho_text_char(out, '}');
}

static void json_verdict(struct ho_text *out, const struct ho_verdicts *v,
                         const struct ho_verdict *one)
{
    ho_text_put(out, "{\"host\":");
    ho_text_json(out, one->host);
    ho_text_put(out, ",\"process\":");
    ho_text_json(out, one->process);
    ho_text_put(out, ",\"connection\":");
    ho_text_json(out, one->conn);
    ho_text_put(out, ",\"saw\":");
    ho_text_json(out, ho_cause_text(one->cause));
    json_kernel(out, v, one);
    json_app(out, v, one);
    ho_text_put(out, ",\"cause\":");
    ho_text_json(out, ho_cause_word(one->cause));
    ho_text_put(out, ",\"knob\":");
    json_text_or_null(out, one->knob);
    ho_text_put(out, ",\"state\":");
    json_text_or_null(out, one->state);
    ho_text_put(out, ",\"range\":");
    if (one->has_range) {
        ho_text_put(out, "{\"min_s\":");
        json_seconds(out, one->range_min_ns);
        ho_text_put(out, ",\"max_s\":");
        json_seconds(out, one->range_max_ns);
        ho_text_char(out, '}');
    } else {
        ho_text_put(out, "null");
    }
    ho_text_char(out, '}');
}

void ho_verdicts_json(struct ho_text *out, const struct ho_verdicts *v)
{
    ho_text_char(out, '[');
    for (size_t i = 0; i < v->n; i++) {
        ho_text_put(out, i == 0 ? "" : ",");
        json_verdict(out, v, &v->v[i]);
    }
    ho_text_char(out, ']');
}
