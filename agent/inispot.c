#include "agent/inispot.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPOT_MAX	1100

static char *
skip_blanks(char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

/* Blanks at both ends off, and runs of them to one, as base/ini.c does. */
static void
tidy(char *text)
{
	char *from = skip_blanks(text), *to = text;

	for (; *from != '\0'; from++) {
		if (*from != ' ' && *from != '\t')
			*to++ = *from;
		else if (from[1] != ' ' && from[1] != '\t' &&
		    from[1] != '\0')
			*to++ = ' ';
	}
	*to = '\0';
}

static bool
is_section(char *line, const char *section)
{
	line[strcspn(line, "]")] = '\0';
	tidy(line + 1);
	return strcmp(line + 1, section) == 0;
}

static bool
is_key(char *line, const char *key)
{
	line[strcspn(line, "=:")] = '\0';
	tidy(line);
	return strcmp(line, key) == 0;
}

/* The file was read a moment ago: what is odd here was reported then. */
static int
find(const char *path, const char *section, const char *key)
{
	char *line = NULL, *at;
	size_t size = 0;
	bool inside = false;
	int number = 0, found = 0;
	FILE *f;

	if ((f = fopen(path, "re")) == NULL)
		return 0;
	while (getline(&line, &size, f) != -1) {
		number++;
		line[strcspn(line, "\r\n")] = '\0';
		at = skip_blanks(line);
		if (*at == '[') {
			if ((inside = is_section(at, section)))
				found = number;
		} else if (inside && key != NULL && is_key(at, key)) {
			found = number;
			break;
		}
	}
	if (line != NULL)
		explicit_bzero(line, size);	/* it may have held a token */
	free(line);
	fclose(f);
	return found;
}

const char *
inispot(const char *path, const char *section, const char *key)
{
	static char spot[4][SPOT_MAX];
	static unsigned turn;
	char *out = spot[turn++ % 4];
	int line = find(path, section, key);

	if (line == 0)
		snprintf(out, SPOT_MAX, "%s", path);
	else
		snprintf(out, SPOT_MAX, "%s:%d", path, line);
	return out;
}
