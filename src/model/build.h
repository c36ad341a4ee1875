/* A plan becomes a world, and what is left of it when memory ran out half way. */

#ifndef HO_MODEL_BUILD_H
#define HO_MODEL_BUILD_H

struct ho_model;
struct ho_timeline;

/* Builds the world of m->plan, recorded in `timeline` (NULL: not), and powers every host on.
 * Returns 0; a negative errno with m->tr.why filled; the world is then only good for
 * ho_model_demolish().
 */
int ho_model_build(struct ho_model *m, struct ho_timeline *timeline);

/* Frees everything that the model owns but itself. */
void ho_model_demolish(struct ho_model *m);

/* Applies a SYSCTL, ROUTE or NEIGHBOUR step to its host, now. Returns 0 or a negative errno. */
struct ho_step;
int ho_model_configure(struct ho_model *m, const struct ho_step *step);

#endif
