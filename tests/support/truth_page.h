/* docs/fidelity.md: what became of each truth file, as a page. */

#ifndef HO_TESTS_TRUTH_PAGE_H
#define HO_TESTS_TRUTH_PAGE_H

#include "base/text.h"
#include "support/truth_compare.h"

struct ho_truth_verdict {
    char name[64];
    bool ok;                  /* no difference that is not allowed */
    size_t steps;             /* allowed: a step of the timer wheel each */
    size_t exceptions;        /* allowed: explained in docs/departures.md */
    char first[320];          /* the first difference, "" if none */
    struct ho_truth_result r; /* its numbers; the lists are gone */
};

/* Whether a file is one of those that were measured after the others: rt_*. */
bool ho_truth_is_more(const char *name);

/* Appends the page for `n` files in their order. */
void ho_truth_page(struct ho_text *out, const struct ho_truth_verdict *v, size_t n);

#endif
