/* The store of virtual kernels (kernel/store.h) and recipes (os/build.h). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/store.h"
#include "os/build.h"

static char folder[64]; /* of this test */

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "%s", "halfopen-store-XXXXXX");
    const char *tmp = getenv("TMPDIR");

    if (chdir(tmp != NULL ? tmp : P_tmpdir) != 0 || mkdtemp(folder) == NULL) {
        return -1;
    }
    char cache[4096];

    if (getcwd(cache, sizeof(cache) - sizeof(folder) - 1) == NULL) {
        return -1;
    }
    snprintf(cache + strlen(cache), sizeof(cache) - strlen(cache), "/%s", folder);
    unsetenv("HALFOPEN_KERNEL");
    return setenv("XDG_CACHE_HOME", cache, 1);
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf ./%s", folder);
    return system(command);
}

/* A file that can be executed, in the test's folder. Returns its path. */
static const char *program(const char *name)
{
    static char path[4200];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", getenv("XDG_CACHE_HOME"), name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("#!/bin/sh\n", f);
    fclose(f);
    assert_int_equal(chmod(path, 0755), 0);
    return path;
}

static void add(const char *version, uint32_t hz)
{
    struct ho_store_kernel k;

    assert_int_equal(ho_store_add(&k, program("linux"), version, hz, "0123456789abcdef"), 0);
    assert_string_equal(k.version, version);
    assert_int_equal(k.hz, hz);
}

static void what_was_added_is_listed_newest_version_first(void **state)
{
    struct ho_store_kernel *all;

    (void)state;
    assert_int_equal(ho_store_list(&all), 0);
    add("6.1.192", 250);
    add("6.12.117", 1000);
    add("6.12.117", 250);
    add("6.2.9", 250);
    assert_int_equal(ho_store_list(&all), 4);
    assert_string_equal(all[0].name, "6.12.117-hz250-0123456789abcdef");
    assert_string_equal(all[1].name, "6.12.117-hz1000-0123456789abcdef");
    assert_string_equal(all[2].version, "6.2.9");
    assert_string_equal(all[3].version, "6.1.192");
    assert_int_equal(all[0].bytes, 10);
    free(all);
}

static void what_is_asked_for_is_found(void **state)
{
    struct ho_store_kernel k = { .hz = 0 };

    (void)state;
    assert_int_equal(ho_store_find(&k, NULL, 0), 0);
    assert_string_equal(k.name, "6.12.117-hz250-0123456789abcdef");
    assert_int_equal(ho_store_find(&k, NULL, 1000), 0);
    assert_int_equal(k.hz, 1000);
    assert_int_equal(ho_store_find(&k, "6.1.", 0), 0);
    assert_string_equal(k.version, "6.1.192");
    assert_int_equal(ho_store_find(&k, NULL, 300), -ENOENT);
    assert_int_equal(ho_store_find(&k, "7", 0), -ENOENT);
}

static void the_variable_names_one_that_lies_anywhere(void **state)
{
    struct ho_store_kernel k = { .hz = 0 }, stored;

    (void)state;
    setenv("HALFOPEN_KERNEL", program("mine"), 1);
    assert_int_equal(ho_store_find(&k, NULL, 1000), 0);
    assert_string_equal(k.path, getenv("HALFOPEN_KERNEL"));
    assert_int_equal(k.hz, 0); /* nobody knows */
    setenv("HALFOPEN_KERNEL", "no-such-file", 1);
    assert_int_equal(ho_store_find(&k, NULL, 0), -EACCES);
    unsetenv("HALFOPEN_KERNEL");

    /* A folder of the store is as good as the file in it. */
    assert_int_equal(ho_store_find(&stored, NULL, 1000), 0);
    *strrchr(stored.path, '/') = '\0';
    setenv("HALFOPEN_KERNEL", stored.path, 1);
    assert_int_equal(ho_store_find(&k, NULL, 0), 0);
    assert_int_equal(k.hz, 1000);
    assert_string_equal(k.version, "6.12.117");
    unsetenv("HALFOPEN_KERNEL");
}

static void what_was_removed_is_gone(void **state)
{
    struct ho_store_kernel *all;

    (void)state;
    int n = ho_store_list(&all);

    for (int i = 0; i < n; i++) {
        assert_int_equal(ho_store_remove(&all[i]), 0);
    }
    free(all);
    assert_int_equal(ho_store_list(&all), 0);
}

static void other_files_in_the_folder_are_no_kernels(void **state)
{
    char path[HO_STORE_PATH];
    struct ho_store_kernel *all;

    (void)state;
    assert_int_equal(ho_store_folder(path), 0);
    strncat(path, "/6.12-hz250", sizeof(path) - strlen(path) - 1);
    assert_int_equal(ho_store_mkdir(path), 0);
    assert_int_equal(ho_store_list(&all), 0);
    rmdir(path);
}

/* ---- recipes --------------------------------------------------------------------------------- */

struct seen {
    unsigned lines;
    char last[256];
};

static void see(void *self, const char *line)
{
    struct seen *s = self;

    s->lines++;
    snprintf(s->last, sizeof(s->last), "%s", line);
}

/* Asks for the end as soon as the recipe has said something: by then whoever runs it waits for
 * signals.
 */
static void interrupt(void *self, const char *line)
{
    see(self, line);
    assert_int_equal(kill(getpid(), SIGINT), 0);
}

static int run_and(void (*line)(void *self, const char *line), const char *script,
                   struct seen *seen, char *ret_last, size_t size)
{
    static const char config[] = "CONFIG\n";
    const char *const args[] = { "one", "two", NULL };
    struct ho_os_build b;
    int status = -1;

    *seen = (struct seen){ .lines = 0 };
    assert_int_equal(ho_os_build_start(&b, getenv("XDG_CACHE_HOME"), script, strlen(script), config,
                                       sizeof(config) - 1, args),
                     0);
    assert_int_equal(ho_os_build_run(&b, line, seen, &status), 0);
    if (ret_last != NULL) {
        snprintf(ret_last, size, "%s", ho_os_build_last(&b));
    }
    ho_os_build_end(&b);
    return status;
}

static int run(const char *script, struct seen *seen, char *ret_last, size_t size)
{
    return run_and(see, script, seen, ret_last, size);
}

/* Folders of recipes that are left. */
static unsigned left(void)
{
    DIR *d = opendir(getenv("XDG_CACHE_HOME"));
    const struct dirent *e;
    unsigned n = 0;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        n += strncmp(e->d_name, "building-", 9) == 0;
    }
    closedir(d);
    return n;
}

static void a_recipe_gets_its_arguments_and_leaves_nothing(void **state)
{
    struct seen seen;

    (void)state;
    assert_int_equal(run("touch \"$3/file\"; mkdir \"$3/d\"; echo x; echo \"$1 $2 $(cat \"$4\")\"",
                         &seen, NULL, 0),
                     0);
    assert_int_equal(seen.lines, 2);
    assert_string_equal(seen.last, "one two CONFIG");
    assert_int_equal(left(), 0);
}

static void a_recipe_that_fails_tells_its_status_and_last_lines(void **state)
{
    struct seen seen;
    char last[HO_OS_BUILD_LAST];

    (void)state;
    assert_int_equal(run("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; "
                         "echo broken >&2; exit 7",
                         &seen, last, sizeof(last)),
                     7);
    assert_int_equal(seen.lines, 2001);
    assert_non_null(strstr(last, "line 1999\nbroken\n"));
    assert_true(strncmp(last, "line ", 5) == 0);
    assert_int_equal(left(), 0);
}

static void an_interrupted_recipe_ends_with_all_it_started(void **state)
{
    struct seen seen;

    (void)state;
    assert_int_equal(run_and(interrupt, "sleep 60 & echo up; sleep 60", &seen, NULL, 0),
                     128 + SIGINT);
    assert_int_equal(seen.lines, 1);
    assert_int_equal(left(), 0);
}

/* A process that starts a recipe, reads its first byte, and is killed: at once, or when the recipe
 * has ended.
 */
static void make_and_be_killed(const char *script, bool at_once)
{
    pid_t child = fork();

    if (child == 0) {
        const char *const args[] = { NULL };
        struct ho_os_build b;
        char byte;

        if (ho_os_build_start(&b, getenv("XDG_CACHE_HOME"), script, strlen(script), "", 0, args) !=
                0 ||
            read(b.out, &byte, 1) != 1 || (!at_once && waitpid(b.pid, NULL, 0) != b.pid)) {
            _exit(1);
        }
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
}

static void a_recipe_whose_maker_was_killed_ends_and_leaves_nothing(void **state)
{
    (void)state;
    make_and_be_killed("echo; sleep 61", true);
    for (int i = 0; i < 1000 && left() != 0; i++) {
        usleep(10000);
    }
    assert_int_equal(left(), 0);
}

/* The recipe was done: nobody was there any more to remove it. */
static void a_folder_whose_maker_was_killed_is_removed_by_the_next(void **state)
{
    struct seen seen;

    (void)state;
    make_and_be_killed("echo", false);
    assert_int_equal(left(), 1);
    assert_int_equal(run("true", &seen, NULL, 0), 0);
    assert_int_equal(left(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_listed_newest_version_first),
        cmocka_unit_test(what_is_asked_for_is_found),
        cmocka_unit_test(the_variable_names_one_that_lies_anywhere),
        cmocka_unit_test(what_was_removed_is_gone),
        cmocka_unit_test(other_files_in_the_folder_are_no_kernels),
        cmocka_unit_test(a_recipe_gets_its_arguments_and_leaves_nothing),
        cmocka_unit_test(a_recipe_that_fails_tells_its_status_and_last_lines),
        cmocka_unit_test(an_interrupted_recipe_ends_with_all_it_started),
        cmocka_unit_test(a_recipe_whose_maker_was_killed_ends_and_leaves_nothing),
        cmocka_unit_test(a_folder_whose_maker_was_killed_is_removed_by_the_next),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
