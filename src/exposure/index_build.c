/* See index_build.h. */
#include "exposure/index_build.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "exposure/index_entry.h"

static const struct index_manifest nothing;

/* ---- reading ---- */

struct reading {
    struct entry_sink tail;
    struct told *told; /* NULL: not wanted */
    uint64_t disclosures;
};

static void read_ids(void *context, const struct index_place *place, int64_t time_ns,
                     const uint32_t *ids, size_t count)
{
    struct reading *reading = context;
    reading->disclosures += count;
    reading->tail.ids(reading->tail.context, place, time_ns, ids, count);
    if (reading->told != NULL)
        told_ids(reading->told, place->grade, ids, count);
}

static void read_column_set(void *context, struct slice partner, uint32_t column_set)
{
    struct reading *reading = context;
    reading->tail.column_set(reading->tail.context, partner, column_set);
}

static void read_deletion(void *context, struct slice partner, int64_t before_ns)
{
    struct reading *reading = context;
    reading->tail.deletion(reading->tail.context, partner, before_ns);
}

static void read_text(void *context, uint32_t column_set, struct slice text)
{
    struct reading *reading = context;
    reading->tail.text(reading->tail.context, column_set, text);
}

static enum status read_on(struct ledger_reader *reader, uint64_t least, size_t bytes,
                           struct tail *tail, const struct entry_sink *sink, struct index_end *end,
                           struct error *error)
{
    struct told *told = ((const struct reading *)sink->context)->told;
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence;
    for (uint64_t next = end->sequence;; next = sequence + 1) {
        enum status status = ledger_reader_next(reader, &sequence, &entry, &side, error);
        if (status == STATUS_AGAIN)
            return STATUS_OK;
        TRY(status);
        /* Without them the index would say too little; of what was dropped it says so. */
        if (sequence != next && sequence > end->base)
            return error_set(error, STATUS_CORRUPT, "XX001", "restore the ledger from a backup",
                             "the ledger lacks entries from %" PRIu64 " on", next);
        TRY(entry_tell(sink, sequence, &entry, error));
        if (told != NULL)
            TRY(told_end(told, &entry, error));
        if (!ledger_reader_boundary(reader, end->root))
            continue;
        end->sequence = sequence + 1;
        if (end->sequence >= least ||
            tail_bytes(tail) + (told == NULL ? 0 : told_bytes(told)) >= bytes)
            return STATUS_OK;
    }
}

/* Who begins with nothing begins with what the ledger's base carries. */
static enum status begin_at_base(struct ledger_reader *reader, struct index_end *end,
                                 struct error *error)
{
    struct ledger_dropped dropped;
    if (!ledger_reader_dropped(reader, &dropped))
        return STATUS_OK;
    if (end->sequence > 0)
        return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam exposure rebuild",
                         "the exposure index speaks of entries that were dropped from the ledger");
    end->base = dropped.below;
    return STATUS_OK;
}

enum status index_read_entries(const char *ledger_folder, uint64_t least, size_t bytes,
                               struct tail *tail, struct told *told, struct index_end *end,
                               uint64_t *disclosures, struct error *error)
{
    struct ledger_reader *reader = NULL;
    struct reading reading = {.tail = entry_sink_of_tail(tail), .told = told};
    const struct entry_sink sink = {.context = &reading,
                                    .ids = read_ids,
                                    .column_set = read_column_set,
                                    .deletion = read_deletion,
                                    .text = read_text};
    if (end->sequence >= least)
        return STATUS_OK;
    enum status status = ledger_reader_open(ledger_folder, end->sequence, &reader, error);
    if (status == STATUS_NOT_FOUND) /* no segment yet */
        return STATUS_OK;
    TRY(status);
    status = begin_at_base(reader, end, error);
    if (status == STATUS_OK)
        status = read_on(reader, least, bytes, tail, &sink, end, error);
    ledger_reader_close(reader);
    *disclosures += reading.disclosures;
    return status;
}

/* ---- folding ---- */

static struct index_end end_of(const struct shelf *shelf)
{
    struct index_end end = {0};
    if (shelf == NULL) {
        crypto_sha256(NULL, 0, end.root); /* of the empty tree */
        return end;
    }
    end.base = shelf->manifest.base;
    end.sequence = shelf->manifest.sequence;
    memcpy(end.root, shelf->manifest.root, sizeof end.root);
    return end;
}

static enum status fold(struct index_build *build, struct tail *tail, const struct told *told,
                        const struct index_end *end, struct error *error)
{
    struct index_manifest next = {.base = end->base, .sequence = end->sequence};
    struct shelf *shelf = NULL;
    memcpy(next.root, end->root, sizeof next.root);
    TRY(ledger_log_id(build->ledger_folder, next.log_id, error));
    enum status status = index_fold_write(build->folder, build->shelf, tail, told, &next, error);
    build->damaged = status == STATUS_CORRUPT;
    if (status == STATUS_OK)
        status = shelf_open(build->folder, build->pool, &shelf, error);
    manifest_free(&next);
    TRY(status);
    shelf_close(build->shelf);
    build->shelf = shelf;
    return STATUS_OK;
}

/* One tail's worth; *done once there is nothing more. */
static enum status build_step(struct index_build *build, uint64_t least, struct told *told,
                              bool *done, struct error *error)
{
    size_t bytes = build->bytes == 0 ? INDEX_BUILD_BYTES : build->bytes;
    struct index_end end = end_of(build->shelf);
    uint64_t from = end.sequence;
    struct tail *tail = NULL;
    TRY(tail_new(build->pool, &tail, error));
    enum status status = index_read_entries(build->ledger_folder, least, bytes, tail, told, &end,
                                            &build->disclosures, error);
    *done = end.sequence == from || end.sequence >= least;
    if (status == STATUS_OK && (end.sequence > from || build->shelf == NULL))
        status = fold(build, tail, told, &end, error);
    if (told_is_damaged(told))
        build->damaged = true;
    told_go_on(told, build->shelf);
    tail_free(tail);
    return status;
}

enum status index_build_run(struct index_build *build, uint64_t least, struct error *error)
{
    struct told *told = NULL;
    bool done = false;
    TRY(told_new(build->shelf, build->pool, &told, error));
    enum status status = STATUS_OK;
    while (!done && status == STATUS_OK)
        status = build_step(build, least, told, &done, error);
    told_free(told);
    return status;
}

/* ---- matching ---- */

enum status index_shelf_matches(const struct shelf *shelf, const char *ledger_folder,
                                struct error *error)
{
    const struct index_manifest *manifest = &shelf->manifest;
    uint8_t log_id[INDEX_LOG_BYTES], root[INDEX_ROOT_BYTES];
    struct ledger_since since;
    TRY(ledger_log_id(ledger_folder, log_id, error));
    if (memcmp(log_id, manifest->log_id, sizeof log_id) != 0)
        return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam exposure rebuild",
                         "the exposure index is of another ledger");
    TRY(ledger_since(ledger_folder, &since, error));
    if (since.below != manifest->base)
        return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam exposure rebuild",
                         "the exposure index begins with entry %" PRIu64
                         ", and the ledger with %" PRIu64,
                         manifest->base, since.below);
    if (manifest->sequence == 0)
        return STATUS_OK;
    enum status status = ledger_root_at(ledger_folder, manifest->sequence, root, error);
    if (status == STATUS_NOT_FOUND ||
        (status == STATUS_OK && memcmp(root, manifest->root, sizeof root) != 0))
        return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam exposure rebuild",
                         "the exposure index speaks of %" PRIu64
                         " entries that are not the ledger's",
                         manifest->sequence);
    return status;
}

/* Files may go while they are opened: the gateway has folded; then there is a new manifest. */
struct shelf *index_shelf_of(const char *folder, const char *ledger_folder, struct name_pool *pool)
{
    enum { TRIES = 10 };
    enum status status = STATUS_NOT_FOUND;
    struct error ignored;
    for (int i = 0; i < TRIES && status == STATUS_NOT_FOUND; i++) {
        struct shelf *shelf = NULL;
        status = shelf_open(folder, pool, &shelf, &ignored);
        if (status == STATUS_OK)
            status = index_shelf_matches(shelf, ledger_folder, &ignored);
        if (status == STATUS_OK)
            return shelf;
        shelf_close(shelf);
    }
    return NULL;
}

/* ---- folders ---- */

enum status index_lock(const char *folder, bool waits, int *out, struct error *error)
{
    char path[INDEX_PATH_ROOM];
    if (snprintf(path, sizeof path, "%s/lock", folder) >= (int)sizeof path)
        return error_set(error, STATUS_LIMIT, "58030", NULL, "path is too long");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set_errno(error, errno, "%s", path);
    if (flock(fd, waits ? LOCK_EX : LOCK_EX | LOCK_NB) != 0) {
        int failure = errno;
        close(fd);
        return failure == EWOULDBLOCK
                   ? error_set(error, STATUS_DENIED, "55006", "Try again in a moment.",
                               "%s: another process is writing the exposure index", folder)
                   : error_set_errno(error, failure, "flock %s", path);
    }
    *out = fd;
    return file_inherit_owner(path, error);
}

enum status index_discard(const char *folder, struct error *error)
{
    char path[INDEX_PATH_ROOM];
    if (snprintf(path, sizeof path, "%s/manifest", folder) >= (int)sizeof path)
        return error_set(error, STATUS_LIMIT, "58030", NULL, "path is too long");
    if (unlink(path) != 0 && errno != ENOENT)
        return error_set_errno(error, errno, "%s", path);
    return manifest_sweep(folder, &nothing, error);
}

enum status index_make_workplace(const char *folder, char path[static INDEX_PATH_ROOM],
                                 struct error *error)
{
    if (snprintf(path, INDEX_PATH_ROOM, "%s/rebuild-%ld", folder, (long)getpid()) >=
        INDEX_PATH_ROOM)
        return error_set(error, STATUS_LIMIT, "58030", NULL, "path is too long");
    TRY(file_make_folder(folder, 0700, error));
    TRY(file_inherit_owner(folder, error));
    TRY(file_make_folder(path, 0700, error));
    return index_discard(path, error);
}

void index_remove_workplace(const char *path)
{
    struct error ignored = {0};
    if (index_discard(path, &ignored) == STATUS_OK)
        rmdir(path);
}

void index_tell(const struct index_build *build, struct exposure_rebuilt *rebuilt)
{
    const struct index_manifest *manifest = &build->shelf->manifest;
    *rebuilt = (struct exposure_rebuilt){
        .entries = manifest->sequence, .disclosures = build->disclosures, .files = manifest->count};
    for (size_t i = 0; i < manifest->count; i++)
        rebuilt->bytes += manifest->files[i].size;
}

/* ---- putting a new index in the old one's place ---- */

static enum status move_files(const char *from, const char *to, struct index_manifest *manifest,
                              uint64_t generation, struct error *error)
{
    char source[INDEX_PATH_ROOM], target[INDEX_PATH_ROOM];
    for (size_t i = 0; i < manifest->count; i++) {
        struct manifest_file *file = &manifest->files[i];
        TRY(manifest_path(from, file, source, error));
        file->generation = generation;
        TRY(manifest_path(to, file, target, error));
        TRY(file_inherit_owner(source, error));
        if (rename(source, target) != 0)
            return error_set_errno(error, errno, "rename %s to %s", source, target);
        TRY(file_inherit_owner(target, error));
    }
    return file_sync_folder(to, error);
}

static enum status take_place(const char *workplace, const char *folder, struct error *error)
{
    struct index_manifest old = {0}, fresh = {0};
    int lock = -1;
    TRY(index_lock(folder, true, &lock, error));
    enum status status = manifest_read(workplace, &fresh, error);
    struct error ignored = {0};
    uint64_t generation = 0;
    if (status == STATUS_OK && manifest_read(folder, &old, &ignored) == STATUS_OK)
        generation = old.generation;
    if (status == STATUS_OK) /* what a damaged manifest cannot say: no name is used again */
        status = manifest_sweep(folder, &old, error);
    fresh.generation = (generation > fresh.generation ? generation : fresh.generation) + 1;
    if (status == STATUS_OK)
        status = move_files(workplace, folder, &fresh, fresh.generation, error);
    if (status == STATUS_OK)
        status = manifest_write(folder, &fresh, error);
    if (status == STATUS_OK)
        status = manifest_sweep(folder, &fresh, error);
    manifest_free(&old);
    manifest_free(&fresh);
    close(lock);
    return status;
}

enum status index_rebuild(const char *folder, const char *ledger_folder,
                          struct exposure_rebuilt *rebuilt, struct error *error)
{
    char workplace[INDEX_PATH_ROOM];
    struct name_pool pool;
    TRY(index_make_workplace(folder, workplace, error));
    name_pool_init(&pool);
    struct index_build build = {.folder = workplace, .ledger_folder = ledger_folder, .pool = &pool};
    enum status status = index_build_run(&build, UINT64_MAX, error);
    if (status == STATUS_OK)
        status = take_place(workplace, folder, error);
    if (status == STATUS_OK)
        index_tell(&build, rebuilt);
    shelf_close(build.shelf);
    name_pool_free(&pool);
    index_remove_workplace(workplace);
    return status;
}
