/*
 * Decodes snmprec files without a network and prints what they say, in the
 * form of platen probe --json: truth_dump FILE ...
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "schema/recjson.h"
#include "snmp/printer.h"

static void
dump_printer(struct json *j, const struct printer *p)
{
	size_t	 i;

	json_object(j, "asset");
	recjson_fields(j, asset_fields, &p->asset, true);
	json_object_end(j);
	json_array(j, "counters");
	for (i = 0; i < p->asset.counters_len; i++) {
		json_object(j, NULL);
		recjson_fields(j, counter_fields, &p->asset.counters[i],
		    true);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "consumables");
	for (i = 0; i < p->consumables_len; i++) {
		json_object(j, NULL);
		recjson_fields(j, consumable_fields, &p->consumables[i],
		    true);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "alerts");
	for (i = 0; i < p->alerts_len; i++) {
		json_object(j, NULL);
		recjson_fields(j, alert_fields, &p->alerts[i], true);
		json_object_end(j);
	}
	json_array_end(j);
}

static void
dump_file(struct json *j, const char *path)
{
	struct bag	*bag = bag_new();
	struct printer	 p;
	int64_t		 rows[PRINTER_ROWS_MAX];
	char		 why[200] = "", bad[200] = "";
	size_t		 n, i;
	FILE		*fp = fopen(path, "r");

	if (fp == NULL) {
		perror(path);
		exit(1);
	}
	if (bag_read_snmprec(bag, fp, bad, sizeof(bad)) == -1)
		fprintf(stderr, "%s: %s\n", path, bad);
	fclose(fp);
	n = printer_rows(bag, rows, why, sizeof(why));
	fprintf(stderr, "%s: %zu values in %zu octets, %zu printers\n", path,
	    bag_count(bag), bag_size(bag), n);
	for (i = 0; i < (n == 0 ? 1 : n); i++) {
		printer_decode(bag, n == 0 ? -1 : rows[i], "127.0.0.1",
		    1800000000000, &p);
		json_object(j, NULL);
		json_string(j, "host", path);
		json_bool(j, "printer", n > 0);
		json_string(j, "reason", n > 0 ? NULL : why);
		json_string(j, "key", p.asset.key);
		dump_printer(j, &p);
		json_object_end(j);
		printer_clear(&p);
	}
	bag_free(bag);
}

int
main(int argc, char *argv[])
{
	struct buf	 out = { 0 };
	struct json	 j;
	int		 i;

	json_start(&j, &out);
	json_array(&j, NULL);
	for (i = 1; i < argc; i++)
		dump_file(&j, argv[i]);
	json_array_end(&j);
	puts(out.data);
	buf_free(&out);
	return 0;
}
