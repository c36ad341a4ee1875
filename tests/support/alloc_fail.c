/* See alloc_fail.h. The names with __wrap_ and __real_ are the linker's (ld --wrap). */

#include "support/alloc_fail.h"

static struct {
    size_t count, first, last; /* allocations first..last fail; first 0: none */
    bool happened;
} state;

/* NOLINTBEGIN(bugprone-reserved-identifier) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void ho_alloc_fail_nth(size_t n)
{
    state.count = 0;
    state.first = n;
    state.last = n;
    state.happened = false;
}

void ho_alloc_fail_from(size_t n)
{
    ho_alloc_fail_nth(n);
    state.last = (size_t)-1;
}

void ho_alloc_fail_off(void)
{
    state.first = 0;
    state.last = 0;
}

bool ho_alloc_fail_happened(void)
{
    return state.happened;
}

size_t ho_alloc_count(void)
{
    return state.count;
}

static bool fails(void)
{
    state.count++;
    if (state.first == 0 || state.count < state.first || state.count > state.last) {
        return false;
    }
    state.happened = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return fails() ? NULL : __real_realloc(p, size);
}
/* NOLINTEND(bugprone-reserved-identifier) */
