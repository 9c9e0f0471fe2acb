/* Signed notes: Go's own examples (x/mod/sumdb/note) in both directions, cosignatures, and what a
 * strict reader refuses. */
#include "folder.h"

#include <string.h>
#include <sys/stat.h>

#include "crypto/crypto.h"
#include "ledger/note.h"

/* From the documentation of Go's package. */
static const char go_signer[] =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
static const char go_key[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char go_text[] = "If you think cryptography is the answer to your problem,\n"
                              "then you don't know what your problem is.\n";
static const char go_line[] =
    "\xe2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/"
    "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

static struct note_key key_of(const char *vkey)
{
    struct note_key key;
    struct error error = {0};
    if (note_key_parse(slice_of_text(vkey), &key, &error) != STATUS_OK)
        fail_msg("%s: %s", vkey, error.message);
    return key;
}

static struct note_signer signer_of(const char *text)
{
    struct note_signer signer;
    struct error error = {0};
    if (note_signer_parse(slice_of_text(text), &signer, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return signer;
}

static void is_text(struct buffer *buffer, const char *want)
{
    assert_string_equal(buffer_text(buffer), want);
    buffer_free(buffer);
}

static void keys_are_those_of_go(void **state)
{
    struct note_key key = key_of(go_key);
    struct note_signer signer = signer_of(go_signer);
    struct buffer text;
    assert_string_equal(key.name, "PeterNeumann");
    assert_int_equal(key.id, 0xc74f20a3);
    assert_true(note_key_equal(&key, &signer.key));
    buffer_init(&text, 1024);
    note_key_format(&key, &text);
    is_text(&text, go_key);
    note_signer_format(&signer, &text);
    is_text(&text, go_signer);
}

static void a_note_of_go_verifies_and_ours_is_the_same(void **state)
{
    char bytes[512];
    struct note note;
    struct note_key key = key_of(go_key);
    struct note_signer signer = signer_of(go_signer);
    struct buffer line;
    snprintf(bytes, sizeof bytes, "%s\n%s", go_text, go_line);
    assert_status(note_parse(slice_of_text(bytes), &note, NULL), STATUS_OK);
    assert_true(slice_equal(note.text, slice_of_text(go_text)));
    assert_int_equal(note.count, 1);
    assert_int_equal(note.signatures[0].id, 0xc74f20a3);
    assert_int_equal(note_check(&note, &key), NOTE_GOOD);
    buffer_init(&line, 1024);
    note_sign(&signer, slice_of_text(go_text), &line);
    is_text(&line, go_line);
}

static void a_changed_text_is_bad_and_a_stranger_absent(void **state)
{
    char bytes[512];
    struct note note;
    struct note_key key = key_of(go_key);
    struct note_signer stranger;
    note_signer_generate("PeterNeumann", &stranger);
    snprintf(bytes, sizeof bytes, "%s\n%s", go_text, go_line);
    bytes[3] = 'Y';
    assert_status(note_parse(slice_of_text(bytes), &note, NULL), STATUS_OK);
    assert_int_equal(note_check(&note, &key), NOTE_BAD);
    assert_int_equal(note_check(&note, &stranger.key), NOTE_ABSENT);
}

/* Two signatures of one key, the second of them forged: not as good as one good signature. */
static void one_bad_line_of_a_known_key_spoils_the_note(void **state)
{
    char bytes[1024], forged[sizeof go_line];
    struct note note;
    struct note_key key = key_of(go_key);
    memcpy(forged, go_line, sizeof forged);
    forged[40] = forged[40] == 'A' ? 'B' : 'A';
    snprintf(bytes, sizeof bytes, "%s\n%s%s", go_text, go_line, forged);
    assert_status(note_parse(slice_of_text(bytes), &note, NULL), STATUS_OK);
    assert_int_equal(note.count, 2);
    assert_int_equal(note_check(&note, &key), NOTE_BAD);
}

static void the_last_blank_line_splits(void **state)
{
    const char *text = "first\n\nsecond\n";
    struct note_signer signer = signer_of(go_signer);
    struct note note;
    struct buffer bytes;
    buffer_init(&bytes, 1024);
    buffer_append_text(&bytes, text);
    buffer_append_text(&bytes, "\n");
    note_sign(&signer, slice_of_text(text), &bytes);
    assert_status(note_parse(buffer_slice(&bytes), &note, NULL), STATUS_OK);
    assert_true(slice_equal(note.text, slice_of_text(text)));
    assert_int_equal(note_check(&note, &signer.key), NOTE_GOOD);
    buffer_free(&bytes);
}

static void cosign(const struct note_signer *signer, const struct note_key *witness, uint64_t time,
                   const char *text, struct buffer *out)
{
    char message[512], base64[128];
    uint8_t bytes[4 + 8 + 64];
    snprintf(message, sizeof message, "cosignature/v1\ntime %llu\n%s", (unsigned long long)time,
             text);
    store_u32be(bytes, witness->id);
    store_u64be(bytes + 4, time);
    crypto_ed25519_sign(signer->seed, slice_of_text(message), bytes + 12);
    crypto_base64_encode(bytes, sizeof bytes, base64);
    buffer_printf(out, "\xe2\x80\x94 %s %s\n", witness->name, base64);
}

static void a_cosignature_covers_its_time(void **state)
{
    const char *text = "cofferdam/log/x\n1\nroot\n";
    struct note_signer signer;
    struct note_key witness;
    struct note note;
    struct buffer bytes;
    note_signer_generate("witness.example", &signer);
    note_key_make("witness.example", NOTE_TYPE_COSIGNATURE, signer.key.public_key, &witness);
    assert_int_not_equal(witness.id, signer.key.id);
    buffer_init(&bytes, 1024);
    buffer_printf(&bytes, "%s\n", text);
    cosign(&signer, &witness, 1700000000, text, &bytes);
    assert_status(note_parse(buffer_slice(&bytes), &note, NULL), STATUS_OK);
    assert_int_equal(note_check(&note, &witness), NOTE_GOOD);
    assert_int_equal(note_cosigned_at(&note, &witness), 1700000000);
    assert_int_equal(note_check(&note, &signer.key), NOTE_ABSENT);
    /* A bit of the time, in the middle of the base64 of id and time. */
    uint8_t *symbol = (uint8_t *)(uintptr_t)note.signatures[0].base64.data + 14;
    *symbol = *symbol == 'A' ? 'B' : 'A';
    assert_int_equal(note_check(&note, &witness), NOTE_BAD);
    assert_int_equal(note_cosigned_at(&note, &witness), 0);
    buffer_free(&bytes);
}

static void what_is_no_note_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "\n",
        "text\n",
        "text\n\n",
        "text\n\nx08go/ZJ\n",
        "text\n\n\xe2\x80\x94 name\n",
        "text\n\n\xe2\x80\x94 name x08gow==",   /* no newline */
        "text\n\n\xe2\x80\x94 name x08gow==\n", /* an id and no signature */
        "text\n\n\xe2\x80\x94 na+me x08go/ZJ\n",
        "text\n\n\xe2\x80\x94  x08go/ZJ\n",
        "text\n\n\xe2\x80\x94 name x08go/Z\n",
        "text\n\n\xe2\x80\x94 name x08go/ZJ x\n",
        "text\n\n- name x08go/ZJ\n",
        "te\x01xt\n\n\xe2\x80\x94 name x08go/ZJ\n",
        "te\xffxt\n\n\xe2\x80\x94 name x08go/ZJ\n",
        "text\n\n\xe2\x80\x94 na\xc2\xa0me x08go/ZJ\n",
        "text\n\n\xe2\x80\x94 na\xe2\x80\x83me x08go/ZJ\n",
    };
    struct note note;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (note_parse(slice_of_text(bad[i]), &note, NULL) != STATUS_INVALID)
            fail_msg("taken for a note: \"%s\"", bad[i]);
    assert_status(note_parse(slice_of_text("text\n\n\xe2\x80\x94 name x08go/ZJ\n"), &note, NULL),
                  STATUS_OK);
}

static void signatures_have_a_bound(void **state)
{
    struct note note;
    struct buffer bytes;
    buffer_init(&bytes, NOTE_BYTES_MAX);
    buffer_append_text(&bytes, "text\n\n");
    for (size_t i = 0; i < NOTE_SIGNATURES_MAX; i++)
        buffer_append_text(&bytes, "\xe2\x80\x94 name x08go/ZJ\n");
    assert_status(note_parse(buffer_slice(&bytes), &note, NULL), STATUS_OK);
    buffer_append_text(&bytes, "\xe2\x80\x94 name x08go/ZJ\n");
    assert_status(note_parse(buffer_slice(&bytes), &note, NULL), STATUS_INVALID);
    buffer_free(&bytes);
}

static void keys_that_do_not_fit_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* id */
        "PeterNeumanm+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* name */
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AhpcnQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* type 2 */
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    };
    struct note_key key;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (note_key_parse(slice_of_text(bad[i]), &key, NULL) != STATUS_INVALID)
            fail_msg("taken for a key: \"%s\"", bad[i]);
    struct note_signer signer;
    assert_status(note_signer_parse(slice_of_text(go_key), &signer, NULL), STATUS_INVALID);
}

static void a_secret_that_others_can_read_is_refused(void **state)
{
    struct test_folder folder;
    struct note_signer signer;
    struct error error = {0};
    folder_make(&folder);
    const char *path = folder_file(&folder, "key");
    write_whole(path, slice_of_text(go_signer));
    assert_int_equal(chmod(path, 0640), 0);
    assert_status(note_signer_read(path, &signer, &error), STATUS_INVALID);
    assert_int_equal(chmod(path, 0600), 0);
    assert_status(note_signer_read(path, &signer, &error), STATUS_OK);
    assert_string_equal(signer.key.name, "PeterNeumann");
    assert_status(note_signer_read("/nonexistent/key", &signer, &error), STATUS_NOT_FOUND);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_those_of_go),
        cmocka_unit_test(a_note_of_go_verifies_and_ours_is_the_same),
        cmocka_unit_test(a_changed_text_is_bad_and_a_stranger_absent),
        cmocka_unit_test(one_bad_line_of_a_known_key_spoils_the_note),
        cmocka_unit_test(the_last_blank_line_splits),
        cmocka_unit_test(a_cosignature_covers_its_time),
        cmocka_unit_test(what_is_no_note_is_refused),
        cmocka_unit_test(signatures_have_a_bound),
        cmocka_unit_test(keys_that_do_not_fit_are_refused),
        cmocka_unit_test(a_secret_that_others_can_read_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
