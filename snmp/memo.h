/*
 * What was learnt about a device, which saves asking it in vain the next
 * time: small enough to be kept for every device, and one line in the store.
 */
#ifndef SNMP_MEMO_H
#define SNMP_MEMO_H

#include <stdbool.h>
#include <stdint.h>

/* Zero it for an unknown device. */
struct device_memo {
	uint8_t	 version;		/* what answered: 1, 2, 3; 0 not known */
	uint8_t	 varbinds;		/* most that it takes in one request;
					 * 0: no limit was met */
	uint8_t	 bulk;			/* MEMO_ */
	bool	 jetdirect;		/* supplies live in context Jetdirect */
	bool	 alone;			/* answers from another address */
};
#define MEMO_BULK_UNKNOWN	0
#define MEMO_BULK_YES		1	/* GETBULK gave what GETNEXT gives */
#define MEMO_BULK_NO		2

/* One line of words for the store, and back ("" and what is not understood
 * is as if it was not known). */
#define MEMO_TEXT_MAX	64
char	*memo_format(const struct device_memo *, char out[MEMO_TEXT_MAX]);
void	 memo_parse(const char *, struct device_memo *);

#endif
