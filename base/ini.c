#include "base/ini.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "base/buf.h"
#include "base/inivalue.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"

#define LINE_MOST	4096		/* octets of a line */
#define FILE_MOST	(1024 * 1024)
#define SECTION_MOST	64

/* A key or section that has been met, to find it said twice. */
struct seen {
	char	*section;
	char	*name;		/* NULL for the section itself */
	int	 line;
};

struct parser {
	const char		*file;
	const char		*at;		/* the rest of the text */
	const char		*end;
	int			 line;		/* the one being worked on */
	bool			 wants_key;	/* and inih owes us one */
	int			 errors;
	const struct ini_key	*keys;
	ini_section_fn		*enter;
	void			*enter_arg;
	char			 section[SECTION_MOST + 1];
	bool			 skip;		/* the section was refused */
	void			*target;	/* the section's struct */
	struct seen		*seen;
	size_t			 seen_len;
};

static void	 complain(struct parser *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));

static void
complain(struct parser *p, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	log_warnx("config", "%s:%d: %s", p->file, p->line, text);
	p->errors++;
}

/* Returns the line where it was met before, or 0. */
static int
seen_before(struct parser *p, const char *section, const char *name)
{
	struct seen *s;
	size_t i;

	for (i = 0; i < p->seen_len; i++) {
		s = &p->seen[i];
		if (strcmp(s->section, section) == 0 &&
		    strcmp_null(s->name, name) == 0)
			return s->line;
	}
	p->seen = xreallocarray(p->seen, p->seen_len + 1, sizeof *p->seen);
	s = &p->seen[p->seen_len++];
	s->section = xstrdup(section);
	s->name = xstrdup_null(name);
	s->line = p->line;
	return 0;
}

/* "snmp *" takes "snmp office"; anything else takes itself. */
static bool
section_matches(const char *pattern, const char *section)
{
	size_t n = strlen(pattern);

	if (n < 2 || strcmp(pattern + n - 2, " *") != 0)
		return strcmp(pattern, section) == 0;
	return strncmp(pattern, section, n - 1) == 0 &&
	    section[n - 1] != '\0';
}

static bool
section_named(const struct parser *p, const char *section)
{
	const struct ini_key *k;

	for (k = p->keys; k->section != NULL; k++)
		if (section_matches(k->section, section))
			return strchr(k->section, '*') != NULL;
	return false;
}

/* "[agent], [xmpp], [snmp NAME]" */
static void
list_sections(const struct parser *p, struct buf *out)
{
	const struct ini_key *k, *before;

	for (k = p->keys; k->section != NULL; k++) {
		for (before = p->keys; before < k; before++)
			if (strcmp(before->section, k->section) == 0)
				break;
		if (before < k)
			continue;
		buf_printf(out, "%s[%.*s%s]", out->len > 0 ? ", " : "",
		    (int)strcspn(k->section, "*"), k->section,
		    strchr(k->section, '*') != NULL ? "NAME" : "");
	}
}

static void
list_keys(const struct parser *p, struct buf *out)
{
	const struct ini_key *k;

	for (k = p->keys; k->section != NULL; k++)
		if (section_matches(k->section, p->section))
			buf_printf(out, "%s%s", out->len > 0 ? ", " : "",
			    k->name);
}

/* Trims, and makes one blank of several. */
static bool
section_copy(struct parser *p, const char *from, size_t len)
{
	size_t at = 0, i;

	for (i = 0; i < len; i++) {
		bool blank = from[i] == ' ' || from[i] == '\t';

		if (blank && (at == 0 || p->section[at - 1] == ' '))
			continue;
		if (at == SECTION_MOST)
			return false;
		p->section[at++] = blank ? ' ' : from[i];
	}
	while (at > 0 && p->section[at - 1] == ' ')
		at--;
	p->section[at] = '\0';
	return at > 0;
}

/*
 * inih tells keys only, so that an empty section would go unseen, and cuts
 * section names at 49 characters without a word: headings are read here.
 */
static void
enter_section(struct parser *p, const char *line, size_t len)
{
	const char *close = memchr(line, ']', len), *rest;
	struct buf known = { 0 };
	int before;

	p->skip = true;
	p->target = NULL;
	if (close == NULL) {
		complain(p, "want ] at the end of the section's name");
		return;
	}
	if (!section_copy(p, line + 1, (size_t)(close - line) - 1)) {
		complain(p, "want a section name of 1 to %d octets",
		    SECTION_MOST);
		return;
	}
	for (rest = close + 1; rest < line + len; rest++)
		if (*rest != ' ' && *rest != '\t')
			break;
	if (rest < line + len && *rest != ';' && *rest != '#') {
		complain(p, "[%s]: want nothing behind the ]",
		    log_safe(p->section));
		return;
	}
	p->target = p->enter(p->enter_arg, p->section);
	if (p->target == NULL) {
		list_sections(p, &known);
		complain(p, "unknown section [%s]; known are %s",
		    log_safe(p->section), known.data);
		buf_free(&known);
		return;
	}
	p->skip = false;
	before = seen_before(p, p->section, NULL);
	if (before != 0 && section_named(p, p->section))
		complain(p, "section [%s] was there before, in line %d",
		    log_safe(p->section), before);
}

/* A line that should have held a key and that inih could not use. */
static void
check_owed(struct parser *p)
{
	if (p->wants_key)
		complain(p, "want a line such as name = value");
	p->wants_key = false;
}

/* Says what the matter is, or NULL. */
static const char *
bad_line(const char *line, size_t len)
{
	uint32_t c;
	size_t n;

	if (len > LINE_MOST)
		return "line is too long (4096 octets at most)";
	for (; len > 0; line += n, len -= n) {
		if ((n = utf8_decode(line, len, &c)) == 0)
			return "line is not UTF-8 text";
		if (utf8_control(c) && c != '\t')
			return "line holds a control character";
	}
	return NULL;
}

/*
 * inih's fgets(): hands over the next line that may hold a key, as an empty
 * one whatever is dealt with here.  Blanks in front go, because inih would
 * take an indented line for more of the value before.
 */
static char *
next_line(char *out, int size, void *arg)
{
	struct parser *p = arg;
	const char *line = p->at, *stop, *why;
	size_t len;

	check_owed(p);
	if (line == p->end)
		return NULL;
	p->line++;
	stop = memchr(line, '\n', (size_t)(p->end - line));
	p->at = stop != NULL ? stop + 1 : p->end;
	len = (size_t)((stop != NULL ? stop : p->end) - line);
	if (p->line == 1 && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		len -= 3;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	if ((why = bad_line(line, len)) != NULL ||
	    (len > 0 && (int)len + 2 > size)) {
		complain(p, "%s", why != NULL ? why : "line is too long");
		len = 0;
	}
	if (len > 0 && *line == '[')
		enter_section(p, line, len);
	else if (len > 0 && *line != ';' && *line != '#')
		p->wants_key = true;
	if (!p->wants_key)
		len = 0;
	memcpy(out, line, len);
	out[len] = '\n';
	out[len + 1] = '\0';
	return out;
}

static bool
is_secret(const char *name)
{
	return strstr(name, "password") != NULL ||
	    strstr(name, "community") != NULL ||
	    strstr(name, "secret") != NULL || strstr(name, "token") != NULL;
}

static void
refuse(struct parser *p, const struct ini_key *k, const char *value)
{
	struct buf want = { 0 };

	inivalue_wanted(k, &want);
	if (is_secret(k->name))
		complain(p, "[%s] %s: want %s", log_safe(p->section), k->name,
		    want.data);
	else
		complain(p, "[%s] %s = \"%s\": want %s", log_safe(p->section),
		    k->name, log_safe(value), want.data);
	buf_free(&want);
}

/* inih's callback.  It never stops the reading: all errors are worth
 * telling. */
static int
on_key(void *arg, const char *section, const char *name, const char *value)
{
	struct parser *p = arg;
	const struct ini_key *k;
	struct buf known = { 0 };
	int before;

	p->wants_key = false;
	if (p->section[0] == '\0' && !p->skip) {
		complain(p, "%s stands before any section", log_safe(name));
		return 1;
	}
	if (p->skip)
		return 1;
	for (k = p->keys; k->section != NULL; k++)
		if (strcmp(k->name, name) == 0 &&
		    section_matches(k->section, p->section))
			break;
	if (k->section == NULL) {
		list_keys(p, &known);
		complain(p, "[%s] %s: unknown key; known are %s",
		    log_safe(p->section), log_safe(name),
		    known.len > 0 ? known.data : "none");
		buf_free(&known);
	} else if ((before = seen_before(p, p->section, name)) != 0) {
		complain(p, "[%s] %s was there before, in line %d",
		    log_safe(p->section), name, before);
	} else if (inivalue_store(k, value, p->target) == -1)
		refuse(p, k, value);
	return 1;
}

static int
parse(const char *name, const char *text, size_t len,
    const struct ini_key *keys, ini_section_fn *enter, void *arg)
{
	struct parser p = { .file = name, .at = text, .end = text + len,
	    .keys = keys, .enter = enter, .enter_arg = arg };
	size_t i;

	/* The library's line buffer; two for the line end, one for NUL. */
	ini_use_stack = false;
	ini_allow_realloc = false;
	ini_initial_alloc = ini_max_line = LINE_MOST + 3;
	if (ini_parse_stream(next_line, &p, on_key, &p) == -2)
		fatal("memory", "reading %s", name);
	for (i = 0; i < p.seen_len; i++) {
		free(p.seen[i].section);
		free(p.seen[i].name);
	}
	free(p.seen);
	return p.errors == 0 ? 0 : -1;
}

int
ini_read_text(const char *name, const char *text, const struct ini_key *keys,
    ini_section_fn *enter, void *arg)
{
	return parse(name, text, strlen(text), keys, enter, arg);
}

int
ini_read(const char *path, const struct ini_key *keys, ini_section_fn *enter,
    void *arg)
{
	struct buf text = { 0 };
	char part[4096];
	FILE *f;
	size_t n;
	int rc = -1;

	if ((f = fopen(path, "re")) == NULL) {
		log_warn("config", "%s", log_safe(path));
		return -1;
	}
	while (text.len <= FILE_MOST &&
	    (n = fread(part, 1, sizeof part, f)) > 0)
		buf_put(&text, part, n);
	if (ferror(f))
		log_warn("config", "%s", log_safe(path));
	else if (text.len > FILE_MOST)
		log_warnx("config", "%s: longer than %d octets",
		    log_safe(path), FILE_MOST);
	else
		rc = parse(path, text.len > 0 ? text.data : "", text.len, keys,
		    enter, arg);
	fclose(f);
	/* It may have held a token. */
	explicit_bzero(part, sizeof part);
	if (text.data != NULL)
		explicit_bzero(text.data, text.cap);
	buf_free(&text);
	return rc;
}
