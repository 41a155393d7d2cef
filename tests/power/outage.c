#include "tests/power/outage.h"

#include <sys/stat.h>

#include <ftw.h>
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

struct names {
	struct name	 name[NAMES];
	size_t		 len;
};

/* A change of names, and the file that it made if it did. */
struct waiting {
	const struct oplog_op	*op;
	struct file		*made;
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
	struct names		 names, seen;	/* as synced; by programs */
	struct waiting		*waiting;
	size_t			 waiting_len;
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
file_wait(struct file *f, size_t op)
{
	f->waiting = xreallocarray(f->waiting, f->waiting_len + 1,
	    sizeof(*f->waiting));
	f->waiting[f->waiting_len++] = op;
}

/* --- names -------------------------------------------------------------------- */

static void
name_set(struct names *names, const char *text, size_t len, struct file *f)
{
	size_t i;

	for (i = 0; i < names->len; i++)
		if (strlen(names->name[i].text) == len &&
		    memcmp(names->name[i].text, text, len) == 0) {
			names->name[i].file = f;
			return;
		}
	if (names->len == NAMES)
		fatalx("outage", "more than %d names", NAMES);
	names->name[names->len].text = xstrndup(text, len);
	names->name[names->len++].file = f;
}

static struct file *
name_get(const struct names *names, const char *text)
{
	size_t i;

	for (i = 0; i < names->len; i++)
		if (strcmp(names->name[i].text, text) == 0)
			return names->name[i].file;
	return NULL;
}

static void
names_free(struct names *names)
{
	while (names->len > 0)
		free(names->name[--names->len].text);
}

/* made: the file, if it is an OPEN. */
static void
name_apply(struct names *names, const struct oplog_op *op, struct file *made)
{
	char *text = xcalloc(1, op->len + 1);
	const char *to;

	memcpy(text, bytes_of(op), op->len);
	to = text + strlen(text) + 1;
	if (op->kind == OPLOG_OPEN || op->kind == OPLOG_UNLINK)
		name_set(names, text, op->len, made);
	else
		name_set(names, to, strlen(to), name_get(names, text));
	if (op->kind == OPLOG_RENAME)
		name_set(names, text, strlen(text), NULL);
	free(text);
}

/* Programs see it at once; on the disk it is when the directory is. */
static void
name_change(struct disk *d, const struct oplog_op *op)
{
	struct file *made = NULL;
	char *text;

	if (op->kind == OPLOG_OPEN) {
		text = xstrndup(bytes_of(op), op->len);
		made = name_get(&d->seen, text);
		free(text);
		if (made != NULL && made->inode == op->file)
			return;
		made = file_new(d, op->file);
	}
	name_apply(&d->seen, op, made);
	d->waiting = xreallocarray(d->waiting, d->waiting_len + 1,
	    sizeof(*d->waiting));
	d->waiting[d->waiting_len++] = (struct waiting){ op, made };
}

static void
names_sync(struct disk *d, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		name_apply(&d->names, d->waiting[i].op, d->waiting[i].made);
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
		name_set(&d->names, bytes_of(op), op->len, f);
		name_set(&d->seen, bytes_of(op), op->len, f);
		break;
	case OPLOG_OPEN:
	case OPLOG_UNLINK:
	case OPLOG_RENAME:
	case OPLOG_LINK:
		name_change(d, op);
		break;
	case OPLOG_WRITE:
	case OPLOG_SIZE:
		f = file_of(d, op->file);
		file_wait(f, index);
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
	const struct buf *bytes = &name->file->bytes;
	char *path = xasprintf("%s/%s", dir, name->text);
	FILE *f = fopen(path, "w");

	if (f == NULL || fchmod(fileno(f), 0600) == -1 || (bytes->len > 0 &&
	    fwrite(bytes->data, 1, bytes->len, f) != bytes->len) ||
	    fclose(f) != 0)
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
	names_free(&d->names);
	names_free(&d->seen);
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
	for (i = 0; i < d.names.len; i++)
		if (d.names.name[i].file != NULL)
			write_file(dir, &d.names.name[i]);
	disk_free(&d);
	return mark;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void
outage_empty(const char *dir)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	if (mkdir(dir, 0700) == -1)
		fatal("outage", "%s", dir);
}
