/*
 * Keys and secrets as files and texts, by the first octet: 0 a key file, 1 a
 * public key's text, else any secret's file.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "crypto/key.h"
#include "tests/fuzz/must.h"

static void
try_key(const char *path)
{
	struct key	 key;
	char		 text[KEY_TEXT_MAX];
	uint8_t		 public[KEY_LEN];

	if (key_load(path, &key) != 0)
		return;
	key_format_public(key.public, text);
	must(key_parse_public(text, public) == 0);
	must(memcmp(public, key.public, KEY_LEN) == 0);
	key_wipe(&key);
}

static void
try_public(const char *text)
{
	uint8_t	 public[KEY_LEN];
	char	 again[KEY_TEXT_MAX], print[48];

	if (key_parse_public(text, public) != 0)
		return;
	key_format_public(public, again);
	must(strcmp(again, text) == 0);
	key_fingerprint(public, print);
	must(strlen(print) == 39);
}

static void
try_secret(const char *path, size_t size)
{
	char	 small[16], out[SECRET_MAX];

	if (secret_read(path, "a secret", out, sizeof(out)) == 0) {
		must(out[0] != '\0' && strlen(out) <= size);
		must(strpbrk(out, "\r\n") == NULL);
	}
	if (secret_read(path, "a secret", small, sizeof(small)) == 0)
		must(strcmp(small, out) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int	 fd = -1;
	char		 path[64], *text;

	if (size == 0)
		return 0;
	if (fd == -1) {
		log_hook(must_be_quiet, NULL);
		must(key_library_init() == 0);
		must((fd = memfd_create("fuzz", MFD_CLOEXEC)) != -1);
		must(fchmod(fd, 0600) == 0);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(ftruncate(fd, 0) == 0);
	must(pwrite(fd, data + 1, size - 1, 0) == (ssize_t)(size - 1));
	if (data[0] == 1) {
		text = xstrndup((const char *)data + 1, size - 1);
		try_public(text);
		free(text);
	} else if (data[0] == 0)
		try_key(path);
	else
		try_secret(path, size);
	return 0;
}
