#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "xmpp/proxy.h"

static const struct proxy	http = { .kind = PROXY_HTTP, .host = "p",
				    .port = 3128 };
static const struct proxy	http_login = { .kind = PROXY_HTTP,
				    .host = "p", .port = 3128,
				    .user = "Aladdin",
				    .password = "open sesame" };
static const struct proxy	socks = { .kind = PROXY_SOCKS5, .host = "p",
				    .port = 1080 };
static const struct proxy	socks_login = { .kind = PROXY_SOCKS5,
				    .host = "p", .port = 1080, .user = "u",
				    .password = "secret" };

static void
urls(void **state)
{
	static const struct {
		const char	*url;
		enum proxy_kind	 kind;
		const char	*host;
		int		 port;
	} good[] = {
		{ "http://proxy.example.org:3128", PROXY_HTTP,
		    "proxy.example.org", 3128 },
		{ "HTTP://10.0.0.1:8080/", PROXY_HTTP, "10.0.0.1", 8080 },
		{ "socks5://[2001:db8::1]:1080", PROXY_SOCKS5, "2001:db8::1",
		    1080 },
		{ "socks5://p:65535", PROXY_SOCKS5, "p", 65535 },
	};
	static const struct {
		const char	*url, *why;
	} bad[] = {
		{ "", "want http://" },
		{ "https://p:1", "want http://" },
		{ "socks4://p:1", "want http://" },
		{ "p:3128", "want http://" },
		{ "http://p", "port is missing" },
		{ "http://[::1]", "port is missing" },
		{ "http://p:", "no number between" },
		{ "http://p:0", "no number between" },
		{ "http://p:65536", "no number between" },
		{ "http://p:999999999999", "no number between" },
		{ "http://p:12x", "no number between" },
		{ "http://:80", "neither a name" },
		{ "http://a b:80", "neither a name" },
		{ "http://a/b:80", "neither a name" },
		{ "http://[::zz]:80", "neither a name" },
		{ "http://u:pw@p:80", "proxy_password_file" },
	};
	struct proxy	 proxy;
	char		 why[PROXY_WHY_MAX], name[PROXY_NAME_MAX];
	char		 longest[400] = "http://";
	size_t		 i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(proxy_parse(good[i].url, &proxy, why,
		    sizeof(why)), 0);
		assert_int_equal(proxy.kind, good[i].kind);
		assert_string_equal(proxy.host, good[i].host);
		assert_int_equal(proxy.port, good[i].port);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(proxy_parse(bad[i].url, &proxy, why,
		    sizeof(why)), -1);
		assert_non_null(strstr(why, bad[i].why));
	}
	memset(longest + 7, 'a', 300);
	strcpy(longest + 307, ":80");
	assert_int_equal(proxy_parse(longest, &proxy, why, sizeof(why)), -1);
	assert_int_equal(proxy_parse(good[2].url, &proxy, why, sizeof(why)),
	    0);
	assert_string_equal(proxy_name(&proxy, name), good[2].url);
}

/* What is said, and what comes of the answer given whole. */
struct result {
	struct proxy_talk	 talk;
	struct buf		 said;
	enum proxy_step		 step;
};

/* In steps of step octets, so that every cut is seen. */
static void
hold(struct result *r, const struct proxy *proxy, const char *host, int port,
    const void *in, size_t len, size_t step)
{
	unsigned char	*copy;
	size_t		 at = 0, have = 0, used;

	memset(r, 0, sizeof(*r));
	proxy_begin(&r->talk, proxy, host, port, &r->said);
	r->step = PROXY_MORE;
	while (at + have < len && r->step == PROXY_MORE) {
		have = len - at < have + step ? len - at : have + step;
		do {
			/* In a block of its own size, for the sanitizer. */
			copy = malloc(have > 0 ? have : 1);
			assert_non_null(copy);
			memcpy(copy, (const char *)in + at, have);
			r->step = proxy_hear(&r->talk, copy, have, &used,
			    &r->said);
			free(copy);
			assert_true(used <= have);
			at += used;
			have -= used;
		} while (used > 0 && have > 0 && r->step == PROXY_MORE);
	}
}

static void
expect(const struct proxy *proxy, const char *answer, size_t len,
    enum proxy_step step, const char *why)
{
	struct result	r;
	size_t		pace;

	for (pace = 1; pace <= len; pace++) {
		hold(&r, proxy, "xmpp.test", 5222, answer, len, pace);
		assert_int_equal(r.step, step);
		if (why != NULL)
			assert_non_null(strstr(r.talk.why, why));
		buf_free(&r.said);
	}
}

#define HTTP(answer, step, why) \
	expect(&http, answer, sizeof(answer) - 1, step, why)
#define SOCKS(proxy, answer, step, why) \
	expect(proxy, answer, sizeof(answer) - 1, step, why)

static void
http_requests(void **state)
{
	struct result	r;

	hold(&r, &http, "xmpp.test", 5222, "", 0, 1);
	assert_string_equal(r.said.data, "CONNECT xmpp.test:5222 HTTP/1.1\r\n"
	    "Host: xmpp.test:5222\r\n\r\n");
	buf_free(&r.said);
	/* RFC 7617 section 2. */
	hold(&r, &http_login, "2001:db8::1", 443, "", 0, 1);
	assert_string_equal(r.said.data,
	    "CONNECT [2001:db8::1]:443 HTTP/1.1\r\n"
	    "Host: [2001:db8::1]:443\r\n"
	    "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
	buf_free(&r.said);
}

static void
http_agrees(void **state)
{
	HTTP("HTTP/1.1 200 Connection established\r\n\r\n", PROXY_OPEN, NULL);
	HTTP("HTTP/1.0 200\r\n\r\n", PROXY_OPEN, NULL);
	HTTP("HTTP/1.1 200 OK\nVia: x\n\n", PROXY_OPEN, NULL);
	HTTP("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 Fine\r\nA: b\r\n\r\n",
	    PROXY_OPEN, NULL);
}

static void
http_refuses(void **state)
{
	HTTP("HTTP/1.1 407 Proxy Authentication Required\r\n"
	    "Proxy-Authenticate: Basic realm=\"x\"\r\n\r\n", PROXY_DENIED,
	    "set proxy_user and proxy_password_file");
	HTTP("HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM\r\n"
	    "proxy-authenticate:Basic realm=\"x\"\r\n\r\n", PROXY_DENIED,
	    "set proxy_user");
	HTTP("HTTP/1.1 407 x\r\nProxy-Authenticate: Negotiate abc\r\n"
	    "Proxy-Authenticate: NTLM\r\n\r\n", PROXY_DENIED,
	    "login by Negotiate, and only Basic");
	HTTP("HTTP/1.1 403 Filtered\r\n\r\n", PROXY_REFUSED,
	    "does not allow this host and port (403 Filtered)");
	HTTP("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
	    PROXY_REFUSED, "cannot reach this host and port (502 Bad");
	HTTP("HTTP/1.1 504 Timeout\r\n\r\n", PROXY_REFUSED, "cannot reach");
	HTTP("HTTP/1.1 405 No\r\n\r\n", PROXY_REFUSED, "not do CONNECT");
	HTTP("HTTP/1.1 302 Found\r\nLocation: http://login.test/\r\n\r\n",
	    PROXY_REFUSED, "sends us on to http://login.test/");
	HTTP("HTTP/1.1 511 Network Authentication Required\r\n\r\n",
	    PROXY_REFUSED, "wants a login first");
	HTTP("HTTP/1.1 999 \x1b[2J\r\n\r\n", PROXY_REFUSED, "999 ?[2J");
	expect(&http_login, "HTTP/1.1 407 x\r\n\r\n", 18, PROXY_DENIED,
	    "refuses the user or password (407)");
	expect(&http_login, "HTTP/1.1 401 x\r\n\r\n", 18, PROXY_DENIED,
	    "refuses the user or password (401)");
}

static void
no_http_proxy(void **state)
{
	char		*head, *head_end;
	struct result	 r;

	HTTP("<html>hello", PROXY_BROKEN, "no HTTP proxy, it answers \"<");
	HTTP("\x05\xff", PROXY_BROKEN, "no HTTP proxy");
	HTTP("SSH-2.0-OpenSSH_9.2\r\n", PROXY_BROKEN, "no HTTP proxy");
	HTTP("HTTP/1.1 2x0 OK\r\n\r\n", PROXY_BROKEN, "no HTTP proxy");
	HTTP("HTTP/1.1\r\n\r\n", PROXY_BROKEN, "no HTTP proxy");
	/* Whole, because who reads octet by octet is done before them. */
	hold(&r, &http, "x", 1, "HTTP/1.1 200 OK\r\n\r\n<html>login", 30,
	    1000);
	assert_int_equal(r.step, PROXY_BROKEN);
	assert_non_null(strstr(r.talk.why, "speaks itself"));
	assert_non_null(strstr(r.talk.why, "<html>login"));
	buf_free(&r.said);
	/* A head without an end. */
	head = malloc(PROXY_ANSWER_MAX + 10);
	assert_non_null(head);
	memset(head, 'a', PROXY_ANSWER_MAX + 10);
	head_end = stpcpy(head, "HTTP/1.1 200 OK\r\nX: ");
	*head_end = 'a';
	hold(&r, &http, "x", 1, head, PROXY_ANSWER_MAX + 10, 999);
	assert_int_equal(r.step, PROXY_BROKEN);
	assert_non_null(strstr(r.talk.why, "longer than"));
	buf_free(&r.said);
	free(head);
}

static void
socks_says(const struct proxy *proxy, const char *host, const char *in,
    size_t in_len, const char *want, size_t want_len)
{
	struct result	r;

	hold(&r, proxy, host, 443, in, in_len, 1);
	assert_int_equal(r.said.len, want_len);
	assert_memory_equal(r.said.data, want, want_len);
	buf_free(&r.said);
}

static void
socks_requests(void **state)
{
	socks_says(&socks, "xmpp.test", "\5\0", 2,
	    "\5\1\0\5\1\0\3\x09xmpp.test\x01\xbb", 3 + 16);
	socks_says(&socks, "192.0.2.1", "\5\0", 2,
	    "\5\1\0\5\1\0\1\xc0\0\2\1\x01\xbb", 3 + 10);
	socks_says(&socks, "::1", "\5\0", 2,
	    "\5\1\0\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x01\xbb", 3 + 22);
	/* RFC 1929, only when the proxy asks for it. */
	socks_says(&socks_login, "h", "\5\0", 2,
	    "\5\2\0\2\5\1\0\3\1h\x01\xbb", 4 + 8);
	socks_says(&socks_login, "h", "\5\2\1\0", 4,
	    "\5\2\0\2\1\1u\6secret\5\1\0\3\1h\x01\xbb", 4 + 10 + 8);
}

static void
socks_answers(void **state)
{
	SOCKS(&socks, "\5\0\5\0\0\1\1\2\3\4\5\6", PROXY_OPEN, NULL);
	SOCKS(&socks, "\5\0\5\0\0\3\2ab\5\6", PROXY_OPEN, NULL);
	SOCKS(&socks, "\5\0\5\0\0\4" "0123456789abcdef\5\6", PROXY_OPEN,
	    NULL);
	SOCKS(&socks_login, "\5\2\1\0\5\0\0\1\1\2\3\4\5\6", PROXY_OPEN, NULL);
	SOCKS(&socks, "\5\0\5\0\0\1\1\2\3\4\5", PROXY_MORE, NULL);
	SOCKS(&socks, "\5\0\5\1", PROXY_REFUSED, "general failure, SOCKS 1");
	SOCKS(&socks, "\5\0\5\2", PROXY_REFUSED, "does not allow");
	SOCKS(&socks, "\5\0\5\3", PROXY_REFUSED, "network unreachable");
	SOCKS(&socks, "\5\0\5\4", PROXY_REFUSED, "host unreachable");
	SOCKS(&socks, "\5\0\5\5", PROXY_REFUSED, "connection refused");
	SOCKS(&socks, "\5\0\5\x08", PROXY_REFUSED, "address type");
	SOCKS(&socks, "\5\0\5\x99", PROXY_REFUSED, "SOCKS 153");
	SOCKS(&socks, "\5\xff", PROXY_DENIED, "set proxy_user");
	SOCKS(&socks, "\5\2", PROXY_DENIED, "set proxy_user");
	SOCKS(&socks_login, "\5\xff", PROXY_DENIED, "neither");
	SOCKS(&socks_login, "\5\1", PROXY_DENIED, "neither");
	SOCKS(&socks_login, "\5\2\1\1", PROXY_DENIED,
	    "refuses the user or password");
	SOCKS(&socks, "HTTP/1.1 400 Bad", PROXY_BROKEN, "no SOCKS 5 proxy");
	SOCKS(&socks, "\4\0", PROXY_BROKEN, "no SOCKS 5 proxy");
	SOCKS(&socks_login, "\5\2\5\0", PROXY_BROKEN, "no SOCKS 5 proxy");
	SOCKS(&socks, "\5\0\5\0\0\7x", PROXY_BROKEN, "type 7");
}

/* Anything may come, in any pieces: it ends, and says something printable. */
static void
anything(void **state)
{
	static const struct proxy *const	all[] = { &http, &http_login,
						    &socks, &socks_login };
	static const char *const		seeds[] = {
		"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\n\r\nxyz",
		"HTTP/1.1 302 x\r\nLocation: \r\n\r\n",
		"\5\2\1", "\5\1" };
	unsigned				seed = 7, n, i;
	unsigned char				bytes[80];
	size_t					len, at;
	struct result				r;

	for (n = 0; n < 40000; n++) {
		len = strlen(seeds[n % 4]);
		memcpy(bytes, seeds[n % 4], len);
		for (i = 0; i < 3; i++) {
			seed = seed * 1103515245 + 12345;
			at = (seed >> 16) % (len + 4);
			seed = seed * 1103515245 + 12345;
			bytes[at] = (unsigned char)(seed >> 16);
			len = at >= len ? at + 1 : len;
		}
		hold(&r, all[n / 4 % 4], "host", 5222, bytes, len,
		    1 + n % 5);
		for (at = 0; r.talk.why[at] != '\0'; at++)
			assert_true((unsigned char)r.talk.why[at] >= ' ' &&
			    r.talk.why[at] != 0x7f);
		assert_null(strstr(r.talk.why, "secret"));
		buf_free(&r.said);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),
		cmocka_unit_test(http_requests),
		cmocka_unit_test(http_agrees),
		cmocka_unit_test(http_refuses),
		cmocka_unit_test(no_http_proxy),
		cmocka_unit_test(socks_requests),
		cmocka_unit_test(socks_answers),
		cmocka_unit_test(anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
