/* What several views of a timeline need: words for what a record says. */

#ifndef HO_TIMELINE_VIEW_H
#define HO_TIMELINE_VIEW_H

#include "base/text.h"
#include "timeline/record.h"

#define HO_VIEW_WORD 64 /* bytes that the functions below may write, with the final 0 */

/* TCP flags as letters F S R P A U E C, lowest bit first, as docs/timeline.md wants them. */
const char *ho_view_flags(uint8_t flags, char *word);

/* Poll events as "IN|OUT|ERR|HUP|RDHUP"; "" for none. Bits without a name are left out. */
const char *ho_view_events(uint32_t events, char *word);

/* The reverse. Return 0; -EINVAL with *ret untouched. */
int ho_view_parse_flags(uint8_t *ret, const char *word);
int ho_view_parse_events(uint32_t *ret, const char *word);

/* The fate of a record that is a frame (seg, nd, icmp); HO_FATE_FWD for any other. */
enum ho_fate ho_view_fate(const struct ho_record *rec);

/* The sequence space that a segment takes: its payload, and one each for SYN and FIN. */
uint32_t ho_view_seg_space(const struct ho_rec_seg *seg);

/* When a frame arrived; HO_NEVER if it did not. */
struct ho_time ho_view_arrival(const struct ho_record *rec);

/* A fault in words: "cut lan", "kill app at client", "half-cut lan (client to server)". */
void ho_view_put_fault(struct ho_text *out, const struct ho_record *rec);

/* The index of the first fault of that name, or of the first fault at all with NULL.
 * Returns 0; -ENOENT with *ret untouched.
 */
int ho_view_fault(const struct ho_timeline *tl, const char *name, size_t *ret);

/* The last value before or at record `before` of a setting, the most specific one first: scope
 * "sockopt" wants process and conn as well, "sysctl" and "host" the host. NULL: never set.
 */
const struct ho_rec_settings *ho_view_setting(const struct ho_timeline *tl, size_t before,
                                              const char *scope, const char *host, const char *conn,
                                              const char *name);

#endif
