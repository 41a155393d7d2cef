/*
 * What was in the seal, before it is XML: whatever a stranger made, it becomes
 * no longer than what was asked for.  The first octet is how much that is.
 */
#include <string.h>

#include "schema/squash.h"
#include "tests/fuzz/must.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf	 out = { 0 }, plain = { 0 }, again = { 0 };
	const char	*text = (const char *)data + 1;
	size_t		 most;
	char		 why[160] = "";

	if (size < 2)
		return 0;
	log_hook(must_be_quiet, NULL);
	most = (size_t)data[0] * 64;
	if (squash_take(text, size - 1, most, &out, why, sizeof(why)) == 0)
		must(out.len <= most);
	else
		must(out.len == 0 && why[0] != '\0');
	squash_put(&plain, text, size - 1);
	must(plain.len % SQUASH_BLOCK == 0);
	/* What cannot be made smaller became a little larger. */
	must(squash_take(plain.data, plain.len, size + 2 * SQUASH_BLOCK,
	    &again, why, sizeof(why)) == 0);
	must(again.len == size - 1 &&
	    memcmp(again.data, text, size - 1) == 0);
	buf_free(&out);
	buf_free(&plain);
	buf_free(&again);
	return 0;
}
