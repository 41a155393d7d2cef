#include "schema/envelope.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "schema/xmltree.h"

#define BLOCK	64

/* Characters that need no escape, as many as divide 256. */
static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void
put_padding(struct buf *out, size_t count)
{
	unsigned char random[BLOCK];
	size_t i;

	while (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		if (errno != EINTR)
			fatal("envelope", "no random numbers");
	for (i = 0; i < count; i++)
		buf_putc(out, alphabet[random[i] % 64]);
}

void
envelope_write(struct buf *out, const char *content, size_t content_len,
    const char *from, const char *to, int64_t wall_ms)
{
	static const char before[] = "<rpad>", after[] = "</rpad></envelope>";
	char when[CLOCK_TEXT_MAX];
	size_t start = out->len, whole;

	buf_puts(out, "<envelope xmlns='" ENVELOPE_NS "'><content>");
	buf_put(out, content, content_len);
	buf_puts(out, "</content><from jid='");
	xmltree_escape(out, from);
	buf_puts(out, "'/><to jid='");
	xmltree_escape(out, to);
	buf_printf(out, "'/><time stamp='%s'/>", clock_format(wall_ms, when));
	buf_puts(out, before);
	whole = out->len - start + strlen(after);
	put_padding(out, (BLOCK - whole % BLOCK) % BLOCK);
	buf_puts(out, after);
}

static bool
blank(const xmlNode *n)
{
	const char *p = (const char *)n->content;

	return n->type == XML_TEXT_NODE && p != NULL &&
	    p[strspn(p, " \t\r\n")] == '\0';
}

/* The only element in n, or NULL when there are others, or text. */
static xmlNode *
only_child(const xmlNode *n)
{
	xmlNode *found = NULL, *c;

	for (c = n->children; c != NULL; c = c->next) {
		if (c->type == XML_ELEMENT_NODE && found == NULL)
			found = c;
		else if (!blank(c))
			return NULL;
	}
	return found;
}

static bool
attr_is(const xmlNode *n, const char *name, const char *value)
{
	char *got = xmltree_attr(n, name);
	bool same = got != NULL && strcmp(got, value) == 0;

	free(got);
	return same;
}

static int
time_of(const xmlNode *n, int64_t *wall_ms)
{
	char *stamp = xmltree_attr(n, "stamp");
	int rc = stamp != NULL ? clock_parse(stamp, wall_ms) : -1;

	free(stamp);
	return rc;
}

enum { CONTENT, FROM, TO, TIME, RPAD, PARTS };

/* Finds the five parts.  NULL, or what is wrong. */
static const char *
parts_of(const xmlNode *root, xmlNode *part[PARTS])
{
	static const char *const names[PARTS] = { "content", "from", "to",
	    "time", "rpad" };
	xmlNode *n;
	size_t i;

	if (!xmltree_is(root, "envelope", ENVELOPE_NS))
		return "it is no envelope";
	for (n = xmltree_child(root, NULL, NULL); n != NULL;
	    n = xmltree_next(n)) {
		for (i = 0; i < PARTS; i++)
			if (xmltree_is(n, names[i], ENVELOPE_NS))
				break;
		if (i == PARTS)
			return "there is an unknown affix";
		if (part[i] != NULL)
			return "an affix is there twice";
		part[i] = n;
	}
	for (i = 0; i < PARTS; i++)
		if (part[i] == NULL)
			return "an affix is missing";
	return NULL;
}

int
envelope_read(const char *xml, size_t len, const char *from, const char *to,
    struct envelope *out, char *why, size_t why_size)
{
	xmlNode *part[PARTS] = { NULL };
	const char *wrong = NULL;

	memset(out, 0, sizeof *out);
	if (len > ENVELOPE_MAX) {
		snprintf(why, why_size, "longer than %d octets", ENVELOPE_MAX);
		return -1;
	}
	if ((out->doc = xmltree_parse(xml, len, why, why_size)) == NULL)
		return -1;
	if ((wrong = parts_of(xmlDocGetRootElement(out->doc), part)) != NULL)
		;
	else if (!attr_is(part[FROM], "jid", from))
		wrong = "from names somebody else";
	else if (!attr_is(part[TO], "jid", to))
		wrong = "to names somebody else";
	else if (time_of(part[TIME], &out->time_ms) == -1)
		wrong = "the time is none";
	else if ((out->content = only_child(part[CONTENT])) == NULL)
		wrong = "the content is not one element";
	if (wrong == NULL)
		return 0;
	snprintf(why, why_size, "%s", wrong);
	envelope_clear(out);
	return -1;
}

void
envelope_clear(struct envelope *e)
{
	xmlFreeDoc(e->doc);
	memset(e, 0, sizeof *e);
}
