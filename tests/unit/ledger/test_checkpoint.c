/* Checkpoints: one spelling, nothing else is read. */
#include "folder.h"

#include <string.h>

#include "ledger/checkpoint.h"

#define ROOT "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="

static void what_is_written_is_read(void **state)
{
    static const uint64_t sizes[] = {0, 1, 10, 9999999999, UINT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct checkpoint want = {.size = sizes[i]}, got;
        char origin[CHECKPOINT_ORIGIN_ROOM];
        struct buffer text;
        for (size_t at = 0; at < sizeof want.root; at++)
            want.root[at] = (uint8_t)(at + 1);
        buffer_init(&text, 1024);
        checkpoint_format("cofferdam/log/0", &want, &text);
        assert_status(checkpoint_parse(buffer_slice(&text), origin, &got, NULL), STATUS_OK);
        assert_string_equal(origin, "cofferdam/log/0");
        assert_int_equal(got.size, want.size);
        assert_memory_equal(got.root, want.root, sizeof got.root);
        buffer_free(&text);
    }
}

static void other_spellings_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "o\n1\n" ROOT,
        "o\n1\n" ROOT "\nx\n",
        "o\n1\n\n" ROOT "\n",
        "\n1\n" ROOT "\n",
        "o\n01\n" ROOT "\n",
        "o\n+1\n" ROOT "\n",
        "o\n1 \n" ROOT "\n",
        "o\n\n" ROOT "\n",
        "o\n-1\n" ROOT "\n",
        "o\n18446744073709551616\n" ROOT "\n",
        "o\n1\nAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyB=\n", /* stray bits */
        "o\n1\nAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHw==\n", /* 31 bytes */
        "o\n1\nAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAh\n", /* 33 bytes */
    };
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct checkpoint got;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (checkpoint_parse(slice_of_text(bad[i]), origin, &got, NULL) != STATUS_INVALID)
            fail_msg("taken for a checkpoint: \"%s\"", bad[i]);
    assert_status(checkpoint_parse(slice_of_text("o\n1\n" ROOT "\n"), origin, &got, NULL),
                  STATUS_OK);
}

static void a_signed_file_is_read_as_note_and_as_body(void **state)
{
    struct test_folder folder;
    struct checkpoint want = {.size = 7}, got;
    uint8_t log_id[CHECKPOINT_LOG_ID_BYTES] = {1}, other[CHECKPOINT_LOG_ID_BYTES] = {2};
    char origin[CHECKPOINT_ORIGIN_ROOM], read[CHECKPOINT_ORIGIN_ROOM];
    struct note_signer signer;
    struct note note;
    struct buffer text, bytes;
    struct error error = {0};
    folder_make(&folder);
    checkpoint_origin(log_id, origin);
    assert_string_equal(origin, "cofferdam/log/01000000000000000000000000000000");
    note_signer_generate(origin, &signer);
    buffer_init(&text, 4096);
    checkpoint_format(origin, &want, &text);
    struct slice body = slice_of(text.data, text.len);
    write_whole(folder_file(&folder, "checkpoint"), body); /* as older versions left it */
    assert_status(checkpoint_read(folder.path, log_id, &got, &error), STATUS_OK);
    size_t body_len = text.len;
    buffer_append_text(&text, "\n");
    struct buffer line;
    buffer_init(&line, 4096);
    note_sign(&signer, slice_of(text.data, body_len), &line);
    buffer_append(&text, line.data, line.len);
    write_whole(folder_file(&folder, "checkpoint"), buffer_slice(&text));
    got.size = 0;
    assert_status(checkpoint_read(folder.path, log_id, &got, &error), STATUS_OK);
    assert_int_equal(got.size, 7);
    assert_status(checkpoint_read(folder.path, other, &got, &error), STATUS_CORRUPT);
    buffer_init(&bytes, NOTE_BYTES_MAX);
    assert_status(
        checkpoint_read_note(folder_file(&folder, "checkpoint"), &bytes, &note, read, &got, &error),
        STATUS_OK);
    assert_string_equal(read, origin);
    assert_int_equal(note_check(&note, &signer.key), NOTE_GOOD);
    buffer_free(&bytes);
    buffer_free(&line);
    buffer_free(&text);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(other_spellings_are_refused),
        cmocka_unit_test(a_signed_file_is_read_as_note_and_as_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
