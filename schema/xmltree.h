/*
 * Reading XML from strangers into a libxml2 tree, safely: no DTD, no entity
 * declarations, no comments, no processing instructions, no network, no
 * XInclude, at most len bytes (bounded by the caller), XMLTREE_DEPTH levels,
 * XMLTREE_NODES elements and TAGGATE_ATTRIBUTES attributes of an element.
 */
#ifndef SCHEMA_XMLTREE_H
#define SCHEMA_XMLTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libxml/tree.h>

#include "base/buf.h"

#define XMLTREE_DEPTH	16
#define XMLTREE_NODES	8192

/* NULL with the reason in why when it is refused; free with xmlFreeDoc(). */
xmlDoc		*xmltree_parse(const char *xml, size_t len, char *why,
		    size_t why_size);
/* The first child element of that name and namespace (NULL: any), or NULL. */
xmlNode		*xmltree_child(const xmlNode *, const char *name,
		    const char *ns);
xmlNode		*xmltree_next(const xmlNode *);	/* the next sibling element */
bool		 xmltree_is(const xmlNode *, const char *name, const char *ns);
/* Copies of an attribute or of the text inside, NULL when there is none; the
 * caller frees with free(). */
char		*xmltree_attr(const xmlNode *, const char *name);
char		*xmltree_text(const xmlNode *);
/* An attribute that is a number not below 0 (18 digits at most, and nothing
 * else); -1 when it is none. */
int64_t		 xmltree_number(const xmlNode *, const char *name);
/* Appends text with & < > " ' escaped; controls that XML forbids are left
 * out. */
void		 xmltree_escape(struct buf *out, const char *text);
/* Appends the element with all that is in it, namespaces included. */
void		 xmltree_print(struct buf *out, const xmlNode *);

#endif
