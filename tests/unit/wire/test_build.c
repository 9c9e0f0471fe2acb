/* Built messages, byte by byte as the manual's "Message Formats" has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exact.h"
#include "wire/wire.h"

static struct buffer out;

static int setup(void **state)
{
    buffer_init(&out, 10000);
    return 0;
}

static int teardown(void **state)
{
    buffer_free(&out);
    return 0;
}

static void answers_to_clients(void **state)
{
    wire_put_empty(&out, '1');
    wire_put_authentication(&out, 0, slice_of(NULL, 0));
    wire_put_authentication(&out, 10, slice_of_literal("SCRAM-SHA-256\0\0"));
    wire_put_parameter_status(&out, "a", "bc");
    wire_put_backend_key(&out, 7, 0xdeadbeef);
    wire_put_ready(&out, 'I');
    wire_put_command_complete(&out, "SELECT 1");
    assert_literal(&out, "1\0\0\0\4"
                         "R\0\0\0\x08\0\0\0\0"
                         "R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"
                         "S\0\0\0\x09"
                         "a\0bc\0"
                         "K\0\0\0\x0c\0\0\0\7\xde\xad\xbe\xef"
                         "Z\0\0\0\5I"
                         "C\0\0\0\x0dSELECT 1\0");
}

static void reports_have_a_hint_or_none(void **state)
{
    wire_put_error(&out, "ERROR", "42501", "no", "do");
    wire_put_notice(&out, "NOTICE", "00000", "yes", "");
    wire_put_error(&out, "FATAL", "57P01", "", NULL);
    assert_literal(&out, "E\0\0\0\x22SERROR\0VERROR\0"
                         "C42501\0Mno\0Hdo\0\0"
                         "N\0\0\0\x21SNOTICE\0VNOTICE\0"
                         "C00000\0Myes\0\0"
                         "E\0\0\0\x1cSFATAL\0VFATAL\0"
                         "C57P01\0M\0\0");
}

static void negotiation_sends_the_whole_version(void **state)
{
    const char *const options[] = {"_pq_.a", "_pq_.b"};
    wire_put_negotiate(&out, 0, options, 2);
    wire_put_negotiate(&out, 2, NULL, 0);
    assert_literal(&out, "v\0\0\0\x1a\0\3\0\0\0\0\0\2_pq_.a\0_pq_.b\0"
                         "v\0\0\0\x0c\0\3\0\2\0\0\0\0");
}

static void tables_of_text(void **state)
{
    const char *const names[] = {"a", "bc"};
    const char *const cells[] = {NULL, ""};
    wire_put_text_row_description(&out, names, 2);
    wire_put_text_row(&out, cells, 2);
    wire_put_text_row(&out, names, 1);
    wire_put_text_row_description(&out, NULL, 0);
    assert_literal(&out, "T\0\0\0\x2f\0\2"
                         "a\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"
                         "bc\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"
                         "D\0\0\0\x0e\0\2\xff\xff\xff\xff\0\0\0\0"
                         "D\0\0\0\x0b\0\1\0\0\0\1a"
                         "T\0\0\0\6\0\0");
}

static void requests_upstream(void **state)
{
    const char *const pairs[] = {"user", "u", "database", "d"};
    const uint32_t types[] = {20, 0};
    wire_put_ssl_request(&out);
    wire_put_cancel_request(&out, 1, 2);
    wire_put_startup(&out, pairs, 2);
    wire_put_password(&out, slice_of_literal("n,,"));
    wire_put_query(&out, "select 1");
    wire_put_parse(&out, "s", "q", types, 2);
    wire_put_target(&out, 'D', 'S', "s");
    wire_put_execute(&out, "", 9);
    wire_put_sync(&out);
    assert_literal(&out, "\0\0\0\x08\x04\xd2\x16\x2f"
                         "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2"
                         "\0\0\0\x1b\0\3\0\0user\0u\0"
                         "database\0"
                         "d\0\0"
                         "p\0\0\0\7n,,"
                         "Q\0\0\0\x0dselect 1\0"
                         "P\0\0\0\x12s\0q\0\0\2\0\0\0\x14\0\0\0\0"
                         "D\0\0\0\7Ss\0"
                         "E\0\0\0\x09\0\0\0\0\x09"
                         "S\0\0\0\4");
}

/* What is built can be read again, frame by frame. */
static void built_messages_are_framed(void **state)
{
    wire_put_query(&out, "select 1");
    wire_put_sync(&out);
    wire_put_error(&out, "ERROR", "42501", "no", NULL);
    struct slice rest = buffer_slice(&out);
    const char expected[] = "QSE";
    for (size_t i = 0; i < 3; i++) {
        struct wire_message message;
        size_t needed;
        assert_int_equal(wire_next_message(rest, 1000, &message, &needed, NULL), STATUS_OK);
        assert_int_equal(message.type, expected[i]);
        rest = slice_of(rest.data + message.size, rest.len - message.size);
    }
    assert_int_equal(rest.len, 0);
}

static void a_full_buffer_overflows_and_does_no_harm(void **state)
{
    for (size_t limit = 0; limit < 13; limit++) {
        struct buffer small;
        buffer_init(&small, limit);
        wire_put_query(&small, "select 1");
        assert_true(small.overflowed);
        buffer_free(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_to_clients, setup, teardown),
        cmocka_unit_test_setup_teardown(reports_have_a_hint_or_none, setup, teardown),
        cmocka_unit_test_setup_teardown(negotiation_sends_the_whole_version, setup, teardown),
        cmocka_unit_test_setup_teardown(tables_of_text, setup, teardown),
        cmocka_unit_test_setup_teardown(requests_upstream, setup, teardown),
        cmocka_unit_test_setup_teardown(built_messages_are_framed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_buffer_overflows_and_does_no_harm, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
