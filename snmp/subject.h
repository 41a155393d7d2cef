/*
 * One printer row inside a bag, while it is decoded: what the decoders of
 * this room share, and nobody else needs.
 */
#ifndef SNMP_SUBJECT_H
#define SNMP_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snmp/bag.h"
#include "snmp/vendor.h"

struct subject {
	const struct bag	*bag;
	const struct vendor	*vendor;	/* NULL: nobody known */
	uint32_t		 device;	/* hrDeviceIndex */
	bool			 printer;	/* false: device says nothing */
	bool			 several;	/* printers on this host */
	int64_t			 charset;	/* IANA MIBenum, or ABSENT */
	int64_t			 now_ms;	/* wall time of the reading */
};

/* device -1: the host itself, which is no printer. */
void	 subject_init(struct subject *, const struct bag *, int64_t device,
	    bool several, int64_t now_ms);

/* A row of a table by (device, row), or by the device alone: Pantum leaves
 * out the second part where there is but one row (printers.md 4). */
struct row {
	uint32_t	 number;
	bool		 bare;
};

#define SUBJECT_ROWS_MAX	512

/* The rows that any of the columns has, in order, the lowest max of them.
 * columns ends with NULL.  Returns how many. */
size_t	 subject_rows(const struct subject *, const char *const *columns,
	    struct row *out, size_t max);

/* Integer32 and Counter32 columns: ABSENT when missing or out of range, so
 * that no device can write the numbers that mean ABSENT and CLEARED here. */
int64_t	 subject_number(const struct subject *, const char *column,
	    struct row);
/* Enumerations, which SMI numbers from 1: ABSENT below, too. */
int64_t	 subject_enum(const struct subject *, const char *column, struct row);
int64_t	 subject_device_enum(const struct subject *, const char *column);
/* Text in the subject's charset; NULL when missing or empty.  The caller
 * frees. */
char	*subject_text(const struct subject *, const char *column, struct row);
char	*subject_device_text(const struct subject *, const char *column);
char	*subject_scalar_text(const struct subject *, const char *oid);

#endif
