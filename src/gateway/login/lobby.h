/* Lobby: the connections of one worker whose identity is not proven yet, with bounds of their own.
 * When it is full the newcomer comes in, and the oldest guest of the address that has most guests
 * goes: a login takes milliseconds, so the oldest waits on purpose, and an address with one guest
 * loses it only where no other has two (docs/decisions/0027). One thread. */
#ifndef COFFERDAM_GATEWAY_LOBBY_H
#define COFFERDAM_GATEWAY_LOBBY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct lobby;
struct lobby_address;

struct lobby_guest { /* part of its owner; all zero: it is not in the lobby */
    TAILQ_ENTRY(lobby_guest) link;
    struct lobby_address *address;
    void *owner;
};

/* Both bounds are at least 1. NULL when memory is exhausted. */
struct lobby *lobby_open(size_t most_guests, size_t most_of_address);
void lobby_close(struct lobby *lobby); /* empty; NULL is fine */
/* The guest comes in; who it is counted for: net_address_block(), or a user of this machine.
 * *dropped is another guest for which there is no room now, or NULL; it has left the lobby.
 * False when memory is exhausted: the guest is not in. */
bool lobby_enter(struct lobby *lobby, struct lobby_guest *guest, uint64_t who,
                 struct lobby_guest **dropped);
void lobby_leave(struct lobby *lobby, struct lobby_guest *guest); /* again is fine */
size_t lobby_count(const struct lobby *lobby);

/* May a line about a guest be logged in this second? Counts those that may not. */
bool lobby_may_log(struct lobby *lobby, int64_t now_ns);
/* Takes the count of lines that were not logged. */
uint64_t lobby_take_unlogged(struct lobby *lobby);

#endif
