/*
 * Fills an agent's outbox as an outage would, in seconds: the same calls that
 * the collector makes, with printers that exist nowhere.
 *
 * usage: stock STATE_DIR FIRST PRINTERS REPORTS
 *
 * Each printer is told whole; of the other reports one in twenty raises an
 * alert and one clears it (urgent, as the first ones), a third of the rest are
 * levels, the others counters.  FIRST is the number of the first printer: new
 * numbers are new printers.  The agent may run, or not.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/outbox.h"
#include "agent/store.h"
#include "base/log.h"
#include "bench/invent.h"
#include "crypto/key.h"

#define COMMIT	500	/* reports */

static enum lane
next_report(struct invented *p, int64_t number, int64_t printers,
    struct report *r)
{
	int64_t turn = number / printers;

	p->pages += 7;
	if (turn == 0) {
		invent_whole(p, r);
		return LANE_URGENT;
	}
	/* Not all printers at once. */
	turn += p->number;
	if (turn % 20 == 0 || (turn % 20 == 10 && p->alert[0] != '\0')) {
		invent_jam(p, turn % 20 == 10, r);
		return LANE_URGENT;
	}
	if (turn % 3 == 0)
		invent_level(p, (int)(turn / 3 % INVENT_SUPPLIES), r);
	else
		invent_counters(p, r);
	return LANE_BULK;
}

static int
fill(struct store *st, struct invented *all, int64_t printers,
    int64_t reports)
{
	struct invented *p;
	struct report r;
	enum lane lane;
	int64_t i;
	int n;

	for (i = 0; i < reports; i++) {
		p = &all[i % printers];
		if (i % COMMIT == 0 && store_begin(st) == -1)
			return -1;
		report_init(&r);
		lane = next_report(p, i, printers, &r);
		n = outbox_append(st, &r, lane, p->id);
		report_clear(&r);
		if (n != 1)
			return -1;
		if ((i % COMMIT == COMMIT - 1 || i == reports - 1) &&
		    store_commit(st) == -1)
			return -1;
	}
	return 0;
}

int
main(int argc, char *argv[])
{
	struct outbox_count count;
	struct invented *all;
	struct store *st;
	int64_t first, printers, reports, i;
	int rc = 1;

	if (argc != 5)
		return 2;
	first = atoll(argv[2]);
	printers = atoll(argv[3]);
	reports = atoll(argv[4]);
	if (printers < 1 || reports < printers)
		return 2;
	log_init("stock", true, false);
	if (key_library_init() == -1 || (st = store_open(argv[1])) == NULL)
		return 1;
	all = xcalloc((size_t)printers, sizeof(*all));
	for (i = 0; i < printers; i++)
		invent_printer(&all[i], first + i);
	if (fill(st, all, printers, reports) == 0 &&
	    outbox_count(st, &count) == 0) {
		printf("{\"reports\": %lld, \"urgent\": %lld, \"bulk\": %lld, "
		    "\"bytes\": %lld}\n", (long long)count.depth,
		    (long long)count.lane[LANE_URGENT].depth,
		    (long long)count.lane[LANE_BULK].depth,
		    (long long)count.bytes);
		rc = 0;
	}
	free(all);
	store_close(st);
	return rc;
}
