/* See index_writer.h. Sets go out as they come, from the second page on; tables are gathered in
 * memory and follow them; the first page, the header, is written last. */
#include "exposure/index_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "exposure/subject_set.h"

enum { FLUSH_BYTES = 1 << 20, PATH_ROOM = 4096 };

/* A table may be as large as its file: a series has at most 26 cells, a cell has 32 bytes. */
static const size_t TABLE_BYTES = (size_t)1 << 32, SET_BYTES = (size_t)1 << 30;

struct text_place {
    uint64_t offset;
    uint32_t bytes;
};

struct name_list { /* of the writer's pool */
    const char **names;
    size_t count, capacity;
};

struct index_writer {
    char path[PATH_ROOM];
    int fd;
    enum index_level level;
    int32_t first;
    uint64_t written;   /* bytes on disk, whole pages */
    struct buffer out;  /* behind them */
    struct buffer crcs; /* of the pages from the second on */
    struct name_pool names;
    struct index_key *keys;
    uint32_t *first_cells;
    size_t key_count, key_capacity;
    struct buffer cells, partners, texts, told;
    struct name_list partner_names, told_names;
    uint32_t cell_count;
    struct error failure; /* the first one; status STATUS_OK: none */
};

static void fail(struct index_writer *writer, const struct error *failure)
{
    if (writer->failure.status == STATUS_OK)
        writer->failure = *failure;
}

enum status index_writer_open(const char *path, enum index_level level, int32_t first,
                              struct index_writer **out, struct error *error)
{
    struct index_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    *writer = (struct index_writer){.level = level, .first = first, .written = INDEX_PAGE_BYTES};
    buffer_init(&writer->out, SET_BYTES);
    buffer_init(&writer->crcs, TABLE_BYTES);
    buffer_init(&writer->cells, TABLE_BYTES);
    buffer_init(&writer->partners, TABLE_BYTES);
    buffer_init(&writer->texts, TABLE_BYTES);
    buffer_init(&writer->told, TABLE_BYTES);
    name_pool_init(&writer->names);
    writer->fd = snprintf(writer->path, sizeof writer->path, "%s", path) >= PATH_ROOM
                     ? (errno = ENAMETOOLONG, -1)
                     : open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (writer->fd < 0) {
        enum status status = error_set_errno(error, errno, "%s", path);
        writer->path[0] = '\0'; /* not ours to remove */
        index_writer_abandon(writer);
        return status;
    }
    *out = writer;
    return STATUS_OK;
}

/* ---- bytes ---- */

/* Writes whole pages, or all with the last page filled up. */
static void flush(struct index_writer *writer, bool all)
{
    struct error error = {0};
    size_t over = writer->out.len % INDEX_PAGE_BYTES;
    if (all && over != 0) {
        uint8_t *room = buffer_reserve(&writer->out, INDEX_PAGE_BYTES - over);
        if (room != NULL) {
            memset(room, 0, INDEX_PAGE_BYTES - over);
            writer->out.len += INDEX_PAGE_BYTES - over;
        }
        over = 0;
    }
    size_t len = writer->out.len - over;
    if (writer->failure.status != STATUS_OK || writer->out.overflowed || len == 0)
        return;
    for (size_t at = 0; at < len; at += INDEX_PAGE_BYTES)
        buffer_append_u32be(&writer->crcs,
                            crypto_crc32c(0, writer->out.data + at, INDEX_PAGE_BYTES));
    if (file_write_at(writer->fd, writer->out.data, len, writer->written, &error) != STATUS_OK)
        fail(writer, &error);
    writer->written += len;
    buffer_consume(&writer->out, len);
}

static uint64_t place_now(const struct index_writer *writer)
{
    return writer->written + writer->out.len;
}

static void put(struct index_writer *writer, const void *bytes, size_t len)
{
    buffer_append(&writer->out, bytes, len);
    if (writer->out.len >= FLUSH_BYTES)
        flush(writer, false);
}

/* One form for one content: containers by size, then runs where they are smaller. */
static void put_set(struct index_writer *writer, roaring_bitmap_t *ids)
{
    roaring_bitmap_remove_run_compression(ids);
    roaring_bitmap_run_optimize(ids);
    size_t bytes = roaring_bitmap_portable_size_in_bytes(ids);
    uint8_t *room = buffer_reserve(&writer->out, bytes);
    if (room == NULL)
        return;
    size_t len = roaring_bitmap_portable_serialize(ids, (char *)room);
    CHECK(len == bytes);
    writer->out.len += bytes;
    if (writer->out.len >= FLUSH_BYTES)
        flush(writer, false);
}

/* ---- what is given ---- */

void index_writer_series(struct index_writer *writer, const struct index_key *key)
{
    if (writer->key_count == writer->key_capacity) {
        writer->key_capacity = writer->key_capacity == 0 ? 64 : writer->key_capacity * 2;
        writer->keys = realloc(writer->keys, writer->key_capacity * sizeof *writer->keys);
        writer->first_cells =
            realloc(writer->first_cells, writer->key_capacity * sizeof *writer->first_cells);
        CHECK(writer->keys != NULL && writer->first_cells != NULL);
    }
    struct index_key *added = &writer->keys[writer->key_count];
    writer->first_cells[writer->key_count++] = writer->cell_count;
    *added = *key;
    added->partner = name_pool_get(&writer->names, slice_of_text(key->partner));
    added->agent = name_pool_get(&writer->names, slice_of_text(key->agent));
    added->purpose = name_pool_get(&writer->names, slice_of_text(key->purpose));
}

static void put_cell_row(struct index_writer *writer, const struct index_cell *cell)
{
    buffer_append_u32be(&writer->cells, cell->span);
    buffer_append_u32be(&writer->cells, (uint32_t)cell->first_hour);
    buffer_append_u32be(&writer->cells, (uint32_t)cell->last_hour);
    buffer_append_u32be(&writer->cells, cell->count);
    buffer_append_u64be(&writer->cells, cell->offset);
    buffer_append_u32be(&writer->cells, cell->bytes);
    buffer_append_u32be(&writer->cells, 0);
    writer->cell_count++;
}

void index_writer_cell(struct index_writer *writer, enum index_span span, int32_t first_hour,
                       int32_t last_hour, roaring_bitmap_t *ids)
{
    struct index_cell cell = {.span = span,
                              .first_hour = first_hour,
                              .last_hour = last_hour,
                              .count = (uint32_t)roaring_bitmap_get_cardinality(ids),
                              .offset = place_now(writer)};
    put_set(writer, ids);
    cell.bytes = (uint32_t)(place_now(writer) - cell.offset);
    put_cell_row(writer, &cell);
}

void index_writer_ids(struct index_writer *writer, enum index_span span, int32_t first_hour,
                      int32_t last_hour, uint32_t *ids, size_t count)
{
    struct index_cell cell = {.span = span,
                              .first_hour = first_hour,
                              .last_hour = last_hour,
                              .count = (uint32_t)count,
                              .offset = place_now(writer)};
    subject_set_serialize(ids, count, &writer->out); /* the same form, as its tests show */
    if (writer->out.len >= FLUSH_BYTES)
        flush(writer, false);
    cell.bytes = (uint32_t)(place_now(writer) - cell.offset);
    put_cell_row(writer, &cell);
}

void index_writer_copy(struct index_writer *writer, const struct index_cell *from, struct slice set)
{
    struct index_cell cell = *from;
    cell.offset = place_now(writer);
    put(writer, set.data, set.len);
    put_cell_row(writer, &cell);
}

static void list_name(struct index_writer *writer, struct name_list *list, const char *name)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        list->names = realloc(list->names, list->capacity * sizeof *list->names);
        CHECK(list->names != NULL);
    }
    list->names[list->count++] = name_pool_get(&writer->names, slice_of_text(name));
}

void index_writer_partner(struct index_writer *writer, const char *name, int64_t deleted_before_ns,
                          roaring_bitmap_t *column_sets)
{
    uint64_t offset = place_now(writer);
    if (!roaring_bitmap_is_empty(column_sets))
        put_set(writer, column_sets);
    list_name(writer, &writer->partner_names, name);
    buffer_append_u64be(&writer->partners, (uint64_t)deleted_before_ns);
    buffer_append_u64be(&writer->partners, offset);
    buffer_append_u32be(&writer->partners, (uint32_t)(place_now(writer) - offset));
}

void index_writer_told(struct index_writer *writer, const char *partner,
                       const struct index_told *row, struct slice entries, struct slice more)
{
    struct error error = {0};
    if (entries.len + more.len > UINT32_MAX) { /* a length that a row cannot hold */
        (void)error_set(&error, STATUS_LIMIT, "54000", NULL,
                        "a statement told too much in one hour for the exposure index");
        fail(writer, &error);
        return;
    }
    list_name(writer, &writer->told_names, partner);
    buffer_append_u32be(&writer->told, (uint32_t)row->hour);
    buffer_append_u32be(&writer->told, row->entries);
    buffer_append_u32be(&writer->told, (uint32_t)(entries.len + more.len));
    buffer_append_u64be(&writer->told, row->fresh);
    buffer_append_u64be(&writer->told, row->rows);
    buffer_append_u64be(&writer->told, (uint64_t)row->first_ns);
    buffer_append_u64be(&writer->told, (uint64_t)row->last_ns);
    buffer_append_u64be(&writer->told, place_now(writer));
    buffer_append(&writer->told, row->hash, sizeof row->hash);
    put(writer, entries.data, entries.len);
    put(writer, more.data, more.len);
}

void index_writer_text(struct index_writer *writer, struct slice text)
{
    buffer_append_u64be(&writer->texts, place_now(writer));
    buffer_append_u32be(&writer->texts, (uint32_t)text.len);
    put(writer, text.data, text.len);
}

/* ---- completing ---- */

struct place {
    uint64_t offset, count;
};

static struct place put_names(struct index_writer *writer)
{
    const struct name_map *map = &writer->names.map;
    struct buffer rows;
    buffer_init(&rows, TABLE_BYTES);
    for (size_t i = 0; i < map->count; i++) {
        struct slice name = slice_of_text(map->entries[i].name);
        buffer_append_u64be(&rows, place_now(writer));
        buffer_append_u32be(&rows, (uint32_t)name.len);
        put(writer, name.data, name.len);
    }
    struct place place = {.offset = place_now(writer), .count = map->count};
    put(writer, rows.data, rows.len);
    if (rows.overflowed)
        writer->out.overflowed = true;
    buffer_free(&rows);
    return place;
}

/* Names ascend in the pool's map: a name's number is its place there. */
static uint32_t number_of(const struct index_writer *writer, const char *name)
{
    size_t at;
    bool found = name_map_find(&writer->names.map, slice_of_text(name), &at);
    CHECK(found);
    return (uint32_t)at;
}

/* Rows that begin with the number of a name, which is known only when all names are. */
static struct place put_named(struct index_writer *writer, const struct name_list *names,
                              const struct buffer *rows, size_t row_bytes)
{
    struct place place = {.offset = place_now(writer), .count = names->count};
    if (rows->overflowed) {
        writer->out.overflowed = true;
        return place;
    }
    for (size_t i = 0; i < names->count; i++) {
        uint8_t name[4];
        store_u32be(name, number_of(writer, names->names[i]));
        put(writer, name, sizeof name);
        put(writer, rows->data + i * (row_bytes - sizeof name), row_bytes - sizeof name);
    }
    return place;
}

static struct place put_series(struct index_writer *writer)
{
    struct place place = {.offset = place_now(writer), .count = writer->key_count};
    for (size_t i = 0; i < writer->key_count; i++) {
        const struct index_key *key = &writer->keys[i];
        uint8_t row[INDEX_SERIES_ROW] = {0};
        store_u32be(row, number_of(writer, key->partner));
        store_u32be(row + 4, number_of(writer, key->agent));
        store_u32be(row + 8, number_of(writer, key->purpose));
        store_u32be(row + 12, key->column_set);
        store_u16be(row + 16, key->kind);
        row[18] = key->grade;
        store_u32be(row + 20, writer->first_cells[i]);
        put(writer, row, sizeof row);
    }
    return place;
}

static void put_place(uint8_t *at, struct place place)
{
    store_u64be(at, place.offset);
    store_u64be(at + 8, place.count);
}

static struct place put_rows(struct index_writer *writer, const struct buffer *rows,
                             size_t row_bytes)
{
    struct place place = {.offset = place_now(writer), .count = rows->len / row_bytes};
    put(writer, rows->data, rows->len);
    if (rows->overflowed)
        writer->out.overflowed = true;
    return place;
}

static void put_header(struct index_writer *writer, uint8_t header[static INDEX_PAGE_BYTES])
{
    memset(header, 0, INDEX_PAGE_BYTES);
    memcpy(header, INDEX_MAGIC, 8);
    store_u32be(header + 8, INDEX_VERSION);
    store_u32be(header + 12, writer->level);
    store_u32be(header + 16, (uint32_t)writer->first);
    put_place(header + 24, put_names(writer));
    put_place(header + 40,
              put_named(writer, &writer->partner_names, &writer->partners, INDEX_PARTNER_ROW));
    put_place(header + 56, put_series(writer));
    put_place(header + 72, put_rows(writer, &writer->cells, INDEX_CELL_ROW));
    put_place(header + 88, put_rows(writer, &writer->texts, INDEX_STRING_ROW));
    put_place(header + 104, put_named(writer, &writer->told_names, &writer->told, INDEX_TOLD_ROW));
}

static enum status complete(struct index_writer *writer, uint64_t *size, uint32_t *seal,
                            struct error *error)
{
    uint8_t header[INDEX_PAGE_BYTES], crc[4];
    put_header(writer, header);
    flush(writer, true);
    if (writer->failure.status != STATUS_OK) {
        *error = writer->failure;
        return writer->failure.status;
    }
    if (writer->out.overflowed || writer->crcs.overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL,
                         "no memory to write a file of the exposure index");
    store_u32be(crc, crypto_crc32c(0, header, sizeof header));
    TRY(file_write_at(writer->fd, crc, sizeof crc, writer->written, error));
    TRY(file_write_at(writer->fd, writer->crcs.data, writer->crcs.len, writer->written + sizeof crc,
                      error));
    TRY(file_write_at(writer->fd, header, sizeof header, 0, error));
    if (fdatasync(writer->fd) != 0)
        return error_set_errno(error, errno, "fdatasync %s", writer->path);
    *size = writer->written + sizeof crc + writer->crcs.len;
    *seal = crypto_crc32c(crypto_crc32c(0, crc, sizeof crc), writer->crcs.data, writer->crcs.len);
    return STATUS_OK;
}

enum status index_writer_finish(struct index_writer *writer, uint64_t *size, uint32_t *seal,
                                struct error *error)
{
    struct error local = {0};
    enum status status = complete(writer, size, seal, &local);
    if (status == STATUS_OK)
        writer->path[0] = '\0'; /* stays */
    else if (error != NULL)
        *error = local;
    index_writer_abandon(writer);
    return status;
}

void index_writer_abandon(struct index_writer *writer)
{
    if (writer == NULL)
        return;
    if (writer->fd >= 0)
        close(writer->fd);
    if (writer->path[0] != '\0')
        unlink(writer->path);
    buffer_free(&writer->out);
    buffer_free(&writer->crcs);
    buffer_free(&writer->cells);
    buffer_free(&writer->partners);
    buffer_free(&writer->texts);
    name_pool_free(&writer->names);
    buffer_free(&writer->told);
    free(writer->partner_names.names);
    free(writer->told_names.names);
    free(writer->keys);
    free(writer->first_cells);
    free(writer);
}
