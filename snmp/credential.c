#include "snmp/credential.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

void
credential_clear(struct credential *c)
{
	if (c->community != NULL)
		secret_wipe(c->community, strlen(c->community));
	free(c->community);
	free(c->name);
	free(c->context);
	usm_user_free(c->user);
	memset(c, 0, sizeof(*c));
}
