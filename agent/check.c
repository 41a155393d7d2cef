#include "agent/check.h"

#include <sys/stat.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/config.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/screen.h"
#include "snmp/plan.h"
#include "snmp/vendor.h"
#include "snmp/vendorfile.h"

struct remark {
	char	*file;
	size_t	 line;
	char	*what;
};

struct check {
	const char	*config_path;
	char		*own;		/* the technician's folder */
	const char	*installed;	/* NULL: there is none */
	bool		 json, objects;
	bool		 config_named, config_there, config_fine;
	bool		 own_missing;
	size_t		 passed_over;
	struct remark	*remarks;
	size_t		 remarks_len;
	struct json	 out;
};

static const char usage_text[] =
	"usage: platen check [-c FILE] [--vendors DIR] [--objects] "
	"[--json]\n";

static const char help_text[] =
	"\nChecks the configuration and the files about makers and models.\n\n"
	"  -c FILE        the configuration (%s)\n"
	"  --vendors DIR  your own files; default: what the configuration "
	"says,\n"
	"                 else %s\n"
	"  --objects      list every object that may be asked of a printer\n"
	"  --json         for programs\n\n"
	"Exit status: 0 when all is well, 1 when not, 2 for bad usage.\n";

/* --- what is wrong -------------------------------------------------------- */

static void
remark(void *arg, const char *file, size_t line, const char *what)
{
	struct check *c = arg;
	struct remark *r;

	c->remarks = xreallocarray(c->remarks, c->remarks_len + 1,
	    sizeof(c->remarks[0]));
	r = &c->remarks[c->remarks_len++];
	r->file = xstrdup_null(file);
	r->line = line;
	r->what = xstrdup(what);
}

static void
on_log(void *arg, enum log_level level, const char *line)
{
	if (level <= LOG_LEVEL_WARN)
		remark(arg, NULL, 0, line);
}

static void
remarks_clear(struct check *c)
{
	while (c->remarks_len > 0) {
		c->remarks_len--;
		free(c->remarks[c->remarks_len].file);
		free(c->remarks[c->remarks_len].what);
	}
	free(c->remarks);
}

static void
remarks_print(const struct check *c, FILE *out)
{
	const struct remark *r;
	size_t i;

	for (i = 0; i < c->remarks_len; i++) {
		r = &c->remarks[i];
		if (r->file == NULL)
			fprintf(out, "%s\n", r->what);
		else if (r->line == 0)
			fprintf(out, "%s: %s\n", r->file, r->what);
		else
			fprintf(out, "%s:%zu: %s\n", r->file, r->line,
			    r->what);
	}
}

/* --- what may be asked ---------------------------------------------------- */

static void
object_say(struct check *c, const char *oid, bool column, const char *name,
    const char *file, size_t line)
{
	if (!c->json) {
		printf("%s%s\t%s\t%s\n", oid, column ? ".*" : "", name, file);
		return;
	}
	json_object(&c->out, NULL);
	json_string(&c->out, "oid", oid);
	json_bool(&c->out, "column", column);
	json_string(&c->out, "name", name);
	json_string(&c->out, "file", file);
	if (line > 0)
		json_int(&c->out, "line", (int64_t)line);
	json_object_end(&c->out);
}

static void
on_object(void *arg, const struct vendor_named *named)
{
	struct objid id;

	/* Excluded by the technician: it is in a file, but not asked. */
	if (objid_parse(named->oid, &id) == 0 && !vendor_excluded(&id))
		object_say(arg, named->oid, named->column, named->name,
		    named->file, named->line);
}

static void
objects_say(struct check *c)
{
	char oid[OBJID_TEXT_MAX];
	const struct plan_item *item;
	size_t i, n;

	item = plan_items(&n);
	for (i = 0; i < n; i++)
		object_say(c, objid_format(&item[i].id, oid),
		    item[i].shape != STANDARD_SCALAR, item[i].name,
		    "standard", 0);
	vendor_each_object(on_object, c);
}

static void
on_exclusion(void *arg, const struct vendor_named *named)
{
	struct check *c = arg;

	json_object(&c->out, NULL);
	json_string(&c->out, "oid", named->oid);
	json_string(&c->out, "reason", named->name);
	json_string(&c->out, "file", named->file);
	json_object_end(&c->out);
}

/* --- which makers are known ----------------------------------------------- */

static const char *const origins[] = {
	[VENDOR_BUILT_IN] = "built in",
	[VENDOR_FROM_INSTALLED] = "installed",
	[VENDOR_FROM_OWN] = "own",
};

static void
count_object(void *arg, const struct vendor_named *named)
{
	size_t *n = arg;

	(void)named;
	(*n)++;
}

static size_t
objects_of(const struct vendor *v)
{
	size_t n = 0;

	vendorfile_each(v, count_object, &n);
	return n;
}

static void
words_json(struct json *out, const char *key, const struct words *words)
{
	size_t i;

	json_array(out, key);
	for (i = 0; i < words->count; i++)
		json_string(out, NULL, words->item[i]);
	json_array_end(out);
}

static void
files_json(struct check *c)
{
	const struct vendor *v;
	size_t i;

	json_array(&c->out, "files");
	for (i = 0; (v = vendor_nth(i)) != NULL; i++) {
		json_object(&c->out, NULL);
		json_string(&c->out, "file", v->file);
		json_string(&c->out, "origin", origins[v->origin]);
		json_string(&c->out, "name", v->name);
		json_string(&c->out, "make", v->make);
		words_json(&c->out, "enterprise", &v->enterprise);
		words_json(&c->out, "text", &v->text);
		words_json(&c->out, "only", &v->only);
		json_bool(&c->out, "label_printers", v->label);
		json_bool(&c->out, "bulk", !v->no_bulk);
		json_int(&c->out, "objects", (int64_t)objects_of(v));
		json_object_end(&c->out);
	}
	json_array_end(&c->out);
}

/* The items with commas between. */
static char *
joined(const struct words *words)
{
	struct buf text = { 0 };
	size_t i;

	for (i = 0; i < words->count; i++)
		buf_printf(&text, "%s%s", i == 0 ? "" : ", ",
		    words->item[i]);
	return buf_take(&text);
}

static void
files_print(void)
{
	static const char *const columns[] = { "FILE", "MAKE", "ENGINE",
	    "ONLY", ">OBJECTS", "FROM", NULL };
	struct screen_table *table = screen_table_new(columns);
	const struct vendor *v;
	const char *cells[6];
	char *only, number[24];
	size_t i;

	for (i = 0; (v = vendor_nth(i)) != NULL; i++) {
		only = joined(&v->only);
		snprintf(number, sizeof(number), "%zu", objects_of(v));
		cells[0] = v->file;
		cells[1] = v->make;
		cells[2] = v->name;
		cells[3] = only;
		cells[4] = number;
		cells[5] = origins[v->origin];
		screen_table_row(table, cells);
		free(only);
	}
	screen_table_print(table, stdout, 0);
	screen_table_free(table);
}

/* --- the whole ------------------------------------------------------------ */

static void
config_check(struct check *c)
{
	struct config *conf;

	c->config_there = access(c->config_path, F_OK) == 0;
	/* Who only wants to try a file about his printer has none. */
	if (!c->config_there && !c->config_named)
		return;
	log_hook(on_log, c);
	conf = config_read(c->config_path, CONFIG_ALL);
	log_hook(NULL, NULL);
	c->config_fine = conf != NULL;
	if (conf != NULL && c->own == NULL)
		c->own = xstrdup_null(conf->vendors);
	config_free(conf);
}

static void
folders_check(struct check *c)
{
	struct stat st;

	if (c->own == NULL)
		c->own = xstrdup(VENDOR_OWN);
	else if (stat(c->own, &st) == -1 || !S_ISDIR(st.st_mode)) {
		remark(c, c->own, 0, "there is no such folder");
		c->own_missing = true;
	}
	c->installed = vendor_installed();
	if (stat(c->installed, &st) == -1)
		c->installed = NULL;
	c->passed_over = vendor_load(c->installed, c->own, remark, c);
}

static void
print_json(struct check *c)
{
	struct buf text = { 0 };
	const struct remark *r;
	size_t i;

	json_start(&c->out, &text);
	json_object(&c->out, NULL);
	json_string(&c->out, "config", c->config_there || c->config_named ?
	    c->config_path : NULL);
	json_string(&c->out, "installed", c->installed);
	json_string(&c->out, "own", c->own);
	json_array(&c->out, "complaints");
	for (i = 0; i < c->remarks_len; i++) {
		r = &c->remarks[i];
		json_object(&c->out, NULL);
		json_string(&c->out, "file", r->file);
		if (r->line == 0)
			json_null(&c->out, "line");
		else
			json_int(&c->out, "line", (int64_t)r->line);
		json_string(&c->out, "what", r->what);
		json_object_end(&c->out);
	}
	json_array_end(&c->out);
	files_json(c);
	if (c->objects) {
		json_array(&c->out, "objects");
		objects_say(c);
		json_array_end(&c->out);
		json_array(&c->out, "never");
		vendor_each_exclusion(on_exclusion, c);
		json_array_end(&c->out);
	}
	json_object_end(&c->out);
	puts(text.data);
	buf_free(&text);
}

static void
print_text(struct check *c)
{
	if (c->objects) {
		remarks_print(c, stderr);
		objects_say(c);
		return;
	}
	remarks_print(c, stdout);
	if (c->config_fine)
		printf("%s is fine\n", c->config_path);
	else if (!c->config_there && !c->config_named)
		printf("%s: not there, so not checked\n", c->config_path);
	printf("%zu vendor files, %zu passed over\n\n", vendor_count(),
	    c->passed_over);
	files_print();
}

int
check_main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "vendors", required_argument, NULL, 'v' },
		{ "objects", no_argument, NULL, 'o' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	struct check c = { .config_path = CONFIG_DEFAULT };
	bool wrong;
	int ch;

	optind = 0;
	while ((ch = getopt_long(argc, argv, "c:h", known, NULL)) != -1)
		switch (ch) {
		case 'c':
			c.config_path = optarg;
			c.config_named = true;
			break;
		case 'v':
			free(c.own);
			c.own = xstrdup(optarg);
			break;
		case 'o':
			c.objects = true;
			break;
		case 'j':
			c.json = true;
			break;
		case 'h':
			printf("%s", usage_text);
			printf(help_text, CONFIG_DEFAULT, VENDOR_OWN);
			return 0;
		default:
			fputs(usage_text, stderr);
			free(c.own);
			return 2;
		}
	if (optind != argc) {
		fputs(usage_text, stderr);
		free(c.own);
		return 2;
	}
	config_check(&c);
	folders_check(&c);
	if (c.json)
		print_json(&c);
	else
		print_text(&c);
	wrong = c.passed_over > 0 || c.own_missing || (!c.config_fine &&
	    (c.config_there || c.config_named));
	if (ferror(stdout) || fflush(stdout) != 0)
		wrong = true;
	remarks_clear(&c);
	vendor_unload();
	free(c.own);
	return wrong ? 1 : 0;
}
