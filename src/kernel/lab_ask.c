/* A client's questions. Each is an object with `do`; whatever else it has must be known, so that a
 * slip of the pen is told and not overlooked.
 */

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/lab_state.h"
#include "os/enter.h"
#include "scenario/runner.h"

struct question {
    struct ho_lab *lab;
    struct ho_lab_client *client;
    const cJSON *json;
    struct ho_text *answer; /* what follows `"ok":true` */
    int fd[HO_ENTER_COUNT]; /* that go with the answer */
    unsigned fd_count;
    unsigned column; /* of a mistake in a step */
    char error[sizeof(((struct ho_scn_error *)0)->text)];
};

/* Says what was wrong. Returns -EINVAL. */
__attribute__((format(printf, 2, 3))) static int refuse(struct question *q, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(q->error, sizeof(q->error), format, args);
    va_end(args);
    return -EINVAL;
}

/* The text of a key; NULL, refused, if it is not there. */
static const char *text_of(struct question *q, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(q->json, key);

    if (!cJSON_IsString(v)) {
        refuse(q, "%s: expected a text", key);
        return NULL;
    }
    return v->valuestring;
}

/* ---- step ------------------------------------------------------------------------------------ */

/* Some of a plug's or kill's steps may have been done when one is refused: the session keeps it. */
static int run_steps(struct question *q, const struct ho_step *steps, size_t count)
{
    const struct ho_engine *engine = q->lab->conf->engine;

    for (size_t i = 0; i < count; i++) {
        int err = ho_run_step(engine, &steps[i]);

        if (err == -EINVAL || err == -ENOTSUP) {
            if (i == 0) {
                ho_session_undo(q->lab->conf->session);
            }
            return refuse(q, "%s", engine->why(engine->self));
        }
        if (err != 0) {
            q->lab->err = err;
            return refuse(q, "%s", engine->why(engine->self));
        }
        ho_lab_status_step(q->lab, &steps[i]);
    }
    return 0;
}

static int do_step(struct question *q)
{
    const char *text = text_of(q, "step");
    const struct ho_step *steps;
    struct ho_scn_error e = { .column = 1 };
    size_t count;

    if (text == NULL) {
        return -EINVAL;
    }
    struct ho_time now = ho_kernel_now(q->lab->kernel);
    int err = ho_session_step(q->lab->conf->session, now, text, &steps, &count, &e);

    if (err == -EINVAL) {
        q->column = e.column;
        return refuse(q, "%s", e.text);
    }
    if (err == -ENOSPC) {
        return refuse(q, "the session is full: a scenario has at most %d lines and %d bytes",
                      HO_SCN_LINES_MAX, HO_SCN_TEXT_MAX);
    }
    return err != 0 ? err : run_steps(q, steps, count);
}

/* ---- the others ------------------------------------------------------------------------------ */

static int do_status(struct question *q)
{
    ho_text_put(q->answer, ",\"name\":");
    ho_text_json(q->answer, q->lab->conf->name);
    ho_text_char(q->answer, ',');
    int err = ho_lab_status(q->lab, q->answer);

    return err == 0 || err == -ENOMEM ? err
                                      : refuse(q, "the kernel does not say: %s", strerror(-err));
}

static int do_scenario(struct question *q)
{
    struct ho_text text = { 0 };

    ho_session_print(q->lab->conf->session, &text);
    ho_text_put(q->answer, ",\"scenario\":");
    ho_text_json(q->answer, ho_text_str(&text));
    ho_text_end_part(q->answer, &text);
    return 0;
}

/* From now on: those that were there before are left out. */
static int do_records(struct question *q)
{
    const struct ho_timeline *tl = ho_kernel_timeline(q->lab->kernel);

    if (!q->client->records) {
        q->client->records = true;
        q->client->sent = tl != NULL ? tl->n : 0;
    }
    return 0;
}

static int do_enter(struct question *q)
{
    const char *name = text_of(q, "host");
    const struct ho_plan *plan = q->lab->plan;

    if (name == NULL) {
        return -EINVAL;
    }
    for (uint16_t i = 0; i < plan->node_count; i++) {
        if (plan->nodes[i].kind != HO_NODE_HOST || strcmp(plan->nodes[i].name, name) != 0) {
            continue;
        }
        if (ho_kernel_netns(q->lab->kernel, i) < 0) {
            return refuse(q, "%s has no power", name);
        }
        int err = ho_enter_open(q->fd, ho_kernel_netns(q->lab->kernel, i));

        q->fd_count = err == 0 ? HO_ENTER_COUNT : 0;
        return err == 0 ? 0 : refuse(q, "%s cannot be entered: %s", name, strerror(-err));
    }
    return refuse(q, "host: found '%s', expected a host of the lab", name);
}

static int do_down(struct question *q)
{
    q->lab->down = true;
    return 0;
}

/* What can be asked, with the key that it needs. */
static const struct {
    const char *name, *key;
    int (*answer)(struct question *q);
} questions[] = {
    { "step", "step", do_step },       { "status", NULL, do_status },
    { "scenario", NULL, do_scenario }, { "records", NULL, do_records },
    { "enter", "host", do_enter },     { "down", NULL, do_down },
};

static int check_keys(struct question *q, const char *key)
{
    for (const cJSON *v = q->json->child; v != NULL; v = v->next) {
        if (strcmp(v->string, "do") != 0 && strcmp(v->string, "id") != 0 &&
            (key == NULL || strcmp(v->string, key) != 0)) {
            return refuse(q, "found the key '%.40s', expected do, id%s%s", v->string,
                          key != NULL ? ", " : "", key != NULL ? key : "");
        }
    }
    return 0;
}

static int answer(struct question *q)
{
    if (!cJSON_IsObject(q->json)) {
        return refuse(q, "expected a JSON object in one line, such as {\"do\":\"status\"}");
    }
    const char *name = text_of(q, "do");

    if (name == NULL) {
        return -EINVAL;
    }
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        if (strcmp(questions[i].name, name) == 0) {
            int err = check_keys(q, questions[i].key);

            return err != 0 ? err : questions[i].answer(q);
        }
    }
    return refuse(q, "do: found '%.40s', expected step, status, scenario, records, enter or down",
                  name);
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* The question's `id`, whatever it is, goes back with the answer. */
static void put_id(struct ho_text *out, const cJSON *json)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(json, "id");
    char *text = id != NULL ? cJSON_PrintUnformatted(id) : NULL;

    if (text != NULL) {
        ho_text_printf(out, "\"id\":%s,", text);
    }
    cJSON_free(text);
}

int ho_lab_ask(struct ho_lab *lab, struct ho_lab_client *client, const char *line)
{
    struct ho_text body = { 0 }, out = { 0 };
    cJSON *json = cJSON_Parse(line);
    struct question q = { .lab = lab, .client = client, .json = json, .answer = &body };
    int err = answer(&q);

    ho_text_char(&out, '{');
    put_id(&out, json);
    if (err == 0) {
        ho_text_printf(&out, "\"ok\":true,\"t_us\":%lld",
                       (long long)(ho_kernel_now(lab->kernel).ns / 1000));
        ho_text_bytes(&out, ho_text_str(&body), body.len);
    } else {
        ho_text_put(&out, "\"ok\":false,\"error\":");
        ho_text_json(&out, err == -EINVAL ? q.error : strerror(-err));
        if (q.column > 0) {
            ho_text_printf(&out, ",\"column\":%u", q.column);
        }
    }
    ho_text_put(&out, "}\n");
    ho_text_end_part(&out, &body);
    err = ho_text_err(&out);
    err = err != 0
              ? err
              : ho_control_write(&client->control, ho_text_str(&out), out.len, q.fd, q.fd_count);
    while (q.fd_count > 0) {
        close(q.fd[--q.fd_count]);
    }
    ho_text_free(&out);
    cJSON_Delete(json);
    return err;
}
