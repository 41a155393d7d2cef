#include "tests/sim/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "tests/sim/ber.h"
#include "tests/sim/guise.h"

#define FILE_MAX	(64 * 1024 * 1024)

/* Names and contents are small and many: they are cut from large pieces. */
#define CHUNK_SIZE	16384

struct walk_chunk {
	struct walk_chunk	*next;
	size_t			 used, size;
	_Alignas(8) uint8_t	 bytes[];
};

static void *
keep(struct walk *walk, const void *bytes, size_t len)
{
	struct walk_chunk *c = walk->chunks;
	size_t need = (len + 7) & ~(size_t)7;
	uint8_t *to;

	if (c == NULL || c->size - c->used < need) {
		size_t size = need > CHUNK_SIZE ? need : CHUNK_SIZE;

		c = xmalloc(sizeof(*c) + size);
		c->size = size;
		c->used = 0;
		c->next = walk->chunks;
		walk->chunks = c;
	}
	to = c->bytes + c->used;
	c->used += need;
	if (len > 0)
		memcpy(to, bytes, len);
	return to;
}

static int
add_value(struct walk *walk, const char *line, size_t len, size_t *room)
{
	const char *bar, *bar2, *end = line + len;
	char name[OID_TEXT_MAX], tag[8];
	struct buf body = { 0 };
	struct value *v;
	struct oid id;
	uint8_t ber_tag;

	bar = memchr(line, '|', len);
	bar2 = bar == NULL ? NULL :
	    memchr(bar + 1, '|', (size_t)(end - bar - 1));
	if (bar2 == NULL || (size_t)(bar - line) >= sizeof(name) ||
	    (size_t)(bar2 - bar - 1) >= sizeof(tag))
		return -1;
	snprintf(name, sizeof(name), "%.*s", (int)(bar - line), line);
	snprintf(tag, sizeof(tag), "%.*s", (int)(bar2 - bar - 1), bar + 1);
	if (oid_parse(name, &id) < 0 || value_parse(tag, bar2 + 1,
	    (size_t)(end - bar2 - 1), &ber_tag, &body) < 0) {
		buf_free(&body);
		return -1;
	}
	if (walk->len == *room) {
		*room = *room == 0 ? 256 : *room * 2;
		walk->values = xreallocarray(walk->values, *room,
		    sizeof(*walk->values));
	}
	v = &walk->values[walk->len++];
	*v = (struct value){ .tag = ber_tag, .sub_len = (uint8_t)id.len,
	    .body_len = (uint32_t)body.len };
	v->sub = keep(walk, id.sub, id.len * sizeof(*id.sub));
	v->body = keep(walk, body.data, body.len);
	buf_free(&body);
	return 0;
}

static int
tally_kind(const char *word, enum tally_kind *kind)
{
	static const char *const words[] = { "total", "mono", "colour" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(word, words[i]) == 0) {
			*kind = (enum tally_kind)i;
			return 0;
		}
	return -1;
}

static int
add_directive(struct walk *walk, const char *text, size_t len)
{
	char line[512], a[16], b[256], at[16];
	struct standing standing;
	struct level_copy copy;
	struct tally tally;
	int n;

	if (len >= sizeof(line))
		return -1;
	snprintf(line, sizeof(line), "%.*s", (int)len, text);
	if (strcmp(line, " special") == 0) {
		walk->special = true;
		return 0;
	}
	n = sscanf(line, " count %15s %255s @%15s", a, b, at);
	if (n >= 2) {
		if (tally_kind(a, &tally.kind) < 0 ||
		    oid_parse(b, &tally.id) < 0)
			return -1;
		tally.offset = n == 3 ? atoi(at) : -1;
		walk->tallies = xreallocarray(walk->tallies,
		    walk->tallies_len + 1, sizeof(tally));
		walk->tallies[walk->tallies_len++] = tally;
		return 0;
	}
	if (sscanf(line, " alert %u %63s", &standing.index,
	    standing.bits) == 2) {
		walk->alerts = xreallocarray(walk->alerts,
		    walk->alerts_len + 1, sizeof(standing));
		walk->alerts[walk->alerts_len++] = standing;
		return 0;
	}
	if (sscanf(line, " level %15s %255s", a, b) != 2 || atoi(a) <= 0 ||
	    oid_parse(b, &copy.id) < 0)
		return -1;
	copy.row = (uint32_t)atoi(a);
	walk->copies = xreallocarray(walk->copies, walk->copies_len + 1,
	    sizeof(copy));
	walk->copies[walk->copies_len++] = copy;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct value *x = a, *y = b;

	return oid_cmp(x->sub, x->sub_len, y->sub, y->sub_len);
}

static uint32_t
hash(const uint8_t *name, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u ^ len, word;

	for (; len >= 8; name += 8, len -= 8) {
		memcpy(&word, name, 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	for (; len > 0; name++, len--)
		h = (h ^ *name) * 0x100000001b3u;
	return (uint32_t)(h ^ h >> 32);
}

/* Names as they are sent, and a table to find them by. */
static void
encode_names(struct walk *walk)
{
	uint8_t name[BER_OID_MAX], whole[BER_OID_MAX + 8];
	struct value *v;
	size_t i, slot, len;

	walk->slots_len = 16;
	while (walk->slots_len < 2 * walk->len)
		walk->slots_len *= 2;
	walk->slots = xcalloc(walk->slots_len, sizeof(*walk->slots));
	walk->numbers = xcalloc(walk->len + 1, sizeof(*walk->numbers));
	for (i = 0; i < walk->len; i++) {
		struct ber_out out = { whole, 0, sizeof(whole), false };

		v = &walk->values[i];
		v->at = (uint32_t)i;
		len = ber_make_oid(v->sub, v->sub_len, name);
		ber_put(&out, BER_OID, name, len);
		v->name = keep(walk, whole, out.len);
		v->name_len = (uint16_t)out.len;
		slot = hash(name, len) & (walk->slots_len - 1);
		while (walk->slots[slot] != 0)
			slot = (slot + 1) & (walk->slots_len - 1);
		walk->slots[slot] = (uint32_t)i + 1;
	}
}

size_t
walk_locate(const struct walk *walk, const uint8_t *name, size_t len)
{
	size_t slot = hash(name, len) & (walk->slots_len - 1);
	const struct value *v;

	for (; walk->slots[slot] != 0;
	    slot = (slot + 1) & (walk->slots_len - 1)) {
		v = &walk->values[walk->slots[slot] - 1];
		if (v->name_len > len &&
		    v->name_len - ber_head_size(len) == len &&
		    memcmp(v->name + v->name_len - len, name, len) == 0)
			return walk->slots[slot] - 1;
	}
	return walk->len;
}

static void
sort(struct walk *walk)
{
	size_t i, to = 0;

	if (walk->len == 0)
		return;
	qsort(walk->values, walk->len, sizeof(*walk->values), by_name);
	for (i = 1; i < walk->len; i++)
		if (by_name(&walk->values[to], &walk->values[i]) != 0)
			walk->values[++to] = walk->values[i];
	if (to + 1 < walk->len)
		log_warnx("walk", "%s: %zu names more than once", walk->name,
		    walk->len - to - 1);
	walk->len = to + 1;
}

struct walk *
walk_parse(const char *name, const char *text, size_t len, bool strict)
{
	struct walk *walk = xcalloc(1, sizeof(*walk));
	const char *end = text + len, *eol;
	size_t room = 0, number, line_len, bad = 0;
	int rc;

	walk->name = xstrdup(name);
	for (number = 1; text < end; text = eol + 1, number++) {
		eol = memchr(text, '\n', (size_t)(end - text));
		if (eol == NULL)
			eol = end;
		line_len = (size_t)(eol - text);
		if (line_len > 0 && text[line_len - 1] == '\r')
			line_len--;
		if (line_len >= 2 && text[0] == '#' && text[1] == ':')
			rc = add_directive(walk, text + 2, line_len - 2);
		else if (line_len == 0 || text[0] == '#')
			continue;
		else
			rc = add_value(walk, text, line_len, &room);
		if (rc < 0 && bad++ == 0)
			log_warnx("walk", "%s:%zu: not OID|TAG|VALUE%s", name,
			    number, strict ? "" : ", such lines are skipped");
	}
	if (bad > 0 && strict) {
		walk_free(walk);
		return NULL;
	}
	sort(walk);
	encode_names(walk);
	guise_find(walk);
	return walk;
}

static struct walk *
read_one(const char *path, bool strict)
{
	struct walk *walk = NULL;
	struct stat st;
	char *text = NULL;
	size_t got = 0;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		log_warn("walk", "%s", path);
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		log_warnx("walk", "%s: not a file, or too large", path);
		goto out;
	}
	text = xmalloc((size_t)st.st_size + 1);
	while (got < (size_t)st.st_size) {
		n = read(fd, text + got, (size_t)st.st_size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	walk = walk_parse(path, text, got, strict);
out:
	free(text);
	if (fd >= 0)
		close(fd);
	return walk;
}

static char *
context_of(const char *path, size_t stem_len)
{
	const char *from = path + stem_len + 1;

	return xstrndup(from, strlen(from) - strlen(".snmprec"));
}

struct walk *
walk_read(const char *path, bool strict)
{
	static const char suffix[] = ".snmprec";
	struct walk *walk, *other;
	size_t len = strlen(path), i;
	char *pattern;
	glob_t found;

	walk = read_one(path, strict);
	if (walk == NULL || len < sizeof(suffix) ||
	    strcmp(path + len - (sizeof(suffix) - 1), suffix) != 0)
		return walk;
	len -= sizeof(suffix) - 1;
	pattern = xasprintf("%.*s@*%s", (int)len, path, suffix);
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (i = 0; i < found.gl_pathc; i++) {
			other = read_one(found.gl_pathv[i], strict);
			if (other == NULL)
				continue;
			other->context = context_of(found.gl_pathv[i], len);
			other->next_context = walk->next_context;
			walk->next_context = other;
		}
		globfree(&found);
	}
	free(pattern);
	return walk;
}

void
walk_free(struct walk *walk)
{
	struct walk_chunk *chunk;

	if (walk == NULL)
		return;
	walk_free(walk->next_context);
	while ((chunk = walk->chunks) != NULL) {
		walk->chunks = chunk->next;
		free(chunk);
	}
	free(walk->mentions);
	free(walk->numbers);
	free(walk->slots);
	free(walk->alerts);
	free(walk->copies);
	free(walk->tallies);
	free(walk->values);
	free(walk->context);
	free(walk->name);
	free(walk);
}

size_t
values_seek(const struct value *values, size_t len, const uint32_t *sub,
    size_t sub_len, bool after)
{
	size_t low = 0, high = len, mid;
	int order;

	while (low < high) {
		mid = low + (high - low) / 2;
		order = oid_cmp(values[mid].sub, values[mid].sub_len, sub,
		    sub_len);
		if (order < 0 || (order == 0 && after))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct value *
walk_find(const struct walk *walk, const uint32_t *sub, size_t len)
{
	size_t i = values_seek(walk->values, walk->len, sub, len, false);

	return i < walk->len && oid_cmp(walk->values[i].sub,
	    walk->values[i].sub_len, sub, len) == 0 ? &walk->values[i] : NULL;
}

size_t
walk_first(const struct walk *walk, const uint32_t *sub, size_t len)
{
	size_t i = values_seek(walk->values, walk->len, sub, len, false);

	return i < walk->len && oid_within(walk->values[i].sub,
	    walk->values[i].sub_len, sub, len) ? i : walk->len;
}
