#include "schema/envelope.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "schema/squash.h"
#include "schema/xmltree.h"

void
envelope_write(struct buf *out, const char *content, size_t content_len,
    const char *from, const char *to, int64_t wall_ms)
{
	struct buf xml = { 0 };
	char when[CLOCK_TEXT_MAX];

	buf_puts(&xml, "<envelope xmlns='" ENVELOPE_NS "'><content>");
	buf_put(&xml, content, content_len);
	buf_puts(&xml, "</content><from jid='");
	xmltree_escape(&xml, from);
	buf_puts(&xml, "'/><to jid='");
	xmltree_escape(&xml, to);
	buf_printf(&xml, "'/><time stamp='%s'/><rpad/></envelope>",
	    clock_format(wall_ms, when));
	squash_put(out, xml.data, xml.len);
	buf_free(&xml);
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
envelope_read(const char *plain, size_t len, const char *from, const char *to,
    struct envelope *out, char *why, size_t why_size)
{
	xmlNode *part[PARTS] = { NULL };
	const char *wrong = NULL;
	struct buf xml = { 0 };

	memset(out, 0, sizeof *out);
	if (squash_take(plain, len, ENVELOPE_MAX, &xml, why, why_size) == 0)
		out->doc = xmltree_parse(xml.data, xml.len, why, why_size);
	buf_free(&xml);
	if (out->doc == NULL)
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
