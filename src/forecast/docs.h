/* Pages of the lists of src/forecast/, as Markdown. */

#ifndef HO_FORECAST_DOCS_H
#define HO_FORECAST_DOCS_H

#include "base/text.h"

/* docs/findings.md, behind its head: a table of all, and a section for each. */
void ho_docs_findings(struct ho_text *t);

#endif
