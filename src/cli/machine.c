#define _DEFAULT_SOURCE
/* What this machine's kernel is. See cli/machine.h. */

#include "cli/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "knobs/profile.h"
#include "os/clock.h"
#include "scenario/expect.h"

#define LATE_NS (20 * INT64_C(1000000))
#define LATE_TICKS 2

/* 6.18 as 6018; 0 for what is no release. `text` may go on. */
static unsigned release_number(const char *text)
{
    unsigned major = 0, minor = 0;

    return sscanf(text, "%3u.%3u", &major, &minor) == 2 ? major * 1000 + minor : 0;
}

const char *ho_machine_profile_of(const char *release, bool *ret_exact)
{
    static const char prefix[] = "linux-";
    unsigned ours = release_number(release);
    const char *best = ho_profile((enum ho_profile_id)(HO_PROFILE_COUNT - 1))->name;

    *ret_exact = false;
    for (int id = HO_PROFILE_COUNT - 1; id >= 0; id--) { /* the oldest is the last */
        const char *name = ho_profile((enum ho_profile_id)id)->name;
        unsigned number = release_number(name + sizeof(prefix) - 1);

        if (number <= ours) {
            best = name;
            *ret_exact = number == ours;
        }
    }
    return best;
}

const char *ho_machine_profile(bool *ret_exact)
{
    struct utsname u;

    *ret_exact = false;
    return ho_machine_profile_of(uname(&u) == 0 ? u.release : "", ret_exact);
}

/* The line that declares the host; NULL: none (it is no host). */
static const struct ho_scn_line *line_of(const struct ho_scn *scn, const char *host)
{
    for (size_t i = 0; i < scn->line_count; i++) {
        const struct ho_scn_arg *name =
            scn->lines[i].form == HO_FORM_HOST ? ho_scn_arg(scn, &scn->lines[i], "name") : NULL;

        if (name != NULL && strcmp(name->text, host) == 0) {
            return &scn->lines[i];
        }
    }
    return NULL;
}

static bool says_hz(const struct ho_scn *scn)
{
    for (size_t i = 0; i < scn->line_count; i++) {
        if (scn->lines[i].form == HO_FORM_HZ) {
            return true;
        }
    }
    return false;
}

void ho_machine_fit(struct ho_plan *plan, const struct ho_scn *scn)
{
    bool exact, file_hz = says_hz(scn);
    const char *profile = ho_machine_profile(&exact);
    uint32_t hz = ho_os_hz();

    for (size_t i = 0; i < plan->node_count; i++) {
        struct ho_plan_node *node = &plan->nodes[i];
        const struct ho_scn_line *line =
            node->kind == HO_NODE_HOST ? line_of(scn, node->name) : NULL;

        if (line == NULL) {
            continue;
        }
        if (!file_hz && ho_scn_arg(scn, line, "hz") == NULL) {
            node->hz = hz;
        }
        if (exact && ho_scn_arg(scn, line, "profile") == NULL) {
            node->profile = profile;
        }
    }
}

struct ho_dur ho_machine_late(void)
{
    return ho_ns(LATE_NS + LATE_TICKS * (HO_NS_PER_S / ho_os_hz()));
}

/* Must nothing happen in its window, or must it last all of it? */
static bool wants_quiet(const struct ho_expect *x)
{
    return x->form == HO_FORM_STAYS || x->form == HO_FORM_SENDS_NO ||
           x->form == HO_FORM_NO_OUTPUT || (x->form == HO_FORM_SENDS_COUNT && x->how == HO_AT_MOST);
}

static void move(struct ho_window *w, int64_t ns)
{
    int64_t from = w->from.ns > 0 ? w->from.ns - ns : 0;
    int64_t to = w->to.ns < INT64_MAX - LATE_NS * 10 ? w->to.ns + ns : w->to.ns;

    if (from <= to) {
        w->from.ns = from < 0 ? 0 : from;
        w->to.ns = to;
    }
}

void ho_machine_allow_late(struct ho_plan *plan)
{
    int64_t late = ho_machine_late().ns;

    for (size_t i = 0; i < plan->expect_count; i++) {
        struct ho_expect *x = &plan->expects[i];

        if (x->form != HO_FORM_IS && (x->has_window || x->form == HO_FORM_STAYS)) {
            move(&x->window, wants_quiet(x) ? -late : late);
        }
    }
}

unsigned ho_machine_jobs(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return processors < 1 ? 4 : processors >= 2 ? 8 : 4;
}

unsigned ho_machine_processors(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return processors < 1 ? 1 : processors > 64 ? 64 : (unsigned)processors;
}
