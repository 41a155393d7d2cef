#include "agent/network.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define BITS_MIN	16	/* of a network in the INI */
#define UNICAST_FIRST	UINT32_C(0x01000000)	/* 1.0.0.0 */
#define UNICAST_LAST	UINT32_C(0xdfffffff)	/* 223.255.255.255 */

struct piece {
	struct range	 range;
	size_t		 index;		/* of its first address */
};

struct network_set {
	struct piece	*piece;		/* in the order of the addresses */
	size_t		 len;
	size_t		 count;
};

/* --- ranges ------------------------------------------------------------------- */

static int
parse_ipv4(const char *text, uint32_t *out)
{
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) != 1)
		return -1;
	*out = ntohl(in.s_addr);
	return 0;
}

int
network_digits(const char *text, unsigned long max, unsigned long *out)
{
	size_t len = strlen(text);

	if (len == 0 || len > 9 || strspn(text, "0123456789") != len)
		return -1;
	*out = strtoul(text, NULL, 10);
	return *out <= max ? 0 : -1;
}

static void
set_network(struct range *r, uint32_t address, unsigned bits)
{
	uint32_t host = bits == 32 ? 0 : UINT32_MAX >> bits;

	r->first = address & ~host;
	r->last = address | host;
	r->trimmed = bits <= 30;
	/* The network's own and the broadcast address are no hosts; in a /31
	 * both are (RFC 3021). */
	if (r->trimmed) {
		r->first++;
		r->last--;
	}
}

static int
parse_any(const char *text, struct range *out, char *why, size_t why_size)
{
	char copy[RANGE_TEXT_MAX], *cut, sign;
	unsigned long n;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		goto bad;
	out->trimmed = false;
	memcpy(out->label, copy, sizeof(copy));
	if ((cut = strpbrk(copy, "/-")) == NULL) {
		if (parse_ipv4(copy, &out->first) == -1)
			goto bad;
		out->last = out->first;
		return 0;
	}
	sign = *cut;
	*cut++ = '\0';
	if (parse_ipv4(copy, &out->first) == -1)
		goto bad;
	if (sign == '/') {
		if (network_digits(cut, 32, &n) == -1)
			goto bad;
		if (n < BITS_MIN) {
			snprintf(why, why_size, "%.60s: a network may be /16 "
			    "at most (65536 addresses); split it", text);
			return -1;
		}
		set_network(out, out->first, (unsigned)n);
		return 0;
	}
	if (strchr(cut, '.') != NULL) {
		if (parse_ipv4(cut, &out->last) == -1)
			goto bad;
	} else {
		if (network_digits(cut, 255, &n) == -1)
			goto bad;
		out->last = (out->first & ~UINT32_C(255)) | (uint32_t)n;
	}
	if (out->last < out->first ||
	    out->last - out->first >= RANGE_ADDRESSES_MAX) {
		snprintf(why, why_size, "%.60s: a range goes upwards and has "
		    "65536 addresses at most", text);
		return -1;
	}
	return 0;
bad:
	snprintf(why, why_size, "%.60s: want an address a.b.c.d, a range "
	    "a.b.c.d-e or a network a.b.c.d/24", text);
	return -1;
}

/* Nobody is called in a crowd: no broadcast, no multicast, and not what is
 * reserved (RFC 6890). */
bool
network_unicast(uint32_t address)
{
	return address >= UNICAST_FIRST && address <= UNICAST_LAST;
}

int
range_parse(const char *text, struct range *out, char *why, size_t why_size)
{
	if (parse_any(text, out, why, why_size) == -1)
		return -1;
	if (network_unicast(out->first) && network_unicast(out->last))
		return 0;
	snprintf(why, why_size, "%.60s: only 1.0.0.0 to 223.255.255.255 are "
	    "addresses of machines", text);
	return -1;
}

bool
range_has(const struct range *range, uint32_t address)
{
	return address >= range->first && address <= range->last;
}

struct range *
range_parse_list(const struct ini_list *list, size_t more, size_t *len)
{
	struct range *ranges;
	char why[128];
	size_t i;

	ranges = xcalloc(list->count + more + 1, sizeof(*ranges));
	for (i = 0, *len = 0; i < list->count; i++)
		if (range_parse(list->item[i], &ranges[*len], why,
		    sizeof(why)) == 0)
			(*len)++;
	return ranges;
}

/* --- sets --------------------------------------------------------------------- */

struct pieces {
	struct range	*range;
	size_t		 len, room;
};

static void
pieces_add(struct pieces *p, const struct range *like, uint32_t first,
    uint32_t last)
{
	if (p->len == p->room) {
		p->room = p->room == 0 ? 16 : p->room * 2;
		p->range = xreallocarray(p->range, p->room,
		    sizeof(*p->range));
	}
	p->range[p->len] = *like;
	p->range[p->len].first = first;
	p->range[p->len++].last = last;
}

/* What of one is not in the other: nothing, one part or two, appended. */
static void
subtract(struct pieces *p, const struct range *one, const struct range *other)
{
	if (other->last < one->first || other->first > one->last) {
		pieces_add(p, one, one->first, one->last);
		return;
	}
	if (other->first > one->first)
		pieces_add(p, one, one->first, other->first - 1);
	if (other->last < one->last)
		pieces_add(p, one, other->last + 1, one->last);
}

/* Appends what of one is in none of the others. */
static void
add_rest(struct pieces *to, const struct range *one,
    const struct range *others, size_t len)
{
	struct pieces now = { 0 }, next = { 0 }, swap;
	size_t i, j;

	pieces_add(&now, one, one->first, one->last);
	for (i = 0; i < len && now.len > 0; i++) {
		next.len = 0;
		for (j = 0; j < now.len; j++)
			subtract(&next, &now.range[j], &others[i]);
		swap = now;
		now = next;
		next = swap;
	}
	for (j = 0; j < now.len; j++)
		pieces_add(to, &now.range[j], now.range[j].first,
		    now.range[j].last);
	free(now.range);
	free(next.range);
}

static int
by_address(const void *a, const void *b)
{
	const struct range *one = a, *other = b;

	return one->first < other->first ? -1 : one->first > other->first;
}

struct network_set *
network_set_new(const struct range *in, size_t in_len,
    const struct range *out, size_t out_len)
{
	struct pieces wanted = { 0 }, not = { 0 }, rest = { 0 };
	struct network_set *set;
	size_t i;

	for (i = 0; i < in_len; i++)
		add_rest(&wanted, &in[i], in, i);
	for (i = 0; i < out_len; i++)
		pieces_add(&not, &out[i], out[i].first - out[i].trimmed,
		    out[i].last + out[i].trimmed);
	for (i = 0; i < wanted.len; i++)
		add_rest(&rest, &wanted.range[i], not.range, not.len);
	if (rest.len > 0)
		qsort(rest.range, rest.len, sizeof(*rest.range), by_address);
	set = xcalloc(1, sizeof(*set));
	set->piece = xcalloc(rest.len + 1, sizeof(*set->piece));
	set->len = rest.len;
	for (i = 0; i < rest.len; i++) {
		set->piece[i].range = rest.range[i];
		set->piece[i].index = set->count;
		set->count += (size_t)(rest.range[i].last -
		    rest.range[i].first) + 1;
	}
	free(wanted.range);
	free(not.range);
	free(rest.range);
	return set;
}

struct network_set *
network_set_all_but(const struct ini_list *list)
{
	static const struct range all = { .first = UNICAST_FIRST,
	    .last = UNICAST_LAST };
	struct network_set *set;
	struct range *out;
	size_t n;

	out = range_parse_list(list, 0, &n);
	set = network_set_new(&all, 1, out, n);
	free(out);
	return set;
}

void
network_set_free(struct network_set *set)
{
	if (set == NULL)
		return;
	free(set->piece);
	free(set);
}

size_t
network_set_count(const struct network_set *set)
{
	return set->count;
}

size_t
network_set_index(const struct network_set *set, uint32_t address)
{
	size_t low = 0, high = set->len, mid;
	const struct range *r;

	while (low < high) {
		mid = low + (high - low) / 2;
		r = &set->piece[mid].range;
		if (address < r->first)
			high = mid;
		else if (address > r->last)
			low = mid + 1;
		else
			return set->piece[mid].index + (address - r->first);
	}
	return SIZE_MAX;
}

uint32_t
network_set_address(const struct network_set *set, size_t index,
    const char **label)
{
	size_t low = 0, high = set->len, mid;

	/* The last piece that begins at or before it. */
	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (set->piece[mid].index <= index)
			low = mid;
		else
			high = mid;
	}
	if (label != NULL)
		*label = set->piece[low].range.label;
	return set->piece[low].range.first +
	    (uint32_t)(index - set->piece[low].index);
}

const struct range *
network_set_stretch(const struct network_set *set, size_t n)
{
	return n < set->len ? &set->piece[n].range : NULL;
}

/* --- the own subnets ---------------------------------------------------------- */

void
network_around(uint32_t address, uint32_t netmask, struct range *out,
    bool *cut)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr in;
	unsigned bits = 0;

	while (bits < 32 && (netmask & (UINT32_C(1) << (31 - bits))) != 0)
		bits++;
	*cut = bits < NETWORK_ATTACHED_BITS;
	if (*cut)
		bits = NETWORK_ATTACHED_BITS;
	set_network(out, address, bits);
	in.s_addr = htonl(bits == 32 ? address :
	    address & ~(UINT32_MAX >> bits));
	inet_ntop(AF_INET, &in, text, sizeof(text));
	snprintf(out->label, sizeof(out->label), "%s/%u", text, bits);
}

static bool
is_subnet(const struct ifaddrs *ifa)
{
	return ifa->ifa_addr != NULL && ifa->ifa_netmask != NULL &&
	    ifa->ifa_addr->sa_family == AF_INET &&
	    (ifa->ifa_flags & IFF_UP) != 0 &&
	    (ifa->ifa_flags & (IFF_LOOPBACK | IFF_POINTOPOINT)) == 0;
}

static uint32_t
address_of(const struct sockaddr *sa)
{
	struct sockaddr_in in;

	memcpy(&in, sa, sizeof(in));
	return ntohl(in.sin_addr.s_addr);
}

/* Once, however often somebody looks. */
static void
say_cut(const char *interface, const char *label)
{
	static char said[RANGE_TEXT_MAX];

	if (strcmp(said, label) == 0)
		return;
	snprintf(said, sizeof(said), "%s", label);
	log_info("network", "the network of %s is larger than /%d: looking at "
	    "%s only; [discovery] networks names more", log_safe(interface),
	    NETWORK_ATTACHED_BITS, label);
}

size_t
network_attached(struct range out[NETWORK_ATTACHED_MAX])
{
	struct ifaddrs *list, *ifa;
	size_t n = 0;
	bool cut;

	if (getifaddrs(&list) == -1) {
		log_warn("network", "cannot list the interfaces");
		return 0;
	}
	for (ifa = list; ifa != NULL && n < NETWORK_ATTACHED_MAX;
	    ifa = ifa->ifa_next) {
		if (!is_subnet(ifa))
			continue;
		network_around(address_of(ifa->ifa_addr),
		    address_of(ifa->ifa_netmask), &out[n], &cut);
		if (cut)
			say_cut(ifa->ifa_name, out[n].label);
		n++;
	}
	freeifaddrs(list);
	return n;
}
