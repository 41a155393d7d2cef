/* Users of SNMPv3, their keys, and the words of the INI for protocols. */
#include "snmp/usm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "snmp/usmmsg.h"

#define PASSWORD_MIN	8	/* RFC 3414 section 11.2 */

/* --- words ------------------------------------------------------------------ */

struct word {
	const char	*text;
	int		 value;
};

static const struct word auth_words[] = {
	/* The first of a value is its name. */
	{ "none", USM_NOAUTH }, { "md5", USM_MD5 }, { "sha1", USM_SHA1 },
	{ "sha", USM_SHA1 }, { "sha224", USM_SHA224 },
	{ "sha256", USM_SHA256 }, { "sha384", USM_SHA384 },
	{ "sha512", USM_SHA512 }, { NULL, 0 }
}, privacy_words[] = {
	{ "none", USM_NOPRIV }, { "des", USM_DES }, { "aes128", USM_AES128 },
	{ "aes", USM_AES128 }, { "aes192", USM_AES192 },
	{ "aes256", USM_AES256 }, { "aes192c", USM_AES192C },
	{ "aes256c", USM_AES256C }, { NULL, 0 }
};

/* Dashes and case aside; in ASCII, whatever the locale. */
static bool
word_is(const char *word, const char *text)
{
	char	 c;

	for (; *text != '\0'; text++) {
		if (*text == '-')
			continue;
		c = *text >= 'A' && *text <= 'Z' ? *text + 'a' - 'A' : *text;
		if (c != *word++)
			return false;
	}
	return *word == '\0';
}

static const struct word *
word_parse(const struct word *words, const char *text)
{
	for (; words->text != NULL; words++)
		if (word_is(words->text, text))
			return words;
	return NULL;
}

static const char *
word_name(const struct word *words, int value)
{
	for (; words->text != NULL; words++)
		if (words->value == value)
			return words->text;
	return "?";
}

bool
usm_parse_auth(const char *text, enum usm_auth *out)
{
	const struct word	*word = word_parse(auth_words, text);

	if (word != NULL)
		*out = (enum usm_auth)word->value;
	return word != NULL;
}

bool
usm_parse_privacy(const char *text, enum usm_privacy *out)
{
	const struct word	*word = word_parse(privacy_words, text);

	if (word != NULL)
		*out = (enum usm_privacy)word->value;
	return word != NULL;
}

const char *
usm_auth_name(enum usm_auth auth)
{
	return word_name(auth_words, (int)auth);
}

const char *
usm_privacy_name(enum usm_privacy privacy)
{
	return word_name(privacy_words, (int)privacy);
}

/* --- users ------------------------------------------------------------------ */

static size_t	 users;		/* that there are */

static bool
check_password(const char *what, const char *password, char *why,
    size_t why_size)
{
	size_t	 len = password == NULL ? 0 : strlen(password);

	if (len >= PASSWORD_MIN && len <= USMKEY_PASSWORD_MAX)
		return true;
	if (len == 0)
		snprintf(why, why_size, "the %s password is missing", what);
	else if (len < PASSWORD_MIN)
		snprintf(why, why_size, "the %s password is shorter than %d "
		    "characters", what, PASSWORD_MIN);
	else
		snprintf(why, why_size, "the %s password is longer than %d "
		    "octets", what, USMKEY_PASSWORD_MAX);
	return false;
}

static bool
check_user(const char *name, enum usm_auth auth, const char *auth_password,
    enum usm_privacy privacy, const char *privacy_password, char *why,
    size_t why_size)
{
	if (name == NULL || name[0] == '\0')
		snprintf(why, why_size, "the user's name is missing");
	else if (strlen(name) > USMMSG_USER_MAX)
		snprintf(why, why_size, "the user's name is longer than %d "
		    "octets", USMMSG_USER_MAX);
	else if (privacy != USM_NOPRIV && auth == USM_NOAUTH)
		snprintf(why, why_size, "privacy needs authentication");
	else if (!usmkey_prepare(auth, privacy))
		snprintf(why, why_size, "this system's libcrypto does not "
		    "offer %s with %s", usm_auth_name(auth),
		    usm_privacy_name(privacy));
	else
		return (auth == USM_NOAUTH || check_password("authentication",
		    auth_password, why, why_size)) &&
		    (privacy == USM_NOPRIV || check_password("privacy",
		    privacy_password, why, why_size));
	return false;
}

struct usm_user *
usm_user_new(const char *name, enum usm_auth auth, const char *auth_password,
    enum usm_privacy privacy, const char *privacy_password, char *why,
    size_t why_size)
{
	static uint64_t	 serial;
	struct usm_user	*user;

	if (!check_user(name, auth, auth_password, privacy, privacy_password,
	    why, why_size))
		return NULL;
	user = xcalloc(1, sizeof(*user));
	user->name = xstrdup(name);
	user->name_len = strlen(name);
	user->auth = auth;
	user->privacy = privacy;
	user->serial = ++serial;
	users++;
	if ((auth != USM_NOAUTH && !usmkey_from_password(auth, auth_password,
	    user->key.auth)) || (privacy != USM_NOPRIV &&
	    !usmkey_from_password(auth, privacy_password,
	    user->key.privacy))) {
		snprintf(why, why_size, "libcrypto makes no keys");
		usm_user_free(user);
		return NULL;
	}
	return user;
}

void
usm_user_free(struct usm_user *user)
{
	if (user == NULL)
		return;
	secret_wipe(&user->key, sizeof(user->key));
	free(user->name);
	free(user);
	if (--users == 0)
		usmkey_close();
}
