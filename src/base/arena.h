/* Arena: many small allocations with one lifetime, freed together.
 * An arena has a limit and a sticky overflow flag: once an allocation did not fit, every later
 * one fails too, so a builder may allocate many times and check once. Not thread-safe. */
#ifndef COFFERDAM_BASE_ARENA_H
#define COFFERDAM_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdarg.h>

struct arena_block;

struct arena {
    struct arena_block *block; /* newest first */
    size_t used_bytes;         /* handed out, with alignment */
    size_t limit_bytes;
    bool overflowed;
};

/* An empty arena that will hand out at most limit_bytes. Allocates nothing yet. */
void arena_init(struct arena *arena, size_t limit_bytes);
/* Frees everything; the arena can be used again. Keeps the first block for reuse. */
void arena_reset(struct arena *arena);
/* Frees everything, the first block too. */
void arena_free(struct arena *arena);

/* size zeroed bytes, aligned for any type; NULL when the limit or the memory is exhausted. */
void *arena_alloc(struct arena *arena, size_t size);
/* A terminated copy of len bytes; NULL on overflow. */
char *arena_copy(struct arena *arena, const char *text, size_t len);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define arena_new(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
/* count zeroed elements; NULL on overflow, of the multiplication too. */
#define arena_array(arena, type, count) ((type *)arena_alloc_array((arena), (count), sizeof(type)))
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);

#endif
