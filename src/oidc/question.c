/* See question.h. Numbers are big-endian; a text is its length in 4 bytes, its bytes and a NUL. */
#include "oidc/question.h"

#include <string.h>

/* ---- writing ---- */

static size_t begin(struct buffer *out)
{
    size_t at = out->len;
    buffer_append_u32be(out, 0);
    return at;
}

static void end(struct buffer *out, size_t at)
{
    if (!out->overflowed)
        store_u32be(out->data + at, (uint32_t)(out->len - at - 4));
}

static void put_text(struct buffer *out, struct slice text)
{
    buffer_append_u32be(out, (uint32_t)text.len);
    buffer_append(out, text.data, text.len);
    buffer_append_u8(out, 0);
}

void question_put(const struct question *question, struct buffer *out)
{
    size_t at = begin(out);
    buffer_append_u8(out, (uint8_t)question->kind);
    buffer_append_u64be(out, (uint64_t)question->now_s);
    buffer_append_u32be(out, question->skew_s);
    buffer_append_u32be(out, question->max_lifetime_s);
    put_text(out, question->issuer);
    put_text(out, question->audience);
    put_text(out, question->typ);
    put_text(out, question->token);
    put_text(out, question->document);
    buffer_append_u32be(out, (uint32_t)question->claim_count);
    for (size_t i = 0; i < question->claim_count; i++) {
        put_text(out, slice_of_text(question->claims[i].name));
        put_text(out, slice_of_text(question->claims[i].value));
        buffer_append_u8(out, question->claims[i].contains);
    }
    end(out, at);
}

void verdict_put(const struct verdict *verdict, struct buffer *out)
{
    size_t at = begin(out);
    buffer_append_u8(out, (uint8_t)verdict->kind);
    buffer_append_u64be(out, (uint64_t)verdict->expires_s);
    buffer_append(out, verdict->id, sizeof verdict->id);
    put_text(out, slice_of_text(verdict->text));
    end(out, at);
}

/* ---- reading: past the end everything is empty, and failed ---- */

struct reader {
    struct slice rest;
    bool failed;
};

static const uint8_t *take(struct reader *reader, size_t len)
{
    const uint8_t *at = reader->rest.data;
    if (reader->failed || len > reader->rest.len) {
        reader->failed = true;
        return NULL;
    }
    reader->rest.data += len;
    reader->rest.len -= len;
    return at;
}

static uint8_t take_u8(struct reader *reader)
{
    const uint8_t *at = take(reader, 1);
    return at == NULL ? 0 : *at;
}

static uint32_t take_u32(struct reader *reader)
{
    const uint8_t *at = take(reader, 4);
    return at == NULL ? 0 : load_u32be(at);
}

static uint64_t take_u64(struct reader *reader)
{
    const uint8_t *at = take(reader, 8);
    return at == NULL ? 0 : load_u64be(at);
}

static struct slice take_text(struct reader *reader)
{
    uint32_t len = take_u32(reader);
    const uint8_t *at = take(reader, (size_t)len + 1);
    if (at != NULL && at[len] != 0)
        reader->failed = true;
    return reader->failed ? slice_of("", 0) : slice_of(at, len);
}

static const char *take_word(struct reader *reader)
{
    struct slice text = take_text(reader);
    if (strlen((const char *)text.data) != text.len)
        reader->failed = true;
    return (const char *)text.data;
}

enum status question_read(struct slice frame, struct question *question)
{
    struct reader reader = {.rest = frame};
    *question = (struct question){.kind = (enum question_kind)take_u8(&reader)};
    question->now_s = (int64_t)take_u64(&reader);
    question->skew_s = take_u32(&reader);
    question->max_lifetime_s = take_u32(&reader);
    question->issuer = take_text(&reader);
    question->audience = take_text(&reader);
    question->typ = take_text(&reader);
    question->token = take_text(&reader);
    question->document = take_text(&reader);
    question->claim_count = take_u32(&reader);
    if (reader.failed || question->claim_count > QUESTION_CLAIMS_MAX)
        return STATUS_INVALID;
    for (size_t i = 0; i < question->claim_count; i++) {
        question->claims[i].name = take_word(&reader);
        question->claims[i].value = take_word(&reader);
        question->claims[i].contains = take_u8(&reader) != 0;
    }
    return reader.failed || reader.rest.len > 0 ? STATUS_INVALID : STATUS_OK;
}

enum status verdict_read(struct slice frame, struct verdict *verdict)
{
    struct reader reader = {.rest = frame};
    uint8_t kind = take_u8(&reader);
    int64_t expires_s = (int64_t)take_u64(&reader);
    const uint8_t *id = take(&reader, QUESTION_ID_BYTES);
    struct slice text = take_text(&reader);
    if (reader.failed || reader.rest.len > 0 || kind < VERDICT_GOOD || kind > VERDICT_OTHER ||
        text.len >= sizeof verdict->text)
        return STATUS_INVALID;
    *verdict = (struct verdict){.kind = (enum verdict_kind)kind, .expires_s = expires_s};
    memcpy(verdict->id, id, QUESTION_ID_BYTES);
    memcpy(verdict->text, text.data, text.len);
    return STATUS_OK;
}
