/* The verbs of the engine that act on the world: scenario/engine.h says what each does. */

#ifndef HO_MODEL_FAULTS_H
#define HO_MODEL_FAULTS_H

#include "scenario/engine.h"

int ho_model_verb_start(void *self, uint16_t proc);
int ho_model_verb_call(void *self, uint16_t proc, const struct ho_plan_call *call);
int ho_model_verb_program(void *self, uint16_t proc, const struct ho_plan_program *program);
int ho_model_verb_kill(void *self, uint16_t proc, const struct ho_step *step);
int ho_model_verb_stop(void *self, uint16_t proc, const struct ho_step *step);
int ho_model_verb_continue(void *self, uint16_t proc, const struct ho_step *step);
int ho_model_verb_sysctl(void *self, uint16_t host, const struct ho_plan_sysctl *sysctl);
int ho_model_verb_power_off(void *self, uint16_t host, const struct ho_step *step);
int ho_model_verb_boot(void *self, uint16_t host, const struct ho_step *step);
int ho_model_verb_interface(void *self, uint16_t host, const struct ho_step *step);
int ho_model_verb_address(void *self, uint16_t host, const struct ho_step *step);
int ho_model_verb_route(void *self, uint16_t host, const struct ho_step *step);
int ho_model_verb_neighbour(void *self, uint16_t host, const struct ho_step *step);
int ho_model_verb_cable(void *self, uint16_t cable, const struct ho_step *step);
int ho_model_verb_note(void *self, const struct ho_step *step);

#endif
