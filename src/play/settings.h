/* What is in force, as records: before the first other record, and again when one changes
 * (docs/timeline.md, settings). An engine calls, in this order, at time 0:
 *
 *     ho_trace_settings_run()      scenario, case, engine, seed
 *     ho_trace_setting()           what else it has to say of the run: "kernel"
 *     ho_trace_settings_host()     for every host
 *     ho_trace_settings_cables()
 */

#ifndef HO_PLAY_SETTINGS_H
#define HO_PLAY_SETTINGS_H

#include "knobs/sysctl.h"
#include "play/trace.h"

/* What an engine knows of a host. */
struct ho_play_host {
    bool has_hz, has_jiffies0, has_phase; /* else not said */
    uint32_t hz;                          /* 0: exact */
    uint64_t jiffies0;
    int64_t phase_ns;
    const char *profile; /* "" or NULL: not said */
    const struct ho_sysctls *sysctls;
    const bool *has_sysctl; /* HO_SYSCTL_COUNT of them, by number; NULL: those of the profile */
};

/* One setting. Texts are literals or interned (ho_trace_name()); `text` NULL or "": it is the
 * number `value`.
 */
void ho_trace_setting(struct ho_trace *tr, const char *host, const char *scope, const char *what,
                      const char *name, const char *text, int64_t value);

/* `engine`: a literal. */
void ho_trace_settings_run(struct ho_trace *tr, const char *engine);

void ho_trace_settings_host(struct ho_trace *tr, uint16_t node, const struct ho_play_host *h);
void ho_trace_settings_cables(struct ho_trace *tr);

/* The sysctl `name` (Linux's full name) of a host as it is now. One that is not known is ignored.
 */
void ho_trace_setting_sysctl(struct ho_trace *tr, uint16_t node, const struct ho_sysctls *s,
                             const char *name);

#endif
