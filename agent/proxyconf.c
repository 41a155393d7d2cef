#include "agent/proxyconf.h"

#include <string.h>

#include "agent/inispot.h"
#include "base/log.h"
#include "base/secret.h"

/* Never the value: some put a password into a proxy's URL. */
static int
complain(const struct config *conf, const char *key, const char *text)
{
	log_warnx("config", "%s: [xmpp] %s: %s", inispot(conf->path, "xmpp",
	    key), key, text);
	return -1;
}

int
proxyconf_check(const struct config *conf)
{
	struct proxy proxy = { 0 };
	char why[PROXY_WHY_MAX];
	int rc = 0;

	if (conf->proxy != NULL && proxy_parse(conf->proxy, &proxy, why,
	    sizeof(why)) == -1)
		rc = complain(conf, "proxy", why);
	if (conf->proxy_user != NULL && conf->proxy == NULL)
		rc = complain(conf, "proxy_user", "is for a proxy: say proxy "
		    "= http://HOST:PORT or socks5://HOST:PORT too");
	if (conf->proxy_user != NULL && conf->proxy_password_file == NULL)
		rc = complain(conf, "proxy_user", "needs proxy_password_file "
		    "= FILE (its first line is the password)");
	if (conf->proxy_password_file != NULL && conf->proxy_user == NULL)
		rc = complain(conf, "proxy_password_file", "needs proxy_user "
		    "= NAME");
	if (conf->proxy_user == NULL)
		return rc;
	if (*conf->proxy_user == '\0' ||
	    strlen(conf->proxy_user) > PROXY_SECRET_MAX)
		rc = complain(conf, "proxy_user", "want 1 to 255 octets");
	/* RFC 7617 section 2: the password begins behind the first one. */
	if (proxy.kind == PROXY_HTTP && strchr(conf->proxy_user, ':') != NULL)
		rc = complain(conf, "proxy_user", "cannot have a colon with "
		    "an HTTP proxy");
	return rc;
}

int
proxyconf_load(const struct config *conf, struct proxy *proxy,
    char *password)
{
	char why[PROXY_WHY_MAX];

	if (conf->proxy == NULL)
		return 0;
	if (proxy_parse(conf->proxy, proxy, why, sizeof(why)) == -1)
		return complain(conf, "proxy", why);
	if (conf->proxy_user == NULL)
		return 1;
	if (secret_read(conf->proxy_password_file,
	    "[xmpp] proxy_password_file", password,
	    PROXY_SECRET_MAX + 1) == -1)
		return -1;
	proxy->user = conf->proxy_user;
	proxy->password = password;
	return 1;
}
