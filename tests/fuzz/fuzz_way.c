/*
 * What is heard on the way to a server: with an even first octet a DNS answer
 * with SRV records, else a proxy's, of SOCKS with 2 in it, with user and
 * password with 4; it comes in pieces of as many octets as the rest says.
 */
#include <string.h>

#include "tests/fuzz/must.h"
#include "xmpp/proxy.h"
#include "xmpp/srv.h"

static void
try_srv(const uint8_t *answer, size_t len)
{
	static struct srv	 srv[SRV_MAX];
	int			 n, i;

	n = srv_parse(answer, len, true, srv, SRV_MAX);
	must(n >= -1 && n <= SRV_MAX);
	for (i = 0; i < n; i++) {
		must(srv[i].port >= 1 && srv[i].port <= 65535);
		must(srv[i].priority >= 0 && srv[i].weight >= 0);
		must(srv[i].host[0] != '\0' && strlen(srv[i].host) <
		    sizeof(srv[i].host));
		must(strcspn(srv[i].host, " \r\n\t/@") ==
		    strlen(srv[i].host));
	}
	if (n > 0)
		srv_order(srv, n, srv_dice, NULL);
	for (i = 1; i < n; i++)
		must(srv[i - 1].priority <= srv[i].priority);
}

static void
try_proxy(uint8_t kind, const uint8_t *in, size_t len)
{
	struct proxy		 proxy = { .kind = PROXY_HTTP,
				    .host = "proxy.test", .port = 3128 };
	struct proxy_talk	 talk;
	struct buf		 out = { 0 };
	enum proxy_step		 step = PROXY_MORE;
	size_t			 at = 0, upto = 0, used, piece;

	if ((kind & 2) != 0)
		proxy.kind = PROXY_SOCKS5;
	if ((kind & 4) != 0) {
		proxy.user = "user";
		proxy.password = "geheim17";
	}
	piece = (size_t)(kind >> 3) + 1;
	memset(&talk, 0, sizeof(talk));
	proxy_begin(&talk, &proxy, "xmpp.test", 5222, &out);
	must(out.len > 0);
	while (step == PROXY_MORE && upto < len) {
		upto = len - upto < piece ? len : upto + piece;
		do {
			used = 0;
			step = proxy_hear(&talk, in + at, upto - at, &used,
			    &out);
			must(used <= upto - at);
			at += used;
		} while (step == PROXY_MORE && used > 0);
	}
	must(step != PROXY_OPEN || at == upto);
	if (step != PROXY_MORE && step != PROXY_OPEN)
		must(talk.why[0] != '\0' &&
		    strcspn(talk.why, "\r\n") == strlen(talk.why));
	/* Unless it says the password back to us. */
	must(strstr(talk.why, "geheim") == NULL ||
	    memmem(in, len, "geheim", 6) != NULL);
	must(out.len < 4096);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t	*copy;

	if (size < 2)
		return 0;
	log_hook(must_be_quiet, NULL);
	/* Exactly as large as it is, so that a sanitizer sees its end. */
	must((copy = malloc(size - 1)) != NULL);
	memcpy(copy, data + 1, size - 1);
	if ((data[0] & 1) == 0)
		try_srv(copy, size - 1);
	else
		try_proxy(data[0] >> 1 << 1, copy, size - 1);
	free(copy);
	return 0;
}
