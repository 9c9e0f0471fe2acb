/* Parse, Describe, Close, Execute: read whole or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exact.h"
#include "wire/wire.h"

#define PARSE "name\0select 1\0\0\2\0\0\0\x19\xff\xff\xff\xff"

static uint32_t types[LIMIT_PARAMETERS];

static void parse_gives_name_text_and_types(void **state)
{
    struct wire_parse parse;
    assert_int_equal(wire_parse_parse(slice_of_literal(PARSE), types, &parse, NULL), STATUS_OK);
    assert_string_equal(parse.name, "name");
    assert_string_equal(parse.sql, "select 1");
    assert_int_equal(parse.type_count, 2);
    assert_int_equal(parse.types[0], 25);
    assert_int_equal(parse.types[1], 0xffffffff);
}

static void parse_refuses_every_truncation_and_addition(void **state)
{
    struct wire_parse parse;
    char longer[sizeof PARSE] = PARSE;
    for (size_t len = 0; len <= sizeof PARSE; len++) {
        struct slice body = exact_copy(longer, len);
        enum status expected = len == sizeof PARSE - 1 ? STATUS_OK : STATUS_PEER;
        assert_int_equal(wire_parse_parse(body, types, &parse, NULL), expected);
        exact_free(body);
    }
}

static void parse_bounds_its_parameters(void **state)
{
    struct buffer body;
    struct wire_parse parse;
    struct error error;
    buffer_init(&body, 1000000);
    for (size_t count = LIMIT_PARAMETERS; count <= UINT16_MAX; count += 64535) {
        for (size_t given = count; given <= count + 1 && given <= UINT16_MAX; given++) {
            buffer_clear(&body);
            buffer_append(&body, "\0", 2);
            buffer_append_u16be(&body, (uint16_t)given);
            for (size_t i = 0; i < given; i++)
                buffer_append_u32be(&body, 25);
            enum status expected = given <= LIMIT_PARAMETERS ? STATUS_OK : STATUS_LIMIT;
            assert_int_equal(wire_parse_parse(buffer_slice(&body), types, &parse, &error),
                             expected);
        }
    }
    assert_string_equal(error.sqlstate, "54000");
    buffer_free(&body);
}

static void targets_are_statements_or_portals(void **state)
{
    struct wire_target target = {0};
    assert_int_equal(wire_parse_target(slice_of_literal("Sname\0"), &target, NULL), STATUS_OK);
    assert_int_equal(target.what, 'S');
    assert_string_equal(target.name, "name");
    assert_int_equal(wire_parse_target(slice_of_literal("P\0"), &target, NULL), STATUS_OK);
    assert_int_equal(target.what, 'P');
    assert_string_equal(target.name, "");
    static const char *const bad[] = {"", "S", "Sabc", "X\0", "Sa\0b"};
    static const size_t lengths[] = {0, 1, 4, 2, 4};
    for (size_t i = 0; i < 5; i++) {
        struct slice body = exact_copy(bad[i], lengths[i]);
        assert_int_equal(wire_parse_target(body, &target, NULL), STATUS_PEER);
        exact_free(body);
    }
}

static void execute_bounds_rows_or_not(void **state)
{
    struct wire_execute execute;
    assert_int_equal(wire_parse_execute(slice_of_literal("p\0\0\0\0\x05"), &execute, NULL),
                     STATUS_OK);
    assert_string_equal(execute.portal, "p");
    assert_int_equal(execute.max_rows, 5);
    assert_int_equal(wire_parse_execute(slice_of_literal("\0\xff\xff\xff\xff"), &execute, NULL),
                     STATUS_OK);
    assert_int_equal(execute.max_rows, 0);
    for (size_t len = 0; len < 6; len++) {
        struct slice body = exact_copy("p\0\0\0\0\x05", len);
        assert_int_equal(wire_parse_execute(body, &execute, NULL), STATUS_PEER);
        exact_free(body);
    }
    assert_int_equal(wire_parse_execute(slice_of_literal("p\0\0\0\0\5\0"), &execute, NULL),
                     STATUS_PEER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_gives_name_text_and_types),
        cmocka_unit_test(parse_refuses_every_truncation_and_addition),
        cmocka_unit_test(parse_bounds_its_parameters),
        cmocka_unit_test(targets_are_statements_or_portals),
        cmocka_unit_test(execute_bounds_rows_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
