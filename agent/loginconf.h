/*
 * The keys of [xmpp] that say how the agent logs in, by a password or by a
 * certificate, and what it demands of the server beyond a valid one.
 */
#ifndef AGENT_LOGINCONF_H
#define AGENT_LOGINCONF_H

#include "agent/config.h"

struct loginconf {
	char	*password;		/* NULL: by certificate */
	char	*cert, *key;		/* the text of PEM files, or NULL */
};

/* Looks at the keys without reading a file.  0, or -1, each mistake logged
 * with file and line. */
int	 loginconf_check(const struct config *);
/* Reads what the keys name.  0, or -1 when it will not do: logged. */
int	 loginconf_load(const struct config *, struct loginconf *);
/* Wipes and frees; a zeroed one is fine. */
void	 loginconf_free(struct loginconf *);

#endif
