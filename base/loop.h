/*
 * One loop per process: file descriptors, timers, signals.  Nothing called
 * from here may block.  A callback may add and remove anything, itself
 * included.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

struct loop	*loop_new(void);
void		 loop_free(struct loop *);
/* Runs until loop_stop(), or until nothing is registered any more (a signal
 * counts). */
void		 loop_run(struct loop *);
void		 loop_stop(struct loop *);
/* Waits at most wait_ms (-1 for ever) and runs what is due, once: descriptors
 * first, so that what has come is never taken for late. */
void		 loop_once(struct loop *, int wait_ms);
/* How long, in all, turns took that took more than a tenth of a second: so
 * long nobody was listened to, and that is not the others' fault. */
int64_t		 loop_stalled_ms(const struct loop *);

#define LOOP_READ	1u
#define LOOP_WRITE	2u

typedef void	 loop_fd_fn(void *arg, int fd, unsigned events);
/* Watches fd for events (LOOP_READ | LOOP_WRITE; errors and hang-up come as
 * whatever was asked for); called again it changes them; 0 events forgets.
 * The loop never closes fd: forget it before closing it. */
void		 loop_watch(struct loop *, int fd, unsigned events,
		    loop_fd_fn *, void *arg);

/* A timer lives inside its owner's struct; zero it before the first use.
 * Thousands are cheap (binary heap). */
struct timer {
	int64_t	 at_ms;			/* monotonic */
	void	(*fn)(void *arg);
	void	*arg;
	size_t	 slot;			/* the loop's; 0 when idle */
	uint64_t order;			/* the loop's; ties go by age */
};
/* Sets (or moves) the timer to fire once at monotonic at_ms. */
void		 timer_set(struct loop *, struct timer *, int64_t at_ms,
		    void (*fn)(void *arg), void *arg);
/* The same, after_ms from now. */
void		 timer_after(struct loop *, struct timer *, int64_t after_ms,
		    void (*fn)(void *arg), void *arg);
void		 timer_clear(struct loop *, struct timer *);
bool		 timer_pending(const struct timer *);

/* Something to do once before the loop waits again: for what is better done
 * for a whole turn's work at once.  Lives inside its owner's struct; zero it
 * before the first use. */
struct later {
	void		(*fn)(void *arg);
	void		 *arg;
	struct later	 *next, **at;	/* the loop's; at is NULL when idle */
};
/* Nothing when it is pending already.  What is asked for from inside fn waits
 * for the next turn. */
void		 loop_later(struct loop *, struct later *,
		    void (*fn)(void *arg), void *arg);
void		 later_clear(struct loop *, struct later *);

/* Calls fn from the loop (not from the handler) when signo arrived; NULL
 * gives the signal back to whom it belonged.  Only one loop of a process may
 * have signals.  A child that goes on after fork() frees its copy of the loop
 * first, and uses nothing else of it. */
void		 loop_signal(struct loop *, int signo,
		    void (*fn)(void *arg, int signo), void *arg);

#endif
