/*
 * The floor: what the kernel alone costs for a poll.  Sends the packets of a
 * recorded poll (platen-sim's "record") again, each device's one after the
 * other, many devices at once, from one socket with sendmmsg and recvmmsg.
 * Answers are counted and nothing else: all that is looked at is from whom
 * they come, so that this device's next request leaves.
 *
 *	replay FILE PORT [WINDOW]
 *
 * prints one line of JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define BATCH		64
#define ANSWER_MAX	2048
#define SLOTS		65536		/* of devices; a power of two */
#define BUFFER		(64 * 1024 * 1024)
#define PATIENCE_MS	2000

struct packet {
	uint32_t	 addr, len;
	const uint8_t	*bytes;
	size_t		 next;		/* this device's next one + 1 */
};

struct device {
	uint32_t	 addr;		/* 0: free */
	size_t		 first, last, now;	/* packets + 1; 0: none */
};

struct replay {
	int		 fd, port;
	uint8_t		*file;
	struct packet	*packet;
	size_t		 packets;
	struct device	*slot;
	size_t		*order;		/* slots, as they first appear */
	size_t		 devices, started;
	size_t		 window, active, lost, answers;
	uint64_t	 bytes_out, bytes_in;
	struct mmsghdr	 out[BATCH], in[BATCH];
	struct iovec	 out_iov[BATCH], in_iov[BATCH];
	struct sockaddr_in to[BATCH], from[BATCH];
	uint8_t		 answer[BATCH][ANSWER_MAX];
	unsigned	 out_len;
};

static _Noreturn void
die(const char *what)
{
	perror(what);
	exit(1);
}

static struct device *
find(struct replay *r, uint32_t addr)
{
	size_t at = (addr * 2654435761u) >> 16 & (SLOTS - 1);

	while (r->slot[at].addr != 0 && r->slot[at].addr != addr)
		at = (at + 1) & (SLOTS - 1);
	return &r->slot[at];
}

static void
load(struct replay *r, const char *path)
{
	FILE *in = fopen(path, "re");
	size_t room = 0, at, size;
	struct device *d;
	struct packet *p;
	long end;

	if (in == NULL || fseek(in, 0, SEEK_END) < 0 || (end = ftell(in)) < 0)
		die(path);
	rewind(in);
	size = (size_t)end;
	r->file = xmalloc(size + 1);
	if (fread(r->file, 1, size, in) != size)
		die(path);
	fclose(in);
	r->slot = xcalloc(SLOTS, sizeof(*r->slot));
	r->order = xcalloc(SLOTS, sizeof(*r->order));
	for (at = 0; at + 6 <= size; at += 6 + p->len) {
		const uint8_t *h = r->file + at;

		if (r->packets == room) {
			room = room == 0 ? 1024 : room * 2;
			r->packet = xreallocarray(r->packet, room,
			    sizeof(*r->packet));
		}
		p = &r->packet[r->packets++];
		p->addr = (uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 |
		    (uint32_t)h[2] << 8 | h[3];
		p->len = (uint32_t)h[4] << 8 | h[5];
		p->bytes = h + 6;
		p->next = 0;
		if (p->len > size - at - 6) {
			fprintf(stderr, "%s ends too soon\n", path);
			exit(1);
		}
		d = find(r, p->addr);
		if (d->addr == 0) {
			if (r->devices == SLOTS / 2) {
				fprintf(stderr, "too many devices\n");
				exit(1);
			}
			d->addr = p->addr;
			d->first = r->packets;
			r->order[r->devices++] = (size_t)(d - r->slot);
		} else
			r->packet[d->last - 1].next = r->packets;
		d->last = r->packets;
	}
}

static void
open_socket(struct replay *r)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int size = BUFFER, i;

	r->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->fd < 0 || bind(r->fd, (struct sockaddr *)&any,
	    sizeof(any)) < 0)
		die("socket");
	if (setsockopt(r->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
	    sizeof(size)) < 0)
		setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(r->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size,
	    sizeof(size)) < 0)
		setsockopt(r->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	for (i = 0; i < BATCH; i++) {
		struct msghdr *h = &r->in[i].msg_hdr;

		r->in_iov[i] = (struct iovec){ r->answer[i], ANSWER_MAX };
		h->msg_iov = &r->in_iov[i];
		h->msg_iovlen = 1;
		h->msg_name = &r->from[i];
		h = &r->out[i].msg_hdr;
		h->msg_iov = &r->out_iov[i];
		h->msg_iovlen = 1;
		h->msg_name = &r->to[i];
		h->msg_namelen = sizeof(r->to[i]);
		r->to[i].sin_family = AF_INET;
		r->to[i].sin_port = htons((uint16_t)r->port);
	}
}

static void
flush(struct replay *r)
{
	unsigned sent = 0;
	int n;

	while (sent < r->out_len) {
		n = sendmmsg(r->fd, r->out + sent, r->out_len - sent, 0);
		if (n > 0)
			sent += (unsigned)n;
		else if (errno == EAGAIN || errno == EWOULDBLOCK ||
		    errno == ENOBUFS) {
			struct pollfd p = { r->fd, POLLOUT, 0 };

			poll(&p, 1, 10);
		} else if (errno != EINTR)
			die("sendmmsg");
	}
	r->out_len = 0;
}

static void
put(struct replay *r, const struct packet *p)
{
	r->to[r->out_len].sin_addr.s_addr = htonl(p->addr);
	r->out_iov[r->out_len].iov_base = (void *)(uintptr_t)p->bytes;
	r->out_iov[r->out_len].iov_len = p->len;
	r->bytes_out += p->len;
	if (++r->out_len == BATCH)
		flush(r);
}

static void
start_more(struct replay *r)
{
	struct device *d;

	while (r->active < r->window && r->started < r->devices) {
		d = &r->slot[r->order[r->started++]];
		d->now = d->first;
		r->active++;
		put(r, &r->packet[d->now - 1]);
	}
}

static void
take(struct replay *r, int i)
{
	struct device *d = find(r, ntohl(r->from[i].sin_addr.s_addr));

	if (d->now == 0)
		return;
	r->answers++;
	r->bytes_in += r->in[i].msg_len;
	d->now = r->packet[d->now - 1].next;
	if (d->now == 0)
		r->active--;
	else
		put(r, &r->packet[d->now - 1]);
}

/* One turn; false when nobody answers any more. */
static bool
turn(struct replay *r)
{
	struct pollfd p = { r->fd, POLLIN, 0 };
	int n, i;

	if (poll(&p, 1, PATIENCE_MS) == 0)
		return false;
	do {
		for (i = 0; i < BATCH; i++)
			r->in[i].msg_hdr.msg_namelen = sizeof(r->from[i]);
		n = recvmmsg(r->fd, r->in, BATCH, MSG_DONTWAIT, NULL);
		for (i = 0; i < n; i++)
			take(r, i);
		start_more(r);
	} while (n == BATCH);
	flush(r);
	return true;
}

static double
seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	struct replay *r = xcalloc(1, sizeof(*r));
	double wall, cpu;
	bool whole;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: replay FILE PORT [WINDOW]\n");
		free(r);
		return 2;
	}
	r->port = atoi(argv[2]);
	r->window = argc > 3 ? (size_t)atoi(argv[3]) : SLOTS;
	load(r, argv[1]);
	open_socket(r);
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	start_more(r);
	flush(r);
	while (r->active > 0 && turn(r))
		;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = seconds(CLOCK_MONOTONIC) - wall;
	printf("{\"devices\": %zu, \"packets\": %zu, \"answers\": %zu, "
	    "\"unfinished\": %zu, \"bytes_out\": %llu, \"bytes_in\": %llu, "
	    "\"wall_s\": %.6f, \"cpu_s\": %.6f}\n", r->devices, r->packets,
	    r->answers, r->active, (unsigned long long)r->bytes_out,
	    (unsigned long long)r->bytes_in, wall, cpu);
	whole = r->active == 0;
	close(r->fd);
	free(r->order);
	free(r->slot);
	free(r->packet);
	free(r->file);
	free(r);
	return whole ? 0 : 1;
}
