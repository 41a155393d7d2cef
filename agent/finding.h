/*
 * What a probe found at one host, and its three forms: for people, JSON, and
 * the report that an agent would send.
 */
#ifndef AGENT_FINDING_H
#define AGENT_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/json.h"
#include "snmp/asker.h"
#include "snmp/bag.h"
#include "snmp/printer.h"
#include "snmp/reading.h"

struct finding {
	const char		*host;		/* as it was asked for */
	char			*reason;	/* why it is no printer, or NULL */
	char			*odd;		/* what did not make sense, or
						 * NULL */
	struct printer		*printers;	/* one; several behind a print
						 * server.  When it is no printer
						 * one with only an asset */
	size_t			 printers_len;
	bool			 printer;
	struct talk_traffic	 traffic;
};

/* From a reading's result (which keeps its own); ip is the address that was
 * asked, NULL when there was none. */
void	 finding_make(struct finding *, const char *host, const char *ip,
	    const struct reading_result *, int64_t now_ms);
/* The same when nothing was asked: reason says why. */
void	 finding_none(struct finding *, const char *host, const char *reason);
void	 finding_clear(struct finding *);

/* design.md 7: one object for each printer. */
void	 finding_json(struct json *, const struct finding *);
/* One <report/> and a newline. */
void	 finding_xml(FILE *, const struct finding *);
/* At most width columns; what is absent is not shown. */
void	 finding_text(FILE *, const struct finding *, int width);

#endif
