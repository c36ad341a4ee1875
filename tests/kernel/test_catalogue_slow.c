/* The model is Linux: every case of the catalogue that ends within a minute is played on this
 * machine's kernel and on the model with that kernel's settings, and the two agree, event by event
 * (`halfopen compare`). What differs is played again, up to twice: on a busy machine a process can
 * be late by more than is allowed, and a segment then goes out with other things; what differs
 * every time is a disagreement.
 *
 * Scenarios that cannot be compared event by event stand below with the reason; they are played
 * on the kernel, and all of their expectations must be kept.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "cli/catalogue.h"
#include "cli/cli.h"
#include "os/room.h"

#define ATTEMPTS 3
#define ARGS_MAX 128

static const struct {
    const char *name, *why;
} not_compared[] = {
    { "cut-bulk-replug",
      "thousands of segments: how many bytes a send() and a recv() move depends on "
      "when the two processes run" },
    { "cut-heartbeat",
      "both programs beat in the same millisecond: whether an answer leaves alone or "
      "with the next beat depends on which process runs first" },
    { "hang-heartbeat", "the same" },
};

static const char *why_not(const char *name)
{
    for (size_t i = 0; i < sizeof(not_compared) / sizeof(not_compared[0]); i++) {
        if (strcmp(not_compared[i].name, name) == 0) {
            return not_compared[i].why;
        }
    }
    return NULL;
}

/* ---- the program ----------------------------------------------------------------------------- */

/* Runs `halfopen` with the arguments (its own name first, ended by NULL), its stdout into `out`.
 * Returns its code. */
static int halfopen(char **argv, FILE *out)
{
    int argc = 0, status = 0;
    pid_t pid;

    while (argv[argc] != NULL) {
        argc++;
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        dup2(fileno(out), STDOUT_FILENO);
        int code = ho_cli(argc, argv);
        fflush(stdout);
        _exit(code);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* The same with JSON as the result, to be deleted. */
static cJSON *halfopen_json(char **argv, int *ret_code)
{
    FILE *out = tmpfile();
    struct stat st;
    char *text;
    cJSON *json;

    assert_non_null(out);
    *ret_code = halfopen(argv, out);
    assert_int_equal(fstat(fileno(out), &st), 0);
    text = calloc(1, (size_t)st.st_size + 1);
    assert_non_null(text);
    assert_int_equal(pread(fileno(out), text, (size_t)st.st_size, 0), st.st_size);
    fclose(out);
    json = cJSON_Parse(text);
    free(text);
    assert_non_null(json);
    return json;
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* A play's last outcome. */
struct outcome {
    char name[160], first[160]; /* first: what differed first */
    bool alike;
    double worst_s, worst_step_s;
    int events, steps, attempts;
};

static struct outcome outcomes[512];
static size_t outcome_count;

static const char *text_of(const cJSON *o, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(o, name));

    return text != NULL ? text : "";
}

static struct outcome *outcome_of(const char *name, const char *words)
{
    char whole[160];

    snprintf(whole, sizeof(whole), words[0] != '\0' ? "%s (%s)" : "%s%s", name, words);
    for (size_t i = 0; i < outcome_count; i++) {
        if (strcmp(outcomes[i].name, whole) == 0) {
            return &outcomes[i];
        }
    }
    assert_true(outcome_count < sizeof(outcomes) / sizeof(outcomes[0]));
    memcpy(outcomes[outcome_count].name, whole, sizeof(whole));
    return &outcomes[outcome_count++];
}

static void put_first(struct outcome *o, const cJSON *kernel)
{
    const cJSON *row = cJSON_GetObjectItem(kernel, "first_difference");
    const cJSON *a = cJSON_GetObjectItem(row, "a"), *b = cJSON_GetObjectItem(row, "b");
    const cJSON *apart = cJSON_GetObjectItem(row, "apart_s");

    snprintf(o->first, sizeof(o->first), "%s: model %s, kernel %s (%.3f ms)", text_of(row, "host"),
             cJSON_IsObject(a) ? text_of(a, "what") : "-",
             cJSON_IsObject(b) ? text_of(b, "what") : "-",
             cJSON_IsNumber(apart) ? apart->valuedouble * 1000 : 0.0);
}

static void see_play(const cJSON *play)
{
    struct outcome *o = outcome_of(text_of(play, "name"), text_of(play, "case"));

    if (o->alike) {
        return; /* a case of a scenario of which another one is looked at again */
    }
    o->attempts++;
    o->alike = cJSON_IsTrue(cJSON_GetObjectItem(play, "alike"));
    if (cJSON_IsFalse(cJSON_GetObjectItem(play, "compared"))) {
        snprintf(o->first, sizeof(o->first), "not compared: %s", text_of(play, "why"));
        return;
    }
    const cJSON *kernel = cJSON_GetArrayItem(cJSON_GetObjectItem(play, "engines"), 0);

    o->worst_s = cJSON_GetNumberValue(cJSON_GetObjectItem(kernel, "worst_s"));
    o->worst_step_s = cJSON_GetNumberValue(cJSON_GetObjectItem(kernel, "worst_step_s"));
    o->events = (int)cJSON_GetNumberValue(cJSON_GetObjectItem(kernel, "events"));
    o->steps = (int)cJSON_GetNumberValue(cJSON_GetObjectItem(kernel, "steps"));
    if (!o->alike) {
        put_first(o, kernel);
    }
}

/* Is there still something to be compared of this scenario? */
static bool is_open(const char *name, int attempt)
{
    size_t len = strlen(name);

    if (attempt == 1) {
        return why_not(name) == NULL;
    }
    for (size_t i = 0; i < outcome_count; i++) {
        if (!outcomes[i].alike && strncmp(outcomes[i].name, name, len) == 0 &&
            (outcomes[i].name[len] == '\0' || outcomes[i].name[len] == ' ')) {
            return true;
        }
    }
    return false;
}

/* Returns whether there was anything to do. */
static bool compare_all(int attempt)
{
    char words[][24] = { "halfopen", "compare",       "--engine",  "kernel", "--format",
                         "json",     "--differences", "--longest", "60s",    "-j12" };
    static char names[ARGS_MAX][64];
    char *argv[ARGS_MAX + 1];
    const cJSON *play;
    size_t n = 0, options = sizeof(words) / sizeof(words[0]);
    int code;

    for (; n < options; n++) {
        argv[n] = words[n];
    }
    for (size_t i = 0; i < ho_catalogue_count && n < ARGS_MAX; i++) {
        if (is_open(ho_catalogue[i].name, attempt)) {
            snprintf(names[n], sizeof(names[n]), "%s", ho_catalogue[i].name);
            argv[n] = names[n];
            n++;
        }
    }
    argv[n] = NULL;
    if (n == options) {
        return false;
    }
    cJSON *json = halfopen_json(argv, &code);

    cJSON_ArrayForEach(play, cJSON_GetObjectItem(json, "plays"))
    {
        see_play(play);
    }
    cJSON_Delete(json);
    return true;
}

static void the_catalogue_agrees_with_this_kernel(void **state)
{
    size_t alike = 0;

    (void)state;
    for (int attempt = 1; attempt <= ATTEMPTS && compare_all(attempt); attempt++) {
    }
    for (size_t i = 0; i < outcome_count; i++) {
        const struct outcome *o = &outcomes[i];

        alike += o->alike;
        if (o->alike) {
            print_message("%-44s %5d events within %6.3f ms, %d steps up to %.1f ms, attempt %d\n",
                          o->name, o->events, o->worst_s * 1000, o->steps, o->worst_step_s * 1000,
                          o->attempts);
        } else {
            print_message("%-44s DIFFERS: %s\n", o->name, o->first);
        }
    }
    print_message("%zu of %zu agree\n", alike, outcome_count);
    assert_true(outcome_count >= 60);
    assert_int_equal(alike, outcome_count);
}

/* ---- what is not compared -------------------------------------------------------------------- */

static void what_cannot_be_compared_keeps_its_expectations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(not_compared) / sizeof(not_compared[0]); i++) {
        char name[64], words[][24] = { "halfopen", "run", "--engine", "kernel", "--format", "tap" };
        char *argv[] = { words[0], words[1], words[2], words[3], words[4], words[5], name, NULL };
        FILE *out = tmpfile();
        int code;

        assert_non_null(out);
        snprintf(name, sizeof(name), "%s", not_compared[i].name);
        code = halfopen(argv, out);
        fclose(out);
        print_message("%-44s not compared: %s\n", not_compared[i].name, not_compared[i].why);
        assert_int_equal(code, HO_EXIT_OK);
    }
}

static int no_work(void *arg)
{
    (void)arg;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_catalogue_agrees_with_this_kernel),
        cmocka_unit_test(what_cannot_be_compared_keeps_its_expectations),
    };
    struct ho_os_room room;
    char why[HO_OS_WHY] = "";

    if (ho_os_room_start(&room, NULL, no_work, NULL, why) != 0) {
        fprintf(stderr, "skipped: %s\n", why);
        return 77;
    }
    ho_os_room_free(&room);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
