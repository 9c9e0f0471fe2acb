/* The statement of what was dropped has one spelling, and fits to itself; which entries stay. */
#include "folder.h"

#include <string.h>

#include "ledger/base.h"

enum { LEAVES = 11 };

static void make(struct base_statement *statement)
{
    uint8_t leaf[MERKLE_HASH_BYTES] = {0};
    *statement = (struct base_statement){.segment = 3,
                                         .dropped = 8,
                                         .first_ns = -5,
                                         .last_ns = 1700000000000000000,
                                         .carried = LEAVES - 8,
                                         .carried_bytes = 321,
                                         .reason = "kept for two years"};
    snprintf(statement->origin, sizeof statement->origin,
             "cofferdam/log/00112233445566778899aabbccddeeff");
    for (uint8_t i = 0; i < LEAVES; i++) {
        leaf[0] = i;
        merkle_add(&statement->tree, leaf);
    }
}

static void a_statement_is_read_back(void **state)
{
    struct base_statement made, read;
    struct buffer text;
    uint8_t want[32], got[32];
    make(&made);
    buffer_init(&text, NOTE_BYTES_MAX);
    base_format(&made, &text);
    assert_status(base_parse(buffer_slice(&text), &read, NULL), STATUS_OK);
    merkle_root(&made.tree, want);
    merkle_root(&read.tree, got);
    assert_memory_equal(want, got, 32);
    assert_int_equal(read.tree.size, LEAVES);
    assert_int_equal(read.segment, 3);
    assert_int_equal(read.dropped, 8);
    assert_int_equal(read.first_ns, -5);
    assert_string_equal(read.reason, made.reason);
    buffer_free(&text);
}

/* The one thing that may be changed without contradiction is what the statement is about. */
static void every_flipped_byte_is_another_statement_or_none(void **state)
{
    struct base_statement made, read;
    struct buffer text;
    size_t taken = 0;
    make(&made);
    buffer_init(&text, NOTE_BYTES_MAX);
    base_format(&made, &text);
    for (size_t i = 0; i < text.len; i++) {
        text.data[i] ^= 1;
        if (base_parse(buffer_slice(&text), &read, NULL) == STATUS_OK) {
            taken++;
            uint8_t root[MERKLE_HASH_BYTES], want[MERKLE_HASH_BYTES];
            merkle_root(&read.tree, root);
            merkle_root(&made.tree, want);
            assert_memory_equal(root, want, sizeof root);
            assert_int_equal(read.tree.size, made.tree.size);
            assert_int_equal(read.dropped, made.dropped);
            assert_int_equal(read.carried, made.carried);
        }
        text.data[i] ^= 1;
    }
    assert_true(taken > 0 && taken < text.len / 2);
    for (size_t len = 0; len < text.len; len++)
        assert_status(base_parse(slice_of(text.data, len), &read, NULL), STATUS_CORRUPT);
    buffer_append_text(&text, "\n");
    assert_status(base_parse(buffer_slice(&text), &read, NULL), STATUS_CORRUPT);
    buffer_free(&text);
}

static void assert_unsound(const struct base_statement *statement)
{
    struct base_statement read;
    struct buffer text;
    buffer_init(&text, NOTE_BYTES_MAX);
    base_format(statement, &text);
    assert_status(base_parse(buffer_slice(&text), &read, NULL), STATUS_CORRUPT);
    buffer_free(&text);
}

static void what_contradicts_itself_is_refused(void **state)
{
    struct base_statement made;
    make(&made);
    made.segment = 1;
    assert_unsound(&made);
    make(&made);
    made.dropped = LEAVES + 1;
    assert_unsound(&made);
    make(&made);
    made.carried = 4;
    assert_unsound(&made);
    make(&made);
    made.last_ns = -6;
    assert_unsound(&made);
    make(&made);
    made.carried_bytes = (uint64_t)BASE_CARRIED_BYTES_MAX + 1;
    assert_unsound(&made);
    make(&made);
    made.reason[4] = '\n';
    assert_unsound(&made);
    make(&made);
    made.reason[0] = '\0';
    assert_unsound(&made);
}

static void what_tells_of_people_goes(void **state)
{
    static const enum ledger_type go[] = {LEDGER_DISCLOSURE, LEDGER_REFUSAL,  LEDGER_PROBE,
                                          LEDGER_DECLARED,   LEDGER_DELETED,  LEDGER_CHANGE,
                                          LEDGER_CHANGE_END, LEDGER_RECOVERED};
    static const enum ledger_type stay[] = {LEDGER_COLUMN_SET, LEDGER_POLICY,     LEDGER_ACT,
                                            LEDGER_KEY,        LEDGER_COMMITMENT, LEDGER_DROPPED};
    for (size_t i = 0; i < sizeof go / sizeof go[0]; i++)
        assert_false(base_carries(go[i]));
    for (size_t i = 0; i < sizeof stay / sizeof stay[0]; i++)
        assert_true(base_carries(stay[i]));
    assert_int_equal(sizeof go / sizeof go[0] + sizeof stay / sizeof stay[0], LEDGER_DROPPED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_is_read_back),
        cmocka_unit_test(every_flipped_byte_is_another_statement_or_none),
        cmocka_unit_test(what_contradicts_itself_is_refused),
        cmocka_unit_test(what_tells_of_people_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
