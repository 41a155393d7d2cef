/*
 * A gate in front of an XML parser.  libxml2 compares every attribute of a
 * tag with every other before anybody is asked, so that 300 KB of attributes
 * keep it busy for ten seconds; this counts them as the bytes come by.  It
 * understands as much XML as that takes, provided that the parser behind it
 * refuses comments, processing instructions and document types.
 */
#ifndef SCHEMA_TAGGATE_H
#define SCHEMA_TAGGATE_H

#include <stddef.h>

#define TAGGATE_ATTRIBUTES	64	/* of a tag, declarations included */

/* Zero-initialise to start; one for each document or stream. */
struct taggate {
	int	 state;
	int	 count;
};

/* Looks at the next bytes, however they are cut.  0, or -1 when a tag has
 * too many attributes: then nothing of it may reach the parser. */
int	 taggate_feed(struct taggate *, const char *bytes, size_t len);

#endif
