#include "xmpp/jid.h"

#include <string.h>

static char
small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t
bare_len(const char *jid)
{
	return strcspn(jid, "/");
}

int
jid_bare(const char *jid, char *out, size_t out_size)
{
	size_t	 i, len;

	if (out_size == 0)
		return -1;
	out[0] = '\0';
	if (jid == NULL)
		return -1;
	len = bare_len(jid);
	if (len == 0 || len >= out_size || len >= JID_MAX)
		return -1;
	for (i = 0; i < len; i++)
		out[i] = small(jid[i]);
	out[len] = '\0';
	return 0;
}

bool
jid_same_bare(const char *a, const char *b)
{
	size_t	 i, len;

	if (a == NULL || b == NULL)
		return false;
	len = bare_len(a);
	if (len == 0 || len != bare_len(b))
		return false;
	for (i = 0; i < len; i++)
		if (small(a[i]) != small(b[i]))
			return false;
	return true;
}

bool
jid_same(const char *a, const char *b)
{
	return jid_same_bare(a, b) &&
	    strcmp(a + bare_len(a), b + bare_len(b)) == 0;
}

/* RFC 7622 section 3.3.1 forbids these in a local part; a domain has no use
 * for them either. */
static bool
part_valid(const char *part, size_t len)
{
	size_t	 i;

	if (len == 0 || len > 1023)
		return false;
	for (i = 0; i < len; i++)
		if ((unsigned char)part[i] <= ' ' || part[i] == 0x7f ||
		    strchr("\"&'/:<>@", part[i]) != NULL)
			return false;
	return true;
}

bool
jid_valid_bare(const char *jid)
{
	const char	*at, *domain;

	if (jid == NULL || strlen(jid) >= JID_MAX)
		return false;
	at = strchr(jid, '@');
	domain = at != NULL ? at + 1 : jid;
	if (at != NULL && !part_valid(jid, (size_t)(at - jid)))
		return false;
	/* An address in brackets is a domain too (section 3.2). */
	if (domain[0] == '[')
		return strlen(domain) > 2 &&
		    strspn(domain + 1, "0123456789abcdefABCDEF:.") ==
		    strlen(domain) - 2 && domain[strlen(domain) - 1] == ']';
	return part_valid(domain, strlen(domain));
}
