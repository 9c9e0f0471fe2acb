/* Arena of chained blocks, newest first; a large request gets a block of its own. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 8192 };

struct arena_block {
    struct arena_block *older;
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

static void free_blocks(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_reset(struct arena *arena)
{
    struct arena_block *first = arena->block;
    while (first != NULL && first->older != NULL) {
        struct arena_block *older = first->older;
        free(first);
        first = older;
    }
    if (first != NULL)
        first->used = 0;
    arena->block = first;
    arena->used_bytes = 0;
    arena->overflowed = false;
}

void arena_free(struct arena *arena)
{
    free_blocks(arena->block);
    arena->block = NULL;
    arena->used_bytes = 0;
    arena->overflowed = false;
}

static struct arena_block *block_add(struct arena *arena, size_t need)
{
    size_t size = need > BLOCK_BYTES ? need : BLOCK_BYTES;
    struct arena_block *block = malloc(sizeof *block + size);
    if (block == NULL)
        return NULL;
    *block = (struct arena_block){.older = arena->block, .size = size};
    arena->block = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t align = alignof(max_align_t);
    if (arena->overflowed || size > arena->limit_bytes ||
        size > SIZE_MAX - sizeof(struct arena_block) - align)
        goto overflow;
    size_t need = (size + align - 1) / align * align;
    if (need == 0)
        need = align;
    if (need > arena->limit_bytes - arena->used_bytes)
        goto overflow;
    struct arena_block *block = arena->block;
    if (block == NULL || block->size - block->used < need)
        block = block_add(arena, need);
    if (block == NULL)
        goto overflow;
    void *memory = block->bytes + block->used;
    block->used += need;
    arena->used_bytes += need;
    memset(memory, 0, need);
    return memory;
overflow:
    arena->overflowed = true;
    return NULL;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        arena->overflowed = true;
        return NULL;
    }
    return arena_alloc(arena, total);
}

char *arena_copy(struct arena *arena, const char *text, size_t len)
{
    if (len == SIZE_MAX) {
        arena->overflowed = true;
        return NULL;
    }
    char *copy = arena_alloc(arena, len + 1);
    if (copy != NULL && len > 0)
        memcpy(copy, text, len);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len < 0 ? NULL : arena_alloc(arena, (size_t)len + 1);
    if (text != NULL)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}
