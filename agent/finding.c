#include "agent/finding.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/screen.h"
#include "schema/field.h"
#include "schema/recjson.h"
#include "schema/report.h"

#define BAR_CELLS	12

static void
add_printer(struct finding *f, const struct bag *bag, int64_t row,
    const char *ip, int64_t now_ms)
{
	struct printer *p;

	f->printers = xreallocarray(f->printers, f->printers_len + 1,
	    sizeof(*f->printers));
	p = &f->printers[f->printers_len++];
	memset(p, 0, sizeof(*p));
	printer_decode(bag, row, ip, now_ms, p);
	free(p->asset.ip);
	p->asset.ip = xstrdup(ip);
	if (p->asset.state == ABSENT)
		p->asset.state = ASSET_ONLINE;
}

static void
add_unreachable(struct finding *f, const char *ip)
{
	f->printers = xcalloc(1, sizeof(*f->printers));
	f->printers_len = 1;
	asset_init(&f->printers[0].asset);
	f->printers[0].asset.ip = xstrdup_null(ip);
	f->printers[0].asset.state = ASSET_UNREACHABLE;
	f->printers[0].total_pages = ABSENT;
}

void
finding_make(struct finding *f, const char *host, const char *ip,
    const struct reading_result *result, int64_t now_ms)
{
	int64_t row[PRINTER_ROWS_MAX];
	char why[160];
	size_t i, n;

	memset(f, 0, sizeof(*f));
	f->host = host;
	f->traffic = result->traffic;
	if (result->status == READING_SILENT) {
		f->reason = strncmp(result->why, "no answer", 9) == 0 ?
		    xasprintf("%s from %s, is SNMP enabled and is the "
		    "community right?", result->why, host) :
		    xasprintf("%s, is SNMP enabled?", result->why);
		add_unreachable(f, ip);
		return;
	}
	n = result->status == READING_NO_PRINTER ? 0 :
	    printer_rows(result->fresh, row, why, sizeof(why));
	/* One that broke off shows what it had said. */
	f->printer = n > 0;
	if (n == 0) {
		f->reason = xstrdup(result->why);
		add_printer(f, result->fresh, -1, ip, now_ms);
		return;
	}
	if (result->why[0] != '\0')
		f->odd = xstrdup(result->why);
	for (i = 0; i < n; i++)
		add_printer(f, result->fresh, row[i], ip, now_ms);
}

void
finding_none(struct finding *f, const char *host, const char *reason)
{
	memset(f, 0, sizeof(*f));
	f->host = host;
	f->reason = xstrdup(reason);
	add_unreachable(f, NULL);
}

void
finding_clear(struct finding *f)
{
	size_t i;

	for (i = 0; i < f->printers_len; i++)
		printer_clear(&f->printers[i]);
	free(f->printers);
	free(f->reason);
	free(f->odd);
	memset(f, 0, sizeof(*f));
}

/* --- JSON --- */

static void
json_printer(struct json *j, const struct finding *f, const struct printer *p)
{
	json_object(j, NULL);
	json_string(j, "host", f->host);
	json_bool(j, "printer", f->printer);
	json_string(j, "reason", f->reason);
	json_object(j, "asset");
	recjson_fields(j, asset_fields, &p->asset, true);
	json_object_end(j);
	recjson_array(j, "counters", counter_fields, p->asset.counters,
	    p->asset.counters_len, sizeof(struct counter), true);
	recjson_array(j, "consumables", consumable_fields, p->consumables,
	    p->consumables_len, sizeof(struct consumable), true);
	recjson_array(j, "alerts", alert_fields, p->alerts, p->alerts_len,
	    sizeof(struct alert), true);
	json_object(j, "traffic");
	json_int(j, "requests", f->traffic.requests);
	json_int(j, "bytes_out", f->traffic.bytes_out);
	json_int(j, "bytes_in", f->traffic.bytes_in);
	json_object_end(j);
	json_object_end(j);
}

void
finding_json(struct json *j, const struct finding *f)
{
	size_t i;

	for (i = 0; i < f->printers_len; i++)
		json_printer(j, f, &f->printers[i]);
}

/* --- XML --- */

/* The ids that a daemon would keep are made up here: a report has some. */
static void
copy_printer(struct report *report, const struct printer *p)
{
	char asset[UUID_TEXT_MAX], id[UUID_TEXT_MAX];
	struct asset *a = report_asset(report);
	struct consumable *c;
	struct alert *alert;
	size_t i;

	uuid_make(asset);
	record_copy(asset_fields, a, &p->asset);
	asset_copy_counters(a, &p->asset);
	a->id = xstrdup(asset);
	for (i = 0; i < p->consumables_len; i++) {
		c = report_consumable(report);
		record_copy(consumable_fields, c, &p->consumables[i]);
		uuid_make(id);
		c->id = xstrdup(id);
		c->asset = xstrdup(asset);
	}
	for (i = 0; i < p->alerts_len; i++) {
		alert = report_alert(report);
		record_copy(alert_fields, alert, &p->alerts[i]);
		uuid_make(id);
		alert->id = xstrdup(id);
		alert->asset = xstrdup(asset);
	}
}

void
finding_xml(FILE *out, const struct finding *f)
{
	struct report report;
	struct buf buf = { 0 };
	size_t i;

	report_init(&report);
	for (i = 0; i < f->printers_len; i++)
		copy_printer(&report, &f->printers[i]);
	if (report_try_write(&report, &buf) == -1)
		log_warnx("probe", "%s: more than one report takes; the agent "
		    "would send several", f->host);
	else {
		fwrite(buf.data, 1, buf.len, out);
		putc('\n', out);
	}
	buf_free(&buf);
	report_clear(&report);
}

/* --- For people --- */

/* One line, cut at width; foreign text goes through the table's filter. */
static void
text_pairs(FILE *out, const char *const *pairs, size_t n, int width)
{
	static const char *const columns[] = { " ", "", "", NULL };
	struct screen_table *t;
	const char *cells[3] = { "", NULL, NULL };
	bool any = false;
	size_t i;

	t = screen_table_new(columns);
	for (i = 0; i < n; i++) {
		if (pairs[2 * i + 1] == NULL || pairs[2 * i + 1][0] == '\0')
			continue;
		cells[1] = pairs[2 * i];
		cells[2] = pairs[2 * i + 1];
		screen_table_row(t, cells);
		any = true;
	}
	if (any)
		screen_table_print(t, out, width);
	screen_table_free(t);
}

static void
text_asset(FILE *out, const struct asset *a, int width)
{
	const struct field *state = field_find(asset_fields, "state");
	const struct field *errors = field_find(asset_fields, "errors");
	char *state_text = field_format(state, a);
	char *errors_text = field_format(errors, a);
	const char *pairs[] = {
		"make", a->make,
		"model", a->model,
		"serial", a->serial,
		"mac", a->mac,
		"address", a->ip,
		"hostname", a->hostname,
		"location", a->location,
		"asset tag", a->asset_tag,
		"firmware", a->firmware,
		"state", state_text,
		"errors", a->errors > 0 ? errors_text : NULL,
	};

	text_pairs(out, pairs, sizeof(pairs) / sizeof(pairs[0]) / 2, width);
	free(state_text);
	free(errors_text);
}

static void
text_counters(FILE *out, const struct asset *a, int width)
{
	static const char *const columns[] = { " ", "COUNTER", ">VALUE",
		"UNIT", "CHECK", NULL };
	struct screen_table *t;
	const char *cells[5] = { "" };
	char value[32];
	size_t i;

	if (a->counters_len == 0)
		return;
	t = screen_table_new(columns);
	for (i = 0; i < a->counters_len; i++) {
		const struct counter *c = &a->counters[i];

		snprintf(value, sizeof(value), "%" PRId64, c->value);
		cells[1] = c->name;
		cells[2] = c->value == ABSENT ? NULL : value;
		cells[3] = keyword_of(words_unit, c->unit);
		cells[4] = c->check == CHECK_NONE ? NULL :
		    keyword_of(words_check, c->check);
		screen_table_row(t, cells);
	}
	putc('\n', out);
	screen_table_print(t, out, width);
	screen_table_free(t);
}

/* "1200 of 5000 impressions", as much of it as there is to say.  Negative
 * numbers are codes, which the state names. */
static void
level_text(const struct consumable *c, char *text, size_t size)
{
	const char *unit = keyword_of(words_unit, c->unit);

	text[0] = '\0';
	if (c->level == ABSENT || c->level < 0 ||
	    (c->capacity == 100 && c->percent == c->level))
		return;
	if (c->capacity > 0)
		snprintf(text, size, "%" PRId64 " of %" PRId64 "%s%s",
		    c->level, c->capacity, unit != NULL ? " " : "",
		    unit != NULL ? unit : "");
	else
		snprintf(text, size, "%" PRId64 "%s%s", c->level,
		    unit != NULL ? " " : "", unit != NULL ? unit : "");
}

static void
text_consumables(FILE *out, const struct printer *p, int width)
{
	static const char *const columns[] = { " ", "SUPPLY", "COLOUR",
		"LEFT", "", "STATE", "LEVEL", NULL };
	struct screen_table *t;
	const char *cells[7] = { "" };
	char bar[SCREEN_BAR_MAX], percent[32], level[64];
	size_t i;

	if (p->consumables_len == 0)
		return;
	t = screen_table_new(columns);
	for (i = 0; i < p->consumables_len; i++) {
		const struct consumable *c = &p->consumables[i];
		bool known = c->percent >= 0 && c->percent <= 100;

		snprintf(percent, sizeof(percent), "%3" PRId64 " %%",
		    c->percent);
		level_text(c, level, sizeof(level));
		cells[1] = c->description != NULL ? c->description :
		    keyword_of(words_supply_kind, c->kind);
		cells[2] = c->colour;
		cells[3] = known ? screen_bar(c->percent, BAR_CELLS, bar) :
		    NULL;
		cells[4] = known ? percent : NULL;
		cells[5] = words_supply_shown(c);
		cells[6] = level;
		screen_table_row(t, cells);
	}
	putc('\n', out);
	screen_table_print(t, out, width);
	screen_table_free(t);
}

static void
text_alerts(FILE *out, const struct printer *p, int width)
{
	static const char *const columns[] = { " ", "SEVERITY", "ALERT",
		"AT", NULL };
	struct screen_table *t;
	const char *cells[4] = { "" };
	char code[32], at[64];
	size_t i;

	if (p->alerts_len == 0)
		return;
	t = screen_table_new(columns);
	for (i = 0; i < p->alerts_len; i++) {
		const struct alert *a = &p->alerts[i];
		const char *word = keyword_of(words_alert_group, a->group);

		/* The panel's words; JSON has the code beside them. */
		snprintf(code, sizeof(code), "code %" PRId64, a->code);
		cells[1] = keyword_of(words_alert_severity, a->severity);
		if (cells[1] != NULL && strncmp(cells[1], "warning", 7) == 0)
			cells[1] = "warning";
		cells[2] = a->description != NULL ? a->description :
		    a->code_name != NULL ? a->code_name :
		    a->code != ABSENT ? code : NULL;
		at[0] = '\0';
		if (word != NULL && a->group_index > 0)
			snprintf(at, sizeof(at), "%s %" PRId64, word,
			    a->group_index);
		else if (word != NULL)
			snprintf(at, sizeof(at), "%s", word);
		cells[3] = at;
		screen_table_row(t, cells);
	}
	putc('\n', out);
	screen_table_print(t, out, width);
	screen_table_free(t);
}

/* Words onto lines of at most width columns; a printer may have said some of
 * them, so no controls. */
static void
text_wrapped(FILE *out, const char *text, int width)
{
	char *copy = xstrdup(text), *word, *save = NULL;
	int at = 0, w;

	for (word = copy; *word != '\0'; word++)
		if ((unsigned char)*word < ' ' || *word == 0x7f)
			*word = '?';
	for (word = strtok_r(copy, " ", &save); word != NULL;
	    word = strtok_r(NULL, " ", &save)) {
		w = screen_width(word);
		if (at > 0 && at + 1 + w > width - 2) {
			putc('\n', out);
			at = 0;
		}
		at += fprintf(out, "%s", at == 0 ? "  " : " ") + w;
		fputs(word, out);
	}
	putc('\n', out);
	free(copy);
}

void
finding_text(FILE *out, const struct finding *f, int width)
{
	const struct printer *p;
	size_t i;

	for (i = 0; i < f->printers_len; i++) {
		p = &f->printers[i];
		fprintf(out, "%s%s\n", f->host,
		    f->printer ? "" : ": not a printer that can be read");
		if (f->reason != NULL)
			text_wrapped(out, f->reason, width);
		if (f->odd != NULL) {
			char *line = xasprintf("note: %s", f->odd);

			text_wrapped(out, line, width);
			free(line);
		}
		text_asset(out, &p->asset, width);
		text_counters(out, &p->asset, width);
		text_consumables(out, p, width);
		text_alerts(out, p, width);
		putc('\n', out);
	}
}
