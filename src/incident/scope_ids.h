/* A set of subject ids, in pages of bits that are made when an id of theirs comes: exact whatever
 * the order, 8 KiB for each range of 65,536 ids that has one. One thread. */
#ifndef COFFERDAM_INCIDENT_SCOPE_IDS_H
#define COFFERDAM_INCIDENT_SCOPE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct scope_ids {
    uint64_t **pages;
    size_t page_count;
    uint64_t count;
};

/* *added: it was not in the set. A zeroed set is an empty one. */
MUST_USE enum status scope_ids_add(struct scope_ids *set, uint32_t id, bool *added,
                                   struct error *error);
void scope_ids_free(struct scope_ids *set);

#endif
