/* What `halfopen` shows without arguments: what it is, three answers computed at this moment,
 * and what to do next. At most 24 lines of 80 columns.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/cli.h"
#include "cli/play.h"

/* A question, and a scenario of two hosts that answers it. */
static const struct {
    const char *question, *scenario;
} questions[] = {
    { "idle, Linux's defaults",
      "host client\nhost server\ncable client -- server\nneighbours static\nlasts 24h\n"
      "connection client -> server:80\nat 10s cut\n" },
    { "idle, SO_KEEPALIVE and nothing else set",
      "host client\nhost server\ncable client -- server\nneighbours static\nlasts 3h\n"
      "option server SO_KEEPALIVE 1\nconnection client -> server:80\nat 10s cut\n" },
    { "data on its way, Linux's defaults",
      "host client\nhost server\ncable client -- server\nneighbours static\nlasts 1h\n"
      "connection client -> server:80\nat 10s cut\nat +1ms server send 1000\n" },
    { "data on its way, TCP_USER_TIMEOUT 10 s",
      "host client\nhost server\ncable client -- server\nneighbours static\nlasts 1h\n"
      "option server TCP_USER_TIMEOUT 10000\nconnection client -> server:80\nat 10s cut\n"
      "at +1ms server send 1000\n" },
};

static const char head[] =
    "halfopen: what happens to a TCP connection when the other end vanishes\n"
    "\n"
    "The cable is pulled and nobody tells the server. When does it notice?\n"
    "Played just now, on a TCP stack that behaves as Linux does, in virtual time:\n"
    "\n";

static const char tail[] =
    "\n"
    "  halfopen run                the whole catalogue: crashes, reboots, cut cables;\n"
    "                              who notices, when, and because of which knob\n"
    "  halfopen run --list         what there is\n"
    "  halfopen run --ladder NAME  one of them as a sequence diagram\n"
    "  halfopen predict            what this machine's connections would do\n"
    "  halfopen lab                hosts on the real kernel, to pull cables from\n"
    "  halfopen help               all commands; 'help run': your own scenario files\n";

static void put_answer(struct ho_text *out, const struct ho_verdict *v, struct ho_time since)
{
    if (!v->has_app) {
        ho_text_put(out, "never\n");
        return;
    }
    ho_text_put(out, "after ");
    ho_text_dur(out, ho_time_since(v->app_at, since));
    ho_text_printf(out, ", %s\n", v->app_err);
}

/* Plays one question. Returns an exit code. */
static int answer(struct ho_text *out, size_t i)
{
    struct ho_source source = { .where = "welcome" };
    struct ho_run_options o = { .plan.engine = "model" };
    struct ho_scn_error e;
    struct ho_verdict *v;
    struct ho_play p;
    int code;
    int err = ho_scn_parse(&source.scn, "welcome", questions[i].scenario,
                           strlen(questions[i].scenario), &e);

    if (err != 0) {
        return err == -ENOMEM ? ho_cli_no_memory() : ho_cli_say(HO_EXIT_CANNOT, "%s", e.text);
    }
    code = ho_play_plan(&p, &source, 0, &o);
    if (code == HO_EXIT_OK) {
        code = ho_play(&p, &o);
        v = code == HO_EXIT_OK && p.played
                ? ho_verdicts_find(&p.result.verdicts, "server", NULL, "c1")
                : NULL;
        if (v != NULL) {
            ho_text_put(out, "  ");
            ho_text_pad(out, questions[i].question, 42);
            put_answer(out, v, p.result.verdicts.since);
        }
        ho_play_free(&p);
    }
    ho_scn_free(source.scn);
    return code;
}

int ho_cli_welcome(void)
{
    struct ho_text out = { 0 };
    int code = HO_EXIT_OK;

    ho_text_put(&out, head);
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]) && code == HO_EXIT_OK; i++) {
        code = answer(&out, i);
    }
    ho_text_put(&out, tail);
    if (code == HO_EXIT_OK) {
        code = ho_cli_put(&out);
    }
    code = code == HO_EXIT_OK ? ho_cli_done() : code;
    ho_text_free(&out);
    return code;
}
