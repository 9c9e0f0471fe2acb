/* Seeds: what the verifiable random function gave for each subject id, kept in a file, since it
 * costs a tenth of a millisecond a person. A seed outlives its person's key: so the leaf of
 * somebody who was erased stays. The file is as secret as the function's key. docs/NEVER-FORMAT.md,
 * "Seeds file". One owner; filling uses threads of its own. Private to never/. */
#ifndef COFFERDAM_NEVER_SEEDS_H
#define COFFERDAM_NEVER_SEEDS_H

#include <stdbool.h>

#include "base/status.h"
#include "crypto/vrf.h"
#include "exposure/reading.h"
#include "never/holdings.h"
#include "never/marks.h"
#include "policy/policy.h"

struct seeds {
    uint8_t public_key[VRF_PUBLIC_BYTES];
    uint8_t (*of)[SEED_BYTES]; /* by subject id; zeros: not known */
    size_t count;
    bool changed; /* since it was read */
};

/* Reads the file; empty where there is none, or where it is of another key. */
MUST_USE enum status seeds_read(const char *path, const uint8_t public_key[static VRF_PUBLIC_BYTES],
                                struct seeds *seeds, struct error *error);
/* Replaces the file, mode 0600, if anything changed. */
MUST_USE enum status seeds_write(struct seeds *seeds, const char *path, struct error *error);
void seeds_free(struct seeds *seeds);
/* The seed of somebody whose key is about to go. */
MUST_USE enum status seeds_set(struct seeds *seeds, uint32_t id,
                               const uint8_t seed[static SEED_BYTES], struct error *error);
bool seeds_known(const struct seeds *seeds, uint32_t id);

/* Seeds of people of whom nothing is held: are there any, and away with them. */
bool seeds_idle(const struct seeds *seeds, const struct holdings *holdings);
void seeds_let_go(struct seeds *seeds, const struct holdings *holdings);

/* Computes the seed of one person; "" and "" for everybody. */
void seeds_compute(const struct vrf_key *key, struct slice kind, struct slice subject,
                   uint8_t seed[static SEED_BYTES]);
/* Computes those of all who hold something and are not known yet. Whoever has no key any more stays
 * unknown. *made: how many. */
MUST_USE enum status seeds_fill(struct seeds *seeds, const struct vrf_key *key,
                                const struct holdings *holdings, struct names *names,
                                const struct policy *policy, size_t *made, struct error *error);

#endif
