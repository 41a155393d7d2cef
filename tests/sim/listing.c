#include "tests/sim/listing.h"

#include "base/json.h"

static void
list_device(struct json *json, struct device *d)
{
	static const uint32_t name_id[] = { 1, 3, 6, 1, 2, 1, 1, 5, 0 };
	char address[ADDRESS_TEXT_MAX];
	const struct value *v = view_get(&d->view, name_id, 9);
	struct buf text = { 0 };

	json_object(json, NULL);
	json_string(json, "host", address_format(d->addr, address));
	json_string(json, "spec", d->spec);
	json_int(json, "number", d->number);
	if (v != NULL)
		value_text(v, &text);
	json_string(json, "name", v == NULL ? NULL :
	    text.data != NULL ? text.data : "");
	json_int(json, "alerts", (int64_t)d->raised_len);
	json_bool(json, "silent", d->fault != NULL && d->fault->silent);
	json_object_end(json);
	buf_free(&text);
}

void
listing_devices(const struct lan *lan, struct buf *out)
{
	struct device *d;
	struct json json;

	json_start(&json, out);
	json_array(&json, NULL);
	for (d = lan_from(lan, 0); d != NULL; d = lan_from(lan, d->addr + 1))
		list_device(&json, d);
	json_array_end(&json);
}

static void
add_traffic(struct traffic *sum, const struct traffic *t)
{
	const uint64_t *from = (const uint64_t *)t;
	uint64_t *to = (uint64_t *)sum;
	size_t i;

	for (i = 0; i < sizeof(*t) / sizeof(uint64_t); i++)
		to[i] += from[i];
}

static void
list_traffic(struct json *json, const struct traffic *t)
{
	json_int(json, "requests", (int64_t)t->requests);
	json_int(json, "gets", (int64_t)t->gets);
	json_int(json, "nexts", (int64_t)t->nexts);
	json_int(json, "bulks", (int64_t)t->bulks);
	json_int(json, "sets", (int64_t)t->sets);
	json_int(json, "v1", (int64_t)t->v1);
	json_int(json, "v2c", (int64_t)t->v2c);
	json_int(json, "v3", (int64_t)t->v3);
	json_int(json, "varbinds", (int64_t)t->varbinds);
	json_int(json, "answers", (int64_t)t->answers);
	json_int(json, "bytes_in", (int64_t)t->bytes_in);
	json_int(json, "bytes_out", (int64_t)t->bytes_out);
	json_int(json, "reports", (int64_t)t->reports);
	json_int(json, "denied", (int64_t)t->denied);
	json_int(json, "acknowledged", (int64_t)t->acknowledged);
	json_int(json, "malformed", (int64_t)t->malformed);
}

void
listing_traffic(struct lan *lan, const struct device *one, struct buf *out)
{
	struct traffic sum = { 0 };
	struct device *d;
	struct json json;

	json_start(&json, out);
	json_object(&json, NULL);
	if (one != NULL) {
		list_traffic(&json, &one->traffic);
		json_int(&json, "names", (int64_t)asked_count(&one->asked));
	} else {
		for (d = lan_from(lan, 0); d != NULL;
		    d = lan_from(lan, d->addr + 1))
			add_traffic(&sum, &d->traffic);
		list_traffic(&json, &sum);
		json_int(&json, "devices", (int64_t)lan_count(lan));
		json_int(&json, "stray", (int64_t)lan_stray(lan)->requests);
	}
	json_object_end(&json);
}

static void
list_name(void *arg, const uint32_t *sub, size_t len)
{
	char text[OID_TEXT_MAX];

	json_string(arg, NULL, oid_format(sub, len, text));
}

void
listing_names(const struct device *d, struct buf *out)
{
	struct json json;

	json_start(&json, out);
	json_array(&json, NULL);
	asked_each(&d->asked, list_name, &json);
	json_array_end(&json);
}
