/* A frame as a record: what it is, whose connection it belongs to, relative numbers.
 *
 * Every frame that a host puts on a wire is given to ho_trace_frame_sent(), which decides what it
 * is. What becomes of it is said later by the index it returned: lost, with the fate and where, or
 * arrived. wires.h does all of this; an engine with wires of its own, or with frames over lo, does
 * it by hand.
 *
 * Any bytes may come. A frame that cannot be read is counted (trace->count.unread), and so is one
 * that is neither ARP, ICMP nor TCP (count.other). Left out by rule, and counted as noise, is what
 * Linux's hosts send on their own and the model's hosts do not:
 *   - multicast listener reports and queries (RFC 2710, RFC 3810), IGMP (RFC 3376)
 *   - router solicitations and advertisements (RFC 4861 4.1, 4.2)
 *   - solicitations of duplicate address detection: from the unspecified address (RFC 4862 5.4.2),
 *     and the same of ARP (RFC 5227 2.1.1)
 * These frames are carried on the wires all the same.
 */

#ifndef HO_PLAY_FRAMES_H
#define HO_PLAY_FRAMES_H

#include "play/trace.h"

/* Records a frame that `node` sends at trace->now. Returns its index in the trace's timeline plus
 * 1; 0 when it was not recorded. Its fate is HO_FATE_FWD until ho_trace_frame_lost(). The two
 * functions below take such an index, 0 as well.
 */
uint32_t ho_trace_frame_sent(struct ho_trace *tr, uint16_t node, const uint8_t *bytes, size_t len);

/* It was lost at `via`, the interned name of a cable, switch or middlebox. A copy that was lost
 * when another one has arrived changes nothing.
 */
void ho_trace_frame_lost(struct ho_trace *tr, uint32_t index, enum ho_fate fate, const char *via);

/* It has arrived at the host it was for, at trace->now. */
void ho_trace_frame_arrived(struct ho_trace *tr, uint32_t index);

/* A packet (IP header first) that `node` sent to itself over lo. */
void ho_trace_lo_sent(struct ho_trace *tr, uint16_t node, const uint8_t *packet, size_t len);

#endif
