/* The canonical encoding: inverse, strict, bounded, and stable byte for byte. */
#include "folder.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "crypto/crypto.h"
#include "ledger/entry.h"

static const struct ledger_item items[] = {
    {.kind = 1, .grade = 1, .column_set = 7, .subjects = {(const uint8_t *)"roaring", 7}},
    {.kind = 65535, .grade = 2, .k = 10, .column_set = 8, .subjects = {NULL, 0}},
};

static struct ledger_entry full_entry(void)
{
    struct ledger_entry entry = {
        .type = LEDGER_DISCLOSURE,
        .flags = LEDGER_FLAG_OPENING | LEDGER_FLAG_CLOSING,
        .uuid = {0xf8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
        .time_ns = 1795345128000000001,
        .node = slice_of_text("node-1"),
        .epoch = 3,
        .partner = slice_of_text("north-mail"),
        .agent = slice_of_text("sync"),
        .session = 0x0102030405060708,
        .purpose = slice_of_text("recall mailing"),
        .delivery = slice_of_text("D-1"),
        .row_count = 250,
        .chunk = 1,
        .chunk_count = 2,
        .lease = 9,
        .charged = 17,
        .outcome = LEDGER_OUTCOME_BUDGET,
        .sqlstate = "53400",
        .text = slice_of_text("text"),
        .column_set = 5,
        .items = items,
        .item_count = 2,
    };
    memset(entry.statement_hash, 0x11, sizeof entry.statement_hash);
    memset(entry.policy_id, 0x22, sizeof entry.policy_id);
    return entry;
}

static void encode_ok(const struct ledger_entry *entry, struct buffer *out)
{
    struct error error = {0};
    buffer_init(out, LIMIT_LEDGER_ENTRY_BYTES);
    if (ledger_entry_encode(entry, out, &error) != STATUS_OK)
        fail_msg("encode: %s", error.message);
}

static enum status decode(struct slice bytes, struct ledger_entry *entry)
{
    static struct arena arena = {.limit_bytes = ENTRY_ARENA_BYTES};
    struct error error = {0};
    arena_reset(&arena);
    return ledger_entry_decode(bytes, &arena, entry, &error);
}

static void a_full_entry_comes_back(void **state)
{
    struct ledger_entry entry = full_entry(), back = {0};
    struct buffer bytes, again;
    encode_ok(&entry, &bytes);
    assert_int_equal(bytes.len,
                     ENTRY_FIXED_BYTES + 6 + 10 + 4 + 14 + 3 + 4 + 2 * ENTRY_ITEM_FIXED_BYTES + 7);
    assert_status(decode(buffer_slice(&bytes), &back), STATUS_OK);
    assert_int_equal(back.type, entry.type);
    assert_int_equal(back.flags, entry.flags);
    assert_int_equal(back.time_ns, entry.time_ns);
    assert_int_equal(back.epoch, 3);
    assert_int_equal(back.session, entry.session);
    assert_int_equal(back.row_count, 250);
    assert_int_equal(back.chunk, 1);
    assert_int_equal(back.chunk_count, 2);
    assert_int_equal(back.lease, 9);
    assert_int_equal(back.charged, 17);
    assert_int_equal(back.outcome, LEDGER_OUTCOME_BUDGET);
    assert_int_equal(back.column_set, 5);
    assert_string_equal(back.sqlstate, "53400");
    assert_true(slice_equal(back.node, entry.node));
    assert_true(slice_equal(back.partner, entry.partner));
    assert_true(slice_equal(back.agent, entry.agent));
    assert_true(slice_equal(back.purpose, entry.purpose));
    assert_true(slice_equal(back.delivery, entry.delivery));
    assert_true(slice_equal(back.text, entry.text));
    assert_memory_equal(back.uuid, entry.uuid, sizeof back.uuid);
    assert_memory_equal(back.statement_hash, entry.statement_hash, 32);
    assert_memory_equal(back.policy_id, entry.policy_id, 32);
    assert_int_equal(back.item_count, 2);
    assert_true(slice_equal(back.items[0].subjects, items[0].subjects));
    assert_int_equal(back.items[1].kind, 65535);
    assert_int_equal(back.items[1].k, 10);
    encode_ok(&back, &again);
    assert_true(slice_equal(buffer_slice(&bytes), buffer_slice(&again)));
    buffer_free(&bytes);
    buffer_free(&again);
}

/* Entries are leaves of a tree that others have seen: their bytes may never change. */
static void the_bytes_are_those_of_the_format(void **state)
{
    static const uint8_t head[] = {1, 1, 0, 3, 0xf8, 1};
    struct ledger_entry entry = full_entry();
    struct buffer bytes;
    uint8_t leaf[32];
    char hex[65];
    encode_ok(&entry, &bytes);
    assert_memory_equal(bytes.data, head, sizeof head);
    assert_memory_equal(bytes.data + 28, "\0\6node-1\0\0\0\0\0\0\0\3\0\12north-mail", 28);
    assert_memory_equal(bytes.data + bytes.len - 15, "\377\377\2\0\0\0\12\0\0\0\10\0\0\0\0", 15);
    const struct slice part = buffer_slice(&bytes);
    crypto_sha256(&part, 1, leaf);
    crypto_hex(leaf, sizeof leaf, hex);
    assert_string_equal(hex, "df12262452e1ed53c8f08586c3a38d8cf4554d50be92d537aa6258857d0ecf4a");
    buffer_free(&bytes);
}

static void every_truncation_is_refused(void **state)
{
    struct ledger_entry entry = full_entry(), back;
    struct buffer bytes;
    encode_ok(&entry, &bytes);
    for (size_t len = 0; len < bytes.len; len++)
        assert_status(decode(slice_of(bytes.data, len), &back), STATUS_CORRUPT);
    buffer_append_u8(&bytes, 0);
    assert_status(decode(buffer_slice(&bytes), &back), STATUS_CORRUPT);
    buffer_free(&bytes);
}

/* Whatever the decoder accepts must be the one encoding of what it gave. */
static void what_is_accepted_is_canonical(void **state)
{
    struct ledger_entry entry = full_entry(), back;
    struct buffer bytes, again;
    unsigned accepted = 0, refused = 0;
    encode_ok(&entry, &bytes);
    for (size_t at = 0; at < bytes.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes.data[at] ^= (uint8_t)(1u << bit);
            enum status status = decode(buffer_slice(&bytes), &back);
            if (status == STATUS_OK) {
                accepted++;
                encode_ok(&back, &again);
                assert_true(slice_equal(buffer_slice(&bytes), buffer_slice(&again)));
                buffer_free(&again);
            } else {
                refused++;
                assert_status(status, STATUS_CORRUPT);
            }
            bytes.data[at] ^= (uint8_t)(1u << bit);
        }
    }
    assert_true(accepted > 1000);
    assert_true(refused > 200);
    buffer_free(&bytes);
}

static void assert_refused(const struct ledger_entry *entry, enum status want)
{
    struct buffer out;
    struct error error = {0};
    buffer_init(&out, LIMIT_LEDGER_ENTRY_BYTES);
    assert_status(ledger_entry_encode(entry, &out, &error), want);
    assert_string_equal(error.sqlstate, want == STATUS_LIMIT ? "54000" : "XX000");
    buffer_free(&out);
}

static void values_out_of_range_are_not_encoded(void **state)
{
    struct ledger_item item = items[0];
    struct ledger_entry entry = full_entry();
    entry.type = LEDGER_DROPPED + 1;
    assert_refused(&entry, STATUS_INVALID);
    entry = full_entry();
    entry.flags = 4;
    assert_refused(&entry, STATUS_INVALID);
    entry = full_entry();
    entry.outcome = 10;
    assert_refused(&entry, STATUS_INVALID);
    entry = full_entry();
    memcpy(entry.sqlstate, "42p01", 6);
    assert_refused(&entry, STATUS_INVALID);
    memcpy(entry.sqlstate, "4200", 5);
    assert_refused(&entry, STATUS_INVALID);
    entry = full_entry();
    entry.partner = slice_of("a\0b", 3);
    assert_refused(&entry, STATUS_INVALID);
    entry = full_entry();
    entry.items = &item;
    entry.item_count = 1;
    item.grade = 0;
    assert_refused(&entry, STATUS_INVALID);
    item.grade = 6;
    assert_refused(&entry, STATUS_INVALID);
    item.grade = 1;
    entry.type = LEDGER_CHANGE;
    assert_refused(&entry, STATUS_INVALID);
}

/* What was changed is told from what was read by its type and by the grade of its items alike. */
static void a_change_names_whom_it_changes(void **state)
{
    struct ledger_item item = items[0];
    struct ledger_entry entry = full_entry(), back;
    struct buffer bytes;
    item.grade = 6;
    entry.type = LEDGER_CHANGE;
    entry.outcome = LEDGER_OUTCOME_NONE;
    entry.items = &item;
    entry.item_count = 1;
    encode_ok(&entry, &bytes);
    assert_status(decode(buffer_slice(&bytes), &back), STATUS_OK);
    assert_int_equal(back.type, LEDGER_CHANGE);
    assert_int_equal(back.items[0].grade, 6);
    buffer_free(&bytes);
    entry.type = LEDGER_CHANGE_END;
    entry.outcome = LEDGER_OUTCOME_COMMITTED;
    entry.item_count = 0;
    encode_ok(&entry, &bytes);
    assert_status(decode(buffer_slice(&bytes), &back), STATUS_OK);
    assert_int_equal(back.outcome, LEDGER_OUTCOME_COMMITTED);
    buffer_free(&bytes);
}

static void an_entry_may_fill_the_limit_and_no_more(void **state)
{
    static uint8_t zeros[LIMIT_LEDGER_ENTRY_BYTES];
    struct ledger_item item = {.grade = 1};
    struct ledger_entry entry = {.type = LEDGER_DISCLOSURE, .items = &item, .item_count = 1};
    struct ledger_entry back;
    struct buffer bytes;
    size_t most = LIMIT_LEDGER_ENTRY_BYTES - ENTRY_FIXED_BYTES - ENTRY_ITEM_FIXED_BYTES;
    item.subjects = slice_of(zeros, most);
    encode_ok(&entry, &bytes);
    assert_int_equal(bytes.len, LIMIT_LEDGER_ENTRY_BYTES);
    assert_status(decode(buffer_slice(&bytes), &back), STATUS_OK);
    buffer_free(&bytes);
    item.subjects.len = most + 1;
    assert_refused(&entry, STATUS_LIMIT);
    item.subjects.len = SIZE_MAX;
    assert_refused(&entry, STATUS_LIMIT);
    entry.item_count = SIZE_MAX;
    assert_refused(&entry, STATUS_LIMIT);
    entry.item_count = 0;
    entry.text = slice_of(zeros, SIZE_MAX);
    assert_refused(&entry, STATUS_LIMIT);
}

/* Version 2 where an item has row sums, and only there. */
static void rows_make_it_version_two(void **state)
{
    struct ledger_item two[2] = {items[0], items[0]};
    struct ledger_entry entry = {.type = LEDGER_DISCLOSURE, .items = two, .item_count = 2}, back;
    struct buffer out;
    struct arena arena;
    struct error error;
    two[0].grade = two[1].grade = 2;
    two[1].rows = slice_of_text("rows");
    buffer_init(&out, LIMIT_LEDGER_ENTRY_BYTES);
    arena_init(&arena, ENTRY_ARENA_BYTES);
    encode_ok(&entry, &out);
    assert_int_equal(out.data[0], 2);
    assert_status(ledger_entry_decode(buffer_slice(&out), &arena, &back, &error), STATUS_OK);
    assert_int_equal(back.items[0].rows.len, 0);
    assert_true(slice_equal(back.items[1].rows, two[1].rows));
    assert_true(slice_equal(back.items[1].subjects, two[1].subjects));
    out.data[out.len - 5] = 0; /* the length: now four bytes are behind its end */
    assert_status(ledger_entry_decode(buffer_slice(&out), &arena, &back, &error), STATUS_CORRUPT);
    out.len -= 4; /* version 2 without row sums */
    assert_status(ledger_entry_decode(buffer_slice(&out), &arena, &back, &error), STATUS_CORRUPT);
    two[1].grade = 1;
    assert_refused(&entry, STATUS_INVALID);
    arena_free(&arena);
    buffer_free(&out);
}

static void every_type_and_outcome_has_a_name(void **state)
{
    for (int type = 1; type <= LEDGER_DROPPED; type++)
        assert_string_not_equal(ledger_type_name(type), "unknown");
    for (int outcome = 0; outcome <= LEDGER_OUTCOME_IN_DOUBT; outcome++)
        assert_string_not_equal(ledger_outcome_name(outcome), "unknown");
    assert_string_equal(ledger_type_name(0), "unknown");
    assert_string_equal(ledger_type_name(LEDGER_DROPPED + 1), "unknown");
    assert_string_equal(ledger_outcome_name(10), "unknown");
}

static void value_is(const char *text, const char *key, const char *want)
{
    struct slice value = ledger_text_value(slice_of_text(text), key);
    bool same = want == NULL ? value.data == NULL
                             : value.data != NULL && slice_equal(value, slice_of_text(want));
    if (!same)
        fail_msg("%s in \"%s\" is \"%.*s\", expected \"%s\"", key, text, (int)value.len,
                 value.data == NULL ? "" : (const char *)value.data, want == NULL ? "none" : want);
}

static void lines_of_a_text_are_found_by_their_keys(void **state)
{
    value_is("before=2026\nmethod=wiped at=noon", "before", "2026");
    value_is("before=2026\nmethod=wiped at=noon", "method", "wiped at=noon");
    value_is("before=2026\nmethod=wiped at=noon", "at", NULL);
    value_is("xbefore=1\nbefore=2\n", "before", "2");
    value_is("before\nbefore=", "before", "");
    value_is("", "before", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_entry_comes_back),
        cmocka_unit_test(the_bytes_are_those_of_the_format),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(what_is_accepted_is_canonical),
        cmocka_unit_test(values_out_of_range_are_not_encoded),
        cmocka_unit_test(a_change_names_whom_it_changes),
        cmocka_unit_test(rows_make_it_version_two),
        cmocka_unit_test(an_entry_may_fill_the_limit_and_no_more),
        cmocka_unit_test(every_type_and_outcome_has_a_name),
        cmocka_unit_test(lines_of_a_text_are_found_by_their_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
