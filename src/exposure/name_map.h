/* A sorted map from names to pointers, for partners: few, added seldom, looked up often.
 * Owns copies of the names, not what they point at. The owner locks. */
#ifndef COFFERDAM_EXPOSURE_NAME_MAP_H
#define COFFERDAM_EXPOSURE_NAME_MAP_H

#include <stdbool.h>

#include "base/buffer.h"

struct name_entry {
    char *name; /* terminated */
    void *value;
};

struct name_map {
    struct name_entry *entries;
    size_t count, capacity;
};

/* Whether the name is there, and where it is or would be. */
bool name_map_find(const struct name_map *map, struct slice name, size_t *at);
/* NULL where there is none. */
void *name_map_get(const struct name_map *map, struct slice name);
/* The name must not be in the map yet. Ends the process when there is no memory: a partner whose
 * exposure cannot be counted must not be served. */
const char *name_map_put(struct name_map *map, struct slice name, void *value);
void name_map_free(struct name_map *map);

#endif
