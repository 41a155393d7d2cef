#include "base/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define BATCH	64
#define STALL_MS	100	/* a turn that takes longer is one */
/* epoll_wait() does not count the time that the host is asleep: what became due
 * meanwhile is seen so long after it at the latest. */
#define LOOK_MS		10000
#define CATCH_UP	64	/* batches, at most, before timers have their turn */

/* One per file descriptor number.  An event that was fetched before its
 * watch went away (or the number came to mean another file) carries an older
 * generation, and is dropped; epoll is level-triggered, so what is still
 * true is told again. */
struct watch {
	loop_fd_fn	*fn;
	void		*arg;
	unsigned	 events;	/* 0: not watched */
	uint32_t	 generation;
};

struct loop_sig {
	void	(*fn)(void *, int);
	void	*arg;
	struct sigaction was;
};

struct loop {
	int		 epoll;
	bool		 stop;
	struct watch	*watches;
	size_t		 watches_len;
	size_t		 watched;
	struct timer	**heap;		/* from 1, the root is the next */
	size_t		 heap_len, heap_cap;
	uint64_t	 order;
	int64_t		 awake_ms;	/* mono: since this turn waits no more */
	int64_t		 stalled_ms;	/* in all turns before this one */
	struct later	*later, **later_end;
	size_t		 later_len;
	struct loop_sig	 sigs[NSIG];
	size_t		 sigs_len;
};

static volatile sig_atomic_t	 sig_arrived[NSIG];
static volatile sig_atomic_t	 sig_any;
static int			 sig_wake = -1;	/* eventfd */

struct loop *
loop_new(void)
{
	struct loop *l = xcalloc(1, sizeof *l);

	l->later_end = &l->later;
	if ((l->epoll = epoll_create1(EPOLL_CLOEXEC)) == -1)
		fatal("loop", "epoll");
	return l;
}

void
loop_free(struct loop *l)
{
	int signo;

	if (l == NULL)
		return;
	/* First, so that nothing is taken out of the set: that would take it
	 * out of the parent's too if this is its copy after a fork. */
	close(l->epoll);
	l->epoll = -1;
	for (signo = 1; signo < NSIG && l->sigs_len > 0; signo++)
		loop_signal(l, signo, NULL, NULL);
	while (l->heap_len > 0)
		timer_clear(l, l->heap[l->heap_len]);
	while (l->later != NULL)
		later_clear(l, l->later);
	free(l->watches);
	free(l->heap);
	free(l);
}

void
loop_stop(struct loop *l)
{
	l->stop = true;
}

static bool
has_work(const struct loop *l)
{
	return l->watched > 0 || l->heap_len > 0 || l->sigs_len > 0 ||
	    l->later_len > 0;
}

void
loop_run(struct loop *l)
{
	while (!l->stop && has_work(l))
		loop_once(l, -1);
	l->stop = false;
}

static struct watch *
watch_slot(struct loop *l, int fd)
{
	size_t need = (size_t)fd + 1, len = l->watches_len;

	if (need > len) {
		while (len < need)
			len = len != 0 ? 2 * len : 16;
		l->watches = xreallocarray(l->watches, len,
		    sizeof *l->watches);
		memset(l->watches + l->watches_len, 0,
		    (len - l->watches_len) * sizeof *l->watches);
		l->watches_len = len;
	}
	return &l->watches[fd];
}

static int
watch_kernel(struct loop *l, int fd, const struct watch *w, bool known)
{
	struct epoll_event ev;

	memset(&ev, 0, sizeof ev);
	ev.events = (w->events & LOOP_READ ? EPOLLIN : 0u) |
	    (w->events & LOOP_WRITE ? EPOLLOUT : 0u);
	ev.data.u64 = (uint64_t)w->generation << 32 | (uint32_t)fd;
	if (known && epoll_ctl(l->epoll, EPOLL_CTL_MOD, fd, &ev) == 0)
		return 0;
	/* A number that was closed and came back: the kernel forgot it. */
	if (known && errno != ENOENT)
		return -1;
	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static void
watch_forget(struct loop *l, int fd)
{
	struct watch *w;

	if ((size_t)fd >= l->watches_len || l->watches[fd].events == 0)
		return;
	w = &l->watches[fd];
	w->events = 0;
	w->generation++;
	l->watched--;
	/* Fails harmlessly when it has been closed already. */
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void
loop_watch(struct loop *l, int fd, unsigned events, loop_fd_fn *fn, void *arg)
{
	struct watch *w;
	bool known;

	if (fd < 0)
		return;
	events &= LOOP_READ | LOOP_WRITE;
	if (events == 0) {
		watch_forget(l, fd);
		return;
	}
	w = watch_slot(l, fd);
	known = w->events != 0;
	if (known && w->events == events && w->fn == fn && w->arg == arg)
		return;
	if (!known || w->fn != fn || w->arg != arg)
		w->generation++;
	w->fn = fn;
	w->arg = arg;
	w->events = events;
	if (!known)
		l->watched++;
	if (watch_kernel(l, fd, w, known) == -1) {
		log_warn("loop", "watching fd %d", fd);
		w->events = 0;
		l->watched--;
	}
}

/* The heap: the parent of slot n is n / 2. */

static bool
earlier(const struct timer *a, const struct timer *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms;
	return a->order < b->order;
}

static void
heap_place(struct loop *l, size_t slot, struct timer *t)
{
	l->heap[slot] = t;
	t->slot = slot;
}

static void
heap_up(struct loop *l, size_t slot, struct timer *t)
{
	for (; slot > 1 && earlier(t, l->heap[slot / 2]); slot /= 2)
		heap_place(l, slot, l->heap[slot / 2]);
	heap_place(l, slot, t);
}

static void
heap_down(struct loop *l, size_t slot, struct timer *t)
{
	size_t child;

	while ((child = 2 * slot) <= l->heap_len) {
		if (child < l->heap_len &&
		    earlier(l->heap[child + 1], l->heap[child]))
			child++;
		if (!earlier(l->heap[child], t))
			break;
		heap_place(l, slot, l->heap[child]);
		slot = child;
	}
	heap_place(l, slot, t);
}

void
timer_set(struct loop *l, struct timer *t, int64_t at_ms, void (*fn)(void *),
    void *arg)
{
	timer_clear(l, t);
	t->at_ms = at_ms;
	t->fn = fn;
	t->arg = arg;
	t->order = l->order++;
	if (l->heap_len + 2 > l->heap_cap) {
		l->heap_cap = l->heap_cap != 0 ? 2 * l->heap_cap : 32;
		l->heap = xreallocarray(l->heap, l->heap_cap,
		    sizeof(struct timer *));
	}
	heap_up(l, ++l->heap_len, t);
}

void
timer_after(struct loop *l, struct timer *t, int64_t after_ms,
    void (*fn)(void *), void *arg)
{
	int64_t now = clock_mono_ms();

	if (after_ms > INT64_MAX - now)
		after_ms = INT64_MAX - now;
	timer_set(l, t, now + after_ms, fn, arg);
}

void
timer_clear(struct loop *l, struct timer *t)
{
	size_t slot = t->slot;
	struct timer *last;

	if (slot == 0)
		return;
	t->slot = 0;
	last = l->heap[l->heap_len--];
	if (last == t)
		return;
	if (slot > 1 && earlier(last, l->heap[slot / 2]))
		heap_up(l, slot, last);
	else
		heap_down(l, slot, last);
}

bool
timer_pending(const struct timer *t)
{
	return t->slot != 0;
}

void
loop_later(struct loop *l, struct later *later, void (*fn)(void *),
    void *arg)
{
	if (later->at != NULL)
		return;
	later->fn = fn;
	later->arg = arg;
	later->next = NULL;
	later->at = l->later_end;
	*l->later_end = later;
	l->later_end = &later->next;
	l->later_len++;
}

void
later_clear(struct loop *l, struct later *later)
{
	if (later->at == NULL)
		return;
	*later->at = later->next;
	if (later->next != NULL)
		later->next->at = later->at;
	else
		l->later_end = later->at;
	later->at = NULL;
	l->later_len--;
}

/* What they add comes behind the mark, for the next turn. */
static void
run_later(struct loop *l)
{
	struct later mark = { NULL, NULL, NULL, NULL }, *later;

	if (l->later_len == 0)
		return;
	loop_later(l, &mark, NULL, NULL);
	while ((later = l->later) != &mark) {
		later_clear(l, later);
		later->fn(later->arg);
	}
	later_clear(l, &mark);
}

/* A timer set while this runs waits for the next round, however early it is,
 * so that a zero delay cannot keep file descriptors from their turn. */
static void
run_timers(struct loop *l)
{
	int64_t now;
	uint64_t limit = l->order;
	struct timer *t;

	if (l->heap_len == 0)
		return;
	now = clock_mono_ms();
	while (!l->stop && l->heap_len > 0) {
		t = l->heap[1];
		if (t->at_ms > now || t->order >= limit)
			break;
		timer_clear(l, t);
		t->fn(t->arg);
	}
}

static void
run_fd(struct loop *l, uint64_t data, uint32_t got)
{
	int fd = (int)(uint32_t)data;
	struct watch *w;
	unsigned events = 0;

	if ((size_t)fd >= l->watches_len)
		return;
	w = &l->watches[fd];
	if (w->events == 0 || w->generation != (uint32_t)(data >> 32))
		return;
	if (got & EPOLLIN)
		events |= LOOP_READ;
	if (got & EPOLLOUT)
		events |= LOOP_WRITE;
	if (got & (EPOLLERR | EPOLLHUP))
		events = w->events;
	events &= w->events;
	if (events != 0)
		w->fn(w->arg, fd, events);
}

static void
run_signals(struct loop *l)
{
	int signo;

	if (!sig_any || l->sigs_len == 0)
		return;
	sig_any = 0;
	for (signo = 1; signo < NSIG; signo++) {
		if (!sig_arrived[signo] || l->sigs[signo].fn == NULL)
			continue;
		sig_arrived[signo] = 0;
		l->sigs[signo].fn(l->sigs[signo].arg, signo);
	}
}

static int
wait_for(const struct loop *l, int wait_ms)
{
	int64_t until;

	if ((sig_any && l->sigs_len > 0) || l->later_len > 0 || l->stop ||
	    (wait_ms < 0 && !has_work(l)))
		return 0;
	if (l->heap_len == 0)
		return wait_ms;
	until = l->heap[1]->at_ms - clock_mono_ms();
	if (until < 0)
		until = 0;
	if (until > LOOK_MS)
		until = LOOK_MS;
	return wait_ms >= 0 && wait_ms < until ? wait_ms : (int)until;
}

/* Descriptors that are ready, a batch of them.  How many there were. */
static int
run_fds(struct loop *l, int wait_ms)
{
	struct epoll_event got[BATCH];
	int64_t asleep = clock_mono_ms();
	int i, n;

	n = epoll_wait(l->epoll, got, BATCH, wait_ms);
	if (n == -1 && errno != EINTR)
		fatal("loop", "epoll_wait");
	/* The host was, or we were stopped: nobody let us wait for so long. */
	asleep = clock_mono_ms() - asleep - wait_ms;
	if (wait_ms >= 0 && asleep > STALL_MS)
		l->stalled_ms += asleep;
	if (l->awake_ms == 0)
		l->awake_ms = clock_mono_ms();
	run_signals(l);
	for (i = 0; i < n && !l->stop; i++)
		run_fd(l, got[i].data.u64, got[i].events);
	return n;
}

/* For how long we have not looked at descriptors, when that was long. */
static int64_t
stall_of(const struct loop *l)
{
	int64_t took = l->awake_ms == 0 ? 0 : clock_mono_ms() - l->awake_ms;

	return took > STALL_MS ? took : 0;
}

/*
 * Descriptors before timers: an answer that is there has come in time.  After
 * a stall of ours (a disk that took seconds) there may be more of them than
 * one batch.
 */
void
loop_once(struct loop *l, int wait_ms)
{
	int64_t stall;
	int left = CATCH_UP;

	run_later(l);
	wait_ms = wait_for(l, wait_ms);
	stall = stall_of(l);
	l->stalled_ms += stall;
	l->awake_ms = 0;
	if (run_fds(l, wait_ms) > 0 && (stall > 0 || stall_of(l) > 0))
		while (!l->stop && --left > 0 && run_fds(l, 0) > 0)
			;
	run_timers(l);
}

int64_t
loop_stalled_ms(const struct loop *l)
{
	return l->stalled_ms;
}

static void
on_signal(int signo)
{
	static const uint64_t one = 1;
	int saved = errno;
	ssize_t n;

	sig_arrived[signo] = 1;
	sig_any = 1;
	n = write(sig_wake, &one, sizeof one);
	(void)n;
	errno = saved;
}

static void
on_wake(void *arg, int fd, unsigned events)
{
	uint64_t count;
	ssize_t n;

	n = read(fd, &count, sizeof count);
	(void)n;
}

static void
wake_open(struct loop *l)
{
	sig_wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (sig_wake == -1)
		fatal("loop", "eventfd");
	loop_watch(l, sig_wake, LOOP_READ, on_wake, NULL);
	l->watched--;		/* what counts are the signals */
}

static void
wake_close(struct loop *l)
{
	l->watched++;		/* which watch_forget() takes back */
	watch_forget(l, sig_wake);
	close(sig_wake);
	sig_wake = -1;
}

void
loop_signal(struct loop *l, int signo, void (*fn)(void *, int), void *arg)
{
	struct loop_sig *s;
	struct sigaction sa;

	if (signo < 1 || signo >= NSIG)
		return;
	s = &l->sigs[signo];
	if (fn == NULL) {
		if (s->fn == NULL)
			return;
		sigaction(signo, &s->was, NULL);
		memset(s, 0, sizeof *s);
		sig_arrived[signo] = 0;
		if (--l->sigs_len == 0)
			wake_close(l);
		return;
	}
	if (s->fn == NULL) {
		if (l->sigs_len++ == 0)
			wake_open(l);
		memset(&sa, 0, sizeof sa);
		sa.sa_handler = on_signal;
		sa.sa_flags = SA_RESTART;
		sigemptyset(&sa.sa_mask);
		sig_arrived[signo] = 0;
		if (sigaction(signo, &sa, &s->was) == -1)
			fatal("loop", "signal %d", signo);
	}
	s->fn = fn;
	s->arg = arg;
}
