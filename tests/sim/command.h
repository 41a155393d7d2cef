/* The commands of the remote control: words in, one line out. */
#ifndef SIM_COMMAND_H
#define SIM_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "tests/sim/lan.h"

#define COMMAND_WORDS_MAX	64

/* Cuts line at blanks in place; "..." keeps them, \ takes the next character
 * as it is.  How many words, or -1 (too many, an open quote). */
int	 command_split(char *line, char *words[COMMAND_WORDS_MAX]);
/* Quotes a word so that command_split() gives it back. */
void	 command_quote(const char *word, struct buf *out);

/* Runs one line (which it cuts up) and appends the answer, newline included.
 * True when it was "quit". */
bool	 command_run(struct lan *, char *line, struct buf *answer);

#endif
