/* A sentence for the person who must change something: what is missing, which setting allows it. */

#ifndef HO_OS_WHY_H
#define HO_OS_WHY_H

/* The bytes behind every `why` argument of this folder, with the final 0. NULL is allowed there.
 * A `why` is written only on failure; it has no full stop and no line break at its end.
 */
#define HO_OS_WHY 512

/* Writes the sentence, cut at HO_OS_WHY bytes. */
__attribute__((format(printf, 2, 3))) void ho_os_why(char *why, const char *format, ...);

#endif
