/*
 * The Basic Encoding Rules (X.690) as far as SNMP uses them: definite
 * lengths, single-octet tags.  A reader lends from the bytes it was given and
 * never looks past their end; a writer stops at the end of its room and says
 * so.
 */
#ifndef SIM_BER_H
#define SIM_BER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BER_INTEGER = 0x02, BER_OCTETS = 0x04, BER_NULL = 0x05, BER_OID = 0x06,
	BER_SEQUENCE = 0x30,
	BER_IPADDRESS = 0x40, BER_COUNTER32 = 0x41, BER_GAUGE32 = 0x42,
	BER_TIMETICKS = 0x43, BER_OPAQUE = 0x44, BER_COUNTER64 = 0x46,
	BER_NO_OBJECT = 0x80, BER_NO_INSTANCE = 0x81, BER_END_OF_MIB = 0x82
};

struct ber {
	const uint8_t	*at;
	size_t		 left;
};

/* Takes one element: its tag, and its contents in body.  0 or -1. */
int	 ber_take(struct ber *, uint8_t *tag, struct ber *body);
/* Takes one element that must have this tag. */
int	 ber_take_tag(struct ber *, uint8_t tag, struct ber *body);
/* Takes an INTEGER that fits 32 bits. */
int	 ber_take_int(struct ber *, int32_t *);
/* Contents of an OBJECT IDENTIFIER into sub (room for max); the count, or -1
 * when it is malformed or longer. */
int	 ber_oid(struct ber body, uint32_t *sub, size_t max);
/* Contents of any of the integers; 0 or -1 (empty, or over 64 bits). */
int	 ber_signed(struct ber body, int64_t *);
int	 ber_unsigned(struct ber body, uint64_t *);

struct ber_out {
	uint8_t	*at;		/* start of the room */
	size_t	 len, room;
	bool	 full;		/* something did not fit; len is unchanged */
};

/* One element with ready contents. */
void	 ber_put(struct ber_out *, uint8_t tag, const void *body, size_t len);
/* Tag and length alone, contents of len octets to follow. */
void	 ber_put_head(struct ber_out *, uint8_t tag, size_t len);
void	 ber_put_int(struct ber_out *, uint8_t tag, int64_t value);
void	 ber_put_oid(struct ber_out *, const uint32_t *sub, size_t len);
/* How many octets tag, length and contents of len take together. */
size_t	 ber_size(size_t len);
/* ... and tag and length alone. */
size_t	 ber_head_size(size_t len);

#define BER_INT_MAX	9		/* contents of any integer */
#define BER_OID_MAX	645		/* contents of 128 sub-identifiers */
/* Contents only, into a buffer that is large enough; the length. */
size_t	 ber_make_signed(int64_t, uint8_t out[BER_INT_MAX]);
size_t	 ber_make_unsigned(uint64_t, uint8_t out[BER_INT_MAX]);
size_t	 ber_make_oid(const uint32_t *sub, size_t len,
	    uint8_t out[BER_OID_MAX]);

#endif
