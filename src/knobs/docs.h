/* The lists as tables in Markdown, for docs/: generated, never written by hand. Each function
 * appends its table to `t`.
 */

#ifndef HO_KNOBS_DOCS_H
#define HO_KNOBS_DOCS_H

#include "base/text.h"

void ho_docs_sysctls(struct ho_text *t);
void ho_docs_sockopts(struct ho_text *t);
void ho_docs_states(struct ho_text *t);
void ho_docs_errnos(struct ho_text *t);

/* What a setting can do, and a table of settings for each program (knobs/settings.h). */
void ho_docs_settings(struct ho_text *t);

/* Two tables: knobs and behaviour that the profiles (knobs/profile.h) do not share. */
void ho_docs_profiles(struct ho_text *t);

#endif
