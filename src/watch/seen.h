/* Numbers that were met before: a set of 64-bit hashes that only grows, up to a bound. What comes
 * when it is full is met for the first time, always: too many alarms rather than none.
 * The owner locks. Memory: at most 16 bytes a number, SEEN_MOST numbers. */
#ifndef COFFERDAM_WATCH_SEEN_H
#define COFFERDAM_WATCH_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEEN_MOST = 65536 };

struct seen { /* all zero: empty */
    uint64_t *places;
    size_t count, capacity;
};

bool seen_has(const struct seen *seen, uint64_t number);
/* True where it was not there. Ends the process when there is no memory. */
bool seen_add(struct seen *seen, uint64_t number);
void seen_free(struct seen *seen);

#endif
