/* UTF-8 (RFC 3629) from hostile hands: names of processes are any bytes that their owner likes.
 *
 * What is written here is safe on a terminal: control characters, format characters (those that
 * turn the direction of text among them) and bytes that are no UTF-8 are replaced. Where there is
 * room, base/words.h shows them in hexadecimal.
 */

#ifndef HO_BASE_UTF8_H
#define HO_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* The code point that `s` (of `len` bytes) begins with, into *ret. Returns how many bytes it has;
 * 0 if these are no UTF-8 (too long a form, a surrogate, beyond U+10FFFF, cut short) or len is 0.
 */
size_t ho_utf8_read(const char *s, size_t len, uint32_t *ret);

/* Columns of a terminal that a code point takes: 2 for East Asian wide ones and emoji, 1 for other
 * printable ones, 0 for those that must not reach a terminal: control, format, combining.
 */
unsigned ho_utf8_columns(uint32_t cp);

/* Appends `s`, each byte or code point that must not be shown as "?", in at most `columns`
 * columns: of a longer one the end is cut, with "~" as its last column. `ascii`: the terminal knows
 * no UTF-8, so anything beyond ASCII is "?". Returns the columns used.
 */
size_t ho_utf8_put(struct ho_text *out, const char *s, size_t columns, bool ascii);

/* The same with spaces up to `columns`. */
void ho_utf8_pad(struct ho_text *out, const char *s, size_t columns, bool ascii);

#endif
