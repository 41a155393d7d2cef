#include "xmpp/proxy.h"

#include <arpa/inet.h>
#include <openssl/evp.h>

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/secret.h"

/* Of a foreign line in a reason. */
#define QUOTE_MAX	60

/* What SOCKS calls its steps. */
enum {
	STAGE_METHOD,
	STAGE_LOGIN,
	STAGE_REPLY
};

#define SOCKS_VERSION	5
#define LOGIN_VERSION	1
#define METHOD_NONE	0x00
#define METHOD_LOGIN	0x02
#define METHOD_REFUSED	0xff
#define ATYP_IPV4	1
#define ATYP_NAME	3
#define ATYP_IPV6	4

/*
 * The INI's value
 */

static int
parse_port(const char *text)
{
	int	port = 0;

	if (*text == '\0' || strlen(text) > 5)
		return 0;
	for (; *text != '\0'; text++) {
		if (!isdigit((unsigned char)*text))
			return 0;
		port = port * 10 + (*text - '0');
	}
	return port <= 65535 ? port : 0;
}

static int
parse_host(const char *text, size_t len, char out[PROXY_HOST_MAX])
{
	struct in6_addr	in6;
	size_t		i;
	bool		bracket = len > 2 && text[0] == '[' &&
			    text[len - 1] == ']';

	if (bracket) {
		text++;
		len -= 2;
	}
	if (len == 0 || len >= PROXY_HOST_MAX)
		return -1;
	memcpy(out, text, len);
	out[len] = '\0';
	if (bracket)
		return inet_pton(AF_INET6, out, &in6) == 1 ? 0 : -1;
	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)out[i]) &&
		    strchr("._-", out[i]) == NULL)
			return -1;
	return 0;
}

int
proxy_parse(const char *url, struct proxy *proxy, char *why, size_t why_size)
{
	const char	*rest, *colon;
	size_t		 len;

	memset(proxy, 0, sizeof(*proxy));
	if (strncasecmp(url, "http://", 7) == 0) {
		proxy->kind = PROXY_HTTP;
		rest = url + 7;
	} else if (strncasecmp(url, "socks5://", 9) == 0) {
		proxy->kind = PROXY_SOCKS5;
		rest = url + 9;
	} else {
		snprintf(why, why_size, "want http://HOST:PORT or "
		    "socks5://HOST:PORT");
		return -1;
	}
	if (strchr(rest, '@') != NULL) {
		snprintf(why, why_size, "a user and password do not belong "
		    "here: use proxy_user and proxy_password_file");
		return -1;
	}
	len = strlen(rest);
	if (len > 0 && rest[len - 1] == '/')
		len--;
	colon = memrchr(rest, ':', len);
	if (colon == NULL || memchr(colon, ']', len - (size_t)(colon - rest))) {
		snprintf(why, why_size, "the port is missing: want "
		    "http://HOST:PORT or socks5://HOST:PORT");
		return -1;
	}
	if (parse_host(rest, (size_t)(colon - rest), proxy->host) == -1) {
		snprintf(why, why_size, "the host is neither a name nor an "
		    "address (IPv6 in brackets)");
		return -1;
	}
	len -= (size_t)(colon + 1 - rest);
	if (len < 6) {
		char	port[6] = "";

		memcpy(port, colon + 1, len);
		proxy->port = parse_port(port);
	}
	if (proxy->port == 0) {
		snprintf(why, why_size, "the port is no number between 1 and "
		    "65535");
		return -1;
	}
	return 0;
}

char *
proxy_name(const struct proxy *proxy, char out[PROXY_NAME_MAX])
{
	bool	bracket = strchr(proxy->host, ':') != NULL;

	snprintf(out, PROXY_NAME_MAX, "%s://%s%s%s:%d",
	    proxy->kind == PROXY_HTTP ? "http" : "socks5",
	    bracket ? "[" : "", proxy->host, bracket ? "]" : "", proxy->port);
	return out;
}

/*
 * HTTP CONNECT
 */

static void
put_basic(const struct proxy *proxy, struct buf *out)
{
	unsigned char	plain[2 * PROXY_SECRET_MAX + 2];
	unsigned char	text[(sizeof(plain) + 2) / 3 * 4 + 1];
	int		len;

	len = snprintf((char *)plain, sizeof(plain), "%s:%s", proxy->user,
	    proxy->password != NULL ? proxy->password : "");
	if (len > 0 && (size_t)len < sizeof(plain)) {
		EVP_EncodeBlock(text, plain, len);
		buf_printf(out, "Proxy-Authorization: Basic %s\r\n", text);
	}
	secret_wipe(plain, sizeof(plain));
	secret_wipe(text, sizeof(text));
}

static void
http_begin(const struct proxy_talk *t, struct buf *out)
{
	bool		 bracket = strchr(t->host, ':') != NULL;
	const char	*open = bracket ? "[" : "", *shut = bracket ? "]" : "";

	buf_printf(out, "CONNECT %s%s%s:%d HTTP/1.1\r\n"
	    "Host: %s%s%s:%d\r\n", open, t->host, shut, t->port,
	    open, t->host, shut, t->port);
	if (t->proxy->user != NULL)
		put_basic(t->proxy, out);
	buf_puts(out, "\r\n");
}

/* The value of the first (after: next) field of that name within the head,
 * NULL when there is none; len is the value's. */
static const char *
http_field(const char *head, size_t head_len, const char *name,
    const char *after, size_t *len)
{
	const char	*p = after != NULL ? after : head;
	const char	*end = head + head_len, *eol;
	size_t		 name_len = strlen(name);

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		p++;
		if ((size_t)(end - p) <= name_len ||
		    strncasecmp(p, name, name_len) != 0 || p[name_len] != ':')
			continue;
		for (p += name_len + 1; p < end && (*p == ' ' || *p == '\t');
		    p++)
			continue;
		eol = memchr(p, '\n', (size_t)(end - p));
		*len = (size_t)((eol != NULL ? eol : end) - p);
		while (*len > 0 && isspace((unsigned char)p[*len - 1]))
			--*len;
		return p;
	}
	return NULL;
}

static const char *
quote(const char *bytes, size_t len)
{
	while (len > 0 && isspace((unsigned char)bytes[len - 1]))
		len--;
	return log_safe_n(bytes, len < QUOTE_MAX ? len : QUOTE_MAX);
}

static enum proxy_step
http_denied(struct proxy_talk *t, int status, const char *head,
    size_t head_len)
{
	static const char	 name[] = "Proxy-Authenticate";
	const char		*way = NULL, *first = NULL;
	size_t			 len = 0, first_len = 0;

	while ((way = http_field(head, head_len, name, way, &len)) != NULL) {
		if (first == NULL) {
			first = way;
			first_len = len;
		}
		if (len >= 5 && strncasecmp(way, "Basic", 5) == 0)
			break;
	}
	if (way == NULL && first != NULL) {
		for (len = 0; len < first_len && first[len] != ' '; len++)
			continue;
		snprintf(t->why, sizeof(t->why), "it wants a login by %s, and "
		    "only Basic can be done (%d)", quote(first, len), status);
	} else if (t->proxy->user == NULL)
		snprintf(t->why, sizeof(t->why), "it wants a user and "
		    "password: set proxy_user and proxy_password_file (%d)",
		    status);
	else
		snprintf(t->why, sizeof(t->why), "it refuses the user or "
		    "password (%d)", status);
	return PROXY_DENIED;
}

static enum proxy_step
http_refused(struct proxy_talk *t, int status, const char *head,
    size_t head_len)
{
	const char	*said = head + 9, *where;
	size_t		 said_len, len;
	char		 text[QUOTE_MAX + 4];

	said_len = strcspn(said, "\r\n");
	snprintf(text, sizeof(text), "%s", quote(said, said_len));
	where = http_field(head, head_len, "Location", NULL, &len);
	/* tinyproxy 1.11 says 401 when the password is wrong. */
	if (status == 407 || status == 401)
		return http_denied(t, status, head, head_len);
	if (status == 403)
		snprintf(t->why, sizeof(t->why), "it does not allow this host "
		    "and port (%s)", text);
	else if (status == 404 || (status >= 502 && status <= 504))
		snprintf(t->why, sizeof(t->why), "it cannot reach this host "
		    "and port (%s)", text);
	else if (status == 400 || status == 405 || status == 501)
		snprintf(t->why, sizeof(t->why), "it does not do CONNECT, or "
		    "is no proxy (%s)", text);
	else if (status >= 300 && status <= 399 && where != NULL)
		snprintf(t->why, sizeof(t->why), "it sends us on to %s: a "
		    "login page, not a proxy? (%s)", quote(where, len), text);
	else if (status == 511)
		snprintf(t->why, sizeof(t->why), "the network wants a login "
		    "first (%s)", text);
	else
		snprintf(t->why, sizeof(t->why), "it answers %s", text);
	return PROXY_REFUSED;
}

/* The length of the head with its empty line, 0 while that is not there. */
static size_t
http_head(const char *in, size_t len)
{
	const char	*p = in, *end = in + len;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		p++;
		if (p < end && *p == '\r')
			p++;
		if (p < end && *p == '\n')
			return (size_t)(p + 1 - in);
	}
	return 0;
}

static enum proxy_step
no_such_proxy(struct proxy_talk *t, const char *in, size_t len,
    const char *kind)
{
	snprintf(t->why, sizeof(t->why), "this is no %s proxy, it answers "
	    "\"%s\"", kind, quote(in, len));
	return PROXY_BROKEN;
}

static enum proxy_step
http_hear(struct proxy_talk *t, const char *in, size_t len, size_t *used)
{
	static const char	 version[] = "HTTP/1.";
	size_t			 head, n = sizeof(version) - 1;
	int			 status;

	if (memcmp(in, version, len < n ? len : n) != 0)
		return no_such_proxy(t, in, len, "HTTP");
	head = http_head(in, len);
	if (head == 0 && len < PROXY_ANSWER_MAX)
		return PROXY_MORE;
	if (head == 0 || head > PROXY_ANSWER_MAX) {
		snprintf(t->why, sizeof(t->why), "its answer is longer than "
		    "%d octets", PROXY_ANSWER_MAX);
		return PROXY_BROKEN;
	}
	if (head < 13 || in[8] != ' ' || !isdigit((unsigned char)in[9]) ||
	    !isdigit((unsigned char)in[10]) || !isdigit((unsigned char)in[11]))
		return no_such_proxy(t, in, strcspn(in, "\r\n"), "HTTP");
	status = (in[9] - '0') * 100 + (in[10] - '0') * 10 + in[11] - '0';
	*used = head;
	if (status >= 100 && status <= 199 && status != 101)
		return PROXY_MORE;
	if (status < 200 || status > 299)
		return http_refused(t, status, in, head);
	if (len == head)
		return PROXY_OPEN;
	snprintf(t->why, sizeof(t->why), "it agrees and then speaks itself, "
	    "as a login page does and no proxy: \"%s\"",
	    quote(in + head, len - head));
	return PROXY_BROKEN;
}

/*
 * SOCKS
 */

static void
socks_begin(const struct proxy_talk *t, struct buf *out)
{
	buf_putc(out, SOCKS_VERSION);
	buf_putc(out, t->proxy->user != NULL ? 2 : 1);
	buf_putc(out, METHOD_NONE);
	if (t->proxy->user != NULL)
		buf_putc(out, METHOD_LOGIN);
}

static void
put_short(struct buf *out, const char *text)
{
	size_t	len = text != NULL ? strlen(text) : 0;

	if (len > 255)
		len = 255;
	buf_putc(out, (char)(unsigned char)len);
	buf_put(out, text, len);
}

static void
put_request(struct proxy_talk *t, struct buf *out)
{
	unsigned char	address[16];

	t->stage = STAGE_REPLY;
	buf_putc(out, SOCKS_VERSION);
	buf_putc(out, 1);	/* CONNECT */
	buf_putc(out, 0);
	if (inet_pton(AF_INET, t->host, address) == 1) {
		buf_putc(out, ATYP_IPV4);
		buf_put(out, address, 4);
	} else if (inet_pton(AF_INET6, t->host, address) == 1) {
		buf_putc(out, ATYP_IPV6);
		buf_put(out, address, 16);
	} else {
		buf_putc(out, ATYP_NAME);
		put_short(out, t->host);
	}
	buf_putc(out, (char)(unsigned char)(t->port >> 8));
	buf_putc(out, (char)(unsigned char)t->port);
}

static enum proxy_step
socks_method(struct proxy_talk *t, unsigned char method, struct buf *out)
{
	if (method == METHOD_NONE) {
		put_request(t, out);
		return PROXY_MORE;
	}
	if (method == METHOD_LOGIN && t->proxy->user != NULL) {
		t->stage = STAGE_LOGIN;
		buf_putc(out, LOGIN_VERSION);
		put_short(out, t->proxy->user);
		put_short(out, t->proxy->password);
		return PROXY_MORE;
	}
	if (t->proxy->user == NULL)
		snprintf(t->why, sizeof(t->why), "it wants a user and "
		    "password: set proxy_user and proxy_password_file "
		    "(method %d)", method);
	else
		snprintf(t->why, sizeof(t->why), "it takes neither no login "
		    "nor user and password (method %d)", method);
	return PROXY_DENIED;
}

static enum proxy_step
socks_refused(struct proxy_talk *t, unsigned char code)
{
	static const char *const texts[] = {
		NULL,
		"it failed (general failure",
		"it does not allow this host and port (ruleset",
		"it cannot reach this host (network unreachable",
		"it cannot reach this host (host unreachable",
		"the host refuses this port (connection refused",
		"it cannot reach this host (TTL expired",
		"it does not do CONNECT (command not supported",
		"it takes no such address (address type not supported"
	};

	if (code < sizeof(texts) / sizeof(texts[0]))
		snprintf(t->why, sizeof(t->why), "%s, SOCKS %d)", texts[code],
		    code);
	else
		snprintf(t->why, sizeof(t->why), "it refuses (SOCKS %d)",
		    code);
	return PROXY_REFUSED;
}

static enum proxy_step
socks_reply(struct proxy_talk *t, const unsigned char *in, size_t len,
    size_t *used)
{
	size_t	want;

	if (in[1] != 0)
		return socks_refused(t, in[1]);
	if (len < 5)
		return PROXY_MORE;
	switch (in[3]) {
	case ATYP_IPV4:
		want = 4 + 4 + 2;
		break;
	case ATYP_IPV6:
		want = 4 + 16 + 2;
		break;
	case ATYP_NAME:
		want = 4 + 1 + (size_t)in[4] + 2;
		break;
	default:
		snprintf(t->why, sizeof(t->why), "its answer has an address "
		    "of type %d", in[3]);
		return PROXY_BROKEN;
	}
	if (len < want)
		return PROXY_MORE;
	*used = want;
	if (len == want)
		return PROXY_OPEN;
	snprintf(t->why, sizeof(t->why), "it agrees and then speaks itself: "
	    "\"%s\"", quote((const char *)in + want, len - want));
	return PROXY_BROKEN;
}

static enum proxy_step
socks_hear(struct proxy_talk *t, const unsigned char *in, size_t len,
    size_t *used, struct buf *out)
{
	int	version = t->stage == STAGE_LOGIN ? LOGIN_VERSION :
		    SOCKS_VERSION;

	if (in[0] != version)
		return no_such_proxy(t, (const char *)in, len, "SOCKS 5");
	if (len < 2)
		return PROXY_MORE;
	if (t->stage == STAGE_REPLY)
		return socks_reply(t, in, len, used);
	*used = 2;
	if (t->stage == STAGE_METHOD)
		return socks_method(t, in[1], out);
	if (in[1] != 0) {
		snprintf(t->why, sizeof(t->why), "it refuses the user or "
		    "password (%d)", in[1]);
		return PROXY_DENIED;
	}
	put_request(t, out);
	return PROXY_MORE;
}

/*
 * Either
 */

void
proxy_begin(struct proxy_talk *t, const struct proxy *proxy, const char *host,
    int port, struct buf *out)
{
	t->proxy = proxy;
	t->host = host;
	t->port = port;
	t->stage = STAGE_METHOD;
	t->why[0] = '\0';
	if (proxy->kind == PROXY_HTTP)
		http_begin(t, out);
	else
		socks_begin(t, out);
}

enum proxy_step
proxy_hear(struct proxy_talk *t, const unsigned char *in, size_t len,
    size_t *used, struct buf *out)
{
	*used = 0;
	if (len == 0)
		return PROXY_MORE;
	if (t->proxy->kind == PROXY_HTTP)
		return http_hear(t, (const char *)in, len, used);
	return socks_hear(t, in, len, used, out);
}
