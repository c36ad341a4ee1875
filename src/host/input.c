/* Frames in: to ARP or IP, if they are for this host. */

#include <assert.h>

#include "host/machine.h"

void ho_host_input(struct ho_host *h, int nic, struct ho_buf *frame, struct ho_time now)
{
    struct ho_wire_eth eth;
    const struct ho_nic *n = &h->nic[nic];

    assert(nic >= 0 && nic < h->n_nics);
    h->now = now;
    frame->user = 0;
    frame->tag[0] = frame->tag[1] = 0;
    if (!h->up) {
        ho_machine_drop(h, frame, HO_HOST_COUNT_DROP_POWER);
        return;
    }
    if (!n->up || !n->carrier) {
        ho_machine_drop(h, frame,
                        n->up ? HO_HOST_COUNT_DROP_NO_CARRIER : HO_HOST_COUNT_DROP_LINK_DOWN);
        return;
    }
    if (ho_wire_eth_read(&eth, ho_buf_bytes(frame), frame->len) != 0) {
        h->drop[HO_WIRE_DROP_ETH_SHORT]++;
        ho_buf_put(h->conf.bufs, frame);
        return;
    }
    if (!ho_mac_eq(&eth.dst, &n->mac) && !ho_mac_is_multicast(&eth.dst)) {
        ho_machine_drop(h, frame, HO_HOST_COUNT_DROP_OTHER_HOST);
        return;
    }
    frame->head += HO_ETH_HEADER;
    frame->len -= HO_ETH_HEADER;
    if (eth.type == HO_ETH_ARP) {
        ho_arp_input(h, nic, &eth, frame, now);
    } else if (eth.type == HO_ETH_IPV4 || eth.type == HO_ETH_IPV6) {
        ho_ip_input(h, nic, frame, now);
    } else {
        ho_machine_drop(h, frame, HO_HOST_COUNT_DROP_TYPE);
    }
    ho_machine_run(h, now);
}
