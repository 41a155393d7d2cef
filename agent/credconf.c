#include "agent/credconf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/inispot.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"

#define SECTION_MAX	80

static bool
says(const char *version, const char *which)
{
	return version != NULL && strcmp(version, which) == 0;
}

/* A user without a version means 3: nothing else has users. */
static bool
is_v3(const struct config_snmp *snmp)
{
	return says(snmp->version, "3") ||
	    (snmp->version == NULL && snmp->user != NULL);
}

static const char *
section_of(const struct config_snmp *snmp, char out[SECTION_MAX])
{
	snprintf(out, SECTION_MAX, "snmp %.60s", snmp->credential.name);
	return out;
}

static int __attribute__((format(printf, 4, 5)))
complain(const struct config *conf, const struct config_snmp *snmp,
    const char *key, const char *fmt, ...)
{
	char section[SECTION_MAX], text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	section_of(snmp, section);
	log_warnx("config", "%s: [%s] %s", inispot(conf->path, section, key),
	    section, text);
	return -1;
}

/* The first key that only SNMPv3 knows, or NULL. */
static const char *
v3_key(const struct config_snmp *snmp)
{
	return snmp->user != NULL ? "user" : snmp->auth != NULL ? "auth" :
	    snmp->auth_password_file != NULL ? "auth_password_file" :
	    snmp->privacy != NULL ? "privacy" :
	    snmp->privacy_password_file != NULL ? "privacy_password_file" :
	    snmp->credential.context != NULL ? "context" : NULL;
}

static int
check_v3(const struct config *conf, const struct config_snmp *snmp)
{
	enum usm_auth auth = USM_NOAUTH;
	enum usm_privacy privacy = USM_NOPRIV;
	int rc = 0;

	if (snmp->user == NULL || *snmp->user == '\0')
		rc = complain(conf, snmp, "version", "version 3 needs a user: "
		    "say user = NAME, as the printers have it");
	if (snmp->credential.community != NULL)
		rc = complain(conf, snmp, "community", "community goes with "
		    "version 1 and 2c, user with 3: make two sections");
	if (snmp->auth != NULL && !usm_parse_auth(snmp->auth, &auth))
		rc = complain(conf, snmp, "auth", "auth = %s: want md5, sha1, "
		    "sha224, sha256, sha384, sha512 or none",
		    log_safe(snmp->auth));
	if (snmp->privacy != NULL &&
	    !usm_parse_privacy(snmp->privacy, &privacy))
		rc = complain(conf, snmp, "privacy", "privacy = %s: want des, "
		    "aes128, aes192, aes256, aes192c, aes256c or none",
		    log_safe(snmp->privacy));
	if (rc == -1)
		return rc;
	if (auth != USM_NOAUTH && snmp->auth_password_file == NULL)
		rc = complain(conf, snmp, "auth", "auth needs "
		    "auth_password_file = FILE (its first line is the "
		    "password)");
	if (auth == USM_NOAUTH && snmp->auth_password_file != NULL)
		rc = complain(conf, snmp, "auth_password_file", "which "
		    "protocol is the password for? Say auth = sha1, sha256 "
		    "...");
	if (privacy != USM_NOPRIV && auth == USM_NOAUTH)
		rc = complain(conf, snmp, "privacy", "privacy needs auth "
		    "(RFC 3414 section 1.4.3): say auth = sha1, sha256 ...");
	if (privacy != USM_NOPRIV && snmp->privacy_password_file == NULL)
		rc = complain(conf, snmp, "privacy", "privacy needs "
		    "privacy_password_file = FILE (its first line is the "
		    "password)");
	if (privacy == USM_NOPRIV && snmp->privacy_password_file != NULL)
		rc = complain(conf, snmp, "privacy_password_file", "which "
		    "protocol is the password for? Say privacy = aes128, "
		    "aes256 ...");
	return rc;
}

int
credconf_check(const struct config *conf)
{
	const struct config_snmp *snmp;
	size_t i;
	int rc = 0;

	for (i = 0; i < conf->snmp_len; i++) {
		snmp = &conf->snmp[i];
		if (is_v3(snmp))
			rc |= check_v3(conf, snmp);
		else if (v3_key(snmp) != NULL)
			rc |= complain(conf, snmp, v3_key(snmp), "%s goes "
			    "with version 3: say version = 3, or leave %s out",
			    v3_key(snmp), v3_key(snmp));
	}
	return rc;
}

/* The file's first line; NULL when there is none to be had (logged). */
static char *
read_password(const struct config_snmp *snmp, const char *path,
    const char *key)
{
	char purpose[SECTION_MAX + 40], section[SECTION_MAX];
	char text[SECRET_MAX], *copy = NULL;

	snprintf(purpose, sizeof(purpose), "[%s] %s",
	    section_of(snmp, section), key);
	if (secret_read(path, purpose, text, sizeof(text)) == 0)
		copy = xstrdup(text);
	secret_wipe(text, sizeof(text));
	return copy;
}

static int
make_user(const struct config *conf, struct config_snmp *snmp)
{
	enum usm_auth auth = USM_NOAUTH;
	enum usm_privacy privacy = USM_NOPRIV;
	char *auth_password = NULL, *privacy_password = NULL, why[160];
	int rc = -1;

	if (snmp->auth != NULL)
		(void)usm_parse_auth(snmp->auth, &auth);
	if (snmp->privacy != NULL)
		(void)usm_parse_privacy(snmp->privacy, &privacy);
	if (auth != USM_NOAUTH && (auth_password = read_password(snmp,
	    snmp->auth_password_file, "auth_password_file")) == NULL)
		goto out;
	if (privacy != USM_NOPRIV && (privacy_password = read_password(snmp,
	    snmp->privacy_password_file, "privacy_password_file")) == NULL)
		goto out;
	snmp->credential.user = usm_user_new(snmp->user, auth, auth_password,
	    privacy, privacy_password, why, sizeof(why));
	if (snmp->credential.user != NULL)
		rc = 0;
	else
		(void)complain(conf, snmp, "user", "%s", why);
out:
	secret_free(auth_password);
	secret_free(privacy_password);
	return rc;
}

/* By rank, those of one rank as they were written: a handful. */
static void
put_in_order(struct config_snmp *snmp, size_t n)
{
	struct config_snmp one;
	size_t i, j;

	for (i = 1; i < n; i++) {
		one = snmp[i];
		for (j = i; j > 0 && credential_rank(&snmp[j - 1].credential) >
		    credential_rank(&one.credential); j--)
			snmp[j] = snmp[j - 1];
		snmp[j] = one;
	}
}

int
credconf_make(struct config *conf, bool secrets)
{
	struct config_snmp *snmp;
	size_t i;
	int rc = 0;

	for (i = 0; i < conf->snmp_len; i++) {
		snmp = &conf->snmp[i];
		snmp->credential.version = is_v3(snmp) ? 3 :
		    says(snmp->version, "1") ? 1 :
		    says(snmp->version, "2c") ? 2 : 0;
		if (snmp->credential.version == 3) {
			if (secrets)
				rc |= make_user(conf, snmp);
		} else if (snmp->credential.community == NULL)
			snmp->credential.community = xstrdup("public");
	}
	put_in_order(conf->snmp, conf->snmp_len);
	return rc;
}
