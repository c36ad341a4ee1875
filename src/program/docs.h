/* Parameters as tables in Markdown, for docs/programs.md: generated, never written by hand. */

#ifndef HO_PROGRAM_DOCS_H
#define HO_PROGRAM_DOCS_H

#include "base/text.h"
#include "program/program.h"

/* Appends the parameters of a behaviour or verb as a table; nothing if it has none. */
void ho_program_docs(struct ho_text *t, const struct ho_program_spec *spec);

#endif
