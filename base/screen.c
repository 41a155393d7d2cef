#include "base/screen.h"

#include <sys/ioctl.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

#define GAP		2	/* blanks between columns */
#define COLUMN_MIN	6	/* a column is cut to no less */
#define WIDTH_DEFAULT	100

struct screen_table {
	char	**cells;	/* rows of columns; the first are headings */
	size_t	  columns;
	size_t	  rows;
	bool	 *right;
};

struct range {
	uint32_t first, last;
};

/* Unicode 15 East Asian Width W and F, as blocks. */
static const struct range wide[] = {
	{ 0x1100, 0x115f }, { 0x231a, 0x231b }, { 0x2e80, 0x303e },
	{ 0x3041, 0x33ff }, { 0x3400, 0x4dbf }, { 0x4e00, 0xa4cf },
	{ 0xa960, 0xa97f }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff },
	{ 0xfe10, 0xfe19 }, { 0xfe30, 0xfe6f }, { 0xff01, 0xff60 },
	{ 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff },
	{ 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};
/* Marks that stand on the character before, and what has no shape. */
static const struct range none[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd },
	{ 0x0610, 0x061a }, { 0x064b, 0x065f }, { 0x0e31, 0x0e31 },
	{ 0x0e34, 0x0e3a }, { 0x0e47, 0x0e4e }, { 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff }, { 0x200b, 0x200f }, { 0x20d0, 0x20ff },
	{ 0x3099, 0x309a }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
	{ 0xfeff, 0xfeff }, { 0xe0100, 0xe01ef },
};

static bool
in_range(const struct range *r, size_t count, uint32_t c)
{
	for (; count > 0; count--, r++)
		if (c >= r->first && c <= r->last)
			return true;
	return false;
}

static int
char_width(uint32_t c)
{
	if (c < 0x300)
		return 1;
	if (in_range(none, sizeof none / sizeof none[0], c))
		return 0;
	return in_range(wide, sizeof wide / sizeof wide[0], c) ? 2 : 1;
}

/* Takes one character off text; what may not reach a terminal is '?'. */
static int
step(const char **text, size_t *len, struct buf *out)
{
	uint32_t c = '?';
	size_t n;
	int columns = 1;

	n = utf8_decode(*text, *len, &c);
	if (n == 0 || utf8_control(c)) {
		if (out != NULL)
			buf_putc(out, '?');
		n = n != 0 ? n : 1;
	} else {
		columns = char_width(c);
		if (out != NULL)
			buf_put(out, *text, n);
	}
	*text += n;
	*len -= n;
	return columns;
}

int
screen_width(const char *text)
{
	size_t len = strlen(text);
	int columns = 0;

	while (len != 0)
		columns += step(&text, &len, NULL);
	return columns;
}

struct screen_table *
screen_table_new(const char *const *columns)
{
	struct screen_table *t = xcalloc(1, sizeof *t);
	size_t i;

	while (columns[t->columns] != NULL)
		t->columns++;
	t->right = xcalloc(t->columns, sizeof *t->right);
	t->cells = xcalloc(t->columns, sizeof *t->cells);
	for (i = 0; i < t->columns; i++) {
		t->right[i] = columns[i][0] == '>';
		t->cells[i] = xstrdup(columns[i] + t->right[i]);
	}
	t->rows = 1;
	return t;
}

void
screen_table_row(struct screen_table *t, const char *const *cells)
{
	char **row;
	size_t i;

	t->cells = xreallocarray(t->cells, (t->rows + 1) * t->columns + 1,
	    sizeof *t->cells);
	row = t->cells + t->rows++ * t->columns;
	for (i = 0; i < t->columns; i++)
		row[i] = xstrdup(cells[i] != NULL ? cells[i] : "");
}

static void
put_cell(struct buf *out, const char *text, int width, bool right, bool last)
{
	struct buf cut = { 0 };
	size_t len = strlen(text);
	int have = screen_width(text), taken = 0;

	if (have > width) {
		while (len != 0 && taken < width - 2) {
			const char *p = text;
			size_t l = len;

			if (taken + step(&p, &l, NULL) > width - 2)
				break;
			taken += step(&text, &len, &cut);
		}
		buf_puts(&cut, "..");
		have = taken + 2;
	} else
		while (len != 0)
			step(&text, &len, &cut);
	if (right)
		buf_printf(out, "%*s", width - have, "");
	buf_put(out, cut.data != NULL ? cut.data : "", cut.len);
	if (!right && !last)
		buf_printf(out, "%*s", width - have, "");
	buf_free(&cut);
}

/* Narrows the widest column of text by one until all fit, or none can give
 * more. */
static void
fit(const struct screen_table *t, int *widths, int room)
{
	int total = (int)(t->columns - 1) * GAP;
	size_t i, widest;

	for (i = 0; i < t->columns; i++)
		total += widths[i];
	for (; total > room; total--) {
		widest = t->columns;
		for (i = 0; i < t->columns; i++)
			if (!t->right[i] && widths[i] > COLUMN_MIN &&
			    (widest == t->columns ||
			    widths[i] > widths[widest]))
				widest = i;
		if (widest == t->columns)
			break;
		widths[widest]--;
	}
}

static int
terminal_width(FILE *out)
{
	struct winsize ws;

	if (isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &ws) == 0 &&
	    ws.ws_col > 0)
		return ws.ws_col;
	return WIDTH_DEFAULT;
}

void
screen_table_print(const struct screen_table *t, FILE *out, int width)
{
	struct buf line = { 0 };
	int *widths, w;
	size_t r, i;

	if (t->columns == 0)
		return;
	widths = xcalloc(t->columns, sizeof *widths);
	for (r = 0; r < t->rows; r++)
		for (i = 0; i < t->columns; i++)
			if ((w = screen_width(t->cells[r * t->columns + i])) >
			    widths[i])
				widths[i] = w;
	fit(t, widths, width > 0 ? width : terminal_width(out));
	for (r = 0; r < t->rows; r++) {
		buf_reset(&line);
		for (i = 0; i < t->columns; i++) {
			put_cell(&line, t->cells[r * t->columns + i],
			    widths[i], t->right[i], i + 1 == t->columns);
			if (i + 1 < t->columns)
				buf_printf(&line, "%*s", GAP, "");
		}
		while (line.len > 0 && line.data[line.len - 1] == ' ')
			line.len--;
		fwrite(line.data, 1, line.len, out);
		fputc('\n', out);
	}
	buf_free(&line);
	free(widths);
}

void
screen_table_free(struct screen_table *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->rows * t->columns; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t->right);
	free(t);
}

char *
screen_bar(int64_t percent, int cells, char out[SCREEN_BAR_MAX])
{
	char fill = '?';
	int i, full = 0;

	if (cells < 1)
		cells = 1;
	if (cells > SCREEN_BAR_MAX - 3)
		cells = SCREEN_BAR_MAX - 3;
	if (percent >= 0 && percent <= 100) {
		fill = '-';
		full = (int)((percent * cells + 50) / 100);
		/* Something left is never drawn as nothing. */
		if (full == 0 && percent > 0)
			full = 1;
	}
	out[0] = '[';
	for (i = 0; i < cells; i++)
		out[1 + i] = i < full ? '#' : fill;
	out[1 + cells] = ']';
	out[2 + cells] = '\0';
	return out;
}
