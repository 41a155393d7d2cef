/*
 * Power cuts for whole programs that run with oplog.so.
 *
 *	cut begin DIR LOG	a new LOG that begins with what is in DIR
 *	cut leave LOG SEED DIR	makes in DIR what a cut at LOG's end leaves
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/power/oplog.h"
#include "tests/power/outage.h"

int
main(int argc, char *argv[])
{
	struct outage *o;

	if (argc == 4 && strcmp(argv[1], "begin") == 0) {
		oplog_begin(argv[2], argv[3]);
		oplog_end();
		return 0;
	}
	if (argc != 5 || strcmp(argv[1], "leave") != 0) {
		fprintf(stderr, "usage: cut begin DIR LOG\n"
		    "       cut leave LOG SEED DIR\n");
		return 2;
	}
	o = outage_load(argv[2]);
	(void)outage_leave(o, outage_moments(o) - 1,
	    strtoull(argv[3], NULL, 10), argv[4]);
	outage_free(o);
	return 0;
}
