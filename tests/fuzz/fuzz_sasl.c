/*
 * A server's words in SASL, a line each, not yet in base64; '@' stands for
 * the nonce that we sent, which nobody guesses.  The first octet chooses the
 * mechanism.  None of these servers knows the password.
 */
#include <string.h>

#include <sodium.h>

#include "base/mem.h"
#include "tests/fuzz/must.h"
#include "xmpp/sasl.h"

#define LINE_MAX_LEN	5000

static void
to_base64(const char *text, size_t len, struct buf *out)
{
	size_t	 size = sodium_base64_encoded_len(len,
		    sodium_base64_VARIANT_ORIGINAL);
	char	*base64 = xmalloc(size);

	sodium_bin2base64(base64, size, (const uint8_t *)text, len,
	    sodium_base64_VARIANT_ORIGINAL);
	buf_puts(out, base64);
	free(base64);
}

/* What follows "r=" in the first word. */
static char *
nonce_of(const struct buf *first)
{
	unsigned char	 text[1024];
	size_t		 len;
	char		*at;

	must(sodium_base642bin(text, sizeof(text) - 1, first->data,
	    first->len, NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) == 0);
	text[len] = '\0';
	at = strstr((char *)text, ",r=");
	return xstrdup(at == NULL ? "" : at + 3);
}

/* Half a second of rounds is right for a server, and too long here. */
static bool
too_slow(const char *line, size_t len)
{
	size_t	 i, digits = 0;

	for (i = 0; i < len; i++) {
		digits = line[i] >= '0' && line[i] <= '9' ? digits + 1 : 0;
		if (digits == 5)
			return true;
	}
	return false;
}

static void
put_line(const char *line, size_t len, const char *nonce, struct buf *out)
{
	const char	*at = memchr(line, '@', len);
	struct buf	 text = { 0 };
	size_t		 before = at == NULL ? len : (size_t)(at - line);

	buf_put(&text, line, before);
	if (at != NULL) {
		buf_puts(&text, nonce);
		buf_put(&text, at + 1, len - before - 1);
	}
	to_base64(text.data == NULL ? "" : text.data, text.len, out);
	buf_free(&text);
}

static void
talk(struct sasl *s, bool scram, const char *at, size_t len,
    const char *nonce)
{
	struct buf	 line = { 0 }, answer = { 0 };
	const char	*end = at + len, *next;
	int		 rc = 0;

	for (; at < end && rc == 0; at = next + 1) {
		next = memchr(at, '\n', (size_t)(end - at));
		if (next == NULL)
			next = end;
		if (next - at > LINE_MAX_LEN || too_slow(at,
		    (size_t)(next - at)))
			break;
		buf_reset(&line);
		buf_puts(&line, "");
		put_line(at, (size_t)(next - at), nonce, &line);
		rc = sasl_answer(s, line.data, &answer);
		must(rc == 0 || sasl_why(s)[0] != '\0');
	}
	must(answer.data == NULL || strstr(answer.data, "geheim") == NULL);
	if (scram)
		must(sasl_finish(s, line.data == NULL ? "" : line.data) == -1);
	buf_free(&line);
	buf_free(&answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sasl_account	 account = {
		"a=b,c@agents.test", "geheim17", true
	};
	static const struct sasl_binding	 bindings[] = {
		{ NULL, { 0 }, 0 }, { "tls-exporter", { 1, 2, 3 }, 32 }
	};
	enum sasl_mechanism	 mechanism;
	struct buf		 first = { 0 };
	struct sasl		*s;
	char			*nonce;

	if (size == 0)
		return 0;
	log_hook(must_be_quiet, NULL);
	mechanism = SASL_PLAIN + data[0] % (SASL_MECHANISMS - SASL_PLAIN);
	s = sasl_new(mechanism, 1u << mechanism, &account, &bindings[1]);
	sasl_begin(s, &first);
	nonce = nonce_of(&first);
	talk(s, mechanism != SASL_PLAIN && mechanism != SASL_EXTERNAL,
	    (const char *)data + 1, size - 1, nonce);
	free(nonce);
	buf_free(&first);
	sasl_free(s);
	return 0;
}
