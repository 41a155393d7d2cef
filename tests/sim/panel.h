/*
 * What happens to a printer in an office: paper jams, toner runs out and is
 * replaced, pages are printed, somebody pulls the plug.  Every change is noted
 * in the truth.
 */
#ifndef SIM_PANEL_H
#define SIM_PANEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "tests/sim/device.h"

struct alert {
	int32_t		 code, severity, training, group, group_index, location;
	const char	*text;
	uint16_t	 bits;		/* of hrPrinterDetectedErrorState */
};

/* Error bits by keyword ("jammed,doorOpen") or as four hex digits ("0400").
 * 0 or -1. */
int	 panel_bits(const char *text, uint16_t *bits);

/* The alerts that the walk starts with show in the status. */
void	 panel_start(struct device *);

/* The name of a cell of prtAlertTable. */
struct oid panel_alert_cell(const struct device *, uint32_t column,
	    uint32_t index);
/* The row that was raised last of those that stand; 0: there is none. */
uint32_t panel_newest(const struct device *);

/* A new row of prtAlertTable; its index. */
uint32_t panel_raise(struct device *, struct truth *, const struct alert *,
	    int64_t now_ms);
/* Removes the row; with trace, as binary alerts may do, a row of
 * alertRemovalOfBinaryChangeEntry tells of it.  0, or -1: no such row. */
int	 panel_clear(struct device *, struct truth *, uint32_t index,
	    bool trace, int64_t now_ms);
/* All rows; how many. */
size_t	 panel_clear_all(struct device *, struct truth *, int64_t now_ms);

/* The level of a supply, and where the maker's own objects repeat it.  0, or
 * -1 when there is no such row. */
int	 panel_level(struct device *, struct truth *, uint32_t row,
	    int64_t level);
/* A new cartridge: full, with another serial number where the description
 * carries one (serial NULL: made up), and the row's alerts cleared. */
int	 panel_replace(struct device *, struct truth *, uint32_t row,
	    const char *serial, int64_t now_ms);
/* Pages through the engine: every counter that the walk ties together. */
void	 panel_print(struct device *, struct truth *, uint32_t pages,
	    bool colour);
/* prtGeneralConfigChanges moves.  0, or -1 when there is none. */
int	 panel_config(struct device *, struct truth *);
/* Off and on again. */
void	 panel_restart(struct device *, struct truth *, int64_t now_ms);
/* Standby in hrPrinterStatus, or idle again. */
void	 panel_sleep(struct device *, struct truth *, bool on);

#endif
