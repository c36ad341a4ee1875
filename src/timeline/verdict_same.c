/* Do two timelines' verdicts say the same? See timeline/verdict.h. */

#include <string.h>

#include "timeline/verdict.h"

/* "" where one of them has no text. */
static bool same_text(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool same_side(const struct ho_verdict *a, const struct ho_verdict *b)
{
    return same_text(a->host, b->host) && same_text(a->process, b->process) &&
           same_text(a->conn, b->conn);
}

static bool same_words(const struct ho_verdict *a, const struct ho_verdict *b)
{
    return a->cause == b->cause && a->has_kernel == b->has_kernel && a->has_app == b->has_app &&
           (!a->has_kernel || same_text(a->kernel_err, b->kernel_err)) &&
           (!a->has_app || (same_text(a->app_err, b->app_err) &&
                            same_text(a->app_call, b->app_call) && a->app_events == b->app_events));
}

static const struct ho_verdict *find_side(const struct ho_verdicts *v,
                                          const struct ho_verdict *side)
{
    for (size_t i = 0; i < v->n; i++) {
        if (same_side(&v->v[i], side)) {
            return &v->v[i];
        }
    }
    return NULL;
}

static void see_times(int64_t *worst, bool has, struct ho_time a, struct ho_time a_since,
                      struct ho_time b, struct ho_time b_since)
{
    int64_t apart = has ? (b.ns - b_since.ns) - (a.ns - a_since.ns) : 0;

    apart = apart < 0 ? -apart : apart;
    *worst = apart > *worst ? apart : *worst;
}

size_t ho_verdicts_same(const struct ho_verdicts *a, const struct ho_verdicts *b, size_t *ret_sides,
                        int64_t *ret_ns)
{
    size_t same = 0, sides = a->n;
    int64_t worst = 0;

    for (size_t i = 0; i < b->n; i++) {
        sides += find_side(a, &b->v[i]) == NULL;
    }
    for (size_t i = 0; i < a->n; i++) {
        const struct ho_verdict *va = &a->v[i], *vb = find_side(b, va);

        if (vb != NULL && same_words(va, vb)) {
            same++;
            see_times(&worst, va->has_kernel, va->kernel_at, a->since, vb->kernel_at, b->since);
            see_times(&worst, va->has_app, va->app_at, a->since, vb->app_at, b->since);
        }
    }
    *ret_sides = sides;
    *ret_ns = worst;
    return same;
}
