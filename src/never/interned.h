/* Interned byte strings: equal ones have one number, from 0 without a gap. One thread at a time;
 * borrowed bytes live as long as the table. Private to never/. */
#ifndef COFFERDAM_NEVER_INTERNED_H
#define COFFERDAM_NEVER_INTERNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"

enum { INTERNED_NONE = -1 };

struct interned {
    struct arena arena;
    struct slice *items; /* by number */
    uint32_t count, capacity;
    uint32_t *slots; /* open addressing: number + 1, 0 empty; 2 * capacity of them */
};

void interned_init(struct interned *table, size_t limit_bytes);
void interned_free(struct interned *table);
/* Copies where it is new. False, with nothing changed, when there is no memory. */
bool interned_add(struct interned *table, struct slice bytes, uint32_t *number);
/* INTERNED_NONE where it has not been added. */
int64_t interned_find(const struct interned *table, struct slice bytes);
struct slice interned_get(const struct interned *table, uint32_t number);

#endif
