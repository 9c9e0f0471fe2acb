/* See replays.h. Linear probing at a load of at most a half; ids are hashes and need none. */
#include "oidc/replays.h"

#include <stdlib.h>
#include <string.h>

struct replay {
    uint8_t id[REPLAYS_ID_BYTES];
    struct in6_addr address;
    int64_t expires_s; /* 0: the slot is free */
};

void replays_open(struct replays *replays)
{
    *replays = (struct replays){0};
}

void replays_close(struct replays *replays)
{
    free(replays->slots);
    replays->slots = NULL;
}

/* The token's slot, or the free one where it would be. */
static struct replay *find(struct replay *slots, const uint8_t *id)
{
    size_t at;
    memcpy(&at, id, sizeof at);
    for (;; at++) {
        struct replay *slot = &slots[at % REPLAYS_SLOTS];
        if (slot->expires_s == 0 || memcmp(slot->id, id, REPLAYS_ID_BYTES) == 0)
            return slot;
    }
}

/* Without those that have ended. False: no memory, and nothing has changed. */
static bool rebuild(struct replays *replays, int64_t now_s)
{
    struct replay *slots = calloc(REPLAYS_SLOTS, sizeof *slots);
    if (slots == NULL)
        return false;
    size_t count = 0;
    for (size_t i = 0; replays->slots != NULL && i < REPLAYS_SLOTS; i++) {
        const struct replay *old = &replays->slots[i];
        if (old->expires_s <= now_s)
            continue;
        *find(slots, old->id) = *old;
        count++;
    }
    free(replays->slots);
    replays->slots = slots;
    replays->count = count;
    return true;
}

enum replays_found replays_take(struct replays *replays, const uint8_t id[static REPLAYS_ID_BYTES],
                                const struct in6_addr *address, int64_t expires_s, int64_t now_s,
                                bool single_use)
{
    if (replays->slots == NULL && !rebuild(replays, now_s))
        return REPLAYS_FULL;
    struct replay *slot = find(replays->slots, id);
    if (slot->expires_s != 0) {
        if (memcmp(&slot->address, address, sizeof *address) != 0)
            return REPLAYS_ELSEWHERE;
        return single_use ? REPLAYS_USED : REPLAYS_FINE;
    }
    if (replays->count >= REPLAYS_SLOTS / 2) {
        if (!rebuild(replays, now_s) || replays->count >= REPLAYS_SLOTS / 2)
            return REPLAYS_FULL;
        slot = find(replays->slots, id);
    }
    *slot = (struct replay){.address = *address, .expires_s = expires_s};
    memcpy(slot->id, id, REPLAYS_ID_BYTES);
    replays->count++;
    return REPLAYS_FINE;
}
