/* See index_fold.h. Days and months that the tail does not touch keep their files; the file of all
 * time is written anew. Memory: a day of one series, or one set, at a time. */
#include "exposure/index_fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "exposure/index_writer.h"
#include "exposure/subject_set.h"

enum { HOURS = 24 };

struct fold {
    const char *folder;
    struct shelf *shelf; /* NULL: none */
    struct tail *tail;
    struct tail_series **added; /* ascending */
    size_t added_count;
    struct told_cell **told; /* ascending by day, then as in a file */
    size_t told_count;
    struct index_manifest *next;
    size_t capacity;
};

/* One file being made. */
struct making {
    const struct fold *fold;
    enum index_level level;
    int64_t from_hour, until_hour; /* what its period covers */
    struct shelf_file *old;        /* NULL: none */
    struct index_writer *writer;
};

static roaring_bitmap_t *new_set(void)
{
    roaring_bitmap_t *set = roaring_bitmap_create();
    CHECK(set != NULL);
    return set;
}

/* ---- a series ---- */

/* The buckets of a period: [*from, *until). */
static void buckets_of(const struct tail_series *series, int64_t from_hour, int64_t until_hour,
                       size_t *from, size_t *until)
{
    size_t low = 0, high = series->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (series->buckets[middle].hour < from_hour)
            low = middle + 1;
        else
            high = middle;
    }
    *from = *until = low;
    while (*until < series->count && series->buckets[*until].hour < until_hour)
        ++*until;
}

static bool has_buckets(const struct making *making, const struct tail_series *series)
{
    size_t from, until;
    if (series->key.grade == INDEX_GRADE_DELETED && making->level != INDEX_EVER)
        return false;
    buckets_of(series, making->from_hour, making->until_hour, &from, &until);
    return until > from;
}

static void add_bucket(roaring_bitmap_t *ids, const struct tail_bucket *bucket)
{
    roaring_bitmap_add_many(ids, bucket->count, bucket->ids);
}

static enum status copy_cells(const struct making *making, size_t first, size_t count,
                              struct error *error)
{
    struct index_cell cell;
    struct slice set;
    for (size_t i = 0; i < count; i++) {
        index_file_cell(making->old->file, first + i, &cell);
        TRY(index_file_set(making->old->file, &cell, &set, error));
        index_writer_copy(making->writer, &cell, set);
    }
    return STATUS_OK;
}

/* Old cells by hour, and the buckets; all time's cells of deletions. */
static enum status merge_hours(const struct making *making, size_t first, size_t count,
                               const struct tail_series *series, struct error *error)
{
    size_t bucket, until, cell_at = 0;
    struct index_cell cell;
    buckets_of(series, making->from_hour, making->until_hour, &bucket, &until);
    while (cell_at < count || bucket < until) {
        if (cell_at < count)
            index_file_cell(making->old->file, first + cell_at, &cell);
        int64_t old_hour = cell_at < count ? cell.first_hour : INT64_MAX;
        int64_t new_hour = bucket < until ? series->buckets[bucket].hour : INT64_MAX;
        int32_t hour = (int32_t)(old_hour < new_hour ? old_hour : new_hour);
        roaring_bitmap_t *ids = NULL;
        if (old_hour == hour) {
            TRY(index_file_ids(making->old->file, &cell, &ids, error));
            cell_at++;
        } else {
            ids = new_set();
        }
        if (new_hour == hour)
            add_bucket(ids, &series->buckets[bucket++]);
        index_writer_cell(making->writer, SPAN_DELETED, hour, hour, ids);
        roaring_bitmap_free(ids);
    }
    return STATUS_OK;
}

/* All ids of the buckets, ascending, each once; owned by the caller. */
static uint32_t *gather(const struct tail_series *series, size_t from, size_t until, size_t *count)
{
    size_t total = 0;
    for (size_t i = from; i < until; i++)
        total += series->buckets[i].count;
    uint32_t *ids = malloc((total + 1) * sizeof *ids);
    CHECK(ids != NULL);
    total = 0;
    for (size_t i = from; i < until; i++) {
        memcpy(ids + total, series->buckets[i].ids, series->buckets[i].count * sizeof *ids);
        total += series->buckets[i].count;
    }
    *count = subject_ids_unique(ids, total);
    return ids;
}

/* Both ascend; owned by the caller. */
static uint32_t *merge_ids(const uint32_t *left, size_t left_count, const uint32_t *right,
                           size_t right_count, size_t *count)
{
    uint32_t *ids = malloc((left_count + right_count + 1) * sizeof *ids);
    size_t l = 0, r = 0, at = 0;
    CHECK(ids != NULL);
    while (l < left_count && r < right_count) {
        uint32_t a = left[l], b = right[r];
        ids[at++] = a < b ? a : b;
        l += a <= b;
        r += b <= a;
    }
    if (l < left_count)
        memcpy(ids + at, left + l, (left_count - l) * sizeof *ids);
    if (r < right_count)
        memcpy(ids + at, right + r, (right_count - r) * sizeof *ids);
    *count = at + (left_count - l) + (right_count - r);
    return ids;
}

/* The cell's ids and these. */
static enum status write_both(const struct making *making, const struct index_cell *old,
                              const struct index_cell *cell, const uint32_t *added,
                              size_t added_count, struct error *error)
{
    uint32_t *had = NULL;
    size_t count;
    TRY(index_file_list(making->old->file, old, &had, error));
    uint32_t *ids = merge_ids(had, old->count, added, added_count, &count);
    index_writer_ids(making->writer, cell->span, cell->first_hour, cell->last_hour, ids, count);
    free(ids);
    free(had);
    return STATUS_OK;
}

/* One cell that spans the period: the old one and the buckets. */
static enum status merge_span(const struct making *making, size_t first, size_t count,
                              const struct tail_series *series, struct error *error)
{
    size_t from, until, added;
    struct index_cell old, cell;
    buckets_of(series, making->from_hour, making->until_hour, &from, &until);
    cell = (struct index_cell){.span = making->level == INDEX_MONTH ? SPAN_MONTH : SPAN_EVER,
                               .first_hour = series->buckets[from].hour,
                               .last_hour = series->buckets[until - 1].hour};
    uint32_t *ids = gather(series, from, until, &added);
    enum status status = STATUS_OK;
    if (count == 0) {
        index_writer_ids(making->writer, cell.span, cell.first_hour, cell.last_hour, ids, added);
    } else {
        index_file_cell(making->old->file, first, &old);
        if (old.first_hour < cell.first_hour)
            cell.first_hour = old.first_hour;
        if (old.last_hour > cell.last_hour)
            cell.last_hour = old.last_hour;
        status = write_both(making, &old, &cell, ids, added, error);
    }
    free(ids);
    return status;
}

static enum status read_hours(const struct making *making, size_t first, size_t count,
                              roaring_bitmap_t **hours, struct error *error)
{
    struct index_cell cell;
    for (size_t i = 0; i < count; i++) {
        index_file_cell(making->old->file, first + i, &cell);
        if (cell.span == SPAN_HOUR)
            TRY(index_file_ids(making->old->file, &cell,
                               &hours[cell.first_hour - making->from_hour], error));
    }
    return STATUS_OK;
}

/* The day first, which is the union of its hours; where there is one hour, that alone. */
static void write_day(const struct making *making, roaring_bitmap_t **hours)
{
    roaring_bitmap_t *day = new_set();
    int32_t first = -1, last = -1, from = (int32_t)making->from_hour;
    for (int32_t i = 0; i < HOURS; i++) {
        if (hours[i] == NULL)
            continue;
        roaring_bitmap_or_inplace(day, hours[i]);
        first = first < 0 ? i : first;
        last = i;
    }
    if (first != last)
        index_writer_cell(making->writer, SPAN_DAY, from + first, from + last, day);
    for (int32_t i = 0; i < HOURS; i++)
        if (hours[i] != NULL)
            index_writer_cell(making->writer, SPAN_HOUR, from + i, from + i, hours[i]);
    roaring_bitmap_free(day);
}

/* A day of which the old file has nothing. */
static void write_new_day(const struct making *making, const struct tail_series *series,
                          size_t from, size_t until)
{
    if (until - from > 1) {
        size_t count;
        uint32_t *ids = gather(series, from, until, &count);
        index_writer_ids(making->writer, SPAN_DAY, series->buckets[from].hour,
                         series->buckets[until - 1].hour, ids, count);
        free(ids);
    }
    for (size_t i = from; i < until; i++)
        index_writer_ids(making->writer, SPAN_HOUR, series->buckets[i].hour,
                         series->buckets[i].hour, series->buckets[i].ids, series->buckets[i].count);
}

static enum status merge_day(const struct making *making, size_t first, size_t count,
                             const struct tail_series *series, struct error *error)
{
    roaring_bitmap_t *hours[HOURS] = {0};
    size_t from, until;
    buckets_of(series, making->from_hour, making->until_hour, &from, &until);
    if (count == 0) {
        write_new_day(making, series, from, until);
        return STATUS_OK;
    }
    enum status status = read_hours(making, first, count, hours, error);
    for (size_t i = from; i < until && status == STATUS_OK; i++) {
        int64_t at = series->buckets[i].hour - making->from_hour;
        if (hours[at] == NULL)
            hours[at] = new_set();
        add_bucket(hours[at], &series->buckets[i]);
    }
    if (status == STATUS_OK)
        write_day(making, hours);
    for (size_t i = 0; i < HOURS; i++)
        if (hours[i] != NULL)
            roaring_bitmap_free(hours[i]);
    return status;
}

static enum status merge_series(const struct making *making, size_t first, size_t count,
                                const struct tail_series *series, struct error *error)
{
    if (series->key.grade == INDEX_GRADE_DELETED)
        return merge_hours(making, first, count, series, error);
    if (making->level == INDEX_DAY)
        return merge_day(making, first, count, series, error);
    return merge_span(making, first, count, series, error);
}

/* ---- a file ---- */

static int compare_next(const struct making *making, size_t old, size_t old_count,
                        const struct tail_series *series)
{
    if (old == old_count)
        return 1;
    if (series == NULL)
        return -1;
    return index_file_compare(making->old->file, old, &series->key);
}

/* Series of the old file and of the tail, in one ascending run. */
static enum status write_series(const struct making *making, struct error *error)
{
    const struct fold *fold = making->fold;
    size_t old = 0, old_count = making->old == NULL ? 0 : index_file_series(making->old->file);
    size_t at = 0, first = 0, count = 0;
    for (;;) {
        while (at < fold->added_count && !has_buckets(making, fold->added[at]))
            at++;
        const struct tail_series *series = at < fold->added_count ? fold->added[at] : NULL;
        if (old == old_count && series == NULL)
            return STATUS_OK;
        int order = compare_next(making, old, old_count, series);
        if (order <= 0)
            count = index_file_cells(making->old->file, old, &first);
        else
            count = 0;
        if (order < 0) {
            struct index_key key;
            index_file_key(making->old->file, old, fold->shelf->pool, &key);
            index_writer_series(making->writer, &key);
            TRY(copy_cells(making, first, count, error));
        } else {
            CHECK(series != NULL);
            index_writer_series(making->writer, &series->key);
            TRY(merge_series(making, first, count, series, error));
        }
        old += order <= 0;
        at += order >= 0;
    }
}

static enum status add_file(struct fold *fold, const struct manifest_file *file,
                            struct error *error)
{
    struct index_manifest *next = fold->next;
    if (next->count == fold->capacity) {
        size_t capacity = fold->capacity == 0 ? 64 : fold->capacity * 2;
        struct manifest_file *grown = realloc(next->files, capacity * sizeof *grown);
        if (grown == NULL)
            return error_no_memory(error);
        next->files = grown;
        fold->capacity = capacity;
    }
    if (next->count >= INDEX_FILES_MAX)
        return error_set(error, STATUS_LIMIT, "54000", NULL,
                         "the exposure index has more than %d files", INDEX_FILES_MAX);
    next->files[next->count++] = *file;
    return STATUS_OK;
}

static enum status write_ever(const struct making *making, struct error *error);
static enum status write_told(const struct making *making, struct error *error);

static enum status write_file(struct fold *fold, enum index_level level, int32_t first,
                              struct error *error)
{
    struct manifest_file file = {
        .level = level, .first = first, .generation = fold->next->generation};
    struct making making = {
        .fold = fold, .level = level, .from_hour = INT64_MIN, .until_hour = INT64_MAX};
    char path[INDEX_PATH_ROOM];
    if (level != INDEX_EVER) {
        bool day = level == INDEX_DAY;
        making.from_hour = (int64_t)(day ? first : index_first_day(first)) * HOURS;
        making.until_hour = (int64_t)(day ? first + 1 : index_first_day(first + 1)) * HOURS;
    }
    if (fold->shelf != NULL)
        TRY(shelf_file_of(fold->shelf, level, first, &making.old, error));
    TRY(manifest_path(fold->folder, &file, path, error));
    TRY(index_writer_open(path, level, first, &making.writer, error));
    enum status status = write_series(&making, error);
    if (status == STATUS_OK && level == INDEX_EVER)
        status = write_ever(&making, error);
    if (status == STATUS_OK && level == INDEX_DAY)
        status = write_told(&making, error);
    if (status != STATUS_OK) {
        index_writer_abandon(making.writer);
        return status;
    }
    TRY(index_writer_finish(making.writer, &file.size, &file.seal, error));
    return add_file(fold, &file, error);
}

/* ---- what only a day's file has ---- */

/* The gathered rows of the day: [*from, *until). */
static void told_of_day(const struct fold *fold, int64_t from_hour, int64_t until_hour,
                        size_t *from, size_t *until)
{
    size_t low = 0, high = fold->told_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (fold->told[middle]->row.hour < from_hour) /* days ascend */
            low = middle + 1;
        else
            high = middle;
    }
    *from = *until = low;
    while (*until < fold->told_count && fold->told[*until]->row.hour < until_hour)
        ++*until;
}

static int compare_name(struct slice name, const char *other);

static int compare_told(struct slice partner, const struct index_told *row,
                        const struct told_cell *cell)
{
    int order = compare_name(partner, cell->partner);
    if (order == 0)
        order = (row->hour > cell->row.hour) - (row->hour < cell->row.hour);
    return order != 0 ? order : memcmp(row->hash, cell->row.hash, sizeof row->hash);
}

/* Both rows are of the same statement; entries of the old one came before. */
static struct index_told add_up(const struct index_told *old, const struct index_told *more)
{
    struct index_told sum = *old;
    sum.entries += more->entries;
    sum.fresh += more->fresh;
    sum.rows += more->rows;
    if (more->first_ns < sum.first_ns)
        sum.first_ns = more->first_ns;
    if (more->last_ns > sum.last_ns)
        sum.last_ns = more->last_ns;
    return sum;
}

static enum status write_told(const struct making *making, struct error *error)
{
    const struct fold *fold = making->fold;
    static const struct slice nothing = {0};
    size_t at, until, old = 0;
    size_t old_count = making->old == NULL ? 0 : index_file_told(making->old->file);
    told_of_day(fold, making->from_hour, making->until_hour, &at, &until);
    while (at < until || old < old_count) {
        struct index_told row;
        struct slice partner, bytes = nothing;
        const struct told_cell *cell = at < until ? fold->told[at] : NULL;
        int order = 1;
        if (old < old_count) {
            index_file_told_row(making->old->file, old, &partner, &row);
            order = cell == NULL ? -1 : compare_told(partner, &row, cell);
        }
        if (order <= 0)
            TRY(index_file_told_bytes(making->old->file, old, &bytes, error));
        if (order < 0) {
            index_writer_told(making->writer, name_pool_get(fold->shelf->pool, partner), &row,
                              bytes, nothing);
        } else {
            struct index_told sum = order == 0 ? add_up(&row, &cell->row) : cell->row;
            index_writer_told(making->writer, cell->partner, &sum, bytes,
                              buffer_slice(&cell->bytes));
        }
        old += order <= 0;
        at += order >= 0;
    }
    return STATUS_OK;
}

/* ---- what only the file of all time has ---- */

static int compare_name(struct slice name, const char *other)
{
    size_t len = strlen(other), common = len < name.len ? len : name.len;
    int order = common == 0 ? 0 : memcmp(name.data, other, common);
    return order != 0 ? order : (name.len > len) - (name.len < len);
}

static enum status write_partner(const struct making *making, const char *name, struct error *error)
{
    const struct fold *fold = making->fold;
    struct tail_facts facts = {.deleted_before_ns = INT64_MIN, .column_sets = new_set()};
    bool known = false;
    enum status status = STATUS_OK;
    if (fold->shelf != NULL)
        status = shelf_facts(fold->shelf, name, &facts, &known, error);
    tail_facts(fold->tail, name, &facts);
    if (status == STATUS_OK)
        index_writer_partner(making->writer, name, facts.deleted_before_ns, facts.column_sets);
    roaring_bitmap_free(facts.column_sets);
    return status;
}

static enum status write_partners(const struct making *making, struct error *error)
{
    const struct fold *fold = making->fold;
    const char **names = NULL;
    size_t count = 0, at = 0, old = 0;
    size_t old_count = making->old == NULL ? 0 : index_file_partners(making->old->file);
    TRY(tail_partners(fold->tail, &names, &count, error));
    enum status status = STATUS_OK;
    while (status == STATUS_OK && (at < count || old < old_count)) {
        struct index_partner partner;
        int order = 1;
        if (old < old_count) {
            status = index_file_partner(making->old->file, old, &partner, error);
            if (status != STATUS_OK)
                break;
            order = at < count ? compare_name(partner.name, names[at]) : -1;
        }
        status = write_partner(
            making, order < 0 ? name_pool_get(fold->shelf->pool, partner.name) : names[at], error);
        old += order <= 0;
        at += order >= 0;
    }
    free(names);
    return status;
}

static enum status write_texts(const struct making *making, struct error *error)
{
    size_t old_count = making->old == NULL ? 0 : index_file_texts(making->old->file);
    uint32_t first_id;
    size_t count = tail_texts(making->fold->tail, &first_id);
    struct slice text;
    for (size_t i = 0; i < old_count; i++) {
        TRY(index_file_text(making->old->file, i, &text, error));
        index_writer_text(making->writer, text);
    }
    if (count > 0 && first_id != old_count + 1)
        return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam exposure rebuild",
                         "the exposure index lacks the text of a column set");
    for (size_t i = 0; i < count; i++)
        index_writer_text(making->writer, tail_text(making->fold->tail, i));
    return STATUS_OK;
}

static enum status write_ever(const struct making *making, struct error *error)
{
    TRY(write_partners(making, error));
    return write_texts(making, error);
}

/* ---- the whole ---- */

static int compare_numbers(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;
    return (left > right) - (left < right);
}

static size_t unique(int32_t *numbers, size_t count)
{
    size_t kept = 0;
    if (count > 0)
        qsort(numbers, count, sizeof *numbers, compare_numbers);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || numbers[i] != numbers[kept - 1])
            numbers[kept++] = numbers[i];
    return kept;
}

/* The days that the tail has anything of, ascending; owned by the caller. */
static int32_t *list_days(const struct fold *fold, size_t *count)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < fold->added_count; i++)
        total += fold->added[i]->count;
    total += fold->told_count;
    int32_t *days = malloc((total + 1) * sizeof *days);
    for (size_t i = 0; days != NULL && i < fold->added_count; i++) {
        const struct tail_series *series = fold->added[i];
        for (size_t b = 0; series->key.grade != INDEX_GRADE_DELETED && b < series->count; b++)
            days[at++] = index_day_of(series->buckets[b].hour);
    }
    for (size_t i = 0; days != NULL && i < fold->told_count; i++)
        days[at++] = index_day_of(fold->told[i]->row.hour);
    if (days != NULL)
        *count = unique(days, at);
    return days;
}

/* Writes the periods, ascending, and takes the shelf's other files of the level over. */
static enum status write_level(struct fold *fold, enum index_level level, const int32_t *firsts,
                               size_t count, struct error *error)
{
    const struct index_manifest *old = fold->shelf == NULL ? NULL : &fold->shelf->manifest;
    size_t at = 0, i = 0, old_count = old == NULL ? 0 : old->count;
    while (at < old_count && old->files[at].level < level)
        at++;
    while (i < count || (at < old_count && old->files[at].level == level)) {
        bool has_old = at < old_count && old->files[at].level == level;
        if (i < count && (!has_old || firsts[i] <= old->files[at].first)) {
            at += has_old && firsts[i] == old->files[at].first;
            TRY(write_file(fold, level, firsts[i++], error));
        } else {
            TRY(add_file(fold, &old->files[at++], error));
        }
    }
    return STATUS_OK;
}

static enum status write_levels(struct fold *fold, struct error *error)
{
    static const int32_t ever = 0;
    size_t count = 0;
    int32_t *days = list_days(fold, &count);
    if (days == NULL)
        return error_no_memory(error);
    enum status status = write_level(fold, INDEX_DAY, days, count, error);
    for (size_t i = 0; i < count; i++)
        days[i] = index_month_of_day(days[i]);
    count = unique(days, count);
    if (status == STATUS_OK)
        status = write_level(fold, INDEX_MONTH, days, count, error);
    if (status == STATUS_OK)
        status = write_level(fold, INDEX_EVER, &ever, 1, error);
    free(days);
    return status;
}

enum status index_fold_write(const char *folder, struct shelf *shelf, struct tail *tail,
                             const struct told *told, struct index_manifest *next,
                             struct error *error)
{
    struct fold fold = {.folder = folder, .shelf = shelf, .tail = tail, .next = next};
    static const struct index_manifest nothing;
    TRY(manifest_sweep(folder, shelf == NULL ? &nothing : &shelf->manifest,
                       error)); /* of a crash */
    TRY(tail_all(tail, &fold.added, &fold.added_count, error));
    if (told != NULL && told_list(told, &fold.told, &fold.told_count, error) != STATUS_OK) {
        free(fold.added);
        return error == NULL ? STATUS_NOMEM : error->status;
    }
    next->generation = shelf == NULL ? next->generation + 1 : shelf->manifest.generation + 1;
    next->files = NULL;
    next->count = 0;
    enum status status = write_levels(&fold, error);
    free(fold.added);
    free(fold.told);
    if (status == STATUS_OK)
        status = file_sync_folder(folder, error);
    if (status == STATUS_OK)
        status = manifest_write(folder, next, error);
    if (status == STATUS_OK)
        status = manifest_sweep(folder, next, error);
    return status;
}
