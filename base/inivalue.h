/* The values of INI keys: from text, and what is wanted in words.  For ini.c;
 * ini_parse_duration(), ini_parse_size() and ini_list_free() are here too. */
#ifndef BASE_INIVALUE_H
#define BASE_INIVALUE_H

#include "base/buf.h"
#include "base/ini.h"

/* Puts the value where the key says.  0, or -1 when it is none of the kind
 * or out of range: the member is as it was. */
int	 inivalue_store(const struct ini_key *, const char *value,
	    void *target);
/* "a whole number (between 1 and 65535)" */
void	 inivalue_wanted(const struct ini_key *, struct buf *out);

#endif
