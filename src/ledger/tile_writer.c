/* Adding a leaf is a count in base 256: where a tile becomes full, the root of its 256 hashes is
 * the next hash one level up. A partial tile goes only once the full one that replaces it is
 * synced: the tiles of tiles.synced can be read whenever the machine stops. */
#include "ledger/tile_writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "ledger/kept.h"

enum {
    HASH = MERKLE_HASH_BYTES,
    LEVEL_BITS = 8,
    FOLDER_MODE = 0750,
    PATH_ROOM = SEGMENT_PATH_BYTES + 128,
    SYNCED_BYTES_MAX = 1024,
};

static uint64_t count_at(unsigned level, uint64_t size)
{
    return level == TILES_ENTRIES ? size : size >> LEVEL_BITS * level;
}

/* ---- files ---- */

static void path_of(const struct tile_writer *writer, const char *name, char path[static PATH_ROOM])
{
    snprintf(path, PATH_ROOM, "%s/tiles/%s", writer->folder, name);
}

static enum status write_whole(const char *path, struct slice bytes, bool sync, struct error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, SEGMENT_FILE_MODE);
    if (fd < 0)
        return error_set_errno(error, errno, "%s", path);
    enum status status = file_write_at(fd, bytes.data, bytes.len, 0, error);
    if (status == STATUS_OK && sync && fdatasync(fd) != 0)
        status = error_set_errno(error, errno, "fdatasync %s", path);
    if (close(fd) != 0 && status == STATUS_OK)
        status = error_set_errno(error, errno, "%s", path);
    return status;
}

/* The name appears with all of its bytes behind it, also after a power cut where they are synced.
 * The folder is made where it is missing. */
static enum status put_file(const struct tile_writer *writer, const char *name, struct slice bytes,
                            bool sync, struct error *error)
{
    char path[PATH_ROOM], fresh[PATH_ROOM], folder[PATH_ROOM];
    path_of(writer, name, path);
    path_of(writer, ".new", fresh);
    TRY(write_whole(fresh, bytes, sync, error));
    if (rename(fresh, path) == 0)
        return STATUS_OK;
    if (errno == ENOENT) {
        snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
        TRY(file_make_folder(folder, FOLDER_MODE, error));
        if (rename(fresh, path) == 0)
            return STATUS_OK;
    }
    return error_set_errno(error, errno, "%s", path);
}

static enum status put_tile(const struct tile_writer *writer, const struct tile *tile,
                            struct slice bytes, struct error *error)
{
    char name[TILES_PATH_ROOM];
    tile_path(tile, name);
    return put_file(writer, name, bytes, false, error);
}

/* Removes the partial ones of a tile but for two widths. What cannot be removed does no harm. */
static void remove_partials(const struct tile_writer *writer, unsigned level, uint64_t index,
                            unsigned keep, unsigned keep_too)
{
    const struct tile any = {.level = level, .index = index, .width = 1};
    char name[TILES_PATH_ROOM], path[PATH_ROOM];
    tile_path(&any, name);
    *strrchr(name, '/') = '\0';
    path_of(writer, name, path);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (struct dirent *at = readdir(folder); at != NULL; at = readdir(folder)) {
        unsigned long width = strtoul(at->d_name, NULL, 10);
        if (at->d_name[0] != '.' && width != keep && width != keep_too)
            unlinkat(dirfd(folder), at->d_name, 0);
    }
    closedir(folder);
    if (keep == 0 && keep_too == 0)
        rmdir(path);
}

/* ---- the tree ---- */

static void init(struct tile_writer *writer, const char *folder, const char *origin)
{
    writer->size = writer->bundled = writer->settled = 0;
    writer->flushed = UINT64_MAX;
    CHECK(strlen(folder) < sizeof writer->folder && strlen(origin) < sizeof writer->origin);
    snprintf(writer->folder, sizeof writer->folder, "%s", folder);
    snprintf(writer->origin, sizeof writer->origin, "%s", origin);
    buffer_init(&writer->bundle, TILES_BUNDLE_BYTES_MAX);
}

enum status tile_writer_start(struct tile_writer *writer, const char *folder, const char *origin,
                              struct error *error)
{
    char path[PATH_ROOM];
    init(writer, folder, origin);
    path_of(writer, "", path);
    return file_make_folder(path, FOLDER_MODE, error);
}

void tile_writer_free(struct tile_writer *writer)
{
    buffer_free(&writer->bundle);
}

/* The root of 2^k hashes, k at most 8; they are overwritten. */
static void fold(uint8_t (*hashes)[HASH], size_t count, uint8_t root[static HASH])
{
    for (; count > 1; count /= 2)
        for (size_t i = 0; i < count / 2; i++)
            merkle_node(hashes[2 * i], hashes[2 * i + 1], hashes[i]);
    memcpy(root, hashes[0], HASH);
}

static enum status add_leaf(struct tile_writer *writer, const uint8_t leaf[static HASH],
                            struct error *error)
{
    uint8_t hash[HASH];
    memcpy(hash, leaf, sizeof hash);
    for (unsigned level = 0; level < TILES_LEVELS; level++) {
        uint64_t at = count_at(level, writer->size);
        uint8_t(*hashes)[HASH] = writer->edge[level];
        memcpy(hashes[at % TILES_WIDTH], hash, sizeof hash);
        if (at % TILES_WIDTH != TILES_WIDTH - 1)
            break;
        const struct tile tile = {level, at / TILES_WIDTH, TILES_WIDTH};
        TRY(put_tile(writer, &tile, slice_of(hashes, sizeof writer->edge[level]), error));
        fold(hashes, TILES_WIDTH, hash);
    }
    writer->size++;
    return STATUS_OK;
}

enum status tile_writer_add(struct tile_writer *writer, struct slice entry, struct error *error)
{
    uint8_t leaf[HASH];
    merkle_leaf(entry, leaf);
    CHECK(entry.len <= UINT16_MAX);
    if (writer->bundled == writer->size)
        TRY(add_leaf(writer, leaf, error));
    else if (memcmp(writer->edge[0][writer->bundled % TILES_WIDTH], leaf, HASH) != 0)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                         "%.300s/tiles: a leaf is not that of its entry", writer->folder);
    buffer_append_u16be(&writer->bundle, (uint16_t)entry.len);
    buffer_append(&writer->bundle, entry.data, entry.len);
    if (writer->bundle.overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for a bundle of entries");
    writer->bundled++;
    if (writer->bundled % TILES_WIDTH != 0)
        return STATUS_OK;
    const struct tile tile = {TILES_ENTRIES, writer->bundled / TILES_WIDTH - 1, TILES_WIDTH};
    TRY(put_tile(writer, &tile, buffer_slice(&writer->bundle), error));
    buffer_clear(&writer->bundle);
    return STATUS_OK;
}

/* From the right: each level's partial tile holds one complete subtree for each bit of its width.
 */
void tile_writer_root(const struct tile_writer *writer, uint8_t root[static HASH])
{
    uint8_t part[TILES_WIDTH][HASH], left[HASH];
    struct merkle empty;
    bool has_right = false;
    merkle_init(&empty);
    merkle_root(&empty, root);
    for (unsigned level = 0; level < TILES_LEVELS; level++) {
        size_t width = count_at(level, writer->size) % TILES_WIDTH;
        for (size_t count = 1; count < TILES_WIDTH; count *= 2) {
            if ((width & count) == 0)
                continue;
            width -= count;
            memcpy(part, writer->edge[level][width], count * HASH);
            fold(part, count, left);
            if (has_right)
                merkle_node(left, root, root);
            else
                memcpy(root, left, HASH);
            has_right = true;
        }
    }
}

/* ---- partial tiles ---- */

static enum status flush_level(const struct tile_writer *writer, unsigned level,
                               struct error *error)
{
    uint64_t count = count_at(level, writer->size);
    const struct tile tile = {level, count / TILES_WIDTH, (unsigned)(count % TILES_WIDTH)};
    bool is_there = writer->flushed != UINT64_MAX && count_at(level, writer->flushed) == count;
    if (tile.width == 0 || is_there)
        return STATUS_OK;
    if (level != TILES_ENTRIES)
        return put_tile(writer, &tile, slice_of(writer->edge[level], tile.width * HASH), error);
    TRY(put_tile(writer, &tile, buffer_slice(&writer->bundle), error));
    /* Bundles are large: beside this one only the last, for whoever is reading by the checkpoint
     * before. */
    bool same = writer->flushed != UINT64_MAX && writer->flushed / TILES_WIDTH == tile.index;
    remove_partials(writer, level, tile.index, tile.width,
                    same ? (unsigned)(writer->flushed % TILES_WIDTH) : 0);
    return STATUS_OK;
}

enum status tile_writer_flush(struct tile_writer *writer, struct error *error)
{
    CHECK(writer->bundled == writer->size);
    for (unsigned level = 0; level <= TILES_ENTRIES; level++)
        TRY(flush_level(writer, level, error));
    writer->flushed = writer->size;
    return STATUS_OK;
}

enum status tile_writer_checkpoint(struct tile_writer *writer, struct slice note,
                                   struct error *error)
{
    int lock; /* whoever adds cosignatures to what stands there must not put it back */
    TRY(kept_lock_published(writer->folder, &lock, error));
    enum status status = put_file(writer, "checkpoint", note, true, error);
    close(lock);
    return status;
}

/* ---- what survives a power cut ---- */

static enum status sync_all(const struct tile_writer *writer, struct error *error)
{
    char path[PATH_ROOM];
    path_of(writer, "", path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(error, errno, "%s", path);
    int failed = syncfs(fd) != 0 ? errno : 0;
    close(fd);
    return failed == 0 ? STATUS_OK : error_set_errno(error, failed, "syncfs %s", path);
}

static void synced_path(const struct tile_writer *writer, char path[static PATH_ROOM])
{
    snprintf(path, PATH_ROOM, "%s/tiles.synced", writer->folder);
}

enum status tile_writer_settle(struct tile_writer *writer, struct error *error)
{
    char path[PATH_ROOM];
    struct checkpoint checkpoint = {.size = writer->size};
    struct buffer text;
    TRY(tile_writer_flush(writer, error));
    TRY(sync_all(writer, error));
    buffer_init(&text, SYNCED_BYTES_MAX);
    tile_writer_root(writer, checkpoint.root);
    checkpoint_format(writer->origin, &checkpoint, &text);
    synced_path(writer, path);
    enum status status = file_replace(path, buffer_slice(&text), SEGMENT_FILE_MODE, error);
    buffer_free(&text);
    TRY(status);
    for (unsigned level = 0; level <= TILES_ENTRIES; level++) {
        uint64_t index = count_at(level, writer->settled) / TILES_WIDTH;
        for (; index < count_at(level, writer->size) / TILES_WIDTH; index++)
            remove_partials(writer, level, index, 0, 0);
    }
    writer->settled = writer->size;
    return STATUS_OK;
}

static enum status read_synced(const struct tile_writer *writer, struct checkpoint *synced,
                               struct error *error)
{
    char path[PATH_ROOM], origin[CHECKPOINT_ORIGIN_ROOM];
    struct buffer text;
    buffer_init(&text, SYNCED_BYTES_MAX);
    synced_path(writer, path);
    enum status status = file_read(path, &text, error);
    if (status == STATUS_OK &&
        (checkpoint_parse(buffer_slice(&text), origin, synced, NULL) != STATUS_OK ||
         strcmp(origin, writer->origin) != 0))
        status = error_set(error, STATUS_CORRUPT, "XX001", NULL,
                           "%.300s: damaged, or another log's", path);
    buffer_free(&text);
    return status;
}

static enum status load_edge(struct tile_writer *writer, struct error *error)
{
    for (unsigned level = 0; level < TILES_LEVELS; level++) {
        uint64_t count = count_at(level, writer->size);
        const struct tile tile = {level, count / TILES_WIDTH, (unsigned)(count % TILES_WIDTH)};
        struct buffer bytes;
        if (tile.width == 0)
            continue;
        buffer_init(&bytes, sizeof writer->edge[level]);
        enum status status = tile_read(writer->folder, &tile, &bytes, error);
        if (status == STATUS_OK && bytes.len >= tile.width * HASH)
            memcpy(writer->edge[level], bytes.data, tile.width * HASH);
        else if (status == STATUS_OK)
            status = error_set(error, STATUS_CORRUPT, "XX001", NULL,
                               "%.300s/tiles: a tile is short", writer->folder);
        buffer_free(&bytes);
        TRY(status);
    }
    return STATUS_OK;
}

static enum status take_up(struct tile_writer *writer, struct error *error)
{
    struct checkpoint synced;
    uint8_t root[HASH];
    TRY(read_synced(writer, &synced, error));
    writer->size = writer->settled = synced.size;
    writer->bundled = synced.size - synced.size % TILES_WIDTH;
    TRY(load_edge(writer, error));
    tile_writer_root(writer, root);
    if (memcmp(root, synced.root, sizeof root) != 0)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                         "%.300s: the tiles do not give the root in tiles.synced", writer->folder);
    return STATUS_OK;
}

enum status tile_writer_resume(struct tile_writer *writer, const char *folder, const char *origin,
                               struct error *error)
{
    init(writer, folder, origin);
    enum status status = take_up(writer, error);
    if (status != STATUS_OK)
        tile_writer_free(writer);
    return status;
}
