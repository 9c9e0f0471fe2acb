/* Paths of tiles, and reading them. A tile that was partial when the checkpoint was made may be
 * full by now, and the partial one gone: then the full one's beginning is read. */
#include "ledger/tiles.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "ledger/ledger.h"
#include "ledger/merkle.h"
#include "ledger/proof.h"

enum { HASH = MERKLE_HASH_BYTES, FILE_PATH_ROOM = 4096, LEVEL_BITS = 8, BUNDLE_TRIES = 20 };

/* The tile of a level that was read last. */
struct cached {
    struct tile tile; /* width 0: none */
    uint8_t hashes[TILES_WIDTH][HASH];
};

struct tiles {
    char *folder;
    struct buffer bytes; /* tiles/checkpoint */
    bool is_signed;
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct checkpoint checkpoint;
    struct cached levels[TILES_LEVELS];
    struct tile bundle; /* width 0: none */
    struct buffer entries;
};

/* ---- paths ---- */

void tile_path(const struct tile *tile, char path[static TILES_PATH_ROOM])
{
    char groups[TILES_PATH_ROOM] = "";
    uint64_t rest = tile->index / 1000;
    size_t at = sizeof groups - 1;
    for (; rest > 0; rest /= 1000) {
        char group[8];
        snprintf(group, sizeof group, "x%03u/", (unsigned)(rest % 1000));
        at -= 5;
        memcpy(groups + at, group, 5);
    }
    char level[16] = "entries", partial[16] = "";
    if (tile->level != TILES_ENTRIES)
        snprintf(level, sizeof level, "%u", tile->level);
    if (tile->width != TILES_WIDTH)
        snprintf(partial, sizeof partial, ".p/%u", tile->width);
    int len = snprintf(path, TILES_PATH_ROOM, "tile/%s/%s%03u%s", level, groups + at,
                       (unsigned)(tile->index % 1000), partial);
    CHECK(len > 0 && len < TILES_PATH_ROOM);
}

static bool take_text(struct slice *rest, const char *text)
{
    size_t len = strlen(text);
    if (rest->len < len || memcmp(rest->data, text, len) != 0)
        return false;
    *rest = slice_of(rest->data + len, rest->len - len);
    return true;
}

static bool take_digits(struct slice *rest, size_t most, unsigned *number)
{
    size_t count = 0;
    unsigned value = 0;
    for (; count < rest->len && count < most; count++) {
        unsigned digit = (unsigned)rest->data[count] - '0';
        if (digit > 9)
            break;
        value = value * 10 + digit;
    }
    *rest = slice_of(rest->data + count, rest->len - count);
    *number = value;
    return count > 0;
}

/* Reads loosely; that it is the one spelling, tile_path tells afterwards. */
bool tile_path_parse(struct slice path, struct tile *tile)
{
    struct tile read = {.level = TILES_ENTRIES, .width = TILES_WIDTH};
    struct slice rest = path;
    char again[TILES_PATH_ROOM];
    unsigned group;
    if (path.len >= TILES_PATH_ROOM || !take_text(&rest, "tile/"))
        return false;
    if (!take_text(&rest, "entries") &&
        (!take_digits(&rest, 1, &read.level) || read.level >= TILES_LEVELS))
        return false;
    if (!take_text(&rest, "/"))
        return false;
    while (take_text(&rest, "x")) {
        if (!take_digits(&rest, 3, &group) || read.index > INT64_MAX / 1000000 ||
            !take_text(&rest, "/"))
            return false;
        read.index = read.index * 1000 + group;
    }
    if (!take_digits(&rest, 3, &group))
        return false;
    read.index = read.index * 1000 + group;
    if (take_text(&rest, ".p/") &&
        (!take_digits(&rest, 3, &read.width) || read.width == 0 || read.width >= TILES_WIDTH))
        return false;
    tile_path(&read, again);
    if (rest.len != 0 || !slice_equal(path, slice_of_text(again)))
        return false;
    *tile = read;
    return true;
}

unsigned tile_width(unsigned level, uint64_t index, uint64_t size)
{
    unsigned shift = level == TILES_ENTRIES ? 0 : LEVEL_BITS * level;
    uint64_t count = size >> shift;
    if (index > count >> LEVEL_BITS)
        return 0;
    count -= index << LEVEL_BITS;
    return count > TILES_WIDTH ? TILES_WIDTH : (unsigned)count;
}

bool tile_bundle_take(struct slice *bundle, struct slice *entry)
{
    if (bundle->len < 2)
        return false;
    size_t len = load_u16be(bundle->data);
    if (bundle->len - 2 < len)
        return false;
    *entry = slice_of(bundle->data + 2, len);
    *bundle = slice_of(entry->data + len, bundle->len - 2 - len);
    return true;
}

/* ---- opening ---- */

static enum status read_checkpoint(struct tiles *tiles, struct error *error)
{
    char path[FILE_PATH_ROOM];
    struct note note;
    snprintf(path, sizeof path, "%.4000s/tiles/checkpoint", tiles->folder);
    enum status status = file_read(path, &tiles->bytes, error);
    if (status == STATUS_NOT_FOUND)
        return error_set(error, STATUS_NOT_FOUND, "58P01",
                         "the gateway publishes while it runs, unless ledger.tiles is false",
                         "%.300s: nothing has been published yet", path);
    TRY(status);
    struct slice text = buffer_slice(&tiles->bytes);
    tiles->is_signed = note_parse(text, &note, NULL) == STATUS_OK;
    status = checkpoint_parse(tiles->is_signed ? note.text : text, tiles->origin,
                              &tiles->checkpoint, error);
    if (status != STATUS_OK)
        error_prefix(error, "%.300s", path);
    return status;
}

enum status tiles_open(const char *folder, struct tiles **tiles, struct error *error)
{
    struct tiles *made = calloc(1, sizeof *made);
    char *copy = strdup(folder);
    if (made == NULL || copy == NULL) {
        free(made);
        free(copy);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory to read the tiles");
    }
    made->folder = copy;
    buffer_init(&made->bytes, NOTE_BYTES_MAX);
    buffer_init(&made->entries, TILES_BUNDLE_BYTES_MAX);
    enum status status = read_checkpoint(made, error);
    if (status != STATUS_OK) {
        tiles_close(made);
        return status;
    }
    *tiles = made;
    return STATUS_OK;
}

void tiles_close(struct tiles *tiles)
{
    if (tiles == NULL)
        return;
    buffer_free(&tiles->bytes);
    buffer_free(&tiles->entries);
    free(tiles->folder);
    free(tiles);
}

const struct checkpoint *tiles_checkpoint(const struct tiles *tiles)
{
    return &tiles->checkpoint;
}

const char *tiles_origin(const struct tiles *tiles)
{
    return tiles->origin;
}

struct slice tiles_note(const struct tiles *tiles)
{
    return tiles->is_signed ? buffer_slice(&tiles->bytes) : slice_of(NULL, 0);
}

/* ---- reading ---- */

static enum status bad_tile(const char *folder, const struct tile *tile, const char *what,
                            struct error *error)
{
    char path[TILES_PATH_ROOM];
    tile_path(tile, path);
    return error_set(error, STATUS_CORRUPT, "XX001",
                     "a gateway that finds no file tiles.synced makes all tiles anew",
                     "%.300s/tiles/%s: %s", folder, path, what);
}

enum status tile_read(const char *folder, const struct tile *tile, struct buffer *out,
                      struct error *error)
{
    const struct tile full = {.level = tile->level, .index = tile->index, .width = TILES_WIDTH};
    char name[TILES_PATH_ROOM], path[FILE_PATH_ROOM];
    tile_path(tile, name);
    snprintf(path, sizeof path, "%.3900s/tiles/%s", folder, name);
    enum status status = file_read(path, out, error);
    if (status == STATUS_NOT_FOUND && tile->width != TILES_WIDTH) {
        tile_path(&full, name);
        snprintf(path, sizeof path, "%.3900s/tiles/%s", folder, name);
        status = file_read(path, out, error);
    }
    if (status == STATUS_NOT_FOUND)
        return bad_tile(folder, tile, "missing", error);
    return status;
}

enum status tile_read_bundle(const char *folder, const struct tile *tile, struct buffer *out,
                             struct error *error)
{
    struct tile at = *tile;
    enum status status = STATUS_CORRUPT;
    for (int i = 0; i < BUNDLE_TRIES; i++) {
        struct tiles *now = NULL;
        buffer_clear(out);
        status = tile_read(folder, &at, out, error);
        if (status != STATUS_CORRUPT || tiles_open(folder, &now, NULL) != STATUS_OK)
            break;
        unsigned width = tile_width(TILES_ENTRIES, tile->index, now->checkpoint.size);
        tiles_close(now);
        if (width <= at.width)
            break;
        at.width = width;
    }
    return status;
}

static enum status load_hashes(struct tiles *tiles, const struct tile *tile, struct error *error)
{
    struct cached *cached = &tiles->levels[tile->level];
    struct buffer bytes;
    if (cached->tile.width == tile->width && cached->tile.index == tile->index)
        return STATUS_OK;
    cached->tile.width = 0;
    buffer_init(&bytes, sizeof cached->hashes);
    enum status status = tile_read(tiles->folder, tile, &bytes, error);
    size_t want = (size_t)tile->width * HASH;
    if (status == STATUS_OK && bytes.len != want && bytes.len != sizeof cached->hashes)
        status = bad_tile(tiles->folder, tile, "not of the length that its name says", error);
    if (status == STATUS_OK) {
        memcpy(cached->hashes, bytes.data, want);
        cached->tile = *tile;
    }
    buffer_free(&bytes);
    return status;
}

enum status tiles_source(void *context, unsigned level, uint64_t index, uint8_t hash[static 32],
                         struct error *error)
{
    struct tiles *tiles = context;
    unsigned above = level % LEVEL_BITS; /* the tile holds the roots of subtrees so much lower */
    struct tile tile = {.level = level / LEVEL_BITS};
    uint8_t roots[TILES_WIDTH][HASH];
    CHECK(tile.level < TILES_LEVELS && index <= UINT64_MAX >> above);
    uint64_t first = index << above, count = (uint64_t)1 << above;
    tile.index = first >> LEVEL_BITS;
    tile.width = tile_width(tile.level, tile.index, tiles->checkpoint.size);
    if (first % TILES_WIDTH + count > tile.width)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "%.300s: the tiles hold %" PRIu64 " entries only", tiles->folder,
                         tiles->checkpoint.size);
    TRY(load_hashes(tiles, &tile, error));
    memcpy(roots, tiles->levels[tile.level].hashes[first % TILES_WIDTH], count * HASH);
    for (; count > 1; count /= 2)
        for (uint64_t i = 0; i < count / 2; i++)
            merkle_node(roots[2 * i], roots[2 * i + 1], roots[i]);
    memcpy(hash, roots[0], HASH);
    return STATUS_OK;
}

static enum status load_bundle(struct tiles *tiles, const struct tile *tile, struct error *error)
{
    if (tiles->bundle.width == tile->width && tiles->bundle.index == tile->index)
        return STATUS_OK;
    tiles->bundle.width = 0;
    TRY(tile_read_bundle(tiles->folder, tile, &tiles->entries, error));
    tiles->bundle = *tile;
    return STATUS_OK;
}

/* Bundles go with the segments that were dropped. */
static enum status tell_dropped(const struct tiles *tiles, uint64_t sequence, struct error *error)
{
    struct ledger_reader *reader = NULL;
    struct ledger_dropped dropped;
    enum status status = STATUS_OK;
    if (ledger_reader_open(tiles->folder, sequence, &reader, NULL) != STATUS_OK)
        return STATUS_OK;
    if (ledger_reader_dropped(reader, &dropped))
        status = error_set(error, STATUS_NOT_FOUND, "02000",
                           "Its leaf can still be proved to whoever has the entry.",
                           "entry %" PRIu64
                           " was dropped from the ledger, with those below %" PRIu64 " (%.200s)",
                           sequence, dropped.below, dropped.reason);
    ledger_reader_close(reader);
    return status;
}

enum status tiles_entry(struct tiles *tiles, uint64_t sequence, struct slice *entry,
                        struct error *error)
{
    const uint64_t size = tiles->checkpoint.size, index = sequence / TILES_WIDTH;
    uint8_t leaf[HASH], want[HASH];
    if (sequence >= size)
        return error_set(error, STATUS_INVALID, "22023",
                         "what is newer is published within ledger.publish_every",
                         "entry %" PRIu64 " is not among the %" PRIu64 " that are published",
                         sequence, size);
    const struct tile tile = {TILES_ENTRIES, index, tile_width(TILES_ENTRIES, index, size)};
    enum status loaded = load_bundle(tiles, &tile, error);
    if (loaded == STATUS_CORRUPT)
        TRY(tell_dropped(tiles, sequence, error));
    TRY(loaded);
    struct slice rest = buffer_slice(&tiles->entries), found = {0};
    for (uint64_t i = 0; i <= sequence % TILES_WIDTH; i++)
        if (!tile_bundle_take(&rest, &found))
            return bad_tile(tiles->folder, &tile, "ends too early", error);
    TRY(tiles_source(tiles, 0, sequence, want, error));
    merkle_leaf(found, leaf);
    if (memcmp(leaf, want, HASH) != 0)
        return bad_tile(tiles->folder, &tile, "holds an entry that is not that of its leaf", error);
    *entry = found;
    return STATUS_OK;
}
