/* What people read in a terminal: columns that line up, levels as bars. */
#ifndef BASE_SCREEN_H
#define BASE_SCREEN_H

#include <stdint.h>
#include <stdio.h>

struct screen_table;
/* columns are the headings; NULL ends.  A heading that starts with '>' is
 * set to the right. */
struct screen_table	*screen_table_new(const char *const *columns);
/* One row, as many cells as columns; NULL or "" stays blank.  Copied. */
void	 screen_table_row(struct screen_table *, const char *const *cells);
/* Prints to out no wider than width display columns (0: the terminal's, or
 * 100 when out is none): the widest text column is cut. */
void	 screen_table_print(const struct screen_table *, FILE *out, int width);
void	 screen_table_free(struct screen_table *);

#define SCREEN_BAR_MAX	64
/* "[######----]" of cells cells for percent 0..100; anything else gives
 * "[??????????]".  ASCII. */
char	*screen_bar(int64_t percent, int cells, char out[SCREEN_BAR_MAX]);
/* How many columns the UTF-8 text takes (wide characters count 2). */
int	 screen_width(const char *text);

#endif
