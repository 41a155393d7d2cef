#include "snmp/sendqueue.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BLOCK_SIZE	32768	/* some sixty requests */

struct packet {
	struct sockaddr_in	 to;
	uint32_t		 len;
	uint8_t			 bytes[];
};

struct sendqueue_block {
	struct sendqueue_block	*next;
	size_t			 size, head, tail;
	max_align_t		 packets[];
};

/* With its bytes, so that the next one is aligned. */
static size_t
packet_size(size_t len)
{
	size_t align = _Alignof(struct packet);

	return (sizeof(struct packet) + len + align - 1) / align * align;
}

static struct packet *
packet_at(const struct sendqueue_block *block, size_t at)
{
	return (struct packet *)((uintptr_t)block->packets + at);
}

/* One empty block of the usual size is kept. */
static void
retire(struct sendqueue *queue, struct sendqueue_block *block)
{
	queue->size -= block->size;
	if (queue->spare == NULL && block->size == BLOCK_SIZE)
		queue->spare = block;
	else
		free(block);
}

static struct sendqueue_block *
append(struct sendqueue *queue, size_t need)
{
	struct sendqueue_block *block;
	size_t size = need > BLOCK_SIZE ? need : BLOCK_SIZE;

	if (queue->size + size > SENDQUEUE_MAX)
		return NULL;
	if (queue->spare != NULL && size == BLOCK_SIZE) {
		block = queue->spare;
		queue->spare = NULL;
	} else
		block = xmalloc(sizeof(*block) + size);
	block->next = NULL;
	block->size = size;
	block->head = block->tail = 0;
	queue->size += size;
	if (queue->last != NULL)
		queue->last->next = block;
	else
		queue->first = block;
	queue->last = block;
	return block;
}

bool
sendqueue_put(struct sendqueue *queue, const struct sockaddr_in *to,
    const void *bytes, size_t len)
{
	struct sendqueue_block *block = queue->last;
	struct packet *packet;
	size_t need = packet_size(len);

	if ((block == NULL || block->size - block->tail < need) &&
	    (block = append(queue, need)) == NULL)
		return false;
	packet = packet_at(block, block->tail);
	packet->to = *to;
	packet->len = (uint32_t)len;
	memcpy(packet->bytes, bytes, len);
	block->tail += need;
	queue->len++;
	return true;
}

size_t
sendqueue_peek(const struct sendqueue *queue, struct mmsghdr *msgs,
    struct iovec *iov, size_t max)
{
	const struct sendqueue_block *block;
	struct packet *packet;
	size_t at, n = 0;

	for (block = queue->first; block != NULL; block = block->next) {
		for (at = block->head; at < block->tail && n < max; n++) {
			packet = packet_at(block, at);
			iov[n].iov_base = packet->bytes;
			iov[n].iov_len = packet->len;
			memset(&msgs[n], 0, sizeof(msgs[n]));
			msgs[n].msg_hdr.msg_name = &packet->to;
			msgs[n].msg_hdr.msg_namelen = sizeof(packet->to);
			msgs[n].msg_hdr.msg_iov = &iov[n];
			msgs[n].msg_hdr.msg_iovlen = 1;
			at += packet_size(packet->len);
		}
	}
	return n;
}

void
sendqueue_drop(struct sendqueue *queue, size_t n)
{
	struct sendqueue_block *block;

	for (; n > 0 && (block = queue->first) != NULL; n--) {
		block->head +=
		    packet_size(packet_at(block, block->head)->len);
		queue->len--;
		if (block->head < block->tail)
			continue;
		queue->first = block->next;
		if (queue->first == NULL)
			queue->last = NULL;
		retire(queue, block);
	}
}

void
sendqueue_clear(struct sendqueue *queue)
{
	sendqueue_drop(queue, queue->len);
	free(queue->spare);
	queue->spare = NULL;
}
