/* Random UUIDs (RFC 4122 section 4.4), lower case, as text. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>

#define UUID_TEXT_MAX	37

void	 uuid_make(char out[UUID_TEXT_MAX]);
/* Exactly 36 characters of lower case hex and dashes in their places. */
bool	 uuid_valid(const char *text);

#endif
