/* Binary search over an array. */
#include "exposure/name_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static int compare(const char *name, struct slice wanted)
{
    size_t len = strlen(name), common = len < wanted.len ? len : wanted.len;
    int order = common == 0 ? 0 : memcmp(name, wanted.data, common);
    return order != 0 ? order : (len > wanted.len) - (len < wanted.len);
}

/* The first entry that is not before the name. */
static size_t position(const struct name_map *map, struct slice name)
{
    size_t low = 0, high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(map->entries[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool name_map_find(const struct name_map *map, struct slice name, size_t *at)
{
    *at = position(map, name);
    return *at < map->count && compare(map->entries[*at].name, name) == 0;
}

void *name_map_get(const struct name_map *map, struct slice name)
{
    size_t at;
    return name_map_find(map, name, &at) ? map->entries[at].value : NULL;
}

const char *name_map_put(struct name_map *map, struct slice name, void *value)
{
    if (map->count == map->capacity) {
        map->capacity = map->capacity == 0 ? 16 : map->capacity * 2;
        map->entries = realloc(map->entries, map->capacity * sizeof *map->entries);
        CHECK(map->entries != NULL);
    }
    char *copy = calloc(1, name.len + 1);
    CHECK(copy != NULL);
    if (name.len > 0)
        memcpy(copy, name.data, name.len);
    size_t at = position(map, name);
    memmove(map->entries + at + 1, map->entries + at, (map->count - at) * sizeof *map->entries);
    map->entries[at] = (struct name_entry){.name = copy, .value = value};
    map->count++;
    return copy;
}

void name_map_free(struct name_map *map)
{
    for (size_t i = 0; i < map->count; i++)
        free(map->entries[i].name);
    free(map->entries);
    *map = (struct name_map){0};
}
