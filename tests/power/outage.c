#include "tests/power/outage.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "tests/power/oplog.h"

#define SECTOR	512
#define NAMES	64

/* One file: its octets on the disk, and what waits (indexes of ops). */
struct file {
	uint64_t	 inode;
	struct buf	 bytes;
	size_t		*waiting, waiting_len;
};

struct name {
	char		*text;
	struct file	*file;		/* NULL: no such name */
};

struct outage {
	char		*log;
	size_t		*ops, len;	/* where each begins */
	size_t		 begun;		/* so many say what was there before */
};

/* What the disk is like at a moment. */
struct disk {
	const struct outage	*o;
	struct file		**files;	/* all that ever were */
	size_t			 files_len;
	struct name		 names[NAMES];	/* as synced */
	size_t			 names_len;
	size_t			*waiting, waiting_len;	/* ops on names */
	uint64_t		 dice;
};

static const struct oplog_op *
op_at(const struct outage *o, size_t i)
{
	return (const struct oplog_op *)(const void *)(o->log + o->ops[i]);
}

static const char *
bytes_of(const struct oplog_op *op)
{
	return (const char *)(op + 1);
}

struct outage *
outage_load(const char *path)
{
	struct outage *o = xcalloc(1, sizeof(*o));
	struct oplog_op op;
	struct buf all = { 0 }, even = { 0 };
	size_t at;
	FILE *f = fopen(path, "r");
	char piece[65536];
	size_t n;

	if (f == NULL)
		fatal("outage", "%s", path);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_put(&all, piece, n);
	fclose(f);
	/* Copied so that each op is aligned; one that was cut is none. */
	for (at = 0; at + sizeof(op) <= all.len; at += sizeof(op) + op.len) {
		memcpy(&op, all.data + at, sizeof(op));
		if (at + sizeof(op) + op.len > all.len)
			break;
		o->ops = xreallocarray(o->ops, o->len + 1, sizeof(*o->ops));
		o->ops[o->len++] = even.len;
		buf_put(&even, all.data + at, sizeof(op) + op.len);
		while (even.len % sizeof(uint64_t) != 0)
			buf_putc(&even, '\0');
		if (op.kind == OPLOG_BEGUN)
			o->begun = o->len;
	}
	o->log = buf_take(&even);
	buf_free(&all);
	return o;
}

void
outage_free(struct outage *o)
{
	if (o == NULL)
		return;
	free(o->log);
	free(o->ops);
	free(o);
}

size_t
outage_moments(const struct outage *o)
{
	return o->len - o->begun + 1;
}

/* --- chance: xorshift64* ------------------------------------------------------ */

static uint64_t
roll(struct disk *d)
{
	d->dice ^= d->dice >> 12;
	d->dice ^= d->dice << 25;
	d->dice ^= d->dice >> 27;
	return d->dice * UINT64_C(2685821657736338717) >> 11;
}

static bool
chance(struct disk *d, unsigned percent)
{
	return roll(d) % 100 < percent;
}

/* --- files -------------------------------------------------------------------- */

static void
resize(struct buf *b, size_t size)
{
	static const char zeros[SECTOR];

	if (size <= b->len) {
		b->len = size;
		return;
	}
	while (b->len < size)
		buf_put(b, zeros, size - b->len < SECTOR ? size - b->len :
		    SECTOR);
}

static void
place(struct buf *b, size_t at, const char *bytes, size_t len)
{
	if (len == 0)
		return;
	if (b->len < at + len)
		resize(b, at + len);
	memcpy(b->data + at, bytes, len);
}

static void
apply(struct buf *b, const struct oplog_op *op)
{
	if (op->kind == OPLOG_SIZE)
		resize(b, (size_t)op->at);
	else
		place(b, (size_t)op->at, bytes_of(op), op->len);
}

/* Each sector for itself: there, not there, or torn. */
static void
apply_some(struct disk *d, struct buf *b, const struct oplog_op *op,
    unsigned kept)
{
	size_t at = (size_t)op->at, end = at + op->len, next;
	const char *from = bytes_of(op);

	if (op->kind == OPLOG_SIZE) {
		if (chance(d, kept))
			apply(b, op);
		return;
	}
	for (; at < end; from += next - at, at = next) {
		next = (at / SECTOR + 1) * SECTOR;
		if (next > end)
			next = end;
		if (chance(d, kept))
			place(b, at, from, next - at);
		else if (chance(d, 20))
			place(b, at, from, roll(d) % (next - at));
	}
}

static struct file *
file_new(struct disk *d, uint64_t inode)
{
	struct file *f = xcalloc(1, sizeof(*f));

	f->inode = inode;
	d->files = xreallocarray(d->files, d->files_len + 1,
	    sizeof(*d->files));
	d->files[d->files_len++] = f;
	return f;
}

/* The latest of that number: they are used again. */
static struct file *
file_of(const struct disk *d, uint64_t inode)
{
	size_t i;

	for (i = d->files_len; i-- > 0;)
		if (d->files[i]->inode == inode)
			return d->files[i];
	fatalx("outage", "no file has the inode %llu",
	    (unsigned long long)inode);
}

static void
file_sync(const struct disk *d, struct file *f)
{
	size_t i;

	for (i = 0; i < f->waiting_len; i++)
		apply(&f->bytes, op_at(d->o, f->waiting[i]));
	f->waiting_len = 0;
}

static void
wait_for(size_t **list, size_t *len, size_t op)
{
	*list = xreallocarray(*list, *len + 1, sizeof(**list));
	(*list)[(*len)++] = op;
}

/* --- names -------------------------------------------------------------------- */

static void
name_set(struct disk *d, const char *text, size_t len, struct file *f)
{
	size_t i;

	for (i = 0; i < d->names_len; i++)
		if (strlen(d->names[i].text) == len &&
		    memcmp(d->names[i].text, text, len) == 0) {
			d->names[i].file = f;
			return;
		}
	if (d->names_len == NAMES)
		fatalx("outage", "more than %d names", NAMES);
	d->names[d->names_len].text = xstrndup(text, len);
	d->names[d->names_len++].file = f;
}

static struct file *
name_get(const struct disk *d, const char *text)
{
	size_t i;

	for (i = 0; i < d->names_len; i++)
		if (strcmp(d->names[i].text, text) == 0)
			return d->names[i].file;
	return NULL;
}

/* The files of MAKE ops are found by the op: numbers are used again. */
static void
name_apply(struct disk *d, size_t index, struct file *made)
{
	const struct oplog_op *op = op_at(d->o, index);
	const char *text = bytes_of(op);
	char *from;
	size_t len;

	switch (op->kind) {
	case OPLOG_MAKE:
		name_set(d, text, op->len, made);
		break;
	case OPLOG_UNLINK:
		name_set(d, text, op->len, NULL);
		break;
	default:
		from = xstrndup(text, op->len);
		len = strlen(from);
		name_set(d, text + len + 1, op->len - len - 1,
		    name_get(d, from));
		if (op->kind == OPLOG_RENAME)
			name_set(d, text, len, NULL);
		free(from);
	}
}

static struct file *
made_by(const struct disk *d, size_t index)
{
	const struct oplog_op *op = op_at(d->o, index);
	size_t i, later = 0;

	if (op->kind != OPLOG_MAKE)
		return NULL;
	/* As many of that number have been made since as wait after it. */
	for (i = 0; i < d->waiting_len; i++)
		later += d->waiting[i] > index &&
		    op_at(d->o, d->waiting[i])->kind == OPLOG_MAKE &&
		    op_at(d->o, d->waiting[i])->file == op->file;
	for (i = d->files_len; i-- > 0;)
		if (d->files[i]->inode == op->file && later-- == 0)
			return d->files[i];
	return NULL;
}

static void
names_sync(struct disk *d, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		name_apply(d, d->waiting[i], made_by(d, d->waiting[i]));
	d->waiting_len = 0;
}

/* --- the cut ------------------------------------------------------------------ */

static void
happen(struct disk *d, size_t index)
{
	const struct oplog_op *op = op_at(d->o, index);
	struct file *f;

	switch (op->kind) {
	case OPLOG_IS:
		f = file_new(d, op->file);
		name_set(d, bytes_of(op), op->len, f);
		break;
	case OPLOG_MAKE:
		(void)file_new(d, op->file);
		/* FALLTHROUGH */
	case OPLOG_UNLINK:
	case OPLOG_RENAME:
	case OPLOG_LINK:
		wait_for(&d->waiting, &d->waiting_len, index);
		break;
	case OPLOG_WRITE:
	case OPLOG_SIZE:
		f = file_of(d, op->file);
		wait_for(&f->waiting, &f->waiting_len, index);
		break;
	case OPLOG_SYNC:
		file_sync(d, file_of(d, op->file));
		break;
	case OPLOG_SYNC_DIR:
		names_sync(d, d->waiting_len);
		break;
	default:
		break;
	}
}

static void
cut(struct disk *d)
{
	/* Disks that had time for all, for nothing, or for some of it. */
	static const unsigned much[] = { 0, 100, 10, 50, 50, 90 };
	unsigned kept;
	struct file *f;
	size_t i, j;

	names_sync(d, d->waiting_len == 0 ? 0 : roll(d) %
	    (d->waiting_len + 1));
	for (i = 0; i < d->files_len; i++) {
		f = d->files[i];
		kept = much[roll(d) % (sizeof(much) / sizeof(*much))];
		for (j = 0; j < f->waiting_len; j++)
			apply_some(d, &f->bytes, op_at(d->o, f->waiting[j]),
			    kept);
	}
}

static void
write_file(const char *dir, const struct name *name)
{
	char *path = xasprintf("%s/%s", dir, name->text);
	FILE *f = fopen(path, "w");

	if (f == NULL || fchmod(fileno(f), 0600) == -1 ||
	    fwrite(name->file->bytes.data, 1, name->file->bytes.len, f) !=
	    name->file->bytes.len || fclose(f) != 0)
		fatal("outage", "%s", path);
	free(path);
}

static void
disk_free(struct disk *d)
{
	size_t i;

	for (i = 0; i < d->files_len; i++) {
		buf_free(&d->files[i]->bytes);
		free(d->files[i]->waiting);
		free(d->files[i]);
	}
	for (i = 0; i < d->names_len; i++)
		free(d->names[i].text);
	free(d->files);
	free(d->waiting);
}

int64_t
outage_leave(const struct outage *o, size_t moment, uint64_t seed,
    const char *dir)
{
	struct disk d = { .o = o,
	    .dice = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1 };
	int64_t mark = -1;
	size_t i;

	for (i = 0; i < o->begun + moment; i++) {
		if (op_at(o, i)->kind == OPLOG_MARK)
			mark = op_at(o, i)->at;
		happen(&d, i);
	}
	cut(&d);
	for (i = 0; i < d.names_len; i++)
		if (d.names[i].file != NULL)
			write_file(dir, &d.names[i]);
	disk_free(&d);
	return mark;
}
