/* What of whom was disclosed to whom, from entries; and the same again from a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "exposure/subject_set.h"
#include "never/holdings.h"

enum { DIRECT = 1, AGGREGATE = 2, PROBE = 5, CHANGED = 6 };

static void define(struct holdings *holdings, uint32_t id, const char *text)
{
    const struct ledger_entry entry = {
        .type = LEDGER_COLUMN_SET, .column_set = id, .text = slice_of_text(text)};
    assert_int_equal(holdings_take(holdings, &entry, NULL), STATUS_OK);
}

static void tell(struct holdings *holdings, enum ledger_type type, const char *partner,
                 uint8_t grade, uint32_t column_set, uint32_t id)
{
    struct buffer set;
    buffer_init(&set, 64);
    subject_set_serialize(&id, 1, &set);
    const struct ledger_item item = {
        .kind = 0, .grade = grade, .column_set = column_set, .subjects = buffer_slice(&set)};
    const struct ledger_entry entry = {
        .type = type, .partner = slice_of_text(partner), .items = &item, .item_count = 1};
    assert_int_equal(holdings_take(holdings, &entry, NULL), STATUS_OK);
    buffer_free(&set);
}

static bool has(const struct holdings *holdings, uint32_t set, const char *partner,
                const char *column)
{
    return holdings_has(holdings, set, slice_of_text(partner), slice_of_text(column));
}

static void fill(struct holdings *holdings)
{
    assert_int_equal(holdings_init(holdings, NULL), STATUS_OK);
    define(holdings, 1, "customer.email:clear:email\ncustomer.name:masked:name\n");
    define(holdings, 2, "customer.vin:token:vehicle");
    tell(holdings, LEDGER_DISCLOSURE, "ringway", DIRECT, 1, 5);
    tell(holdings, LEDGER_DECLARED, "harbour", DIRECT, 2, 5);
    tell(holdings, LEDGER_DISCLOSURE, "ringway", AGGREGATE, 2, 70000);
    tell(holdings, LEDGER_CHANGE, "harbour", CHANGED, 1, 8);
    tell(holdings, LEDGER_DISCLOSURE, "ringway", PROBE, 0, 9);
    tell(holdings, LEDGER_DISCLOSURE, "", DIRECT, 1, 10);
    tell(holdings, LEDGER_DELETED, "ringway", DIRECT, 0, 11);
}

static void judge(const struct holdings *holdings)
{
    uint32_t five = holdings_of(holdings, 5), far = holdings_of(holdings, 70000);
    assert_true(has(holdings, five, "ringway", ""));
    assert_true(has(holdings, five, "ringway", "customer.email"));
    assert_true(has(holdings, five, "ringway", "customer.name"));
    assert_true(has(holdings, five, "", "customer.vin"));
    assert_true(has(holdings, five, "harbour", "customer.vin"));
    assert_false(has(holdings, five, "harbour", "customer.email"));
    assert_false(has(holdings, five, "ringway", "customer.vin"));
    assert_false(has(holdings, five, "ringwa", "ycustomer.email"));
    assert_true(has(holdings, far, "ringway", "customer.vin"));
    assert_false(has(holdings, far, "", "customer.email"));
    assert_true(has(holdings, holdings_of(holdings, 8), "harbour", "customer.name"));
    for (uint32_t id = 9; id <= 11; id++) /* a probe, a reading of our own, a deletion */
        assert_int_equal(holdings_of(holdings, id), HOLDINGS_NOTHING);
    assert_true(has(holdings, holdings->everybody, "ringway", "customer.vin"));
    assert_false(has(holdings, holdings->everybody, "nobody", ""));
    assert_int_equal(holdings->entries, 9);
}

static void entries_make_holdings(void **state)
{
    (void)state;
    struct holdings holdings;
    fill(&holdings);
    judge(&holdings);
    holdings_free(&holdings);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct holdings holdings, read;
    struct buffer file, again;
    buffer_init(&file, 1 << 20);
    buffer_init(&again, 1 << 20);
    fill(&holdings);
    holdings_write(&holdings, &file);
    assert_int_equal(holdings_read(buffer_slice(&file), &read, NULL), STATUS_OK);
    judge(&read);
    tell(&holdings, LEDGER_DISCLOSURE, "late", DIRECT, 2, 5);
    tell(&read, LEDGER_DISCLOSURE, "late", DIRECT, 2,
         5); /* going on from a file makes no difference */
    buffer_clear(&file);
    holdings_write(&holdings, &file);
    holdings_write(&read, &again);
    assert_int_equal(file.len, again.len);
    assert_memory_equal(file.data, again.data, file.len);
    for (size_t len = 0; len < file.len; len += len < 600 ? 1 : 997) {
        struct holdings cut;
        assert_int_equal(holdings_read(slice_of(file.data, len), &cut, NULL), STATUS_CORRUPT);
    }
    holdings_free(&holdings);
    holdings_free(&read);
    buffer_free(&file);
    buffer_free(&again);
}

static void a_column_counts_for_anybody_though_no_row_came(void **state)
{
    (void)state;
    struct holdings holdings;
    assert_int_equal(holdings_init(&holdings, NULL), STATUS_OK);
    define(&holdings, 1, "customer.email:clear:email");
    const struct ledger_entry closing = {
        .type = LEDGER_DISCLOSURE, .partner = slice_of_text("ringway"), .column_set = 1};
    const struct ledger_entry probe = {.type = LEDGER_PROBE, .partner = slice_of_text("harbour")};
    assert_int_equal(holdings_take(&holdings, &closing, NULL), STATUS_OK);
    assert_int_equal(holdings_take(&holdings, &probe, NULL), STATUS_OK);
    assert_true(has(&holdings, holdings.everybody, "ringway", "customer.email"));
    assert_true(has(&holdings, holdings.everybody, "harbour", ""));
    holdings_free(&holdings);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct holdings holdings;
    const struct ledger_item items[] = {{.grade = DIRECT, .column_set = 7},
                                        {.grade = DIRECT, .subjects = slice_of_text("no set")}};
    assert_int_equal(holdings_init(&holdings, NULL), STATUS_OK);
    for (size_t i = 0; i < 2; i++) {
        const struct ledger_entry entry = {.type = LEDGER_DISCLOSURE,
                                           .partner = slice_of_text("ringway"),
                                           .items = &items[i],
                                           .item_count = 1};
        assert_int_equal(holdings_take(&holdings, &entry, NULL), STATUS_CORRUPT);
    }
    const struct ledger_entry skipped = {.type = LEDGER_COLUMN_SET, .column_set = 2};
    assert_int_equal(holdings_take(&holdings, &skipped, NULL), STATUS_CORRUPT);
    holdings_free(&holdings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_make_holdings),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_column_counts_for_anybody_though_no_row_came),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
