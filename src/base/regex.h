/* Regular expressions: does a line match? POSIX extended syntax (IEEE 1003.1, 9.4), bytes.
 *
 * Known are . [..] [^..] [:class:] ^ $ ( ) | * + ? {n} {n,} {n,m}, and a backslash before a sign
 * that is meant as itself. There is no \d, no back reference and no collating element, and one can
 * only ask whether something matches, not where.
 *
 * How it works. The expression becomes a small program, which is run on all its ways at once
 * (Thompson's construction): the time is bytes times instructions whatever the expression, so one
 * from a file cannot hang us. <regex.h> is not ISO C, is not everywhere, and can be hung.
 *
 * Bounds: HO_REGEX_CODE instructions, HO_REGEX_SETS bracket expressions, HO_REGEX_DEPTH nested
 * parentheses. No allocation.
 */

#ifndef HO_BASE_REGEX_H
#define HO_BASE_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HO_REGEX_CODE 512
#define HO_REGEX_SETS 32
#define HO_REGEX_DEPTH 16

struct ho_regex_op {
    uint8_t kind, byte; /* byte: to match, or the set's index */
    int16_t a, b;       /* where to go on, relative to this one */
};

struct ho_regex {
    struct ho_regex_op code[HO_REGEX_CODE];
    uint8_t set[HO_REGEX_SETS][32]; /* a bit a byte */
    unsigned count, sets;
};

/* Compiles `text`, which need not outlive the call.
 *
 * Returns 0; -EINVAL with *ret_why (may be NULL) a few words such as "a ( without its )"; *ret is
 * then useless.
 */
int ho_regex_compile(struct ho_regex *ret, const char *text, const char **ret_why);

/* Does any part of the `len` bytes match? ^ and $ are the beginning and the end of them. */
bool ho_regex_match(const struct ho_regex *re, const char *bytes, size_t len);

#endif
