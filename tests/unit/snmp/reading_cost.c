/*
 * What a visit costs us apart from the network: reading_cost FILE.snmprec ...
 * answers each course of questions from the file, then times our side of it
 * with the same answers again and again: deciding and remembering what to ask
 * (start, next), taking answers (take), merging them (merge), and decoding the
 * image (decode).  And what an image needs when there are many of its model.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "snmp/course.h"
#include "snmp/printer.h"
#include "snmp/reading.h"
#include "snmp/vendor.h"

#ifndef ROUNDS
#define ROUNDS		2000
#endif
#define CLONES		200
#define LIMIT		24	/* varbinds in a request */
#define ANSWERS_MAX	200

struct answer {
	struct talk_varbind	*vb;
	size_t			 n;
};

/* A device, and what it answered to one course of questions. */
struct device {
	struct bag	*all;
	struct objid	*ids;		/* all's, in order */
	struct answer	 answer[ANSWERS_MAX];
	size_t		 answers;
};

enum stage { START, NEXT, TAKE, END, MERGE, DECODE, STAGES };
static double	spent[STAGES];		/* in microseconds, of all rounds */

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void
lap(enum stage stage, double *since)
{
	double now = now_us();

	spent[stage] += now - *since;
	*since = now;
}

static void
load(struct device *d, const char *path)
{
	static const struct objid all;
	struct bag_value value;
	size_t n = 0, cursor = 0;
	char why[200];
	FILE *fp;

	memset(d, 0, sizeof(*d));
	if ((fp = fopen(path, "r")) == NULL) {
		perror(path);
		exit(1);
	}
	d->all = bag_new();
	bag_read_snmprec(d->all, fp, why, sizeof(why));
	fclose(fp);
	d->ids = xreallocarray(NULL, bag_count(d->all) + 1,
	    sizeof(*d->ids));
	while (bag_next(d->all, &all, &cursor, &d->ids[n], &value))
		n++;
}

static void
answer_one(const struct device *d, enum talk_op op, const struct objid *asked,
    struct talk_varbind *vb)
{
	size_t low = 0, high = bag_count(d->all), middle;

	objid_copy(&vb->id, asked);
	if (op == TALK_GET) {
		vb->missing = !bag_get(d->all, asked, &vb->value);
		return;
	}
	while (low < high) {
		middle = low + (high - low) / 2;
		if (objid_cmp(&d->ids[middle], asked) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	vb->missing = low == bag_count(d->all);
	if (!vb->missing) {
		objid_copy(&vb->id, &d->ids[low]);
		(void)bag_get(d->all, &vb->id, &vb->value);
	}
}

static struct answer
answer(const struct device *d, const struct talk_question *q)
{
	size_t rows = q->op == TALK_GETBULK ? q->repetitions : 1, i;
	size_t wide = q->n - q->non_repeaters;
	struct answer a = { .n = q->non_repeaters + wide * rows };

	a.vb = calloc(a.n, sizeof(*a.vb));
	for (i = 0; i < a.n; i++)
		answer_one(d, q->op, i < q->n ? &q->ids[i] :
		    &a.vb[i - wide].id, &a.vb[i]);
	return a;
}

static void
start(struct course *c, unsigned what, const struct bag *image, bool bulk)
{
	memset(c, 0, sizeof(*c));
	c->bulk = bulk;
	if (what & READING_ALL)
		course_start_all(c, image);
	else
		course_start_known(c, what, image);
}

/* One course to its end; answers are recorded when there are none yet.
 * Returns what it brought. */
static struct bag *
run(struct device *d, unsigned what, const struct bag *image, bool bulk,
    struct objid **covered, size_t *covered_len, size_t *varbinds)
{
	struct objid ids[TALK_VARBINDS_MAX];
	struct talk_question q;
	struct course c;
	struct bag *fresh;
	size_t n = 0;
	double at = now_us();

	start(&c, what, image, bulk);
	lap(START, &at);
	for (;;) {
		if (errand_next(c.errand, LIMIT, &q, ids) == 0) {
			enum course_turn turn = course_advance(&c);

			lap(START, &at);
			if (turn != COURSE_ON)
				break;
			continue;
		}
		lap(NEXT, &at);
		if (n == d->answers) {
			d->answer[d->answers++] = answer(d, &q);
			*varbinds += q.n;
			at = now_us();
		}
		errand_take(c.errand, d->answer[n].vb, d->answer[n].n,
		    c.fresh);
		n++;
		lap(TAKE, &at);
		if (course_ripe(&c))
			course_advance(&c);
	}
	if (what & READING_ALL) {
		static const struct objid everything;

		*covered = xmalloc(sizeof(everything));
		objid_copy(*covered, &everything);
		*covered_len = 1;
	} else
		course_covered(&c, covered, covered_len);
	vendor_sample(c.fresh);
	fresh = c.fresh;
	c.fresh = NULL;
	course_clear(&c);
	lap(END, &at);
	return fresh;
}

static void
forget_answers(struct device *d)
{
	while (d->answers > 0)
		free(d->answer[--d->answers].vb);
}

/* Times a course against an image that all is already in. */
static void
measure(struct device *d, const char *name, unsigned what, bool known,
    bool bulk, struct bag *image)
{
	struct objid *covered = NULL;
	size_t covered_len = 0, varbinds = 0, i;
	struct bag *fresh, *into = known ? image : NULL;
	double at, sum = 0;

	bag_free(run(d, what, into, bulk, &covered, &covered_len,
	    &varbinds));
	free(covered);
	memset(spent, 0, sizeof(spent));
	for (i = 0; i < ROUNDS; i++) {
		covered = NULL;
		covered_len = 0;
		fresh = run(d, what, into, bulk, &covered, &covered_len,
		    &varbinds);
		at = now_us();
		bag_merge(image, fresh, covered, covered_len);
		bag_free(fresh);
		free(covered);
		lap(MERGE, &at);
	}
	for (i = 0; i < STAGES; i++)
		sum += spent[i] / ROUNDS;
	printf("  %-22s %2zu requests %3zu varbinds %6.1f us: start %.1f "
	    "next %.1f take %.1f end %.1f merge %.1f\n", name, d->answers,
	    varbinds, sum, spent[START] / ROUNDS, spent[NEXT] / ROUNDS,
	    spent[TAKE] / ROUNDS, spent[END] / ROUNDS,
	    spent[MERGE] / ROUNDS);
	forget_answers(d);
}

/* Puts something of its own into what each machine has of its own. */
static void
clone(struct bag *bag, unsigned n)
{
	struct objid id;
	char text[40];

	snprintf(text, sizeof(text), "SN%08u", n);
	objid_parse("1.3.6.1.2.1.43.5.1.1.17.1", &id);
	bag_put_octets(bag, &id, BAG_OCTETS, text, strlen(text));
	snprintf(text, sizeof(text), "host%u", n);
	objid_parse("1.3.6.1.2.1.1.5.0", &id);
	bag_put_octets(bag, &id, BAG_OCTETS, text, strlen(text));
	snprintf(text, sizeof(text), "1.3.6.1.2.1.4.20.1.2.10.1.%u.%u",
	    n / 200, n % 200 + 1);
	objid_parse(text, &id);
	bag_put_number(bag, &id, BAG_INTEGER, 1);
	objid_parse("1.3.6.1.2.1.2.2.1.6.1", &id);
	bag_put_octets(bag, &id, BAG_OCTETS, text, 6);
	snprintf(text, sizeof(text), "1.3.6.1.2.1.43.18.1.1.7.1.%u", n + 1);
	objid_parse(text, &id);
	bag_put_number(bag, &id, BAG_INTEGER, 8);
}

static void
measure_size(const struct bag *image)
{
	static const struct objid all;
	struct bag *clones[CLONES], *loose;
	size_t i, size = 0, count = 0, cursor;
	struct bag_value value;
	struct objid id;

	for (i = 0; i < CLONES; i++) {
		loose = bag_new();
		for (cursor = 0; bag_next(image, &all, &cursor, &id, &value); )
			bag_put(loose, &id, &value);
		clone(loose, (unsigned)i);
		clones[i] = bag_new();
		bag_merge(clones[i], loose, NULL, 0);
		if (i == 0)
			printf("  %zu octets loose, ", bag_size(loose));
		bag_free(loose);
	}
	for (i = 0; i < CLONES; i++) {
		size += bag_size(clones[i]);
		count += bag_count(clones[i]);
	}
	printf("%zu octets each of %d, %.1f a value\n", size / CLONES, CLONES,
	    (double)size / (double)count);
	for (i = 0; i < CLONES; i++)
		bag_free(clones[i]);
}

static void
measure_decode(const struct bag *image)
{
	int64_t rows[PRINTER_ROWS_MAX];
	struct printer p;
	char why[200];
	size_t i;
	double at = now_us();

	spent[DECODE] = 0;
	if (printer_rows(image, rows, why, sizeof(why)) == 0)
		return;
	for (i = 0; i < ROUNDS; i++) {
		printer_decode(image, rows[0], "127.0.0.1", 1800000000000,
		    &p);
		printer_clear(&p);
	}
	lap(DECODE, &at);
	printf("  decode %.1f us", spent[DECODE] / ROUNDS);
	for (i = 0; i < ROUNDS; i++)
		(void)vendor_match(image);
	spent[DECODE] = 0;
	lap(DECODE, &at);
	printf(", of which vendor_match %.1f us\n", spent[DECODE] / ROUNDS);
}

int
main(int argc, char *argv[])
{
	struct objid *covered;
	struct device d;
	struct bag *fresh, *image;
	size_t covered_len, varbinds;
	int i;

	vendor_load(NULL, NULL, NULL, NULL);
	for (i = 1; i < argc; i++) {
		load(&d, argv[i]);
		image = bag_new();
		covered = NULL;
		covered_len = varbinds = 0;
		fresh = run(&d, READING_ALL, NULL, false, &covered,
		    &covered_len, &varbinds);
		forget_answers(&d);
		bag_merge(image, fresh, covered, covered_len);
		bag_free(fresh);
		free(covered);
		printf("%s: %zu values\n", argv[i], bag_count(image));
		measure_size(image);
		measure(&d, "all, from nothing", READING_ALL, false, false,
		    image);
		measure(&d, "all, known", READING_ALL, true, false, image);
		measure(&d, "all, known, bulk", READING_ALL, true, true,
		    image);
		measure(&d, "known parts", READING_HEARTBEAT |
		    READING_SUPPLIES | READING_COUNTERS | READING_ALERTS,
		    true, false, image);
		measure(&d, "supplies", READING_SUPPLIES, true, false, image);
		measure(&d, "heartbeat", READING_HEARTBEAT, true, false,
		    image);
		measure_decode(image);
		bag_free(image);
		bag_free(d.all);
		free(d.ids);
	}
	return 0;
}
