/* Lobby: guests by address, addresses by how many guests they have. Every step takes the same time
 * however many there are. Invariant: an address stands on the list of its count, and goes with its
 * last guest; `most` is the highest list that is not empty, or 0. */
#include "gateway/login/lobby.h"

#include <stdlib.h>

#include "base/check.h"
#include "crypto/crypto.h"

enum { LINES_A_SECOND = 20, NS_A_SECOND = 1000000000 };

TAILQ_HEAD(lobby_guests, lobby_guest);
TAILQ_HEAD(lobby_addresses, lobby_address);

struct lobby_address {
    TAILQ_ENTRY(lobby_address) link; /* of by_count[count] */
    struct lobby_address *next;      /* of its hash bucket */
    uint64_t who;
    size_t count;
    struct lobby_guests guests; /* oldest first */
};

struct lobby {
    size_t count, most_guests, most_of_address, most;
    struct lobby_addresses *by_count; /* 1 … most_of_address + 1 */
    struct lobby_address **buckets;
    size_t bucket_count; /* a power of two */
    uint64_t seed;       /* so that nobody can choose addresses of one bucket */
    int64_t second;
    unsigned lines; /* logged in that second */
    uint64_t unlogged;
};

struct lobby *lobby_open(size_t most_guests, size_t most_of_address)
{
    CHECK(most_guests > 0 && most_of_address > 0);
    struct lobby *lobby = calloc(1, sizeof *lobby);
    if (lobby == NULL)
        return NULL;
    if (most_of_address > most_guests)
        most_of_address = most_guests;
    lobby->most_guests = most_guests;
    lobby->most_of_address = most_of_address;
    for (lobby->bucket_count = 64; lobby->bucket_count < most_guests;)
        lobby->bucket_count *= 2;
    lobby->buckets = calloc(lobby->bucket_count, sizeof(struct lobby_address *));
    lobby->by_count = calloc(most_of_address + 2, sizeof lobby->by_count[0]);
    if (lobby->buckets == NULL || lobby->by_count == NULL) {
        lobby_close(lobby);
        return NULL;
    }
    for (size_t i = 0; i < most_of_address + 2; i++)
        TAILQ_INIT(&lobby->by_count[i]);
    crypto_random(&lobby->seed, sizeof lobby->seed);
    return lobby;
}

void lobby_close(struct lobby *lobby)
{
    if (lobby == NULL)
        return;
    CHECK(lobby->count == 0);
    free(lobby->buckets);
    free(lobby->by_count);
    free(lobby);
}

static struct lobby_address **bucket_of(struct lobby *lobby, uint64_t who)
{
    uint64_t mixed = (who ^ lobby->seed) * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return &lobby->buckets[(mixed ^ mixed >> 32) & (lobby->bucket_count - 1)];
}

static struct lobby_address *find_address(struct lobby *lobby, uint64_t who)
{
    struct lobby_address **bucket = bucket_of(lobby, who);
    for (struct lobby_address *address = *bucket; address != NULL; address = address->next)
        if (address->who == who)
            return address;
    struct lobby_address *address = calloc(1, sizeof *address);
    if (address == NULL)
        return NULL;
    address->who = who;
    address->next = *bucket;
    TAILQ_INIT(&address->guests);
    *bucket = address;
    return address;
}

static void forget_address(struct lobby *lobby, struct lobby_address *address)
{
    struct lobby_address **at = bucket_of(lobby, address->who);
    while (*at != address)
        at = &(*at)->next;
    *at = address->next;
    free(address);
}

static void recount(struct lobby *lobby, struct lobby_address *address, size_t count)
{
    if (address->count > 0)
        TAILQ_REMOVE(&lobby->by_count[address->count], address, link);
    address->count = count;
    if (count > 0)
        TAILQ_INSERT_TAIL(&lobby->by_count[count], address, link);
    if (count > lobby->most)
        lobby->most = count;
    while (lobby->most > 0 && TAILQ_EMPTY(&lobby->by_count[lobby->most]))
        lobby->most--;
}

bool lobby_enter(struct lobby *lobby, struct lobby_guest *guest, uint64_t who,
                 struct lobby_guest **dropped)
{
    struct lobby_address *address = find_address(lobby, who);
    *dropped = NULL;
    if (address == NULL)
        return false;
    guest->address = address;
    TAILQ_INSERT_TAIL(&address->guests, guest, link);
    recount(lobby, address, address->count + 1);
    lobby->count++;
    if (address->count > lobby->most_of_address)
        *dropped = TAILQ_FIRST(&address->guests);
    else if (lobby->count > lobby->most_guests)
        *dropped = TAILQ_FIRST(&TAILQ_FIRST(&lobby->by_count[lobby->most])->guests);
    if (*dropped == NULL)
        return true;
    CHECK(*dropped != guest);
    lobby_leave(lobby, *dropped);
    return true;
}

void lobby_leave(struct lobby *lobby, struct lobby_guest *guest)
{
    struct lobby_address *address = guest->address;
    if (address == NULL)
        return;
    guest->address = NULL;
    TAILQ_REMOVE(&address->guests, guest, link);
    recount(lobby, address, address->count - 1);
    lobby->count--;
    if (address->count == 0)
        forget_address(lobby, address);
}

size_t lobby_count(const struct lobby *lobby)
{
    return lobby->count;
}

bool lobby_may_log(struct lobby *lobby, int64_t now_ns)
{
    int64_t second = now_ns / NS_A_SECOND;
    if (second != lobby->second) {
        lobby->second = second;
        lobby->lines = 0;
    }
    if (lobby->lines < LINES_A_SECOND) {
        lobby->lines++;
        return true;
    }
    lobby->unlogged++;
    return false;
}

uint64_t lobby_take_unlogged(struct lobby *lobby)
{
    uint64_t unlogged = lobby->unlogged;
    lobby->unlogged = 0;
    return unlogged;
}
