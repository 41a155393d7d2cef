#include "xmpp/pin.h"

#include <string.h>

#include <openssl/evp.h>
#include <sodium.h>

#define PREFIX	"sha256/"

int
pin_parse(const char *text, struct pin *pin)
{
	size_t	len;

	if (strncmp(text, PREFIX, strlen(PREFIX)) != 0)
		return -1;
	text += strlen(PREFIX);
	if (sodium_base642bin(pin->sha256, sizeof(pin->sha256), text,
	    strlen(text), NULL, &len, NULL,
	    sodium_base64_VARIANT_ORIGINAL) != 0 || len != PIN_BYTES)
		return -1;
	return 0;
}

void
pin_put(struct buf *out, const struct pin *pin)
{
	char	text[sodium_base64_ENCODED_LEN(PIN_BYTES,
		    sodium_base64_VARIANT_ORIGINAL)];

	sodium_bin2base64(text, sizeof(text), pin->sha256, PIN_BYTES,
	    sodium_base64_VARIANT_ORIGINAL);
	buf_printf(out, PREFIX "%s", text);
}

int
pin_of(X509 *cert, struct pin *pin)
{
	unsigned char	*der = NULL;
	int		 len, rc = -1;

	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	if (len > 0 && EVP_Digest(der, (size_t)len, pin->sha256, NULL,
	    EVP_sha256(), NULL) == 1)
		rc = 0;
	OPENSSL_free(der);
	return rc;
}

bool
pin_same(const struct pin *a, const struct pin *b)
{
	return memcmp(a->sha256, b->sha256, PIN_BYTES) == 0;
}
