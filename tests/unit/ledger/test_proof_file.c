/* Proof files: written as C2SP's documents have them, read back, and refused for any slip. */
#include "folder.h"

#include <string.h>

#include "ledger/merkle.h"
#include "ledger/proof_file.h"

#define HASH "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
static const char note[] = "example.org/log\n9\n" HASH "\n\n— example.org/log xxx\n";

static struct proof_file sample(enum proof_file_kind kind)
{
    struct proof_file file = {.kind = kind, .index = 7, .checkpoint = slice_of_text(note)};
    memset(file.proof.hashes[0], 'A', 32);
    memset(file.proof.hashes[1], 0, 32);
    file.proof.count = 2;
    return file;
}

static void assert_format(const struct proof_file *file, const char *entry, const char *want)
{
    struct buffer out;
    buffer_init(&out, PROOF_FILE_BYTES_MAX);
    proof_file_format(file, slice_of_text(entry), &out);
    assert_string_equal(buffer_text(&out), want);
    buffer_free(&out);
}

#define HEAD "c2sp.org/tlog-proof@v1\n"
#define ZERO "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define NOTE "example.org/log\n9\n" HASH "\n\n— example.org/log xxx\n"

static void they_are_written_as_c2sp_says(void **state)
{
    struct proof_file file = sample(PROOF_FILE_ENTRY);
    assert_format(&file, "", HEAD "index 7\n" HASH "\n" ZERO "\n\n" NOTE);
    assert_format(&file, "ent", HEAD "extra ZW50\nindex 7\n" HASH "\n" ZERO "\n\n" NOTE);
    file = sample(PROOF_FILE_BEGINNING);
    assert_format(&file, "", "old 7\n" HASH "\n" ZERO "\n\n" NOTE);
}

static void what_is_written_is_read(void **state)
{
    struct proof_file file;
    struct error error = {0};
    struct buffer entry;
    buffer_init(&entry, 1024);
    assert_status(proof_file_parse(slice_of_text(HEAD "extra ZW50\nindex 0\n" HASH "\n\n" NOTE),
                                   &file, &error),
                  STATUS_OK);
    assert_int_equal(file.kind, PROOF_FILE_ENTRY);
    assert_int_equal(file.index, 0);
    assert_int_equal(file.proof.count, 1);
    assert_int_equal(file.proof.hashes[0][31], 'A');
    assert_true(slice_equal(file.checkpoint, slice_of_text(note)));
    assert_status(proof_file_entry(&file, &entry, &error), STATUS_OK);
    assert_true(slice_equal(buffer_slice(&entry), slice_of_text("ent")));
    assert_status(proof_file_parse(slice_of_text("old 12\n\n" NOTE), &file, &error), STATUS_OK);
    assert_int_equal(file.kind, PROOF_FILE_BEGINNING);
    assert_int_equal(file.index, 12);
    assert_int_equal(file.proof.count, 0);
    assert_status(proof_file_entry(&file, &entry, &error), STATUS_NOT_FOUND);
    buffer_free(&entry);
}

static void slips_are_refused_with_their_line(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
    } slips[] = {
        {"", 1},
        {"c2sp.org/tlog-proof@v2\nindex 1\n\n" NOTE, 1},
        {HEAD, 2},
        {HEAD "index 01\n\n" NOTE, 2},
        {HEAD "index -1\n\n" NOTE, 2},
        {HEAD "index 9223372036854775808\n\n" NOTE, 2},
        {HEAD "index \n\n" NOTE, 2},
        {HEAD "extra *\nindex 1\n\n" NOTE, 2},
        {HEAD "extra ZW50\nextra ZW50\nindex 1\n\n" NOTE, 3},
        {HEAD "index 1\n" HASH "=\n\n" NOTE, 3},
        {HEAD "index 1\n" HASH "\r\n\n" NOTE, 3},
        {HEAD "index 1\n" HASH, 3},
        {HEAD "index 1\n\n", 4},
        {"old 1 \n\n" NOTE, 1},
        {"old 1\nextra ZW50\n\n" NOTE, 2},
    };
    for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++) {
        struct proof_file file;
        struct error error = {0};
        char want[32];
        enum status status = proof_file_parse(slice_of_text(slips[i].text), &file, &error);
        snprintf(want, sizeof want, "line %u is not", slips[i].line);
        if (status != STATUS_INVALID || strstr(error.message, want) == NULL)
            fail_msg("slip %d: %s, \"%s\", expected %s", (int)i, status_name(status), error.message,
                     want);
    }
}

static void more_hashes_than_a_witness_takes_are_refused(void **state)
{
    struct buffer text;
    struct proof_file file;
    struct error error = {0};
    buffer_init(&text, PROOF_FILE_BYTES_MAX);
    buffer_append_text(&text, "old 1\n");
    for (int i = 0; i < PROOF_FILE_LINES_MAX + 1; i++)
        buffer_append_text(&text, HASH "\n");
    buffer_append_text(&text, "\n" NOTE);
    assert_status(proof_file_parse(buffer_slice(&text), &file, &error), STATUS_INVALID);
    buffer_free(&text);
}

/* A tree of two entries: each proves the other's place, and nothing else. */
static void a_file_proves_what_it_says(void **state)
{
    struct proof_file file = {.kind = PROOF_FILE_ENTRY, .index = 1, .proof = {.count = 1}};
    uint8_t leaves[2][32], root[32];
    merkle_leaf(slice_of_text("first"), leaves[0]);
    merkle_leaf(slice_of_text("second"), leaves[1]);
    merkle_node(leaves[0], leaves[1], root);
    memcpy(file.proof.hashes[0], leaves[0], 32);
    assert_true(proof_file_proves_entry(&file, slice_of_text("second"), 2, root));
    assert_false(proof_file_proves_entry(&file, slice_of_text("Second"), 2, root));
    assert_false(proof_file_proves_entry(&file, slice_of_text("second"), 3, root));
    assert_false(proof_file_proves_beginning(&file, 1, leaves[0], 2, root));
    memcpy(file.proof.hashes[0], leaves[1], 32);
    file.kind = PROOF_FILE_BEGINNING;
    assert_true(proof_file_proves_beginning(&file, 1, leaves[0], 2, root));
    assert_false(proof_file_proves_beginning(&file, 1, leaves[1], 2, root));
    assert_false(proof_file_proves_beginning(&file, 2, root, 2, root));
    assert_false(proof_file_proves_entry(&file, slice_of_text("second"), 2, root));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_written_as_c2sp_says),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(slips_are_refused_with_their_line),
        cmocka_unit_test(more_hashes_than_a_witness_takes_are_refused),
        cmocka_unit_test(a_file_proves_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
