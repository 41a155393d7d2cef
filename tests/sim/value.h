/* One variable: its name, its type and its contents as they go on the wire. */
#ifndef SIM_VALUE_H
#define SIM_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define VALUE_BODY_MAX	8192

struct value {
	const uint32_t	*sub;		/* the name */
	const uint8_t	*name;		/* the same with tag and length, ready
					 * to be sent */
	const uint8_t	*body;		/* BER contents */
	uint32_t	 body_len;
	uint32_t	 at;		/* its place in the walk; of a name
					 * that the walk does not have, the
					 * place of the one after it */
	uint16_t	 name_len;
	uint8_t		 sub_len;
	uint8_t		 tag;
	bool		 gone;		/* hides the same name below it */
	bool		 owns_name;	/* sub is freed with the value */
};

/*
 * Reads a value as a walk writes it: tag is "2", "4x", "67" ... (the BER tag
 * in decimal; a trailing x means that text is the contents in hex).  Sets
 * *ber_tag and appends the contents to body.  0, or -1 when tag and text do
 * not fit together.
 */
int	 value_parse(const char *tag, const char *text, size_t len,
	    uint8_t *ber_tag, struct buf *body);
/* The other way: "4x|00FF" where text would not survive a line. */
void	 value_format(const struct value *, struct buf *out);
/* Only the text of it, as value_format() has it after the bar. */
void	 value_text(const struct value *, struct buf *out);
/* An integer of any type; 0, or -1 when it is none. */
int	 value_number(const struct value *, int64_t *);
/* Contents for a number under this tag; the length. */
size_t	 value_make(uint8_t tag, int64_t number, uint8_t out[9]);

#endif
