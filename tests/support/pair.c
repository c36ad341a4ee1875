/* Two hosts on a cable: see pair.h. */

#include "support/pair.h"

#include <assert.h>
#include <string.h>

#include "wire/eth.h"
#include "wire/ip.h"

void ho_pair_init(struct ho_pair *p, bool ipv6, uint32_t hz)
{
    memset(p, 0, sizeof(*p));
    ho_bufpool_init(&p->bufs, 1 << 16);
    p->delay = ho_ms(1);
    for (int i = 0; i < 2; i++) {
        struct ho_host_conf conf = { .clk = { .hz = hz, .jiffies0 = 1000 },
                                     .seed = (uint64_t)i + 1,
                                     .bufs = &p->bufs,
                                     .max_sockets = 1000 };
        struct ho_mac mac = { .b = { 2, 0, 0, 0, 0, (uint8_t)(i + 1) } };
        struct ho_addr v4 = ho_addr_v4(10, 0, 0, (uint8_t)(i + 1));
        struct ho_addr v6 = { .b = { 0xfd, [15] = (uint8_t)(i + 1) } };

        conf.name[0] = (char)('a' + i);
        assert(ho_host_new(&p->host[i], &conf) == 0);
        assert(ho_host_add_nic(p->host[i], "eth0", mac, 1500) == 0);
        assert(ho_host_addr_add(p->host[i], 0, &v4, 24, p->now) == 0);
        assert(ho_host_addr_add(p->host[i], 0, &v6, 64, p->now) == 0);
        p->addr[i] = ipv6 ? v6 : v4;
        ho_host_boot(p->host[i], p->now);
        assert(ho_host_spawn(p->host[i], "main") == 1);
    }
}

void ho_pair_done(struct ho_pair *p)
{
    struct ho_buf *b;

    for (int i = 0; i < 2; i++) {
        while ((b = ho_bufq_shift(&p->way[i])) != NULL) {
            ho_buf_put(&p->bufs, b);
        }
        ho_host_free(p->host[i]);
    }
    assert(p->bufs.small.used == 0 && p->bufs.large.used == 0);
    ho_bufpool_destroy(&p->bufs);
}

/* What the frame is, for the record. */
static void note(struct ho_pair *p, int from, struct ho_buf *b)
{
    struct ho_pair_sent *s = &p->sent[p->n_sent];
    struct ho_wire_eth eth;
    struct ho_wire_ip ip;
    enum ho_wire_drop why;
    size_t header;
    const uint8_t *bytes = ho_buf_bytes(b) + HO_ETH_HEADER;
    size_t len = b->len - HO_ETH_HEADER;

    assert(p->n_sent < HO_PAIR_SENT);
    assert(ho_wire_eth_read(&eth, ho_buf_bytes(b), b->len) == 0);
    *s = (struct ho_pair_sent){ .at = p->now, .from = from, .lost = p->cut[from] };
    s->to_all = ho_mac_is_multicast(&eth.dst);
    p->n_sent++;
    if (eth.type == HO_ETH_ARP) {
        s->kind = HO_PAIR_ARP;
        return;
    }
    assert(ho_wire_ip_read(&ip, &header, bytes, len, &why) == 0);
    if (ip.proto == HO_IP_TCP) {
        size_t tcp_header;

        s->kind = HO_PAIR_TCP;
        assert(ho_wire_tcp_checksum(&ip.src, &ip.dst, bytes + header, ip.payload_len) == 0);
        assert(ho_wire_tcp_read(&s->seg, &tcp_header, bytes + header, ip.payload_len) == 0);
        return;
    }
    assert(ho_wire_icmp_read(&s->icmp, &ip, bytes + header, ip.payload_len, &why) == 0);
    s->kind = s->icmp.kind == HO_ICMP_NEIGH_SOLICIT || s->icmp.kind == HO_ICMP_NEIGH_ADVERT
                  ? HO_PAIR_ARP
                  : HO_PAIR_ICMP;
    s->icmp.body = NULL;
}

static void drain(struct ho_pair *p)
{
    struct ho_buf *b;
    struct ho_op *op;
    int nic;

    for (int i = 0; i < 2; i++) {
        while ((b = ho_host_output(p->host[i], &nic, p->now)) != NULL) {
            note(p, i, b);
            if (p->cut[i]) {
                ho_buf_put(&p->bufs, b);
                continue;
            }
            uint32_t at = (p->first[i] + p->way[i].count) % HO_PAIR_SENT;
            assert(p->way[i].count < HO_PAIR_SENT);
            p->at[i][at] = ho_time_add(p->now, p->delay);
            ho_bufq_push(&p->way[i], b);
        }
        while ((op = ho_host_completed(p->host[i])) != NULL) {
            op->user = op;
        }
    }
}

/* When the next thing happens. */
static struct ho_time next(const struct ho_pair *p)
{
    struct ho_time t = HO_NEVER;

    for (int i = 0; i < 2; i++) {
        t = ho_time_min(t, ho_host_deadline(p->host[i]));
        if (p->way[i].count > 0) {
            t = ho_time_min(t, p->at[i][p->first[i]]);
        }
    }
    return t;
}

void ho_pair_run(struct ho_pair *p, struct ho_time until)
{
    drain(p);
    for (;;) {
        struct ho_time t = next(p);

        if (ho_time_before(until, t)) {
            p->now = until;
            return;
        }
        if (ho_time_before(p->now, t)) {
            p->now = t;
        }
        for (int i = 0; i < 2; i++) {
            while (p->way[i].count > 0 && !ho_time_before(p->now, p->at[i][p->first[i]])) {
                p->first[i] = (p->first[i] + 1) % HO_PAIR_SENT;
                struct ho_buf *b = ho_bufq_shift(&p->way[i]);

                if (p->cut[i]) { /* the cut loses what is under way as well */
                    ho_buf_put(&p->bufs, b);
                } else {
                    ho_host_input(p->host[1 - i], 0, b, p->now);
                }
            }
            ho_host_tick(p->host[i], p->now);
        }
        drain(p);
    }
}

void ho_pair_run_for(struct ho_pair *p, struct ho_dur d)
{
    ho_pair_run(p, ho_time_add(p->now, d));
}

bool ho_pair_start(struct ho_pair *p, int i, struct ho_op *op)
{
    op->user = NULL;
    bool done = ho_host_start(p->host[i], 1, op, p->now) == HO_OP_DONE;

    if (done) {
        op->user = op;
    }
    drain(p);
    return done;
}

bool ho_pair_done_op(const struct ho_op *op)
{
    return op->user == op;
}

static int64_t call(struct ho_pair *p, int i, struct ho_op *op)
{
    bool done = ho_pair_start(p, i, op);

    assert(done);
    return op->ret;
}

int64_t ho_pair_socket(struct ho_pair *p, int i, bool nonblock)
{
    struct ho_op op = { .kind = HO_OP_SOCKET,
                        .addr = p->addr[i],
                        .flags = nonblock ? HO_SOCK_NONBLOCK : 0 };

    return call(p, i, &op);
}

int64_t ho_pair_listen(struct ho_pair *p, int i, uint16_t port, int backlog)
{
    int64_t fd = ho_pair_socket(p, i, false);
    struct ho_op bind = { .kind = HO_OP_BIND, .fd = (int)fd, .addr = p->addr[i], .port = port };
    struct ho_op listen = { .kind = HO_OP_LISTEN, .fd = (int)fd, .arg = backlog };

    assert(call(p, i, &bind) == 0);
    assert(call(p, i, &listen) == 0);
    return fd;
}

int64_t ho_pair_set(struct ho_pair *p, int i, int64_t fd, int opt, int64_t value)
{
    struct ho_op op = {
        .kind = HO_OP_SETSOCKOPT, .fd = (int)fd, .opt = opt, .value = { value, value }
    };

    return call(p, i, &op);
}

int64_t ho_pair_get(struct ho_pair *p, int i, int64_t fd, int opt)
{
    struct ho_op op = { .kind = HO_OP_GETSOCKOPT, .fd = (int)fd, .opt = opt };
    int64_t err = call(p, i, &op);

    return err != 0 ? err : op.value[0];
}

int64_t ho_pair_send(struct ho_pair *p, int i, int64_t fd, const void *buf, size_t len)
{
    unsigned char bytes[65536];
    struct ho_op op = {
        .kind = HO_OP_SEND, .fd = (int)fd, .buf = bytes, .len = len, .flags = HO_MSG_DONTWAIT
    };

    assert(len <= sizeof(bytes));
    memcpy(bytes, buf, len);
    return call(p, i, &op);
}

int64_t ho_pair_recv(struct ho_pair *p, int i, int64_t fd, void *buf, size_t len)
{
    struct ho_op op = {
        .kind = HO_OP_RECV, .fd = (int)fd, .buf = buf, .len = len, .flags = HO_MSG_DONTWAIT
    };

    return call(p, i, &op);
}

int64_t ho_pair_close(struct ho_pair *p, int i, int64_t fd)
{
    struct ho_op op = { .kind = HO_OP_CLOSE, .fd = (int)fd };

    return call(p, i, &op);
}

int64_t ho_pair_shutdown(struct ho_pair *p, int i, int64_t fd, int how)
{
    struct ho_op op = { .kind = HO_OP_SHUTDOWN, .fd = (int)fd, .arg = how };

    return call(p, i, &op);
}

int64_t ho_pair_poll(struct ho_pair *p, int i, int64_t fd)
{
    struct ho_op op = { .kind = HO_OP_POLL,
                        .fd = (int)fd,
                        .arg = (int)(HO_POLLIN | HO_POLLOUT | HO_POLLRDHUP) };

    return call(p, i, &op);
}

void ho_pair_connect(struct ho_pair *p, uint16_t port, int64_t *ret_fd0, int64_t *ret_fd1)
{
    int64_t listener = ho_pair_listen(p, 1, port, 5);
    int64_t fd = ho_pair_socket(p, 0, false);
    struct ho_op connect = {
        .kind = HO_OP_CONNECT, .fd = (int)fd, .addr = p->addr[1], .port = port
    };
    struct ho_op accept = { .kind = HO_OP_ACCEPT, .fd = (int)listener };

    assert(!ho_pair_start(p, 0, &connect));
    assert(!ho_pair_start(p, 1, &accept));
    ho_pair_run_for(p, ho_ms(100));
    assert(ho_pair_done_op(&connect) && connect.ret == 0);
    assert(ho_pair_done_op(&accept) && accept.ret >= 0);
    *ret_fd0 = fd;
    *ret_fd1 = accept.ret;
}

enum ho_tcp_state ho_pair_state(struct ho_pair *p, int i, int64_t fd)
{
    struct ho_sock_info info;
    int err = ho_host_sock_info(p->host[i], 1, (int)fd, p->now, &info);

    assert(err == 0);
    return info.tcp.state;
}

size_t ho_pair_count(const struct ho_pair *p, int i, enum ho_pair_kind kind, size_t from)
{
    size_t n = 0;

    for (size_t k = from; k < p->n_sent; k++) {
        n += p->sent[k].from == i && p->sent[k].kind == kind;
    }
    return n;
}

int ho_pair_neigh(struct ho_pair *p, int i)
{
    struct ho_neigh_info info;
    uint64_t cursor = 0;

    while (ho_host_neigh_next(p->host[i], &cursor, &info)) {
        if (ho_addr_eq(&info.addr, &p->addr[1 - i])) {
            return (int)info.state;
        }
    }
    return -1;
}

uint64_t ho_pair_counter(struct ho_pair *p, int i, const char *name)
{
    size_t cursor = 0;
    const char *found;
    uint64_t value;

    while (ho_host_count_next(p->host[i], &cursor, &found, &value)) {
        if (strcmp(found, name) == 0) {
            return value;
        }
    }
    assert(0 && "no such counter");
    return 0;
}
