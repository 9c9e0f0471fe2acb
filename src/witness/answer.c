/* See answer.h. https://c2sp.org/tlog-witness, "add-checkpoint". What a stranger's server wrote is
 * never shown: only its code is. */
#include "witness/answer.h"

#include <inttypes.h>
#include <string.h>

#include "crypto/crypto.h"

enum { HASH_BYTES = 32, SIZE_DIGITS = 20 };
enum { HTTP_OK = 200, HTTP_NOT_FOUND = 404, HTTP_FORBIDDEN = 403 };
enum { HTTP_BAD = 400, HTTP_CONFLICT = 409, HTTP_UNPROVED = 422 };

enum status answer_request(uint64_t old_size, const struct proof *proof, struct slice note,
                           struct buffer *out, struct error *error)
{
    if (proof->count > ANSWER_PROOF_MAX)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the proof has more than %d hashes",
                         ANSWER_PROOF_MAX);
    buffer_printf(out, "old %" PRIu64 "\n", old_size);
    for (size_t i = 0; i < proof->count; i++) {
        char line[4 * ((HASH_BYTES + 2) / 3) + 1];
        crypto_base64_encode(proof->hashes[i], HASH_BYTES, line);
        buffer_printf(out, "%s\n", line);
    }
    buffer_append_text(out, "\n");
    buffer_append(out, note.data, note.len);
    return out->overflowed ? error_set(error, STATUS_LIMIT, "54000", NULL, "the note is too long")
                           : STATUS_OK;
}

static enum status strange(struct error *error, const char *what)
{
    return error_set(error, STATUS_PEER, "08P01", "Is its url that of a C2SP tlog-witness?",
                     "its answer is not understood: %s", what);
}

/* The witness's own line among those of the answer; other lines are nobody we know. */
static enum status read_cosignature(struct slice body, const struct note_key *key,
                                    struct slice text, struct answer_read *read,
                                    struct error *error)
{
    struct note note;
    TRY(note_parse_signatures(body, &note, NULL) == STATUS_OK
            ? STATUS_OK
            : strange(error, "no lines of signatures"));
    note.text = text;
    enum note_verdict verdict = note_check(&note, key);
    if (verdict != NOTE_GOOD)
        return error_set(error, STATUS_DENIED, "28000",
                         "Compare ledger.witnesses with the key that the witness publishes.",
                         verdict == NOTE_BAD
                             ? "its cosignature does not verify"
                             : "it signed with another key than the one configured");
    for (size_t i = 0; i < note.count; i++)
        if (note.signatures[i].id == key->id &&
            slice_equal(note.signatures[i].name, slice_of_text(key->name)))
            read->line = note.signatures[i].line;
    read->meaning = ANSWER_COSIGNED;
    read->time = note_cosigned_at(&note, key);
    return STATUS_OK;
}

static enum status read_size(const struct answer *answer, struct answer_read *read,
                             struct error *error)
{
    static const char type[] = "text/x.tlog.size";
    struct slice body = answer->body;
    uint64_t size = 0;
    if (answer->type == NULL || strncmp(answer->type, type, sizeof type - 1) != 0)
        return strange(error, "409 without a size");
    if (body.len < 2 || body.len > SIZE_DIGITS + 1 || body.data[body.len - 1] != '\n' ||
        (body.len > 2 && body.data[0] == '0'))
        return strange(error, "409 with a size that is none");
    for (size_t i = 0; i + 1 < body.len; i++) {
        unsigned digit = (unsigned)body.data[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(size, 10, &size) ||
            __builtin_add_overflow(size, digit, &size))
            return strange(error, "409 with a size that is none");
    }
    read->meaning = ANSWER_CONFLICT;
    read->size = size;
    return STATUS_OK;
}

static enum status refused(long code, struct error *error)
{
    if (code == HTTP_NOT_FOUND)
        return error_set(
            error, STATUS_DENIED, "28000",
            "Send its operator ledger/log.vkey: a witness serves logs that it was told "
            "of. Or the url is wrong.",
            "it does not know this log (404)");
    if (code == HTTP_FORBIDDEN)
        return error_set(error, STATUS_DENIED, "28000",
                         "If the log's key was changed, send its operator the new ledger/log.vkey.",
                         "it does not take this log's signature (403)");
    if (code == HTTP_BAD)
        return error_set(error, STATUS_PEER, "08P01", "Is its url that of a C2SP tlog-witness?",
                         "it did not understand the request (400)");
    return error_set(error, STATUS_PEER, "08P01", "It may be better later.",
                     "it answered with HTTP %ld", code);
}

enum status answer_read(const struct answer *answer, const struct note_key *key, struct slice text,
                        struct answer_read *read, struct error *error)
{
    struct answer_read made = {0};
    if (answer->code == HTTP_OK)
        TRY(read_cosignature(answer->body, key, text, &made, error));
    else if (answer->code == HTTP_CONFLICT)
        TRY(read_size(answer, &made, error));
    else if (answer->code == HTTP_UNPROVED)
        made.meaning = ANSWER_UNPROVED;
    else
        return refused(answer->code, error);
    *read = made;
    return STATUS_OK;
}
