/* What a device is asked with: one [snmp NAME] section, ready for use. */
#ifndef SNMP_CREDENTIAL_H
#define SNMP_CREDENTIAL_H

#include "snmp/usm.h"

struct credential {
	char		*name;		/* the section's */
	int		 version;	/* 1, 2 (v2c), 3; 0: v2c, then v1 */
	char		*community;	/* v1 and v2c */
	struct usm_user	*user;		/* v3 */
	char		*context;	/* v3; NULL: the default context */
};

/* Which are tried before which: 0 for v3, then v2c (and those without a
 * version, which are tried as v2c and then v1), then v1. */
#define CREDENTIAL_RANKS	3
int	 credential_rank(const struct credential *);

/* Wipes and frees what it has; zeroed. */
void	 credential_clear(struct credential *);

#endif
