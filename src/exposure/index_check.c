/* The index held against a new build from the ledger: every byte is compared; where one differs,
 * both files are read side by side to say what differs in words. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "exposure/index_build.h"
#include "exposure/index_diff.h"

static const size_t FILE_BYTES = (size_t)1 << 36;

struct check {
    const char *folder;
    struct index_build *build; /* what the ledger says */
    const struct shelf *had;
    struct exposure_difference *found;
};

static enum status differ(const struct check *check, const struct manifest_file *file,
                          const char *what, struct error *error)
{
    char name[MANIFEST_NAME_ROOM];
    manifest_name(file, name);
    if (check->found->what == EXPOSURE_SAME)
        check->found->what = EXPOSURE_FILE_DIFFERS;
    snprintf(check->found->file, sizeof check->found->file, "%s", name);
    return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam exposure rebuild",
                     "the exposure index is not what the ledger says: %s %s", name, what);
}

static enum status read_file(const char *folder, const struct manifest_file *file,
                             struct buffer *bytes, struct error *error)
{
    char path[INDEX_PATH_ROOM];
    TRY(manifest_path(folder, file, path, error));
    return file_read(path, bytes, error);
}

/* What the two files say; nothing where the index's cannot be read, which its bytes tell. */
static enum status look_inside(const struct check *check, const struct manifest_file *file,
                               struct slice had, struct slice fresh, struct error *error)
{
    struct index_file *left = NULL, *right = NULL;
    struct error ignored = {0};
    enum status status = index_file_over(had, index_file_seal(had), &left, &ignored);
    if (status == STATUS_OK)
        status = index_file_check(left, file->level, file->first, &ignored);
    if (status == STATUS_OK)
        status = index_file_over(fresh, index_file_seal(fresh), &right, error);
    if (status == STATUS_OK)
        status = index_file_check(right, file->level, file->first, error);
    if (status == STATUS_OK)
        status = index_diff_files(left, right, check->build->shelf->ever, check->build->pool,
                                  check->found, &ignored);
    index_file_close(left);
    index_file_close(right);
    return status == STATUS_NOMEM ? status : STATUS_OK;
}

static enum status differ_inside(const struct check *check, const struct manifest_file *file,
                                 struct slice had, struct slice fresh, struct error *error)
{
    char what[64];
    size_t at = 0;
    while (at < had.len && at < fresh.len && had.data[at] == fresh.data[at])
        at++;
    TRY(look_inside(check, file, had, fresh, error));
    check->found->byte = at;
    snprintf(what, sizeof what, "differs from byte %zu on", at);
    return differ(check, file, what, error);
}

/* Every byte, and the manifest's word for it. */
static enum status compare_file(const struct check *check, const struct manifest_file *had,
                                const struct manifest_file *fresh, struct error *error)
{
    struct buffer left, right;
    buffer_init(&left, FILE_BYTES);
    buffer_init(&right, FILE_BYTES);
    enum status status = read_file(check->folder, had, &left, error);
    if (status == STATUS_NOT_FOUND)
        status = differ(check, had, "is missing", error);
    if (status == STATUS_OK)
        status = read_file(check->build->folder, fresh, &right, error);
    if (status == STATUS_OK && !slice_equal(buffer_slice(&left), buffer_slice(&right)))
        status = differ_inside(check, had, buffer_slice(&left), buffer_slice(&right), error);
    if (status == STATUS_OK && (had->seal != fresh->seal || had->size != fresh->size))
        status = differ(check, had, "has another seal in the manifest", error);
    buffer_free(&left);
    buffer_free(&right);
    return status;
}

static enum status compare(const struct check *check, struct error *error)
{
    const struct index_manifest *had = &check->had->manifest;
    const struct index_manifest *fresh = &check->build->shelf->manifest;
    for (size_t i = 0; i < had->count && i < fresh->count; i++) {
        int order = manifest_compare(&had->files[i], &fresh->files[i]);
        if (order != 0)
            return order < 0 ? differ(check, &had->files[i], "should not be there", error)
                             : differ(check, &fresh->files[i], "is missing", error);
        TRY(compare_file(check, &had->files[i], &fresh->files[i], error));
    }
    if (memcmp(had->root, fresh->root, sizeof had->root) != 0 || had->sequence != fresh->sequence ||
        had->base != fresh->base)
        return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam exposure rebuild",
                         "the exposure index speaks of other entries than the ledger's");
    return STATUS_OK;
}

static enum status check_against(const struct check *check, struct error *error)
{
    TRY(index_shelf_matches(check->had, check->build->ledger_folder, error));
    TRY(index_build_run(check->build, check->had->manifest.sequence, error));
    return compare(check, error);
}

enum status index_check(const char *folder, const char *ledger_folder,
                        struct exposure_rebuilt *rebuilt, struct exposure_difference *found,
                        struct error *error)
{
    char workplace[INDEX_PATH_ROOM];
    struct name_pool pool;
    struct shelf *had = NULL;
    int lock = -1;
    *found = (struct exposure_difference){0};
    *rebuilt = (struct exposure_rebuilt){0};
    TRY(index_make_workplace(folder, workplace, error));
    name_pool_init(&pool);
    struct index_build build = {.folder = workplace, .ledger_folder = ledger_folder, .pool = &pool};
    struct check check = {.folder = folder, .build = &build, .found = found};
    enum status status = index_lock(folder, true, &lock, error); /* nobody folds meanwhile */
    if (status == STATUS_OK)
        status = shelf_open(folder, &pool, &had, error);
    check.had = had;
    if (status == STATUS_OK)
        status = check_against(&check, error);
    if (status == STATUS_OK && build.shelf != NULL)
        index_tell(&build, rebuilt);
    if (lock >= 0)
        close(lock);
    shelf_close(build.shelf);
    shelf_close(had);
    name_pool_free(&pool);
    index_remove_workplace(workplace);
    return status;
}
