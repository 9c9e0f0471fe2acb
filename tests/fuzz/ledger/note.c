/* Fuzz target: signed notes, verifier keys and checkpoints. What is read as a key or a checkpoint
 * is written again as the same bytes; the parts of a note lie inside it. */
#include <string.h>

#include "base/check.h"
#include "ledger/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_key(struct slice input)
{
    struct note_key key;
    struct buffer again;
    if (note_key_parse(input, &key, NULL) != STATUS_OK)
        return;
    buffer_init(&again, 1024);
    note_key_format(&key, &again);
    CHECK(slice_equal(buffer_slice(&again), input));
    buffer_free(&again);
}

static void as_checkpoint(struct slice input)
{
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct checkpoint checkpoint;
    struct buffer again;
    if (checkpoint_parse(input, origin, &checkpoint, NULL) != STATUS_OK)
        return;
    buffer_init(&again, 1024);
    checkpoint_format(origin, &checkpoint, &again);
    CHECK(slice_equal(buffer_slice(&again), input));
    buffer_free(&again);
}

static void check_keys(const struct note *note)
{
    static const char *const known[] = {
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "witness.example+5e3ffbc9+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct note_key key;
        if (note_key_parse(slice_of_text(known[i]), &key, NULL) == STATUS_OK)
            (void)note_check(note, &key);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    struct note note;
    struct note_signer signer;
    as_key(input);
    as_checkpoint(input);
    if (note_signer_parse(input, &signer, NULL) == STATUS_OK)
        note_signer_wipe(&signer);
    if (note_parse(input, &note, NULL) != STATUS_OK)
        return 0;
    CHECK(note.count >= 1 && note.count <= NOTE_SIGNATURES_MAX);
    CHECK(note.text.data == data && note.text.len < size && note.text.len > 0);
    size_t seen = note.text.len + 1;
    for (size_t i = 0; i < note.count; i++)
        seen += note.signatures[i].line.len;
    CHECK(seen == size);
    as_checkpoint(note.text);
    check_keys(&note);
    return 0;
}
