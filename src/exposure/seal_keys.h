/* Seal keys: under which new pairs travel in the ledger's side sections. One a ledger segment, in
 * subjects/segment-N.key (64 hex digits, mode 0600), durable before its first use; destroyed once
 * the key file holds every pair sealed under it, so that erasing a pair there erases it for good.
 * Thread-safe: one mutex. File changes only by the opener and the background thread. */
#ifndef COFFERDAM_EXPOSURE_SEAL_KEYS_H
#define COFFERDAM_EXPOSURE_SEAL_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct seal_keys; /* owned */

struct seal_key {
    uint64_t number;    /* of the segment for which it was made */
    uint8_t mark[8];    /* first bytes of its SHA-256: tells it from another of that number */
    uint8_t secret[32]; /* wiped by its holder */
};

/* Reads every segment-*.key in the folder. */
MUST_USE enum status seal_keys_open(const char *folder, struct seal_keys **keys,
                                    struct error *error);
void seal_keys_free(struct seal_keys *keys);
/* The key with that number and mark; STATUS_NOT_FOUND: destroyed. */
MUST_USE enum status seal_keys_find(struct seal_keys *keys, uint64_t number,
                                    const uint8_t mark[static 8], struct seal_key *key);
/* Sees to a key for this segment, or keeps the newest if that is newer. *rolled: a new one was
 * made, the older ones seal nothing from now on. */
MUST_USE enum status seal_keys_roll(struct seal_keys *keys, uint64_t segment, bool *rolled,
                                    struct error *error);
/* The newest; roll first. */
void seal_keys_current(struct seal_keys *keys, struct seal_key *key);
/* Overwrites and unlinks all but the newest. */
MUST_USE enum status seal_keys_destroy_older(struct seal_keys *keys, struct error *error);

#endif
