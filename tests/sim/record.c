#include "tests/sim/record.h"

#include "base/log.h"

int
record_start(struct record *r, const char *path)
{
	record_stop(r);
	r->out = fopen(path, "we");
	if (r->out == NULL)
		log_warn("record", "%s", path);
	return r->out == NULL ? -1 : 0;
}

void
record_stop(struct record *r)
{
	if (r->out != NULL && fclose(r->out) != 0)
		log_warn("record", "not all of it was written");
	r->out = NULL;
}

void
record_put(struct record *r, uint32_t addr, const void *bytes, size_t len)
{
	uint8_t head[6] = { (uint8_t)(addr >> 24), (uint8_t)(addr >> 16),
	    (uint8_t)(addr >> 8), (uint8_t)addr, (uint8_t)(len >> 8),
	    (uint8_t)len };

	if (r->out == NULL || len > UINT16_MAX)
		return;
	fwrite(head, 1, sizeof(head), r->out);
	fwrite(bytes, 1, len, r->out);
}
