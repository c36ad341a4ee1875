/* The loopback interface: packets to the host itself wait in a queue until the event that sent
 * them is over (ho_machine_run()), as Linux's backlog does. The ICMP by which a host tells itself
 * that a neighbour is gone comes this way; with lo down it is lost (ground-truth A4).
 */

#include "host/machine.h"

#define RECORD_MAX 4096u

void ho_host_record_lo(struct ho_host *h, bool on)
{
    h->record_lo = on;
}

struct ho_buf *ho_host_lo_packet(struct ho_host *h)
{
    return ho_bufq_shift(&h->lo_record);
}

static void record(struct ho_host *h, const struct ho_buf *packet)
{
    struct ho_buf *copy = NULL;

    if (h->lo_record.count < RECORD_MAX) {
        copy = ho_buf_copy(h->conf.bufs, packet);
    }
    if (copy == NULL) {
        ho_machine_count(h, HO_HOST_COUNT_DROP_LO_RECORD);
        return;
    }
    ho_bufq_push(&h->lo_record, copy);
}

void ho_lo_send(struct ho_host *h, struct ho_buf *packet)
{
    if (!h->lo_up) {
        ho_machine_drop(h, packet, HO_HOST_COUNT_DROP_LO_DOWN);
        return;
    }
    if (h->lo.count >= HO_QUEUE_MAX) {
        ho_machine_drop(h, packet, HO_HOST_COUNT_DROP_LO_QUEUE);
        return;
    }
    packet->user = 0;
    packet->tag[0] = packet->tag[1] = 0;
    if (h->record_lo) {
        record(h, packet);
    }
    ho_bufq_push(&h->lo, packet);
}
