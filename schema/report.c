#include "schema/report.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/xmlschemas.h>
#include <libxml/xmlschemastypes.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "schema/field.h"
#include "schema/xmltree.h"

/* The XSD, as it lies beside this file. */
__asm__(
    ".pushsection .rodata\n"
    ".hidden report_xsd\n"
    ".globl report_xsd\n"
    "report_xsd:\n"
    ".incbin \"schema/report.xsd\"\n"
    ".byte 0\n"
    ".popsection\n");
extern const char report_xsd[] __attribute__((visibility("hidden")));

static xmlSchema *schema;

void
report_init(struct report *r)
{
	memset(r, 0, sizeof *r);
	r->seq = r->turn = ABSENT;
}

void
report_clear(struct report *r)
{
	size_t i;

	for (i = 0; i < r->assets_len; i++)
		asset_clear(&r->assets[i]);
	for (i = 0; i < r->consumables_len; i++)
		consumable_clear(&r->consumables[i]);
	for (i = 0; i < r->alerts_len; i++)
		alert_clear(&r->alerts[i]);
	for (i = 0; i < r->agents_len; i++)
		agent_clear(&r->agents[i]);
	free(r->assets);
	free(r->consumables);
	free(r->alerts);
	free(r->agents);
	report_init(r);
}

/* Room for one more in an array that has grown from here by doubling. */
static void *
one_more(void *array, size_t len, size_t size)
{
	if ((len & (len - 1)) != 0)
		return array;
	return xreallocarray(array, len != 0 ? 2 * len : 1, size);
}

struct asset *
report_asset(struct report *r)
{
	r->assets = one_more(r->assets, r->assets_len, sizeof *r->assets);
	asset_init(&r->assets[r->assets_len]);
	return &r->assets[r->assets_len++];
}

struct consumable *
report_consumable(struct report *r)
{
	r->consumables = one_more(r->consumables, r->consumables_len,
	    sizeof *r->consumables);
	consumable_init(&r->consumables[r->consumables_len]);
	return &r->consumables[r->consumables_len++];
}

struct alert *
report_alert(struct report *r)
{
	r->alerts = one_more(r->alerts, r->alerts_len, sizeof *r->alerts);
	alert_init(&r->alerts[r->alerts_len]);
	return &r->alerts[r->alerts_len++];
}

struct agent *
report_agent(struct report *r)
{
	r->agents = one_more(r->agents, r->agents_len, sizeof *r->agents);
	agent_init(&r->agents[r->agents_len]);
	return &r->agents[r->agents_len++];
}

/*
 * Text as a reader will take it: no controls, valid, not too long.  What comes
 * from printers is so already; a name in an INI file or a host name may not
 * be.
 */
static void
put_text(struct buf *out, const char *text)
{
	char clean[RECORD_TEXT_MAX + 1];
	size_t len = strlen(text), at = 0, n;
	uint32_t c;

	for (; len > 0; text += n, len -= n) {
		if ((n = utf8_decode(text, len, &c)) == 0) {
			c = '?';
			n = 1;
			if (at < RECORD_TEXT_MAX)
				clean[at++] = '?';
			continue;
		}
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffe ||
		    c == 0xffff)
			continue;
		if (at + n > RECORD_TEXT_MAX)
			break;
		memcpy(clean + at, text, n);
		at += n;
	}
	clean[at] = '\0';
	xmltree_escape(out, clean);
}

static void
put_attr(struct buf *out, const struct field *f, const void *record)
{
	char *text = field_format(f, record);

	if (text != NULL && *text != '\0') {
		buf_printf(out, " %s='", f->name);
		put_text(out, text);
		buf_putc(out, '\'');
	}
	free(text);
}

static void
put_element(struct buf *out, const struct field *f, const void *record)
{
	char *text;

	if ((text = field_format(f, record)) == NULL)
		return;
	buf_printf(out, "<%s", f->name);
	if (*text != '\0') {
		buf_putc(out, '>');
		put_text(out, text);
		buf_printf(out, "</%s>", f->name);
	} else
		buf_puts(out, "/>");
	free(text);
}

static void
put_counter(struct buf *out, const struct counter *c)
{
	const struct field *f;

	if (c->name == NULL || *c->name == '\0' || c->value == ABSENT ||
	    c->value == CLEARED)
		return;
	buf_puts(out, "<counter");
	for (f = counter_fields; f->name != NULL; f++)
		if (strcmp(f->name, "value") != 0)
			put_attr(out, f, c);
	buf_printf(out, ">%" PRId64 "</counter>", c->value);
}

static void
put_record(struct buf *out, const char *name, const struct field *fields,
    const void *record, const struct counter *counters, size_t counters_len)
{
	const struct field *f;
	size_t i;

	buf_printf(out, "<%s", name);
	for (f = fields; f->name != NULL; f++)
		if (f->kind == FIELD_UUID)
			put_attr(out, f, record);
	buf_putc(out, '>');
	for (f = fields; f->name != NULL; f++)
		if (f->kind != FIELD_UUID && !f->probe_only)
			put_element(out, f, record);
	for (i = 0; i < counters_len; i++)
		put_counter(out, &counters[i]);
	buf_printf(out, "</%s>", name);
}

int
report_try_write(const struct report *r, struct buf *out)
{
	size_t start = out->len, i;

	buf_puts(out, "<report xmlns='" REPORT_NS "'");
	if (r->seq != ABSENT)
		buf_printf(out, " seq='%" PRId64 "'", r->seq);
	if (r->turn != ABSENT)
		buf_printf(out, " turn='%" PRId64 "'", r->turn);
	buf_putc(out, '>');
	for (i = 0; i < r->assets_len; i++)
		put_record(out, "asset", asset_fields, &r->assets[i],
		    r->assets[i].counters, r->assets[i].counters_len);
	for (i = 0; i < r->consumables_len; i++)
		put_record(out, "consumable", consumable_fields,
		    &r->consumables[i], NULL, 0);
	for (i = 0; i < r->alerts_len; i++)
		put_record(out, "alert", alert_fields, &r->alerts[i], NULL, 0);
	for (i = 0; i < r->agents_len; i++)
		put_record(out, "agent", agent_fields, &r->agents[i], NULL, 0);
	buf_puts(out, "</report>");
	if (out->len - start <= REPORT_XML_MAX)
		return 0;
	out->len = start;
	out->data[start] = '\0';
	return -1;
}

void
report_write(const struct report *r, struct buf *out)
{
	if (report_try_write(r, out) == -1)
		fatalx("report", "%zu assets, %zu consumables and %zu alerts "
		    "make a report longer than %d octets", r->assets_len,
		    r->consumables_len, r->alerts_len, REPORT_XML_MAX);
}

/* Keeps the first error, as one line. */
struct first_error {
	char	*why;
	size_t	 why_size;
	bool	 set;
};

static void
on_error(void *arg, xmlError *error)
{
	struct first_error *first = arg;
	const char *text = error->message != NULL ? error->message : "invalid";

	if (first->set || error->level == XML_ERR_WARNING)
		return;
	first->set = true;
	snprintf(first->why, first->why_size, "%s",
	    log_safe_n(text, strcspn(text, "\n")));
}

void
report_schema_load(void)
{
	char why[256] = "no reason";
	struct first_error first = { why, sizeof why, false };
	xmlSchemaParserCtxt *ctxt;

	if (schema != NULL)
		return;
	ctxt = xmlSchemaNewMemParserCtxt(report_xsd, (int)strlen(report_xsd));
	if (ctxt == NULL)
		fatalx("memory", "an XML schema");
	xmlSchemaSetParserStructuredErrors(ctxt, on_error, &first);
	schema = xmlSchemaParse(ctxt);
	xmlSchemaFreeParserCtxt(ctxt);
	if (schema == NULL)
		fatalx("report", "the XML schema: %s", why);
}

void
report_schema_free(void)
{
	if (schema == NULL)
		return;
	xmlSchemaFree(schema);
	xmlSchemaCleanupTypes();
	schema = NULL;
}

const char *
report_schema_text(void)
{
	return report_xsd;
}

/* xsi:type and its like are legal everywhere by XML Schema itself; nobody
 * needs them here. */
static bool
plain_attributes(const xmlNode *n)
{
	const xmlAttr *a;
	const xmlNode *c;

	for (a = n->properties; a != NULL; a = a->next)
		if (a->ns != NULL)
			return false;
	for (c = xmltree_child(n, NULL, NULL); c != NULL; c = xmltree_next(c))
		if (!plain_attributes(c))
			return false;
	return true;
}

int
report_validate(xmlNode *n, char *why, size_t why_size)
{
	struct first_error first = { why, why_size, false };
	xmlSchemaValidCtxt *ctxt;
	int rc;

	report_schema_load();
	if (!plain_attributes(n)) {
		snprintf(why, why_size, "an attribute has a namespace");
		return -1;
	}
	if ((ctxt = xmlSchemaNewValidCtxt(schema)) == NULL)
		fatalx("memory", "an XML validator");
	xmlSchemaSetValidStructuredErrors(ctxt, on_error, &first);
	rc = xmlSchemaValidateOneElement(ctxt, n);
	xmlSchemaFreeValidCtxt(ctxt);
	if (rc == 0)
		return 0;
	if (!first.set)
		snprintf(why, why_size, "invalid");
	return -1;
}

/* XML Schema lets blanks stand around numbers and times. */
static void
trim(char *text)
{
	size_t lead = strspn(text, " \t\r\n"), len = strlen(text + lead);

	memmove(text, text + lead, len + 1);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		text[--len] = '\0';
}

/* The XSD has said yes: this says no to what it cannot see, such as octets,
 * and days that a month does not have.  text is freed. */
static int
read_field(const struct field *f, void *record, char *text, char *why,
    size_t why_size)
{
	int rc;

	if (text == NULL)
		text = xstrdup("");
	if (f->kind != FIELD_TEXT)
		trim(text);
	rc = field_parse(f, record, text);
	if (rc == -1)
		snprintf(why, why_size, "%s: \"%s\" is no such value",
		    f->name, log_safe(text));
	free(text);
	return rc;
}

static int
read_counter(const xmlNode *n, struct asset *a, char *why, size_t why_size)
{
	struct counter *c = asset_counter_add(a, NULL);
	const struct field *f;
	char *text;

	if (c == NULL) {
		snprintf(why, why_size, "too many counters");
		return -1;
	}
	for (f = counter_fields; f->name != NULL; f++) {
		if (strcmp(f->name, "value") == 0)
			text = xmltree_text(n);
		else if ((text = xmltree_attr(n, f->name)) == NULL)
			continue;
		if (read_field(f, c, text, why, why_size) == -1)
			return -1;
	}
	return 0;
}

static int
read_record(const xmlNode *n, const struct field *fields, void *record,
    struct asset *counters, char *why, size_t why_size)
{
	const struct field *f;
	xmlNode *c;
	char *text;

	for (f = fields; f->name != NULL; f++) {
		if (f->kind != FIELD_UUID ||
		    (text = xmltree_attr(n, f->name)) == NULL)
			continue;
		if (read_field(f, record, text, why, why_size) == -1)
			return -1;
	}
	for (c = xmltree_child(n, NULL, NULL); c != NULL;
	    c = xmltree_next(c)) {
		if (counters != NULL && xmltree_is(c, "counter", REPORT_NS)) {
			if (read_counter(c, counters, why, why_size) == -1)
				return -1;
			continue;
		}
		f = field_find(fields, (const char *)c->name);
		if (f == NULL || f->probe_only) {
			snprintf(why, why_size, "unknown element %s",
			    log_safe((const char *)c->name));
			return -1;
		}
		if (read_field(f, record, xmltree_text(c), why,
		    why_size) == -1)
			return -1;
	}
	return 0;
}

static int
read_records(const xmlNode *root, struct report *r, char *why, size_t why_size)
{
	struct asset *a;
	xmlNode *n;
	int rc = 0;

	for (n = xmltree_child(root, NULL, NULL); n != NULL && rc == 0;
	    n = xmltree_next(n)) {
		if (xmltree_is(n, "asset", REPORT_NS)) {
			a = report_asset(r);
			rc = read_record(n, asset_fields, a, a, why, why_size);
		} else if (xmltree_is(n, "consumable", REPORT_NS)) {
			rc = read_record(n, consumable_fields,
			    report_consumable(r), NULL, why, why_size);
		} else if (xmltree_is(n, "alert", REPORT_NS)) {
			rc = read_record(n, alert_fields, report_alert(r),
			    NULL, why, why_size);
		} else
			rc = read_record(n, agent_fields, report_agent(r),
			    NULL, why, why_size);
	}
	return rc;
}

static int
read_number(const xmlNode *root, const char *name, int64_t *value)
{
	static const struct field number = { .name = "number",
	    .kind = FIELD_INT };
	char *text;
	int rc;

	if ((text = xmltree_attr(root, name)) == NULL)
		return 0;
	trim(text);
	rc = field_parse(&number, value, text);
	free(text);
	return rc;
}

static int
read_root(xmlNode *root, struct report *out, char *why, size_t why_size)
{
	if (read_number(root, "seq", &out->seq) == -1 ||
	    read_number(root, "turn", &out->turn) == -1) {
		snprintf(why, why_size, "the sequence number is none");
		report_clear(out);
		return -1;
	}
	if (read_records(root, out, why, why_size) == -1) {
		report_clear(out);
		return -1;
	}
	return 0;
}

int
report_read_node(xmlNode *root, struct report *out, char *why,
    size_t why_size)
{
	report_init(out);
	if (!xmltree_is(root, "report", REPORT_NS)) {
		snprintf(why, why_size, "it is no report");
		return -1;
	}
	if (report_validate(root, why, why_size) == -1)
		return -1;
	return read_root(root, out, why, why_size);
}

static xmlDoc *
parse(const char *xml, size_t len, char *why, size_t why_size)
{
	if (len <= REPORT_XML_MAX)
		return xmltree_parse(xml, len, why, why_size);
	snprintf(why, why_size, "longer than %d octets", REPORT_XML_MAX);
	return NULL;
}

int
report_read(const char *xml, size_t len, struct report *out, char *why,
    size_t why_size)
{
	xmlDoc *doc;
	int rc;

	report_init(out);
	if ((doc = parse(xml, len, why, why_size)) == NULL)
		return -1;
	rc = report_read_node(xmlDocGetRootElement(doc), out, why, why_size);
	xmlFreeDoc(doc);
	return rc;
}

/* The fields that everybody takes for granted, which the XSD sees to
 * otherwise. */
static bool
has_keys(const struct field *f, const void *record)
{
	for (; f->name != NULL; f++)
		if (f->class == FIELD_KEY && !f->probe_only &&
		    strcmp(f->name, "index") != 0 && field_absent(f, record))
			return false;
	return true;
}

static bool
is_whole(const struct report *r)
{
	size_t i, j;

	for (i = 0; i < r->assets_len; i++) {
		if (!has_keys(asset_fields, &r->assets[i]))
			return false;
		for (j = 0; j < r->assets[i].counters_len; j++)
			if (r->assets[i].counters[j].name == NULL)
				return false;
	}
	for (i = 0; i < r->consumables_len; i++)
		if (!has_keys(consumable_fields, &r->consumables[i]))
			return false;
	for (i = 0; i < r->alerts_len; i++)
		if (!has_keys(alert_fields, &r->alerts[i]))
			return false;
	return r->agents_len <= 1;
}

int
report_read_own(const char *xml, size_t len, struct report *out, char *why,
    size_t why_size)
{
	xmlDoc *doc;
	int rc;

	report_init(out);
	if ((doc = parse(xml, len, why, why_size)) == NULL)
		return -1;
	rc = read_root(xmlDocGetRootElement(doc), out, why, why_size);
	xmlFreeDoc(doc);
	if (rc == 0 && !is_whole(out)) {
		snprintf(why, why_size, "a record has no key");
		report_clear(out);
		rc = -1;
	}
	return rc;
}
