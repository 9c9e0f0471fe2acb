/* See index_shelf.h. A range is covered by the widest cells that fit: all time, months, days,
 * hours. */
#include "exposure/index_shelf.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exposure/subject_set.h"

static enum status damaged(struct error *error, const char *what)
{
    return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam exposure rebuild",
                     "the exposure index is damaged: %s", what);
}

/* ---- opening ---- */

static enum status open_files(struct shelf *shelf, const char *folder, struct error *error)
{
    const struct index_manifest *manifest = &shelf->manifest;
    char path[INDEX_PATH_ROOM];
    shelf->files = calloc(manifest->count, sizeof *shelf->files);
    if (shelf->files == NULL)
        return error_no_memory(error);
    for (size_t i = 0; i < manifest->count; i++)
        pthread_mutex_init(&shelf->files[i].mutex, NULL);
    for (size_t i = 0; i < manifest->count; i++) {
        const struct manifest_file *file = &manifest->files[i];
        TRY(manifest_path(folder, file, path, error));
        TRY(index_file_open(path, file->size, file->seal, &shelf->files[i].file, error));
    }
    shelf->ever = shelf->files[manifest->count - 1].file;
    return index_file_check(shelf->ever, INDEX_EVER, 0, error);
}

static enum status read_keys(struct shelf *shelf, struct error *error)
{
    shelf->key_count = index_file_series(shelf->ever);
    shelf->keys = malloc((shelf->key_count + 1) * sizeof *shelf->keys);
    if (shelf->keys == NULL)
        return error_no_memory(error);
    for (size_t i = 0; i < shelf->key_count; i++)
        index_file_key(shelf->ever, i, shelf->pool, &shelf->keys[i]);
    return STATUS_OK;
}

enum status shelf_open(const char *folder, struct name_pool *pool, struct shelf **out,
                       struct error *error)
{
    struct shelf *shelf = calloc(1, sizeof *shelf);
    if (shelf == NULL)
        return error_no_memory(error);
    shelf->pool = pool;
    enum status status = manifest_read(folder, &shelf->manifest, error);
    if (status == STATUS_OK)
        status = open_files(shelf, folder, error);
    if (status == STATUS_OK)
        status = read_keys(shelf, error);
    if (status == STATUS_OK)
        *out = shelf;
    else
        shelf_close(shelf);
    return status;
}

void shelf_close(struct shelf *shelf)
{
    if (shelf == NULL)
        return;
    for (size_t i = 0; shelf->files != NULL && i < shelf->manifest.count; i++) {
        index_file_close(shelf->files[i].file);
        pthread_mutex_destroy(&shelf->files[i].mutex);
        free(shelf->files[i].numbers);
    }
    free(shelf->files);
    free(shelf->keys);
    manifest_free(&shelf->manifest);
    free(shelf);
}

/* ---- finding ---- */

/* Both lists ascend: each series of the file is one of the shelf's. */
static enum status number_series(struct shelf *shelf, struct shelf_file *file, struct error *error)
{
    size_t count = index_file_series(file->file), at = 0;
    uint32_t *numbers = malloc((count + 1) * sizeof *numbers);
    if (numbers == NULL)
        return error_no_memory(error);
    for (size_t i = 0; i < count; i++, at++) {
        while (at < shelf->key_count && index_file_compare(file->file, i, &shelf->keys[at]) > 0)
            at++;
        if (at == shelf->key_count || index_file_compare(file->file, i, &shelf->keys[at]) != 0) {
            free(numbers);
            return damaged(error, "a series is missing from the file of all time");
        }
        numbers[i] = (uint32_t)at;
    }
    file->numbers = numbers;
    return STATUS_OK;
}

static enum status prepare(struct shelf *shelf, size_t at, struct error *error)
{
    struct shelf_file *file = &shelf->files[at];
    const struct manifest_file *entry = &shelf->manifest.files[at];
    if (atomic_load_explicit(&file->numbered, memory_order_acquire))
        return STATUS_OK;
    pthread_mutex_lock(&file->mutex);
    enum status status = STATUS_OK;
    if (file->numbers == NULL) {
        status = index_file_check(file->file, entry->level, entry->first, error);
        if (status == STATUS_OK)
            status = number_series(shelf, file, error);
        if (status == STATUS_OK)
            atomic_store_explicit(&file->numbered, true, memory_order_release);
    }
    pthread_mutex_unlock(&file->mutex);
    return status;
}

/* The first file that is not before this level and period. */
static size_t position(const struct shelf *shelf, enum index_level level, int32_t first)
{
    const struct manifest_file wanted = {.level = level, .first = first};
    size_t low = 0, high = shelf->manifest.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (manifest_compare(&shelf->manifest.files[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum status shelf_file_of(struct shelf *shelf, enum index_level level, int32_t first,
                          struct shelf_file **file, struct error *error)
{
    size_t at = position(shelf, level, first);
    *file = NULL;
    if (at == shelf->manifest.count || shelf->manifest.files[at].level != level ||
        shelf->manifest.files[at].first != first)
        return STATUS_OK;
    TRY(prepare(shelf, at, error));
    *file = &shelf->files[at];
    return STATUS_OK;
}

static size_t first_key(const struct shelf *shelf, const struct index_key *key)
{
    size_t low = 0, high = shelf->key_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index_key_compare(&shelf->keys[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void shelf_partner(const struct shelf *shelf, const char *partner, size_t *from, size_t *until)
{
    const struct index_key least = {.partner = partner, .agent = "", .purpose = ""};
    *from = *until = first_key(shelf, &least);
    while (*until < shelf->key_count && strcmp(shelf->keys[*until].partner, partner) == 0)
        ++*until;
}

bool shelf_find(const struct shelf *shelf, const struct index_key *key, size_t *number)
{
    *number = first_key(shelf, key);
    return *number < shelf->key_count && index_key_compare(&shelf->keys[*number], key) == 0;
}

/* ---- cells ---- */

/* The cells of a series in a prepared file; 0: it has none. Numbers ascend, so that a series is at
 * most at the place of its number; in a file that has nearly all of them it is near that. */
static size_t cells_of(const struct shelf_file *file, size_t number, size_t *first)
{
    size_t low = 0, high = index_file_series(file->file);
    if (high > number)
        high = number + 1;
    for (size_t step = 1; step < high; step *= 2)
        if (file->numbers[high - step] < number) {
            low = high - step;
            break;
        }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (file->numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == index_file_series(file->file) || file->numbers[low] != number)
        return 0;
    return index_file_cells(file->file, low, first);
}

struct collecting {
    struct shelf *shelf;
    size_t number;
    struct index_range range;
    struct id_union *ids;
    int64_t *first_hour, *last_hour;
};

static enum status unite(struct collecting *collecting, struct index_file *file,
                         const struct index_cell *cell, struct error *error)
{
    struct slice set;
    TRY(index_file_sound_set(file, cell, &set, error));
    enum status status = id_union_add(collecting->ids, set);
    if (status != STATUS_OK)
        return status == STATUS_NOMEM ? error_no_memory(error)
                                      : damaged(error, "a set of subjects is malformed");
    if (cell->first_hour < *collecting->first_hour)
        *collecting->first_hour = cell->first_hour;
    if (cell->last_hour > *collecting->last_hour)
        *collecting->last_hour = cell->last_hour;
    return STATUS_OK;
}

static bool covers(struct index_range range, const struct index_cell *cell)
{
    return cell->first_hour >= range.from_hour && cell->last_hour < range.until_hour;
}

static bool touches(struct index_range range, const struct index_cell *cell)
{
    return cell->last_hour >= range.from_hour && cell->first_hour < range.until_hour;
}

static enum status collect_day(struct collecting *collecting, struct shelf_file *file,
                               struct error *error)
{
    struct index_cell cell;
    size_t first, count = cells_of(file, collecting->number, &first);
    for (size_t i = 0; i < count; i++) {
        index_file_cell(file->file, first + i, &cell);
        if (!covers(collecting->range, &cell))
            continue;
        TRY(unite(collecting, file->file, &cell, error));
        if (cell.span == SPAN_DAY) /* its hours are in it */
            return STATUS_OK;
    }
    return STATUS_OK;
}

/* The days of a month of which a part is in the range. */
static enum status collect_days(struct collecting *collecting, int32_t month, struct error *error)
{
    struct shelf *shelf = collecting->shelf;
    int32_t until = index_first_day(month + 1);
    for (size_t at = position(shelf, INDEX_DAY, index_first_day(month));
         at < shelf->manifest.count && shelf->manifest.files[at].level == INDEX_DAY &&
         shelf->manifest.files[at].first < until;
         at++) {
        int64_t from_hour = (int64_t)shelf->manifest.files[at].first * 24;
        if (from_hour + 24 <= collecting->range.from_hour ||
            from_hour >= collecting->range.until_hour)
            continue;
        TRY(prepare(shelf, at, error));
        TRY(collect_day(collecting, &shelf->files[at], error));
    }
    return STATUS_OK;
}

static enum status collect_months(struct collecting *collecting, struct error *error)
{
    struct shelf *shelf = collecting->shelf;
    struct index_cell cell;
    size_t first;
    for (size_t at = position(shelf, INDEX_MONTH, INT32_MIN);
         shelf->manifest.files[at].level == INDEX_MONTH; at++) {
        TRY(prepare(shelf, at, error));
        if (cells_of(&shelf->files[at], collecting->number, &first) == 0)
            continue;
        index_file_cell(shelf->files[at].file, first, &cell);
        if (covers(collecting->range, &cell))
            TRY(unite(collecting, shelf->files[at].file, &cell, error));
        else if (touches(collecting->range, &cell))
            TRY(collect_days(collecting, shelf->manifest.files[at].first, error));
    }
    return STATUS_OK;
}

enum status shelf_collect(struct shelf *shelf, size_t number, struct index_range range,
                          struct id_union *ids, int64_t *first_hour, int64_t *last_hour,
                          struct error *error)
{
    struct collecting collecting = {.shelf = shelf,
                                    .number = number,
                                    .range = range,
                                    .ids = ids,
                                    .first_hour = first_hour,
                                    .last_hour = last_hour};
    struct index_cell cell;
    size_t first, count = index_file_cells(shelf->ever, number, &first);
    CHECK(count > 0);
    index_file_cell(shelf->ever, first, &cell);
    if (cell.span == SPAN_EVER && !touches(range, &cell))
        return STATUS_OK;
    if (cell.span == SPAN_EVER && !covers(range, &cell))
        return collect_months(&collecting, error);
    for (size_t i = 0; i < count; i++) {
        index_file_cell(shelf->ever, first + i, &cell);
        if (covers(range, &cell))
            TRY(unite(&collecting, shelf->ever, &cell, error));
    }
    return STATUS_OK;
}

/* ---- one id ---- */

enum { DAYS_AHEAD = 8 };

static enum status cell_holds(struct index_file *file, const struct index_cell *cell, uint32_t id,
                              bool *held, struct error *error)
{
    struct slice set;
    TRY(index_file_set(file, cell, &set, error));
    if (subject_set_contains(set, id, held) != STATUS_OK)
        return damaged(error, "a set of subjects is malformed");
    return STATUS_OK;
}

/* The first (step 1) or last (step -1) hour of a day's file in which the series holds the id. */
static enum status seek_hour(struct shelf *shelf, size_t at, size_t number, uint32_t id, int step,
                             int64_t *hour, bool *found, struct error *error)
{
    struct index_cell cell;
    size_t first;
    TRY(prepare(shelf, at, error));
    struct index_file *file = shelf->files[at].file;
    size_t count = cells_of(&shelf->files[at], number, &first);
    *found = false;
    if (count == 0)
        return STATUS_OK;
    index_file_cell(file, first, &cell);
    if (cell.span == SPAN_DAY) {
        TRY(cell_holds(file, &cell, id, found, error));
        if (!*found)
            return STATUS_OK;
    }
    bool day_holds = *found;
    *found = false;
    for (size_t i = 0; i < count && !*found; i++) {
        index_file_cell(file, first + (step > 0 ? i : count - 1 - i), &cell);
        if (cell.span == SPAN_HOUR)
            TRY(cell_holds(file, &cell, id, found, error));
    }
    *hour = cell.first_hour;
    return *found || !day_holds ? STATUS_OK : damaged(error, "a day says more than its hours");
}

/* Days lie in files of their own, and so far apart in memory: those that come next are asked for
 * together. A hint; nothing is read that is not judged. */
static void fetch_days(const struct shelf *shelf, size_t at, size_t count, int step, size_t number,
                       uint32_t id)
{
    size_t firsts[DAYS_AHEAD];
    bool has_cells[DAYS_AHEAD] = {0};
    for (size_t i = 0; i < count; i++) {
        const struct shelf_file *file = &shelf->files[step > 0 ? at + i : at - i];
        if (atomic_load_explicit(&file->numbered, memory_order_acquire))
            has_cells[i] = cells_of(file, number, &firsts[i]) > 0;
    }
    for (size_t i = 0; i < count; i++)
        if (has_cells[i])
            index_file_fetch(shelf->files[step > 0 ? at + i : at - i].file, firsts[i], id);
    for (size_t i = 0; i < count; i++)
        if (has_cells[i])
            index_file_fetch_rest(shelf->files[step > 0 ? at + i : at - i].file, firsts[i], id);
}

static enum status seek_day(struct shelf *shelf, int32_t month, size_t number, uint32_t id,
                            int step, int64_t *hour, struct error *error)
{
    size_t from = position(shelf, INDEX_DAY, index_first_day(month));
    size_t until = position(shelf, INDEX_DAY, index_first_day(month + 1));
    bool found = false;
    for (size_t i = 0; i < until - from && !found; i++) {
        size_t at = step > 0 ? from + i : until - 1 - i, left = until - from - i;
        if (i % DAYS_AHEAD == 0)
            fetch_days(shelf, at, left < DAYS_AHEAD ? left : DAYS_AHEAD, step, number, id);
        TRY(seek_hour(shelf, at, number, id, step, hour, &found, error));
    }
    return found ? STATUS_OK : damaged(error, "a month says more than its days");
}

static enum status seek(struct shelf *shelf, size_t number, uint32_t id, int step, int64_t *hour,
                        struct error *error)
{
    size_t from = position(shelf, INDEX_MONTH, INT32_MIN), until = shelf->manifest.count - 1;
    struct index_cell cell;
    for (size_t i = 0; i < until - from; i++) {
        size_t at = step > 0 ? from + i : until - 1 - i, first;
        bool held = false;
        TRY(prepare(shelf, at, error));
        if (cells_of(&shelf->files[at], number, &first) == 0)
            continue;
        index_file_cell(shelf->files[at].file, first, &cell);
        TRY(cell_holds(shelf->files[at].file, &cell, id, &held, error));
        if (held)
            return seek_day(shelf, shelf->manifest.files[at].first, number, id, step, hour, error);
    }
    return damaged(error, "all time says more than its months");
}

void shelf_fetch(const struct shelf *shelf, const char *partner, uint32_t id)
{
    size_t from, until, first;
    shelf_partner(shelf, partner, &from, &until);
    for (size_t i = from; i < until; i++)
        if (index_file_cells(shelf->ever, i, &first) > 0)
            index_file_fetch(shelf->ever, first, id);
    for (size_t i = from; i < until; i++)
        if (index_file_cells(shelf->ever, i, &first) > 0)
            index_file_fetch_rest(shelf->ever, first, id);
}

enum status shelf_holds(struct shelf *shelf, size_t number, uint32_t id, bool *held,
                        int64_t *first_hour, int64_t *last_hour, struct error *error)
{
    struct index_cell cell;
    size_t first, count = index_file_cells(shelf->ever, number, &first);
    int64_t earliest, latest;
    *held = false;
    CHECK(count > 0);
    index_file_cell(shelf->ever, first, &cell);
    if (cell.span != SPAN_EVER)
        return STATUS_OK;
    TRY(cell_holds(shelf->ever, &cell, id, held, error));
    if (!*held)
        return STATUS_OK;
    TRY(seek(shelf, number, id, 1, &earliest, error));
    TRY(seek(shelf, number, id, -1, &latest, error));
    if (earliest < *first_hour)
        *first_hour = earliest;
    if (latest > *last_hour)
        *last_hour = latest;
    return STATUS_OK;
}

/* ---- partners ---- */

enum status shelf_facts(struct shelf *shelf, const char *name, struct tail_facts *facts,
                        bool *known, struct error *error)
{
    size_t low = 0, high = index_file_partners(shelf->ever);
    struct index_partner partner;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        TRY(index_file_partner(shelf->ever, middle, &partner, error));
        size_t len = strlen(name), common = len < partner.name.len ? len : partner.name.len;
        int order = common == 0 ? 0 : memcmp(partner.name.data, name, common);
        if (order == 0)
            order = (partner.name.len > len) - (partner.name.len < len);
        if (order == 0)
            break;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low >= high)
        return STATUS_OK;
    *known = true;
    if (partner.deleted_before_ns > facts->deleted_before_ns)
        facts->deleted_before_ns = partner.deleted_before_ns;
    if (facts->column_sets == NULL || partner.column_sets.len == 0)
        return STATUS_OK;
    roaring_bitmap_t *sets = roaring_bitmap_portable_deserialize_safe(
        (const char *)partner.column_sets.data, partner.column_sets.len);
    if (sets == NULL)
        return error_no_memory(error);
    roaring_bitmap_or_inplace(facts->column_sets, sets);
    roaring_bitmap_free(sets);
    return STATUS_OK;
}
