/* Frames of the model as records: addresses become hosts, numbers become relative. */

#include "support/truth_frame.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/truth_cause.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/tcp.h"

/* The connection by the client's port; the last place is shared when there are too many. */
static size_t conn_of(struct ho_truth_world *w, uint16_t port)
{
    size_t i = 0;
    while (i < HO_TRUTH_PORTS - 1 && w->conns[i].port != 0 && w->conns[i].port != port) {
        i++;
    }
    w->conns[i].port = port;
    return i;
}

/* A number relative to the initial one, `?` where that is far off or not known. */
static const char *relative(struct ho_truth_world *w, size_t conn, int host, uint32_t n,
                            char buf[16])
{
    uint32_t rel = n - w->conns[conn].isn[host];
    if (!w->conns[conn].known[host] || (rel >= 1u << 24 && rel < 0xff000000u)) {
        return "?";
    }
    (void)snprintf(buf, 16, "%ld", (long)(int32_t)rel);
    return buf;
}

static void flags_text(uint8_t flags, char buf[9])
{
    static const char LETTERS[] = "SFRPA";
    static const uint8_t BITS[] = { HO_TCP_SYN, HO_TCP_FIN, HO_TCP_RST, HO_TCP_PSH, HO_TCP_ACK };
    size_t n = 0;
    for (size_t i = 0; i < sizeof(BITS); i++) {
        if ((flags & BITS[i]) != 0) {
            buf[n++] = LETTERS[i];
        }
    }
    buf[n] = '\0';
}

static void seg_options(struct ho_truth_world *w, const struct ho_wire_tcp *t, size_t conn,
                        int host, char *out, size_t size)
{
    size_t used = 0;
    char a[16], b[16];
    out[0] = '\0';
    for (unsigned i = 0; i < t->n_sack && used < size; i++) {
        used += (size_t)snprintf(out + used, size - used, "%s%s-%s", i == 0 ? " sack=" : ",",
                                 relative(w, conn, !host, t->sack[i].from, a),
                                 relative(w, conn, !host, t->sack[i].to, b));
    }
    if (t->has_mss && used < size) {
        used += (size_t)snprintf(out + used, size - used, " mss=%u ws=%u", t->mss,
                                 t->has_wscale ? t->wscale : 0u);
    }
    uint16_t port = w->conns[conn].port;
    if (host == 0 && port != 40000 && used < size) {
        (void)snprintf(out + used, size - used, " sport=%u", port);
    }
}

static void seg_rec(struct ho_truth_world *w, struct ho_truth_rec *r, int host,
                    const uint8_t *bytes, size_t len, const char *fate, char key[48])
{
    struct ho_wire_tcp t;
    size_t header;
    int err = ho_wire_tcp_read(&t, &header, bytes, len);
    assert(err == 0);
    size_t conn = conn_of(w, host == 0 ? t.sport : t.dport);
    if ((t.flags & HO_TCP_SYN) != 0) {
        w->conns[conn].isn[host] = t.seq;
        w->conns[conn].known[host] = true;
    }
    char flags[9], seq[16], ack[16], opts[64];
    flags_text(t.flags, flags);
    const char *rseq = relative(w, conn, host, t.seq, seq);
    const char *rack = (t.flags & HO_TCP_ACK) != 0 ? relative(w, conn, !host, t.ack, ack) : "-";
    if ((t.flags & HO_TCP_RST) != 0 && !w->conns[conn].known[host]) {
        rseq = "0"; /* the only number this side ever showed */
    }
    seg_options(w, &t, conn, host, opts, sizeof(opts));
    (void)snprintf(r->text, sizeof(r->text), "%s %s:%s len %u %s%s", flags, rseq, rack,
                   (unsigned)t.payload_len, fate, opts);
    r->win = t.window;
    (void)snprintf(key, 48, "%s %s:%s %u", flags, rseq, rack, (unsigned)t.payload_len);
}

static int host_of(const struct ho_addr *a)
{
    return a->b[15] == 2;
}

size_t ho_truth_frame_rec(struct ho_truth_world *w, int host, struct ho_buf *frame, bool cut,
                          char ret_key[48])
{
    const uint8_t *bytes = ho_buf_bytes(frame);
    const char *fate = cut ? "cut" : "fwd";
    struct ho_wire_eth eth;
    enum ho_wire_drop drop;
    ret_key[0] = '\0';
    int err = ho_wire_eth_read(&eth, bytes, frame->len);
    assert(err == 0);
    bytes += HO_ETH_HEADER;
    size_t len = frame->len - (size_t)HO_ETH_HEADER, header;
    struct ho_truth_rec *r = ho_truth_add(w->recs, HO_TRUTH_ARP, host, ho_truth_us(w, w->now));
    struct ho_wire_ip ip;
    struct ho_wire_arp arp;
    if (eth.type == HO_ETH_ARP && ho_wire_arp_read(&arp, bytes, len, &drop) == 0) {
        char target = host_of(arp.reply ? &arp.sender : &arp.target) ? 's' : 'c';
        (void)snprintf(ret_key, 48, "%s %c", arp.reply ? "is-at" : "who-has", target);
        (void)snprintf(r->text, sizeof(r->text), "%s %s %s", ret_key,
                       ho_mac_is_multicast(&eth.dst) ? "bcast" : "ucast", fate);
    } else if (ho_wire_ip_read(&ip, &header, bytes, len, &drop) == 0 && ip.proto == HO_IP_TCP) {
        r->kind = HO_TRUTH_SEG;
        seg_rec(w, r, host, bytes + header, ip.payload_len, fate, ret_key);
    } else {
        (void)snprintf(r->text, sizeof(r->text), "frame of type %04x", eth.type);
    }
    ho_truth_cause_note(w, host);
    return w->recs->n - 1;
}

void ho_truth_lo_rec(struct ho_truth_world *w, int host, struct ho_buf *packet)
{
    const uint8_t *bytes = ho_buf_bytes(packet);
    struct ho_wire_ip ip;
    struct ho_wire_icmp icmp;
    struct ho_wire_quote quote;
    enum ho_wire_drop drop;
    size_t header;
    if (ho_wire_ip_read(&ip, &header, bytes, packet->len, &drop) != 0 || ip.proto != HO_IP_ICMP ||
        ho_wire_icmp_read(&icmp, &ip, bytes + header, ip.payload_len, &drop) != 0 ||
        ho_wire_icmp_quote(&quote, &icmp, &drop) != 0) {
        return;
    }
    char seq[16];
    size_t conn = conn_of(w, host == 0 ? quote.sport : quote.dport);
    struct ho_truth_rec *r = ho_truth_add(w->recs, HO_TRUTH_ICMP, host, ho_truth_us(w, w->now));
    bool sent = w->conns[conn].known[host]; /* else it is about a SYN that never left */
    (void)snprintf(r->text, sizeof(r->text), "%u/%u seq %s", icmp.type, icmp.code,
                   sent ? relative(w, conn, host, quote.seq, seq) : "0");
    ho_truth_cause_note(w, host);
}

/* --- delays ----------------------------------------------------------------------------------- */

static void delay_line(struct ho_truth_delay *d, const struct ho_truth_line *l)
{
    unsigned at = l->kind == 's' ? 7 : 5;
    d->t_us = l->t_us;
    d->dt_us = ho_truth_num(ho_truth_word(l, at));
    if (l->kind == 's') {
        (void)snprintf(d->key, sizeof(d->key), "%s %s:%s %s", ho_truth_word(l, 1),
                       ho_truth_word(l, 2), ho_truth_word(l, 3), ho_truth_word(l, 4));
    } else {
        (void)snprintf(d->key, sizeof(d->key), "%s %s", ho_truth_word(l, 1), ho_truth_word(l, 2));
    }
}

void ho_truth_delays(struct ho_truth_world *w)
{
    for (int host = 0; host < HO_TRUTH_HOSTS; host++) {
        w->delays[host] = calloc(w->s->n_lines + 1, sizeof(w->delays[0][0]));
        assert(w->delays[host] != NULL);
        for (size_t i = 0; i < w->s->n_lines; i++) {
            const struct ho_truth_line *l = &w->s->lines[i];
            if ((l->kind == 's' || l->kind == 'a') && ho_truth_host(l->w[0]) == host &&
                ho_truth_num(ho_truth_word(l, l->kind == 's' ? 7 : 5)) > 0) {
                delay_line(&w->delays[host][w->n_delays[host]++], l);
            }
        }
    }
}

/* What the measurement needed until its cable had read the frame belongs to the way: at most 2 ms
 * of it are added, so that round-trip times are those that the measured kernel saw.
 */
int64_t ho_truth_delay_of(struct ho_truth_world *w, int host, const char *key)
{
    struct ho_truth_delay *d = w->delays[host];
    while (w->first_delay[host] < w->n_delays[host] && d[w->first_delay[host]].used) {
        w->first_delay[host]++;
    }
    for (size_t i = w->first_delay[host]; i < w->n_delays[host]; i++) {
        if (!d[i].used && strcmp(d[i].key, key) == 0) {
            d[i].used = true;
            int64_t late = d[i].t_us - ho_truth_us(w, w->now);
            return d[i].dt_us + (late > 0 && late <= 2000 ? late : 0);
        }
    }
    return w->s->delay_us[host];
}
