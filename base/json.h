/*
 * Writes JSON (RFC 8259) into a buf, commas and escapes included.  Text must
 * be UTF-8; what is not becomes U+FFFD.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct json {
	struct buf	*out;
	bool		 comma;		/* the next value needs one */
	int		 depth;		/* two blanks of indent a level */
};

void	 json_start(struct json *, struct buf *out);
/* key is NULL inside arrays and at the top. */
void	 json_object(struct json *, const char *key);
void	 json_object_end(struct json *);
void	 json_array(struct json *, const char *key);
void	 json_array_end(struct json *);
void	 json_string(struct json *, const char *key, const char *value);
			/* NULL value writes null */
void	 json_int(struct json *, const char *key, int64_t value);
void	 json_bool(struct json *, const char *key, bool value);
void	 json_null(struct json *, const char *key);

#endif
