#include "xmpp/srv.h"

#include <sys/random.h>

#include <arpa/nameser.h>
#include <ctype.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX	65535

static int
get16(const unsigned char *p)
{
	return p[0] << 8 | p[1];
}

/* It is to stand in requests to proxies and in log lines. */
static bool
is_host(const char *name)
{
	for (; *name != '\0'; name++)
		if (!isalnum((unsigned char)*name) &&
		    strchr("._-", *name) == NULL)
			return false;
	return true;
}

/* Behind the questions; NULL when they are cut short. */
static const unsigned char *
skip_questions(const unsigned char *answer, const unsigned char *end)
{
	const unsigned char	*p = answer + HFIXEDSZ;
	int			 questions = get16(answer + 4), skip;

	for (; questions > 0; questions--) {
		skip = dn_skipname(p, end);
		if (skip == -1 || end - p < skip + QFIXEDSZ)
			return NULL;
		p += skip + QFIXEDSZ;
	}
	return p;
}

/*
 * By hand: the ns_* functions would need one more library.  Every step says
 * how far it may look; dn_expand() and dn_skipname() check theirs.
 */
int
srv_parse(const unsigned char *answer, size_t len, bool direct,
    struct srv *out, int max)
{
	const unsigned char	*p, *end = answer + len;
	int			 answers, type, size, skip, n = 0;

	if (len < HFIXEDSZ || len > ANSWER_MAX ||
	    (p = skip_questions(answer, end)) == NULL)
		return 0;
	answers = get16(answer + 6);
	for (; answers > 0 && n < max; answers--, p += size) {
		skip = dn_skipname(p, end);
		if (skip == -1 || end - p < skip + RRFIXEDSZ)
			break;
		p += skip;
		type = get16(p);
		size = get16(p + 8);
		p += RRFIXEDSZ;
		if (end - p < size)
			break;
		if (type != T_SRV || size < 7)
			continue;
		out[n].priority = get16(p);
		out[n].weight = get16(p + 2);
		out[n].port = get16(p + 4);
		out[n].direct = direct;
		if (dn_expand(answer, end, p + 6, out[n].host,
		    sizeof(out[n].host)) == -1)
			continue;
		/* "." alone: decidedly not available here. */
		if (out[n].host[0] == '\0' || strcmp(out[n].host, ".") == 0)
			return n == 0 ? -1 : n;
		if (out[n].port != 0 && is_host(out[n].host))
			n++;
	}
	return n;
}

static int
by_priority(const void *a, const void *b)
{
	const struct srv	*x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority - y->priority;
	/* Those of weight 0 come first, so that they have a small chance. */
	return (x->weight != 0) - (y->weight != 0);
}

void
srv_order(struct srv *srv, int count,
    uint32_t (*dice)(void *arg, uint32_t below), void *arg)
{
	struct srv	picked;
	uint32_t	sum, roll;
	int		i, j;

	qsort(srv, (size_t)count, sizeof(*srv), by_priority);
	for (i = 0; i < count; i++) {
		sum = 0;
		for (j = i; j < count &&
		    srv[j].priority == srv[i].priority; j++)
			sum += (uint32_t)srv[j].weight;
		roll = dice(arg, sum + 1);
		sum = 0;
		for (j = i; j < count - 1 &&
		    srv[j + 1].priority == srv[i].priority; j++) {
			sum += (uint32_t)srv[j].weight;
			if (sum >= roll)
				break;
		}
		picked = srv[j];
		memmove(&srv[i + 1], &srv[i], (size_t)(j - i) * sizeof(*srv));
		srv[i] = picked;
	}
}

uint32_t
srv_dice(void *arg, uint32_t below)
{
	uint32_t	n = 0;

	if (getrandom(&n, sizeof(n), 0) != sizeof(n))
		return 0;
	return n % below;
}
