#include "agent/loginconf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/inispot.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "xmpp/pin.h"
#include "xmpp/sasl.h"
#include "xmpp/trust.h"

#define PEM_MAX	65536

static int
complain(const struct config *conf, const char *key, const char *text)
{
	log_warnx("config", "%s: [xmpp] %s %s", inispot(conf->path, "xmpp",
	    key), key, text);
	return -1;
}

static int
check_pins(const struct config *conf)
{
	struct pin pin;
	size_t i;
	int rc = 0;

	for (i = 0; i < conf->pins.count; i++)
		if (pin_parse(conf->pins.item[i], &pin) == -1) {
			log_warnx("config", "%s: [xmpp] pin: %s is not "
			    "sha256/ and 44 characters of base64",
			    inispot(conf->path, "xmpp", "pin"),
			    log_safe(conf->pins.item[i]));
			rc = -1;
		}
	return rc;
}

int
loginconf_check(const struct config *conf)
{
	bool cert = conf->client_cert != NULL || conf->client_key != NULL;
	int rc = check_pins(conf);

	if (conf->password_file == NULL && !cert)
		rc = complain(conf, "password_file", "is missing: say "
		    "password_file = /etc/platen/password, or client_cert = "
		    "and client_key = FILE for a login by certificate");
	if (conf->password_file != NULL && cert)
		rc = complain(conf, conf->client_cert != NULL ?
		    "client_cert" : "client_key", "and password_file exclude "
		    "each other: the agent logs in by one of them");
	if (cert && conf->client_key == NULL)
		rc = complain(conf, "client_cert", "needs client_key = FILE");
	if (cert && conf->client_cert == NULL)
		rc = complain(conf, "client_key", "needs client_cert = FILE");
	if (cert && conf->allow_plain)
		rc = complain(conf, "allow_plain", "is for a login by "
		    "password_file");
	return rc;
}

static int
load_password(const struct config *conf, struct loginconf *login)
{
	char text[SECRET_MAX + 1];
	int rc;

	rc = secret_read(conf->password_file, "[xmpp] password_file", text,
	    sizeof(text));
	if (rc == 0 && !sasl_fit(text)) {
		log_warnx("config", "[xmpp] password_file: %s: the password "
		    "has other characters than those of ASCII, which cannot "
		    "be used: change it", log_safe(conf->password_file));
		rc = -1;
	}
	if (rc == 0)
		login->password = xstrdup(text);
	secret_wipe(text, sizeof(text));
	return rc;
}

/* Anyone may read a certificate. */
static char *
read_cert(const char *path)
{
	char *text;
	ssize_t n = -1;
	int fd;

	text = xmalloc(PEM_MAX + 1);
	/* O_NONBLOCK: a FIFO in its place must not stop the start. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd != -1)
		n = read(fd, text, PEM_MAX);
	if (n == -1)
		log_warn("config", "[xmpp] client_cert: %s", log_safe(path));
	if (fd != -1)
		close(fd);
	if (n == -1) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

static int
load_cert(const struct config *conf, struct loginconf *login)
{
	char why[TRUST_WHY_MAX];

	if ((login->cert = read_cert(conf->client_cert)) == NULL ||
	    (login->key = secret_load(conf->client_key, "[xmpp] client_key",
	    PEM_MAX)) == NULL)
		return -1;
	if (trust_check_own(login->cert, login->key, why,
	    sizeof(why)) == -1) {
		log_warnx("config", "[xmpp] %s", why);
		return -1;
	}
	return 0;
}

int
loginconf_load(const struct config *conf, struct loginconf *login)
{
	int rc;

	memset(login, 0, sizeof(*login));
	rc = conf->password_file != NULL ? load_password(conf, login) :
	    load_cert(conf, login);
	if (rc == -1)
		loginconf_free(login);
	return rc;
}

void
loginconf_free(struct loginconf *login)
{
	secret_free(login->password);
	secret_free(login->key);
	free(login->cert);
	memset(login, 0, sizeof(*login));
}
