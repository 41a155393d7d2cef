#include "base/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"

void
uuid_make(char out[UUID_TEXT_MAX])
{
	unsigned char b[16];
	char *p = out;
	size_t i;

	while (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
		if (errno != EINTR)
			fatal("uuid", "no random numbers");
	b[6] = (b[6] & 0x0f) | 0x40;	/* version 4: random */
	b[8] = (b[8] & 0x3f) | 0x80;	/* the variant of RFC 4122 */
	for (i = 0; i < sizeof b; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		p += sprintf(p, "%02x", b[i]);
	}
}

bool
uuid_valid(const char *text)
{
	size_t i;

	if (text == NULL)
		return false;
	for (i = 0; i < UUID_TEXT_MAX - 1; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return false;
		} else if (text[i] == '\0' ||
		    strchr("0123456789abcdef", text[i]) == NULL)
			return false;
	}
	return text[i] == '\0';
}
