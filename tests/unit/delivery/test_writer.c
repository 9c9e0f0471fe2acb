/* Files of deliveries, byte for byte; and rows that are put aside come back as they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "delivery/writer.h"

static struct error error;
#define must(call)                                                                                 \
    do {                                                                                           \
        if ((call) != STATUS_OK)                                                                   \
            fail_msg("%s", error.message);                                                         \
    } while (0)

static int nameless(void)
{
    char name[] = "/tmp/cofferdam-writer-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    unlink(name);
    return fd;
}

static void writes(enum delivery_format format, const char *const *cells, const char *expected)
{
    static const struct delivery_column columns[] = {
        {"id", 20}, {"a, \"b\"", 25}, {"rate", 701}, {"dear", 16}, {"more", 3802}};
    struct delivery_writer *writer;
    char got[512] = "";
    int fd = nameless();
    must(delivery_writer_open(fd, format, columns, 5, &writer, &error));
    must(delivery_writer_row(writer, cells, &error));
    must(delivery_writer_finish(writer, &error));
    delivery_writer_close(writer);
    ssize_t len = pread(fd, got, sizeof got - 1, 0);
    assert_true(len >= 0);
    close(fd);
    assert_string_equal(got, expected);
}

static void writes_csv(void **state)
{
    (void)state;
    const char *const plain[] = {"1", "x", "0.5", "t", "{\"a\": 1}"};
    writes(DELIVERY_CSV, plain,
           "id,\"a, \"\"b\"\"\",rate,dear,more\r\n1,x,0.5,t,\"{\"\"a\"\": 1}\"\r\n");
    const char *const odd[] = {NULL, "", "NaN", NULL, "line\nline"};
    writes(DELIVERY_CSV, odd,
           "id,\"a, \"\"b\"\"\",rate,dear,more\r\n,\"\",NaN,,\"line\nline\"\r\n");
}

static void disarms_formulas(void **state)
{
    (void)state;
    const char *const cells[] = {"-1", "=HYPERLINK(\"x\")", "-0.5", "@a", "+44 7700 900123"};
    writes(DELIVERY_CSV_DISARMED, cells,
           "id,\"a, \"\"b\"\"\",rate,dear,more\r\n"
           "-1,\"'=HYPERLINK(\"\"x\"\")\",-0.5,'@a,'+44 7700 900123\r\n");
    const char *const plain[] = {"", "a=b", "\tx", "-", NULL};
    writes(DELIVERY_CSV_DISARMED, plain,
           "id,\"a, \"\"b\"\"\",rate,dear,more\r\n\"\",a=b,'\tx,'-,\r\n");
}

static void writes_json_lines(void **state)
{
    (void)state;
    const char *const plain[] = {"9007199254740993", "x \"y\"\\\n\t\x01", "0.5", "t", "{\"a\": 1}"};
    writes(DELIVERY_JSONL, plain,
           "{\"id\": 9007199254740993, \"a, \\\"b\\\"\": \"x \\\"y\\\"\\\\\\u000a\\u0009\\u0001\","
           " \"rate\": 0.5, \"dear\": true, \"more\": {\"a\": 1}}\n");
    const char *const odd[] = {NULL, "", "-Infinity", "f", NULL};
    writes(DELIVERY_JSONL, odd,
           "{\"id\": null, \"a, \\\"b\\\"\": \"\", \"rate\": \"-Infinity\", \"dear\": false,"
           " \"more\": null}\n");
}

static void keeps_rows_in_order(void **state)
{
    (void)state;
    enum { ROWS = 20000 };
    struct delivery_spool *spool;
    const char *const *cells;
    int fd = nameless();
    must(delivery_spool_open(fd, 3, &spool, &error));
    for (int i = 0; i < ROWS; i++) {
        char text[32];
        snprintf(text, sizeof text, "row %d", i);
        const char *const row[] = {text, i % 3 == 0 ? NULL : "x", ""};
        must(delivery_spool_add(spool, row, &error));
    }
    for (int round = 0; round < 2; round++) {
        must(delivery_spool_rewind(spool, &error));
        for (int i = 0; i < ROWS; i++) {
            char text[32];
            snprintf(text, sizeof text, "row %d", i);
            must(delivery_spool_next(spool, &cells, &error));
            assert_string_equal(cells[0], text);
            assert_true(i % 3 == 0 ? cells[1] == NULL : strcmp(cells[1], "x") == 0);
            assert_string_equal(cells[2], "");
        }
        assert_int_equal(delivery_spool_next(spool, &cells, &error), STATUS_NOT_FOUND);
    }
    delivery_spool_close(spool);
    close(fd);
}

static void keeps_nothing(void **state)
{
    (void)state;
    struct delivery_spool *spool;
    const char *const *cells;
    int fd = nameless();
    must(delivery_spool_open(fd, 3, &spool, &error));
    must(delivery_spool_rewind(spool, &error));
    assert_int_equal(delivery_spool_next(spool, &cells, &error), STATUS_NOT_FOUND);
    delivery_spool_close(spool);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_csv),        cmocka_unit_test(disarms_formulas),
        cmocka_unit_test(writes_json_lines), cmocka_unit_test(keeps_rows_in_order),
        cmocka_unit_test(keeps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
