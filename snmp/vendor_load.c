/* Which vendor files are in use: built in, installed, a technician's own. */
#include "snmp/vendor.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "snmp/standard.h"
#include "snmp/vendorfile.h"

#define VENDOR_FILES \
	FILE_IN(brother, "brother") \
	FILE_IN(brother_quiet, "brother-quiet") \
	FILE_IN(canon, "canon") \
	FILE_IN(common, "common") \
	FILE_IN(datamax, "datamax") \
	FILE_IN(dell, "dell") \
	FILE_IN(dell_fuji, "dell-fuji") \
	FILE_IN(dell_lexmark, "dell-lexmark") \
	FILE_IN(epson, "epson") \
	FILE_IN(fuji_xerox, "fuji-xerox") \
	FILE_IN(hp, "hp") \
	FILE_IN(intermec, "intermec") \
	FILE_IN(kip, "kip") \
	FILE_IN(konica_minolta, "konica-minolta") \
	FILE_IN(kyocera, "kyocera") \
	FILE_IN(lexmark, "lexmark") \
	FILE_IN(oce, "oce") \
	FILE_IN(oki, "oki") \
	FILE_IN(panasonic, "panasonic") \
	FILE_IN(pantum, "pantum") \
	FILE_IN(ricoh, "ricoh") \
	FILE_IN(riso, "riso") \
	FILE_IN(samsung, "samsung") \
	FILE_IN(samsung_hp, "samsung-hp") \
	FILE_IN(sharp, "sharp") \
	FILE_IN(toshiba, "toshiba") \
	FILE_IN(toshiba_tec, "toshiba-tec") \
	FILE_IN(tsc, "tsc") \
	FILE_IN(xerox, "xerox") \
	FILE_IN(zebra, "zebra")

#define FILE_IN(id, name) \
	__asm__(".section .rodata\n" \
	    "vendor_ini_" #id ":\n" \
	    ".incbin \"snmp/vendors/" name ".ini\"\n" \
	    ".byte 0\n" \
	    ".previous\n"); \
	extern const char vendor_ini_##id[] \
	    __attribute__((visibility("hidden")));
VENDOR_FILES
#undef FILE_IN

static const struct {
	const char	*name, *text;
} built_in[] = {
#define FILE_IN(id, name) { name ".ini", vendor_ini_##id },
	VENDOR_FILES
#undef FILE_IN
};

#define BUILT_IN	(sizeof(built_in) / sizeof(built_in[0]))
#define FILES_MAX	256	/* of one folder */
#define EXCLUSIONS_MAX	256

/* A branch that nobody asks, whoever names it. */
struct exclusion {
	struct objid		 id;
	enum vendor_origin	 origin;
	const struct vendor	*vendor;	/* its file */
	size_t			 n;		/* of its exclusions */
};

/* Where what is wrong goes, and how often it did. */
struct complaint {
	vendor_complain_fn	*fn;
	void			*arg;
	const char		*folder;
	size_t			 passed_over;
};

static struct vendor		**in_use;
static size_t			 in_use_len;
/* Those whose exclusions count though another file replaced them. */
static struct vendor		**replaced;
static size_t			 replaced_len;
static struct exclusion		*excluded;
static size_t			 excluded_len;
static bool			 more_exclusions;	/* than those built in */
static bool			 loaded;
static size_t			 generation;

static void
to_log(void *arg, const char *file, size_t line, const char *what)
{
	if (line == 0)
		log_warnx("vendor", "%s: %s", file, what);
	else
		log_warnx("vendor", "%s:%zu: %s", file, line, what);
}

static void
complain(void *arg, const char *file, size_t line, const char *what)
{
	struct complaint	*c = arg;
	char			*path, *p;

	path = c->folder == NULL ? xstrdup(file) :
	    xasprintf("%s/%s", c->folder, file);
	for (p = path; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	c->fn(c->arg, path, line, what);
	free(path);
}

static void
vendor_drop(struct vendor *v)
{
	vendorfile_clear(v);
	free(v);
}

static struct vendor *
parse(const char *name, const char *text, enum vendor_origin origin,
    struct complaint *c)
{
	struct vendor	*v = xcalloc(1, sizeof(*v));

	if (vendorfile_parse(name, text, v, complain, c) == -1) {
		vendor_drop(v);
		c->passed_over++;
		return NULL;
	}
	v->origin = origin;
	return v;
}

static void
append(struct vendor ***list, size_t *len, struct vendor *v)
{
	*list = xreallocarray(*list, *len + 1, sizeof(**list));
	(*list)[(*len)++] = v;
}

/* v serves from now on, instead of the file of its name. */
static void
put(struct vendor *v)
{
	size_t	 i;

	for (i = 0; i < in_use_len; i++) {
		if (strcmp(in_use[i]->file, v->file) != 0)
			continue;
		append(&replaced, &replaced_len, in_use[i]);
		in_use[i] = v;
		return;
	}
	append(&in_use, &in_use_len, v);
}

/* --- exclusions ----------------------------------------------------------- */

static bool
is_standard(const struct objid *branch)
{
	const struct standard_object	*o;
	struct objid			 id;

	for (o = standard_objects; o->oid != NULL; o++) {
		objid_parse(o->oid, &id);
		if (objid_within(&id, branch) || objid_within(branch, &id))
			return true;
	}
	return false;
}

static const struct exclusion *
exclusion_of(const struct objid *id, enum vendor_origin strongest)
{
	size_t	 i;

	for (i = 0; i < excluded_len; i++)
		if (excluded[i].origin <= strongest &&
		    objid_within(id, &excluded[i].id))
			return &excluded[i];
	return NULL;
}

static void
exclude(const struct vendor *v, struct complaint *c)
{
	struct exclusion	*e;
	size_t			 i;

	for (i = 0; i < v->exclusions_len && excluded_len < EXCLUSIONS_MAX;
	    i++) {
		e = &excluded[excluded_len];
		objid_parse(v->exclusions[i].oid, &e->id);
		if (exclusion_of(&e->id, v->origin) != NULL)
			continue;	/* installed and built in */
		if (is_standard(&e->id)) {
			complain(c, v->file, v->exclusions[i].line, "this "
			    "has standard objects that are needed: not "
			    "excluded");
			continue;
		}
		e->origin = v->origin;
		e->vendor = v;
		e->n = i;
		more_exclusions |= v->origin != VENDOR_BUILT_IN;
		excluded_len++;
	}
}

/* A column that an excluded branch lies below would be walked into it. */
static const struct exclusion *
exclusion_below(const struct objid *id, enum vendor_origin strongest)
{
	size_t	 i;

	for (i = 0; i < excluded_len; i++)
		if (excluded[i].origin <= strongest &&
		    objid_within(&excluded[i].id, id))
			return &excluded[i];
	return NULL;
}

bool
vendor_excluded(const struct objid *id)
{
	vendor_count();
	return exclusion_of(id, VENDOR_FROM_OWN) != NULL;
}

size_t
vendor_permit(struct objid *list, size_t n)
{
	size_t	 i, left = 0;

	/* Files that name what other files exclude are not in use. */
	if (!more_exclusions)
		return n;
	for (i = 0; i < n; i++)
		if (exclusion_of(&list[i], VENDOR_FROM_OWN) == NULL &&
		    exclusion_below(&list[i], VENDOR_FROM_OWN) == NULL) {
			if (left != i)
				list[left] = list[i];
			left++;
		}
	return left;
}

/* What a file names, against what others exclude. */
struct trial {
	const struct vendor	*vendor;
	struct complaint	*complaint;
	bool			 refused;
};

static void
try_object(void *arg, const struct vendor_named *named)
{
	struct trial		*t = arg;
	const struct exclusion	*e;
	struct objid		 id;
	char			*what;

	objid_parse(named->oid, &id);
	e = exclusion_of(&id, t->vendor->origin);
	if (e == NULL && named->column)
		e = exclusion_below(&id, t->vendor->origin);
	if (e == NULL)
		return;
	what = xasprintf("%s must never be asked: %s (excluded in %s)",
	    named->oid, e->vendor->exclusions[e->n].why, e->vendor->file);
	complain(t->complaint, named->file, named->line, what);
	free(what);
	t->refused = true;
}

static bool
refused(const struct vendor *v, struct complaint *c)
{
	struct trial	 t = { .vendor = v, .complaint = c };

	vendorfile_each(v, try_object, &t);
	c->passed_over += t.refused;
	return t.refused;
}

/* --- folders -------------------------------------------------------------- */

static int
is_vendor_file(const struct dirent *entry)
{
	size_t	 len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 && len < 80 &&
	    strcmp(entry->d_name + len - 4, ".ini") == 0;
}

/* The file's text, or NULL when it was complained about; the caller frees. */
static char *
read_file(int folder, const char *name, struct complaint *c)
{
	char		*text = NULL, *what;
	struct stat	 st;
	size_t		 len = 0;
	ssize_t		 n = -1;
	int		 fd = openat(folder, name, O_RDONLY | O_CLOEXEC |
			    O_NONBLOCK | O_NOCTTY);

	if (fd == -1 || fstat(fd, &st) == -1) {
		what = xasprintf("cannot be read: %s", strerror(errno));
		complain(c, name, 0, what);
		free(what);
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > VENDORFILE_SIZE_MAX) {
		complain(c, name, 0, S_ISREG(st.st_mode) ?
		    "larger than 64 KB" : "no file");
		goto out;
	}
	text = xmalloc(VENDORFILE_SIZE_MAX + 1);
	while (len < VENDORFILE_SIZE_MAX &&
	    (n = read(fd, text + len, VENDORFILE_SIZE_MAX - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	if (n == -1 || strlen(text) != len) {
		complain(c, name, 0, n == -1 ? "cannot be read" :
		    "no text: it has a NUL");
		free(text);
		text = NULL;
	}
out:
	if (fd != -1)
		close(fd);
	c->passed_over += text == NULL;
	return text;
}

/* Reads a folder's files by name; false when there is none. */
static bool
read_folder(const char *path, enum vendor_origin origin, struct complaint *c,
    struct vendor ***list, size_t *len)
{
	struct dirent	**entry;
	struct vendor	*v;
	char		*text;
	int		 folder, n, i;

	folder = path == NULL ? -1 : open(path, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	if (folder == -1)
		return false;
	c->folder = path;
	n = scandirat(folder, ".", &entry, is_vendor_file, alphasort);
	for (i = 0; i < n; i++) {
		c->passed_over += i >= FILES_MAX;
		if (i == FILES_MAX)
			complain(c, entry[i]->d_name, 0, "one file too many "
			    "in this folder; it and those after it are "
			    "passed over");
		text = i >= FILES_MAX ? NULL :
		    read_file(folder, entry[i]->d_name, c);
		v = text == NULL ? NULL :
		    parse(entry[i]->d_name, text, origin, c);
		if (v != NULL)
			append(list, len, v);
		free(text);
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
	close(folder);
	c->folder = NULL;
	return n > 0;
}

/* Puts those of a folder into use, as far as nothing excludes them. */
static void
put_folder(const char *path, struct vendor **list, size_t len,
    struct complaint *c)
{
	size_t	 i;

	c->folder = path;
	for (i = 0; i < len; i++)
		exclude(list[i], c);
	for (i = 0; i < len; i++) {
		if (refused(list[i], c))
			append(&replaced, &replaced_len, list[i]);
		else
			put(list[i]);
	}
	c->folder = NULL;
	free(list);
}

/* The built-in files: a mistake there is our own. */
static void
put_built_in(void)
{
	struct complaint	 c = { .fn = to_log };
	struct vendor		**list = NULL;
	size_t			 len = 0, i;

	for (i = 0; i < BUILT_IN; i++) {
		struct vendor	*v = parse(built_in[i].name,
				    built_in[i].text, VENDOR_BUILT_IN, &c);

		if (v != NULL)
			append(&list, &len, v);
	}
	put_folder(NULL, list, len, &c);
	if (c.passed_over > 0)
		fatalx("vendor", "a file that is built in is wrong");
}

/* Files of installed that are gone from the folder are gone; but a built-in
 * one stands in for an installed one that cannot be used. */
static void
drop_uninstalled(const char *path)
{
	struct stat	 st;
	char		*file;
	size_t		 i, left = 0;

	for (i = 0; i < in_use_len; i++) {
		file = xasprintf("%s/%s", path, in_use[i]->file);
		if (stat(file, &st) == 0 || in_use[i]->is_common)
			in_use[left++] = in_use[i];
		else
			append(&replaced, &replaced_len, in_use[i]);
		free(file);
	}
	in_use_len = left;
}

static int
compare(const void *a, const void *b)
{
	const struct vendor	*x = *(struct vendor *const *)a;
	const struct vendor	*y = *(struct vendor *const *)b;

	if ((x->origin == VENDOR_FROM_OWN) != (y->origin == VENDOR_FROM_OWN))
		return x->origin == VENDOR_FROM_OWN ? -1 : 1;
	return strcmp(x->file, y->file);
}

/* Two files for the same printers: the first one serves, and it is said. */
static void
tell_doubles(struct complaint *c)
{
	const struct vendor	*a, *b;
	char			*what;
	size_t			 i, k, n, m;

	for (i = 0; i < in_use_len; i++) {
		for (k = i + 1; k < in_use_len; k++) {
			a = in_use[i];
			b = in_use[k];
			if (a->only.count > 0 || b->only.count > 0)
				continue;
			for (n = 0; n < a->enterprise.count; n++)
				for (m = 0; m < b->enterprise.count; m++) {
					if (strcmp(a->enterprise.item[n],
					    b->enterprise.item[m]) != 0)
						continue;
					what = xasprintf("enterprise %s "
					    "stands in %s, too, which is "
					    "used", a->enterprise.item[n],
					    a->file);
					complain(c, b->file, 0, what);
					free(what);
				}
		}
	}
}

const char *
vendor_installed(void)
{
	static char	 path[PATH_MAX + 32];
	char		*slash;
	ssize_t		 n;
	int		 k;

	n = readlink("/proc/self/exe", path, PATH_MAX);
	if (n <= 0 || n >= PATH_MAX)
		return PLATEN_DATADIR "/vendors";
	path[n] = '\0';
	/* Off with "/bin/platen"; there may be no more than "/platen". */
	for (k = 0; k < 2 && (slash = strrchr(path, '/')) != NULL; k++)
		*slash = '\0';
	strcat(path, "/share/platen/vendors");
	return path;
}

size_t
vendor_load(const char *installed, const char *own, vendor_complain_fn *fn,
    void *arg)
{
	struct complaint	 c = { .fn = fn != NULL ? fn : to_log,
				    .arg = arg };
	struct vendor		**list = NULL;
	size_t			 len = 0;

	vendor_unload();
	excluded = xcalloc(EXCLUSIONS_MAX, sizeof(*excluded));
	loaded = true;
	put_built_in();
	if (read_folder(installed, VENDOR_FROM_INSTALLED, &c, &list, &len)) {
		drop_uninstalled(installed);
		put_folder(installed, list, len, &c);
	}
	list = NULL;
	len = 0;
	read_folder(own, VENDOR_FROM_OWN, &c, &list, &len);
	put_folder(own, list, len, &c);
	qsort(in_use, in_use_len, sizeof(in_use[0]), compare);
	tell_doubles(&c);
	return c.passed_over;
}

size_t
vendor_generation(void)
{
	return generation;
}

void
vendor_unload(void)
{
	generation++;
	while (in_use_len > 0)
		vendor_drop(in_use[--in_use_len]);
	while (replaced_len > 0)
		vendor_drop(replaced[--replaced_len]);
	free(in_use);
	free(replaced);
	free(excluded);
	in_use = replaced = NULL;
	excluded = NULL;
	excluded_len = 0;
	more_exclusions = loaded = false;
}

size_t
vendor_count(void)
{
	if (!loaded)
		vendor_load(NULL, NULL, NULL, NULL);
	return in_use_len;
}

size_t
vendor_files(const struct vendor ***list)
{
	size_t	 n = vendor_count();

	*list = (const struct vendor **)in_use;
	return n;
}

const struct vendor *
vendor_nth(size_t n)
{
	return n < vendor_count() ? in_use[n] : NULL;
}

void
vendor_each_object(vendor_named_fn *fn, void *arg)
{
	size_t	 i, n = vendor_count();

	for (i = 0; i < n; i++)
		vendorfile_each(in_use[i], fn, arg);
}

void
vendor_each_exclusion(vendor_named_fn *fn, void *arg)
{
	struct vendor_named	 named = { .column = true };
	size_t			 i;

	vendor_count();
	for (i = 0; i < excluded_len; i++) {
		named.oid = excluded[i].vendor->exclusions[excluded[i].n].oid;
		named.name = excluded[i].vendor->exclusions[excluded[i].n].why;
		named.file = excluded[i].vendor->file;
		named.line = excluded[i].vendor->exclusions[
		    excluded[i].n].line;
		fn(arg, &named);
	}
}
