/* Texts of /proc/PID as kernels and container engines write them (os/procfs.h). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "os/procfs.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static bool socket_of(const char *text, uint64_t *ret)
{
    return ho_os_procfs_socket(text, strlen(text), ret);
}

static void sockets_are_told_from_other_files(void **state)
{
    uint64_t inode = 7;

    (void)state;
    assert_true(socket_of("socket:[12345]", &inode) && inode == 12345);
    inode = 7;
    assert_false(socket_of("pipe:[12345]", &inode));
    assert_false(socket_of("socket:[12", &inode));
    assert_false(socket_of("socket:[]", &inode));
    assert_false(socket_of("socket:[-1]", &inode));
    assert_false(socket_of("socket:[1] (deleted)", &inode));
    assert_false(socket_of("socket:[99999999999999999999999]", &inode));
    assert_false(socket_of("", &inode));
    assert_int_equal(inode, 7);
    assert_true(ho_os_procfs_netns("net:[4026531840]", 16, &inode) && inode == 4026531840);
    assert_false(ho_os_procfs_netns("mnt:[4026531840]", 16, &inode));
}

static void check_comm(const char *text, size_t len, const char *expected)
{
    char comm[HO_OS_COMM];

    ho_os_procfs_comm(comm, text, len);
    assert_string_equal(comm, expected);
}

static void a_name_cannot_reach_the_terminal_as_more_than_a_name(void **state)
{
    (void)state;
    check_comm("nginx\n", 6, "nginx");
    check_comm("my worker\n", 10, "my worker");
    check_comm("\033[2J\007\n", 6, "?[2J?");
    check_comm("a\nb\n", 4, "a?b");
    check_comm("\n\n", 2, "?");
    check_comm("\x9b\xc2\x9b\x7f\n", 5, "???"); /* C1 as a byte, as UTF-8 */
    check_comm("", 0, "");
    check_comm("more than fifteen letters", 25, "more than fifte");
}

static void a_name_in_any_writing_stays_what_it_is(void **state)
{
    (void)state;
    check_comm("caf\xc3\xa9\n", 6, "caf\xc3\xa9");
    check_comm("\xe6\x97\xa5\xe6\x9c\xac\n", 7, "\xe6\x97\xa5\xe6\x9c\xac");
    check_comm("\xf0\x9f\x90\x98\n", 5, "\xf0\x9f\x90\x98");
    check_comm("e\xcc\x81\n", 4, "e\xcc\x81"); /* combining: shown as base/words.h has it */
    check_comm("a\xc3\xa9\xff\xc3\n", 6, "a\xc3\xa9??");
    check_comm("\xc0\xaf\xed\xa0\x80\n", 6, "?????"); /* too long a form; a surrogate */
    /* What the kernel cut, and what would have to be cut here. */
    check_comm("123456789012\xf0\x9f\x90\n", 16, "123456789012???");
    check_comm("12345678901234\xc3\xa9\n", 17, "12345678901234");
    check_comm("1234567890123\xc3\xa9\n", 16, "1234567890123\xc3\xa9");
}

static void check_container(const char *text, const char *expected)
{
    char container[HO_OS_CONTAINER];

    ho_os_procfs_container(container, text, strlen(text));
    assert_string_equal(container, expected);
}

static void containers_are_known_by_their_id(void **state)
{
    (void)state;
    check_container("0::/system.slice/docker-" ID ".scope\n", ID);
    check_container("12:pids:/docker/" ID "\n0::/system.slice/containerd.service\n", ID);
    check_container("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0d1a.slice/"
                    "cri-containerd-" ID ".scope\n",
                    ID);
    check_container("0::/kubepods/besteffort/pod0d1a/" ID "\n", ID);
    check_container("0::/machine.slice/libpod-" ID ".scope/container\n", ID);
    check_container("0::/system.slice/crio-" ID ".scope\n", ID);
}

static void units_are_known_by_their_name(void **state)
{
    (void)state;
    check_container("0::/system.slice/nginx.service\n", "nginx.service");
    check_container("0::/system.slice/system-postgresql.slice/postgresql@15-main.service\n",
                    "postgresql@15-main.service");
    check_container("0::/user.slice/user-1000.slice/session-2.scope\n", "session-2.scope");
    check_container("0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.service\n",
                    "a.service");
    check_container("0::/lxc.payload.web/x\n", "web");
    check_container("4:cpu:/lxc/web\n", "web");
    check_container("1:name=systemd:/system.slice/a\033.service\n", "a?.service");
}

static void most_processes_are_in_none(void **state)
{
    (void)state;
    check_container("0::/\n", "");
    check_container("", "");
    check_container("0::/user.slice\n", "");
    check_container("no colon\n:\n::\n", "");
    check_container("0::/docker/0123456789abcdef\n", ""); /* too short for an id */
    check_container("0::/docker/" ID "0\n", "");          /* and too long */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_are_told_from_other_files),
        cmocka_unit_test(a_name_cannot_reach_the_terminal_as_more_than_a_name),
        cmocka_unit_test(a_name_in_any_writing_stays_what_it_is),
        cmocka_unit_test(containers_are_known_by_their_id),
        cmocka_unit_test(units_are_known_by_their_name),
        cmocka_unit_test(most_processes_are_in_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
