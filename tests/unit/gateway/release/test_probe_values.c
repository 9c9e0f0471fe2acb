/* What a constant or parameter is as a subject key: the text that the database has for it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/release/probe.h"

enum { INT2 = 21, INT4 = 23, INT8 = 20, TEXT = 25, VARCHAR = 1043, UUID = 2950, FLOAT8 = 701 };

static enum status key_of(const struct probe_value *value, char key[static 300])
{
    struct buffer out;
    struct error error;
    bool is_key = false;
    buffer_init(&out, 1000);
    enum status status = probe_key(value, &out, &is_key, &error);
    snprintf(key, 300, "%s", is_key ? buffer_text(&out) : "-");
    buffer_free(&out);
    return status;
}

static void expect(const struct probe_value *value, const char *wanted)
{
    char key[300];
    assert_int_equal(key_of(value, key), STATUS_OK);
    assert_string_equal(key, wanted);
}

static void expect_text(uint32_t key_type, uint32_t cast, const char *text, const char *wanted)
{
    expect(&(struct probe_value){.bytes = slice_of_text(text), .key_type = key_type, .cast = cast},
           wanted);
}

static void test_integers(void **state)
{
    static const char *const cases[][2] = {
        {"7", "7"},
        {"007", "7"},
        {" +7 ", "7"},
        {"-7", "-7"},
        {"-0", "0"},
        {"7.0", "7"},
        {"7e2", "700"},
        {"0x1f", "31"},
        {"0b101", "5"},
        {"-0o17", "-15"},
        {"1_000", "1000"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"9007199254740993", "9007199254740993"},
        {"9223372036854775808", "-"},
        {"7.5", "-"},
        {"seven", "-"},
        {"", "-"},
        {"inf", "-"},
        {"nan", "-"},
        {"0b", "-"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_text(INT8, 0, cases[i][0], cases[i][1]);
    expect_text(INT4, INT4, "7.5", "8");
    expect_text(INT4, INT2, "-7.5", "-8");
    expect_text(INT4, INT4, "7.4", "7");
}

static void test_other_texts(void **state)
{
    char longest[400];
    expect_text(TEXT, 0, " a'B ", " a'B ");
    expect_text(VARCHAR, 0, "", "");
    memset(longest, 'x', sizeof longest);
    longest[LIMIT_SUBJECT_KEY_BYTES + 1] = '\0';
    expect_text(TEXT, 0, longest, "-");
    expect_text(TEXT, 0, longest + 1, longest + 1);
    static const char *const uuids[] = {"6F9619FF-8B86-d011-b42d-00c04fc964ff",
                                        "{6f9619ff8b86d011b42d00c04fc964ff}",
                                        "6f96-19ff-8b86-d011-b42d-00c0-4fc9-64ff"};
    for (size_t i = 0; i < sizeof uuids / sizeof uuids[0]; i++)
        expect_text(UUID, 0, uuids[i], "6f9619ff-8b86-d011-b42d-00c04fc964ff");
    expect_text(UUID, 0, "6f9619ff-8b86-d011-b42d-00c04fc964f", "-");
    expect_text(UUID, 0, "6f9619ff-8b86-d011-b42d-00c04fc964ffa", "-");
    expect_text(UUID, 0, "6g9619ff-8b86-d011-b42d-00c04fc964ff", "-");
}

static void expect_binary(uint32_t type, uint32_t key_type, const char *bytes, size_t len,
                          const char *wanted)
{
    expect(
        &(struct probe_value){
            .bytes = slice_of(bytes, len), .binary = true, .type = type, .key_type = key_type},
        wanted);
}

static void test_binary(void **state)
{
    expect_binary(INT2, INT8, "\xff\xfe", 2, "-2");
    expect_binary(INT4, INT8, "\0\0\1\0", 4, "256");
    expect_binary(INT8, INT4, "\x80\0\0\0\0\0\0\0", 8, "-9223372036854775808");
    expect_binary(0, INT4, "\0\0\0\7", 4, "7");
    expect_binary(705, INT8, "\0\0\0\0\0\0\0\7", 8, "7");
    expect_binary(INT8, INT8, "\0\0\7", 3, "-");
    expect_binary(TEXT, TEXT, "a", 1, "a");
    expect_binary(VARCHAR, INT8, "12", 2, "12");
    expect_binary(UUID, UUID, "\x6f\x96\x19\xff\x8b\x86\xd0\x11\xb4\x2d\0\xc0\x4f\xc9\x64\xff", 16,
                  "6f9619ff-8b86-d011-b42d-00c04fc964ff");
}

static void test_binary_forms_that_are_not_read(void **state)
{
    char key[300];
    const struct probe_value values[] = {
        {slice_of("\0\0\0\0\0\0\0\0", 8), true, FLOAT8, INT8, 0},
        {slice_of("\0\0", 2), true, UUID, UUID, 0},
        {slice_of("\0\0\0\7", 4), true, INT4, TEXT, 0},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_int_equal(key_of(&values[i], key), STATUS_DENIED);
}

/* ---- arrays ---- */

static enum status join(void *context, const struct probe_value *element, struct error *error)
{
    struct buffer *out = context;
    buffer_append_text(out, "<");
    buffer_append(out, element->bytes.data, element->bytes.len);
    buffer_append_text(out, ">");
    return STATUS_OK;
}

static void expect_elements(const struct probe_value *array, const char *wanted)
{
    struct buffer scratch, out;
    struct error error;
    buffer_init(&scratch, 1000);
    buffer_init(&out, 1000);
    buffer_append_text(&out, "");
    assert_int_equal(probe_elements(array, &scratch, join, &out, &error), STATUS_OK);
    assert_string_equal(buffer_text(&out), wanted);
    buffer_free(&scratch);
    buffer_free(&out);
}

static void test_array_texts(void **state)
{
    static const char *const cases[][2] = {
        {"{}", ""},
        {"{7}", "<7>"},
        {"{7, 8 ,\t9}", "<7><8><9>"},
        {"{NULL,null,\"NULL\",7}", "<NULL><7>"},
        {"{\"a,b\",\"c\\\"}\",d\\,e}", "<a,b><c\"}><d,e>"},
        {"{\"\",\" x \"}", "<>< x >"},
        {"{a b , c}", "<a b><c>"},
        {"{{1,2},{3,4}}", "<1><2><3><4>"},
        {"[0:1]={7,8}", "<7><8>"},
        {"7", ""},
        {"", ""},
        {"{7", "<7>"},
        {"{\"7", "<7>"},
        {"{7\\", "<7\\>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_elements(&(struct probe_value){.bytes = slice_of_text(cases[i][0])}, cases[i][1]);
}

static void test_binary_arrays(void **state)
{
    static const char two[] = "\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\3\0\0\0\1"
                              "\0\0\0\1a\xff\xff\xff\xff\0\0\0\2bc";
    static const char none[] = "\0\0\0\0\0\0\0\0\0\0\0\x19";
    static const char huge[] = "\0\0\0\2\0\0\0\0\0\0\0\x19\x7f\xff\xff\xff\0\0\0\1"
                               "\x7f\xff\xff\xff\0\0\0\1";
    expect_elements(&(struct probe_value){.bytes = slice_of(two, sizeof two - 1), .binary = true},
                    "<a><bc>");
    expect_elements(&(struct probe_value){.bytes = slice_of(two, sizeof two - 2), .binary = true},
                    "<a>");
    expect_elements(&(struct probe_value){.bytes = slice_of(none, sizeof none - 1), .binary = true},
                    "");
    expect_elements(&(struct probe_value){.bytes = slice_of(huge, sizeof huge - 1), .binary = true},
                    "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),    cmocka_unit_test(test_other_texts),
        cmocka_unit_test(test_binary),      cmocka_unit_test(test_binary_forms_that_are_not_read),
        cmocka_unit_test(test_array_texts), cmocka_unit_test(test_binary_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
