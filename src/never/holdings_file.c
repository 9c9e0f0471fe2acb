/* Holdings on disk, as a part of the index file: docs/NEVER-FORMAT.md, "Index file". What is read
 * is checked number by number, since a wrong one would be looked up. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "never/holdings.h"
#include "never/marks.h"

static void put_table(const struct interned *table, struct buffer *out)
{
    buffer_append_u32be(out, table->count);
    for (uint32_t i = 0; i < table->count; i++) {
        struct slice item = interned_get(table, i);
        buffer_append_u32be(out, (uint32_t)item.len);
        buffer_append(out, item.data, item.len);
    }
}

static void put_sets(const struct holdings *holdings, struct buffer *out)
{
    buffer_append_u32be(out, holdings->sets.count);
    for (uint32_t i = 0; i < holdings->sets.count; i++) {
        size_t count;
        const uint32_t *questions = holdings_set(holdings, i, &count);
        buffer_append_u32be(out, (uint32_t)count);
        for (size_t j = 0; j < count; j++)
            buffer_append_u32be(out, questions[j]);
    }
}

void holdings_write(const struct holdings *holdings, struct buffer *out)
{
    size_t ids = holdings->id_count;
    while (ids > 0 && holdings->ids[ids - 1] == HOLDINGS_NOTHING)
        ids--;
    buffer_append_u64be(out, holdings->entries);
    put_table(&holdings->questions, out);
    put_sets(holdings, out);
    put_table(&holdings->column_sets, out);
    buffer_append_u32be(out, holdings->everybody);
    buffer_append_u32be(out, (uint32_t)ids);
    for (size_t i = 0; i < ids; i++)
        buffer_append_u32be(out, holdings->ids[i]);
}

/* A cursor with a sticky failure: read every field, check once. */
struct reading {
    struct slice rest;
    bool failed, without_ids;
};

static struct slice take(struct reading *reading, size_t len)
{
    if (reading->failed || len > reading->rest.len) {
        reading->failed = true;
        return slice_of(NULL, 0);
    }
    struct slice taken = slice_of(reading->rest.data, len);
    reading->rest = slice_of(reading->rest.data + len, reading->rest.len - len);
    return taken;
}

static uint32_t take_u32(struct reading *reading)
{
    struct slice taken = take(reading, sizeof(uint32_t));
    return taken.len == 0 ? 0 : load_u32be(taken.data);
}

/* Each item gets the number that it had. */
static void add(struct reading *reading, struct interned *table, struct slice bytes,
                uint32_t expected)
{
    uint32_t number;
    if (reading->failed)
        return;
    reading->failed = !interned_add(table, bytes, &number) || number != expected;
}

static void read_questions(struct reading *reading, struct interned *table)
{
    uint32_t count = take_u32(reading);
    for (uint32_t i = 0; i < count && !reading->failed; i++) {
        struct slice bytes = take(reading, take_u32(reading));
        if (bytes.len == 0 || bytes.data[0] > LIMIT_NAME_BYTES ||
            bytes.len > 1 + (size_t)bytes.data[0] + MARKS_COLUMN_BYTES ||
            bytes.len < 1 + (size_t)bytes.data[0])
            reading->failed = true;
        add(reading, table, bytes, i);
    }
}

static void read_set(struct reading *reading, struct holdings *holdings, uint32_t expected)
{
    uint32_t count = take_u32(reading);
    struct slice bytes = take(reading, (size_t)count * sizeof(uint32_t));
    if (reading->failed)
        return;
    uint32_t *questions = malloc(bytes.len + 1);
    reading->failed = questions == NULL;
    for (uint32_t i = 0; i < count && !reading->failed; i++) {
        questions[i] = load_u32be(bytes.data + sizeof(uint32_t) * i);
        reading->failed = questions[i] >= holdings->questions.count ||
                          (i > 0 && questions[i] <= questions[i - 1]);
    }
    add(reading, &holdings->sets, slice_of(questions, bytes.len), expected);
    free(questions);
}

static void read_ids(struct reading *reading, struct holdings *holdings)
{
    holdings->everybody = take_u32(reading);
    uint32_t count = take_u32(reading);
    struct slice bytes = take(reading, (size_t)count * sizeof(uint32_t));
    reading->failed = reading->failed || holdings->everybody >= holdings->sets.count;
    if (reading->failed || count == 0 || reading->without_ids)
        return;
    holdings->ids = calloc(count, sizeof *holdings->ids);
    reading->failed = holdings->ids == NULL;
    for (uint32_t i = 0; i < count && !reading->failed; i++) {
        holdings->ids[i] = load_u32be(bytes.data + sizeof(uint32_t) * i);
        reading->failed = holdings->ids[i] >= holdings->sets.count;
        holdings->id_count = i + 1;
    }
}

static void read_all(struct reading *reading, struct holdings *holdings)
{
    struct slice entries = take(reading, sizeof(uint64_t));
    holdings->entries = entries.len == 0 ? 0 : load_u64be(entries.data);
    read_questions(reading, &holdings->questions);
    uint32_t sets = take_u32(reading);
    for (uint32_t i = 0; i < sets && !reading->failed; i++)
        read_set(reading, holdings, i);
    uint32_t column_sets = take_u32(reading);
    for (uint32_t i = 0; i < column_sets && !reading->failed; i++) {
        struct slice bytes = take(reading, take_u32(reading));
        reading->failed = reading->failed || bytes.len < 4 || load_u32be(bytes.data) != i + 1;
        add(reading, &holdings->column_sets, bytes, i);
    }
    read_ids(reading, holdings);
}

static enum status read_whole(struct reading *reading, struct holdings *holdings,
                              struct error *error)
{
    TRY(holdings_init(holdings, error));
    read_all(reading, holdings);
    if (!reading->failed && reading->rest.len == 0)
        return STATUS_OK;
    holdings_free(holdings);
    return error_set(error, STATUS_CORRUPT, "XX001", "cofferdam ledger commit --afresh",
                     "what is kept of the index of disclosures is malformed");
}

enum status holdings_read(struct slice bytes, struct holdings *holdings, struct error *error)
{
    struct reading reading = {.rest = bytes};
    return read_whole(&reading, holdings, error);
}

enum status holdings_read_sets(struct slice bytes, struct holdings *holdings, struct error *error)
{
    struct reading reading = {.rest = bytes, .without_ids = true};
    return read_whole(&reading, holdings, error);
}
