#include "base/json.h"

#include <string.h>
#include <inttypes.h>

#include "base/utf8.h"

void
json_start(struct json *j, struct buf *out)
{
	j->out = out;
	j->comma = false;
	j->depth = 0;
}

static void
json_text(struct buf *out, const char *text)
{
	size_t len = strlen(text), n;
	uint32_t c;

	buf_putc(out, '"');
	for (; len != 0; text += n, len -= n) {
		if ((n = utf8_decode(text, len, &c)) == 0) {
			buf_puts(out, "\xef\xbf\xbd");
			n = 1;
		} else if (c == '"' || c == '\\') {
			buf_putc(out, '\\');
			buf_putc(out, (char)c);
		} else if (c == '\n') {
			buf_puts(out, "\\n");
		} else if (c == '\r') {
			buf_puts(out, "\\r");
		} else if (c == '\t') {
			buf_puts(out, "\\t");
		} else if (utf8_control(c)) {
			/* More than RFC 8259 asks: it may be read in a
			 * terminal. */
			buf_printf(out, "\\u%04" PRIx32, c);
		} else
			buf_put(out, text, n);
	}
	buf_putc(out, '"');
}

static void
json_line(struct json *j)
{
	buf_printf(j->out, "\n%*s", 2 * j->depth, "");
}

/* What stands before every value. */
static void
json_lead(struct json *j, const char *key)
{
	if (j->depth > 0) {
		if (j->comma)
			buf_putc(j->out, ',');
		json_line(j);
	}
	if (key != NULL) {
		json_text(j->out, key);
		buf_puts(j->out, ": ");
	}
	j->comma = true;
}

static void
json_open(struct json *j, const char *key, char c)
{
	json_lead(j, key);
	buf_putc(j->out, c);
	j->depth++;
	j->comma = false;
}

static void
json_close(struct json *j, char c)
{
	j->depth--;
	if (j->comma)
		json_line(j);
	buf_putc(j->out, c);
	j->comma = true;
	if (j->depth == 0)
		buf_putc(j->out, '\n');
}

void
json_object(struct json *j, const char *key)
{
	json_open(j, key, '{');
}

void
json_object_end(struct json *j)
{
	json_close(j, '}');
}

void
json_array(struct json *j, const char *key)
{
	json_open(j, key, '[');
}

void
json_array_end(struct json *j)
{
	json_close(j, ']');
}

void
json_string(struct json *j, const char *key, const char *value)
{
	if (value == NULL) {
		json_null(j, key);
		return;
	}
	json_lead(j, key);
	json_text(j->out, value);
}

void
json_int(struct json *j, const char *key, int64_t value)
{
	json_lead(j, key);
	buf_printf(j->out, "%" PRId64, value);
}

void
json_bool(struct json *j, const char *key, bool value)
{
	json_lead(j, key);
	buf_puts(j->out, value ? "true" : "false");
}

void
json_null(struct json *j, const char *key)
{
	json_lead(j, key);
	buf_puts(j->out, "null");
}
