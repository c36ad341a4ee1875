/* Running a guest (kernel/guest.h), on a stand-in: a shell script that is called as a virtual
 * kernel is. What it sees, what comes back from it, and every way in which it can end.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/guest.h"
#include "kernel/guest_files.h"

#define RESULT "printf 'halfopen-result 1 3 0 5 0\\nonethree' >out/result\n"

static char folder[64]; /* of this test */
static char kernel[96]; /* the stand-in */
static char parent[96]; /* where its folders are made */
static char said[96];   /* a file that it writes, for the test */
static char *const words[] = { (char *)(size_t) "halfopen", (char *)(size_t) "run",
                               (char *)(size_t) "a b", NULL };

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "%s/halfopen-test-XXXXXX", P_tmpdir);
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(kernel, sizeof(kernel), "%s/linux", folder);
    snprintf(said, sizeof(said), "%s/said", folder);
    snprintf(parent, sizeof(parent), "%s/parent", folder);
    return mkdir(parent, 0700);
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static void write_kernel(const char *script)
{
    FILE *f = fopen(kernel, "w");

    assert_non_null(f);
    fprintf(f, "#!/bin/sh\n%s", script);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(kernel, 0755), 0);
}

static void read_said(char *ret, size_t size)
{
    FILE *f = fopen(said, "r");

    assert_non_null(f);
    ret[fread(ret, 1, size - 1, f)] = '\0';
    fclose(f);
}

static struct ho_guest_job job(void)
{
    return (struct ho_guest_job){ .kernel = kernel,
                                  .program = "/bin/true",
                                  .parent = parent,
                                  .seed = 77,
                                  .patience = ho_ns(HO_NS_PER_S),
                                  .argv = words,
                                  .item = 5 };
}

static void assert_nothing_left(void)
{
    DIR *d = opendir(parent);
    const struct dirent *e;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        assert_true(e->d_name[0] == '.');
    }
    closedir(d);
}

/* Runs the script; returns what ho_guest_run() does. */
static int run(const char *script, struct ho_guest_result *ret, char why[HO_GUEST_WHY])
{
    struct ho_guest_job j = job();
    int sig = 0;

    write_kernel(script);
    int err = ho_guest_run(&j, ret, &sig, why);

    assert_int_equal(sig, 0);
    assert_nothing_left();
    return err;
}

static void test_its_command_line_and_environment_are_the_same_for_every_guest(void **state)
{
    char script[512], text[2048], why[HO_GUEST_WHY];
    struct ho_guest_result r;

    (void)state;
    snprintf(script, sizeof(script),
             "{ echo \"$*\"; env | grep -v '^\\(PWD\\|_\\|SHLVL\\|OLDPWD\\)=' | sort; readlink "
             "init; } >%s\n" RESULT,
             said);
    assert_int_equal(run(script, &r, why), 0);
    ho_guest_result_free(&r);
    read_said(text, sizeof(text));
    assert_string_equal(
        text, "mem=1G uml_dir=tmp umid=vt root=/dev/root rootfstype=hostfs rootflags=/ ro "
              "time-travel-start=1700000000000000000 con=null con0=null,fd:1 quiet panic=-1 "
              "init=/proc/self/cwd/init time-travel=inf-cpu -- guest\n"
              "HALFOPEN_SEED=77\nHOME=/\nTMPDIR=tmp\n/usr/bin/true\n");
}

static void test_where_computing_takes_time_the_clock_is_told(void **state)
{
    char script[512], text[2048], why[HO_GUEST_WHY];
    struct ho_guest_result r;
    struct ho_guest_job j = job();
    int sig = 0;

    (void)state;
    j.spin = true;
    snprintf(script, sizeof(script), "echo \"$*\" >%s\n" RESULT, said);
    write_kernel(script);
    assert_int_equal(ho_guest_run(&j, &r, &sig, why), 0);
    ho_guest_result_free(&r);
    read_said(text, sizeof(text));
    assert_non_null(strstr(text, " time-travel -- guest\n"));
}

static void test_the_job_says_what_is_to_be_done_and_where(void **state)
{
    char script[512], text[4096], here[2048], line[4096], why[HO_GUEST_WHY];
    struct ho_guest_result r;

    (void)state;
    snprintf(script, sizeof(script), "tr '\\0' '\\n' <job >%s; cat </dev/stdin >>%s\n" RESULT, said,
             said);
    assert_int_equal(setenv("LC_TEST", "x=y", 1), 0);
    assert_int_equal(setenv("UNRELATED", "1", 1), 0);
    assert_int_equal(run(script, &r, why), 0);
    ho_guest_result_free(&r);
    read_said(text, sizeof(text));
    assert_non_null(getcwd(here, sizeof(here)));
    snprintf(line, sizeof(line), "\ncwd=%s\nitem=5\nuid=%u\ngid=%u\ncolour=0\n", here, geteuid(),
             getegid());
    assert_non_null(strstr(text, line));
    assert_non_null(strstr(text, "\nenv=LC_TEST=x=y\n"));
    assert_null(strstr(text, "UNRELATED"));
    assert_non_null(strstr(text, "\narg=halfopen\narg=run\narg=a b\n"));
}

static void test_what_it_hands_back_comes_back(void **state)
{
    char why[HO_GUEST_WHY];
    struct ho_guest_result r;

    (void)state;
    assert_int_equal(run("echo heard >out/said\n" RESULT, &r, why), 0);
    assert_int_equal(r.code, 1);
    assert_string_equal(ho_text_str(&r.part[0]), "one");
    assert_int_equal(r.part[1].len, 0);
    assert_string_equal(ho_text_str(&r.part[2]), "three");
    assert_int_equal(r.part[3].len, 0);
    assert_string_equal(ho_text_str(&r.said), "heard\n");
    ho_guest_result_free(&r);
}

static void test_a_result_that_is_cut_off_is_none(void **state)
{
    char why[HO_GUEST_WHY];
    struct ho_guest_result r;

    (void)state;
    assert_int_equal(run("printf 'halfopen-result 0 30 0 5 0\\none' >out/result\n", &r, why), -EIO);
    assert_non_null(strstr(why, "cannot be read"));
    assert_int_equal(run("echo 'nonsense' >out/result\n", &r, why), -EIO);
    assert_non_null(strstr(why, "cannot be read"));
}

static void test_a_panic_is_told_in_one_line(void **state)
{
    char why[HO_GUEST_WHY];
    struct ho_guest_result r;

    (void)state;
    assert_int_equal(run("echo 'Kernel panic - not syncing: No working init found.'\n"
                         "echo 'Call Trace:'\nexit 1\n",
                         &r, why),
                     -EIO);
    assert_string_equal(why, "the virtual kernel ended before it was done (status 1): its kernel "
                             "panicked: No working init found.");
}

static void test_a_kernel_that_cannot_boot_is_told_by_its_last_line(void **state)
{
    char why[HO_GUEST_WHY];
    struct ho_guest_result r;

    (void)state;
    assert_int_equal(run("echo 'Checking ptrace'; echo 'ptrace: Operation not permitted' >&2\n"
                         "kill -ABRT $$\n",
                         &r, why),
                     -EIO);
    assert_string_equal(why,
                        "the virtual kernel ended before it was done (signal 6): its console's "
                        "last line: ptrace: Operation not permitted");
}

static void test_what_the_program_inside_says_explains_most(void **state)
{
    char why[HO_GUEST_WHY];
    struct ho_guest_result r;

    (void)state;
    assert_int_equal(run("echo console; echo 'halfopen: no such file' >out/said\n", &r, why), -EIO);
    assert_string_equal(why,
                        "the virtual kernel ended before it was done; inside: halfopen: no such "
                        "file");
}

static void test_a_kernel_that_is_not_there_is_told(void **state)
{
    char why[HO_GUEST_WHY];
    struct ho_guest_result r;
    struct ho_guest_job j = job();
    int sig = 0;

    (void)state;
    j.kernel = "/nowhere/linux";
    assert_int_equal(ho_guest_run(&j, &r, &sig, why), -EIO);
    assert_non_null(strstr(why, "/nowhere/linux: No such file or directory"));
    assert_nothing_left();
}

static void test_one_that_waits_for_ever_is_ended(void **state)
{
    char why[HO_GUEST_WHY];
    struct ho_guest_result r;

    (void)state;
    assert_int_equal(run("exec sleep 1000\n", &r, why), -ETIMEDOUT);
    assert_string_equal(why,
                        "the virtual kernel made no progress for 1 s and was ended: everything "
                        "in it waits for something that never happens");
}

static void test_one_that_computes_for_ever_is_ended(void **state)
{
    char why[HO_GUEST_WHY];
    struct ho_guest_result r;

    (void)state;
    assert_int_equal(run("while :; do :; done\n", &r, why), -ETIMEDOUT);
    assert_non_null(strstr(why, "wait by asking for the time again and again? With --spin"));
}

static void test_one_that_gets_on_may_take_its_time(void **state)
{
    char why[HO_GUEST_WHY];
    struct ho_guest_result r;

    (void)state;
    assert_int_equal(
        run("for i in 1 2 3 4 5 6; do sleep 0.5; echo $i >out/progress; done\n" RESULT, &r, why),
        0);
    ho_guest_result_free(&r);
}

/* ---- every way to end ------------------------------------------------------------------------ */

static void nap(void)
{
    struct timespec t = { .tv_nsec = 20000000 };

    nanosleep(&t, NULL);
}

/* The pid that the stand-in has written to the file. */
static pid_t wait_for_pid(void)
{
    char text[32] = "";
    int pid = 0;

    for (int i = 0; i < 500 && pid == 0; i++) {
        nap();
        if (access(said, R_OK) == 0) {
            read_said(text, sizeof(text));
            pid = strchr(text, '\n') != NULL ? (int)strtol(text, NULL, 10) : 0;
        }
    }
    assert_true(pid > 0);
    return pid;
}

static void assert_gone(pid_t pid)
{
    for (int i = 0; i < 500 && kill(pid, 0) == 0; i++) {
        nap();
    }
    assert_true(kill(pid, 0) != 0 && errno == ESRCH);
}

/* A child that runs a guest which never ends; it exits with the signal that ended that. */
static pid_t start_endless(void)
{
    char script[512];
    pid_t child;

    snprintf(script, sizeof(script), "echo $$ >%s\nexec sleep 1000\n", said);
    write_kernel(script);
    child = fork();
    if (child == 0) {
        struct ho_guest_job j = job();
        struct ho_guest_result r;
        char why[HO_GUEST_WHY];
        int sig = 0;

        j.patience = ho_ns(600 * HO_NS_PER_S);
        _exit(ho_guest_run(&j, &r, &sig, why) == -EINTR ? sig : 99);
    }
    return child;
}

static void test_an_interrupt_ends_it_and_leaves_nothing(void **state)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        pid_t child = start_endless();
        pid_t guest = wait_for_pid();
        int status;

        assert_int_equal(kill(child, signals[i]), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(WEXITSTATUS(status), signals[i]);
        assert_gone(guest);
        assert_nothing_left();
        unlink(said);
    }
}

static void test_a_kill_of_its_maker_ends_it_and_the_next_cleans_up(void **state)
{
    pid_t child = start_endless();
    pid_t guest = wait_for_pid();
    char why[HO_GUEST_WHY];
    struct ho_guest_result r;

    (void)state;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_gone(guest);
    assert_int_equal(run(RESULT, &r, why), 0);
    ho_guest_result_free(&r);
}

static void test_two_at_once_do_not_meet(void **state)
{
    pid_t child = start_endless();
    pid_t guest = wait_for_pid();
    struct ho_guest_job j = job();
    struct ho_guest_result r;
    char why[HO_GUEST_WHY];
    int sig = 0;

    (void)state;
    write_kernel(RESULT); /* the other has read its own */
    assert_int_equal(ho_guest_run(&j, &r, &sig, why), 0);
    ho_guest_result_free(&r);
    assert_int_equal(kill(guest, 0), 0);
    assert_int_equal(kill(child, SIGTERM), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_nothing_left();
}

/* ---- texts ----------------------------------------------------------------------------------- */

static void test_a_job_is_read_as_it_was_written(void **state)
{
    struct ho_guest_job j = job();
    struct ho_guest_inside g;
    struct ho_text text = { 0 };
    const char *cwd, *dir;

    (void)state;
    j.colour = true;
    j.told = "{\"a\":1}\n{\"b=\":2}\n";
    ho_guest_put_job(&text, &j, "/a/b=c", "/dev/shm/x");
    ho_text_char(&text, '\0');
    assert_int_equal(ho_guest_read_job(&g, text.s, text.len - 1, &cwd, &dir), 0);
    assert_string_equal(cwd, "/a/b=c");
    assert_string_equal(dir, "/dev/shm/x");
    assert_int_equal(g.argc, 3);
    assert_string_equal(g.argv[2], "a b");
    assert_null(g.argv[3]);
    assert_int_equal(g.item, 5);
    assert_true(g.colour);
    assert_string_equal(g.told, j.told);
    free(g.argv);
    (void)clearenv(); /* it points into the text */
    ho_text_free(&text);
}

static void test_a_job_without_a_program_is_refused(void **state)
{
    char text[] = "cwd=/\0folder=/x\0";
    struct ho_guest_inside g;
    const char *cwd, *dir;

    (void)state;
    assert_int_equal(ho_guest_read_job(&g, text, sizeof(text) - 1, &cwd, &dir), -EINVAL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_its_command_line_and_environment_are_the_same_for_every_guest),
        T(test_where_computing_takes_time_the_clock_is_told),
        T(test_the_job_says_what_is_to_be_done_and_where),
        T(test_what_it_hands_back_comes_back),
        T(test_a_result_that_is_cut_off_is_none),
        T(test_a_panic_is_told_in_one_line),
        T(test_a_kernel_that_cannot_boot_is_told_by_its_last_line),
        T(test_what_the_program_inside_says_explains_most),
        T(test_a_kernel_that_is_not_there_is_told),
        T(test_one_that_waits_for_ever_is_ended),
        T(test_one_that_computes_for_ever_is_ended),
        T(test_one_that_gets_on_may_take_its_time),
        T(test_an_interrupt_ends_it_and_leaves_nothing),
        T(test_a_kill_of_its_maker_ends_it_and_the_next_cleans_up),
        T(test_two_at_once_do_not_meet),
        T(test_a_job_is_read_as_it_was_written),
        T(test_a_job_without_a_program_is_refused),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
