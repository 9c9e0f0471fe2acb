/* Fuzz target: a file of the exposure index, read whole. Checksums are made to fit, since nothing
 * behind them would be met otherwise: the input is the file's pages, and what follows the last
 * whole page is looked up as an id. Any bytes give an error at worst. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "exposure/id_union.h"
#include "exposure/index_told.h"
#include "exposure/subject_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAGES_MAX = 64, CRC_BYTES = 4 };

/* Both ways of reading a cell's ids agree, and with what the cell says. */
static void read_cell(struct index_file *file, size_t number, uint32_t id, struct id_union *all)
{
    struct index_cell cell;
    struct error error;
    struct slice set;
    roaring_bitmap_t *ids;
    bool held;
    index_file_cell(file, number, &cell);
    if (index_file_set(file, &cell, &set, &error) == STATUS_OK &&
        subject_set_contains(set, id, &held) != STATUS_OK)
        CHECK(index_file_sound_set(file, &cell, &set, &error) == STATUS_CORRUPT);
    if (index_file_ids(file, &cell, &ids, &error) != STATUS_OK)
        return;
    CHECK(roaring_bitmap_get_cardinality(ids) == cell.count);
    CHECK(subject_set_contains(set, id, &held) == STATUS_OK);
    CHECK(held == roaring_bitmap_contains(ids, id));
    CHECK(id_union_add(all, set) == STATUS_OK && id_union_add(all, set) == STATUS_OK);
    roaring_bitmap_t *united = id_union_take(all);
    CHECK(united != NULL && roaring_bitmap_equals(united, ids));
    roaring_bitmap_free(united);
    roaring_bitmap_free(ids);
}

static void read_series(struct index_file *file, uint32_t id)
{
    struct name_pool pool;
    struct index_key key;
    struct id_union *all = id_union_new();
    size_t first, next = 0;
    name_pool_init(&pool);
    for (size_t i = 0; i < index_file_series(file); i++) {
        index_file_key(file, i, &pool, &key);
        CHECK(index_file_compare(file, i, &key) == 0);
        size_t count = index_file_cells(file, i, &first);
        CHECK(count > 0 && first == next);
        next = first + count;
        for (size_t c = 0; c < count; c++)
            read_cell(file, first + c, id, all);
    }
    name_pool_free(&pool);
    id_union_free(all);
}

/* An entry that is read back from what it is written as says the same. */
struct meeting {
    int32_t hour;
    struct buffer again;
};

static enum status meet(void *context, const struct told_entry *entry, struct error *error)
{
    struct meeting *meeting = context;
    for (size_t i = 1; i < entry->count; i++)
        CHECK(entry->ids[i - 1] < entry->ids[i]);
    CHECK(entry->fresh <= entry->count && index_hour_of(entry->time_ns) == meeting->hour);
    told_write(entry, meeting->hour, &meeting->again);
    return STATUS_OK;
}

static void read_told(struct index_file *file)
{
    for (size_t i = 0; i < index_file_told(file); i++) {
        struct index_told row;
        struct slice name, bytes;
        struct error error;
        index_file_told_row(file, i, &name, &row);
        struct meeting meeting = {.hour = row.hour};
        buffer_init(&meeting.again, 1 << 20);
        if (index_file_told_bytes(file, i, &bytes, &error) == STATUS_OK &&
            told_each(bytes, row.entries, row.hour, meet, &meeting, &error) == STATUS_OK)
            CHECK(meeting.again.len <= bytes.len);
        buffer_free(&meeting.again);
    }
}

static void read_all(struct index_file *file, uint32_t id)
{
    struct error error;
    struct index_partner partner;
    struct slice text;
    uint32_t sum = 0;
    read_series(file, id);
    read_told(file);
    for (size_t i = 0; i < index_file_partners(file); i++)
        if (index_file_partner(file, i, &partner, &error) == STATUS_OK)
            for (size_t b = 0; b < partner.name.len; b++)
                sum += partner.name.data[b];
    for (size_t i = 0; i < index_file_texts(file); i++)
        if (index_file_text(file, i, &text, &error) == STATUS_OK)
            for (size_t b = 0; b < text.len; b++)
                sum += text.data[b];
    CHECK(sum < UINT32_MAX); /* read, and not left out by the compiler */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t pages = size / INDEX_PAGE_BYTES, len = pages * (INDEX_PAGE_BYTES + CRC_BYTES);
    struct index_file *file;
    struct error error;
    uint32_t id = 0;
    if (pages == 0 || pages > PAGES_MAX)
        return 0;
    memcpy(&id, data + pages * INDEX_PAGE_BYTES,
           size % INDEX_PAGE_BYTES < sizeof id ? size % INDEX_PAGE_BYTES : sizeof id);
    uint8_t *bytes = malloc(len), *checksums = bytes + pages * INDEX_PAGE_BYTES;
    CHECK(bytes != NULL);
    memcpy(bytes, data, pages * INDEX_PAGE_BYTES);
    for (size_t i = 0; i < pages; i++)
        store_u32be(checksums + i * CRC_BYTES,
                    crypto_crc32c(0, bytes + i * INDEX_PAGE_BYTES, INDEX_PAGE_BYTES));
    struct slice whole = slice_of(bytes, len);
    CHECK(index_file_over(whole, index_file_seal(whole), &file, &error) == STATUS_OK);
    if (index_file_check(file, (enum index_level)(load_u32be(bytes + 12) % 3),
                         (int32_t)load_u32be(bytes + 16), &error) == STATUS_OK)
        read_all(file, id);
    index_file_close(file);
    free(bytes);
    return 0;
}
