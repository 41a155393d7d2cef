#include "xmpp/sasl.h"

#include <sys/random.h>

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"

#define NONCE_BYTES	24
#define NONCE_MAX	1024		/* the server's, ours included */
#define SALT_MAX	512
#define MESSAGE_MAX	4096
#define PLUS		(1u << SASL_SCRAM_SHA_1_PLUS | \
			 1u << SASL_SCRAM_SHA_256_PLUS | \
			 1u << SASL_SCRAM_SHA_512_PLUS)

enum stage {
	STAGE_BEGIN,
	STAGE_FIRST,		/* the server's first message is to come */
	STAGE_FINAL,		/* its last, with its proof */
	STAGE_PROVED		/* only "success" is missing */
};

struct sasl {
	enum sasl_mechanism	 mechanism;
	enum stage		 stage;
	const EVP_MD		*md;		/* SCRAM's; NULL: no SCRAM */
	char			*jid, *user, *password;
	struct sasl_binding	 binding;
	const char		*flag;		/* gs2: "n", "y", "p=..." */
	char			 nonce[sodium_base64_ENCODED_LEN(NONCE_BYTES,
				    sodium_base64_VARIANT_ORIGINAL)];
	struct buf		 first;		/* client-first-message-bare */
	unsigned char		 server_proof[EVP_MAX_MD_SIZE];
	char			 why[192];
};

static const char *const names[SASL_MECHANISMS] = {
	[SASL_NONE] = "none",
	[SASL_PLAIN] = "PLAIN",
	[SASL_SCRAM_SHA_1] = "SCRAM-SHA-1",
	[SASL_SCRAM_SHA_256] = "SCRAM-SHA-256",
	[SASL_SCRAM_SHA_512] = "SCRAM-SHA-512",
	[SASL_SCRAM_SHA_1_PLUS] = "SCRAM-SHA-1-PLUS",
	[SASL_SCRAM_SHA_256_PLUS] = "SCRAM-SHA-256-PLUS",
	[SASL_SCRAM_SHA_512_PLUS] = "SCRAM-SHA-512-PLUS",
	[SASL_EXTERNAL] = "EXTERNAL"
};

enum sasl_mechanism
sasl_mechanism(const char *name)
{
	enum sasl_mechanism	m;

	for (m = SASL_PLAIN; m < SASL_MECHANISMS; m++)
		if (strcmp(names[m], name) == 0)
			return m;
	return SASL_NONE;
}

const char *
sasl_name(enum sasl_mechanism mechanism)
{
	return names[mechanism];
}

bool
sasl_binds(unsigned offered)
{
	return (offered & PLUS) != 0;
}

enum sasl_mechanism
sasl_choose(unsigned offered, const struct sasl_account *account,
    const struct sasl_binding *binding)
{
	enum sasl_mechanism	m;

	if (account->password == NULL)
		return (offered & 1u << SASL_EXTERNAL) != 0 ? SASL_EXTERNAL :
		    SASL_NONE;
	if (binding->type == NULL)
		offered &= ~PLUS;
	if (!account->allow_plain)
		offered &= ~(1u << SASL_PLAIN);
	for (m = SASL_SCRAM_SHA_512_PLUS; m > SASL_NONE; m--)
		if ((offered & 1u << m) != 0)
			return m;
	return SASL_NONE;
}

bool
sasl_fit(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

static const EVP_MD *
hash_of(enum sasl_mechanism mechanism)
{
	switch (mechanism) {
	case SASL_SCRAM_SHA_1:
	case SASL_SCRAM_SHA_1_PLUS:
		return EVP_sha1();
	case SASL_SCRAM_SHA_256:
	case SASL_SCRAM_SHA_256_PLUS:
		return EVP_sha256();
	case SASL_SCRAM_SHA_512:
	case SASL_SCRAM_SHA_512_PLUS:
		return EVP_sha512();
	default:
		return NULL;
	}
}

static void
make_nonce(struct sasl *s)
{
	unsigned char	bytes[NONCE_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		fatal("uplink", "getrandom");
	sodium_bin2base64(s->nonce, sizeof(s->nonce), bytes, sizeof(bytes),
	    sodium_base64_VARIANT_ORIGINAL);
}

struct sasl *
sasl_new(enum sasl_mechanism mechanism, unsigned offered,
    const struct sasl_account *account, const struct sasl_binding *binding)
{
	struct sasl	*s = xcalloc(1, sizeof(*s));

	s->mechanism = mechanism;
	s->md = hash_of(mechanism);
	s->jid = xstrdup(account->jid);
	s->user = xstrndup(account->jid, strcspn(account->jid, "@"));
	s->password = xstrdup_null(account->password);
	if (sasl_binds(1u << mechanism))
		s->binding = *binding;
	if (s->binding.type != NULL)
		s->flag = s->binding.type;
	else
		/* "y": we could, and see no -PLUS.  Where there is one whose
		 * kind of binding is not ours, we cannot. */
		s->flag = binding->type != NULL && !sasl_binds(offered) ?
		    "y" : "n";
	make_nonce(s);
	return s;
}

void
sasl_free(struct sasl *s)
{
	if (s == NULL)
		return;
	secret_free(s->password);
	free(s->user);
	free(s->jid);
	buf_free(&s->first);
	secret_wipe(s, sizeof(*s));
	free(s);
}

const char *
sasl_why(const struct sasl *s)
{
	return s->why;
}

static int	 refuse(struct sasl *, const char *fmt, ...)
		    __attribute__((format(printf, 2, 3)));

static int
refuse(struct sasl *s, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	return -1;
}

static void
put_base64(struct buf *out, const void *bytes, size_t len)
{
	size_t	 size = sodium_base64_encoded_len(len,
		    sodium_base64_VARIANT_ORIGINAL);
	char	*text = xmalloc(size);

	sodium_bin2base64(text, size, bytes, len,
	    sodium_base64_VARIANT_ORIGINAL);
	buf_puts(out, text);
	secret_free(text);
}

/* How many octets text stands for, or -1 when it is no base64 or too long. */
static int
base64_octets(const char *text, unsigned char *out, size_t size)
{
	size_t		 len;

	if (sodium_base642bin(out, size, text, strlen(text), NULL, &len, NULL,
	    sodium_base64_VARIANT_ORIGINAL) != 0)
		return -1;
	return (int)len;
}

static void
wipe_buf(struct buf *b)
{
	if (b->data != NULL)
		secret_wipe(b->data, b->cap);
	buf_free(b);
}

/*
 * The first word
 */

static void
put_gs2_header(struct sasl *s, struct buf *out)
{
	buf_printf(out, "%s%s,,", s->binding.type != NULL ? "p=" : "",
	    s->flag);
}

static void
begin_scram(struct sasl *s, struct buf *message)
{
	const char	*p;

	buf_puts(&s->first, "n=");
	for (p = s->user; *p != '\0'; p++)
		if (*p == '=')
			buf_puts(&s->first, "=3D");
		else if (*p == ',')
			buf_puts(&s->first, "=2C");
		else
			buf_putc(&s->first, *p);
	buf_printf(&s->first, ",r=%s", s->nonce);
	put_gs2_header(s, message);
	buf_put(message, s->first.data, s->first.len);
	s->stage = STAGE_FIRST;
}

void
sasl_begin(struct sasl *s, struct buf *out)
{
	struct buf	message = { 0 };

	if (s->md != NULL)
		begin_scram(s, &message);
	else {
		if (s->mechanism == SASL_EXTERNAL)
			/* Who we want to be: a certificate may be good for
			 * several accounts. */
			buf_puts(&message, s->jid);
		else {
			buf_putc(&message, '\0');
			buf_puts(&message, s->user);
			buf_putc(&message, '\0');
			buf_puts(&message, s->password);
		}
		s->stage = STAGE_PROVED;
	}
	put_base64(out, message.data, message.len);
	wipe_buf(&message);
}

/*
 * SCRAM
 */

/* The value of the attribute that *at must begin with; moves on behind it. */
static char *
take(char **at, char name)
{
	char	*value = *at, *end;

	if (value == NULL || value[0] != name || value[1] != '=')
		return NULL;
	value += 2;
	end = strchr(value, ',');
	if (end != NULL)
		*end++ = '\0';
	*at = end;
	return value;
}

static bool
read_rounds(const char *text, long *rounds)
{
	char	*end;

	if (text == NULL || text[0] < '1' || text[0] > '9')
		return false;
	/* Out of range is LONG_MAX, and that too much. */
	*rounds = strtol(text, &end, 10);
	return *end == '\0';
}

struct first {			/* the server's */
	char		*nonce;
	unsigned char	 salt[SALT_MAX];
	int		 salt_len;
	long		 rounds;
};

static int
read_first(struct sasl *s, char *text, struct first *first)
{
	char	*salt, *rounds;

	if (strncmp(text, "m=", 2) == 0)
		return refuse(s, "the server wants an extension of SCRAM that "
		    "we do not know");
	first->nonce = take(&text, 'r');
	salt = take(&text, 's');
	rounds = take(&text, 'i');
	if (first->nonce == NULL || salt == NULL ||
	    !read_rounds(rounds, &first->rounds) ||
	    (first->salt_len = base64_octets(salt, first->salt,
	    sizeof(first->salt))) < 1)
		return refuse(s, "the server's challenge is not of SCRAM");
	if (strncmp(first->nonce, s->nonce, strlen(s->nonce)) != 0 ||
	    strlen(first->nonce) <= strlen(s->nonce) ||
	    strlen(first->nonce) > NONCE_MAX || !sasl_fit(first->nonce))
		return refuse(s, "the server's challenge is not for this login "
		    "(wrong nonce)");
	if (first->rounds > SASL_ROUNDS_MAX)
		return refuse(s, "the server wants %ld rounds of SCRAM, we "
		    "compute at most %d", first->rounds, SASL_ROUNDS_MAX);
	if (first->rounds < SASL_ROUNDS_MIN)
		return refuse(s, "the server wants only %ld rounds of SCRAM, "
		    "less than the %d that protect a password", first->rounds,
		    SASL_ROUNDS_MIN);
	return 0;
}

struct keys {
	unsigned char	salted[EVP_MAX_MD_SIZE], client[EVP_MAX_MD_SIZE];
	unsigned char	stored[EVP_MAX_MD_SIZE], server[EVP_MAX_MD_SIZE];
	unsigned char	proof[EVP_MAX_MD_SIZE];
};

static bool
sign(const EVP_MD *md, const unsigned char *key, const void *text, size_t len,
    unsigned char *out)
{
	return HMAC(md, key, EVP_MD_get_size(md), text, len, out, NULL) !=
	    NULL;
}

/* RFC 5802 section 3; all is the AuthMessage. */
static bool
make_proofs(struct sasl *s, const struct first *first, const struct buf *all,
    struct keys *k)
{
	const EVP_MD	*md = s->md;
	int		 size = EVP_MD_get_size(md), i;

	if (PKCS5_PBKDF2_HMAC(s->password, (int)strlen(s->password),
	    first->salt, first->salt_len, (int)first->rounds, md, size,
	    k->salted) != 1 ||
	    !sign(md, k->salted, "Client Key", 10, k->client) ||
	    EVP_Digest(k->client, (size_t)size, k->stored, NULL, md,
	    NULL) != 1 ||
	    !sign(md, k->stored, all->data, all->len, k->proof) ||
	    !sign(md, k->salted, "Server Key", 10, k->server) ||
	    !sign(md, k->server, all->data, all->len, s->server_proof))
		return false;
	for (i = 0; i < size; i++)
		k->proof[i] ^= k->client[i];
	return true;
}

/* Appends client-final-message-without-proof. */
static void
put_final(struct sasl *s, const char *nonce, struct buf *out)
{
	struct buf	binding = { 0 };

	put_gs2_header(s, &binding);
	buf_put(&binding, s->binding.data, s->binding.len);
	buf_puts(out, "c=");
	put_base64(out, binding.data, binding.len);
	buf_printf(out, ",r=%s", nonce);
	buf_free(&binding);
}

static int
answer_first(struct sasl *s, char *text, struct buf *out)
{
	struct first	first = { 0 };
	struct buf	all = { 0 }, final = { 0 };
	struct keys	keys;
	int		rc = -1;

	buf_printf(&all, "%s,%s,", s->first.data, text);
	if (read_first(s, text, &first) == -1)
		goto out;
	put_final(s, first.nonce, &final);
	buf_put(&all, final.data, final.len);
	if (!make_proofs(s, &first, &all, &keys)) {
		refuse(s, "OpenSSL cannot compute SCRAM");
		goto out;
	}
	buf_puts(&final, ",p=");
	put_base64(&final, keys.proof, (size_t)EVP_MD_get_size(s->md));
	put_base64(out, final.data, final.len);
	s->stage = STAGE_FINAL;
	rc = 0;
out:
	secret_wipe(&keys, sizeof(keys));
	wipe_buf(&all);
	wipe_buf(&final);
	return rc;
}

/* The server's last message, which is its proof. */
static int
check_final(struct sasl *s, char *text)
{
	unsigned char	 proof[EVP_MAX_MD_SIZE];
	char		*value;
	int		 size = EVP_MD_get_size(s->md);

	if ((value = take(&text, 'e')) != NULL)
		return refuse(s, "the server ends SCRAM with %s",
		    log_safe(value));
	value = take(&text, 'v');
	if (value == NULL ||
	    base64_octets(value, proof, sizeof(proof)) != size ||
	    CRYPTO_memcmp(proof, s->server_proof, (size_t)size) != 0)
		return refuse(s, "the server does not prove that it knows the "
		    "password");
	s->stage = STAGE_PROVED;
	return 0;
}

/* The text in base64, or NULL. */
static char *
decode(struct sasl *s, const char *base64)
{
	char	*text = xmalloc(MESSAGE_MAX + 1);
	int	 len;

	len = base64_octets(base64, (unsigned char *)text, MESSAGE_MAX);
	if (len == -1 || memchr(text, '\0', (size_t)len) != NULL) {
		refuse(s, "the server's challenge is no text in base64");
		free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}

int
sasl_answer(struct sasl *s, const char *challenge, struct buf *out)
{
	char	*text;
	int	 rc;

	if (s->md == NULL || (s->stage != STAGE_FIRST &&
	    s->stage != STAGE_FINAL))
		return refuse(s, "the server sends a challenge where %s has "
		    "none", names[s->mechanism]);
	if ((text = decode(s, challenge)) == NULL)
		return -1;
	if (s->stage == STAGE_FIRST)
		rc = answer_first(s, text, out);
	else
		/* To be answered by nothing. */
		rc = check_final(s, text);
	free(text);
	return rc;
}

int
sasl_finish(struct sasl *s, const char *data)
{
	char	*text;
	int	 rc;

	if (s->stage == STAGE_PROVED)
		return 0;
	if (s->stage != STAGE_FINAL)
		return refuse(s, "the server says success before it has proved "
		    "that it knows the password");
	if ((text = decode(s, data)) == NULL)
		return -1;
	rc = check_final(s, text);
	free(text);
	return rc;
}
