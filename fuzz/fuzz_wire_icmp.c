/* An ICMP message of any bytes: what is read and written again reads the same, and what it quotes
 * can be looked at. Input: a byte whose lowest bit says IPv6 and whose next one that the sender
 * has no address yet; then the message, whose checksum is put right here.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/icmp.h"

#define LEN_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ho_wire_ip packet(uint8_t choice)
{
    struct ho_wire_ip ip = { .version = 4, .ttl = 255 };

    ip.src = ho_addr_v4(10, 0, 0, 1);
    ip.dst = ho_addr_v4(10, 0, 0, 2);
    if ((choice & 1) != 0) {
        ip.version = 6;
        ip.src = (struct ho_addr){ .b = { 0xfd, [15] = 1 } };
        ip.dst = (struct ho_addr){ .b = { 0xfd, [15] = 2 } };
    }
    if ((choice & 3) == 3) { /* duplicate address detection */
        ip.src = (struct ho_addr){ .b = { 0 } };
        ip.dst = ho_addr_solicited_node(&ip.dst);
    }
    return ip;
}

static void assert_same(const struct ho_wire_icmp *a, const struct ho_wire_icmp *b)
{
    assert(a->kind == b->kind && a->type == b->type && a->code == b->code);
    assert(a->id == b->id && a->seq == b->seq && a->mtu == b->mtu);
    assert(ho_addr_eq(&a->target, &b->target));
    assert(a->router == b->router && a->solicited == b->solicited && a->override == b->override);
    assert(a->has_mac == b->has_mac && memcmp(&a->mac, &b->mac, sizeof(a->mac)) == 0);
    assert(a->body_len == b->body_len);
    assert(a->body_len == 0 || memcmp(a->body, b->body, a->body_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t message[LEN_MAX], written[LEN_MAX];
    struct ho_wire_icmp m, back;
    struct ho_wire_quote quote;
    enum ho_wire_drop why = HO_WIRE_DROP_NONE;

    if (size < 1 + 4 || size - 1 > LEN_MAX) {
        return 0;
    }

    struct ho_wire_ip ip = packet(data[0]);
    size_t len = size - 1;
    memcpy(message, data + 1, len);
    ho_put16(message + 2, 0);
    uint64_t sum = ip.version == 6 ? ho_sum_pseudo(&ip.src, &ip.dst, HO_IP_ICMPV6, len) : 0;
    ho_put16(message + 2, ho_sum_fold(sum + ho_sum(message, len)));

    if (ho_wire_icmp_read(&m, &ip, message, len, &why) != 0) {
        assert(why != HO_WIRE_DROP_NONE && why != HO_WIRE_DROP_ICMP_CHECKSUM);
        return 0;
    }
    if (ho_wire_icmp_quote(&quote, &m, &why) == 0) {
        assert(quote.ip.version == 4 || quote.ip.version == 6);
    }

    size_t n = ho_wire_icmp_size(&m);
    assert(n <= len);
    ho_wire_icmp_write(&m, &ip.src, &ip.dst, written);
    int err = ho_wire_icmp_read(&back, &ip, written, n, &why);
    assert(err == 0);
    assert_same(&m, &back);
    return 0;
}
