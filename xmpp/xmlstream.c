#include "xmpp/xmlstream.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/dict.h>
#include <libxml/parser.h>

#include "base/buf.h"
#include "base/mem.h"

#define HEADER_MAX	(8 * 1024)
/* A parser that remembers more octets of names than this is replaced. */
#define NAMES_MAX	(256 * 1024)

#define PARSE_OPTIONS	(XML_PARSE_NONET | XML_PARSE_NOENT | \
			 XML_PARSE_NOERROR | XML_PARSE_NOWARNING | \
			 XML_PARSE_COMPACT)

enum where {
	IN_TEXT,
	IN_OPEN,		/* after '<' */
	IN_TAG,			/* a start tag */
	IN_QUOTE,		/* a value in it */
	IN_CLOSE,		/* an end tag */
	IN_BANG,		/* after "<!" */
	IN_CDATA,
	IN_DECLARATION		/* <?xml ... ?> */
};

struct xmlstream {
	const struct xmlstream_events	*events;
	void				*arg;
	xmlParserCtxt			*parser;
	struct buf	 all;		/* the header, then one stanza */
	struct buf	 name;		/* the header's element, qualified */
	size_t		 header_len;	/* 0 until it is complete */
	size_t		 start_len;	/* the stanza's start tag, once read */
	unsigned	 life;		/* counts resets */
	enum where	 where;
	char		 quote;
	char		 last;		/* the octet before, in tag or "?>" */
	unsigned	 matched;	/* of "[CDATA[" or "]]>" */
	bool		 declared;	/* <?xml ?> or anything was there */
	bool		 ended;
	/* The stanza that is arriving. */
	const char	*refused;	/* why it is passed over, or NULL */
	int64_t		 depth;		/* open elements, the header's too */
	size_t		 elements;
	size_t		 attributes;
	size_t		 tag_len;
};

struct xmlstream *
xmlstream_new(const struct xmlstream_events *events, void *arg)
{
	struct xmlstream	*s;

	s = xcalloc(1, sizeof(*s));
	s->events = events;
	s->arg = arg;
	return s;
}

void
xmlstream_free(struct xmlstream *s)
{
	if (s == NULL)
		return;
	xmlFreeParserCtxt(s->parser);
	buf_free(&s->all);
	buf_free(&s->name);
	free(s);
}

static void
stanza_clear(struct xmlstream *s)
{
	s->refused = NULL;
	s->elements = 0;
	s->start_len = 0;
	s->all.len = s->header_len;
}

void
xmlstream_reset(struct xmlstream *s)
{
	s->life++;
	s->header_len = 0;
	s->depth = 0;
	s->where = IN_TEXT;
	s->declared = s->ended = false;
	/* The old stream may have ended within a tag. */
	s->tag_len = s->attributes = 0;
	stanza_clear(s);
	buf_free(&s->all);
	buf_free(&s->name);
}

static xmlDoc *
parse(struct xmlstream *s)
{
	if (s->parser != NULL &&
	    xmlDictGetUsage(s->parser->dict) > NAMES_MAX) {
		xmlFreeParserCtxt(s->parser);
		s->parser = NULL;
	}
	if (s->parser == NULL)
		s->parser = xmlNewParserCtxt();
	if (s->parser == NULL || s->all.len > INT_MAX)
		return NULL;
	/* The encoding is named, or libxml2 takes bad UTF-8 for Latin-1. */
	return xmlCtxtReadMemory(s->parser, s->all.data, (int)s->all.len,
	    NULL, "UTF-8", PARSE_OPTIONS);
}

/* The one element inside the header. */
static xmlNode *
inside(xmlDoc *doc)
{
	xmlNode	*node = xmlDocGetRootElement(doc);

	if (node == NULL)
		return NULL;
	for (node = node->children; node != NULL; node = node->next)
		if (node->type == XML_ELEMENT_NODE)
			return node;
	return NULL;
}

static void
close_header(struct xmlstream *s)
{
	buf_puts(&s->all, "</");
	buf_put(&s->all, s->name.data, s->name.len);
	buf_putc(&s->all, '>');
}

/* The start tag without the rest; NULL when it is not known. */
static xmlDoc *
parse_start(struct xmlstream *s)
{
	size_t	 end = s->header_len + s->start_len;

	if (s->start_len == 0)
		return NULL;
	s->all.len = end - 1;
	if (s->all.data[end - 2] == '/')
		s->all.len--;
	buf_puts(&s->all, "/>");
	close_header(s);
	return parse(s);
}

static const char *
stanza_done(struct xmlstream *s)
{
	const char	*why = s->refused;
	unsigned	 life = s->life;
	xmlDoc		*doc;
	xmlNode		*node = NULL;

	if (why != NULL)
		doc = parse_start(s);
	else {
		close_header(s);
		doc = parse(s);
	}
	if (doc != NULL)
		node = inside(doc);
	if (why == NULL && node == NULL) {
		xmlFreeDoc(doc);
		return "not-well-formed";
	}
	stanza_clear(s);
	if (why != NULL)
		s->events->on_refused(s->arg, node, why);
	else
		s->events->on_stanza(s->arg, node);
	xmlFreeDoc(doc);
	if (s->life == life && s->all.cap > XMLSTREAM_STANZA_MAX / 4) {
		/* One large stanza does not stay for ever. */
		s->all.cap = s->header_len + 1;
		s->all.data = xrealloc(s->all.data, s->all.cap);
	}
	return NULL;
}

static const char *
header_done(struct xmlstream *s)
{
	size_t	 len = s->all.len;
	xmlDoc	*doc;

	buf_put(&s->name, s->all.data + 1,
	    strcspn(s->all.data + 1, " \t\r\n/>"));
	close_header(s);
	doc = parse(s);
	s->all.len = s->header_len = len;
	if (doc == NULL || xmlDocGetRootElement(doc) == NULL) {
		xmlFreeDoc(doc);
		return "not-well-formed";
	}
	s->events->on_header(s->arg, xmlDocGetRootElement(doc));
	xmlFreeDoc(doc);
	return NULL;
}

static void
refuse(struct xmlstream *s, const char *why)
{
	if (s->refused != NULL)
		return;
	s->refused = why;
	s->all.len = s->header_len + s->start_len;
}

/* A start tag ends here. */
static const char *
tag_done(struct xmlstream *s, bool empty)
{
	s->tag_len = s->attributes = 0;
	if (s->depth == 0) {
		if (empty)
			return "invalid-xml";
		s->depth = 1;
		return header_done(s);
	}
	if (s->depth == 1 && s->refused == NULL)
		s->start_len = s->all.len - s->header_len;
	if (++s->elements > XMLSTREAM_ELEMENTS)
		refuse(s, "too many elements");
	if (s->depth >= XMLSTREAM_DEPTH + 1)
		refuse(s, "too deep");
	if (!empty)
		s->depth++;
	else if (s->depth == 1)
		return stanza_done(s);
	return NULL;
}

static const char *
close_done(struct xmlstream *s)
{
	if (--s->depth == 1)
		return stanza_done(s);
	if (s->depth == 0) {
		s->ended = true;
		s->events->on_end(s->arg);
	}
	return NULL;
}

/* Between '<' and '>' of a start tag.  Returns how much of it was used. */
static size_t
scan_tag(struct xmlstream *s, const char *p, size_t len, bool *done)
{
	size_t	 i;

	for (i = 0; i < len; i++) {
		if (p[i] == '>') {
			*done = true;
			s->where = IN_TEXT;
			return i + 1;
		}
		s->last = p[i];
		if (p[i] == '"' || p[i] == '\'') {
			s->quote = p[i];
			s->where = IN_QUOTE;
			return i + 1;
		}
		if (p[i] == '=')
			s->attributes++;
	}
	return len;
}

static size_t
scan_to(const char *p, size_t len, char c, bool *found)
{
	const char	*at = memchr(p, c, len);

	*found = at != NULL;
	return at != NULL ? (size_t)(at - p) + 1 : len;
}

/* One octet of "[CDATA[" or, within, of "]]>". */
static const char *
scan_cdata(struct xmlstream *s, char c)
{
	static const char	 open[] = "[CDATA[";

	if (s->where == IN_BANG) {
		/* A comment or a DTD. */
		if (c != open[s->matched] || s->depth < 2)
			return "restricted-xml";
		if (open[++s->matched] == '\0') {
			s->where = IN_CDATA;
			s->matched = 0;
		}
	} else if (c == '>' && s->matched >= 2)
		s->where = IN_TEXT;
	else
		s->matched = c == ']' ? s->matched + (s->matched < 2) : 0;
	return NULL;
}

static const char *
scan_open(struct xmlstream *s, char c)
{
	s->last = '\0';
	s->tag_len = 0;
	s->attributes = 0;
	s->matched = 0;
	switch (c) {
	case '/':
		s->where = IN_CLOSE;
		return s->depth == 0 ? "not-well-formed" : NULL;
	case '!':
		s->where = IN_BANG;
		return NULL;
	case '?':
		s->where = IN_DECLARATION;
		return s->declared ? "restricted-xml" : NULL;
	default:
		s->where = IN_TAG;
		s->declared = true;
		/* This octet is the name's first. */
		return strchr(" \t\r\n<>=\"'&", c) == NULL ? NULL :
		    "not-well-formed";
	}
}

static const char *
scan_text(struct xmlstream *s, const char *p, size_t len)
{
	size_t	 i;

	/* Inside a stanza text is libxml2's business. */
	if (s->depth >= 2)
		return NULL;
	for (i = 0; i < len; i++)
		if (p[i] == '\0' || strchr(" \t\r\n", p[i]) == NULL)
			return s->depth == 0 ? "not-well-formed" :
			    "invalid-xml";
	return NULL;
}

/* <?xml ... ?>, which is not kept. */
static const char *
scan_declaration(struct xmlstream *s, const char *p, size_t used, bool found)
{
	if ((s->tag_len += used) > HEADER_MAX)
		return "policy-violation";
	if (!found) {
		s->last = p[used - 1];
		return NULL;
	}
	if (used > 1)
		s->last = p[used - 2];
	s->where = IN_TEXT;
	s->declared = true;
	return s->last == '?' ? NULL : "not-well-formed";
}

/*
 * Keeps octets for libxml2, unless the stanza is passed over.  Between
 * stanzas '<' is kept only when a start tag is seen to follow.
 */
static void
keep(struct xmlstream *s, enum where was, const char *p, size_t used)
{
	if (s->depth < 2) {
		if (was == IN_OPEN && s->where == IN_TAG)
			buf_putc(&s->all, '<');
		else if (was != IN_TAG && was != IN_QUOTE)
			return;
	}
	if (s->refused == NULL)
		buf_put(&s->all, p, used);
}

static const char *
bounds(struct xmlstream *s, enum where was, size_t used)
{
	if (was == IN_TAG || was == IN_QUOTE)
		s->tag_len += used;
	if (s->header_len == 0)
		return s->all.len > HEADER_MAX ||
		    s->attributes > XMLSTREAM_ATTRIBUTES ?
		    "policy-violation" : NULL;
	if (s->all.len - s->header_len > XMLSTREAM_STANZA_MAX)
		refuse(s, "too large");
	if (s->tag_len > XMLSTREAM_TAG_MAX)
		refuse(s, "a tag too large");
	if (s->attributes > XMLSTREAM_ATTRIBUTES)
		refuse(s, "too many attributes");
	return NULL;
}

/*
 * Takes octets up to the next one that means something, at least one, and
 * sets *used.
 */
static const char *
scan(struct xmlstream *s, const char *p, size_t len, size_t *used)
{
	const char	*bad = NULL;
	enum where	 was = s->where;
	bool		 found = false;

	*used = 1;
	switch (was) {
	case IN_TEXT:
		*used = scan_to(p, len, '<', &found);
		bad = scan_text(s, p, *used - found);
		if (found)
			s->where = IN_OPEN;
		break;
	case IN_OPEN:
		bad = scan_open(s, *p);
		break;
	case IN_TAG:
		*used = scan_tag(s, p, len, &found);
		break;
	case IN_QUOTE:
		*used = scan_to(p, len, s->quote, &found);
		if (found)
			s->where = IN_TAG;
		break;
	case IN_CLOSE:
		*used = scan_to(p, len, '>', &found);
		if (found)
			s->where = IN_TEXT;
		break;
	case IN_BANG:
	case IN_CDATA:
		bad = scan_cdata(s, *p);
		break;
	case IN_DECLARATION:
		*used = scan_to(p, len, '>', &found);
		return scan_declaration(s, p, *used, found);
	}
	if (bad != NULL)
		return bad;
	keep(s, was, p, *used);
	if ((bad = bounds(s, was, *used)) != NULL)
		return bad;
	if (was == IN_TAG && found)
		return tag_done(s, s->last == '/');
	if (was == IN_CLOSE && found)
		return close_done(s);
	return NULL;
}

int
xmlstream_feed(struct xmlstream *s, const char *bytes, size_t len,
    const char **condition)
{
	unsigned	 life = s->life;
	const char	*bad;
	size_t		 used;

	while (len > 0 && !s->ended) {
		bad = scan(s, bytes, len, &used);
		/* A callback started a new stream: the rest was the old
		 * one's. */
		if (s->life != life)
			return 0;
		if (bad != NULL) {
			*condition = bad;
			return -1;
		}
		bytes += used;
		len -= used;
	}
	return 0;
}
