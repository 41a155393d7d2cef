/* The loop: order of timers, and callbacks that pull the floor away. */
#include "base/loop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"

#define MANY	2000

struct many {
	struct loop	*loop;
	struct timer	 timer[MANY];
	int64_t		 last_at;
	size_t		 last_order;
	int		 fired;
};

struct one {
	struct many	*many;
	size_t		 i;
};

static struct one	ones[MANY];

static void
on_one(void *arg)
{
	struct one *o = arg;
	struct many *m = o->many;
	const struct timer *t = &m->timer[o->i];

	assert_false(timer_pending(t));
	assert_true(t->at_ms >= m->last_at);
	if (t->at_ms == m->last_at)
		assert_true(t->order > m->last_order);
	m->last_at = t->at_ms;
	m->last_order = t->order;
	m->fired++;
}

static void
test_timer_order(void **state)
{
	static struct many m;
	int64_t now = clock_mono_ms();
	size_t i;
	int cleared = 0;

	m.loop = loop_new();
	srandom(7);
	for (i = 0; i < MANY; i++) {
		ones[i].many = &m;
		ones[i].i = i;
		timer_set(m.loop, &m.timer[i], now + random() % 30 - 10,
		    on_one, &ones[i]);
	}
	for (i = 0; i < MANY; i++)	/* move some, clear some */
		if (i % 3 == 0)
			timer_set(m.loop, &m.timer[i],
			    now + random() % 30 - 10, on_one, &ones[i]);
		else if (i % 7 == 0) {
			timer_clear(m.loop, &m.timer[i]);
			timer_clear(m.loop, &m.timer[i]);
			cleared++;
		}
	m.last_at = INT64_MIN;
	loop_run(m.loop);		/* ends by itself */
	assert_int_equal(m.fired, MANY - cleared);
	assert_true(clock_mono_ms() >= m.last_at);
	loop_free(m.loop);
}

struct again {
	struct loop	*loop;
	struct timer	 timer, victim;
	int		 count;
	bool		 victim_fired;
};

static void
on_again(void *arg)
{
	struct again *a = arg;

	timer_clear(a->loop, &a->victim);
	if (++a->count < 5)
		timer_after(a->loop, &a->timer, 0, on_again, a);
}

static void
on_victim(void *arg)
{
	((struct again *)arg)->victim_fired = true;
}

static void
test_timer_in_timer(void **state)
{
	struct again a = { .loop = loop_new() };
	int64_t now = clock_mono_ms();

	timer_set(a.loop, &a.timer, now - 5, on_again, &a);
	timer_set(a.loop, &a.victim, now - 4, on_victim, &a);
	loop_run(a.loop);
	assert_int_equal(a.count, 5);
	assert_false(a.victim_fired);
	timer_after(a.loop, &a.victim, INT64_MAX, on_victim, &a);
	loop_once(a.loop, 0);
	assert_true(timer_pending(&a.victim));
	loop_free(a.loop);		/* with a timer in it */
	assert_false(timer_pending(&a.victim));
}

/* A timer that is always due must not starve file descriptors. */
static void
on_starve(void *arg)
{
	struct again *a = arg;

	if (++a->count > 1000)
		loop_stop(a->loop);
	timer_after(a->loop, &a->timer, -1, on_starve, a);
}

static void
on_byte(void *arg, int fd, unsigned events)
{
	struct again *a = arg;
	char c;

	assert_int_equal(events, LOOP_READ);
	assert_int_equal(read(fd, &c, 1), 1);
	loop_watch(a->loop, fd, 0, NULL, NULL);
	loop_stop(a->loop);
}

static void
test_no_starving(void **state)
{
	struct again a = { .loop = loop_new() };
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	loop_watch(a.loop, fds[0], LOOP_READ, on_byte, &a);
	timer_after(a.loop, &a.timer, 0, on_starve, &a);
	loop_run(a.loop);
	assert_true(a.count < 10);
	loop_free(a.loop);
	close(fds[0]);
	close(fds[1]);
}

/* Whoever comes first takes all the others out and closes them; a number
 * that comes back in the same round is another file. */
struct crowd {
	struct loop	*loop;
	int		 fds[20][2];
	int		 calls, fresh_calls;
	int		 fresh[2];
};

static void
on_fresh(void *arg, int fd, unsigned events)
{
	struct crowd *c = arg;
	char byte;

	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(byte, 'f');
	c->fresh_calls++;
	loop_watch(c->loop, fd, 0, NULL, NULL);
}

static void
on_first(void *arg, int fd, unsigned events)
{
	struct crowd *c = arg;
	size_t i;

	c->calls++;
	for (i = 0; i < 20; i++) {
		loop_watch(c->loop, c->fds[i][0], 0, NULL, NULL);
		close(c->fds[i][0]);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, c->fresh), 0);
	loop_watch(c->loop, c->fresh[0], LOOP_READ, on_fresh, c);
	assert_int_equal(write(c->fresh[1], "f", 1), 1);
}

static void
test_remove_others(void **state)
{
	struct crowd c = { .loop = loop_new() };
	size_t i;

	for (i = 0; i < 20; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0,
		    c.fds[i]), 0);
		assert_int_equal(write(c.fds[i][1], "x", 1), 1);
		loop_watch(c.loop, c.fds[i][0], LOOP_READ | LOOP_WRITE,
		    on_first, &c);
	}
	loop_run(c.loop);
	assert_int_equal(c.calls, 1);
	assert_int_equal(c.fresh_calls, 1);
	for (i = 0; i < 20; i++)
		close(c.fds[i][1]);
	close(c.fresh[0]);
	close(c.fresh[1]);
	loop_free(c.loop);
}

/* Closed without being forgotten, and the number used again. */
static void
test_closed_behind(void **state)
{
	struct again a = { .loop = loop_new() };
	int fds[2], fd;

	assert_int_equal(pipe(fds), 0);
	fd = fds[0];
	loop_watch(a.loop, fd, LOOP_READ, on_byte, &a);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fds[0], fd);
	loop_watch(a.loop, fd, LOOP_READ, on_byte, &a);
	loop_watch(a.loop, fd, LOOP_READ | LOOP_WRITE, on_byte, &a);
	loop_watch(a.loop, fd, LOOP_READ, on_byte, &a);
	assert_int_equal(write(fds[1], "x", 1), 1);
	loop_run(a.loop);
	close(fds[0]);
	close(fds[1]);
	loop_free(a.loop);
}

static void
on_hangup(void *arg, int fd, unsigned events)
{
	struct again *a = arg;

	assert_int_equal(events, a->count == 0 ? LOOP_WRITE :
	    LOOP_READ | LOOP_WRITE);
	a->count++;
	loop_watch(a->loop, fd, 0, NULL, NULL);
}

static void
test_hangup(void **state)
{
	struct again a = { .loop = loop_new() };
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	close(fds[0]);		/* writing to it is an error */
	loop_watch(a.loop, fds[1], LOOP_WRITE, on_hangup, &a);
	loop_run(a.loop);
	assert_int_equal(a.count, 1);
	close(fds[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	close(fds[1]);
	loop_watch(a.loop, fds[0], LOOP_READ | LOOP_WRITE, on_hangup, &a);
	loop_run(a.loop);
	assert_int_equal(a.count, 2);
	close(fds[0]);
	loop_free(a.loop);
}

static void
sink(void *arg, enum log_level level, const char *line)
{
}

static void
test_bad_fd(void **state)
{
	struct loop *l = loop_new();
	int fd = open("/proc/self/exe", O_RDONLY);

	log_hook(sink, NULL);
	loop_watch(l, -1, LOOP_READ, on_byte, NULL);
	loop_watch(l, 900, LOOP_READ, on_byte, NULL);
	loop_watch(l, 901, 0, NULL, NULL);
	loop_watch(l, fd, LOOP_READ, on_byte, NULL);	/* a plain file */
	log_hook(NULL, NULL);
	loop_run(l);			/* nothing is registered */
	loop_free(l);
	close(fd);
}

static void
on_usr1(void *arg, int signo)
{
	struct again *a = arg;

	assert_int_equal(signo, SIGUSR1);
	if (++a->count == 3)
		loop_signal(a->loop, SIGUSR1, NULL, NULL);
	else
		raise(SIGUSR1);
}

static void
test_signal(void **state)
{
	struct again a = { .loop = loop_new() };
	struct sigaction was;

	loop_signal(a.loop, SIGUSR1, on_usr1, &a);
	raise(SIGUSR1);
	loop_run(a.loop);
	assert_int_equal(a.count, 3);
	assert_int_equal(sigaction(SIGUSR1, NULL, &was), 0);
	assert_true(was.sa_handler == SIG_DFL);
	loop_signal(a.loop, SIGUSR1, on_usr1, &a);
	loop_free(a.loop);
	assert_int_equal(sigaction(SIGUSR1, NULL, &was), 0);
	assert_true(was.sa_handler == SIG_DFL);
	loop_free(NULL);
}

/* A child that frees its copy leaves the parent's alone, and makes its own. */
static void
test_fork(void **state)
{
	struct again a = { .loop = loop_new() };
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	loop_watch(a.loop, fds[0], LOOP_READ, on_byte, &a);
	loop_signal(a.loop, SIGUSR1, on_usr1, &a);
	if ((pid = fork()) == 0) {
		struct again b = { .count = 2 };

		loop_free(a.loop);
		b.loop = loop_new();
		loop_signal(b.loop, SIGUSR1, on_usr1, &b);
		raise(SIGUSR1);
		loop_run(b.loop);
		loop_free(b.loop);
		_exit(b.count == 3 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	loop_run(a.loop);
	assert_int_equal(a.count, 0);
	loop_free(a.loop);
	close(fds[0]);
	close(fds[1]);
}

/* Once a turn however often it was asked for, in the order asked. */
struct latecomer {
	struct loop	*loop;
	struct later	 later[3];
	struct timer	 timer;
	char		 said[16];
};

static void
say(struct latecomer *c, char what)
{
	c->said[strlen(c->said)] = what;
}

static void
on_later_c(void *arg)
{
	say(arg, 'c');
}

static void
on_later_b(void *arg)
{
	say(arg, 'b');
}

static void
on_later_a(void *arg)
{
	struct latecomer *c = arg;

	say(c, 'a');
	if (strlen(c->said) < 4)
		loop_later(c->loop, &c->later[0], on_later_a, c);
	later_clear(c->loop, &c->later[1]);
}

static void
on_later_timer(void *arg)
{
	struct latecomer *c = arg;

	say(c, 't');
	loop_later(c->loop, &c->later[1], on_later_b, c);
}

/* --- a turn that takes too long ------------------------------------------ */

struct slow {
	struct loop	*loop;
	struct timer	 stall, due;
	int		 fd[200][2];
	int		 came;		/* descriptors, when it was due */
};

static void
on_stall(void *arg)
{
	struct slow *s = arg;
	int i;

	/* Meanwhile everybody answers. */
	for (i = 0; i < 200; i++)
		assert_int_equal(write(s->fd[i][1], "x", 1), 1);
	usleep(300 * 1000);
}

static void
on_came(void *arg, int fd, unsigned events)
{
	struct slow *s = arg;
	char c;

	assert_int_equal(read(fd, &c, 1), 1);
	s->came++;
}

static void
on_due(void *arg)
{
	struct slow *s = arg;

	loop_stop(s->loop);
}

/* What came in time is served before the timer that would call it late, also
 * when it is more than one batch. */
static void
test_answers_before_timers(void **state)
{
	struct slow s = { .loop = loop_new() };
	int i;

	for (i = 0; i < 200; i++) {
		assert_int_equal(pipe(s.fd[i]), 0);
		loop_watch(s.loop, s.fd[i][0], LOOP_READ, on_came, &s);
	}
	assert_int_equal(loop_stalled_ms(s.loop), 0);
	timer_after(s.loop, &s.stall, 0, on_stall, &s);
	timer_after(s.loop, &s.due, 50, on_due, &s);
	loop_run(s.loop);
	assert_int_equal(s.came, 200);
	assert_true(loop_stalled_ms(s.loop) >= 300);
	for (i = 0; i < 200; i++) {
		loop_watch(s.loop, s.fd[i][0], 0, NULL, NULL);
		close(s.fd[i][0]);
		close(s.fd[i][1]);
	}
	loop_free(s.loop);
}

static void
test_waiting_is_no_stall(void **state)
{
	struct slow s = { .loop = loop_new() };

	timer_after(s.loop, &s.due, 300, on_due, &s);
	loop_run(s.loop);
	assert_int_equal(loop_stalled_ms(s.loop), 0);
	loop_free(s.loop);
}

/* As when the host falls asleep under us: a question that is out then has not
 * waited for so long. */
static void
test_stopped_is_a_stall(void **state)
{
	struct slow s = { .loop = loop_new() };
	pid_t other, us = getpid();

	if ((other = fork()) == 0) {
		usleep(50 * 1000);
		(void)kill(us, SIGSTOP);
		usleep(500 * 1000);
		(void)kill(us, SIGCONT);
		_exit(0);
	}
	timer_after(s.loop, &s.due, 200, on_due, &s);
	loop_run(s.loop);
	assert_true(loop_stalled_ms(s.loop) >= 200);
	assert_int_equal(waitpid(other, NULL, 0), other);
	loop_free(s.loop);
}

static void
test_later(void **state)
{
	struct latecomer c = { .loop = loop_new() };

	loop_later(c.loop, &c.later[0], on_later_a, &c);
	loop_later(c.loop, &c.later[1], on_later_b, &c);
	loop_later(c.loop, &c.later[2], on_later_c, &c);
	loop_later(c.loop, &c.later[0], on_later_a, &c);
	/* It does not wait while somebody is still to come. */
	loop_once(c.loop, 1000000);
	assert_string_equal(c.said, "ac");
	loop_once(c.loop, 1000000);
	assert_string_equal(c.said, "aca");
	loop_once(c.loop, 0);
	assert_string_equal(c.said, "acaa");
	timer_after(c.loop, &c.timer, 0, on_later_timer, &c);
	loop_run(c.loop);
	assert_string_equal(c.said, "acaatb");
	/* The last one out, and what is left when the loop goes. */
	loop_later(c.loop, &c.later[1], on_later_b, &c);
	loop_later(c.loop, &c.later[2], on_later_c, &c);
	later_clear(c.loop, &c.later[2]);
	loop_later(c.loop, &c.later[0], on_later_a, &c);
	loop_free(c.loop);
	assert_null(c.later[0].at);
	assert_null(c.later[1].at);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timer_order),
		cmocka_unit_test(test_timer_in_timer),
		cmocka_unit_test(test_no_starving),
		cmocka_unit_test(test_remove_others),
		cmocka_unit_test(test_closed_behind),
		cmocka_unit_test(test_hangup),
		cmocka_unit_test(test_bad_fd),
		cmocka_unit_test(test_answers_before_timers),
		cmocka_unit_test(test_waiting_is_no_stall),
		cmocka_unit_test(test_stopped_is_a_stall),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_fork),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
