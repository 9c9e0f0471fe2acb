/* See index_file.h. The file's end is one checksum a page; what they say is compared when a page is
 * first touched, and remembered. */
#include "exposure/index_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "exposure/index_key.h"
#include "exposure/subject_set.h"

enum { CRC_BYTES = 4, PAGE_WITH_CRC = INDEX_PAGE_BYTES + CRC_BYTES };

struct table {
    const uint8_t *rows;
    size_t count;
};

struct index_file {
    const uint8_t *bytes; /* pages, then a checksum for each */
    size_t mapped;        /* bytes to unmap; 0: somebody else's */
    size_t pages, len;    /* len: of the pages */
    _Atomic uint8_t *page_is_sound;
    _Atomic uint8_t *cell_is_sound; /* from the check on */
    pthread_mutex_t mutex;          /* of the check */
    _Atomic bool checked;
    struct table names, partners, series, cells, texts, told;
};

static enum status corrupt(struct error *error, const char *what)
{
    return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam exposure rebuild",
                     "the exposure index is damaged: %s", what);
}

/* ---- opening ---- */

uint32_t index_file_seal(struct slice bytes)
{
    size_t pages = bytes.len / PAGE_WITH_CRC;
    return crypto_crc32c(0, bytes.data + pages * INDEX_PAGE_BYTES, pages * CRC_BYTES);
}

enum status index_file_over(struct slice bytes, uint32_t seal, struct index_file **out,
                            struct error *error)
{
    if (bytes.len == 0 || bytes.len % PAGE_WITH_CRC != 0)
        return corrupt(error, "a file's length is none of ours");
    if (index_file_seal(bytes) != seal)
        return corrupt(error, "a file is not the one that the manifest names");
    struct index_file *file = calloc(1, sizeof *file);
    size_t pages = bytes.len / PAGE_WITH_CRC;
    _Atomic uint8_t *sound = calloc(pages, sizeof *sound);
    if (file == NULL || sound == NULL) {
        free(file);
        free(sound);
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    file->bytes = bytes.data;
    file->pages = pages;
    file->len = pages * INDEX_PAGE_BYTES;
    file->page_is_sound = sound;
    pthread_mutex_init(&file->mutex, NULL);
    *out = file;
    return STATUS_OK;
}

enum status index_file_open(const char *path, uint64_t size, uint32_t seal, struct index_file **out,
                            struct error *error)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT
                   ? error_set(error, STATUS_NOT_FOUND, "58P01", NULL, "%s: not there", path)
                   : error_set_errno(error, errno, "%s", path);
    if (fstat(fd, &info) != 0 || (uint64_t)info.st_size != size || size == 0) {
        close(fd);
        return corrupt(error, "a file has not the size that the manifest says");
    }
    void *mapped = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    int failure = errno;
    close(fd);
    if (mapped == MAP_FAILED)
        return error_set_errno(error, failure, "mmap %s", path);
    enum status status = index_file_over(slice_of(mapped, size), seal, out, error);
    if (status == STATUS_OK)
        (*out)->mapped = size;
    else
        munmap(mapped, size);
    return status;
}

void index_file_close(struct index_file *file)
{
    union {
        const uint8_t *bytes;
        void *mapping;
    } whole;
    if (file == NULL)
        return;
    whole.bytes = file->bytes;
    if (file->mapped > 0)
        munmap(whole.mapping, file->mapped);
    pthread_mutex_destroy(&file->mutex);
    free(file->page_is_sound);
    free(file->cell_is_sound);
    free(file);
}

/* ---- pages ---- */

static bool page_is_sound(struct index_file *file, size_t page)
{
    if (atomic_load_explicit(&file->page_is_sound[page], memory_order_relaxed) != 0)
        return true;
    uint32_t want = load_u32be(file->bytes + file->len + page * CRC_BYTES);
    if (crypto_crc32c(0, file->bytes + page * INDEX_PAGE_BYTES, INDEX_PAGE_BYTES) != want)
        return false;
    atomic_store_explicit(&file->page_is_sound[page], 1, memory_order_relaxed);
    return true;
}

/* These bytes, if they lie in the file and their pages are sound. */
static enum status take(struct index_file *file, uint64_t offset, uint64_t bytes,
                        struct slice *taken, struct error *error)
{
    if (offset > file->len || bytes > file->len - offset)
        return corrupt(error, "something lies outside of its file");
    size_t last = bytes == 0 ? 0 : (size_t)((offset + bytes - 1) / INDEX_PAGE_BYTES) + 1;
    for (size_t page = (size_t)(offset / INDEX_PAGE_BYTES); page < last; page++)
        if (!page_is_sound(file, page))
            return corrupt(error, "a page's checksum is wrong");
    *taken = slice_of(file->bytes + offset, (size_t)bytes);
    return STATUS_OK;
}

/* ---- tables ---- */

static enum status take_table(struct index_file *file, const uint8_t *header, size_t row_bytes,
                              struct table *table, struct error *error)
{
    struct slice rows;
    uint64_t count = load_u64be(header + 8);
    if (count > file->len / row_bytes)
        return corrupt(error, "a table is longer than its file");
    TRY(take(file, load_u64be(header), count * row_bytes, &rows, error));
    *table = (struct table){.rows = rows.data, .count = (size_t)count};
    return STATUS_OK;
}

static const uint8_t *row_of(const struct table *table, size_t at, size_t row_bytes)
{
    return table->rows + at * row_bytes;
}

static struct slice string_of(const struct index_file *file, const struct table *table, size_t at)
{
    const uint8_t *row = row_of(table, at, INDEX_STRING_ROW);
    return slice_of(file->bytes + load_u64be(row), load_u32be(row + 8));
}

static int compare_slices(struct slice a, struct slice b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Names ascend, so that numbers of names compare as the names do. */
static enum status check_names(struct index_file *file, struct error *error)
{
    struct slice name;
    for (size_t i = 0; i < file->names.count; i++) {
        const uint8_t *row = row_of(&file->names, i, INDEX_STRING_ROW);
        TRY(take(file, load_u64be(row), load_u32be(row + 8), &name, error));
        if (name.len > 0 && memchr(name.data, 0, name.len) != NULL)
            return corrupt(error, "a name has a zero byte");
        if (i > 0 && compare_slices(string_of(file, &file->names, i - 1), name) >= 0)
            return corrupt(error, "names are out of order");
    }
    return STATUS_OK;
}

static enum status check_partners(const struct index_file *file, struct error *error)
{
    for (size_t i = 0; i < file->partners.count; i++) {
        uint32_t name = load_u32be(row_of(&file->partners, i, INDEX_PARTNER_ROW));
        if (name >= file->names.count ||
            (i > 0 && load_u32be(row_of(&file->partners, i - 1, INDEX_PARTNER_ROW)) >= name))
            return corrupt(error, "the list of partners is not sound");
    }
    return STATUS_OK;
}

/* A series row's fields in the order that keys compare: names by their numbers. */
static int compare_rows(const uint8_t *a, const uint8_t *b)
{
    int order = memcmp(a, b, 4); /* partner */
    if (order == 0)
        order = memcmp(a + 12, b + 12, 7);               /* column set, kind, grade */
    return order != 0 ? order : memcmp(a + 4, b + 4, 8); /* agent, purpose */
}

static enum status check_series(const struct index_file *file, struct error *error)
{
    for (size_t i = 0; i < file->series.count; i++) {
        const uint8_t *row = row_of(&file->series, i, INDEX_SERIES_ROW);
        uint32_t before = i == 0 ? 0 : load_u32be(row - INDEX_SERIES_ROW + 20);
        uint32_t first = load_u32be(row + 20);
        bool names = load_u32be(row) < file->names.count &&
                     load_u32be(row + 4) < file->names.count &&
                     load_u32be(row + 8) < file->names.count;
        bool cells = (i == 0 ? first == 0 : first > before) && first < file->cells.count;
        if (!names || !cells || row[18] >= INDEX_GRADES || row[19] != 0)
            return corrupt(error, "a series is not sound");
        if (i > 0 && compare_rows(row - INDEX_SERIES_ROW, row) >= 0)
            return corrupt(error, "series are out of order");
    }
    if (file->series.count == 0 && file->cells.count > 0)
        return corrupt(error, "cells without a series");
    return STATUS_OK;
}

static bool span_belongs(enum index_level level, uint32_t span)
{
    return level == INDEX_DAY     ? span == SPAN_DAY || span == SPAN_HOUR
           : level == INDEX_MONTH ? span == SPAN_MONTH
                                  : span == SPAN_EVER || span == SPAN_DELETED;
}

static bool hours_belong(enum index_level level, int32_t first, const struct index_cell *cell)
{
    int32_t first_day = index_day_of(cell->first_hour), last_day = index_day_of(cell->last_hour);
    if (cell->first_hour > cell->last_hour)
        return false;
    if (cell->span == SPAN_HOUR && cell->first_hour != cell->last_hour)
        return false;
    if (level == INDEX_DAY)
        return first_day == first && last_day == first;
    if (level == INDEX_MONTH)
        return index_month_of_day(first_day) == first && index_month_of_day(last_day) == first;
    return true;
}

/* Within a series: the widest span first, then by hour. */
static enum status check_cells(const struct index_file *file, enum index_level level, int32_t first,
                               struct error *error)
{
    size_t series = 0;
    for (size_t i = 0; i < file->cells.count; i++) {
        struct index_cell cell, before;
        index_file_cell(file, i, &cell);
        bool begins = series < file->series.count &&
                      load_u32be(row_of(&file->series, series, INDEX_SERIES_ROW) + 20) == i;
        series += begins;
        if (!span_belongs(level, cell.span) || !hours_belong(level, first, &cell) ||
            cell.count == 0 || cell.offset > file->len || cell.bytes > file->len - cell.offset)
            return corrupt(error, "a cell is not sound");
        if (begins)
            continue;
        index_file_cell(file, i - 1, &before);
        bool follows = cell.span == SPAN_HOUR
                           ? before.span == SPAN_DAY || before.first_hour < cell.first_hour
                           : cell.span == SPAN_DELETED && before.span == SPAN_DELETED &&
                                 before.first_hour < cell.first_hour;
        if (!follows)
            return corrupt(error, "cells are out of order");
    }
    return STATUS_OK;
}

/* By partner, hour and statement, each once. */
static int compare_told(const uint8_t *a, const uint8_t *b)
{
    int order = memcmp(a, b, 4);
    int32_t hour = (int32_t)load_u32be(a + 4), other = (int32_t)load_u32be(b + 4);
    if (order == 0)
        order = (hour > other) - (hour < other);
    return order != 0 ? order : memcmp(a + 56, b + 56, 32);
}

/* A row whose page is sound; is_first: nothing stands before it that it must follow. */
static enum status check_told_row(const struct index_file *file, int32_t first, size_t at,
                                  bool is_first, struct error *error)
{
    const uint8_t *row = row_of(&file->told, at, INDEX_TOLD_ROW);
    int32_t hour = (int32_t)load_u32be(row + 4);
    uint64_t offset = load_u64be(row + 48);
    bool in_hour = index_hour_of((int64_t)load_u64be(row + 32)) == hour &&
                   index_hour_of((int64_t)load_u64be(row + 40)) == hour;
    if (load_u32be(row) >= file->names.count || hour <= -INDEX_HOURS_MAX ||
        hour >= INDEX_HOURS_MAX || index_day_of(hour) != first || !in_hour ||
        load_u32be(row + 8) == 0 || offset > file->len || load_u32be(row + 12) > file->len - offset)
        return corrupt(error, "what a statement told is not sound");
    if (!is_first && compare_told(row - INDEX_TOLD_ROW, row) >= 0)
        return corrupt(error, "statements are out of order");
    return STATUS_OK;
}

static enum status check_told(const struct index_file *file, enum index_level level, int32_t first,
                              struct error *error)
{
    if (level != INDEX_DAY && file->told.count > 0)
        return corrupt(error, "statements in a file that is not a day's");
    for (size_t i = 0; i < file->told.count; i++)
        TRY(check_told_row(file, first, i, i == 0, error));
    return STATUS_OK;
}

static enum status check_head(struct index_file *file, enum index_level level, int32_t first,
                              const uint8_t **head, struct error *error)
{
    struct slice header;
    TRY(take(file, 0, INDEX_PAGE_BYTES, &header, error));
    if (memcmp(header.data, INDEX_MAGIC, 8) != 0 || load_u32be(header.data + 8) != INDEX_VERSION)
        return corrupt(error, "a file is not of this format");
    if (load_u32be(header.data + 12) != level || (int32_t)load_u32be(header.data + 16) != first)
        return corrupt(error, "a file is of another time than its name says");
    *head = header.data;
    return STATUS_OK;
}

static enum status check(struct index_file *file, enum index_level level, int32_t first,
                         struct error *error)
{
    const uint8_t *header = NULL;
    TRY(check_head(file, level, first, &header, error));
    TRY(take_table(file, header + 24, INDEX_STRING_ROW, &file->names, error));
    TRY(take_table(file, header + 40, INDEX_PARTNER_ROW, &file->partners, error));
    TRY(take_table(file, header + 56, INDEX_SERIES_ROW, &file->series, error));
    TRY(take_table(file, header + 72, INDEX_CELL_ROW, &file->cells, error));
    TRY(take_table(file, header + 88, INDEX_STRING_ROW, &file->texts, error));
    TRY(take_table(file, header + 104, INDEX_TOLD_ROW, &file->told, error));
    TRY(check_names(file, error));
    TRY(check_partners(file, error));
    TRY(check_series(file, error));
    TRY(check_cells(file, level, first, error));
    TRY(check_told(file, level, first, error));
    free(file->cell_is_sound); /* of a check that failed before */
    file->cell_is_sound = calloc(file->cells.count + 1, sizeof *file->cell_is_sound);
    if (file->cell_is_sound == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    return STATUS_OK;
}

/* Where the statements are, their pages not looked at. */
static enum status place_told(struct index_file *file, const uint8_t *header, struct error *error)
{
    uint64_t offset = load_u64be(header + 104), count = load_u64be(header + 112);
    if (offset > file->len || count > (file->len - offset) / INDEX_TOLD_ROW)
        return corrupt(error, "a table is longer than its file");
    file->told = (struct table){.rows = file->bytes + offset, .count = (size_t)count};
    return STATUS_OK;
}

/* The number of a row's partner. */
static enum status told_partner(struct index_file *file, size_t at, uint32_t *number,
                                struct error *error)
{
    struct slice row;
    uint64_t offset = (uint64_t)(file->told.rows - file->bytes) + at * INDEX_TOLD_ROW;
    TRY(take(file, offset, INDEX_TOLD_ROW, &row, error));
    *number = load_u32be(row.data);
    return STATUS_OK;
}

/* The first row whose partner's number is not less. */
static enum status seek_told(struct index_file *file, uint32_t number, size_t *at,
                             struct error *error)
{
    size_t low = 0, high = file->told.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint32_t found;
        TRY(told_partner(file, middle, &found, error));
        if (found < number)
            low = middle + 1;
        else
            high = middle;
    }
    *at = low;
    return STATUS_OK;
}

static bool find_name(const struct index_file *file, struct slice name, uint32_t *number)
{
    size_t low = 0, high = file->names.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_slices(string_of(file, &file->names, middle), name);
        *number = (uint32_t)middle;
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

enum status index_file_find_told(struct index_file *file, int32_t first, struct slice partner,
                                 size_t *from, size_t *until, struct error *error)
{
    const uint8_t *header = NULL;
    uint32_t number, found;
    *from = *until = 0;
    TRY(check_head(file, INDEX_DAY, first, &header, error));
    TRY(take_table(file, header + 24, INDEX_STRING_ROW, &file->names, error));
    TRY(place_told(file, header, error));
    TRY(check_names(file, error));
    if (!find_name(file, partner, &number))
        return STATUS_OK;
    TRY(seek_told(file, number, from, error));
    for (*until = *from; *until < file->told.count; ++*until) {
        TRY(told_partner(file, *until, &found, error));
        if (found != number)
            return STATUS_OK;
        TRY(check_told_row(file, first, *until, *until == *from, error));
    }
    return STATUS_OK;
}

enum status index_file_check(struct index_file *file, enum index_level level, int32_t first,
                             struct error *error)
{
    if (atomic_load_explicit(&file->checked, memory_order_acquire))
        return STATUS_OK;
    pthread_mutex_lock(&file->mutex);
    enum status status = check(file, level, first, error);
    if (status == STATUS_OK)
        atomic_store_explicit(&file->checked, true, memory_order_release);
    pthread_mutex_unlock(&file->mutex);
    return status;
}

/* ---- reading ---- */

size_t index_file_series(const struct index_file *file)
{
    return file->series.count;
}

void index_file_key(const struct index_file *file, size_t series, struct name_pool *pool,
                    struct index_key *key)
{
    const uint8_t *row = row_of(&file->series, series, INDEX_SERIES_ROW);
    *key = (struct index_key){
        .partner = name_pool_get(pool, string_of(file, &file->names, load_u32be(row))),
        .agent = name_pool_get(pool, string_of(file, &file->names, load_u32be(row + 4))),
        .purpose = name_pool_get(pool, string_of(file, &file->names, load_u32be(row + 8))),
        .column_set = load_u32be(row + 12),
        .kind = load_u16be(row + 16),
        .grade = row[18]};
}

static int compare_name(const struct index_file *file, const uint8_t *number, const char *name)
{
    return compare_slices(string_of(file, &file->names, load_u32be(number)), slice_of_text(name));
}

int index_file_compare(const struct index_file *file, size_t series, const struct index_key *key)
{
    const uint8_t *row = row_of(&file->series, series, INDEX_SERIES_ROW);
    uint8_t wanted[7];
    int order = compare_name(file, row, key->partner);
    store_u32be(wanted, key->column_set);
    store_u16be(wanted + 4, key->kind);
    wanted[6] = key->grade;
    if (order == 0)
        order = memcmp(row + 12, wanted, sizeof wanted);
    if (order == 0)
        order = compare_name(file, row + 4, key->agent);
    return order != 0 ? order : compare_name(file, row + 8, key->purpose);
}

size_t index_file_cells(const struct index_file *file, size_t series, size_t *first)
{
    const uint8_t *row = row_of(&file->series, series, INDEX_SERIES_ROW);
    *first = load_u32be(row + 20);
    size_t until = series + 1 < file->series.count ? load_u32be(row + INDEX_SERIES_ROW + 20)
                                                   : file->cells.count;
    return until - *first;
}

void index_file_cell(const struct index_file *file, size_t cell, struct index_cell *found)
{
    const uint8_t *row = row_of(&file->cells, cell, INDEX_CELL_ROW);
    *found = (struct index_cell){.number = (uint32_t)cell,
                                 .span = load_u32be(row),
                                 .first_hour = (int32_t)load_u32be(row + 4),
                                 .last_hour = (int32_t)load_u32be(row + 8),
                                 .count = load_u32be(row + 12),
                                 .offset = load_u64be(row + 16),
                                 .bytes = load_u32be(row + 24)};
}

enum status index_file_set(struct index_file *file, const struct index_cell *cell,
                           struct slice *set, struct error *error)
{
    return take(file, cell->offset, cell->bytes, set, error);
}

static struct slice set_of(const struct index_file *file, size_t cell)
{
    const uint8_t *row = row_of(&file->cells, cell, INDEX_CELL_ROW);
    return slice_of(file->bytes + load_u64be(row + 16), load_u32be(row + 24));
}

void index_file_fetch(const struct index_file *file, size_t cell, uint32_t id)
{
    struct slice set = set_of(file, cell);
    size_t description = 8 + 4 * (size_t)(id >> 16); /* where there is nearly every container */
    __builtin_prefetch(set.data);
    if (description < set.len)
        __builtin_prefetch(set.data + description);
    if (2 * description < set.len)
        __builtin_prefetch(set.data + 2 * description);
}

void index_file_fetch_rest(const struct index_file *file, size_t cell, uint32_t id)
{
    subject_set_fetch(set_of(file, cell), id);
}

enum status index_file_sound_set(struct index_file *file, const struct index_cell *cell,
                                 struct slice *set, struct error *error)
{
    uint64_t count;
    _Atomic uint8_t *sound = &file->cell_is_sound[cell->number];
    TRY(index_file_set(file, cell, set, error));
    if (atomic_load_explicit(sound, memory_order_relaxed) == 0) {
        if (subject_set_count(*set, &count) != STATUS_OK || count != cell->count)
            return corrupt(error, "a set of subjects is malformed");
        atomic_store_explicit(sound, 1, memory_order_relaxed);
    }
    return STATUS_OK;
}

enum status index_file_ids(struct index_file *file, const struct index_cell *cell,
                           roaring_bitmap_t **ids, struct error *error)
{
    struct slice set;
    TRY(index_file_sound_set(file, cell, &set, error));
    *ids = roaring_bitmap_portable_deserialize_safe((const char *)set.data, set.len);
    if (*ids == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    return STATUS_OK;
}

enum status index_file_list(struct index_file *file, const struct index_cell *cell, uint32_t **ids,
                            struct error *error)
{
    struct slice set;
    uint64_t count = 0;
    TRY(index_file_set(file, cell, &set, error));
    if (subject_set_claims(set, &count) != STATUS_OK || count != cell->count)
        return corrupt(error, "a set of subjects is malformed");
    uint32_t *list = malloc((size_t)cell->count * sizeof *list);
    if (list == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (subject_set_read(set, list, cell->count, &count) != STATUS_OK || count != cell->count) {
        free(list);
        return corrupt(error, "a set of subjects is malformed");
    }
    *ids = list;
    return STATUS_OK;
}

size_t index_file_partners(const struct index_file *file)
{
    return file->partners.count;
}

enum status index_file_partner(struct index_file *file, size_t at, struct index_partner *partner,
                               struct error *error)
{
    const uint8_t *row = row_of(&file->partners, at, INDEX_PARTNER_ROW);
    struct slice sets;
    uint64_t count;
    TRY(take(file, load_u64be(row + 12), load_u32be(row + 20), &sets, error));
    if (sets.len > 0 && subject_set_count(sets, &count) != STATUS_OK)
        return corrupt(error, "a set of column sets is malformed");
    *partner = (struct index_partner){.name = string_of(file, &file->names, load_u32be(row)),
                                      .deleted_before_ns = (int64_t)load_u64be(row + 4),
                                      .column_sets = sets};
    return STATUS_OK;
}

size_t index_file_told(const struct index_file *file)
{
    return file->told.count;
}

void index_file_told_row(const struct index_file *file, size_t at, struct slice *partner,
                         struct index_told *found)
{
    const uint8_t *row = row_of(&file->told, at, INDEX_TOLD_ROW);
    *partner = string_of(file, &file->names, load_u32be(row));
    *found = (struct index_told){.hour = (int32_t)load_u32be(row + 4),
                                 .entries = load_u32be(row + 8),
                                 .fresh = load_u64be(row + 16),
                                 .rows = load_u64be(row + 24),
                                 .first_ns = (int64_t)load_u64be(row + 32),
                                 .last_ns = (int64_t)load_u64be(row + 40)};
    memcpy(found->hash, row + 56, sizeof found->hash);
}

enum status index_file_told_bytes(struct index_file *file, size_t at, struct slice *bytes,
                                  struct error *error)
{
    const uint8_t *row = row_of(&file->told, at, INDEX_TOLD_ROW);
    return take(file, load_u64be(row + 48), load_u32be(row + 12), bytes, error);
}

size_t index_file_texts(const struct index_file *file)
{
    return file->texts.count;
}

enum status index_file_text(struct index_file *file, size_t at, struct slice *text,
                            struct error *error)
{
    const uint8_t *row = row_of(&file->texts, at, INDEX_STRING_ROW);
    return take(file, load_u64be(row), load_u32be(row + 8), text, error);
}
