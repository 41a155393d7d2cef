#include "snmp/credential.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

int
credential_rank(const struct credential *c)
{
	switch (c->version) {
	case 3:
		return 0;
	case 1:
		return 2;
	default:
		return 1;
	}
}

void
credential_clear(struct credential *c)
{
	secret_free(c->community);
	free(c->name);
	free(c->context);
	usm_user_free(c->user);
	memset(c, 0, sizeof(*c));
}
