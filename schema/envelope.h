/*
 * The XEP-0420 envelope inside the seal: content, from, to, time, rpad.  As
 * it goes into the seal it is squashed and padded (schema/squash.h), so rpad
 * is empty.
 */
#ifndef SCHEMA_ENVELOPE_H
#define SCHEMA_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include <libxml/tree.h>

#include "base/buf.h"

#define ENVELOPE_NS	"urn:xmpp:sce:1"
#define ENVELOPE_MAX	(60 * 1024)	/* octets of XML */

/* Appends an envelope around content (one XML element, as text), ready for
 * the seal.  from and to are bare JIDs. */
void	 envelope_write(struct buf *out, const char *content,
	    size_t content_len, const char *from, const char *to,
	    int64_t wall_ms);

struct envelope {
	xmlDoc	*doc;		/* owns content */
	xmlNode	*content;	/* the one element inside <content/> */
	int64_t	 time_ms;
};
/*
 * Opens what was in the seal and checks the affixes: from and to must be these
 * bare JIDs, all five parts present once.  0, or -1 with the reason in why.
 */
int	 envelope_read(const char *plain, size_t len, const char *from,
	    const char *to, struct envelope *out, char *why,
	    size_t why_size);
void	 envelope_clear(struct envelope *);

#endif
