#include "central/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "central/handshake.h"
#include "schema/envelope.h"
#include "schema/report.h"
#include "schema/xmltree.h"
#include "xmpp/jid.h"

struct waiting {
	struct session		*session;
	char			*id;
	struct apply_answer	 answer;
};

struct batch {
	struct fleet		*fleet;
	struct component	*component;
	const char		*jid;
	struct waiting		 waiting[BATCH_MAX];
	size_t			 len;
	struct buf		 content, plain, reply;	/* kept allocated */
};

struct batch *
batch_new(struct fleet *fleet, struct component *component, const char *jid)
{
	struct batch	*batch;

	batch = xcalloc(1, sizeof(*batch));
	batch->fleet = fleet;
	batch->component = component;
	batch->jid = jid;
	return batch;
}

static void
forget(struct batch *batch)
{
	struct waiting	*w;

	for (w = batch->waiting; w < batch->waiting + batch->len; w++) {
		session_drop(w->session);
		apply_answer_clear(&w->answer);
		free(w->id);
	}
	batch->len = 0;
}

void
batch_free(struct batch *batch)
{
	if (batch == NULL)
		return;
	forget(batch);
	buf_free(&batch->content);
	buf_free(&batch->plain);
	buf_free(&batch->reply);
	free(batch);
}

void
batch_add(struct batch *batch, struct session *session, const char *id,
    struct apply_answer *answer)
{
	struct waiting	*w;

	if (batch->len == BATCH_MAX)
		batch_flush(batch);
	w = &batch->waiting[batch->len++];
	w->session = session_keep(session);
	w->id = xstrdup(id);
	w->answer = *answer;
	memset(answer, 0, sizeof(*answer));
}

size_t
batch_len(const struct batch *batch)
{
	return batch->len;
}

static void
write_content(struct buf *out, const struct apply_answer *a)
{
	size_t	i;

	buf_reset(out);
	if (a->verdict == APPLY_REKEY) {
		buf_puts(out, "<rekey xmlns='" HANDSHAKE_NS "'/>");
		return;
	}
	if (a->verdict == APPLY_AGAIN) {
		buf_printf(out, "<again xmlns='%s' lane='%s' seq='%lld'/>",
		    REPORT_NS, lane_name(a->lane), (long long)a->seq);
		return;
	}
	buf_printf(out, "<ack xmlns='%s' lane='%s' seq='%lld'>", REPORT_NS,
	    lane_name(a->lane), (long long)a->seq);
	for (i = 0; i < a->same_len; i++)
		buf_printf(out, "<same asset='%s' known='%s'/>",
		    a->same[i].id, a->same[i].known);
	for (i = 0; i < a->refused_len; i++) {
		buf_printf(out, "<refused seq='%lld' reason='",
		    (long long)a->refused[i].seq);
		xmltree_escape(out, a->refused[i].reason);
		buf_puts(out, "'/>");
	}
	buf_puts(out, "</ack>");
}

/* A session that ended since (the agent went, a new one is proven) cannot
 * carry the answer; its error makes the agent ask for a new one. */
static void
answer(struct batch *batch, struct waiting *w)
{
	struct buf	text = { 0 };
	char		agent[JID_MAX];
	uint64_t	n;

	write_content(&batch->content, &w->answer);
	buf_reset(&batch->plain);
	if (w->session->ended || jid_bare(w->session->full, agent,
	    sizeof(agent)) != 0)
		goto gone;
	envelope_write(&batch->plain, batch->content.data,
	    batch->content.len, batch->jid, agent, clock_wall_ms());
	if (seal_put(w->session->seal, batch->plain.data, batch->plain.len,
	    &n, &text) != 0)
		goto gone;
	buf_reset(&batch->reply);
	buf_printf(&batch->reply, "<sealed xmlns='%s' n='%llu'>", BATCH_NS,
	    (unsigned long long)n);
	buf_put(&batch->reply, text.data, text.len);
	buf_puts(&batch->reply, "</sealed>");
	component_reply(batch->component, w->session->full, w->id,
	    batch->reply.data, batch->reply.len);
	buf_free(&text);
	return;
gone:
	buf_free(&text);
	component_error(batch->component, w->session->full, w->id,
	    "item-not-found", "the session has ended");
}

int
batch_flush(struct batch *batch)
{
	struct waiting	*w;
	int		 rc;

	rc = fleet_commit(batch->fleet);
	for (w = batch->waiting; w < batch->waiting + batch->len; w++) {
		if (rc == 0 && w->answer.verdict != APPLY_FAILED) {
			answer(batch, w);
			continue;
		}
		w->session->ended = true;
		component_error(batch->component, w->session->full, w->id,
		    "resource-constraint", "the store failed");
	}
	forget(batch);
	return rc;
}
