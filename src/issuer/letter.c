/* See letter.h. Numbers are big-endian; bytes are their length in 4 bytes, then they. */
#include "issuer/letter.h"

#include <string.h>

#include "wire/wire.h"

enum { VERSION = 1, SQLSTATE_BYTES = 5 };

/* ---- writing ---- */

static size_t begin(struct buffer *out)
{
    size_t at = out->len;
    buffer_append_u32be(out, 0);
    buffer_append_u8(out, VERSION);
    return at;
}

static void end(struct buffer *out, size_t at)
{
    if (!out->overflowed)
        store_u32be(out->data + at, (uint32_t)(out->len - at - 4));
}

static void put_bytes(struct buffer *out, struct slice bytes)
{
    buffer_append_u32be(out, (uint32_t)bytes.len);
    buffer_append(out, bytes.data, bytes.len);
}

enum status letter_put_question(const struct issuer_question *question, struct buffer *out,
                                struct error *error)
{
    if (question->certificate.len > LETTER_CERTIFICATE_BYTES ||
        question->request.len > ISSUER_REQUEST_BYTES ||
        question->signature.len > ISSUER_SIGNATURE_BYTES)
        return error_set(error, STATUS_LIMIT, "54000",
                         "a request in PEM has less than 2 kB, its signature less than 200 bytes",
                         "the request, or its signature, is too long");
    size_t at = begin(out);
    buffer_append_u64be(out, (uint64_t)question->human_most_ns);
    put_bytes(out, question->certificate);
    put_bytes(out, question->request);
    put_bytes(out, question->signature);
    end(out, at);
    return out->overflowed ? error_no_memory(error) : STATUS_OK;
}

void letter_put_answer(const struct issuer_answer *answer, const struct error *failed,
                       struct buffer *out)
{
    size_t at = begin(out);
    buffer_append_u8(out, failed == NULL ? STATUS_OK : (uint8_t)failed->status);
    if (failed != NULL) {
        buffer_append(out, failed->sqlstate, SQLSTATE_BYTES);
        put_bytes(out, slice_of_text(failed->message));
        put_bytes(out, slice_of_text(failed->hint));
    } else {
        put_bytes(out, slice_of_text(answer->renews));
        put_bytes(out, slice_of_text(answer->origin));
        buffer_append_u64be(out, (uint64_t)answer->until_ns);
        buffer_append_u8(out, answer->again);
        put_bytes(out, buffer_slice(&answer->certificate));
    }
    end(out, at);
}

/* ---- reading ---- */

static struct slice take_bytes(struct wire_reader *reader)
{
    uint32_t len = wire_read_u32(reader);
    return wire_read_bytes(reader, len);
}

static int64_t take_time(struct wire_reader *reader)
{
    uint64_t high = wire_read_u32(reader);
    return (int64_t)(high << 32 | wire_read_u32(reader));
}

/* Text of the other side, without line breaks or anything else that is no text; false where it does
 * not fit. */
static bool take_text(struct wire_reader *reader, char *text, size_t room)
{
    struct slice bytes = take_bytes(reader);
    if (bytes.len >= room)
        return false;
    for (size_t i = 0; i < bytes.len; i++)
        text[i] = (char)(bytes.data[i] < ' ' || bytes.data[i] == 127 ? ' ' : bytes.data[i]);
    text[bytes.len] = '\0';
    return true;
}

enum status letter_read_question(struct slice letter, struct issuer_question *question)
{
    struct wire_reader reader = wire_reader_of(letter);
    bool known = wire_read_u8(&reader) == VERSION;
    struct issuer_question read = {.human_most_ns = take_time(&reader)};
    read.certificate = take_bytes(&reader);
    read.request = take_bytes(&reader);
    read.signature = take_bytes(&reader);
    if (!known || !wire_reader_done(&reader) || read.human_most_ns < 0 ||
        read.certificate.len > LETTER_CERTIFICATE_BYTES ||
        read.request.len > ISSUER_REQUEST_BYTES || read.signature.len > ISSUER_SIGNATURE_BYTES)
        return STATUS_INVALID;
    *question = read;
    return STATUS_OK;
}

static bool take_sqlstate(struct wire_reader *reader, char sqlstate[static SQLSTATE_BYTES + 1])
{
    struct slice bytes = wire_read_bytes(reader, SQLSTATE_BYTES);
    for (size_t i = 0; i < bytes.len; i++) {
        bool is_digit = bytes.data[i] >= '0' && bytes.data[i] <= '9';
        if (!is_digit && (bytes.data[i] < 'A' || bytes.data[i] > 'Z'))
            return false;
        sqlstate[i] = (char)bytes.data[i];
    }
    return bytes.len == SQLSTATE_BYTES;
}

static enum status read_refusal(struct wire_reader *reader, enum status decision,
                                struct error *error)
{
    struct error told = {.status = decision};
    if (decision > STATUS_NOMEM || !take_sqlstate(reader, told.sqlstate) ||
        !take_text(reader, told.message, sizeof told.message) ||
        !take_text(reader, told.hint, sizeof told.hint) || !wire_reader_done(reader))
        return STATUS_INVALID;
    *error = told;
    return STATUS_OK;
}

static enum status read_certificate(struct wire_reader *reader, struct issuer_answer *answer)
{
    if (!take_text(reader, answer->renews, sizeof answer->renews) ||
        !take_text(reader, answer->origin, sizeof answer->origin))
        return STATUS_INVALID;
    answer->until_ns = take_time(reader);
    answer->again = wire_read_u8(reader) != 0;
    struct slice pem = take_bytes(reader);
    if (!wire_reader_done(reader) || pem.len > ISSUER_PEM_BYTES)
        return STATUS_INVALID;
    buffer_append(&answer->certificate, pem.data, pem.len);
    return answer->certificate.overflowed ? STATUS_INVALID : STATUS_OK;
}

enum status letter_read_answer(struct slice letter, struct issuer_answer *answer,
                               enum status *decision, struct error *error)
{
    struct wire_reader reader = wire_reader_of(letter);
    bool known = wire_read_u8(&reader) == VERSION;
    uint8_t decided = wire_read_u8(&reader);
    if (!known)
        return STATUS_INVALID;
    if (decided == STATUS_OK)
        TRY(read_certificate(&reader, answer));
    else
        TRY(read_refusal(&reader, (enum status)decided, error));
    *decision = (enum status)decided;
    return STATUS_OK;
}
