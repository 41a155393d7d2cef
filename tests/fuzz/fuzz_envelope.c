/*
 * The envelope inside the seal, and the XML in it: what is read is written
 * such that it is read again as the same.
 */
#include <string.h>

#include "base/buf.h"
#include "schema/envelope.h"
#include "schema/report.h"
#include "schema/xmltree.h"
#include "tests/fuzz/must.h"

#define AGENT	"a@agents.test"
#define CENTRE	"centre.test"

static void
try_report(xmlNode *content)
{
	struct report	 report, again;
	struct buf	 xml = { 0 };
	char		 why[160] = "";

	if (report_read_node(content, &report, why, sizeof(why)) != 0) {
		must(why[0] != '\0');
		report_clear(&report);
		return;
	}
	if (report_try_write(&report, &xml) == 0) {
		must(report_read(xml.data, xml.len, &again, why,
		    sizeof(why)) == 0);
		must(again.assets_len == report.assets_len &&
		    again.consumables_len == report.consumables_len &&
		    again.alerts_len == report.alerts_len &&
		    again.agents_len == report.agents_len);
		report_clear(&again);
	}
	buf_free(&xml);
	report_clear(&report);
}

static void
try_again(const xmlNode *content)
{
	struct envelope	 envelope;
	struct buf	 text = { 0 }, plain = { 0 }, same = { 0 };
	char		 why[160] = "";

	xmltree_print(&text, content);
	envelope_write(&plain, text.data, text.len, AGENT, CENTRE, 0);
	must(plain.len % 64 == 0);
	/* Escapes may have made it longer than what is taken. */
	if (envelope_read(plain.data, plain.len, AGENT, CENTRE, &envelope,
	    why, sizeof(why)) != 0)
		must(strncmp(why, "longer than", 11) == 0);
	else {
		xmltree_print(&same, envelope.content);
		must(same.len == text.len &&
		    memcmp(same.data, text.data, text.len) == 0);
		envelope_clear(&envelope);
	}
	buf_free(&text);
	buf_free(&plain);
	buf_free(&same);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct envelope	 envelope;
	xmlNode		*report;
	char		 why[160] = "";

	log_hook(must_be_quiet, NULL);
	if (envelope_read((const char *)data, size, AGENT, CENTRE, &envelope,
	    why, sizeof(why)) != 0) {
		must(why[0] != '\0');
		return 0;
	}
	try_again(envelope.content);
	try_report(envelope.content);
	for (report = xmltree_child(envelope.content, "report", REPORT_NS);
	    report != NULL; report = xmltree_next(report))
		try_report(report);
	envelope_clear(&envelope);
	return 0;
}
