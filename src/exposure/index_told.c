/* See index_told.h. Numbers are written seven bits a byte, lowest first, the high bit saying that
 * more follow; ids as distances. */
#include "exposure/index_told.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "exposure/id_seen.h"
#include "exposure/subject_set.h"

enum {
    GRADE_PROBE = 5,
    GRADE_CHANGED = 6,
    NUMBER_BYTES = 10,
    BYTES_MAX = 1 << 30, /* of one row */
    CELL_OVERHEAD = 320, /* the allocator's, the slot's, and a buffer's least room */
};

static const int64_t HOUR_NS = 3600LL * 1000000000;

bool told_grade_counts(uint8_t grade)
{
    return grade != GRADE_PROBE && grade != GRADE_CHANGED && grade != INDEX_GRADE_DELETED;
}

static enum status damaged(struct error *error)
{
    return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam exposure rebuild",
                     "the exposure index is damaged: what a statement told is malformed");
}

/* ---- bytes ---- */

static void put_number(struct buffer *out, uint64_t number)
{
    uint8_t bytes[NUMBER_BYTES];
    size_t count = 0;
    do {
        bytes[count++] = (uint8_t)((number & 0x7F) | (number > 0x7F ? 0x80 : 0));
        number >>= 7;
    } while (number > 0);
    buffer_append(out, bytes, count);
}

static bool take_number(struct slice *bytes, uint64_t *number)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes->len && i < NUMBER_BYTES; i++) {
        uint8_t byte = bytes->data[i];
        if (i == NUMBER_BYTES - 1 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            *bytes = slice_of(bytes->data + i + 1, bytes->len - i - 1);
            *number = value;
            return true;
        }
    }
    return false;
}

void told_write(const struct told_entry *entry, int32_t hour, struct buffer *out)
{
    put_number(out, (uint64_t)(entry->time_ns - hour * HOUR_NS));
    put_number(out, entry->rows);
    put_number(out, entry->fresh);
    put_number(out, entry->count);
    for (size_t i = 0; i < entry->count; i++)
        put_number(out, i == 0 ? entry->ids[0] : entry->ids[i] - entry->ids[i - 1] - 1);
}

struct id_room {
    uint32_t *ids;
    size_t capacity;
};

/* What take_number does, for a distance: nearly all time goes here. NULL: it is none. */
static const uint8_t *take_step(const uint8_t *at, const uint8_t *end, uint64_t *step)
{
    uint64_t value = 0;
    for (unsigned shift = 0; at < end && shift < 35; shift += 7) {
        uint8_t byte = *at++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *step = value;
            return at;
        }
    }
    return NULL;
}

static bool take_ids(struct slice *bytes, uint64_t count, struct id_room *room)
{
    const uint8_t *at = bytes->data, *end = at + bytes->len;
    uint64_t next = 0, step;
    for (uint64_t i = 0; i < count; i++) {
        at = take_step(at, end, &step);
        if (at == NULL || next + step > UINT32_MAX)
            return false;
        room->ids[i] = (uint32_t)(next + step);
        next += step + 1;
    }
    *bytes = slice_of(at, (size_t)(end - at));
    return true;
}

/* STATUS_NOMEM alone is told; anything else malformed is for the caller to say. */
static enum status take_entry(struct slice *bytes, int32_t hour, struct id_room *room,
                              struct told_entry *entry, struct error *error)
{
    uint64_t offset, count;
    if (!take_number(bytes, &offset) || offset >= (uint64_t)HOUR_NS ||
        !take_number(bytes, &entry->rows) || !take_number(bytes, &entry->fresh) ||
        !take_number(bytes, &count) || count > bytes->len || entry->fresh > count)
        return damaged(error);
    if (count > room->capacity) {
        uint32_t *grown = realloc(room->ids, 2 * count * sizeof *grown);
        if (grown == NULL)
            return error_no_memory(error);
        *room = (struct id_room){.ids = grown, .capacity = 2 * count};
    }
    if (!take_ids(bytes, count, room))
        return damaged(error);
    entry->time_ns = hour * HOUR_NS + (int64_t)offset;
    entry->ids = room->ids;
    entry->count = count;
    return STATUS_OK;
}

enum status told_each(struct slice bytes, uint32_t entries, int32_t hour, told_visit visit,
                      void *context, struct error *error)
{
    struct id_room room = {0};
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < entries && status == STATUS_OK; i++) {
        struct told_entry entry;
        status = take_entry(&bytes, hour, &room, &entry, error);
        if (status == STATUS_OK)
            status = visit(context, &entry, error);
    }
    free(room.ids);
    if (status == STATUS_OK && bytes.len > 0)
        return damaged(error);
    return status;
}

/* ---- gathering ---- */

struct had { /* by one partner, in the entries so far */
    const char *partner;
    struct id_seen *ids;
};

struct told {
    struct shelf *shelf;
    struct name_pool *pool;
    struct had *had;
    size_t had_count;
    struct told_cell **cells;
    uint32_t *slots; /* open addressing: place + 1; 0 empty */
    size_t count, slot_count, bytes;
    uint32_t *ids; /* of the entry at hand */
    size_t id_count, id_capacity;
    bool damaged;
};

enum status told_new(struct shelf *shelf, struct name_pool *pool, struct told **out,
                     struct error *error)
{
    struct told *told = calloc(1, sizeof *told);
    if (told == NULL)
        return error_no_memory(error);
    told->shelf = shelf;
    told->pool = pool;
    *out = told;
    return STATUS_OK;
}

void told_go_on(struct told *told, struct shelf *shelf)
{
    for (size_t i = 0; i < told->count; i++) {
        buffer_free(&told->cells[i]->bytes);
        free(told->cells[i]);
    }
    free(told->cells);
    free(told->slots);
    told->cells = NULL;
    told->slots = NULL;
    told->count = told->slot_count = told->bytes = 0;
    told->shelf = shelf;
}

void told_free(struct told *told)
{
    if (told == NULL)
        return;
    told_go_on(told, NULL);
    for (size_t i = 0; i < told->had_count; i++)
        id_seen_free(told->had[i].ids);
    free(told->had);
    free(told->ids);
    free(told);
}

size_t told_bytes(const struct told *told)
{
    return told->bytes;
}

bool told_is_damaged(const struct told *told)
{
    return told->damaged;
}

void told_ids(struct told *told, uint8_t grade, const uint32_t *ids, size_t count)
{
    if (!told_grade_counts(grade))
        return;
    if (told->id_count + count > told->id_capacity) {
        told->id_capacity = 2 * (told->id_count + count);
        told->ids = realloc(told->ids, told->id_capacity * sizeof *told->ids);
        CHECK(told->ids != NULL);
    }
    memcpy(told->ids + told->id_count, ids, count * sizeof *ids);
    told->id_count += count;
}

static enum status read_cell(struct index_file *file, size_t at, struct id_seen *ids,
                             struct error *error)
{
    struct index_cell cell;
    uint32_t *list = NULL;
    uint64_t fresh;
    index_file_cell(file, at, &cell);
    TRY(index_file_list(file, &cell, &list, error));
    enum status status = id_seen_add(ids, list, cell.count, &fresh, error);
    free(list);
    return status;
}

/* Whom the files say that the partner has had. */
static enum status read_had(struct told *told, struct had *had, struct error *error)
{
    struct shelf *shelf = told->shelf;
    size_t from, until, first;
    if (shelf == NULL)
        return STATUS_OK;
    shelf_partner(shelf, had->partner, &from, &until);
    for (; from < until; from++) {
        if (!told_grade_counts(shelf->keys[from].grade))
            continue;
        CHECK(index_file_cells(shelf->ever, from, &first) > 0);
        TRY(read_cell(shelf->ever, first, had->ids, error));
    }
    return STATUS_OK;
}

static enum status find_had(struct told *told, const char *partner, struct had **out,
                            struct error *error)
{
    for (size_t i = told->had_count; i > 0; i--) /* names of the pool: equal ones are the same */
        if (told->had[i - 1].partner == partner) {
            *out = &told->had[i - 1];
            return STATUS_OK;
        }
    struct had *grown = realloc(told->had, (told->had_count + 1) * sizeof *grown);
    if (grown == NULL)
        return error_no_memory(error);
    told->had = grown;
    struct had *made = &grown[told->had_count];
    *made = (struct had){.partner = partner, .ids = id_seen_new()};
    if (made->ids == NULL)
        return error_no_memory(error);
    told->had_count++;
    *out = made;
    enum status status = read_had(told, made, error);
    told->damaged = status == STATUS_CORRUPT;
    return status;
}

static size_t slot_of(const struct told *told, const char *partner, int32_t hour,
                      const uint8_t *hash)
{
    uint64_t mixed = load_u64be(hash) ^ (uint64_t)(uint32_t)hour * 0x9E3779B97F4A7C15U ^
                     (uint64_t)(uintptr_t)partner * 0xC2B2AE3D27D4EB4FU;
    size_t at = (size_t)(mixed ^ mixed >> 32) & (told->slot_count - 1);
    for (; told->slots[at] != 0; at = (at + 1) & (told->slot_count - 1)) {
        const struct told_cell *cell = told->cells[told->slots[at] - 1];
        if (cell->partner == partner && cell->row.hour == hour &&
            memcmp(cell->row.hash, hash, sizeof cell->row.hash) == 0)
            break;
    }
    return at;
}

static enum status grow(struct told *told, struct error *error)
{
    size_t slot_count = told->slot_count == 0 ? 1024 : told->slot_count * 2;
    struct told_cell **cells = realloc(told->cells, slot_count / 2 * sizeof *cells);
    if (cells == NULL)
        return error_no_memory(error);
    told->cells = cells;
    uint32_t *slots = calloc(slot_count, sizeof *slots);
    if (slots == NULL)
        return error_no_memory(error);
    free(told->slots);
    told->slots = slots;
    told->slot_count = slot_count;
    for (size_t i = 0; i < told->count; i++)
        slots[slot_of(told, cells[i]->partner, cells[i]->row.hour, cells[i]->row.hash)] =
            (uint32_t)i + 1;
    return STATUS_OK;
}

static enum status find_cell(struct told *told, const char *partner, int32_t hour,
                             const uint8_t *hash, struct told_cell **out, struct error *error)
{
    if (told->count == told->slot_count / 2)
        TRY(grow(told, error));
    size_t slot = slot_of(told, partner, hour, hash);
    if (told->slots[slot] == 0) {
        struct told_cell *made = calloc(1, sizeof *made);
        if (made == NULL)
            return error_no_memory(error);
        made->partner = partner;
        made->row = (struct index_told){.hour = hour, .first_ns = INT64_MAX, .last_ns = INT64_MIN};
        memcpy(made->row.hash, hash, sizeof made->row.hash);
        buffer_init(&made->bytes, BYTES_MAX);
        told->cells[told->count++] = made;
        told->slots[slot] = (uint32_t)told->count;
        told->bytes += sizeof *made + CELL_OVERHEAD;
    }
    *out = told->cells[told->slots[slot] - 1];
    return STATUS_OK;
}

static enum status add(struct told *told, const char *partner, const struct ledger_entry *from,
                       const struct told_entry *entry, struct error *error)
{
    struct told_cell *cell = NULL;
    int32_t hour = (int32_t)index_hour_of(entry->time_ns);
    TRY(find_cell(told, partner, hour, from->statement_hash, &cell, error));
    size_t before = cell->bytes.len;
    told_write(entry, hour, &cell->bytes);
    if (cell->bytes.overflowed)
        return error_no_memory(error);
    told->bytes += 2 * (cell->bytes.len - before); /* buffers grow by doubling */
    cell->row.entries++;
    cell->row.rows += entry->rows;
    cell->row.fresh += entry->fresh;
    if (entry->time_ns < cell->row.first_ns)
        cell->row.first_ns = entry->time_ns;
    if (entry->time_ns > cell->row.last_ns)
        cell->row.last_ns = entry->time_ns;
    return STATUS_OK;
}

enum status told_end(struct told *told, const struct ledger_entry *from, struct error *error)
{
    struct told_entry entry = {.time_ns = from->time_ns, .rows = from->row_count};
    size_t count = told->id_count;
    struct had *had = NULL;
    told->id_count = 0;
    if (from->partner.len == 0 || (count == 0 && from->type != LEDGER_DISCLOSURE))
        return STATUS_OK;
    const char *partner = name_pool_get(told->pool, from->partner);
    TRY(find_had(told, partner, &had, error));
    entry.count = count == 0 ? 0 : subject_ids_unique(told->ids, count);
    entry.ids = told->ids;
    TRY(id_seen_add(had->ids, told->ids, entry.count, &entry.fresh, error));
    return from->type == LEDGER_DISCLOSURE ? add(told, partner, from, &entry, error) : STATUS_OK;
}

static int compare_cells(const void *a, const void *b)
{
    const struct told_cell *left = *(const struct told_cell *const *)a;
    const struct told_cell *right = *(const struct told_cell *const *)b;
    int32_t day = index_day_of(left->row.hour), other = index_day_of(right->row.hour);
    if (day != other)
        return day < other ? -1 : 1;
    int order = strcmp(left->partner, right->partner);
    if (order == 0)
        order = (left->row.hour > right->row.hour) - (left->row.hour < right->row.hour);
    return order != 0 ? order : memcmp(left->row.hash, right->row.hash, sizeof left->row.hash);
}

enum status told_list(const struct told *told, struct told_cell ***out, size_t *count,
                      struct error *error)
{
    struct told_cell **cells = malloc((told->count + 1) * sizeof *cells);
    if (cells == NULL)
        return error_no_memory(error);
    if (told->count > 0) {
        memcpy(cells, told->cells, told->count * sizeof *cells);
        qsort(cells, told->count, sizeof *cells, compare_cells);
    }
    *out = cells;
    *count = told->count;
    return STATUS_OK;
}
