/*
 * A report: what an agent tells under one number, and its one XML form,
 * <report xmlns='urn:platen:report:1' seq='' turn=''> with any number of
 * <asset/>, <consumable/>, <alert/>, <agent/> in that order.  A message has
 * several of them, in <reports/>.
 */
#ifndef SCHEMA_REPORT_H
#define SCHEMA_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include <libxml/tree.h>

#include "base/buf.h"
#include "schema/record.h"

#define REPORT_NS	"urn:platen:report:1"
/* A report's XML is never longer; readers refuse more, writers split. */
#define REPORT_XML_MAX	(48 * 1024)

struct report {
	int64_t		 seq;		/* in its lane, from 1; ABSENT until it
					 * is known */
	int64_t		 turn;		/* in its epoch, likewise */
	struct asset		*assets;
	size_t			 assets_len;
	struct consumable	*consumables;
	size_t			 consumables_len;
	struct alert		*alerts;
	size_t			 alerts_len;
	struct agent		*agents;	/* at most one */
	size_t			 agents_len;
};

void	 report_init(struct report *);
void	 report_clear(struct report *);
/* Each appends an initialised record and returns it (valid until the next
 * append of its kind). */
struct asset		*report_asset(struct report *);
struct consumable	*report_consumable(struct report *);
struct alert		*report_alert(struct report *);
struct agent		*report_agent(struct report *);

/* Appends the XML (no declaration, no white space between elements).  seq
 * and turn are left out while they are not known.  Text is cut to what the
 * reader takes.  More than REPORT_XML_MAX is fatal: who cannot know tries. */
void	 report_write(const struct report *, struct buf *out);
/* The same, or -1 and out as it was if it would be longer. */
int	 report_try_write(const struct report *, struct buf *out);

/*
 * Reads and validates: well-formed, no DTD, no entities but XML's own five,
 * bounded in size, depth and number, and correct by the XSD.  0, or -1 with
 * the reason in why (English, one line).
 */
int	 report_read(const char *xml, size_t len, struct report *out,
	    char *why, size_t why_size);
/* What this program validated before it stored it: without the XSD, which
 * costs more than the rest.  As safe with damaged bytes: records have their
 * keys, and values are what they should be. */
int	 report_read_own(const char *xml, size_t len, struct report *out,
	    char *why, size_t why_size);
/* As report_read(), for an element of a tree that xmltree_parse() made, as
 * each of an envelope's reports is.  Whether seq and turn are there is for the
 * caller. */
int	 report_read_node(xmlNode *, struct report *out, char *why,
	    size_t why_size);
/* Whether the element (a report, reports, or one of the centre's ack, again)
 * is valid by the XSD.  0, or -1 and why. */
int	 report_validate(xmlNode *, char *why, size_t why_size);

/* Loads the XSD that is built in; report_read() does so by itself at its
 * first use.  For start-up, so that it is not done in a sandbox. */
void	 report_schema_load(void);
void	 report_schema_free(void);
/* The XSD's text, for the tests and for other tools. */
const char	*report_schema_text(void);

#endif
