/* See verify_tiles.h. Level by level, from the leaves up: what a level's full tiles come to must be
 * what the next level holds. C2SP tlog-tiles. A gateway may publish meanwhile: tiles of the size
 * that we look at are then there as before, or as the beginning of fuller ones. */
#include "ledger/verify_tiles.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ledger/merkle.h"
#include "ledger/tiles.h"

enum {
    HASH = MERKLE_HASH_BYTES,
    LEVEL_BITS = 8,
    ROOTS_BYTES = 1024 * 1024 * 1024,
};

struct checking {
    const char *folder;
    uint64_t size;
    bool bundles;
    uint64_t dropped_below; /* sequence; bundles that are wholly below it are gone */
    struct buffer bytes, bundle;
    struct buffer roots; /* of the full tiles of the level at hand, which the next must hold */
    struct buffer next;
    struct merkle tree; /* put together from the leaves' level */
    struct verify_damage *damage;
    struct error *error;
};

static enum status damaged(const struct checking *checking, const struct tile *tile,
                           const char *what)
{
    char path[TILES_PATH_ROOM];
    unsigned level = tile->level == TILES_ENTRIES ? 0 : tile->level;
    uint64_t sequence = tile->index << (LEVEL_BITS * (level + 1));
    tile_path(tile, path);
    checking->damage->check = "tiles";
    snprintf(checking->damage->file, sizeof checking->damage->file, "%.400s/tiles/%s",
             checking->folder, path);
    checking->damage->byte = 0;
    checking->damage->sequence = sequence;
    return error_set(checking->error, STATUS_CORRUPT, "XX001",
                     "Tiles are derived: a gateway that starts after a power cut makes the newest "
                     "anew by itself, and all of them where the folder tiles was moved away. Who "
                     "was served these has been misled.",
                     "%.150s/tiles/%s: from sequence %" PRIu64 ": tiles: %s", checking->folder,
                     path, sequence, what);
}

/* At least its width; what is behind belongs to a later size. */
static enum status read_hashes(struct checking *checking, const struct tile *tile)
{
    struct error why = {0};
    buffer_clear(&checking->bytes);
    enum status status = tile_read(checking->folder, tile, &checking->bytes, &why);
    if (status == STATUS_CORRUPT || status == STATUS_NOT_FOUND || status == STATUS_LIMIT)
        return damaged(checking, tile, "missing or unreadable");
    if (status != STATUS_OK && checking->error != NULL)
        *checking->error = why;
    TRY(status);
    return checking->bytes.len >= (size_t)tile->width * HASH
               ? STATUS_OK
               : damaged(checking, tile, "shorter than it must be");
}

/* The entries that were published beside these leaves. */
static enum status check_bundle(struct checking *checking, const struct tile *leaves)
{
    const struct tile tile = {
        .level = TILES_ENTRIES, .index = leaves->index, .width = leaves->width};
    uint8_t leaf[HASH];
    if (tile_read_bundle(checking->folder, &tile, &checking->bundle, NULL) != STATUS_OK)
        return damaged(checking, &tile, "missing or unreadable");
    struct slice rest = buffer_slice(&checking->bundle), entry;
    for (unsigned i = 0; i < tile.width; i++) {
        if (!tile_bundle_take(&rest, &entry))
            return damaged(checking, &tile, "cut off");
        merkle_leaf(entry, leaf);
        if (memcmp(leaf, checking->bytes.data + (size_t)i * HASH, HASH) != 0)
            return damaged(checking, &tile, "an entry is not that of its leaf");
    }
    return STATUS_OK;
}

/* Adds a tile to its level; of a full one the root is kept for the next. */
static enum status check_tile(struct checking *checking, const struct tile *tile,
                              struct merkle *above, struct merkle *within)
{
    size_t at = (size_t)tile->index * TILES_WIDTH * HASH, len = (size_t)tile->width * HASH;
    TRY(read_hashes(checking, tile));
    if (tile->level > 0 && memcmp(checking->bytes.data, checking->roots.data + at, len) != 0)
        return damaged(checking, tile, "not what the level below comes to");
    if (tile->level == 0 && checking->bundles &&
        (tile->index + 1) * TILES_WIDTH > checking->dropped_below)
        TRY(check_bundle(checking, tile));
    merkle_init(within);
    for (unsigned i = 0; i < tile->width; i++)
        merkle_add(within, checking->bytes.data + (size_t)i * HASH);
    if (tile->width < TILES_WIDTH)
        return STATUS_OK;
    buffer_append(&checking->next, within->roots[LEVEL_BITS], HASH);
    merkle_add(above, within->roots[LEVEL_BITS]);
    return STATUS_OK;
}

/* The tree from its leaves' tiles: complete ones make the higher subtrees, the last the lower. */
static void put_together(struct checking *checking, const struct merkle *above,
                         const struct merkle *within)
{
    bool partial = checking->size % TILES_WIDTH != 0;
    merkle_init(&checking->tree);
    checking->tree.size = checking->size;
    if (partial)
        memcpy(checking->tree.roots, within->roots, LEVEL_BITS * sizeof within->roots[0]);
    memcpy(checking->tree.roots + LEVEL_BITS, above->roots,
           (64 - LEVEL_BITS) * sizeof above->roots[0]);
}

static enum status check_level(struct checking *checking, unsigned level)
{
    struct merkle above, within;
    merkle_init(&above);
    merkle_init(&within);
    buffer_clear(&checking->next);
    for (uint64_t index = 0;; index++) {
        struct tile tile = {.level = level, .index = index};
        tile.width = tile_width(level, index, checking->size);
        if (tile.width == 0)
            break;
        TRY(check_tile(checking, &tile, &above, &within));
    }
    if (level == 0)
        put_together(checking, &above, &within);
    struct buffer done = checking->roots;
    checking->roots = checking->next;
    checking->next = done;
    return checking->roots.overflowed ? error_set(checking->error, STATUS_NOMEM, "53200", NULL,
                                                  "no memory to verify the tiles")
                                      : STATUS_OK;
}

static enum status check_root(const struct checking *checking, const struct checkpoint *published)
{
    uint8_t root[HASH];
    struct tile last = {.level = 0, .index = 0, .width = TILES_WIDTH};
    merkle_root(&checking->tree, root);
    return memcmp(root, published->root, HASH) == 0
               ? STATUS_OK
               : damaged(checking, &last, "the leaves do not come to the root that was published");
}

enum status verify_tiles(const char *folder, const struct checkpoint *published, bool bundles,
                         uint64_t dropped_below, struct verify_damage *damage, struct error *error)
{
    struct checking checking = {.folder = folder,
                                .size = published->size,
                                .bundles = bundles,
                                .dropped_below = dropped_below,
                                .damage = damage,
                                .error = error};
    buffer_init(&checking.bytes, TILES_WIDTH * HASH);
    buffer_init(&checking.bundle, TILES_BUNDLE_BYTES_MAX);
    buffer_init(&checking.roots, ROOTS_BYTES);
    buffer_init(&checking.next, ROOTS_BYTES);
    enum status status = STATUS_OK;
    for (unsigned level = 0; status == STATUS_OK && level < TILES_LEVELS; level++)
        status = check_level(&checking, level);
    if (status == STATUS_OK)
        status = check_root(&checking, published);
    buffer_free(&checking.bytes);
    buffer_free(&checking.bundle);
    buffer_free(&checking.roots);
    buffer_free(&checking.next);
    return status;
}
