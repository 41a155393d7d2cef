#include "xmpp/trust.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

/* RFC 9266 */
#define EXPORTER_LABEL	"EXPORTER-Channel-Binding"
#define EXPORTER_LEN	32

struct trust {
	struct trust_config	 config;
	SSL_CTX			*ctx;
	int			 fault;		/* X509_V_...; the first */
	char			 subject[128], issuer[128];
	char			 from[40], until[40];
};

/* OpenSSL's last complaint, and forgets the rest. */
static const char *
last_error(void)
{
	unsigned long	 code = ERR_peek_last_error();
	const char	*text = code != 0 ? ERR_reason_error_string(code) :
			    NULL;

	ERR_clear_error();
	return text != NULL ? text : "no reason given";
}

static void
name_of(const X509_NAME *name, char *out, size_t size)
{
	BIO	*bio = BIO_new(BIO_s_mem());
	char	*text;
	long	 len;

	out[0] = '\0';
	if (bio == NULL)
		return;
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE) != -1 &&
	    (len = BIO_get_mem_data(bio, &text)) > 0)
		snprintf(out, size, "%s", log_safe_n(text, (size_t)len));
	BIO_free(bio);
}

static void
put_time(const struct tm *tm, char *out, size_t size)
{
	if (strftime(out, size, "%Y-%m-%d %H:%M UTC", tm) == 0)
		snprintf(out, size, "?");
}

static void
time_of(const ASN1_TIME *when, char *out, size_t size)
{
	struct tm	tm = { 0 };

	if (ASN1_TIME_to_tm(when, &tm) == 1)
		put_time(&tm, out, size);
	else
		snprintf(out, size, "?");
}

static int
on_verify(int ok, X509_STORE_CTX *store)
{
	SSL		*ssl = X509_STORE_CTX_get_ex_data(store,
			    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct trust	*t = SSL_get_app_data(ssl);
	X509		*cert = X509_STORE_CTX_get_current_cert(store);

	if (ok == 1 || t->fault != X509_V_OK)
		return ok;
	t->fault = X509_STORE_CTX_get_error(store);
	if (cert == NULL)
		return ok;
	name_of(X509_get_subject_name(cert), t->subject, sizeof(t->subject));
	name_of(X509_get_issuer_name(cert), t->issuer, sizeof(t->issuer));
	time_of(X509_get0_notBefore(cert), t->from, sizeof(t->from));
	time_of(X509_get0_notAfter(cert), t->until, sizeof(t->until));
	return ok;
}

static int
use_authorities(SSL_CTX *ctx, const char *ca_file, char *why, size_t why_size)
{
	if (ca_file == NULL) {
		if (SSL_CTX_set_default_verify_paths(ctx) == 1)
			return 0;
		snprintf(why, why_size, "cannot use the system's CAs: %s",
		    last_error());
		return -1;
	}
	if (access(ca_file, R_OK) == -1) {
		snprintf(why, why_size, "cannot read ca_file %s: %s",
		    log_safe(ca_file), strerror(errno));
		return -1;
	}
	if (SSL_CTX_load_verify_file(ctx, ca_file) == 1)
		return 0;
	snprintf(why, why_size, "ca_file %s holds no certificate: %s",
	    log_safe(ca_file), last_error());
	return -1;
}

/* No question on a terminal, ever. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	return 0;
}

static int
use_chain(SSL_CTX *ctx, const char *pem)
{
	BIO	*bio = BIO_new_mem_buf(pem, -1);
	X509	*cert;
	int	 rc = -1;

	if (bio == NULL)
		return -1;
	cert = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);
	if (cert != NULL && SSL_CTX_use_certificate(ctx, cert) == 1)
		rc = 0;
	X509_free(cert);
	while (rc == 0 && (cert = PEM_read_bio_X509(bio, NULL, no_passphrase,
	    NULL)) != NULL)
		if (SSL_CTX_add0_chain_cert(ctx, cert) != 1) {
			X509_free(cert);
			rc = -1;
		}
	if (rc == 0)
		ERR_clear_error();	/* that no more certificates come */
	BIO_free(bio);
	return rc;
}

static int
use_own(SSL_CTX *ctx, const char *cert, const char *key, char *why,
    size_t why_size)
{
	BIO		*bio;
	EVP_PKEY	*pkey = NULL;
	int		 rc = -1;

	if (use_chain(ctx, cert) == -1) {
		snprintf(why, why_size, "client_cert holds no certificate in "
		    "PEM: %s", last_error());
		return -1;
	}
	if ((bio = BIO_new_mem_buf(key, -1)) != NULL)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase,
		    NULL);
	if (pkey == NULL)
		snprintf(why, why_size, "client_key holds no private key in "
		    "PEM (one without a passphrase): %s", last_error());
	else if (SSL_CTX_use_PrivateKey(ctx, pkey) != 1)
		snprintf(why, why_size, "client_key is not the key of "
		    "client_cert: %s", last_error());
	else
		rc = 0;
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	return rc;
}

int
trust_check_own(const char *cert, const char *key, char *why, size_t why_size)
{
	SSL_CTX	*ctx = SSL_CTX_new(TLS_client_method());
	int	 rc = -1;

	if (ctx != NULL)
		rc = use_own(ctx, cert, key, why, why_size);
	else
		snprintf(why, why_size, "OpenSSL: %s", last_error());
	SSL_CTX_free(ctx);
	return rc;
}

struct trust *
trust_new(const struct trust_config *config, char *why, size_t why_size)
{
	struct trust	*t = xcalloc(1, sizeof(*t));

	t->config = *config;
	ERR_clear_error();
	t->ctx = SSL_CTX_new(TLS_client_method());
	if (t->ctx == NULL ||
	    SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1) {
		snprintf(why, why_size, "OpenSSL: %s", last_error());
		trust_free(t);
		return NULL;
	}
	SSL_CTX_set_mode(t->ctx, SSL_MODE_RELEASE_BUFFERS |
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, on_verify);
	if (use_authorities(t->ctx, config->ca_file, why, why_size) == -1 ||
	    (config->cert != NULL && use_own(t->ctx, config->cert,
	    config->key, why, why_size) == -1)) {
		trust_free(t);
		return NULL;
	}
	return t;
}

void
trust_free(struct trust *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}

SSL *
trust_ssl(struct trust *t, bool direct)
{
	/* XEP-0368 section 2 */
	static const unsigned char	alpn[] = "\x0bxmpp-client";
	SSL				*ssl = SSL_new(t->ctx);

	if (ssl == NULL)
		return NULL;
	SSL_set_app_data(ssl, t);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (SSL_set1_host(ssl, t->config.domain) != 1 ||
	    SSL_set_tlsext_host_name(ssl, t->config.domain) != 1 ||
	    (direct && SSL_set_alpn_protos(ssl, alpn,
	    sizeof(alpn) - 1) != 0)) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

static bool
has_pin(const struct trust *t, X509 *cert, struct buf *seen)
{
	struct pin	pin;
	size_t		i;

	if (pin_of(cert, &pin) == -1)
		return false;
	if (seen->len > 0)
		buf_puts(seen, " ");
	pin_put(seen, &pin);
	for (i = 0; i < t->config.pin_count; i++)
		if (pin_same(&pin, &t->config.pins[i]))
			return true;
	return false;
}

int
trust_accept(struct trust *t, SSL *ssl, char *why, size_t why_size)
{
	STACK_OF(X509)	*chain = SSL_get0_verified_chain(ssl);
	struct buf	 seen = { 0 };
	int		 i, rc = -1;

	/* Both are sure by now; what rests on them is too much to trust. */
	if (SSL_get_verify_result(ssl) != X509_V_OK || chain == NULL) {
		snprintf(why, why_size, "the server's certificate was not "
		    "verified");
		return -1;
	}
	if (t->config.pin_count == 0)
		return 0;
	for (i = 0; i < sk_X509_num(chain) && rc == -1; i++)
		if (has_pin(t, sk_X509_value(chain, i), &seen))
			rc = 0;
	if (rc == -1)
		snprintf(why, why_size, "no key in the server's chain of "
		    "certificates is pinned; they are %s",
		    seen.len > 0 ? seen.data : "unreadable");
	buf_free(&seen);
	return rc;
}

static void
put_now(char *out, size_t size)
{
	time_t		now = time(NULL);
	struct tm	tm;

	if (gmtime_r(&now, &tm) != NULL)
		put_time(&tm, out, size);
	else
		snprintf(out, size, "?");
}

bool
trust_blame(const struct trust *t, char *why, size_t why_size)
{
	char	now[40];

	put_now(now, sizeof(now));
	switch (t->fault) {
	case X509_V_OK:
		return false;
	case X509_V_ERR_HOSTNAME_MISMATCH:
		snprintf(why, why_size, "the server's certificate is not for "
		    "%s but for %s", log_safe(t->config.domain), t->subject);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		snprintf(why, why_size, "the server's certificate has "
		    "expired: %s was valid until %s, and by this machine's "
		    "clock it is %s", t->subject, t->until, now);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		snprintf(why, why_size, "the server's certificate is not yet "
		    "valid: %s is from %s, and by this machine's clock it is "
		    "%s; is that clock right?", t->subject, t->from, now);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		snprintf(why, why_size, "the server's certificate is not "
		    "accepted: its CA is unknown here, %s (%s, issued by %s); "
		    "see ca_file", X509_verify_cert_error_string(t->fault),
		    t->subject, t->issuer);
		break;
	default:
		snprintf(why, why_size, "the server's certificate is not "
		    "accepted: %s (%s, issued by %s, valid until %s)",
		    X509_verify_cert_error_string(t->fault), t->subject,
		    t->issuer, t->until);
	}
	return true;
}

/*
 * Channel binding
 */

static bool
is_listed(const char *listed, const char *type)
{
	size_t		 len = strlen(type);
	const char	*p;

	for (p = listed; (p = strstr(p, type)) != NULL; p += len)
		if ((p == listed || p[-1] == ',') &&
		    (p[len] == '\0' || p[len] == ','))
			return true;
	return false;
}

/* RFC 5929 section 4.1: the hash that signed it, but nothing below SHA-256.
 * False for a signature without one (EdDSA), where it is not defined. */
static bool
hash_certificate(SSL *ssl, struct sasl_binding *binding)
{
	X509		*cert = SSL_get0_peer_certificate(ssl);
	const EVP_MD	*md;
	unsigned	 len;
	int		 digest;

	if (cert == NULL ||
	    X509_get_signature_info(cert, &digest, NULL, NULL, NULL) != 1 ||
	    digest == NID_undef)
		return false;
	md = digest == NID_md5 || digest == NID_sha1 ? EVP_sha256() :
	    EVP_get_digestbynid(digest);
	if (md == NULL || EVP_MD_get_size(md) > SASL_BINDING_MAX ||
	    X509_digest(cert, md, binding->data, &len) != 1)
		return false;
	binding->len = len;
	return true;
}

void
trust_binding(SSL *ssl, const char *listed, struct sasl_binding *binding)
{
	memset(binding, 0, sizeof(*binding));
	if (SSL_version(ssl) >= TLS1_3_VERSION &&
	    (listed == NULL || is_listed(listed, "tls-exporter")) &&
	    SSL_export_keying_material(ssl, binding->data, EXPORTER_LEN,
	    EXPORTER_LABEL, strlen(EXPORTER_LABEL), NULL, 0, 1) == 1) {
		binding->type = "tls-exporter";
		binding->len = EXPORTER_LEN;
	} else if (listed != NULL &&
	    is_listed(listed, "tls-server-end-point") &&
	    hash_certificate(ssl, binding))
		binding->type = "tls-server-end-point";
}
