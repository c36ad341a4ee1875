/* The frames of a timeline as a capture (pcapng, draft-ietf-opsawg-pcapng), for Wireshark.
 *
 * One section; one Ethernet interface a host, named after it, with nanosecond timestamps; each
 * frame once, at the interface and time of its sender, marked outbound. What a person would want
 * pointed out is a packet comment: which retransmission or probe it is, why a RST was sent, what
 * became of a frame that did not arrive.
 */

#ifndef HO_TIMELINE_PCAPNG_H
#define HO_TIMELINE_PCAPNG_H

#include "base/text.h"
#include "timeline/record.h"

/* Appends the capture's bytes, little-endian. Records without kept bytes (keep_frames) are not
 * in it. `epoch_s` is the Unix time, in seconds, at which the scenario's time is 0: captures need
 * a date, and the same argument gives the same bytes.
 *
 * Returns 0; -ENOMEM.
 */
int ho_pcapng_write(struct ho_text *out, const struct ho_timeline *tl, int64_t epoch_s);

#endif
