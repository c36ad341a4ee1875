#define _GNU_SOURCE
/* See support/in_room.h. */

#include "support/in_room.h"

#include <grp.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/room.h"

#define USER 65534

void in_room_failed(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "%s:%d: not so in the room: %s\n", file, line, what);
    (void)fflush(NULL);
    _exit(1);
}

void in_room_become_user(void)
{
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(USER, USER, USER) != 0 ||
                           setresuid(USER, USER, USER) != 0)) {
        perror("becoming an ordinary user");
        _exit(99);
    }
}

static int run(enum in_room_form form, int (*body)(void *arg), void *arg)
{
    struct ho_os_room_options options = { .user_namespace = form == IN_ROOM_USER };
    struct ho_os_exit end = { .status = 0 };
    struct ho_os_room room;
    char why[HO_OS_WHY];

    if (form == IN_ROOM_USER) {
        in_room_become_user();
    }
    if (ho_os_room_start(&room, &options, body, arg, why) != 0) {
        (void)fprintf(stderr, "no room: %s\n", why);
        return 99;
    }
    int err = ho_os_room_wait(&room, &end);

    ho_os_room_free(&room);
    return err != 0 ? 98 : end.signal != 0 ? 128 + end.signal : end.status;
}

int in_room(enum in_room_form form, int (*body)(void *arg), void *arg)
{
    int status = 0;

    (void)fflush(NULL);
    pid_t pid = fork();

    if (pid == 0) {
        _exit(run(form, body, arg));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        return 97;
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

bool in_room_allowed(enum in_room_form form)
{
    return in_room(form, nothing, NULL) != 99;
}
