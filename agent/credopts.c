#include "agent/credopts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

const char credopts_help[] =
	"  --version V         1, 2c or 3; default: 2c, then 1 when that is "
	"silent\n"
	"  --community C       default: public\n"
	"  --community-file F  its first line is the community; so no list "
	"of processes\n"
	"                      shows it\n"
	"  --user U            SNMPv3: who asks\n"
	"  --auth A            md5 sha1 sha224 sha256 sha384 sha512\n"
	"  --auth-password-file F\n"
	"  --privacy P         des aes128 aes192 aes256 aes192c aes256c (c: "
	"Cisco's keys)\n"
	"  --privacy-password-file F\n"
	"  --context C         SNMPv3's context\n";

static void
wipe(char **text)
{
	secret_free(*text);
	*text = NULL;
}

static void
set(char **to, const char *text)
{
	wipe(to);
	*to = xstrdup(text);
}

static int
read_into(char **to, const char *path, const char *option)
{
	char text[SECRET_MAX];
	int rc;

	if ((rc = secret_read(path, option, text, sizeof(text))) == 0)
		set(to, text);
	secret_wipe(text, sizeof(text));
	return rc;
}

static int
take_version(struct credopts *o, const char *text)
{
	if (strcmp(text, "1") == 0)
		o->version = 1;
	else if (strcmp(text, "2c") == 0)
		o->version = 2;
	else if (strcmp(text, "3") == 0)
		o->version = 3;
	else {
		fprintf(stderr, "%s: --version is 1, 2c or 3, not \"%s\"\n",
		    o->command, text);
		return -1;
	}
	return 0;
}

static int
take_community(struct credopts *o, char *text)
{
	if (strlen(text) >= SECRET_MAX) {
		fprintf(stderr, "%s: the community is longer than %d "
		    "characters\n", o->command, SECRET_MAX - 1);
		return -1;
	}
	set(&o->community, text);
	memset(text, '*', strlen(text));
	return 0;
}

int
credopts_take(struct credopts *o, int option, char *arg)
{
	o->any = true;
	switch (option) {
	case CREDOPTS_COMMUNITY:
		return take_community(o, arg);
	case CREDOPTS_COMMUNITY_FILE:
		return read_into(&o->community, arg, "--community-file");
	case CREDOPTS_VERSION:
		return take_version(o, arg);
	case CREDOPTS_USER:
		set(&o->user, arg);
		return 0;
	case CREDOPTS_AUTH:
		set(&o->auth, arg);
		return 0;
	case CREDOPTS_AUTH_FILE:
		return read_into(&o->auth_password, arg, "--auth-password-file");
	case CREDOPTS_PRIVACY:
		set(&o->privacy, arg);
		return 0;
	case CREDOPTS_PRIVACY_FILE:
		return read_into(&o->privacy_password, arg,
		    "--privacy-password-file");
	case CREDOPTS_CONTEXT:
		set(&o->context, arg);
		return 0;
	}
	o->any = false;
	return 1;
}


static int
make_user(const struct credopts *o, struct credential *out)
{
	enum usm_auth auth = USM_NOAUTH;
	enum usm_privacy privacy = USM_NOPRIV;
	const char *wrong = NULL;
	char why[160];

	if (o->auth != NULL && !usm_parse_auth(o->auth, &auth))
		wrong = "--auth is md5, sha1, sha224, sha256, sha384, sha512 "
		    "or none";
	else if (o->privacy != NULL &&
	    !usm_parse_privacy(o->privacy, &privacy))
		wrong = "--privacy is des, aes128, aes192, aes256, aes192c, "
		    "aes256c or none";
	else if (o->community != NULL)
		wrong = "--community goes with version 1 and 2c, --user with "
		    "3";
	else if (o->user == NULL)
		wrong = "version 3 needs --user";
	else if ((auth != USM_NOAUTH) != (o->auth_password != NULL))
		wrong = "--auth and --auth-password-file go together";
	else if ((privacy != USM_NOPRIV) != (o->privacy_password != NULL))
		wrong = "--privacy and --privacy-password-file go together";
	if (wrong == NULL) {
		out->user = usm_user_new(o->user, auth, o->auth_password, privacy,
		    o->privacy_password, why, sizeof(why));
		if (out->user != NULL)
			return 0;
		wrong = why;
	}
	fprintf(stderr, "%s: %s\n", o->command, wrong);
	return -1;
}

int
credopts_timeout(const struct credopts *o, const char *text, int *timeout_ms)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !(seconds >= 0.05 &&
	    seconds <= 60)) {
		fprintf(stderr, "%s: --timeout is 0.05 to 60 seconds, not "
		    "\"%s\"\n", o->command, text);
		return -1;
	}
	*timeout_ms = (int)(seconds * 1000);
	return 0;
}

int
credopts_make(struct credopts *o, struct credential *out)
{
	bool v3 = o->version == 3 || (o->version == 0 && o->user != NULL);

	memset(out, 0, sizeof(*out));
	out->name = xstrdup("command line");
	out->version = v3 ? 3 : o->version;
	out->context = xstrdup_null(o->context);
	if (v3)
		return make_user(o, out);
	if (o->user != NULL || o->auth != NULL || o->privacy != NULL ||
	    o->context != NULL) {
		fprintf(stderr, "%s: --user, --auth, --privacy and --context "
		    "go with --version 3\n", o->command);
		return -1;
	}
	out->community = xstrdup(o->community != NULL ? o->community :
	    "public");
	return 0;
}

void
credopts_clear(struct credopts *o)
{
	wipe(&o->community);
	wipe(&o->user);
	wipe(&o->auth);
	wipe(&o->auth_password);
	wipe(&o->privacy);
	wipe(&o->privacy_password);
	wipe(&o->context);
}
