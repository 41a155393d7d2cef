/*
 * Cuts an XMPP stream (RFC 6120 section 11) into stanzas while it arrives.
 *
 * A small scanner finds where each stanza ends and counts its octets, levels,
 * elements and attributes before libxml2 sees any of it; only a stanza within
 * the bounds is parsed, by itself, inside the stream's own header.  So memory
 * and time are bounded whatever a stranger sends through the server (a push
 * parser over the whole stream would keep every name it ever met, and takes
 * time quadratic in the attributes of one tag), and a stanza out of bounds
 * costs only itself.  DTDs, comments, processing instructions and entities
 * other than the five of XML end the stream (section 11.1).
 */
#ifndef XMPP_XMLSTREAM_H
#define XMPP_XMLSTREAM_H

#include <stddef.h>

#include <libxml/tree.h>

#define XMLSTREAM_STANZA_MAX	(300 * 1024)
#define XMLSTREAM_TAG_MAX	(16 * 1024)	/* one start tag */
#define XMLSTREAM_DEPTH		16		/* the stanza is level 1 */
#define XMLSTREAM_ELEMENTS	1024
#define XMLSTREAM_ATTRIBUTES	64		/* in one start tag */

struct xmlstream;

/* Elements are lent until the return.  Any of these may call
 * xmlstream_reset(): the rest of what was fed is then dropped. */
struct xmlstream_events {
	void	(*on_header)(void *arg, xmlNode *header);
	void	(*on_stanza)(void *arg, xmlNode *stanza);
	/* A stanza out of bounds has passed.  start is its start tag, empty;
	 * NULL if that was out of bounds itself. */
	void	(*on_refused)(void *arg, xmlNode *start, const char *why);
	/* The other side closed the stream. */
	void	(*on_end)(void *arg);
};

struct xmlstream	*xmlstream_new(const struct xmlstream_events *,
			    void *arg);
/* Not from one of its callbacks. */
void			 xmlstream_free(struct xmlstream *);
/* Forgets everything: a new stream starts. */
void			 xmlstream_reset(struct xmlstream *);
/* 0; -1 when this is no XMPP stream: *condition is then the stream error of
 * RFC 6120 section 4.9.3 to answer with, and only a reset helps. */
int			 xmlstream_feed(struct xmlstream *, const char *bytes,
			    size_t len, const char **condition);

#endif
