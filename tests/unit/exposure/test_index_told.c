/* What statements told: entries are read back as they were written, any other bytes are refused,
 * and who is new is counted in the order of the entries, whatever was folded before. */
#include "scene.h"

#include <stdlib.h>
#include <string.h>

#include "exposure/index_told.h"

static const int64_t HOUR_NS = 3600LL * 1000000000;

enum { HOUR = 498000 };

struct reading {
    size_t at;
    const struct told_entry *wanted;
};

static enum status compare(void *context, const struct told_entry *entry, struct error *error)
{
    struct reading *reading = context;
    const struct told_entry *wanted = &reading->wanted[reading->at++];
    assert_int_equal(entry->time_ns, wanted->time_ns);
    assert_int_equal(entry->rows, wanted->rows);
    assert_int_equal(entry->fresh, wanted->fresh);
    assert_int_equal(entry->count, wanted->count);
    if (entry->count > 0)
        assert_memory_equal(entry->ids, wanted->ids, entry->count * sizeof *entry->ids);
    return STATUS_OK;
}

static void entries_are_read_as_they_were_written(void **state)
{
    static const uint32_t ids[] = {0, 1, 127, 128, 129, 300000, UINT32_MAX - 1, UINT32_MAX};
    static const uint32_t last[] = {UINT32_MAX};
    const struct told_entry entries[] = {
        {.time_ns = HOUR * HOUR_NS, .rows = 0, .fresh = 0},
        {.time_ns = (HOUR + 1) * HOUR_NS - 1,
         .rows = UINT64_MAX,
         .fresh = 8,
         .ids = ids,
         .count = 8},
        {.time_ns = HOUR * HOUR_NS + 77, .rows = 3, .fresh = 0, .ids = last, .count = 1},
    };
    struct buffer bytes;
    struct error error = {0};
    struct reading reading = {.wanted = entries};
    buffer_init(&bytes, 4096);
    for (size_t i = 0; i < 3; i++)
        told_write(&entries[i], HOUR, &bytes);
    assert_status(told_each(buffer_slice(&bytes), 3, HOUR, compare, &reading, &error), STATUS_OK);
    assert_int_equal(reading.at, 3);
    reading.at = 0; /* fewer entries than bytes, and more */
    assert_status(told_each(buffer_slice(&bytes), 2, HOUR, compare, &reading, &error),
                  STATUS_CORRUPT);
    reading.at = 0;
    assert_status(told_each(buffer_slice(&bytes), 4, HOUR, compare, &reading, &error),
                  STATUS_CORRUPT);
    buffer_free(&bytes);
}

static enum status pass(void *context, const struct told_entry *entry, struct error *error)
{
    return STATUS_OK;
}

static void malformed_entries_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"", 0},
        {"\x00\x00\x00", 3},                                          /* cut */
        {"\x00\x00\x00\x05\x01", 5},                                  /* fewer ids than said */
        {"\x00\x00\x02\x01\x01", 5},                                  /* more new than people */
        {"\x00\x00\x00\x01\x80", 5},                                  /* a number that goes on */
        {"\x00\x00\x00\x01\x80\x80\x80\x80\x10", 9},                  /* an id of 33 bits */
        {"\x00\x00\x00\x02\xFF\xFF\xFF\xFF\x0F\x00", 10},             /* one behind the last id */
        {"\x80\xC0\xE2\x85\xE3\x68\x00\x00\x00", 9},                  /* of the next hour */
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02\x00\x00\x00", 13}, /* of 65 bits */
        {"\x00\x00\x00\x00\x00", 5},                                  /* something behind it */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        if (told_each(slice_of(cases[i].bytes, cases[i].len), 1, HOUR, pass, NULL, &error) !=
            STATUS_CORRUPT)
            fail_msg("case %zu was read", i);
    }
}

static void tell(struct told *told, const char *partner, uint8_t grade, int hour, uint32_t from,
                 uint32_t count)
{
    struct error error = {0};
    const struct ledger_entry entry = {.type = grade == 0 ? LEDGER_DECLARED : LEDGER_DISCLOSURE,
                                       .partner = slice_of_text(partner),
                                       .row_count = count,
                                       .time_ns = hour * HOUR_NS + 5};
    for (uint32_t id = from; id < from + count; id++)
        told_ids(told, grade, &id, 1);
    assert_status(told_end(told, &entry, &error), STATUS_OK);
}

static void who_is_new_depends_on_what_came_before(void **state)
{
    struct name_pool pool;
    struct told *told;
    struct told_cell **cells;
    struct error error = {0};
    size_t count;
    name_pool_init(&pool);
    assert_status(told_new(NULL, &pool, &told, &error), STATUS_OK);
    tell(told, "ringway", 0, HOUR, 0, 3);      /* declared: no statement's, but had */
    tell(told, "ringway", 1, HOUR + 30, 2, 4); /* 3 new, on the next day */
    tell(told, "ringway", 1, HOUR, 4, 10);     /* 8 new: the clock went back */
    tell(told, "north-mail", 4, HOUR, 4, 10);  /* all new to this one */
    tell(told, "ringway", 5, HOUR, 100, 10);   /* asked in vain: nobody */
    tell(told, "ringway", 1, HOUR, 100, 1);    /* new all the same */
    assert_status(told_list(told, &cells, &count, &error), STATUS_OK);
    assert_int_equal(count, 3);
    assert_string_equal(cells[0]->partner, "north-mail");
    assert_int_equal(cells[0]->row.fresh, 10);
    assert_string_equal(cells[1]->partner, "ringway");
    assert_int_equal(cells[1]->row.hour, HOUR);
    assert_int_equal(cells[1]->row.fresh, 9);
    assert_int_equal(cells[1]->row.entries, 3);
    assert_int_equal(cells[1]->row.rows, 21);
    assert_int_equal(cells[2]->row.hour, HOUR + 30);
    assert_int_equal(cells[2]->row.fresh, 3);
    assert_false(told_is_damaged(told));
    assert_true(told_bytes(told) > 0);
    free(cells);
    told_free(told);
    name_pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_read_as_they_were_written),
        cmocka_unit_test(malformed_entries_are_refused),
        cmocka_unit_test(who_is_new_depends_on_what_came_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
