/* What a program under test sends: only stanzas, within the bounds that it has
 * for others. */
#ifndef TESTS_FUZZ_STANZAS_H
#define TESTS_FUZZ_STANZAS_H

#include "tests/fuzz/must.h"
#include "xmpp/xmlstream.h"

static inline void
stanzas_on_element(void *arg, xmlNode *node)
{
	must(node != NULL);
}

static inline void
stanzas_on_refused(void *arg, xmlNode *start, const char *why)
{
	must(!"a stanza that is out of bounds");
}

static inline void
stanzas_on_end(void *arg)
{
}

/* Feed it what leaves, from the stream's header on. */
static inline struct xmlstream *
stanzas_new(void)
{
	static const struct xmlstream_events	 events = {
		stanzas_on_element, stanzas_on_element, stanzas_on_refused,
		stanzas_on_end
	};

	return xmlstream_new(&events, NULL);
}

#endif
