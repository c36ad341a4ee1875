/* Real commands (kernel/service.h): what they find, what they write, how they end, whose sockets
 * are whose. Each as root and as an ordinary user, in a room with two hosts without cables.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/service.h"
#include "os/clock.h"
#include "os/netns.h"
#include "os/sockfd.h"
#include "os/sysctl.h"
#include "scenario/scenario.h"
#include "support/in_room.h"

#define MS 1000000LL
#define S (1000 * MS)
#define CLIENT 0 /* the plan's processes and nodes */
#define SERVER 1
#define DB 2

static const char world[] = "host client\nhost server\ncable client -- server\nprocess server.db\n";

/* --- a play without an engine ----------------------------------------------------------------- */

struct stage {
    struct ho_scn *scn;
    struct ho_plan *plan;
    struct ho_services *services;
    int netns[2];
    int64_t begun_ns;
    char out[65536]; /* "server.db: hello\n", "server.db! exit 0 \n" .. */
};

static void set_up(struct stage *st)
{
    struct ho_scn_error e;
    char why[512] = "";

    *st = (struct stage){ .begun_ns = ho_os_now().ns };
    ROOM_CHECK(ho_scn_parse(&st->scn, "test", world, sizeof(world) - 1, &e) == 0);
    const struct ho_scn_case c = ho_scn_case(st->scn, 0);
    ROOM_CHECK(ho_plan_make(&st->plan, st->scn, &c, NULL, &e) == 0);
    ROOM_CHECK(ho_os_netns_new(&st->netns[0]) == 0);
    ROOM_CHECK(ho_os_netns_new(&st->netns[1]) == 0);
    if (ho_services_new(&st->services, st->plan, 0, 0, why, sizeof(why)) != 0) {
        in_room_failed(__FILE__, __LINE__, why);
    }
}

static void tear_down(struct stage *st)
{
    ho_services_free(st->services);
    ho_plan_free(st->plan);
    ho_scn_free(st->scn);
    (void)close(st->netns[0]);
    (void)close(st->netns[1]);
}

static int start(struct stage *st, uint16_t proc, struct ho_plan_command c)
{
    if (c.within.ns == 0) {
        c.within = ho_ns(5 * S);
    }
    return ho_services_start(st->services, proc, st->netns[st->plan->procs[proc].host], &c);
}

static void started(struct stage *st, uint16_t proc, const char *text)
{
    if (start(st, proc, (struct ho_plan_command){ .text = text }) != 0) {
        in_room_failed(__FILE__, __LINE__, ho_services_why(st->services));
    }
}

static void drain(struct stage *st)
{
    struct ho_service_event e;

    ROOM_CHECK(ho_services_read(st->services) == 0);
    while (ho_services_next(st->services, &e)) {
        size_t len = strlen(st->out);
        const char *name = st->plan->procs[e.proc].name;
        ROOM_CHECK(e.at_ns >= st->begun_ns && e.at_ns <= ho_os_now().ns);
        if (e.kind == HO_SERVICE_OUTPUT) {
            (void)snprintf(st->out + len, sizeof(st->out) - len, "%s%s %s\n", name,
                           e.stderr_ ? "!" : ":", e.text);
        } else {
            (void)snprintf(st->out + len, sizeof(st->out) - len, "%s exit %d %s\n", name, e.status,
                           e.text);
        }
    }
}

/* Looks until something happens, `*silent` times in vain at most: a machine that stands still is
 * one time, however long it does.
 */
static void look(struct stage *st, unsigned *silent, const char *what)
{
    struct pollfd p = { .fd = ho_services_fd(st->services), .events = POLLIN };

    if (*silent == 100) {
        (void)fprintf(stderr, "\"%s\" is not in:\n%s", what, st->out);
        in_room_failed(__FILE__, __LINE__, "it comes");
    }
    *silent += poll(&p, 1, 100) == 0;
    drain(st);
}

/* Waits until what was written contains `text`. */
static void comes(struct stage *st, const char *text)
{
    unsigned silent = 0;

    drain(st);
    while (strstr(st->out, text) == NULL) {
        look(st, &silent, text);
    }
}

/* Waits until nothing of it is left. */
static void is_gone(struct stage *st, uint16_t proc)
{
    unsigned silent = 0;

    while (ho_services_runs(st->services, proc)) {
        look(st, &silent, "its end");
    }
}

/* In the room, in its memory: what a command waits for with UNTIL_TOLD. */
#define TOLD "/dev/shm/told"
#define UNTIL_TOLD "until [ -e " TOLD " ]; do sleep 0.01; done; "

static void tell(void)
{
    int fd = open(TOLD, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    ROOM_CHECK(fd >= 0 && close(fd) == 0);
}

static int wait_ready(struct stage *st, uint16_t proc)
{
    int ready = 0;

    while ((ready = ho_services_ready(st->services, proc)) == 0) {
        (void)usleep(10000);
    }
    return ready;
}

/* At the same time: they see nothing of each other. */
static void in_both_forms(int (*body)(void *arg))
{
    static char nothing;
    int status = -1;

    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(in_room(IN_ROOM_USER, body, &nothing));
    }
    assert_int_equal(in_room(IN_ROOM_ROOT, body, &nothing), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#define TEST(name)                 \
    static int name##_(void *arg); \
    static void name(void **state) \
    {                              \
        (void)state;               \
        in_both_forms(name##_);    \
    }                              \
    static int name##_(void *arg)

/* Every test: `st` is the stage. */
#define BEGIN        \
    struct stage st; \
    (void)arg;       \
    set_up(&st)

#define END         \
    tear_down(&st); \
    return 0

/* --- what it writes ----------------------------------------------------------------------------
 */

TEST(lines_of_output_and_the_exit_status_are_told)
{
    BEGIN;
    started(&st, DB,
            "sh -c 'echo one; echo two >&2; printf \"a\\tb\\001\\\\x41\\377c\\r\\nlast\"; exit 3'");
    ROOM_CHECK(wait_ready(&st, DB) == 1);
    comes(&st, "exit");
    ROOM_CHECK(strstr(st.out, "db: one\n") != NULL);
    ROOM_CHECK(strstr(st.out, "db! two\n") != NULL);
    ROOM_CHECK(strstr(st.out, "db: a\\x09b\\x01\\\\x41\\xffc\n") != NULL);
    ROOM_CHECK(strstr(st.out, "db: last\n") != NULL);
    ROOM_CHECK(strcmp(strstr(st.out, "db exit"), "db exit 3 \n") == 0);
    started(&st, DB, "echo again"); /* although its init may not have ended yet */
    comes(&st, "db: again\n");
    comes(&st, "db exit 0");
    is_gone(&st, DB);
    st.out[0] = '\0'; /* UTF-8 stays, but for what is none: cut off, too long, a surrogate */
    started(&st, DB,
            "printf 'caf\\303\\251 \\360\\237\\230\\200 \\303 \\300\\257 \\355\\240\\200\\n'");
    comes(&st, "db: caf\303\251 \360\237\230\200 \\xc3 \\xc0\\xaf \\xed\\xa0\\x80\n");
    END;
}

TEST(a_long_line_is_cut_and_the_next_is_whole)
{
    char line[HO_SERVICE_LINE + 1] = "";
    char longest[HO_SERVICE_LINE + 8];

    BEGIN;
    started(&st, DB, "sh -c 'head -c 100000 /dev/zero | tr \"\\\\0\" x; echo; echo next'");
    comes(&st, "db exit 0");
    memset(line, 'x', HO_SERVICE_LINE);
    (void)snprintf(longest, sizeof(longest), "db: %s\ndb", line);
    ROOM_CHECK(strstr(st.out, longest) != NULL);
    ROOM_CHECK(strstr(st.out, "\ndb: next\n") != NULL);
    END;
}

TEST(more_lines_than_have_room_are_counted)
{
    BEGIN;
    started(&st, DB, "sh -c 'seq 10000'");
    for (unsigned i = 0; i < 10000 && ho_services_dropped(st.services) == 0; i++) {
        ROOM_CHECK(ho_services_read(st.services) == 0); /* and nobody takes them */
        (void)usleep(1000);
    }
    ROOM_CHECK(ho_services_dropped(st.services) > 0);
    comes(&st, "db: 1\n");
    comes(&st, "db exit 0"); /* an end is not lost */
    END;
}

TEST(records_are_output_and_exit)
{
    struct ho_timeline tl;
    struct ho_service_event e = {
        .kind = HO_SERVICE_OUTPUT, .proc = DB, .at_ns = 1500, .text = "hello"
    };
    struct ho_record r;

    BEGIN;
    ho_timeline_init(&tl, 0);
    ROOM_CHECK(ho_services_record(&r, &e, st.plan, &tl, 500) == 0);
    ROOM_CHECK(r.kind == HO_REC_APP && r.t.ns == 1000 && r.u.app.ret == 5);
    ROOM_CHECK(strcmp(r.host, "server") == 0 && strcmp(r.process, "db") == 0);
    ROOM_CHECK(strcmp(r.u.app.call, "output") == 0 && strcmp(r.u.app.detail, "hello") == 0);
    e = (struct ho_service_event){ .kind = HO_SERVICE_EXIT, .status = -1, .text = "SIGKILL" };
    ROOM_CHECK(ho_services_record(&r, &e, st.plan, &tl, 0) == 0);
    ROOM_CHECK(strcmp(r.u.app.call, "exit") == 0 && r.u.app.ret == -1);
    ROOM_CHECK(strcmp(r.u.app.detail, "SIGKILL") == 0 && strcmp(r.process, "app") == 0);
    ho_timeline_destroy(&tl);
    END;
}

/* --- what it finds -----------------------------------------------------------------------------
 */

TEST(it_finds_a_clean_world)
{
    BEGIN;
    (void)setenv("SECRET", "x", 1);
    started(&st, DB,
            "sh -c 'env | sort; pwd; ls -A; touch mine; grep -E \"Cap(Eff|Prm|Bnd|Amb)\" "
            "/proc/self/status | cut -f2; ls /proc/self/fd | wc -l; grep -c . /etc/hosts; "
            "ls ..; exit 0'");
    comes(&st, "db exit 0");
    ROOM_CHECK(strstr(st.out, "LANG=C\n") != NULL && strstr(st.out, "PAGER=cat\n") != NULL);
    ROOM_CHECK(strstr(st.out, "TZ=UTC\n") != NULL && strstr(st.out, "SECRET") == NULL);
    ROOM_CHECK(strstr(st.out, "HOME=/dev/shm/server.db\n") != NULL);
    ROOM_CHECK(strstr(st.out, "db: /dev/shm/server.db\n") != NULL);
    ROOM_CHECK(strstr(st.out, "db: server.db\n") != NULL); /* ls .. */
    const char *caps = strstr(st.out, "db: 0000000000000000\n");
    ROOM_CHECK(caps != NULL && strstr(st.out, "ffff") == NULL);
    ROOM_CHECK(strstr(st.out, "db: 4\n") != NULL); /* 0, 1, 2 and that of ls; and lines of hosts */
    started(&st, CLIENT, "sh -c 'getent hosts server; cat ../server.db/mine; id -un'");
    comes(&st, "app exit");
    ROOM_CHECK(strstr(st.out, "10.0.0.2") != NULL && strstr(st.out, "app exit 0") != NULL);
    END;
}

TEST(a_guest_is_somebody_and_has_low_ports)
{
    struct stat self;

    BEGIN;
    ROOM_CHECK(start(&st, DB,
                     (struct ho_plan_command){ .text = "sh -c 'id -un; id -u; echo $USER; "
                                                       "cat /proc/sys/net/ipv4/"
                                                       "ip_unprivileged_port_start; touch x; "
                                                       "echo again >/dev/stdout'",
                                               .user = "guest" }) == 0);
    comes(&st, "db exit 0");
    ROOM_CHECK(strstr(st.out, "db: guest\n") != NULL);
    ROOM_CHECK(strstr(st.out, "db: 0\ndb: again\ndb exit") != NULL);
    ROOM_CHECK(stat("/dev/shm/server.db/x", &self) == 0 && self.st_uid != 0);
    ROOM_CHECK(start(&st, DB, (struct ho_plan_command){ .text = "id", .user = "nobody-at-all" }) ==
               -EINVAL);
    ROOM_CHECK(strcmp(ho_services_why(st.services),
                      "server.db: there is no user 'nobody-at-all' on this machine") == 0);
    END;
}

TEST(what_cannot_be_executed_is_named)
{
    BEGIN;
    (void)setenv("PATH", "/usr/bin:/nowhere", 1);
    ROOM_CHECK(start(&st, DB, (struct ho_plan_command){ .text = "redis-servr --port 1" }) ==
               -ENOENT);
    ROOM_CHECK(strcmp(ho_services_why(st.services),
                      "server.db: redis-servr: not found in PATH (/usr/bin:/nowhere)") == 0);
    ROOM_CHECK(start(&st, DB, (struct ho_plan_command){ .text = "/etc/hosts" }) == -EACCES);
    ROOM_CHECK(!ho_services_runs(st.services, DB));
    END;
}

/* --- what it is told ---------------------------------------------------------------------------
 */

TEST(input_arrives_and_ends)
{
    char *big = malloc(HO_SERVICE_INPUT);
    struct ho_plan_input some = { .bytes = "hello\nwor", .len = 9 };

    BEGIN;
    ROOM_CHECK(ho_services_input(st.services, DB, &some) == -EINVAL);
    started(&st, DB, "cat");
    ROOM_CHECK(ho_services_input(st.services, DB, &some) == 0);
    comes(&st, "db: hello\n");
    some = (struct ho_plan_input){ .bytes = "", .end = true };
    ROOM_CHECK(ho_services_input(st.services, DB, &some) == 0);
    comes(&st, "db: wor\n");
    comes(&st, "db exit 0");
    st.out[0] = '\0';
    started(&st, CLIENT, "sh -c '" UNTIL_TOLD "wc -c'"); /* more than a pipe holds */
    memset(big, 'x', HO_SERVICE_INPUT);
    some = (struct ho_plan_input){ .bytes = big, .len = HO_SERVICE_INPUT };
    ROOM_CHECK(ho_services_input(st.services, CLIENT, &some) == 0);
    ROOM_CHECK(ho_services_input(st.services, CLIENT, &some) == 0);
    ROOM_CHECK(ho_services_input(st.services, CLIENT, &some) == -ENOSPC);
    tell();
    some = (struct ho_plan_input){ .bytes = "", .end = true };
    ROOM_CHECK(ho_services_input(st.services, CLIENT, &some) == 0);
    comes(&st, "app: 131072\n");
    started(&st, DB, "sh -c 'exec 0<&-; sleep 60'"); /* has closed its input */
    some = (struct ho_plan_input){ .bytes = big, .len = HO_SERVICE_INPUT };
    for (unsigned i = 0; i < 10; i++) {
        ROOM_CHECK(ho_services_input(st.services, DB, &some) != -EINVAL);
        drain(&st);
        (void)usleep(20000);
    }
    free(big);
    END;
}

/* The letter of /proc/PID/stat; 0: there is no such process. */
static char state_of(pid_t pid)
{
    char path[64], text[256] = "";

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    ssize_t n = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    const char *p = n > 0 ? strrchr(text, ')') : NULL;
    return p != NULL ? p[2] : 0;
}

/* Waits until everything below the init, which is pid 2 of the room, stands still: the init is told
 * to stop them, and needs a moment. Who waits for a vfork() cannot be stopped, and need not be.
 */
static void stands_still(void)
{
    unsigned moving = 1, stopped = 0;
    pid_t pids[64];

    for (unsigned tries = 0; moving > 0 || stopped == 0; tries++) {
        ROOM_CHECK(tries < 10000);
        (void)usleep(1000);
        moving = stopped = 0;
        int n = ho_os_pids(pids, 64);
        for (int i = 0; i < n && i < 64; i++) {
            char state = pids[i] > 2 ? state_of(pids[i]) : 0;
            stopped += state == 'T';
            moving += state != 0 && strchr("TZD", state) == NULL;
        }
    }
}

TEST(stop_and_continue_mean_everything_it_started)
{
    BEGIN;
    started(&st, DB, "sh -c '(while sleep 0.02; do echo tick; done) & wait'");
    comes(&st, "tick\n");
    ROOM_CHECK(ho_services_stop(st.services, DB) == 0);
    stands_still();
    drain(&st);
    st.out[0] = '\0';
    (void)usleep(300000);
    drain(&st);
    ROOM_CHECK(st.out[0] == '\0');
    ROOM_CHECK(ho_services_cont(st.services, DB) == 0);
    comes(&st, "tick\n");
    ROOM_CHECK(ho_services_stop(st.services, CLIENT) == -ESRCH);
    END;
}

/* The pid in "db: daemon PID". */
static pid_t daemon_of(struct stage *st)
{
    comes(st, "db: daemon ");
    comes(st, "\n");
    return (pid_t)strtol(strstr(st->out, "db: daemon ") + 11, NULL, 10);
}

TEST(a_kill_takes_daemons_and_the_deaf_with_it)
{
    BEGIN;
    started(&st, DB,
            "sh -c 'trap \"\" TERM HUP INT; setsid sh -c \"trap : TERM; echo daemon \\$\\$; "
            "sleep 1000\" & sleep 1000'");
    (void)daemon_of(&st);
    ROOM_CHECK(ho_services_runs(st.services, DB));
    ROOM_CHECK(ho_services_kill(st.services, DB) == 0);
    ROOM_CHECK(!ho_services_runs(st.services, DB));
    comes(&st, "db exit -1 SIGKILL\n");
    ROOM_CHECK(kill(-1, 0) != 0 && errno == ESRCH); /* the room is empty but for us */
    ROOM_CHECK(ho_services_kill(st.services, DB) == -ESRCH);
    started(&st, DB, "sh -c 'sleep 1000 & echo daemon $$; exit 0'"); /* goes to the background */
    comes(&st, "db exit 0");
    ROOM_CHECK(ho_services_runs(st.services, DB));
    ROOM_CHECK(ho_services_kill_host(st.services, SERVER) == 0);
    ROOM_CHECK(!ho_services_runs(st.services, DB));
    started(&st, DB, "sleep 1000");
    started(&st, CLIENT, "sh -c 'trap \"\" TERM; sleep 1000'");
    tear_down(&st);
    ROOM_CHECK(kill(-1, 0) != 0 && errno == ESRCH);
    return 0;
}

TEST(a_signal_of_its_own_is_told)
{
    BEGIN;
    started(&st, DB, "sh -c 'kill -SEGV $$'");
    comes(&st, "db exit -1 SIGSEGV\n");
    ROOM_CHECK(start(&st, DB,
                     (struct ho_plan_command){
                         .text = "echo up", .ready = HO_READY_OUTPUT, .pattern = "^up$" }) == 0);
    comes(&st, "db exit 0");
    is_gone(&st, DB);
    ROOM_CHECK(wait_ready(&st, DB) == 1); /* although it has ended */
    END;
}

/* --- ready --------------------------------------------------------------------------------------
 */

/* This program as a command: "PROGRAM listen PORT [keepalive | told]" accepts one connection after
 * the other, keeps them, and says so; with "told" it listens only when TOLD is there.
 */
static char program[512];

static int listen_on(const char *port, bool keepalive, bool told)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, idle = 61, timeout = 7000, client;
    const struct sockaddr_in addr = { .sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)strtol(port, NULL, 10)) };

    while (told && access(TOLD, F_OK) != 0) {
        (void)usleep(10000);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0 ||
        listen(fd, 5) != 0) {
        perror("listen");
        return 1;
    }
    while ((client = accept(fd, NULL, NULL)) >= 0) {
        if (keepalive) {
            (void)setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
            (void)setsockopt(client, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
            (void)setsockopt(client, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
        }
        (void)puts("accepted");
        (void)fflush(stdout);
    }
    return 1;
}

static const char *listener(char *text, size_t size, const char *rest)
{
    (void)snprintf(text, size, "%s listen %s", program, rest);
    return text;
}

TEST(it_is_ready_when_it_listens_or_says_so)
{
    char text[600];

    BEGIN;
    ROOM_CHECK(start(&st, DB,
                     (struct ho_plan_command){ .text = listener(text, sizeof(text), "80 told"),
                                               .ready = HO_READY_LISTENS,
                                               .port = 80 }) == 0);
    ROOM_CHECK(ho_services_ready(st.services, DB) == 0);
    tell();
    ROOM_CHECK(wait_ready(&st, DB) == 1);
    ROOM_CHECK(ho_services_ready(st.services, DB) == 1);
    ROOM_CHECK(unlink(TOLD) == 0);
    ROOM_CHECK(start(&st, CLIENT,
                     (struct ho_plan_command){ .text = "sh -c 'echo no; " UNTIL_TOLD
                                                       "echo up now; sleep 60'",
                                               .ready = HO_READY_OUTPUT,
                                               .pattern = "^up" }) == 0);
    comes(&st, "app: no\n");
    ROOM_CHECK(ho_services_ready(st.services, CLIENT) == 0);
    tell();
    ROOM_CHECK(wait_ready(&st, CLIENT) == 1);
    END;
}

TEST(what_is_never_ready_is_told_with_its_last_words)
{
    static const struct {
        const char *text;
        int64_t within_ns;
        const char *first; /* what it says before its time is over */
        int err;
        const char *why;
    } cases[] = {
        { "sh -c 'echo starting; sleep 60'", 300 * MS, "db: starting\n", -ETIMEDOUT,
          "server.db: its time was over before it listened on port 80; its last words: "
          "\"starting\"" },
        { "sh -c 'echo a; echo bad config >&2; exit 7'", 20 * S, "", -ECHILD,
          "server.db: ended with status 7 before it listened on port 80; its last words: " },
        { "sh -c 'kill -9 $$'", 20 * S, "", -ECHILD,
          "ended by signal 9 before it listened on port 80; it wrote "
          "nothing" },
        { "true", 20 * S, "", -ECHILD, "server.db: ended with status 0 before" },
    };

    BEGIN;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ROOM_CHECK(start(&st, DB,
                         (struct ho_plan_command){ .text = cases[i].text,
                                                   .ready = HO_READY_LISTENS,
                                                   .port = 80,
                                                   .within = ho_ns(cases[i].within_ns) }) == 0);
        comes(&st, cases[i].first); /* only a question finds that the time is over */
        ROOM_CHECK(wait_ready(&st, DB) == cases[i].err);
        if (strstr(ho_services_why(st.services), cases[i].why) == NULL) {
            in_room_failed(__FILE__, __LINE__, ho_services_why(st.services));
        }
        (void)ho_services_kill(st.services, DB);
    }
    END;
}

/* --- sockets ------------------------------------------------------------------------------------
 */

/* A connection to port 80 of the server host, from within it. */
static int connected(struct stage *st)
{
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons(80),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = ho_os_netns_socket(st->netns[1], AF_INET, SOCK_STREAM, 0);

    ROOM_CHECK(fd >= 0);
    ROOM_CHECK(connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0);
    comes(st, "accepted");
    st->out[0] = '\0';
    return fd;
}

/* The process of the listener, by its descriptor 4: the first socket that it accepted. */
static pid_t accepted_by(uint32_t *ret_inode)
{
    for (pid_t pid = 2; pid < 4096; pid++) {
        char path[64], link[64] = "", exe[512] = "";
        (void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
        if (readlink(path, exe, sizeof(exe) - 1) < 0 || strcmp(exe, program) != 0) {
            continue;
        }
        (void)snprintf(path, sizeof(path), "/proc/%d/fd/4", (int)pid);
        if (readlink(path, link, sizeof(link) - 1) > 0 && strncmp(link, "socket:[", 8) == 0) {
            *ret_inode = (uint32_t)strtoul(link + 8, NULL, 10);
            return pid;
        }
    }
    in_room_failed(__FILE__, __LINE__, "a socket that was accepted");
}

static void start_listener(struct stage *st, const char *rest)
{
    char text[600];

    ROOM_CHECK(start(st, DB,
                     (struct ho_plan_command){ .text = listener(text, sizeof(text), rest),
                                               .ready = HO_READY_LISTENS,
                                               .port = 80 }) == 0);
    if (wait_ready(st, DB) != 1) {
        in_room_failed(__FILE__, __LINE__, ho_services_why(st->services));
    }
}

TEST(sockets_have_an_owner_and_options_that_are_in_force)
{
    struct ho_service_options o = { 0 };
    struct stat self;

    BEGIN;
    start_listener(&st, "80 keepalive");
    int fd = connected(&st);
    uint32_t inode;
    (void)accepted_by(&inode);
    ROOM_CHECK(ho_services_owner(st.services, SERVER, inode) == DB);
    ROOM_CHECK(ho_services_owner(st.services, CLIENT, inode) == HO_PLAN_NONE);
    ROOM_CHECK(ho_services_owner(st.services, SERVER, 0) == HO_PLAN_NONE);
    ROOM_CHECK(fstat(fd, &self) == 0);
    ROOM_CHECK(ho_services_owner(st.services, SERVER, (uint32_t)self.st_ino) == HO_PLAN_NONE);
    ROOM_CHECK(ho_services_options(st.services, SERVER, inode, &o) == 0);
    ROOM_CHECK(o.keepalive == 1 && o.keepidle == 61 && o.keepintvl == 75 && o.keepcnt == 9);
    ROOM_CHECK(o.user_timeout == 7000);
    ROOM_CHECK(ho_services_options(st.services, SERVER, (uint32_t)self.st_ino, &o) == -ENOENT);
    (void)close(fd);
    END;
}

/* Bytes, the end of the stream or an error within `ms`? */
static bool told(int fd, int ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return poll(&p, 1, ms) == 1;
}

/* pidfd_getfd() by hand: what a duplicate that stays open does. */
static int duplicate(pid_t pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    int fd = pidfd >= 0 ? (int)syscall(SYS_pidfd_getfd, pidfd, 4, 0) : -1;

    if (pidfd >= 0) {
        (void)close(pidfd);
    }
    return fd;
}

TEST(reading_options_does_not_hold_back_the_fin)
{
    struct ho_service_options o;
    char byte;

    BEGIN;
    for (unsigned round = 0; round < 20; round++) {
        start_listener(&st, "80");
        int fd = connected(&st);
        uint32_t inode;
        pid_t pid = accepted_by(&inode);
        ROOM_CHECK(ho_services_options(st.services, SERVER, inode, &o) == 0);
        ROOM_CHECK(o.keepalive == 0);
        bool held = round == 0;
        int copy = held ? duplicate(pid) : -1;
        ROOM_CHECK(!held || copy >= 0);
        ROOM_CHECK(ho_services_kill(st.services, DB) == 0);
        if (held) { /* so this test can fail */
            ROOM_CHECK(!told(fd, 300));
            (void)close(copy);
        }
        ROOM_CHECK(told(fd, held ? 1000 : 0)); /* the kill was not done before the FIN was sent */
        ROOM_CHECK(recv(fd, &byte, 1, 0) == 0);
        (void)close(fd);
        round += held ? 0 : 18;
    }
    END;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_output_and_the_exit_status_are_told),
        cmocka_unit_test(a_long_line_is_cut_and_the_next_is_whole),
        cmocka_unit_test(more_lines_than_have_room_are_counted),
        cmocka_unit_test(records_are_output_and_exit),
        cmocka_unit_test(it_finds_a_clean_world),
        cmocka_unit_test(a_guest_is_somebody_and_has_low_ports),
        cmocka_unit_test(what_cannot_be_executed_is_named),
        cmocka_unit_test(input_arrives_and_ends),
        cmocka_unit_test(stop_and_continue_mean_everything_it_started),
        cmocka_unit_test(a_kill_takes_daemons_and_the_deaf_with_it),
        cmocka_unit_test(a_signal_of_its_own_is_told),
        cmocka_unit_test(it_is_ready_when_it_listens_or_says_so),
        cmocka_unit_test(what_is_never_ready_is_told_with_its_last_words),
        cmocka_unit_test(sockets_have_an_owner_and_options_that_are_in_force),
        cmocka_unit_test(reading_options_does_not_hold_back_the_fin),
    };

    if (argc >= 3 && strcmp(argv[1], "listen") == 0) {
        return listen_on(argv[2], argc > 3 && strcmp(argv[3], "keepalive") == 0,
                         argc > 3 && strcmp(argv[3], "told") == 0);
    }
    if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0 ||
        !in_room_allowed(IN_ROOM_ROOT) || !in_room_allowed(IN_ROOM_USER)) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
