/* The model engine: a world of hosts, cables and processes on one virtual clock.
 *
 * It fills the table of verbs (scenario/engine.h) with our own machines: every host is a struct
 * ho_host, every cable, switch and middlebox one of src/link, every process holds programs of
 * src/program. Nothing here reads a clock or draws an unseeded number: a play is a function of
 * its plan, and the same plan gives the same timeline, byte for byte.
 *
 *     ho_model_new()       an engine without a world
 *     engine.begin() ..    as scenario/engine.h says
 *     engine.destroy()
 *
 * The other functions are for those who look into the world or steer what a plan cannot say:
 * tests that replay a measurement, benchmarks, the public library. They are for between two
 * verbs of the engine.
 */

#ifndef HO_MODEL_MODEL_H
#define HO_MODEL_MODEL_H

#include "host/host.h"
#include "scenario/engine.h"
#include "timeline/record.h"

struct ho_model;

/* Fills *ret; ret->self is the model, owned by the caller until ret->destroy().
 *
 * engine.begin() may be given a timeline of NULL: nothing is recorded then, nor sampled.
 * Returns 0; -ENOMEM with *ret untouched.
 */
int ho_model_new(struct ho_engine *ret);

/* The model behind an engine made by ho_model_new(). */
struct ho_model *ho_model_of(const struct ho_engine *engine);

/* The machine that is node `node` of the plan; NULL if the node is no host. Valid from begin to
 * destroy. After a call that feeds it, ho_model_touch() it.
 */
struct ho_host *ho_model_host(struct ho_model *m, uint16_t node);

/* Says that the host was fed from outside of the engine: its output is then taken, recorded and
 * sent, and its deadline looked at again.
 */
void ho_model_touch(struct ho_model *m, uint16_t node);

/* The instant the world has come to. */
struct ho_time ho_model_now(const struct ho_model *m);

/* The process id that process `proc` of the plan has on its host; 0 while it does not run. */
uint32_t ho_model_pid(const struct ho_model *m, uint16_t proc);

/* How long link watch takes to act on a loss of carrier (host/host.h); negative, the default:
 * drawn from the seed.
 */
void ho_model_linkwatch(struct ho_model *m, int64_t ns);

#endif
