/* The groups of a diagnosis, and how they and their connections are named. */

#ifndef HO_DOCTOR_GROUP_H
#define HO_DOCTOR_GROUP_H

#include "doctor/report.h"

/* Fills `groups` and `order` of a diagnosis whose connections are done. Returns 0; -ENOMEM. */
int ho_groups_make(struct ho_diagnosis *d);

/* The connection, its diagnosis, its namespace, its owner (NULL: none is known) by its index. */
const struct ho_conn *ho_group_conn(const struct ho_diagnosis *d, uint32_t i);
const struct ho_outlook *ho_group_outlook(const struct ho_diagnosis *d, uint32_t i);
const struct ho_conn_host *ho_group_host(const struct ho_diagnosis *d, uint32_t i);
const struct ho_conn_owner *ho_group_owner(const struct ho_diagnosis *d, uint32_t i);

/* The same with all findings of the group's connections: they have the same. */
const struct ho_diagnosis_conn *ho_group_first(const struct ho_diagnosis *d,
                                               const struct ho_diagnosis_group *g);

/* Whether there is something to say of it: a finding or trouble. */
bool ho_group_speaks(const struct ho_diagnosis *d, const struct ho_diagnosis_group *g);

/* Which end is the service, and its port. */
enum ho_group_end ho_group_end(const struct ho_conn *c);
uint16_t ho_group_port(const struct ho_conn *c);

/* "412 connections of nginx (pid 812, container 3f2a) to :5432"; of one: "nginx (pid 812),
 * 10.0.0.1:40112 to 10.0.0.2:5432". Printable.
 */
void ho_group_put_name(struct ho_text *out, const struct ho_diagnosis *d,
                       const struct ho_diagnosis_group *g);

/* "10.0.0.1:40112 to 10.0.0.2:5432", "[fd00::1]:80 from [fd00::2]:40112". */
void ho_group_put_ends(struct ho_text *out, const struct ho_conn *c);
void ho_group_put_end(struct ho_text *out, const struct ho_addr *addr, uint16_t port);

/* "nginx", printable; "none" if no process holds the connection, "unknown" if it cannot be seen. */
void ho_group_put_owner(struct ho_text *out, const struct ho_diagnosis *d, uint32_t i);

/* The verdicts of a group, each on a line of its own in `ret`, without the line break: idle, busy
 * and trouble of its soonest connection, and "up to ..." where the latest one's differs.
 */
void ho_group_put_idle(struct ho_text *out, const struct ho_diagnosis *d,
                       const struct ho_diagnosis_group *g);
void ho_group_put_busy(struct ho_text *out, const struct ho_diagnosis *d,
                       const struct ho_diagnosis_group *g);
void ho_group_put_trouble(struct ho_text *out, const struct ho_diagnosis *d,
                          const struct ho_diagnosis_group *g);

/* "3 connections", "1 connection" */
void ho_group_put_count(struct ho_text *out, size_t n, const char *thing);

/* "net:[4026531840]" as /proc names it. */
void ho_group_put_netns(struct ho_text *out, const struct ho_conn_host *h);

/* What could not be read, as sentences one a line; nothing if everything was. */
void ho_group_put_unread(struct ho_text *out, const struct ho_diagnosis *d, const char *before);

/* The forms; each fills `out`, JSON piece by piece as ho_report_next() does. */
void ho_report_text(struct ho_text *out, const struct ho_diagnosis *d,
                    const struct ho_report_options *o);
bool ho_report_json_next(struct ho_text *out, const struct ho_diagnosis *d, size_t *at);
void ho_report_markdown(struct ho_text *out, const struct ho_diagnosis *d,
                        const struct ho_report_options *o);
void ho_report_prometheus(struct ho_text *out, const struct ho_diagnosis *d);
void ho_report_tap(struct ho_text *out, const struct ho_diagnosis *d,
                   const struct ho_report_options *o);
void ho_report_junit_findings(struct ho_text *out, const struct ho_diagnosis *d,
                              const struct ho_report_options *o);

#endif
