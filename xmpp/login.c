#include "xmpp/login.h"

#include <sys/random.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "schema/xmltree.h"
#include "xmpp/iq.h"
#include "xmpp/jid.h"
#include "xmpp/stanzaerror.h"

#define NS_ERRORS	"urn:ietf:params:xml:ns:xmpp-streams"
#define NS_TLS		"urn:ietf:params:xml:ns:xmpp-tls"
#define NS_SASL		"urn:ietf:params:xml:ns:xmpp-sasl"
#define NS_BINDING	"urn:xmpp:sasl-cb:0"
#define NS_BIND		"urn:ietf:params:xml:ns:xmpp-bind"

static void
put_header(struct login *login)
{
	buf_puts(&login->out, "<?xml version='1.0'?><stream:stream to='");
	xmltree_escape(&login->out, strchr(login->bare, '@') + 1);
	/* Who we are is nobody's business before TLS (RFC 6120 4.7.1). */
	if (login->secured) {
		buf_puts(&login->out, "' from='");
		xmltree_escape(&login->out, login->bare);
	}
	buf_puts(&login->out, "' version='1.0' xml:lang='en' xmlns='" LOGIN_NS
	    "' xmlns:stream='" LOGIN_NS_STREAM "'>");
	login->step = LOGIN_HEADER_STEP;
}

void
login_start(struct login *login)
{
	snprintf(login->bare, sizeof(login->bare), "%.*s",
	    (int)strcspn(login->jid, "/"), login->jid);
	if (login->direct)
		login->waiting = "the TLS handshake";
	else {
		login->waiting = "the stream";
		put_header(login);
	}
}

void
login_end(struct login *login)
{
	sasl_free(login->sasl);
	login->sasl = NULL;
	buf_free(&login->out);
}

void
login_fail(struct login *login, enum login_fault fault, const char *fmt, ...)
{
	va_list	ap;

	if (login->over)
		return;
	login->over = true;
	login->fault = fault;
	va_start(ap, fmt);
	vsnprintf(login->why, sizeof(login->why), fmt, ap);
	va_end(ap);
}

static enum login_act
over(struct login *login, enum login_fault fault, const char *why)
{
	login_fail(login, fault, "%s", why);
	return LOGIN_OVER;
}

/* The first child in ns that is not called text. */
static const xmlNode *
condition_of(const xmlNode *parent, const char *ns)
{
	xmlNode	*child;

	for (child = xmltree_child(parent, NULL, ns); child != NULL;
	    child = xmltree_next(child))
		if (child->ns != NULL &&
		    strcmp((const char *)child->ns->href, ns) == 0 &&
		    strcmp((const char *)child->name, "text") != 0)
			return child;
	return NULL;
}

static const char *
condition_name(const xmlNode *condition)
{
	return condition != NULL ? log_safe((const char *)condition->name) :
	    "no reason given";
}

/*
 * Stream errors
 */

/* "host", "host:port" or "[2001:db8::1]:port" (RFC 6120 section 4.9.3.19). */
static bool
read_host(struct login *login, const xmlNode *condition)
{
	char	*text = xmltree_text(condition), *host = text, *port = NULL;
	bool	 good = false;
	long	 n = 0;

	if (text == NULL)
		return false;
	if (host[0] == '[') {
		port = strchr(++host, ']');
		if (port != NULL) {
			*port++ = '\0';
			port = *port == ':' ? port + 1 : NULL;
		}
	} else if ((port = strchr(host, ':')) != NULL)
		*port++ = '\0';
	if (port != NULL)
		n = strspn(port, "0123456789") == strlen(port) ?
		    strtol(port, NULL, 10) : -1;
	if (host[0] != '\0' && strlen(host) < sizeof(login->host) &&
	    strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789.-_:") == strlen(host) && n >= 0 && n <= 65535) {
		memcpy(login->host, host, strlen(host) + 1);
		login->port = (int)n;
		good = true;
	}
	free(text);
	return good;
}

static const char *
advice(const char *condition)
{
	static const struct {
		const char	*condition, *text;
	} known[] = {
		{ "host-unknown", " (it does not serve this domain: check "
		    "jid and host)" },
		{ "policy-violation", " (it does not like what or how much "
		    "we send)" },
		{ "system-shutdown", " (it is going down)" },
	};
	size_t	i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].condition, condition) == 0)
			return known[i].text;
	return "";
}

void
login_stream_error(struct login *login, const xmlNode *error)
{
	const xmlNode	*condition = condition_of(error, NS_ERRORS);
	const xmlNode	*text = xmltree_child(error, "text", NS_ERRORS);
	const char	*name = condition_name(condition);
	char		*said = text != NULL ? xmltree_text(text) : NULL;

	if (strcmp(name, "conflict") == 0)
		login_fail(login, LOGIN_CONFLICT, "another agent uses this "
		    "account (the server says conflict)");
	else if (strcmp(name, "see-other-host") == 0 && login->secured &&
	    read_host(login, condition))
		login_fail(login, LOGIN_ELSEWHERE, "the server ended the "
		    "stream: see-other-host %s", login->host);
	else
		login_fail(login, strcmp(name, "policy-violation") == 0 ?
		    LOGIN_TOO_MUCH : LOGIN_FAILED, "the server ended the "
		    "stream: %s%s%s%s", name, said != NULL ? ", " : "",
		    said != NULL ? log_safe(said) : "", advice(name));
	free(said);
}

/*
 * SASL
 */

static void
put_sasl(struct login *login, const char *name, const char *attributes,
    const char *text)
{
	buf_printf(&login->out, "<%s xmlns='" NS_SASL "'%s>%s</%s>", name,
	    attributes, text, name);
}

/* Begins with the best of what is left of the offer. */
static bool
begin_sasl(struct login *login)
{
	const struct sasl_account account = { login->bare, login->password,
	    login->allow_plain };
	struct buf	 text = { 0 };
	char		 attributes[64];

	login->mechanism = sasl_choose(login->offered & ~login->refused,
	    &account, &login->bound_to);
	if (login->mechanism == SASL_NONE)
		return false;
	sasl_free(login->sasl);
	login->sasl = sasl_new(login->mechanism, login->offered, &account,
	    &login->bound_to);
	sasl_begin(login->sasl, &text);
	snprintf(attributes, sizeof(attributes), " mechanism='%s'",
	    sasl_name(login->mechanism));
	put_sasl(login, "auth", attributes, text.data);
	buf_free(&text);
	login->step = LOGIN_SASL_STEP;
	login->waiting = "the answer to the login";
	return true;
}

/* Sets what is offered, and lists it. */
static void
read_offer(struct login *login, const xmlNode *mechanisms, struct buf *list)
{
	xmlNode	*child;
	char	*text;

	login->offered = 0;
	for (child = xmltree_child(mechanisms, "mechanism", NS_SASL);
	    child != NULL; child = xmltree_next(child)) {
		if (!xmltree_is(child, "mechanism", NS_SASL) ||
		    (text = xmltree_text(child)) == NULL)
			continue;
		login->offered |= 1u << sasl_mechanism(text);
		if (list->len < 200)
			buf_printf(list, " %.24s", log_safe(text));
		free(text);
	}
}

/* XEP-0440 */
static void
read_binding(struct login *login, const xmlNode *features)
{
	const xmlNode	*all = xmltree_child(features, "sasl-channel-binding",
			    NS_BINDING);
	xmlNode		*child;
	struct buf	 list = { 0 };
	char		*type;

	for (child = all != NULL ? xmltree_child(all, "channel-binding",
	    NS_BINDING) : NULL; child != NULL; child = xmltree_next(child)) {
		if ((type = xmltree_attr(child, "type")) != NULL)
			buf_printf(&list, ",%s", type);
		free(type);
	}
	memset(&login->bound_to, 0, sizeof(login->bound_to));
	/* Servers that list nothing and yet offer -PLUS know tls-unique alone
	 * (ejabberd 23.01, even with TLS 1.3, which has none). */
	if (login->binding != NULL && (all != NULL ||
	    !sasl_binds(login->offered)))
		login->binding(login->arg, all == NULL ? NULL :
		    list.len > 0 ? list.data : "", &login->bound_to);
	buf_free(&list);
}

static enum login_act
saw_mechanisms(struct login *login, const xmlNode *features,
    const xmlNode *mechanisms)
{
	struct buf	list = { 0 };
	const char	*names;

	read_offer(login, mechanisms, &list);
	read_binding(login, features);
	names = list.len > 0 ? list.data : " nothing";
	if (login->password != NULL && !sasl_fit(login->password))
		over(login, LOGIN_REFUSED, "the password has other letters "
		    "than those of ASCII, which cannot be used: change it");
	else if (!sasl_fit(login->bare))
		over(login, LOGIN_REFUSED, "jid has other letters than those "
		    "of ASCII, which cannot be used");
	else if (!begin_sasl(login)) {
		if (login->password == NULL)
			login_fail(login, LOGIN_FAILED, "the server offers "
			    "no EXTERNAL login (does it trust the CA of "
			    "client_cert?), only:%s", names);
		else
			login_fail(login, LOGIN_FAILED, "the server offers "
			    "no SCRAM login, only:%s%s", names,
			    (login->offered & 1u << SASL_PLAIN) != 0 &&
			    !login->allow_plain ?
			    " (allow_plain = yes would allow PLAIN)" : "");
	}
	buf_free(&list);
	return login->over ? LOGIN_OVER : LOGIN_ON;
}

static enum login_act
saw_challenge(struct login *login, const xmlNode *challenge)
{
	char		*text = xmltree_text(challenge);
	struct buf	 answer = { 0 };
	int		 rc;

	rc = sasl_answer(login->sasl, text != NULL ? text : "", &answer);
	free(text);
	if (rc == -1) {
		/* So that the server knows, too. */
		put_sasl(login, "abort", "", "");
		over(login, LOGIN_FAILED, sasl_why(login->sasl));
	} else
		put_sasl(login, "response", "", answer.len > 0 ? answer.data :
		    "");
	buf_free(&answer);
	return login->over ? LOGIN_OVER : LOGIN_ON;
}

static enum login_act
saw_success(struct login *login, const xmlNode *success)
{
	char	*text = xmltree_text(success);
	int	 rc;

	rc = sasl_finish(login->sasl, text != NULL ? text : "");
	free(text);
	if (rc == -1)
		return over(login, LOGIN_FAILED, sasl_why(login->sasl));
	log_debug("uplink", "authenticated with %s",
	    sasl_name(login->mechanism));
	sasl_free(login->sasl);
	login->sasl = NULL;
	login->authenticated = true;
	login->waiting = "the stream after the login";
	put_header(login);
	return LOGIN_RESTART;
}

static enum login_act
saw_refusal(struct login *login, const xmlNode *failure)
{
	const char	*condition = condition_name(condition_of(failure,
			    NS_SASL));

	/* A server may offer what this account cannot use.  Only that word
	 * lets us try another: a wrong password that is tried with each
	 * mechanism locks the account so much earlier. */
	if (strcmp(condition, "invalid-mechanism") == 0 &&
	    login->refused == 0) {
		login->refused = 1u << login->mechanism;
		if (begin_sasl(login))
			return LOGIN_ON;
	}
	if (strcmp(condition, "temporary-auth-failure") == 0)
		login_fail(login, LOGIN_FAILED, "login not possible now: "
		    "temporary-auth-failure");
	else
		login_fail(login, LOGIN_REFUSED, "login refused (%s): check "
		    "jid and %s", condition, login->password != NULL ?
		    "password_file" : "client_cert");
	return LOGIN_OVER;
}

static enum login_act
saw_sasl(struct login *login, const xmlNode *stanza)
{
	if (xmltree_is(stanza, "challenge", NS_SASL))
		return saw_challenge(login, stanza);
	if (xmltree_is(stanza, "success", NS_SASL))
		return saw_success(login, stanza);
	if (xmltree_is(stanza, "failure", NS_SASL))
		return saw_refusal(login, stanza);
	return LOGIN_ON;
}

/*
 * Binding a resource
 */

static void
make_id(char out[40])
{
	unsigned char	bytes[12];
	size_t		i;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		fatal("uplink", "getrandom");
	for (i = 0; i < sizeof(bytes); i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static enum login_act
begin_bind(struct login *login, const xmlNode *features)
{
	struct buf	 payload = { 0 };
	const char	*resource = strchr(login->jid, '/');

	if (xmltree_child(features, "bind", NS_BIND) == NULL)
		return over(login, LOGIN_FAILED, "the server lets us bind no "
		    "resource");
	buf_puts(&payload, "<bind xmlns='" NS_BIND "'>");
	if (resource != NULL) {
		buf_puts(&payload, "<resource>");
		xmltree_escape(&payload, resource + 1);
		buf_puts(&payload, "</resource>");
	}
	buf_puts(&payload, "</bind>");
	make_id(login->id);
	iq_put(&login->out, "set", login->id, NULL, payload.data,
	    payload.len);
	buf_free(&payload);
	login->step = LOGIN_BIND_STEP;
	login->waiting = "the answer to the resource binding";
	return LOGIN_ON;
}

static enum login_act
saw_bound(struct login *login, const xmlNode *iq)
{
	const xmlNode	*bind = xmltree_child(iq, "bind", NS_BIND), *jid;
	char		*text;
	bool		 ours;

	jid = bind != NULL ? xmltree_child(bind, "jid", NS_BIND) : NULL;
	text = jid != NULL ? xmltree_text(jid) : NULL;
	ours = text != NULL && jid_same_bare(text, login->bare);
	if (!ours)
		login_fail(login, LOGIN_REFUSED, "the server logs us in as "
		    "%s, which is not our jid",
		    text != NULL ? log_safe(text) : "nobody");
	free(text);
	if (!ours)
		return LOGIN_OVER;
	login->step = LOGIN_BOUND_STEP;
	return LOGIN_DONE;
}

static enum login_act
saw_bind_answer(struct login *login, const xmlNode *stanza)
{
	char		*id, *type;
	const char	*condition;
	enum login_act	 act = LOGIN_ON;

	if (!xmltree_is(stanza, "iq", LOGIN_NS))
		return LOGIN_ON;
	id = xmltree_attr(stanza, "id");
	type = xmltree_attr(stanza, "type");
	if (id == NULL || type == NULL || strcmp(id, login->id) != 0)
		act = LOGIN_ON;
	else if (strcmp(type, "result") == 0)
		act = saw_bound(login, stanza);
	else if (strcmp(type, "error") == 0) {
		condition = stanzaerror_condition(stanza);
		login_fail(login, strcmp(condition, "conflict") == 0 ?
		    LOGIN_CONFLICT : LOGIN_FAILED, "the server does not let "
		    "us bind the resource: %s", condition);
		act = LOGIN_OVER;
	}
	free(id);
	free(type);
	return act;
}

/*
 * Features
 */

static enum login_act
begin_tls(struct login *login, const xmlNode *features)
{
	if (xmltree_child(features, "starttls", NS_TLS) == NULL)
		return over(login, LOGIN_FAILED,
		    "the server offers no STARTTLS");
	buf_puts(&login->out, "<starttls xmlns='" NS_TLS "'/>");
	login->step = LOGIN_PROCEED_STEP;
	login->waiting = "leave to start TLS";
	return LOGIN_ON;
}

static enum login_act
saw_features(struct login *login, const xmlNode *features)
{
	const xmlNode	*mechanisms;

	if (!login->secured)
		return begin_tls(login, features);
	if (login->authenticated)
		return begin_bind(login, features);
	mechanisms = xmltree_child(features, "mechanisms", NS_SASL);
	if (mechanisms == NULL)
		return over(login, LOGIN_FAILED, "the server offers no login");
	return saw_mechanisms(login, features, mechanisms);
}

static enum login_act
saw_tls(struct login *login, const xmlNode *stanza)
{
	if (xmltree_is(stanza, "failure", NS_TLS))
		return over(login, LOGIN_FAILED,
		    "the server refuses to start TLS");
	if (!xmltree_is(stanza, "proceed", NS_TLS))
		return LOGIN_ON;
	login->waiting = "the TLS handshake";
	return LOGIN_SECURE;
}

void
login_secured(struct login *login)
{
	login->secured = true;
	login->waiting = "the stream within TLS";
	put_header(login);
}

enum login_act
login_header(struct login *login, const xmlNode *header)
{
	const xmlNs	*inner = xmlSearchNs(header->doc, (xmlNode *)header,
			    NULL);

	if (!xmltree_is(header, "stream", LOGIN_NS_STREAM) || inner == NULL ||
	    strcmp((const char *)inner->href, LOGIN_NS) != 0)
		return over(login, LOGIN_FAILED, "what the server sent is "
		    "not XMPP");
	if (login->step == LOGIN_HEADER_STEP && !login->authenticated)
		login->waiting = "stream features";
	return LOGIN_ON;
}

enum login_act
login_stanza(struct login *login, xmlNode *stanza)
{
	if (login->over)
		return LOGIN_OVER;
	if (xmltree_is(stanza, "error", LOGIN_NS_STREAM)) {
		login_stream_error(login, stanza);
		return LOGIN_OVER;
	}
	switch (login->step) {
	case LOGIN_HEADER_STEP:
		if (xmltree_is(stanza, "features", LOGIN_NS_STREAM))
			return saw_features(login, stanza);
		break;
	case LOGIN_PROCEED_STEP:
		return saw_tls(login, stanza);
	case LOGIN_SASL_STEP:
		return saw_sasl(login, stanza);
	case LOGIN_BIND_STEP:
		return saw_bind_answer(login, stanza);
	case LOGIN_BOUND_STEP:
		break;
	}
	return LOGIN_ON;
}
