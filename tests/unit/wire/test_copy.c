/* COPY's three formats, byte by byte. What PostgreSQL itself writes is compared with in the
 * integration tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "exact.h"
#include "wire/copy.h"

static const struct wire_copy text = {.format = WIRE_COPY_TEXT, .delimiter = '\t', .null = "\\N"};
static const struct wire_copy csv = {
    .format = WIRE_COPY_CSV, .delimiter = ',', .quote = '"', .escape = '"', .null = ""};

/* The CopyData of one row of these values, without its header of five bytes; static. */
static const char *row(const struct wire_copy *copy, const char *first, const char *second,
                       size_t count)
{
    static char line[200];
    const char *const values[] = {first, second};
    struct buffer in, out;
    buffer_init(&in, 1000);
    buffer_init(&out, 1000);
    for (size_t i = 0; i < count; i++) {
        buffer_append_u32be(&in, values[i] == NULL ? UINT32_MAX : (uint32_t)strlen(values[i]));
        if (values[i] != NULL)
            buffer_append_text(&in, values[i]);
    }
    struct slice exact = exact_copy(in.data, in.len);
    wire_put_copy_row(&out, copy, exact, count);
    assert_int_equal(out.data[0], 'd');
    assert_int_equal(load_u32be(out.data + 1), out.len - 1);
    snprintf(line, sizeof line, "%.*s", (int)out.len - 5, (const char *)out.data + 5);
    exact_free(exact);
    buffer_free(&in);
    buffer_free(&out);
    return line;
}

static void lines_of_text(void **state)
{
    (void)state;
    struct wire_copy bar = text;
    bar.delimiter = '|';
    bar.null = "";
    assert_string_equal(row(&text, "a", NULL, 2), "a\t\\N\n");
    assert_string_equal(row(&text, "", "\\N", 2), "\t\\\\N\n");
    assert_string_equal(row(&text, "\b\f\n\r\t\v\x01", "\\.", 2),
                        "\\b\\f\\n\\r\\t\\v\x01\t\\\\.\n");
    assert_string_equal(row(&bar, "a|b\t", NULL, 2), "a\\|b\\t|\n");
    assert_string_equal(row(&text, NULL, NULL, 0), "\n");
}

static void lines_of_csv(void **state)
{
    (void)state;
    static const bool second[] = {false, true};
    struct wire_copy other = csv, forced = csv;
    other.delimiter = ';';
    other.quote = '\'';
    other.escape = '!';
    other.null = "nil";
    forced.force_quote = second;
    assert_string_equal(row(&csv, "a", NULL, 2), "a,\n");
    assert_string_equal(row(&csv, "", "a,b", 2), "\"\",\"a,b\"\n");
    assert_string_equal(row(&csv, "say \"hi\"", "x\ny", 2), "\"say \"\"hi\"\"\",\"x\ny\"\n");
    assert_string_equal(row(&csv, "\\.", NULL, 1),
                        "\"\\.\"\n"); /* alone: not the end of the data */
    assert_string_equal(row(&csv, "\\.", "b", 2), "\\.,b\n");
    assert_string_equal(row(&other, "it's!", "nil", 2), "'it!'s!!';'nil'\n");
    assert_string_equal(row(&other, "a,\"b", NULL, 2), "a,\"b;nil\n");
    assert_string_equal(row(&forced, "a", "b", 2), "a,\"b\"\n");
    assert_string_equal(row(&forced, "a", NULL, 2), "a,\n");
}

static void what_stands_around_the_rows(void **state)
{
    (void)state;
    static const char *const names[] = {"a\tb", "\\."};
    struct wire_copy with_header = text;
    struct buffer out;
    buffer_init(&out, 1000);
    with_header.header = true;
    wire_put_copy_begin(&out, &with_header, names, 2);
    wire_put_copy_end(&out, &with_header);
    assert_literal(&out, "H\0\0\0\x0b\0\0\2\0\0\0\0"
                         "d\0\0\0\x0d"
                         "a\\tb\t\\\\.\n"
                         "c\0\0\0\4");
    buffer_clear(&out);
    wire_put_copy_begin(&out, &text, names, 1);
    assert_literal(&out, "H\0\0\0\x09\0\0\1\0\0");
    buffer_free(&out);
}

static void binary(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b"};
    static const struct wire_copy copy = {.format = WIRE_COPY_BINARY};
    struct buffer out;
    buffer_init(&out, 1000);
    wire_put_copy_begin(&out, &copy, names, 2);
    wire_put_copy_row(&out, &copy, slice_of_literal("\0\0\0\2xy\xff\xff\xff\xff"), 2);
    wire_put_copy_end(&out, &copy);
    assert_literal(&out, "H\0\0\0\x0b\1\0\2\0\1\0\1"
                         "d\0\0\0\x17PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"
                         "d\0\0\0\x10\0\2\0\0\0\2xy\xff\xff\xff\xff"
                         "d\0\0\0\6\xff\xff"
                         "c\0\0\0\4");
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_text),
        cmocka_unit_test(lines_of_csv),
        cmocka_unit_test(what_stands_around_the_rows),
        cmocka_unit_test(binary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
