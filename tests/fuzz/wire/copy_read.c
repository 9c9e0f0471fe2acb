/* COPY FROM's data, in any format with any options: the reader stays inside of what has come, takes
 * no more than that, and gives the same rows and the same end however the bytes are cut. The first
 * four bytes choose: format and header, delimiter, quote and escape, where the data is cut. */
#include <string.h>

#include "base/check.h"
#include "wire/copy_read.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COLUMNS = 3, ROW_BYTES = 4 * 1024 * 1024 };

static const char *const names[COLUMNS] = {"a", "b", "c"};
static const bool some[COLUMNS] = {true, false, true};

static struct wire_copy choose(const uint8_t choice[static 3])
{
    static const char delimiters[] = "\t,;|", quotes[] = "\"'", *const nulls[] = {"\\N", "", "a"};
    struct wire_copy copy = {.format = choice[0] % 3,
                             .delimiter = delimiters[choice[1] % 4],
                             .quote = quotes[choice[2] % 2],
                             .null = nulls[choice[0] / 3 % 3]};
    copy.escape = choice[2] & 2 ? '\\' : copy.quote;
    if (copy.format != WIRE_COPY_BINARY) {
        copy.header = choice[0] & 0x20;
        copy.header_match = copy.header && (choice[0] & 0x40);
    }
    if (copy.format == WIRE_COPY_CSV && (choice[2] & 4))
        copy.force_null = some;
    if (copy.format == WIRE_COPY_CSV && (choice[2] & 8))
        copy.force_not_null = some;
    return copy;
}

struct outcome {
    enum status status;
    struct buffer rows;
    size_t count;
};

/* Whole columns, as Bind has them. */
static void check_rows(const struct outcome *outcome)
{
    struct wire_reader reader = wire_reader_of(buffer_slice(&outcome->rows));
    for (size_t i = 0; i < outcome->count * COLUMNS; i++) {
        uint32_t len = wire_read_u32(&reader);
        (void)wire_read_bytes(&reader, len == UINT32_MAX ? 0 : len);
    }
    CHECK(wire_reader_done(&reader));
}

/* The data comes in two pieces, the second behind `cut` bytes. Each piece is a copy without a byte
 * to spare where the first is the whole. */
static struct outcome read_all(const struct wire_copy *copy, struct slice data, size_t cut)
{
    struct outcome outcome = {.status = STATUS_AGAIN};
    struct wire_copy_reader reader;
    struct error error;
    size_t at = 0, come = cut < data.len ? cut : data.len;
    buffer_init(&outcome.rows, ROW_BYTES);
    wire_copy_read_begin(&reader, copy, names, COLUMNS);
    for (;;) {
        size_t taken = 0;
        bool last = come == data.len;
        outcome.status = wire_copy_read(&reader, slice_of(data.data + at, come - at), last, &taken,
                                        &outcome.rows, &error);
        if (outcome.status == STATUS_OK)
            outcome.count++;
        else if (outcome.status != STATUS_AGAIN)
            return outcome;
        CHECK(taken <= come - at);
        CHECK(outcome.status != STATUS_OK || taken > 0);
        at += taken;
        if (outcome.status == STATUS_AGAIN) {
            CHECK(!last || taken > 0); /* a header alone */
            come = data.len;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    struct wire_copy copy = choose(data);
    struct slice rest = slice_of(data + 4, size - 4);
    struct outcome whole = read_all(&copy, rest, rest.len);
    struct outcome cut = read_all(&copy, rest, data[3]);
    if (!whole.rows.overflowed && !cut.rows.overflowed) {
        CHECK(whole.status == cut.status && whole.count == cut.count);
        if (whole.status == STATUS_NOT_FOUND) {
            check_rows(&whole);
            CHECK(slice_equal(buffer_slice(&whole.rows), buffer_slice(&cut.rows)));
        }
    }
    buffer_free(&whole.rows);
    buffer_free(&cut.rows);
    return 0;
}
