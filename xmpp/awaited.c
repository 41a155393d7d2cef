#include "xmpp/awaited.h"

#include <sys/random.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "schema/xmltree.h"
#include "xmpp/iq.h"
#include "xmpp/stanzaerror.h"

#define ID_BYTES	16

struct ask {
	struct ask		*next;
	struct awaited		*all;
	char			 id[2 * ID_BYTES + 1];
	enum awaited_from		 to;
	int64_t			 asked_ms;
	bool			 forged;	/* and it was said */
	struct timer		 timer;
	uplink_answer_fn	*fn;
	void			*arg;
};

struct awaited {
	struct loop		*loop;
	const char		*central, *domain;
	awaited_send_fn		*send;
	awaited_verdict_fn		*verdict;
	void			*arg;
	struct ask		*first;		/* oldest */
};

struct awaited *
awaited_new(struct loop *loop, const char *central, const char *domain,
    awaited_send_fn *send, awaited_verdict_fn *verdict, void *arg)
{
	struct awaited	*all = xcalloc(1, sizeof(*all));

	all->loop = loop;
	all->central = central;
	all->domain = domain;
	all->send = send;
	all->verdict = verdict;
	all->arg = arg;
	return all;
}

static void
unlink_ask(struct ask *ask)
{
	struct ask	**p = &ask->all->first;

	while (*p != ask)
		p = &(*p)->next;
	*p = ask->next;
	timer_clear(ask->all->loop, &ask->timer);
}

void
awaited_free(struct awaited *all)
{
	struct ask	*ask;

	if (all == NULL)
		return;
	while ((ask = all->first) != NULL) {
		unlink_ask(ask);
		free(ask);
	}
	free(all);
}

static void
lose(struct ask *ask)
{
	ask->fn(ask->arg, UPLINK_LOST, NULL, NULL);
	free(ask);
}

static void
on_timeout(void *arg)
{
	struct ask	*ask = arg;
	struct awaited	*all = ask->all;

	unlink_ask(ask);
	all->verdict(all->arg, ask->to, UPLINK_LOST, "", ask->asked_ms);
	lose(ask);
}

static void
make_id(char *out)
{
	unsigned char	bytes[ID_BYTES];
	size_t		i;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		fatal("uplink", "getrandom");
	for (i = 0; i < ID_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

int
awaited_put(struct awaited *all, enum awaited_from to, const char *type,
    const char *payload, size_t len, int timeout_ms, uplink_answer_fn *fn,
    void *arg)
{
	struct ask	*ask = xcalloc(1, sizeof(*ask)), **p;
	struct buf	 b = { 0 };
	int		 rc;

	ask->all = all;
	ask->to = to;
	ask->fn = fn;
	ask->arg = arg;
	ask->asked_ms = clock_mono_ms();
	make_id(ask->id);
	iq_put(&b, type, ask->id, to == AWAITED_CENTRE ? all->central :
	    all->domain, payload, len);
	rc = all->send(all->arg, b.data, b.len);
	buf_free(&b);
	if (rc == -1) {
		free(ask);
		return -1;
	}
	for (p = &all->first; *p != NULL; p = &(*p)->next)
		;
	*p = ask;
	timer_after(all->loop, &ask->timer, timeout_ms, on_timeout, ask);
	return 0;
}

static bool
is_from(const struct awaited *all, enum awaited_from to, const char *from)
{
	if (to == AWAITED_CENTRE)
		return from != NULL && strcmp(from, all->central) == 0;
	/* A server may leave out its own address. */
	return from == NULL || strcmp(from, all->domain) == 0;
}

void
awaited_element(const xmlNode *node, struct uplink_element *element,
    char **text)
{
	element->name = (const char *)node->name;
	element->ns = node->ns != NULL ? (const char *)node->ns->href : NULL;
	element->n = iq_attr(node, "n");
	element->text = *text = xmltree_text(node);
}

static void
deliver(struct ask *ask, const xmlNode *stanza)
{
	struct awaited		*all = ask->all;
	const xmlNode		*child = xmltree_child(stanza, NULL, NULL);
	struct uplink_element	 element;
	const char		*type = iq_attr(stanza, "type"), *condition;
	char			*text;

	if (type != NULL && strcmp(type, "error") == 0) {
		condition = stanzaerror_condition(stanza);
		all->verdict(all->arg, ask->to, UPLINK_ERROR, condition,
		    ask->asked_ms);
		ask->fn(ask->arg, UPLINK_ERROR, condition, NULL);
	} else if (child == NULL)
		ask->fn(ask->arg, UPLINK_RESULT, NULL, NULL);
	else {
		awaited_element(child, &element, &text);
		ask->fn(ask->arg, UPLINK_RESULT, NULL, &element);
		free(text);
	}
	free(ask);
}

void
awaited_answer(struct awaited *all, const char *from, const char *id,
    const xmlNode *stanza)
{
	struct ask	*ask;

	for (ask = all->first; ask != NULL; ask = ask->next)
		if (strcmp(ask->id, id) == 0)
			break;
	if (ask == NULL)
		return;
	if (!is_from(all, ask->to, from)) {
		if (!ask->forged)
			log_warnx("uplink", "answer from %s, who was not "
			    "asked, ignored", log_safe(from != NULL ? from :
			    "nobody"));
		ask->forged = true;
		return;
	}
	unlink_ask(ask);
	deliver(ask, stanza);
}

/* What a callback all anew while we are at it is not among them. */
void
awaited_flush(struct awaited *all, enum awaited_from to)
{
	struct ask	*lost = NULL, **tail = &lost, **p = &all->first, *ask;

	while ((ask = *p) != NULL) {
		if (to != AWAITED_ALL && ask->to != to) {
			p = &ask->next;
			continue;
		}
		unlink_ask(ask);
		ask->next = NULL;
		*tail = ask;
		tail = &ask->next;
	}
	while ((ask = lost) != NULL) {
		lost = ask->next;
		lose(ask);
	}
}

bool
awaited_any(const struct awaited *all, enum awaited_from from)
{
	const struct ask	*ask;

	for (ask = all->first; ask != NULL; ask = ask->next)
		if (from == AWAITED_ALL || ask->to == from)
			return true;
	return false;
}
