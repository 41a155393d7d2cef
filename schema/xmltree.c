#include "schema/xmltree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "schema/taggate.h"

/* What is counted while the text is being parsed, so that a bomb costs no
 * more than its fuse. */
struct watchdog {
	int	 depth;
	int	 nodes;
	char	*why;		/* the first reason stays */
	size_t	 why_size;
	bool	 refused;
};

static void	 refuse(struct watchdog *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));

static void
refuse(struct watchdog *w, const char *fmt, ...)
{
	va_list ap;

	if (w->refused)
		return;
	w->refused = true;
	va_start(ap, fmt);
	vsnprintf(w->why, w->why_size, fmt, ap);
	va_end(ap);
}

static void
stop(xmlParserCtxt *ctxt, const char *reason)
{
	refuse(ctxt->_private, "%s", reason);
	xmlStopParser(ctxt);
}

static void
on_start(void *arg, const xmlChar *name, const xmlChar *prefix,
    const xmlChar *uri, int namespaces_len, const xmlChar **namespaces,
    int attributes_len, int defaulted, const xmlChar **attributes)
{
	xmlParserCtxt *ctxt = arg;
	struct watchdog *w = ctxt->_private;

	if (w->refused)
		return;
	if (++w->depth > XMLTREE_DEPTH)
		stop(ctxt, "nested too deeply");
	else if (++w->nodes > XMLTREE_NODES)
		stop(ctxt, "too many elements");
	else
		xmlSAX2StartElementNs(ctxt, name, prefix, uri, namespaces_len,
		    namespaces, attributes_len, defaulted, attributes);
}

static void
on_end(void *arg, const xmlChar *name, const xmlChar *prefix,
    const xmlChar *uri)
{
	xmlParserCtxt *ctxt = arg;
	struct watchdog *w = ctxt->_private;

	if (w->refused)
		return;
	w->depth--;
	xmlSAX2EndElementNs(ctxt, name, prefix, uri);
}

static void
on_doctype(void *arg, const xmlChar *name, const xmlChar *external,
    const xmlChar *system)
{
	stop(arg, "a document type is not allowed");
}

static void
on_comment(void *arg, const xmlChar *text)
{
	stop(arg, "a comment is not allowed");
}

static void
on_instruction(void *arg, const xmlChar *target, const xmlChar *data)
{
	stop(arg, "a processing instruction is not allowed");
}

static xmlEntity *
on_entity(void *arg, const xmlChar *name)
{
	xmlEntity *own = xmlGetPredefinedEntity(name);

	if (own == NULL)
		stop(arg, "an entity is not allowed");
	return own;
}

static void
on_error(void *arg, xmlError *error)
{
	xmlParserCtxt *ctxt = arg;
	const char *text = error->message != NULL ? error->message : "broken";

	if (error->level == XML_ERR_WARNING)
		return;
	refuse(ctxt->_private, "line %d: %s", error->line,
	    log_safe_n(text, strcspn(text, "\n")));
}

static void
watch(xmlParserCtxt *ctxt, struct watchdog *w)
{
	ctxt->_private = w;
	ctxt->sax->startElementNs = on_start;
	ctxt->sax->endElementNs = on_end;
	ctxt->sax->internalSubset = on_doctype;
	ctxt->sax->externalSubset = on_doctype;
	ctxt->sax->comment = on_comment;
	ctxt->sax->processingInstruction = on_instruction;
	ctxt->sax->getEntity = on_entity;
	ctxt->sax->getParameterEntity = NULL;
	ctxt->sax->serror = on_error;
}

xmlDoc *
xmltree_parse(const char *xml, size_t len, char *why, size_t why_size)
{
	struct watchdog w = { .why = why, .why_size = why_size };
	struct taggate gate = { 0 };
	xmlParserCtxt *ctxt;
	xmlDoc *doc;

	if (len == 0 || len > INT32_MAX) {
		refuse(&w, "nothing, or too much of it");
		return NULL;
	}
	/* Before the library guesses at encodings: this is UTF-8. */
	if (memchr(xml, '\0', len) != NULL || !utf8_valid(xml, len)) {
		refuse(&w, "not UTF-8 text");
		return NULL;
	}
	if (taggate_feed(&gate, xml, len) == -1) {
		refuse(&w, "too many attributes");
		return NULL;
	}
	if ((ctxt = xmlNewParserCtxt()) == NULL)
		fatalx("memory", "an XML parser");
	watch(ctxt, &w);
	/* NOENT substitutes the five that on_entity() leaves; without it an
	 * ampersand in a namespace's name would stay "&#38;". */
	doc = xmlCtxtReadMemory(ctxt, xml, (int)len, NULL, "UTF-8",
	    XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_NOCDATA |
	    XML_PARSE_NOXINCNODE);
	if (doc == NULL || !ctxt->wellFormed || w.refused) {
		refuse(&w, "not well-formed");
		xmlFreeDoc(doc);
		doc = NULL;
	}
	xmlFreeParserCtxt(ctxt);
	return doc;
}

static xmlNode *
element_from(xmlNode *n)
{
	while (n != NULL && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return n;
}

bool
xmltree_is(const xmlNode *n, const char *name, const char *ns)
{
	if (n == NULL || n->type != XML_ELEMENT_NODE ||
	    strcmp((const char *)n->name, name) != 0)
		return false;
	return ns == NULL ||
	    (n->ns != NULL && strcmp((const char *)n->ns->href, ns) == 0);
}

xmlNode *
xmltree_child(const xmlNode *parent, const char *name, const char *ns)
{
	xmlNode *n;

	if (parent == NULL)
		return NULL;
	for (n = element_from(parent->children); n != NULL;
	    n = xmltree_next(n))
		if (name == NULL ? ns == NULL || (n->ns != NULL &&
		    strcmp((const char *)n->ns->href, ns) == 0) :
		    xmltree_is(n, name, ns))
			return n;
	return NULL;
}

xmlNode *
xmltree_next(const xmlNode *n)
{
	return n != NULL ? element_from(n->next) : NULL;
}

char *
xmltree_attr(const xmlNode *n, const char *name)
{
	xmlChar *value;
	char *copy;

	if (n == NULL || n->type != XML_ELEMENT_NODE)
		return NULL;
	value = xmlGetNoNsProp(n, (const xmlChar *)name);
	copy = xstrdup_null((const char *)value);
	xmlFree(value);
	return copy;
}

int64_t
xmltree_number(const xmlNode *n, const char *name)
{
	char *text = xmltree_attr(n, name);
	int64_t value = -1;

	if (text != NULL && *text != '\0' && strlen(text) <= 18 &&
	    strspn(text, "0123456789") == strlen(text))
		value = strtoll(text, NULL, 10);
	free(text);
	return value;
}

char *
xmltree_text(const xmlNode *parent)
{
	struct buf text = { 0 };
	const xmlNode *n;

	if (parent == NULL)
		return NULL;
	for (n = parent->children; n != NULL; n = n->next)
		if ((n->type == XML_TEXT_NODE ||
		    n->type == XML_CDATA_SECTION_NODE) && n->content != NULL)
			buf_puts(&text, (const char *)n->content);
	return text.len > 0 ? buf_take(&text) : NULL;
}

void
xmltree_escape(struct buf *out, const char *text)
{
	size_t len = strlen(text), n;
	uint32_t c;

	for (; len > 0; text += n, len -= n) {
		if ((n = utf8_decode(text, len, &c)) == 0) {
			buf_putc(out, '?');
			n = 1;
			continue;
		}
		switch (c) {
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		case '"':
			buf_puts(out, "&quot;");
			break;
		case '\'':
			buf_puts(out, "&apos;");
			break;
		case '\t':
		case '\n':
		case '\r':
			/* A reader would make other blanks of them. */
			buf_printf(out, "&#%d;", (int)c);
			break;
		default:
			if (c >= 0x20 && c != 0xfffe && c != 0xffff)
				buf_put(out, text, n);
		}
	}
}

static const char *
href(const xmlNs *ns)
{
	return ns != NULL && ns->href != NULL ? (const char *)ns->href : "";
}

/* Attributes with a namespace are rare (xml:lang): each brings its own
 * prefix with it. */
static void
print_attrs(struct buf *out, const xmlNode *n)
{
	const xmlAttr *a;
	xmlChar *value;
	int count = 0;

	for (a = n->properties; a != NULL; a = a->next) {
		if (a->ns == NULL) {
			buf_printf(out, " %s='", (const char *)a->name);
		} else if (strcmp(href(a->ns),
		    (const char *)XML_XML_NAMESPACE) == 0) {
			buf_printf(out, " xml:%s='", (const char *)a->name);
		} else {
			buf_printf(out, " xmlns:a%d='", ++count);
			xmltree_escape(out, href(a->ns));
			buf_printf(out, "' a%d:%s='", count,
			    (const char *)a->name);
		}
		value = xmlNodeListGetString(n->doc, a->children, 1);
		if (value != NULL)
			xmltree_escape(out, (const char *)value);
		xmlFree(value);
		buf_putc(out, '\'');
	}
}

static void
print_element(struct buf *out, const xmlNode *n, const char *ns)
{
	const xmlNode *c;
	size_t inside;

	buf_printf(out, "<%s", (const char *)n->name);
	if (strcmp(href(n->ns), ns) != 0) {
		buf_puts(out, " xmlns='");
		xmltree_escape(out, href(n->ns));
		buf_putc(out, '\'');
	}
	print_attrs(out, n);
	if (n->children == NULL) {
		buf_puts(out, "/>");
		return;
	}
	buf_putc(out, '>');
	inside = out->len;
	for (c = n->children; c != NULL; c = c->next) {
		if (c->type == XML_ELEMENT_NODE)
			print_element(out, c, href(n->ns));
		else if ((c->type == XML_TEXT_NODE ||
		    c->type == XML_CDATA_SECTION_NODE) && c->content != NULL)
			xmltree_escape(out, (const char *)c->content);
	}
	if (out->len > inside) {
		buf_printf(out, "</%s>", (const char *)n->name);
		return;
	}
	/* An empty CDATA section is nothing. */
	out->len--;
	buf_puts(out, "/>");
}

void
xmltree_print(struct buf *out, const xmlNode *n)
{
	if (n != NULL && n->type == XML_ELEMENT_NODE)
		print_element(out, n, "");
}
