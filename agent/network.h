/*
 * Address ranges, sets of them, and the subnets that this machine stands in.
 * IPv4; addresses are in host byte order.
 */
#ifndef AGENT_NETWORK_H
#define AGENT_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ini.h"

#define RANGE_ADDRESSES_MAX	65536
#define RANGE_TEXT_MAX		64

struct range {
	uint32_t	 first, last;		/* both included */
	bool		 trimmed;		/* a network without its own
						 * and its broadcast address */
	char		 label[RANGE_TEXT_MAX];	/* as it was written */
};

/* Digits and nothing else, nine at most, as a number up to max.  0 or -1. */
int	 network_digits(const char *text, unsigned long max,
	    unsigned long *out);
/* "a.b.c.d", "a.b.c.d-e", "a.b.c.d-a.b.c.e", CIDR /16 to /32 (the network's
 * own and the broadcast address are left out up to /30); unicast addresses
 * alone.  0, or -1 with why. */
int	 range_parse(const char *text, struct range *, char *why,
	    size_t why_size);
bool	 range_has(const struct range *, uint32_t address);
/* May it be one machine's? */
bool	 network_unicast(uint32_t address);
/* All that can be read of a list, with room for more behind them; the caller
 * frees. */
struct range	*range_parse_list(const struct ini_list *, size_t more,
		    size_t *len);

/*
 * The addresses of some ranges without those of others, each once, numbered
 * from 0 in the order of the addresses.  One that several ranges have belongs
 * to the first of them.  A network that is taken out goes with both its ends,
 * which are hosts in a larger one.
 */
struct network_set;

struct network_set	*network_set_new(const struct range *in, size_t in_len,
			    const struct range *out, size_t out_len);
/* Every unicast address but those; what cannot be read of the list is passed over. */
struct network_set	*network_set_all_but(const struct ini_list *);
void			 network_set_free(struct network_set *);
size_t			 network_set_count(const struct network_set *);
/* The number of an address; SIZE_MAX when it is not in the set. */
size_t			 network_set_index(const struct network_set *,
			    uint32_t address);
/* The address with that number, which is below count, and the label of its
 * range (lent; NULL is fine). */
uint32_t		 network_set_address(const struct network_set *,
			    size_t index, const char **label);
/* The n-th stretch of consecutive addresses, in order; NULL behind the
 * last. */
const struct range	*network_set_stretch(const struct network_set *,
			    size_t n);

#define NETWORK_ATTACHED_MAX	32
#define NETWORK_ATTACHED_BITS	20	/* a /20 has 4096 addresses */

/*
 * The subnets that this machine stands in: of interfaces that are up, no
 * loopback and no point-to-point link.  A larger one is cut to the /20 around
 * the own address, which is logged.  How many.
 */
size_t	 network_attached(struct range out[NETWORK_ATTACHED_MAX]);
/* The subnet of one interface; *cut says whether it was larger. */
void	 network_around(uint32_t address, uint32_t netmask, struct range *,
	    bool *cut);

#endif
