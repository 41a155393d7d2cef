#include "tests/sim/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

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

static int
order(const struct value *a, const struct value *b)
{
	return oid_cmp(a->sub, a->sub_len, b->sub, b->sub_len);
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

const struct value *
view_next(const struct view *view, const uint32_t *sub, size_t len)
{
	const struct walk *walk = view->walk;
	const struct value *mine, *base;
	size_t i, j;
	int cmp;

	i = values_seek(walk->values, walk->len, sub, len, true);
	j = values_seek(view->own, view->len, sub, len, true);
	for (;;) {
		base = i < walk->len ? &walk->values[i] : NULL;
		mine = j < view->len ? &view->own[j] : NULL;
		if (mine == NULL)
			return base;
		cmp = base == NULL ? 1 : order(base, mine);
		if (cmp < 0)
			return base;
		if (!mine->gone)
			return mine;
		j++;
		if (cmp == 0)
			i++;
	}
}

static struct value *
place(struct view *view, const uint32_t *sub, size_t len)
{
	const struct value *base;
	struct value *v;
	uint32_t *copy;
	size_t i;

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
	base = walk_find(view->walk, sub, len);
	v->owns_name = base == NULL;
	v->sub_len = (uint8_t)len;
	if (base != NULL)
		v->sub = base->sub;
	else {
		copy = xmalloc(len * sizeof(*copy));
		memcpy(copy, sub, len * sizeof(*copy));
		v->sub = copy;
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
