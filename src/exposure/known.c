/* See known.h. */
#include "exposure/known.h"

void known_forget(struct known_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        roaring_bitmap_free(list->sets[i].ids);
    list->count = 0;
}

roaring_bitmap_t *known_at(struct known_list *list, uint32_t gauges)
{
    if (__builtin_popcount(gauges) < KNOWN_GAUGES_FROM)
        return NULL;
    for (size_t i = 0; i < list->count; i++)
        if (list->sets[i].gauges == gauges)
            return list->sets[i].ids;
    roaring_bitmap_t *ids = list->count == KNOWN_SETS ? NULL : roaring_bitmap_create();
    if (ids != NULL)
        list->sets[list->count++] = (struct known_set){.gauges = gauges, .ids = ids};
    return ids;
}

void known_remove(struct known_list *list, uint32_t id)
{
    for (size_t i = 0; i < list->count; i++)
        roaring_bitmap_remove(list->sets[i].ids, id);
}
