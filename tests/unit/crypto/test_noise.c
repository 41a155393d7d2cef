/*
 * crypto/noise.c against the published vectors, and against everything that
 * a bad line or a bad peer may do to a message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/buf.h"
#include "crypto/key.h"
#include "crypto/noise.h"
#include "crypto/vault.h"

#define VECTORS	"tests/data/noise-ik.json"

/* ---- Just enough JSON for that file: "name": "value" in order. ---- */

/* The value of the next "name" before end, or NULL; *after moves past it. */
static const char *
json_next(const char *from, const char *end, const char *name, size_t *len,
    const char **after)
{
	char		 quoted[64];
	const char	*p, *close;

	snprintf(quoted, sizeof(quoted), "\"%s\": \"", name);
	p = strstr(from, quoted);
	if (p == NULL || p >= end)
		return NULL;
	p += strlen(quoted);
	close = strchr(p, '"');
	assert_non_null(close);
	*len = (size_t)(close - p);
	if (after != NULL)
		*after = close;
	return p;
}

/* The same, from hex into out; returns how many octets, or -1. */
static int
json_hex(const char *from, const char *end, const char *name, uint8_t *out,
    size_t size, const char **after)
{
	const char	*text;
	size_t		 len, n;

	text = json_next(from, end, name, &len, after);
	if (text == NULL)
		return -1;
	assert_int_equal(sodium_hex2bin(out, size, text, len, NULL, &n, NULL),
	    0);
	assert_int_equal(n * 2, len);
	return (int)n;
}

struct side {
	uint8_t	 prologue[256], statik[32], ephemeral[32];
	int	 prologue_len;
};

static void
side_read(const char *from, const char *end, const char *who, struct side *s)
{
	char	 name[32];

	snprintf(name, sizeof(name), "%s_prologue", who);
	s->prologue_len = json_hex(from, end, name, s->prologue,
	    sizeof(s->prologue), NULL);
	assert_true(s->prologue_len >= 0);
	snprintf(name, sizeof(name), "%s_static", who);
	assert_int_equal(json_hex(from, end, name, s->statik, 32, NULL), 32);
	snprintf(name, sizeof(name), "%s_ephemeral", who);
	assert_int_equal(json_hex(from, end, name, s->ephemeral, 32, NULL),
	    32);
}

/* Plays one vector both ways; returns how many messages it had. */
static int
vector_check(const char *from, const char *end)
{
	struct side		 init, resp;
	struct noise		*a, *b;
	struct noise_cipher	 a_send, a_recv, b_send, b_recv;
	uint8_t			 rs[32], hash[32], public[32];
	uint8_t			 payload[512], cipher[512], got[512];
	const char		*p;
	size_t			 n;
	int			 i, payload_len, cipher_len;

	side_read(from, end, "init", &init);
	side_read(from, end, "resp", &resp);
	assert_int_equal(json_hex(from, end, "init_remote_static", rs, 32,
	    NULL), 32);
	a = noise_initiator(init.statik, rs, init.prologue,
	    (size_t)init.prologue_len, init.ephemeral);
	b = noise_responder(resp.statik, resp.prologue,
	    (size_t)resp.prologue_len, resp.ephemeral);
	p = strstr(from, "\"messages\"");
	assert_non_null(p);
	for (i = 0;; i++) {
		payload_len = json_hex(p, end, "payload", payload,
		    sizeof(payload), &p);
		if (payload_len < 0)
			break;
		cipher_len = json_hex(p, end, "ciphertext", cipher,
		    sizeof(cipher), &p);
		if (i < 2) {
			assert_int_equal(noise_write(i == 0 ? a : b, payload,
			    (size_t)payload_len, got, sizeof(got), &n), 0);
			assert_int_equal(n, cipher_len);
			assert_memory_equal(got, cipher, n);
			assert_int_equal(noise_read(i == 0 ? b : a, cipher,
			    (size_t)cipher_len, got, sizeof(got), &n), 0);
			assert_int_equal(n, payload_len);
			assert_memory_equal(got, payload, n);
			if (i == 0)
				continue;
			assert_true(noise_done(a) && noise_done(b));
			assert_memory_equal(noise_hash(a), noise_hash(b), 32);
			if (json_hex(from, end, "handshake_hash", hash, 32,
			    NULL) == 32)
				assert_memory_equal(noise_hash(a), hash, 32);
			assert_int_equal(crypto_scalarmult_base(public,
			    init.statik), 0);
			assert_memory_equal(noise_remote(b), public, 32);
			assert_memory_equal(noise_remote(a), rs, 32);
			assert_int_equal(noise_split(a, &a_send, &a_recv), 0);
			assert_int_equal(noise_split(b, &b_send, &b_recv), 0);
			continue;
		}
		assert_int_equal(payload_len + NOISE_TAG_LEN, cipher_len);
		assert_int_equal(noise_encrypt(i % 2 == 0 ? &a_send : &b_send,
		    payload, (size_t)payload_len, got), 0);
		assert_memory_equal(got, cipher, (size_t)cipher_len);
		assert_int_equal(noise_decrypt(i % 2 == 0 ? &b_recv : &a_recv,
		    (uint64_t)(i / 2 - 1), cipher, (size_t)cipher_len, got),
		    0);
		assert_memory_equal(got, payload, (size_t)payload_len);
	}
	noise_free(a);
	noise_free(b);
	return i;
}

static void
test_vectors(void **state)
{
	struct buf	 json = { 0 };
	char		 piece[4096];
	const char	*p, *next;
	size_t		 n;
	int		 vectors = 0, messages = 0;
	FILE		*f;

	f = fopen(VECTORS, "r");
	if (f == NULL)
		fail_msg("%s: run the tests from the top folder", VECTORS);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_put(&json, piece, n);
	fclose(f);
	for (p = strstr(json.data, "\"source\""); p != NULL; p = next) {
		next = strstr(p + 1, "\"source\"");
		assert_non_null(json_next(p, json.data + json.len,
		    "protocol_name", &n, NULL));
		messages += vector_check(p, next != NULL ? next :
		    json.data + json.len);
		vectors++;
	}
	assert_int_equal(vectors, 2);
	assert_int_equal(messages, 10);
	buf_free(&json);
}

/* ---- Properties. ---- */

static struct key	agent, centre, other;
static const char	prologue[] = "platen/1\0a@example\0c.example";
static const char	hello[] = "payload the first", welcome[] = "second";

static struct noise *
agent_new(void)
{
	return noise_initiator(agent.secret, centre.public, prologue,
	    sizeof(prologue), NULL);
}

static struct noise *
centre_new(void)
{
	return noise_responder(centre.secret, prologue, sizeof(prologue),
	    NULL);
}

static size_t
first_make(struct noise *a, uint8_t out[512])
{
	size_t	 n;

	assert_int_equal(noise_write(a, hello, sizeof(hello), out, 512, &n),
	    0);
	assert_int_equal(n, sizeof(hello) + NOISE_IK_1_OVERHEAD);
	return n;
}

/* The centre refuses this message 1, gives no plaintext, and is dead. */
static void
first_refused(const uint8_t *message, size_t len)
{
	static const uint8_t	 zero[512];
	struct noise		*b;
	uint8_t			 got[512] = { 0 };
	size_t			 n = 12345;

	b = centre_new();
	assert_int_equal(noise_read(b, message, len, got, sizeof(got), &n),
	    -1);
	assert_int_equal(n, 12345);
	assert_memory_equal(got, zero, sizeof(got));
	assert_false(noise_done(b));
	assert_int_equal(noise_write(b, "", 0, got, sizeof(got), &n), -1);
	noise_free(b);
}

static void
test_first_flips(void **state)
{
	struct noise	*a;
	uint8_t		 m[512];
	size_t		 len, bit;

	a = agent_new();
	len = first_make(a, m);
	for (bit = 0; bit < len * 8; bit++) {
		m[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* Bit 255 of a Curve25519 point does not count for the DH,
		 * but it does for the hash. */
		first_refused(m, len);
		m[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (bit = 0; bit < len; bit++)
		first_refused(m, bit);
	memset(m + len, 0, 4);
	for (bit = 1; bit < 4; bit++)
		first_refused(m, len + bit);
	noise_free(a);
}

static void
test_second_flips(void **state)
{
	static const uint8_t	 zero[512];
	struct noise		*a, *b, *copy;
	uint8_t			 m[512], r[513], got[512];
	size_t			 len, n, bit, cut;

	a = agent_new();
	b = centre_new();
	copy = vault_take(VAULT_CELL);
	len = first_make(a, m);
	assert_int_equal(noise_read(b, m, len, got, sizeof(got), &n), 0);
	assert_int_equal(noise_write(b, welcome, sizeof(welcome), r,
	    sizeof(r), &len), 0);
	assert_int_equal(len, sizeof(welcome) + NOISE_IK_2_OVERHEAD);
	for (bit = 0; bit < len * 8; bit++) {
		r[bit / 8] ^= (uint8_t)(1u << bit % 8);
		memcpy(copy, a, VAULT_CELL);
		memset(got, 0, sizeof(got));
		assert_int_equal(noise_read(copy, r, len, got, sizeof(got),
		    &n), -1);
		assert_memory_equal(got, zero, sizeof(got));
		assert_int_equal(noise_read(copy, r, len, got, sizeof(got),
		    &n), -1);
		r[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (cut = 0; cut <= len + 1; cut++) {
		if (cut == len)
			continue;
		memcpy(copy, a, VAULT_CELL);
		assert_int_equal(noise_read(copy, r, cut, got, sizeof(got),
		    &n), -1);
	}
	assert_int_equal(noise_read(a, r, len, got, sizeof(got), &n), 0);
	assert_int_equal(n, sizeof(welcome));
	assert_string_equal((char *)got, welcome);
	vault_give(copy);
	noise_free(a);
	noise_free(b);
}

static void
test_order(void **state)
{
	struct noise		*a, *b;
	struct noise_cipher	 x, y;
	uint8_t			 m[512], got[512];
	size_t			 len, n;

	/* Out of turn, and split too early. */
	b = centre_new();
	assert_int_equal(noise_write(b, "", 0, m, sizeof(m), &n), -1);
	noise_free(b);
	a = agent_new();
	assert_int_equal(noise_read(a, m, 100, got, sizeof(got), &n), -1);
	noise_free(a);
	a = agent_new();
	assert_int_equal(noise_split(a, &x, &y), -1);
	assert_int_equal(noise_write(a, "", 0, m, sizeof(m), &n), -1);
	noise_free(a);
	/* No room. */
	a = agent_new();
	assert_int_equal(noise_write(a, "abc", 3, m, 98, &n), -1);
	noise_free(a);
	a = agent_new();
	len = first_make(a, m);
	b = centre_new();
	assert_int_equal(noise_read(b, m, len, got, sizeof(hello) - 1, &n),
	    -1);
	noise_free(b);
	noise_free(a);
}

static void
test_wrong_peer(void **state)
{
	static const char	 elsewhere[] = "platen/1\0b@example\0c.example";
	struct noise		*a, *b;
	uint8_t			 m[512], got[512];
	size_t			 len, n;

	a = agent_new();
	len = first_make(a, m);
	b = noise_responder(centre.secret, elsewhere, sizeof(elsewhere), NULL);
	assert_int_equal(noise_read(b, m, len, got, sizeof(got), &n), -1);
	noise_free(b);
	b = noise_responder(other.secret, prologue, sizeof(prologue), NULL);
	assert_int_equal(noise_read(b, m, len, got, sizeof(got), &n), -1);
	noise_free(b);
	noise_free(a);
}

/* RFC 7748 section 6.1 and the list of small-order points: all refused. */
static void
test_small_order(void **state)
{
	static const uint8_t	 points[][32] = {
		{ 0 }, { 1 },
		{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56,
		  0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb,
		  0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
		  0xb8, 0x00 },
		{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		  0xff, 0x7f }
	};
	struct noise		*a;
	uint8_t			 m[512];
	char			 text[KEY_TEXT_MAX];
	uint8_t			 public[KEY_LEN];
	size_t			 i, n;

	for (i = 0; i < sizeof(points) / sizeof(*points); i++) {
		a = noise_initiator(agent.secret, points[i], "", 0, NULL);
		assert_int_equal(noise_write(a, "", 0, m, sizeof(m), &n), -1);
		noise_free(a);
		memset(m, 0x55, sizeof(m));
		memcpy(m, points[i], 32);
		first_refused(m, 200);
		key_format_public(points[i], text);
		assert_int_equal(key_parse_public(text, public), -1);
	}
}

static void
ciphers(struct noise_cipher *send, struct noise_cipher *receive)
{
	struct noise_cipher	 x, y;
	struct noise		*a, *b;
	uint8_t			 m[512], got[512];
	size_t			 len, n;

	a = agent_new();
	b = centre_new();
	len = first_make(a, m);
	assert_int_equal(noise_read(b, m, len, got, sizeof(got), &n), 0);
	assert_memory_equal(noise_remote(b), agent.public, 32);
	assert_int_equal(noise_write(b, "", 0, m, sizeof(m), &len), 0);
	assert_int_equal(noise_read(a, m, len, got, sizeof(got), &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(noise_split(a, send, &x), 0);
	assert_int_equal(noise_split(b, &y, receive), 0);
	assert_memory_equal(x.key, y.key, sizeof(x.key));
	assert_memory_not_equal(x.key, send->key, sizeof(x.key));
	noise_free(a);
	noise_free(b);
}

static void
test_transport(void **state)
{
	static const uint8_t	 zero[128];
	struct noise_cipher	 send, receive;
	uint8_t			 m[128], got[128], *big;
	size_t			 bit, len = 40 + NOISE_TAG_LEN;

	ciphers(&send, &receive);
	memset(got, 'x', sizeof(got));
	assert_int_equal(noise_encrypt(&send, got, 40, m), 0);
	assert_int_equal(send.nonce, 1);
	for (bit = 0; bit < len * 8; bit++) {
		m[bit / 8] ^= (uint8_t)(1u << bit % 8);
		memset(got, 'x', sizeof(got));
		assert_int_equal(noise_decrypt(&receive, 0, m, len, got), -1);
		assert_memory_equal(got, zero, 40);
		m[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (bit = 0; bit < len; bit++)
		assert_int_equal(noise_decrypt(&receive, 0, m, bit, got), -1);
	assert_int_equal(noise_decrypt(&receive, 1, m, len, got), -1);
	assert_int_equal(noise_decrypt(&receive, UINT64_MAX, m, len, got),
	    -1);
	assert_int_equal(noise_decrypt(&receive, 0, m, len, got), 0);
	assert_int_equal(got[39], 'x');

	/* The last number is reserved; nothing wraps to 0. */
	send.nonce = UINT64_MAX;
	assert_int_equal(noise_encrypt(&send, got, 40, m), -1);
	assert_memory_equal(m, zero, len);

	/* The largest message there is, and one more. */
	send.nonce = 7;
	big = calloc(1, NOISE_MESSAGE_MAX + 1);
	assert_non_null(big);
	assert_int_equal(noise_encrypt(&send, big,
	    NOISE_MESSAGE_MAX - NOISE_TAG_LEN, big), 0);
	assert_int_equal(noise_decrypt(&receive, 7, big, NOISE_MESSAGE_MAX,
	    big), 0);
	assert_int_equal(noise_encrypt(&send, big,
	    NOISE_MESSAGE_MAX - NOISE_TAG_LEN + 1, big), -1);
	assert_int_equal(noise_decrypt(&receive, 8, big,
	    NOISE_MESSAGE_MAX + 1, big), -1);
	free(big);
}

static void
test_nothing_left(void **state)
{
	uint8_t	*cell;
	size_t	 i;

	assert_int_equal(vault_used(), 0);
	cell = vault_take(VAULT_CELL);
	for (i = 0; i < VAULT_CELL; i++)
		assert_int_equal(cell[i], 0);
	assert_int_equal(vault_used(), 1);
	vault_give(cell);
	vault_give(NULL);
	assert_int_equal(vault_used(), 0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_first_flips),
		cmocka_unit_test(test_second_flips),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_wrong_peer),
		cmocka_unit_test(test_small_order),
		cmocka_unit_test(test_transport),
		cmocka_unit_test(test_nothing_left),
	};

	if (key_library_init() == -1)
		return 1;
	key_make(&agent);
	key_make(&centre);
	key_make(&other);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
