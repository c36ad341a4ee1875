/* Whose connections a scan says they are (doctor/scan.h): processes, other users, other namespaces;
 * and processes that end while it looks at them: their FIN is not late, nothing is left open.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "doctor/scan.h"
#include "os/clock.h"
#include "os/netns.h"
#include "os/owner.h"
#include "os/sysctl.h"
#include "os/why.h"
#include "support/in_room.h"
#include "support/scan_stage.h"

/* ---- owners ---------------------------------------------------------------------------------- */

/* A child that holds what it has and does nothing; it goes with the room. */
static pid_t new_holder(const char *name)
{
    int ready[2];
    char byte;

    ROOM_CHECK(pipe(ready) == 0);
    pid_t pid = fork();

    ROOM_CHECK(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_NAME, name, 0, 0, 0);
        ROOM_CHECK(write(ready[1], "", 1) == 1);
        for (;;) {
            (void)pause();
        }
    }
    ROOM_CHECK(read(ready[0], &byte, 1) == 1);
    ROOM_CHECK(close(ready[0]) == 0 && close(ready[1]) == 0);
    return pid;
}

static void end(pid_t pid)
{
    ROOM_CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
}

/* What its cgroup's path says, as the text is read elsewhere (tests/unit/test_os_procfs.c). */
static void check_container(const struct ho_conn_owner *o)
{
    char text[4096], expected[HO_OS_CONTAINER];
    int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, sizeof(text));

    ROOM_CHECK(n > 0 && close(fd) == 0);
    ho_os_procfs_container(expected, text, (size_t)n);
    ROOM_CHECK(strcmp(o->container, expected) == 0);
}

static int look_at_owners(void *arg)
{
    struct stage_pair p = stage_new_pair(*(bool *)arg);
    pid_t pid = new_holder("a \033[31mname\n");
    uint32_t wanted = stage_inode(p.client);
    struct ho_scan s;
    char why[HO_OS_WHY] = "";

    ROOM_CHECK(close(p.client) == 0);
    s = stage_scan(&(struct ho_scan_options){ .pid = pid });
    ROOM_CHECK(s.n_owners == 1 && s.owners[0].pid == pid && s.n_conns == 2); /* it has both */
    ROOM_CHECK(strcmp(s.owners[0].name, "a ?[31mname?") == 0);
    check_container(&s.owners[0]);
    ho_scan_free(&s);
    s = stage_scan(&(struct ho_scan_options){ .pid = getpid() });
    ROOM_CHECK(s.n_conns == 1 && s.conns[0].inode == stage_inode(p.server));
    ROOM_CHECK(s.owners[s.conns[0].owner].pid == getpid());
    ho_scan_free(&s);
    s = stage_scan(NULL);
    ROOM_CHECK(s.n_conns == 2 && s.n_unreadable == 0);
    for (size_t i = 0; i < 2; i++) { /* the child alone has the one, both have the other */
        ROOM_CHECK(s.owners[s.conns[i].owner].pid == pid || s.conns[i].inode != wanted);
    }
    ho_scan_free(&s);
    end(pid);
    ROOM_CHECK(ho_scan(&s, &(struct ho_scan_options){ .pid = pid }, why) == -ESRCH);
    ROOM_CHECK(strstr(why, "no process") != NULL);
    return 0;
}

static void owners_are_named(void **state)
{
    (void)state;
    stage_everywhere(look_at_owners);
}

#define SPARSE 300

/* Numbers with gaps and one far off: whichever way the descriptors are found, each is found once.
 */
static int look_at_sparse(void *arg)
{
    uint32_t wanted[SPARSE + 1];
    size_t n = 0, seen = 0;
    struct ho_os_owners *w;
    struct ho_os_owned s;
    unsigned every = *(bool *)arg ? 2 : 50; /* more gaps than are tried, and fewer */

    for (int fd = 100; fd < 100 + SPARSE; fd++) {
        int sock = socket(AF_INET, SOCK_STREAM, 0);

        wanted[n++] = stage_inode(sock);
        ROOM_CHECK(dup2(sock, fd) == fd && close(sock) == 0);
    }
    for (unsigned i = 0; i < SPARSE; i += every) {
        ROOM_CHECK(close(100 + (int)i) == 0);
    }
    wanted[n++] = stage_inode(100 + SPARSE - 1);
    ROOM_CHECK(dup2(100 + SPARSE - 1, 900) == 900 && close(100 + SPARSE - 1) == 0);
    ROOM_CHECK(ho_os_owners_open(&w, 0) == 0 && ho_os_owners_want(w, wanted, n, true) == 0);
    while (ho_os_owners_next(w, &s) == 1) {
        ROOM_CHECK(s.err == 0 && s.owner->pid == getpid() && stage_inode(s.fd.fd) == s.fd.inode);
        seen++;
    }
    ho_os_owners_close(w);
    ROOM_CHECK(seen == SPARSE - SPARSE / every);
    return 0;
}

static void descriptors_with_gaps_are_found(void **state)
{
    (void)state;
    stage_everywhere(look_at_sparse);
}

/* ---- another user's -------------------------------------------------------------------------- */

static void become(uid_t uid)
{
    ROOM_CHECK(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0);
    ROOM_CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0); /* setresuid() took that away */
}

static pid_t new_holder_as(uid_t uid, bool ipv6, int ready)
{
    pid_t pid = fork();

    ROOM_CHECK(pid >= 0);
    if (pid == 0) {
        become(uid);
        struct stage_pair p = stage_new_pair(ipv6);

        stage_set(p.client, SOL_SOCKET, SO_KEEPALIVE, 1);
        ROOM_CHECK(write(ready, "", 1) == 1);
        for (;;) {
            (void)pause();
        }
    }
    return pid;
}

static int look_at_another_users(void *arg)
{
    int ready[2];
    char bytes[2], why[HO_OS_WHY] = "";
    struct ho_scan s;
    size_t on = 0, own = 0;

    ROOM_CHECK(pipe(ready) == 0);
    pid_t other = new_holder_as(1001, *(bool *)arg, ready[1]);

    ROOM_CHECK(read(ready[0], bytes, 1) == 1);
    (void)new_holder_as(1002, *(bool *)arg, ready[1]);
    ROOM_CHECK(read(ready[0], bytes, 1) == 1);
    s = stage_scan(NULL); /* root sees all of it */
    ROOM_CHECK(s.n_conns == 4 && s.n_unreadable == 0 && s.n_owners == 2);
    ho_scan_free(&s);
    become(1002);
    s = stage_scan(NULL);
    ROOM_CHECK(s.n_conns == 4 && s.n_unreadable == 2 && s.n_owners == 1);
    for (size_t i = 0; i < 4; i++) {
        const struct ho_conn *c = &s.conns[i];

        on += c->keepalive_known != HO_KNOWN_UNKNOWN && c->keepalive;
        if (c->uid == 1002) {
            own++;
            ROOM_CHECK(c->keepalive_known == HO_KNOWN_READ && c->owner == 0);
            continue;
        }
        ROOM_CHECK(c->uid == 1001 && c->owner == HO_CONN_NO_OWNER && !c->orphan);
        ROOM_CHECK(c->inode != 0 && c->keepalive_known == HO_KNOWN_INFERRED);
        ROOM_CHECK(c->options_known == HO_KNOWN_UNKNOWN && c->linger_known == HO_KNOWN_UNKNOWN);
    }
    ROOM_CHECK(on == 2 && own == 2);
    ho_scan_free(&s);
    ROOM_CHECK(ho_scan(&s, &(struct ho_scan_options){ .pid = other }, why) == -EACCES);
    ROOM_CHECK(strstr(why, "same uid") != NULL);
    ROOM_CHECK(ho_scan(&s, &(struct ho_scan_options){ .all_namespaces = true }, why) == -EPERM);
    ROOM_CHECK(strstr(why, "CAP_SYS_ADMIN") != NULL);
    return 0;
}

/* HO_CONN_NEEDS says what it takes: another user with these capabilities, and what it sees. */
static void look_with(uint32_t capabilities, bool enough, pid_t other)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { { .effective = capabilities,
                                                .permitted = capabilities } };
    char why[HO_OS_WHY] = "";
    struct ho_scan s;

    ROOM_CHECK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
    become(1002);
    ROOM_CHECK(syscall(SYS_capset, &head, data) == 0);
    s = stage_scan(NULL);
    ROOM_CHECK(s.n_conns == 2 && s.n_owners == (enough ? 1 : 0));
    ROOM_CHECK(s.n_unreadable == (enough ? 0 : 2));
    for (size_t i = 0; i < 2; i++) {
        ROOM_CHECK(s.conns[i].options_known == (enough ? HO_KNOWN_READ : HO_KNOWN_UNKNOWN));
    }
    ho_scan_free(&s);
    if (!enough) {
        ROOM_CHECK(ho_scan(&s, &(struct ho_scan_options){ .pid = other }, why) == -EACCES);
        ROOM_CHECK(strstr(why, "same uid") != NULL);
    }
}

static int look_with_capabilities(void *arg)
{
    static const struct {
        uint32_t capabilities;
        bool enough;
    } t[] = {
        { 0, false },
        { 1u << CAP_SYS_PTRACE, false },
        { 1u << CAP_DAC_READ_SEARCH, false },
        { 1u << CAP_SYS_PTRACE | 1u << CAP_DAC_READ_SEARCH, true },
        { 1u << CAP_SYS_PTRACE | 1u << CAP_DAC_OVERRIDE, true },
    };
    int ready[2];
    char byte;

    ROOM_CHECK(pipe(ready) == 0);
    pid_t other = new_holder_as(1001, *(bool *)arg, ready[1]);

    ROOM_CHECK(read(ready[0], &byte, 1) == 1);
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        int status = 1;
        pid_t pid = fork();

        ROOM_CHECK(pid >= 0);
        if (pid == 0) {
            look_with(t[i].capabilities, t[i].enough, other);
            _exit(0);
        }
        ROOM_CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    ROOM_CHECK(strstr(HO_CONN_NEEDS, "CAP_SYS_PTRACE+CAP_DAC_READ_SEARCH") != NULL);
    return 0;
}

/* /proc may hide other users' processes altogether: who is not seen may well be there. */
static int look_at_hidden(void *arg)
{
    int ready[2];
    char byte;

    ROOM_CHECK(pipe(ready) == 0);
    (void)new_holder_as(1001, *(bool *)arg, ready[1]);
    ROOM_CHECK(read(ready[0], &byte, 1) == 1);
    ROOM_CHECK(mount("proc", "/proc", "proc", MS_REMOUNT, "hidepid=2") == 0);
    pid_t pid = fork(); /* pid 1 of the room stays root's */

    ROOM_CHECK(pid >= 0);
    if (pid == 0) {
        become(1002);
        struct ho_scan s = stage_scan(NULL);

        ROOM_CHECK(s.n_conns == 2 && s.n_owners == 0 && s.n_unreadable == 2);
        ROOM_CHECK(s.conns[0].owner == HO_CONN_NO_OWNER && s.conns[0].uid == 1001);
        ho_scan_free(&s);
        _exit(0);
    }
    int status = 1;

    ROOM_CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    return 0;
}

static void what_is_another_users_is_unknown(void **state)
{
    bool ipv6[] = { false, true };

    (void)state;
    if (geteuid() != 0) { /* a user namespace has one uid */
        skip();
    }
    assert_int_equal(in_room(IN_ROOM_ROOT, look_at_another_users, &ipv6[0]), 0);
    assert_int_equal(in_room(IN_ROOM_ROOT, look_at_another_users, &ipv6[1]), 0);
    assert_int_equal(in_room(IN_ROOM_ROOT, look_with_capabilities, &ipv6[0]), 0);
    assert_int_equal(in_room(IN_ROOM_ROOT, look_at_hidden, &ipv6[0]), 0);
    assert_int_equal(in_room(IN_ROOM_ROOT, look_at_hidden, &ipv6[1]), 0);
}

/* ---- namespaces ------------------------------------------------------------------------------ */

static int look_at_namespaces(void *arg)
{
    bool ipv6 = *(bool *)arg;
    int other, back, ready[2];
    char byte;
    struct stage_pair p = stage_new_pair(ipv6);

    ROOM_CHECK(ho_os_netns_new(&other) == 0 && pipe(ready) == 0);
    unsigned long long id = ho_os_netns_id(other);
    pid_t pid = fork();

    if (pid == 0) {
        ROOM_CHECK(ho_os_netns_enter(other, &back) == 0);
        ROOM_CHECK(ho_os_sysctl_write(-1, "net.ipv4.tcp_keepalive_time", "61") == 0);
        struct stage_pair q = stage_new_pair(ipv6);

        (void)q;
        ROOM_CHECK(write(ready[1], "", 1) == 1);
        for (;;) {
            (void)pause();
        }
    }
    ROOM_CHECK(read(ready[0], &byte, 1) == 1);
    ho_os_netns_close(other);
    ROOM_CHECK(stage_count(&(struct ho_scan_options){ .pid = 0 }) == 2); /* this one alone */
    struct ho_scan s = stage_scan(&(struct ho_scan_options){ .all_namespaces = true });
    size_t own = 0, others = 0;

    ROOM_CHECK(s.n_hosts == 2 && s.n_foreign_namespaces == 0 && s.n_conns == 4);
    ROOM_CHECK(s.hosts[0].here && !s.hosts[1].here && s.hosts[1].netns == id);
    ROOM_CHECK(s.hosts[0].sysctls.v[HO_SYSCTL_TCP_KEEPALIVE_TIME] == 7200);
    ROOM_CHECK(s.hosts[1].sysctls.v[HO_SYSCTL_TCP_KEEPALIVE_TIME] == 61);
    ROOM_CHECK(s.hosts[1].hz == ho_os_hz());
    for (size_t i = 0; i < s.n_conns; i++) {
        const struct ho_conn *c = &s.conns[i];

        ROOM_CHECK(c->options_known == HO_KNOWN_READ && c->loopback);
        ROOM_CHECK(c->keepidle_s ==
                   (c->host == 0 ? 7200 : 61)); /* what the socket has by default */
        own += c->host == 0;
        others += c->host == 1 && s.owners[c->owner].pid == pid;
    }
    ROOM_CHECK(own == 2 && others == 2 && stage_must(&s, p.client)->host == 0);
    ho_scan_free(&s);
    s = stage_scan(&(struct ho_scan_options){ .pid = pid }); /* it lives elsewhere */
    ROOM_CHECK(s.n_hosts == 2 && s.hosts[1].netns == id && s.n_conns == 4 && s.n_owners == 1);
    ROOM_CHECK(s.conns[0].host == 0 && s.conns[1].host == 0); /* what it took along */
    ROOM_CHECK(s.conns[2].host == 1 && s.conns[3].host == 1);
    ho_scan_free(&s);
    end(pid);
    /* It went with its process. */
    s = stage_scan(&(struct ho_scan_options){ .all_namespaces = true });
    ROOM_CHECK(s.n_hosts == 1 && s.n_conns == 2);
    ho_scan_free(&s);
    return 0;
}

static void each_namespace_has_its_own_settings(void **state)
{
    (void)state;
    stage_everywhere(look_at_namespaces);
}

/* ---- connections that are newer than the walk ------------------------------------------------ */

#define NEW_PAIRS 200
#define NEW_ROUNDS 10

/* A child that connects again and again, and then holds what it has. */
static pid_t new_connector(int listener)
{
    pid_t pid = fork();

    ROOM_CHECK(pid >= 0);
    if (pid == 0) {
        for (size_t i = 0; i < NEW_PAIRS; i++) {
            ROOM_CHECK(stage_new_client(listener) >= 0 && accept(listener, NULL, NULL) >= 0);
        }
        for (;;) {
            (void)pause();
        }
    }
    return pid;
}

/* Clients' ends that processes have: accept() gives a socket an inode before a descriptor. */
static size_t clients_of(const struct ho_scan *s, uint16_t port, pid_t pid)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_conns; i++) {
        const struct ho_conn *c = &s->conns[i];

        if (c->rport == port && c->inode != 0) {
            ROOM_CHECK(c->owner != HO_CONN_NO_OWNER && s->owners[c->owner].pid == pid);
            n++;
        }
    }
    return n;
}

static int look_while_they_come(void *arg)
{
    const struct ho_scan_options established = { .states = 1U << HO_TCP_ESTABLISHED };

    for (size_t round = 0; round < NEW_ROUNDS; round++) {
        uint16_t port;
        int listener = stage_new_listener(*(bool *)arg, &port);
        pid_t pid = new_connector(listener);
        size_t n = 0;

        while (n < NEW_PAIRS) {
            struct ho_scan s = stage_scan(&established);

            n = clients_of(&s, port, pid);
            ho_scan_free(&s);
        }
        end(pid);
        ROOM_CHECK(close(listener) == 0);
    }
    return 0;
}

static void newer_than_the_walk_have_owners(void **state)
{
    (void)state;
    stage_everywhere(look_while_they_come);
}

/* ---- the end of a process while it is looked at -----------------------------------------------
 */

#define HELD 40
#define ROUNDS 36
#define LOOKS_MIN 2
#define LATE_NS (500 * 1000000LL) /* what a busy machine may add to microseconds */

static size_t open_descriptors(void)
{
    size_t n = 0;

    for (int fd = 0; fd < 1024; fd++) {
        n += fcntl(fd, F_GETFD) >= 0;
    }
    return n;
}

/* What the killer and who looks tell one another. */
struct shared {
    volatile uint32_t held[HELD]; /* the victim's sockets */
    volatile unsigned looks;      /* how often there was a look */
};

static struct shared *shared;

/* Duplicates what the victim holds and nothing else. */
static size_t duplicate_all(void)
{
    uint32_t inodes[HELD];
    struct ho_os_owners *w;
    struct ho_os_owned s;
    size_t read = 0;

    for (size_t i = 0; i < HELD; i++) {
        inodes[i] = shared->held[i];
    }
    ROOM_CHECK(ho_os_owners_open(&w, 0) == 0 && ho_os_owners_want(w, inodes, HELD, true) == 0);
    while (ho_os_owners_next(w, &s) == 1) {
        read += s.err == 0;
    }
    ho_os_owners_close(w);
    return read;
}

static size_t scan_all(void)
{
    struct ho_scan scan = stage_scan(NULL);
    size_t read = 0;

    for (size_t i = 0; i < scan.n_conns; i++) {
        read += scan.conns[i].options_known == HO_KNOWN_READ;
    }
    ho_scan_free(&scan);
    return read;
}

/* Looks again and again until `stop` is closed, with whole scans or only at what is duplicated: the
 * next duplicate is then microseconds away. Leaves nothing open.
 */
static pid_t new_scanner(const int stop[2], bool whole)
{
    pid_t pid = fork();

    ROOM_CHECK(pid >= 0);
    if (pid == 0) {
        struct pollfd p = { .fd = stop[0], .events = POLLIN };
        size_t looks = 0, read = 0;

        (void)close(stop[1]);
        size_t before = open_descriptors();

        for (; poll(&p, 1, 0) == 0; looks++) {
            shared->looks++;
            read += whole ? scan_all() : duplicate_all();
            ROOM_CHECK(open_descriptors() == before);
        }
        (void)fprintf(stderr, "looked %zu times and read the options of %zu sockets\n", looks,
                      read);
        _exit(looks > LOOKS_MIN && read > looks ? 0 : 1);
    }
    return pid;
}

/* The peers' ends stay here; the others are a child's alone. */
static pid_t new_victim(bool ipv6, int peer[HELD])
{
    int client[HELD];
    uint16_t port;
    int listener = stage_new_listener(ipv6, &port);

    for (size_t i = 0; i < HELD; i++) {
        client[i] = stage_new_client(listener);
        shared->held[i] = stage_inode(client[i]);
        peer[i] = accept(listener, NULL, NULL);
        ROOM_CHECK(peer[i] >= 0);
    }
    pid_t pid = fork();

    ROOM_CHECK(pid >= 0);
    if (pid == 0) {
        for (;;) {
            (void)pause();
        }
    }
    for (size_t i = 0; i < HELD; i++) {
        ROOM_CHECK(close(client[i]) == 0);
    }
    ROOM_CHECK(close(listener) == 0);
    return pid;
}

/* Returns how long after the kill the last FIN came. */
static int64_t kill_and_wait(pid_t victim, const int peer[HELD])
{
    struct ho_time killed = ho_os_now();
    char byte;

    ROOM_CHECK(kill(victim, SIGKILL) == 0);
    for (size_t i = 0; i < HELD; i++) {
        struct pollfd p = { .fd = peer[i], .events = POLLIN };

        ROOM_CHECK(poll(&p, 1, 10000) == 1);
        ROOM_CHECK(recv(peer[i], &byte, 1, 0) == 0); /* a FIN, and no RST */
    }
    int64_t late = ho_time_since(ho_os_now(), killed).ns;

    ROOM_CHECK(waitpid(victim, NULL, 0) == victim);
    for (size_t i = 0; i < HELD; i++) {
        ROOM_CHECK(close(peer[i]) == 0);
    }
    return late;
}

/* Kills victims while somebody looks at them or, with scanner 0, nobody does. */
static void kill_during(const char *what, pid_t scanner, unsigned rounds, bool ipv6)
{
    int64_t worst = 0, sum = 0;
    int peer[HELD];

    for (unsigned i = 0; i < rounds; i++) {
        pid_t victim = new_victim(ipv6, peer);
        unsigned looks = shared->looks;

        while (scanner != 0 && shared->looks == looks) { /* the next one sees it */
            (void)poll(NULL, 0, 1);
        }
        (void)poll(NULL, 0, (int)(i % 16)); /* into another moment of it */
        int64_t late = kill_and_wait(victim, peer);

        worst = late > worst ? late : worst;
        sum += late;
    }
    (void)fprintf(stderr, "%s: the last FIN after the kill: %lld us on average, %lld us at most\n",
                  what, (long long)(sum / rounds / 1000), (long long)(worst / 1000));
    ROOM_CHECK(worst < LATE_NS);
}

static void kill_looked_at(bool whole, bool ipv6)
{
    int stop[2], status = 1;

    ROOM_CHECK(pipe2(stop, O_CLOEXEC) == 0);
    pid_t scanner = new_scanner(stop, whole);

    kill_during(whole ? "scans" : "duplicates", scanner, whole ? ROUNDS / 3 : ROUNDS, ipv6);
    (void)close(stop[0]);
    (void)close(stop[1]);
    ROOM_CHECK(waitpid(scanner, &status, 0) == scanner && status == 0);
}

static void share(void)
{
    void *page =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ROOM_CHECK(page != MAP_FAILED);
    shared = page;
}

static int kill_owners(void *arg)
{
    share();
    kill_during("nobody looks", 0, ROUNDS / 3, *(bool *)arg);
    kill_looked_at(true, *(bool *)arg);
    kill_looked_at(false, *(bool *)arg);
    return 0;
}

static void an_owner_killed_during_scans_sends_its_fins(void **state)
{
    (void)state;
    stage_everywhere(kill_owners);
}

/* Processes and connections come and go: a scan is not disturbed, whatever it sees of them. */
static int come_and_go(void *arg)
{
    int stop[2], status = 1;

    share();
    ROOM_CHECK(pipe2(stop, O_CLOEXEC) == 0);
    pid_t scanner = new_scanner(stop, true);
    struct stage_pair kept = stage_new_pair(*(bool *)arg);
    unsigned early = shared->looks;

    for (unsigned i = 0; i < 150; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            for (unsigned k = 0; k < 4; k++) {
                struct stage_pair p = stage_new_pair(*(bool *)arg);

                (void)close(k % 2 == 0 ? p.client : p.server);
            }
            _exit(0);
        }
        ROOM_CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    }
    struct ho_scan s = stage_scan(&(struct ho_scan_options){ .states = 1U << HO_TCP_ESTABLISHED });

    /* It may not have had a processor; and what it saw at first were no sockets. */
    for (unsigned i = 0; i < 30000 && shared->looks <= 2 * early + LOOKS_MIN + 2; i++) {
        (void)poll(NULL, 0, 1);
    }
    ROOM_CHECK(stage_find(&s, kept.client) != NULL && stage_find(&s, kept.server) != NULL);
    ho_scan_free(&s);
    (void)close(stop[1]);
    ROOM_CHECK(waitpid(scanner, &status, 0) == scanner && status == 0);
    return 0;
}

static void processes_that_end_do_not_disturb(void **state)
{
    (void)state;
    stage_everywhere(come_and_go);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owners_are_named),
        cmocka_unit_test(newer_than_the_walk_have_owners),
        cmocka_unit_test(descriptors_with_gaps_are_found),
        cmocka_unit_test(what_is_another_users_is_unknown),
        cmocka_unit_test(each_namespace_has_its_own_settings),
        cmocka_unit_test(an_owner_killed_during_scans_sends_its_fins),
        cmocka_unit_test(processes_that_end_do_not_disturb),
    };

    if (!in_room_allowed(IN_ROOM_ROOT) || !in_room_allowed(IN_ROOM_USER)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
