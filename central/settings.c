#include "central/settings.h"

#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "base/ini.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "xmpp/component.h"
#include "xmpp/jid.h"

#define AT(member)	offsetof(struct settings, member)

static const struct ini_key	keys[] = {
	{ .section = "component", .name = "jid", .kind = INI_STRING,
	    .offset = AT(jid) },
	{ .section = "component", .name = "host", .kind = INI_STRING,
	    .offset = AT(host) },
	{ .section = "component", .name = "port", .kind = INI_INT,
	    .offset = AT(port), .min = 1, .max = 65535 },
	{ .section = "component", .name = "secret_file", .kind = INI_STRING,
	    .offset = AT(secret_file) },
	{ .section = "component", .name = "processes", .kind = INI_INT,
	    .offset = AT(processes), .min = 1, .max = COMPONENT_PLACES },
	{ .section = "component", .name = "user", .kind = INI_STRING,
	    .offset = AT(user) },
	{ .section = "store", .name = "path", .kind = INI_STRING,
	    .offset = AT(store_path) },
	{ .section = "store", .name = "url", .kind = INI_STRING,
	    .offset = AT(store_url) },
	{ .section = "store", .name = "password_file", .kind = INI_STRING,
	    .offset = AT(store_password_file) },
	{ .section = "crypto", .name = "key_file", .kind = INI_STRING,
	    .offset = AT(key_file) },
	{ .section = NULL }
};

static void *
section(void *arg, const char *name)
{
	if (strcmp(name, "component") == 0 || strcmp(name, "store") == 0 ||
	    strcmp(name, "crypto") == 0)
		return arg;
	return NULL;
}

static void
set_default(char **value, const char *text)
{
	if (*value == NULL)
		*value = xstrdup(text);
}

/* A user that is named must exist; the default one only if it does. */
static int
check_user(const char *path, struct settings *s)
{
	if (s->user == NULL) {
		if (getpwnam(SETTINGS_USER) != NULL)
			s->user = xstrdup(SETTINGS_USER);
		return 0;
	}
	if (geteuid() != 0 || getpwnam(s->user) != NULL)
		return 0;
	log_warnx("config", "%s: [component] user: there is no user %s", path,
	    log_safe(s->user));
	return -1;
}

/* The password is no part of what others may read. */
static int
check_url(const char *path, const char *url)
{
	PQconninfoOption	*options, *o;
	char			*error = NULL;
	int			 rc = 0;

	if (strncmp(url, "postgresql://", 13) != 0 &&
	    strncmp(url, "postgres://", 11) != 0) {
		log_warnx("config", "%s: [store] url: such as "
		    "postgresql://USER@HOST:PORT/DATABASE is right", path);
		return -1;
	}
	if ((options = PQconninfoParse(url, &error)) == NULL) {
		/* Its text may quote the URL. */
		log_warnx("config", "%s: [store] url cannot be read; such as "
		    "postgresql://USER@HOST:PORT/DATABASE is right", path);
		PQfreemem(error);
		return -1;
	}
	for (o = options; o->keyword != NULL; o++) {
		if (o->val == NULL || (strcmp(o->keyword, "password") != 0 &&
		    strcmp(o->keyword, "sslpassword") != 0))
			continue;
		log_warnx("config", "%s: [store] url: a password belongs in "
		    "[store] password_file", path);
		rc = -1;
	}
	PQconninfoFree(options);
	return rc;
}

static int
check_store(const char *path, struct settings *s)
{
	char	password[SECRET_MAX];
	int	rc = 0;

	if (s->store_url == NULL && s->processes > 1) {
		log_warnx("config", "%s: [component] processes: only a store "
		    "in PostgreSQL ([store] url) is for several", path);
		return -1;
	}
	if (s->store_url == NULL && s->store_password_file != NULL) {
		log_warnx("config", "%s: [store] password_file is for a "
		    "[store] url", path);
		return -1;
	}
	if (s->store_url != NULL && s->store_path != NULL) {
		log_warnx("config", "%s: [store] path or url, not both", path);
		return -1;
	}
	if (s->store_url != NULL && check_url(path, s->store_url) != 0)
		return -1;
	if (s->store_password_file != NULL) {
		rc = secret_read(s->store_password_file,
		    "[store] password_file", password, sizeof(password));
		if (rc == 0)
			s->store_password = xstrdup(password);
		secret_wipe(password, sizeof(password));
	}
	set_default(&s->store_path, SETTINGS_STORE);
	s->store = (struct fleet_source){ .path = s->store_path,
	    .url = s->store_url, .password = s->store_password };
	return rc;
}

static int
check(const char *path, struct settings *s)
{
	char	bare[JID_MAX];

	if (s->jid == NULL) {
		log_warnx("config", "%s: [component] jid is missing: the "
		    "JID of this component, as the XMPP server knows it",
		    path);
		return -1;
	}
	if (!jid_valid_bare(s->jid) || strchr(s->jid, '@') != NULL ||
	    jid_bare(s->jid, bare, sizeof(bare)) != 0) {
		log_warnx("config", "%s: [component] jid: \"%s\" is no JID of "
		    "a component; a domain such as print.example.org is",
		    path, log_safe(s->jid));
		return -1;
	}
	free(s->jid);
	s->jid = xstrdup(bare);
	set_default(&s->host, "127.0.0.1");
	set_default(&s->secret_file, PLATEN_SYSCONFDIR
	    "/platen/component.secret");
	set_default(&s->key_file, PLATEN_SYSCONFDIR "/platen/central.key");
	return check_user(path, s) == 0 ? check_store(path, s) : -1;
}

int
settings_read(const char *path, struct settings *s)
{
	memset(s, 0, sizeof(*s));
	s->port = 5347;
	s->processes = 1;
	if (ini_read(path, keys, section, s) == 0 && check(path, s) == 0)
		return 0;
	settings_clear(s);
	return -1;
}

void
settings_clear(struct settings *s)
{
	free(s->jid);
	free(s->host);
	free(s->secret_file);
	free(s->user);
	free(s->store_path);
	free(s->store_url);
	free(s->store_password_file);
	secret_free(s->store_password);
	free(s->key_file);
	memset(s, 0, sizeof(*s));
}
