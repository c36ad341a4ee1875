/* `halfopen advise`: what its parts share.
 *
 *     advise.c         arguments, the order of things
 *     advise_proof.c   the scenarios that prove it, played
 *     advise_text.c    for people
 *     advise_for.c     the settings of programs
 *     advise_json.c    for programs
 */

#ifndef HO_CLI_ADVISE_H
#define HO_CLI_ADVISE_H

#include "base/text.h"
#include "cli/predict_in.h"
#include "forecast/advise.h"
#include "forecast/proof.h"
#include "knobs/settings.h"

#define HO_ADVISE_PROGRAMS 64 /* that --for may name */

struct ho_advising {
    struct ho_predict_ask host;
    struct ho_advise_ask ask;
    bool survive_said; /* else a part of the time, as much as goes */
    const char *prove; /* "model", "kernel", "virtual-kernel" */
    const char *save;  /* a folder for the scenarios, NULL: none */
    const struct ho_setting_program *program[HO_ADVISE_PROGRAMS];
    size_t programs;
    struct ho_advice advice;
    size_t plays, scenarios; /* that proved it */
};

/* Plays every scenario of every way, HZ and phase on the model. Returns HO_EXIT_OK; HO_EXIT_FOUND,
 * having said which, if something is not as advised; or has said what else was wrong.
 */
int ho_advising_prove(struct ho_advising *a);

/* The same for other advice of the same kind, only where it is idle or has data in flight. */
int ho_advising_prove_tied(struct ho_advising *a, const struct ho_advice *advice);

/* Writes the scenarios into the folder `--save-proof`, and plays them on the engine `--prove` if
 * that is none of ours. Returns an exit code, with what was wrong said.
 */
int ho_advising_play(struct ho_advising *a);

void ho_advising_text(struct ho_advising *a, struct ho_text *out);
void ho_advising_json(struct ho_advising *a, struct ho_text *out);

/* What --for adds; as JSON if `json`. Returns an exit code: tied settings are proven, too. */
int ho_advising_programs(struct ho_advising *a, struct ho_text *out, bool json);

#endif
