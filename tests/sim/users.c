#include "tests/sim/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define NAME_MAX_LEN	32		/* RFC 3414 section 5 */
#define LINE_MAX_LEN	1024
#define USERS_MAX	1000

static int
add_parts(struct users *users, char *text, struct buf *why)
{
	char *part[5] = { NULL }, *rest = text;
	struct user u = { 0 };
	size_t i;

	for (i = 0; i < 5 && rest != NULL; i++)
		part[i] = strsep(&rest, ":");
	if (part[0][0] == '\0' || strlen(part[0]) > NAME_MAX_LEN ||
	    rest != NULL) {
		buf_puts(why, "a user is NAME:AUTH:PASSWORD:PRIV:PASSWORD");
		return -1;
	}
	if ((part[1] != NULL && cipher_auth(part[1], &u.auth) < 0) ||
	    (part[3] != NULL && cipher_priv(part[3], &u.priv) < 0)) {
		buf_puts(why, "AUTH is none, md5, sha1, sha224 ... sha512, "
		    "PRIV is none, des, aes128, aes192, aes256, aes192c, "
		    "aes256c");
		return -1;
	}
	if ((u.auth != AUTH_NONE && part[2] == NULL) ||
	    (u.priv != PRIV_NONE && (part[4] == NULL ||
	    u.auth == AUTH_NONE))) {
		buf_puts(why, "a password is missing, or a user has PRIV "
		    "without AUTH");
		return -1;
	}
	if (users_find(users, part[0], strlen(part[0])) >= 0 ||
	    users->len == USERS_MAX) {
		buf_puts(why, "a user of that name is there, or there are "
		    "too many");
		return -1;
	}
	if (u.auth != AUTH_NONE)
		cipher_password(u.auth, part[2], strlen(part[2]), u.auth_key);
	if (u.priv != PRIV_NONE)
		cipher_password(u.auth, part[4], strlen(part[4]), u.priv_key);
	u.name = xstrdup(part[0]);
	users->user = xreallocarray(users->user, users->len + 1,
	    sizeof(*users->user));
	users->user[users->len++] = u;
	return 0;
}

int
users_add(struct users *users, const char *spec, struct buf *why)
{
	char *text = xstrdup(spec);
	int rc = add_parts(users, text, why);

	free(text);
	return rc;
}

int
users_read(struct users *users, const char *path, struct buf *why)
{
	FILE *in = fopen(path, "re");
	char line[LINE_MAX_LEN];
	int rc = 0;

	if (in == NULL) {
		buf_printf(why, "%s cannot be read", path);
		return -1;
	}
	while (rc == 0 && fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] != '\0' && line[0] != '#')
			rc = users_add(users, line, why);
	}
	fclose(in);
	return rc;
}

int
users_find(const struct users *users, const void *name, size_t len)
{
	size_t i;

	for (i = 0; i < users->len; i++)
		if (strlen(users->user[i].name) == len &&
		    memcmp(users->user[i].name, name, len) == 0)
			return (int)i;
	return -1;
}

void
users_clear(struct users *users)
{
	size_t i;

	for (i = 0; i < users->len; i++)
		free(users->user[i].name);
	free(users->user);
	*users = (struct users){ 0 };
}
