/* COPY FROM's reader: what each format means, that it does not matter how the bytes come, and that
 * it reads back what our own COPY TO writes. That PostgreSQL reads the same is compared in the
 * integration tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "exact.h"
#include "wire/copy_read.h"
#include "wire/wire.h"

static const char *const names[] = {"a", "b", "c"};
static const struct wire_copy text = {.format = WIRE_COPY_TEXT, .delimiter = '\t', .null = "\\N"};
static const struct wire_copy csv = {
    .format = WIRE_COPY_CSV, .delimiter = ',', .quote = '"', .escape = '"', .null = ""};

/* What became of all the data: the status that ended it, its error, the rows as Bind has them. */
struct outcome {
    enum status status;
    struct error error;
    struct buffer rows;
    size_t row_count;
};

/* A generator of its own: a failure must come again. */
static uint32_t seed = 12345;
static uint32_t chance(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

/* Reads the data in pieces of up to `piece` bytes; 0: of any sizes. */
static struct outcome read_pieces(const struct wire_copy *copy, size_t count, struct slice data,
                                  size_t piece)
{
    struct outcome outcome = {.status = STATUS_AGAIN};
    struct wire_copy_reader reader;
    size_t taken = 0, come = 0;
    buffer_init(&outcome.rows, 1 << 20);
    wire_copy_read_begin(&reader, copy, names, count);
    for (;;) {
        size_t more = piece == 0 ? chance(9) : piece;
        if (outcome.status == STATUS_AGAIN)
            come = come + more > data.len ? data.len : come + more;
        bool last = come == data.len;
        struct slice exact = exact_copy(data.data + taken, come - taken);
        size_t took = 0;
        outcome.status = wire_copy_read(&reader, exact, last, &took, &outcome.rows, &outcome.error);
        exact_free(exact);
        if (outcome.status == STATUS_OK)
            outcome.row_count++;
        else if (outcome.status != STATUS_AGAIN)
            return outcome;
        assert_in_range(took, 0, come - taken);
        assert_false(last && outcome.status == STATUS_AGAIN && took == 0);
        taken += took;
    }
}

/* The rows as text: values in brackets, NULL as "-"; static. */
static const char *shown(const struct buffer *rows, size_t row_count, size_t count)
{
    static char out[2000];
    struct wire_reader reader = wire_reader_of(buffer_slice(rows));
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < row_count * count; i++) {
        uint32_t len = wire_read_u32(&reader);
        struct slice value = wire_read_bytes(&reader, len == UINT32_MAX ? 0 : len);
        at += (size_t)snprintf(out + at, sizeof out - at, len == UINT32_MAX ? "-" : "[%.*s]",
                               (int)value.len, (const char *)value.data);
        if (i % count == count - 1)
            at += (size_t)snprintf(out + at, sizeof out - at, ";");
    }
    assert_true(wire_reader_done(&reader));
    return out;
}

static void reads(const struct wire_copy *copy, size_t count, const char *data,
                  const char *expected)
{
    for (size_t piece = 0; piece < 4; piece++) {
        struct outcome outcome =
            read_pieces(copy, count, slice_of_text(data), piece == 3 ? 1000 : piece);
        assert_int_equal(outcome.status, STATUS_NOT_FOUND);
        assert_string_equal(shown(&outcome.rows, outcome.row_count, count), expected);
        buffer_free(&outcome.rows);
    }
}

static void refuses(const struct wire_copy *copy, size_t count, struct slice data,
                    const char *sqlstate, const char *message)
{
    for (size_t piece = 0; piece < 4; piece++) {
        struct outcome outcome = read_pieces(copy, count, data, piece == 3 ? 1000 : piece);
        assert_int_equal(outcome.status, STATUS_DENIED);
        assert_string_equal(outcome.error.sqlstate, sqlstate);
        assert_string_equal(outcome.error.message, message);
        buffer_free(&outcome.rows);
    }
}

static void lines_of_text(void **state)
{
    (void)state;
    struct wire_copy bar = text;
    bar.delimiter = '|';
    bar.null = "";
    reads(&text, 2, "a\tb\nc\t\\N\n", "[a][b];[c]-;");
    reads(&text, 2, "a\tb", "[a][b];");
    reads(&text, 2, "", "");
    reads(&text, 1, "\n\\\\N\n\\\\.\n", "[];[\\N];[\\.];");
    reads(&text, 1, "\\b\\f\\n\\r\\t\\v\\q\\\\\\\t", "[\b\f\n\r\t\vq\\\t];");
    reads(&text, 1, "\\101\\1012\\7\\x41\\x4a4\\xg\\x", "[AA2\aAJ4xgx];");
    reads(&text, 1, "a\\\nb\nc\\", "[a\nb];[c];");
    reads(&bar, 2, "|a\\|b\n|\n", "-[a|b];--;");
    reads(&text, 1, "a\r\nb\r\n", "[a];[b];");
    reads(&text, 1, "a\rb\r", "[a];[b];");
    reads(&text, 1, "a\n\\.\nignored\n", "[a];");
    reads(&text, 1, "a\n\\.", "[a];");
    reads(&text, 1, "a\r\n\\.\r\n", "[a];");
}

static void what_is_no_text(void **state)
{
    (void)state;
    refuses(&text, 2, slice_of_text("a\tb\nc\n"), "22P04",
            "line 2 of the data: no value for column \"b\"");
    refuses(&text, 1, slice_of_text("a\nb\nc\td\n"), "22P04",
            "line 3 of the data: more values than columns");
    refuses(&text, 1, slice_of_text("a\n\\.b\n"), "22P04",
            "line 2 of the data: the end marker \"\\.\" is not alone on its line");
    refuses(&text, 1, slice_of_text("a\\.\n"), "22P04",
            "line 1 of the data: the end marker \"\\.\" is not alone on its line");
    refuses(&text, 1, slice_of_text("a\nb\r\n"), "22P04",
            "line 2 of the data: a literal carriage return");
    refuses(&text, 1, slice_of_text("a\r\nb\n"), "22P04", "line 2 of the data: a literal newline");
    refuses(&text, 1, slice_of_text("a\r\nb\rc"), "22P04",
            "line 2 of the data: a literal carriage return");
    refuses(&text, 1, slice_of_text("a\\000b\n"), "22021",
            "line 1 of the data: a value holds the character NUL");
    refuses(&text, 1, slice_of_literal("a\0b\n"), "22021",
            "line 1 of the data: a value holds the character NUL");
}

static void lines_of_csv(void **state)
{
    (void)state;
    static const bool first[] = {true, false};
    struct wire_copy other = csv, forced = csv;
    other.delimiter = ';';
    other.quote = '\'';
    other.escape = '!';
    other.null = "nil";
    forced.force_not_null = first;
    forced.force_null = first + 1;
    reads(&csv, 2, "a,b\n,\"\"\n", "[a][b];-[];");
    reads(&csv, 2, "\"a,\"\"b\n\",x\"y\"z\n", "[a,\"b\n][xyz];");
    reads(&csv, 1, "\"\\.\"\n\\.x\na\\\n", "[\\.];[\\.x];[a\\];");
    reads(&csv, 1, "a\n\\.\nignored", "[a];");
    reads(&csv, 2, "\"a\r\nb\",c\r\n\"\r\",\"\n\"\r\n", "[a\r\nb][c];[\r][\n];");
    reads(&other, 2, "'it!'s!!';nil\n'nil';'!x'\n", "[it's!]-;[nil][!x];");
    reads(&forced, 2, ",x\n\"\",\n", "[][x];[]-;");
    forced.force_null = first;
    forced.force_not_null = NULL;
    reads(&forced, 2, "\"\",\"\"\n", "-[];");
}

static void what_is_no_csv(void **state)
{
    (void)state;
    refuses(&csv, 1, slice_of_text("a\n\"b\nc"), "22P04",
            "line 3 of the data: a quoted value does not end");
    refuses(&csv, 2, slice_of_text("\"a\nb\",c\nd\n"), "22P04",
            "line 2 of the data: no value for column \"b\"");
    refuses(&csv, 1, slice_of_text("a\nb\r\n"), "22P04",
            "line 2 of the data: an unquoted carriage return");
    refuses(&csv, 1, slice_of_text("a\r\nb\n"), "22P04", "line 2 of the data: an unquoted newline");
}

static void a_header(void **state)
{
    (void)state;
    struct wire_copy skipped = csv, matched = csv, lines = text;
    skipped.header = matched.header = matched.header_match = lines.header = true;
    reads(&skipped, 2, "what,ever,it,says\n1,2\n", "[1][2];");
    reads(&skipped, 2, "a,b", "");
    reads(&lines, 1, "head\n1\n", "[1];");
    reads(&matched, 2, "a,\"b\"\n1,2\n", "[1][2];");
    refuses(&matched, 2, slice_of_text("b,a\n1,2\n"), "22P04",
            "the header does not name column \"a\" in its place");
    refuses(&matched, 2, slice_of_text("\\.\n"), "22P04", "line 1 of the data: there is no header");
    refuses(&matched, 2, slice_of_text("a\n1,2\n"), "22P04",
            "line 1 of the data: no value for column \"b\"");
}

#define HEAD "PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"

static void binary(void **state)
{
    (void)state;
    static const struct wire_copy copy = {.format = WIRE_COPY_BINARY};
    static const char rows[] = HEAD "\0\2\0\0\0\2xy\xff\xff\xff\xff\0\2\0\0\0\0\0\0\0\1z\xff\xff";
    for (size_t piece = 0; piece < 3; piece++) {
        struct outcome outcome = read_pieces(&copy, 2, slice_of(rows, sizeof rows - 1), piece);
        assert_int_equal(outcome.status, STATUS_NOT_FOUND);
        assert_string_equal(shown(&outcome.rows, outcome.row_count, 2), "[xy]-;[][z];");
        buffer_free(&outcome.rows);
    }
    refuses(&copy, 1, slice_of_literal("PGCOPX"), "22P04",
            "line 1 of the data: the signature of binary COPY is not there");
    refuses(&copy, 1, slice_of_literal("PGCOPY\n\xff\r\n\0\0\1\0\0\0\0\0\0"), "22P04",
            "line 1 of the data: the header has flags that are not known");
    refuses(&copy, 1, slice_of_literal(HEAD "\0\1\0\0\0\1x\0\2"), "22P04",
            "line 2 of the data: not as many values as columns");
    refuses(&copy, 1, slice_of_literal(HEAD "\0\1\x80\0\0\0"), "22P04",
            "line 1 of the data: a value's length is negative");
    refuses(&copy, 1, slice_of_literal(HEAD "\0\1\0\0\0\2x"), "22P04",
            "line 1 of the data: the data ends in the middle of it");
}

static void what_the_client_is_told(void **state)
{
    (void)state;
    static const struct wire_copy copy = {.format = WIRE_COPY_BINARY};
    struct buffer out;
    buffer_init(&out, 100);
    wire_put_copy_in(&out, &text, 2);
    assert_literal(&out, "G\0\0\0\x0b\0\0\2\0\0\0\0");
    buffer_clear(&out);
    wire_put_copy_in(&out, &copy, 1);
    assert_literal(&out, "G\0\0\0\x09\1\0\1\0\1");
    buffer_free(&out);
}

/* ---- by chance ---- */

static const char telling[] = "\\\\\\...N\",';|\t\n\r\n\b axn0197";

static struct slice random_bytes(size_t most)
{
    static uint8_t bytes[64];
    size_t len = chance((uint32_t)most);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)telling[chance(sizeof telling - 1)];
    return slice_of(bytes, len);
}

static struct wire_copy random_options(void)
{
    static const char *const nulls[] = {"", "\\N", "N", "nil", " "};
    struct wire_copy copy = chance(2) == 0 ? csv : text;
    copy.header = chance(4) == 0;
    copy.header_match = copy.header && chance(2) == 0;
    copy.null = nulls[chance(5)];
    copy.delimiter = ",;|\t"[chance(4)];
    copy.quote = "\"'"[chance(2)];
    copy.escape = chance(2) == 0 ? copy.quote : "\\!\"'"[chance(4)];
    return copy;
}

/* The bodies of the CopyData messages, one behind the other. */
static void unframe(const struct buffer *messages, struct buffer *data)
{
    for (size_t at = 0; at < messages->len;) {
        size_t len = load_u32be(messages->data + at + 1);
        if (messages->data[at] == 'd')
            buffer_append(data, messages->data + at + 5, len - 4);
        at += 1 + len;
    }
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct wire_copy copy = random_options();
        if (copy.format == WIRE_COPY_TEXT) /* another one could be a value, too */
            copy.null = "\\N";
        if (round % 10 == 0)
            copy = (struct wire_copy){.format = WIRE_COPY_BINARY};
        size_t count = 1 + chance(3), rows = chance(5);
        struct buffer values, messages, data;
        buffer_init(&values, 10000);
        buffer_init(&messages, 10000);
        buffer_init(&data, 10000);
        wire_put_copy_begin(&messages, &copy, names, count); /* with the header */
        for (size_t row = 0; row < rows; row++) {
            size_t start = values.len;
            for (size_t i = 0; i < count; i++) {
                struct slice value = random_bytes(8);
                bool null = chance(5) == 0;
                buffer_append_u32be(&values, null ? UINT32_MAX : (uint32_t)value.len);
                buffer_append(&values, value.data, null ? 0 : value.len);
            }
            wire_put_copy_row(&messages, &copy, slice_of(values.data + start, values.len - start),
                              count);
        }
        wire_put_copy_end(&messages, &copy);
        unframe(&messages, &data);
        struct outcome outcome =
            read_pieces(&copy, count, buffer_slice(&data), chance(2) == 0 ? 0 : 1000);
        assert_int_equal(outcome.status, STATUS_NOT_FOUND);
        assert_int_equal(outcome.row_count, rows);
        assert_bytes(&outcome.rows, values.data, values.len);
        buffer_free(&outcome.rows);
        buffer_free(&values);
        buffer_free(&messages);
        buffer_free(&data);
    }
}

/* Whatever comes: as a whole, byte by byte and in pieces it is the same. */
static void pieces_do_not_matter(void **state)
{
    (void)state;
    size_t good = 0;
    for (int round = 0; round < 20000; round++) {
        struct wire_copy copy = random_options();
        size_t count = 1 + chance(2);
        struct slice bytes = random_bytes(40), data = exact_copy(bytes.data, bytes.len);
        struct outcome whole = read_pieces(&copy, count, data, 1000);
        for (size_t piece = 0; piece < 3; piece++) {
            struct outcome pieces = read_pieces(&copy, count, data, piece);
            assert_int_equal(pieces.status, whole.status);
            assert_int_equal(pieces.row_count, whole.row_count);
            if (whole.status == STATUS_NOT_FOUND)
                assert_bytes(&pieces.rows, whole.rows.data, whole.rows.len);
            else
                assert_string_equal(pieces.error.message, whole.error.message);
            buffer_free(&pieces.rows);
        }
        good += whole.status == STATUS_NOT_FOUND && whole.row_count > 0;
        buffer_free(&whole.rows);
        exact_free(data);
    }
    assert_in_range(good, 1000, 19000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_text),
        cmocka_unit_test(what_is_no_text),
        cmocka_unit_test(lines_of_csv),
        cmocka_unit_test(what_is_no_csv),
        cmocka_unit_test(a_header),
        cmocka_unit_test(binary),
        cmocka_unit_test(what_the_client_is_told),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(pieces_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
