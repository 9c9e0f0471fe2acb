/* See verify_base.h. RFC 6962, 2.1: a tree of n leaves consists of one complete subtree for each
 * set bit of n, and tiles hold the roots of all complete subtrees. */
#include "ledger/verify_base.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ledger/tiles.h"

static enum status damaged(struct verify_damage *damage, const char *folder, uint64_t sequence,
                           const char *check, const char *what, struct error *error)
{
    damage->check = check;
    damage->byte = 0;
    damage->sequence = sequence;
    snprintf(damage->file, sizeof damage->file, "%.440s/base", folder);
    return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                     "%.200s: sequence %" PRIu64 ": %s: %.300s", damage->file, sequence, check,
                     what);
}

static enum status check_carried(struct tiles *tiles, struct base *base, const char *folder,
                                 struct verify_damage *damage, struct error *error)
{
    struct base_carried carried;
    uint8_t want[MERKLE_HASH_BYTES], leaf[MERKLE_HASH_BYTES];
    base->at = 0;
    while (base_next(base, &carried)) {
        TRY(tiles_source(tiles, 0, carried.sequence, want, error));
        merkle_leaf(carried.bytes, leaf);
        if (memcmp(leaf, want, sizeof leaf) != 0)
            return damaged(damage, folder, carried.sequence, "base",
                           "a carried entry is not the one that the log had", error);
    }
    return STATUS_OK;
}

static enum status check_claim(struct tiles *tiles, const struct verify_claim *claim,
                               const char *folder, struct verify_damage *damage,
                               struct error *error)
{
    char what[VERIFY_SOURCE_ROOM + 64];
    struct merkle tree = {.size = claim->size};
    uint8_t root[MERKLE_HASH_BYTES];
    for (unsigned height = 0; height < 64; height++)
        if ((claim->size >> height & 1) != 0)
            TRY(tiles_source(tiles, height, (claim->size >> height) - 1, tree.roots[height],
                             error));
    merkle_root(&tree, root);
    if (memcmp(root, claim->root, sizeof root) == 0)
        return STATUS_OK;
    snprintf(what, sizeof what, "the tree up to here is not the one of %.500s", claim->source);
    return damaged(damage, folder, claim->size, "fork", what, error);
}

enum status verify_base(const char *folder, struct base *base, const struct verify_claim *claims,
                        size_t count, struct verify_damage *damage, struct error *error)
{
    struct tiles *tiles = NULL;
    TRY(tiles_open(folder, &tiles, error));
    enum status status = check_carried(tiles, base, folder, damage, error);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = check_claim(tiles, &claims[i], folder, damage, error);
    tiles_close(tiles);
    return status;
}
