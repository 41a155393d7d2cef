/* The commands themselves, by what they are about. */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "base/buf.h"
#include "tests/sim/lan.h"

/* One running command.  It returns 0, or -1 with the reason in out. */
struct run {
	struct lan	*lan;
	struct device	*device;	/* when the command names one */
	char		**arg;		/* after command and address */
	int		 args;
	struct buf	*out;		/* what follows "ok" or "error" */
};
int	 run_wrong(struct run *, const char *text);
int	 run_integer(const char *text, int64_t *out);

/* run.c: values, and what happens to a printer */
int	 run_get(struct run *);
int	 run_set(struct run *);
int	 run_unset(struct run *);
int	 run_bump(struct run *);
int	 run_alert(struct run *);
int	 run_level(struct run *);
int	 run_replace(struct run *);
int	 run_print(struct run *);
int	 run_config(struct run *);
int	 run_restart(struct run *);
int	 run_uptime(struct run *);
int	 run_asleep(struct run *);
int	 run_asleepdata(struct run *);

/* run_lan.c: addresses, SNMP itself, and what is known of it all */
int	 run_move(struct run *);
int	 run_swap(struct run *);
int	 run_add(struct run *);
int	 run_remove(struct run *);
int	 run_latency(struct run *);
int	 run_engine(struct run *);
int	 run_skew(struct run *);
int	 run_trap(struct run *);
int	 run_record(struct run *);
int	 run_list(struct run *);
int	 run_stats(struct run *);
int	 run_asked(struct run *);
int	 run_changes(struct run *);
int	 run_reset(struct run *);

#endif
