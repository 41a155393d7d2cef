#include "xmpp/login.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"

#define NAME_MAX_LEN	32

void
login_start(struct login *login, xmpp_ctx_t *ctx, xmpp_conn_t *conn,
    const char *password, bool direct)
{
	memset(login, 0, sizeof(*login));
	login->ctx = ctx;
	login->conn = conn;
	login->password = password;
	login->direct = direct;
	login->waiting = "the connection";
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

bool
login_element(const char *msg, const char *word, char *out, size_t out_size)
{
	size_t	len = strlen(word);

	if (strncmp(msg, word, len) != 0 || strncmp(msg + len, ": <", 3) != 0)
		return false;
	msg += len + 3;
	len = strcspn(msg, " />:\t\r\n");
	if (msg[len] == ':') {
		msg += len + 1;
		len = strcspn(msg, " />:\t\r\n");
	}
	snprintf(out, out_size, "%.*s", (int)(len < NAME_MAX_LEN ? len :
	    NAME_MAX_LEN), msg);
	return true;
}

static bool
in_namespace(xmpp_stanza_t *stanza, const char *ns)
{
	const char	*have = stanza != NULL ? xmpp_stanza_get_ns(stanza) : NULL;

	return have != NULL && strcmp(have, ns) == 0;
}

/* The first child element that is in ns and is not called text. */
static const char *
condition_of(xmpp_stanza_t *parent, const char *ns)
{
	xmpp_stanza_t	*child;
	const char	*name;

	for (child = xmpp_stanza_get_children(parent); child != NULL;
	    child = xmpp_stanza_get_next(child)) {
		name = xmpp_stanza_get_name(child);
		if (name != NULL && in_namespace(child, ns) &&
		    strcmp(name, "text") != 0)
			return name;
	}
	return "no reason given";
}

void
login_stream_error(struct login *login, xmpp_stanza_t *error)
{
	xmpp_stanza_t	*text;
	const char	*condition;
	char		*said = NULL;

	condition = condition_of(error, XMPP_NS_STREAMS_IETF);
	if (strcmp(condition, "conflict") == 0) {
		login_fail(login, LOGIN_CONFLICT,
		    "another agent uses this account (the server says "
		    "conflict)");
		return;
	}
	text = xmpp_stanza_get_child_by_name(error, "text");
	if (text != NULL)
		said = xmpp_stanza_get_text(text);
	login_fail(login, LOGIN_FAILED, "the server ended the stream: %s%s%s",
	    log_safe(condition), said != NULL ? ", " : "",
	    said != NULL ? log_safe(said) : "");
	if (said != NULL)
		xmpp_free(login->ctx, said);
}

/* How many mechanisms are offered that we use; the others are named. */
static int
count_scram(struct login *login, xmpp_stanza_t *mechanisms, char *others,
    size_t others_size)
{
	xmpp_stanza_t	*mech;
	const char	*name;
	char		*text;
	size_t		 len = 0;
	int		 n = 0;

	others[0] = '\0';
	for (mech = xmpp_stanza_get_children(mechanisms); mech != NULL;
	    mech = xmpp_stanza_get_next(mech)) {
		name = xmpp_stanza_get_name(mech);
		if (name == NULL || strcmp(name, "mechanism") != 0)
			continue;
		text = xmpp_stanza_get_text(mech);
		if (text == NULL)
			continue;
		if (strcasecmp(text, "SCRAM-SHA-1") == 0 ||
		    strcasecmp(text, "SCRAM-SHA-256") == 0 ||
		    strcasecmp(text, "SCRAM-SHA-512") == 0)
			n++;
		else if (len + 24 < others_size)
			len += (size_t)snprintf(others + len,
			    others_size - len, " %.20s", log_safe(text));
		xmpp_free(login->ctx, text);
	}
	return n;
}

/* The same reading of the offer as the library's (auth.c of 0.12.2). */
static void
saw_features(struct login *login, xmpp_stanza_t *features)
{
	xmpp_stanza_t	*child;
	char		 others[128];

	if (!xmpp_conn_is_secured(login->conn)) {
		child = xmpp_stanza_get_child_by_name(features, "starttls");
		if (in_namespace(child, XMPP_NS_TLS))
			login->waiting = "leave to start TLS";
		else
			login_fail(login, LOGIN_FAILED,
			    "the server offers no STARTTLS");
		return;
	}
	child = xmpp_stanza_get_child_by_name(features, "mechanisms");
	if (!in_namespace(child, XMPP_NS_SASL)) {
		login->waiting = "the answer to the resource binding";
		return;
	}
	login->waiting = "the answer to the login";
	login->scram_left = count_scram(login, child, others, sizeof(others));
	if (login->scram_left > 0)
		xmpp_conn_set_pass(login->conn, login->password);
	else
		login_fail(login, LOGIN_FAILED, "the server offers no SCRAM "
		    "login, only:%s", others[0] != '\0' ? others : " nothing");
}

static void
saw_failure(struct login *login, xmpp_stanza_t *failure)
{
	const char	*condition;

	if (in_namespace(failure, XMPP_NS_TLS)) {
		login_fail(login, LOGIN_FAILED,
		    "the server refuses to start TLS");
		return;
	}
	if (!in_namespace(failure, XMPP_NS_SASL) || --login->scram_left > 0)
		return;
	/* The library would go on with DIGEST-MD5 if that was offered too;
	 * nothing it queues now is sent any more. */
	xmpp_conn_set_pass(login->conn, "");
	condition = condition_of(failure, XMPP_NS_SASL);
	if (strcmp(condition, "temporary-auth-failure") == 0)
		login_fail(login, LOGIN_FAILED,
		    "login not possible now: temporary-auth-failure");
	else
		login_fail(login, LOGIN_REFUSED, "login refused (%s): check "
		    "jid and password_file", log_safe(condition));
}

static void
saw_element(struct login *login, const char *name, const char *text)
{
	xmpp_stanza_t	*stanza;

	if (strcmp(name, "stream") == 0) {
		login->waiting = "stream features";
		return;
	} else if (strcmp(name, "proceed") == 0) {
		login->waiting = "the TLS handshake";
		return;
	} else if (strcmp(name, "success") == 0) {
		login->waiting = "the stream after the login";
		return;
	} else if (strcmp(name, "features") != 0 &&
	    strcmp(name, "failure") != 0 && strcmp(name, "error") != 0)
		return;
	stanza = xmpp_stanza_new_from_string(login->ctx, text);
	if (stanza == NULL)
		return;
	if (strcmp(name, "features") == 0)
		saw_features(login, stanza);
	else if (strcmp(name, "failure") == 0)
		saw_failure(login, stanza);
	else if (in_namespace(stanza, XMPP_NS_STREAMS))
		login_stream_error(login, stanza);
	xmpp_stanza_release(stanza);
}

void
login_saw(struct login *login, const char *area, const char *msg)
{
	char		 name[NAME_MAX_LEN + 1];
	const char	*last;
	int		 error;

	if (login->over)
		return;
	if (login_element(msg, "RECV", name, sizeof(name)))
		saw_element(login, name, msg + strlen("RECV: "));
	else if (strcmp(msg, "connection successful") == 0) {
		login->connected = true;
		login->waiting = login->direct ? "the TLS handshake" :
		    "the stream";
	} else if (sscanf(msg, "connection failed, error %d", &error) == 1)
		login_fail(login, LOGIN_FAILED, "cannot connect: %s",
		    strerror(error));
	else if (strcmp(msg, "Connection attempt timed out.") == 0)
		login_fail(login, LOGIN_FAILED,
		    "cannot connect: no answer, perhaps filtered");
	else if (strncmp(msg, "parse error", 11) == 0)
		login_fail(login, LOGIN_FAILED,
		    "what the server sent is not XMPP");
	else if (strcmp(area, "tls") == 0 && strncmp(msg, "error:", 6) == 0) {
		last = strrchr(msg, ':');
		snprintf(login->tls_reason, sizeof(login->tls_reason), "%s",
		    log_safe(last + 1));
	} else if (strncmp(msg, "Couldn't start TLS", 18) == 0) {
		if (login->bad_cert[0] != '\0')
			login_fail(login, LOGIN_FAILED, "%s", login->bad_cert);
		else if (login->tls_reason[0] != '\0')
			login_fail(login, LOGIN_FAILED, "TLS failed: %s",
			    login->tls_reason);
	}
}

static const char *
cert_part(const xmpp_tlscert_t *cert, xmpp_cert_element_t part)
{
	const char	*text = xmpp_tlscert_get_string(cert, part);

	return text != NULL ? log_safe(text) : "?";
}

void
login_bad_cert(struct login *login, const xmpp_tlscert_t *cert,
    const char *reason)
{
	const char	*jid = xmpp_conn_get_jid(login->conn), *domain;

	if (login->bad_cert[0] != '\0')
		return;
	domain = strchr(jid, '@') != NULL ? strchr(jid, '@') + 1 : jid;
	if (strcmp(reason, "hostname mismatch") == 0)
		snprintf(login->bad_cert, sizeof(login->bad_cert),
		    "the server's certificate is not for %.*s but for %.100s",
		    (int)strcspn(domain, "/"), domain,
		    cert_part(cert, XMPP_CERT_SUBJECT));
	else
		snprintf(login->bad_cert, sizeof(login->bad_cert),
		    "the server's certificate is not accepted: %s "
		    "(%.60s, issued by %.60s, valid until %.24s)",
		    log_safe(reason), cert_part(cert, XMPP_CERT_SUBJECT),
		    cert_part(cert, XMPP_CERT_ISSUER),
		    cert_part(cert, XMPP_CERT_NOTAFTER));
}
