/* Giving up what a process does not need before it reads foreign bytes. */
#ifndef BASE_DROP_H
#define BASE_DROP_H

/*
 * As root: becomes user (its groups and no others); otherwise, or with user
 * NULL, does nothing.  Always: no core dumps, no new privileges, not
 * traceable.  0, or -1, logged.
 */
int	 drop_privileges(const char *user);
/* Just the last part. */
int	 drop_dumps(void);

#endif
