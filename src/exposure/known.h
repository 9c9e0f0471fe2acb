/* Who already counts for each of several gauges together: one look instead of one for each. Derived
 * and incomplete: whoever is not in it is asked about at the gauges themselves. Invariant: whoever
 * is in a set counts for all of its gauges now; who takes somebody from a gauge, or turns or
 * replaces one, says so here. The owner locks. */
#ifndef COFFERDAM_EXPOSURE_KNOWN_H
#define COFFERDAM_EXPOSURE_KNOWN_H

#include <roaring/roaring.h>
#include <stddef.h>
#include <stdint.h>

enum {
    KNOWN_SETS = 4,        /* combinations of gauges; further ones have none */
    KNOWN_GAUGES_FROM = 3, /* for fewer it would not pay */
};

struct known_list {
    struct known_set {
        uint32_t gauges; /* a bit each */
        roaring_bitmap_t *ids;
    } sets[KNOWN_SETS];
    size_t count;
};

/* Of all gauges; also frees. */
void known_forget(struct known_list *list);
/* The ids for these gauges, made where new; NULL where there is none. Until the next known_forget.
 */
roaring_bitmap_t *known_at(struct known_list *list, uint32_t gauges);
void known_remove(struct known_list *list, uint32_t id);

#endif
