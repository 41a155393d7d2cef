#include "tests/sim/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/sim/ber.h"

static void
drop(struct value *v)
{
	free((void *)(uintptr_t)v->body);
	if (v->owns_name)
		free((void *)(uintptr_t)v->sub);
}

void
view_clear(struct view *view)
{
	size_t i;

	for (i = 0; i < view->len; i++)
		drop(&view->own[i]);
	free(view->own);
	view->own = NULL;
	view->len = view->room = 0;
}

const struct value *
view_get(const struct view *view, const uint32_t *sub, size_t len)
{
	const struct value *v;
	size_t i;

	i = values_seek(view->own, view->len, sub, len, false);
	if (i < view->len) {
		v = &view->own[i];
		if (oid_cmp(v->sub, v->sub_len, sub, len) == 0)
			return v->gone ? NULL : v;
	}
	return walk_find(view->walk, sub, len);
}

/* The first of the view's own values at this place of the walk, or beyond. */
static size_t
own_from(const struct view *view, size_t at)
{
	size_t low = 0, high = view->len, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (view->own[mid].at < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct value *
view_at(const struct view *view, size_t at)
{
	const struct value *v;
	size_t i;

	for (i = own_from(view, at); i < view->len; i++) {
		v = &view->own[i];
		if (v->at != at)
			break;
		if (!v->owns_name)
			return v->gone ? NULL : v;
	}
	return &view->walk->values[at];
}

struct cursor
view_seek(const struct view *view, const uint32_t *sub, size_t len)
{
	const struct walk *walk = view->walk;

	return (struct cursor){
	    .base = values_seek(walk->values, walk->len, sub, len, true),
	    .own = values_seek(view->own, view->len, sub, len, true) };
}

struct cursor
view_seek_at(const struct view *view, size_t at)
{
	return (struct cursor){ .base = at + 1,
	    .own = own_from(view, at + 1) };
}

const struct value *
view_step(const struct view *view, struct cursor *c)
{
	const struct walk *walk = view->walk;
	const struct value *mine, *base;

	for (;;) {
		base = c->base < walk->len ? &walk->values[c->base] : NULL;
		mine = c->own < view->len ? &view->own[c->own] : NULL;
		if (mine == NULL || (base != NULL && base->at < mine->at)) {
			c->base += base != NULL;
			return base;
		}
		c->own++;
		if (!mine->owns_name)
			c->base++;	/* it hides that one */
		if (!mine->gone)
			return mine;
	}
}

const struct value *
view_next(const struct view *view, const uint32_t *sub, size_t len)
{
	struct cursor c = view_seek(view, sub, len);

	return view_step(view, &c);
}

/* One piece of memory for both forms of a name. */
static void
copy_name(struct value *v, const uint32_t *sub, size_t len)
{
	uint8_t name[BER_OID_MAX], *copy;
	size_t name_len = ber_make_oid(sub, len, name), sub_len;
	struct ber_out out = { NULL, 0, ber_size(name_len), false };

	sub_len = len * sizeof(*sub);
	copy = xmalloc(sub_len + out.room);
	memcpy(copy, sub, sub_len);
	out.at = copy + sub_len;
	ber_put(&out, BER_OID, name, name_len);
	v->sub = (const uint32_t *)(const void *)copy;
	v->name = out.at;
	v->name_len = (uint16_t)out.len;
}

static struct value *
place(struct view *view, const uint32_t *sub, size_t len)
{
	const struct walk *walk = view->walk;
	const struct value *base;
	struct value *v;
	size_t i, at;

	i = values_seek(view->own, view->len, sub, len, false);
	if (i < view->len) {
		v = &view->own[i];
		if (oid_cmp(v->sub, v->sub_len, sub, len) == 0) {
			free((void *)(uintptr_t)v->body);
			return v;
		}
	}
	if (view->len == view->room) {
		view->room = view->room == 0 ? 8 : view->room * 2;
		view->own = xreallocarray(view->own, view->room,
		    sizeof(*view->own));
	}
	v = &view->own[i];
	memmove(v + 1, v, (view->len - i) * sizeof(*v));
	view->len++;
	at = values_seek(walk->values, walk->len, sub, len, false);
	base = at < walk->len ? &walk->values[at] : NULL;
	v->owns_name = base == NULL ||
	    oid_cmp(base->sub, base->sub_len, sub, len) != 0;
	v->at = (uint32_t)at;
	v->sub_len = (uint8_t)len;
	if (v->owns_name)
		copy_name(v, sub, len);
	else {
		v->sub = base->sub;
		v->name = base->name;
		v->name_len = base->name_len;
	}
	return v;
}

void
view_set(struct view *view, const uint32_t *sub, size_t len, uint8_t tag,
    const void *body, size_t body_len)
{
	uint8_t *copy = xmalloc(body_len > 0 ? body_len : 1);
	struct value *v;

	/* body may be this very value's: copy before place() frees it */
	if (body_len > 0)
		memcpy(copy, body, body_len);
	v = place(view, sub, len);
	v->body = copy;
	v->body_len = (uint32_t)body_len;
	v->tag = tag;
	v->gone = false;
}

void
view_unset(struct view *view, const uint32_t *sub, size_t len)
{
	struct value *v;
	size_t i;

	if (walk_find(view->walk, sub, len) != NULL) {
		v = place(view, sub, len);
		v->body = NULL;
		v->body_len = 0;
		v->gone = true;
		return;
	}
	i = values_seek(view->own, view->len, sub, len, false);
	if (i >= view->len)
		return;
	v = &view->own[i];
	if (oid_cmp(v->sub, v->sub_len, sub, len) != 0)
		return;
	drop(v);
	view->len--;
	memmove(v, v + 1, (view->len - i) * sizeof(*v));
}

size_t
view_unset_tree(struct view *view, const uint32_t *sub, size_t len)
{
	const struct value *v;
	struct oid name;
	size_t count = 0;

	v = view_get(view, sub, len);
	if (v == NULL)
		v = view_next(view, sub, len);
	while (v != NULL && oid_within(v->sub, v->sub_len, sub, len)) {
		name.len = v->sub_len;
		memcpy(name.sub, v->sub, name.len * sizeof(*name.sub));
		view_unset(view, name.sub, name.len);
		count++;
		v = view_next(view, name.sub, name.len);
	}
	return count;
}
