/* A ledger whose exposure has its index in files, and the same index in memory to hold it against.
 * Each function fails the running test where it fails. */
#ifndef TESTS_EXPOSURE_INDEX_WORLD_H
#define TESTS_EXPOSURE_INDEX_WORLD_H

#include "scene.h"

#include "exposure/index.h"
#include "exposure/parts.h"

struct world {
    struct scene scene;
    char folder[96];
    struct policy policy;
    struct policy_kind kind;
};

uint32_t world_random(uint32_t below);
void world_make(struct world *world);
void world_open(struct world *world);
void world_reopen(struct world *world);
void world_end(struct world *world); /* closes, and removes its folder */
void world_fold(struct world *world);
/* Entries, mostly onwards over 75 days, now and then far back; every grade, several purposes and
 * partners; durable. */
void world_disclose(struct world *world, int count);
/* Three questions' answers as text; free() it. */
char *world_answer(struct world *world, struct exposure *exposure, int64_t from_ns, int64_t to_ns);
/* Every question in many ranges, against an index read into memory. */
void world_compare(struct world *world);
/* The files are, byte for byte, what the ledger makes. */
void world_check(struct world *world);

#endif
