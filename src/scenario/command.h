/* A command line, cut into words. No shell: the rule is short.
 *
 * Words stand between blanks. 'single quotes' keep everything between them; "double quotes" do,
 * too, but \" and \\ stand for " and \ in them; outside of quotes a backslash makes the next
 * character an ordinary one. Quotes may begin and end inside a word: --name='two words'. Nothing
 * else has a meaning: for $HOME, *, | and > say `sh -c '..'`.
 */

#ifndef HO_SCENARIO_COMMAND_H
#define HO_SCENARIO_COMMAND_H

#include <stddef.h>

#define HO_COMMAND_WORDS 64  /* words of a command */
#define HO_COMMAND_TEXT 4096 /* bytes of a command line, with the final 0 */

struct ho_command_words {
    char *word[HO_COMMAND_WORDS + 1]; /* ends with NULL: an argv */
    size_t count;
    char text[HO_COMMAND_TEXT]; /* which they point into */
};

/* Cuts `line`. Returns 0; -EINVAL with *ret_why, which may be NULL, a sentence that ends no line;
 * *ret is then useless.
 */
int ho_command_split(struct ho_command_words *ret, const char *line, const char **ret_why);

#endif
