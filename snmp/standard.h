/*
 * The standard objects that Platen asks for, and no others: MIB-II (RFC 1213,
 * RFC 2863), Host Resources (RFC 2790), Printer (RFC 3805), Port Monitor
 * (PWG 5107.1).  Reading asks for them, decoding looks them up in the bag.
 */
#ifndef SNMP_STANDARD_H
#define SNMP_STANDARD_H

#include <stddef.h>

/* Scalars, instance included. */
#define STD_SYS_DESCR		"1.3.6.1.2.1.1.1.0"
#define STD_SYS_OBJECT_ID	"1.3.6.1.2.1.1.2.0"
#define STD_SYS_UPTIME		"1.3.6.1.2.1.1.3.0"
#define STD_SYS_NAME		"1.3.6.1.2.1.1.5.0"
#define STD_SYS_LOCATION	"1.3.6.1.2.1.1.6.0"

/* Columns by ifIndex, and one by address. */
#define STD_IF_PHYS_ADDRESS	"1.3.6.1.2.1.2.2.1.6"
#define STD_IP_IF_INDEX		"1.3.6.1.2.1.4.20.1.2"

/* Columns by hrDeviceIndex. */
#define STD_DEVICE_TYPE		"1.3.6.1.2.1.25.3.2.1.2"
#define STD_DEVICE_DESCR	"1.3.6.1.2.1.25.3.2.1.3"
#define STD_DEVICE_STATUS	"1.3.6.1.2.1.25.3.2.1.5"
#define STD_PRINTER_STATUS	"1.3.6.1.2.1.25.3.5.1.1"
#define STD_PRINTER_ERRORS	"1.3.6.1.2.1.25.3.5.1.2"
#define STD_CONFIG_CHANGES	"1.3.6.1.2.1.43.5.1.1.1"
#define STD_LOCALIZATION	"1.3.6.1.2.1.43.5.1.1.2"
/* Not asked for: administrators write people's names into it. */
#define STD_PRINTER_NAME	"1.3.6.1.2.1.43.5.1.1.16"
#define STD_SERIAL		"1.3.6.1.2.1.43.5.1.1.17"
#define STD_CRITICAL_EVENTS	"1.3.6.1.2.1.43.5.1.1.18"
#define STD_ALL_EVENTS		"1.3.6.1.2.1.43.5.1.1.19"

/* Columns by hrDeviceIndex and row. */
#define STD_COVER_DESCR		"1.3.6.1.2.1.43.6.1.1.2"
#define STD_CHARACTER_SET	"1.3.6.1.2.1.43.7.1.1.4"
#define STD_INPUT_NAME		"1.3.6.1.2.1.43.8.2.1.13"
#define STD_INPUT_DESCR		"1.3.6.1.2.1.43.8.2.1.18"
#define STD_OUTPUT_NAME		"1.3.6.1.2.1.43.9.2.1.7"
#define STD_MARKER_UNIT		"1.3.6.1.2.1.43.10.2.1.3"
#define STD_MARKER_LIFE		"1.3.6.1.2.1.43.10.2.1.4"
#define STD_SUPPLY_COLORANT	"1.3.6.1.2.1.43.11.1.1.3"
#define STD_SUPPLY_CLASS	"1.3.6.1.2.1.43.11.1.1.4"
#define STD_SUPPLY_TYPE		"1.3.6.1.2.1.43.11.1.1.5"
#define STD_SUPPLY_DESCR	"1.3.6.1.2.1.43.11.1.1.6"
#define STD_SUPPLY_UNIT		"1.3.6.1.2.1.43.11.1.1.7"
#define STD_SUPPLY_CAPACITY	"1.3.6.1.2.1.43.11.1.1.8"
#define STD_SUPPLY_LEVEL	"1.3.6.1.2.1.43.11.1.1.9"
#define STD_COLORANT_VALUE	"1.3.6.1.2.1.43.12.1.1.4"
#define STD_ALERT_SEVERITY	"1.3.6.1.2.1.43.18.1.1.2"
#define STD_ALERT_TRAINING	"1.3.6.1.2.1.43.18.1.1.3"
#define STD_ALERT_GROUP		"1.3.6.1.2.1.43.18.1.1.4"
#define STD_ALERT_GROUP_INDEX	"1.3.6.1.2.1.43.18.1.1.5"
#define STD_ALERT_LOCATION	"1.3.6.1.2.1.43.18.1.1.6"
#define STD_ALERT_CODE		"1.3.6.1.2.1.43.18.1.1.7"
#define STD_ALERT_DESCR		"1.3.6.1.2.1.43.18.1.1.8"
#define STD_ALERT_TIME		"1.3.6.1.2.1.43.18.1.1.9"

/* Column by ppmPrinterIndex: the IEEE 1284 device id. */
#define STD_PORT_1284		"1.3.6.1.4.1.2699.1.2.1.2.1.1.3"

/*
 * Nobody's object: the reader's own copy of STD_MARKER_LIFE, put beside
 * vendor counters that were read at the same moment (vendor_sample()), so
 * that sums are compared with the total of that moment and not with a later
 * one.
 */
#define STD_LIFE_SAMPLED	"0.0.43.10.2.1.4"

/* When an object is wanted. */
#define STANDARD_IDENTIFY	1u	/* first of all: is it a printer */
#define STANDARD_STATIC		2u	/* once, and again when the
					 * configuration changed */
#define STANDARD_HEARTBEAT	4u	/* each poll */
/*
 * With the levels go capacity and description: another cartridge brings
 * another capacity (standard, high yield), without which the percentage is
 * wrong, and its serial number stands in the description.
 * prtGeneralConfigChanges does not move for either.
 */
#define STANDARD_SUPPLIES	8u
#define STANDARD_ALERTS		16u

enum standard_shape {
	STANDARD_SCALAR,	/* GET as it is */
	STANDARD_BY_DEVICE,	/* column.<hrDeviceIndex> */
	STANDARD_BY_ROW,	/* column.<hrDeviceIndex>.<row>; some leave
				 * out the row (Pantum) */
	STANDARD_COLUMN		/* another index: read the column */
};

struct standard_object {
	const char		*oid;	/* NULL ends */
	enum standard_shape	 shape;
	unsigned		 when;
};

extern const struct standard_object	standard_objects[];

#endif
