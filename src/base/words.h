/* Words of others made safe, and words for eyes laid out.
 *
 * A process may call itself anything: a line break, an escape sequence that repaints the terminal,
 * half a character. ho_text_plain() comes first and makes printable text of it; what a format
 * gives a meaning to is then escaped by that format's own function (JSON: ho_text_json()).
 */

#ifndef HO_BASE_WORDS_H
#define HO_BASE_WORDS_H

#include "base/text.h"

/* `s` as printable UTF-8: what has no columns on a terminal (base/utf8.h: control and format
 * characters, those that turn the direction of writing) and every byte that is not UTF-8 (RFC
 * 3629) become "\x1b", byte by byte. A backslash stays as it is.
 */
void ho_text_plain(struct ho_text *t, const char *s);

/* Text or an attribute of XML 1.0: what it has no character for becomes '?'. */
void ho_text_xml(struct ho_text *t, const char *s);

/* A description in TAP (testanything.org): '#' would begin a directive, a line must stay one. */
void ho_text_tap(struct ho_text *t, const char *s);

/* The value of a label in Prometheus' text format, without its quotes: backslash, quote and line
 * break are escaped.
 */
void ho_text_label(struct ho_text *t, const char *s);

/* Text in Markdown, also in the cell of a table: what CommonMark or HTML give a meaning to is
 * escaped, a line break becomes a blank.
 */
void ho_text_markdown(struct ho_text *t, const char *s);

/* Writes `words`, wrapped at blanks, from the column `column` that the line has already reached
 * to at most `width` columns; lines behind the first begin with `indent` blanks. A word that is too
 * long gets a line of its own and is not cut. Ends with a line break.
 */
void ho_text_wrap(struct ho_text *t, const char *words, size_t column, size_t indent, size_t width);

#endif
