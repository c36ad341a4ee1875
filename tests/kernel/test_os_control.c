/* Control sockets: lines both ways, names, strangers, limits (os/control.h). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/control.h"

static const char *own_name(void)
{
    static char name[HO_CONTROL_NAME];

    snprintf(name, sizeof(name), "test-%d", (int)getpid());
    return name;
}

struct pair {
    int listener;
    struct ho_control lab, client;
};

static void open_pair(struct pair *p)
{
    *p = (struct pair){ .listener = ho_control_listen(own_name()) };
    assert_true(p->listener >= 0);
    p->client.fd = ho_control_connect(own_name());
    assert_true(p->client.fd >= 0);
    p->lab.fd = ho_control_accept(p->listener);
    assert_true(p->lab.fd >= 0);
}

static void close_pair(struct pair *p)
{
    ho_control_close(&p->lab);
    ho_control_close(&p->client);
    close(p->listener);
}

static void a_name_is_found_while_its_lab_listens_and_free_afterwards(void **state)
{
    char names[64][HO_CONTROL_NAME];
    int listener = ho_control_listen(own_name());
    int found = 0;

    (void)state;
    assert_true(listener >= 0);
    assert_int_equal(ho_control_listen(own_name()), -EADDRINUSE);
    int n = ho_control_list(names, 64);

    for (int i = 0; i < n && i < 64; i++) {
        found += strcmp(names[i], own_name()) == 0;
    }
    assert_int_equal(found, 1);
    close(listener);
    assert_int_equal(ho_control_connect(own_name()), -ECONNREFUSED);
    listener = ho_control_listen(own_name());
    assert_true(listener >= 0);
    close(listener);
}

static void a_name_that_is_none_is_refused(void **state)
{
    (void)state;
    assert_int_equal(ho_control_listen(""), -EINVAL);
    assert_int_equal(ho_control_listen("a b"), -EINVAL);
    assert_int_equal(ho_control_listen("a/b"), -EINVAL);
    assert_int_equal(ho_control_listen("a-name-of-more-than-31-characters"), -EINVAL);
    assert_int_equal(ho_control_connect("../x"), -ECONNREFUSED);
}

/* A lab in a process of its own, which ends as it did. */
static pid_t start_lab(struct pair *p, bool (*lab)(struct pair *p))
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        _exit(lab(p) ? 0 : 1);
    }
    return child;
}

static void check_end(pid_t lab)
{
    int status = -1;

    waitpid(lab, &status, 0);
    assert_int_equal(status, 0);
}

static bool is_asked(const struct pair *p)
{
    struct pollfd poll_fd = { .fd = p->lab.fd, .events = POLLIN };

    return poll(&poll_fd, 1, 5000) > 0;
}

static bool answer_cut(struct pair *p)
{
    char *line = NULL;

    while (line == NULL && is_asked(p) && ho_control_read(&p->lab, 0) == 0) {
        line = ho_control_line(&p->lab);
    }
    return line != NULL && strcmp(line, "cut") == 0 &&
           ho_control_write(&p->lab, "done\n", 5, NULL, 0) == 0;
}

static void a_question_gets_its_answer(void **state)
{
    struct pair p;
    const char *answer = NULL;

    (void)state;
    open_pair(&p);
    pid_t lab = start_lab(&p, answer_cut);

    assert_int_equal(ho_control_ask(&p.client, "cut", &answer), 0);
    assert_string_equal(answer, "done");
    check_end(lab);
    close_pair(&p);
}

static void a_lab_that_has_gone_is_told(void **state)
{
    struct pair p;
    const char *answer = NULL;

    (void)state;
    open_pair(&p);
    ho_control_close(&p.lab);
    assert_int_equal(ho_control_ask(&p.client, "cut", &answer), -EPIPE);
    assert_null(answer);
    close_pair(&p);
}

/* It goes with the question in its hands. */
static bool go_when_asked(struct pair *p)
{
    return is_asked(p);
}

static void a_lab_that_goes_before_it_has_read_is_told(void **state)
{
    struct pair p;
    const char *answer = NULL;

    (void)state;
    open_pair(&p);
    pid_t lab = start_lab(&p, go_when_asked);

    close(p.lab.fd);
    p.lab.fd = -1;
    assert_int_equal(ho_control_ask(&p.client, "cut", &answer), -EPIPE);
    assert_null(answer);
    check_end(lab);
    close_pair(&p);
}

static void lines_come_out_whole_and_in_order_however_they_went_in(void **state)
{
    struct pair p;

    (void)state;
    open_pair(&p);
    assert_int_equal(ho_control_write(&p.client, "one\ntw", 6, NULL, 0), 0);
    assert_int_equal(ho_control_read(&p.lab, HO_CONTROL_LINE), 0);
    assert_string_equal(ho_control_line(&p.lab), "one");
    assert_null(ho_control_line(&p.lab));
    assert_int_equal(ho_control_write(&p.client, "o\n\n", 3, NULL, 0), 0);
    assert_int_equal(ho_control_read(&p.lab, HO_CONTROL_LINE), 0);
    assert_string_equal(ho_control_line(&p.lab), "two");
    assert_string_equal(ho_control_line(&p.lab), "");
    assert_null(ho_control_line(&p.lab));
    close_pair(&p);
}

static void a_line_without_end_is_an_error_and_not_memory(void **state)
{
    struct pair p;
    char text[4096];
    int err = 0;

    (void)state;
    open_pair(&p);
    memset(text, 'x', sizeof(text));
    for (int i = 0; i < 100 && err == 0; i++) {
        assert_int_equal(ho_control_write(&p.client, text, sizeof(text), NULL, 0), 0);
        err = ho_control_read(&p.lab, HO_CONTROL_LINE);
    }
    assert_int_equal(err, -EMSGSIZE);
    assert_true(p.lab.in_room <= (size_t)4 * HO_CONTROL_LINE);
    close_pair(&p);
}

static void a_client_that_does_not_read_is_given_up(void **state)
{
    struct pair p;
    char text[65536];
    int err = 0;
    size_t sent = 0;

    (void)state;
    open_pair(&p);
    memset(text, 'x', sizeof(text));
    for (; err == 0 && sent < (size_t)16 * HO_CONTROL_OUT; sent += sizeof(text)) {
        err = ho_control_write(&p.lab, text, sizeof(text), NULL, 0);
    }
    assert_int_equal(err, -ENOBUFS);
    assert_true(ho_control_waits(&p.lab));
    close_pair(&p);
}

static void descriptors_travel_with_a_line(void **state)
{
    struct pair p;
    int pipe_fd[2];
    char byte = 0;

    (void)state;
    open_pair(&p);
    assert_int_equal(pipe(pipe_fd), 0);
    assert_int_equal(ho_control_write(&p.lab, "here\n", 5, pipe_fd, 1), 0);
    assert_int_equal(ho_control_read(&p.client, 0), 0);
    assert_string_equal(ho_control_line(&p.client), "here");
    assert_int_equal(p.client.fd_count, 1);
    assert_int_not_equal(fcntl(p.client.fds[0], F_GETFD) & FD_CLOEXEC, 0);
    assert_int_equal(write(pipe_fd[1], "!", 1), 1);
    assert_int_equal(read(p.client.fds[0], &byte, 1), 1);
    assert_int_equal(byte, '!');
    close(pipe_fd[0]);
    close(pipe_fd[1]);
    close_pair(&p);
}

/* Knows the address and connects; whoever accepts must look. */
static void connect_as(uid_t uid, const char *name)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int len = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "halfopen/0/%s", name);
    int fd = setuid(uid) == 0 ? socket(AF_UNIX, SOCK_STREAM, 0) : -1;
    char byte;

    if (fd < 0 ||
        connect(fd, (const struct sockaddr *)&a,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) != 0) {
        _exit(2);
    }
    _exit(read(fd, &byte, 1) == 0 ? 0 : 1);
}

static void another_user_is_not_let_in(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    const char *name = own_name();
    int listener = ho_control_listen(name);

    assert_true(listener >= 0);
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        connect_as(65534, name);
    }
    struct pollfd p = { .fd = listener, .events = POLLIN };

    assert_int_equal(poll(&p, 1, 5000), 1);
    assert_int_equal(ho_control_accept(listener), -EACCES);
    int status = -1;

    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_found_while_its_lab_listens_and_free_afterwards),
        cmocka_unit_test(a_name_that_is_none_is_refused),
        cmocka_unit_test(a_question_gets_its_answer),
        cmocka_unit_test(a_lab_that_has_gone_is_told),
        cmocka_unit_test(a_lab_that_goes_before_it_has_read_is_told),
        cmocka_unit_test(lines_come_out_whole_and_in_order_however_they_went_in),
        cmocka_unit_test(a_line_without_end_is_an_error_and_not_memory),
        cmocka_unit_test(a_client_that_does_not_read_is_given_up),
        cmocka_unit_test(descriptors_travel_with_a_line),
        cmocka_unit_test(another_user_is_not_let_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
