/* Startup packets and libpq's options, as drivers and as attackers send them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "exact.h"
#include "wire/wire.h"

#define SESSION                                                                                    \
    "\0\3\0\0"                                                                                     \
    "user\0clinic\0database\0"                                                                     \
    "shop\0options\0-c a=b\0\0"

static enum status parse(const void *data, size_t len, struct wire_startup *startup,
                         struct error *error)
{
    struct slice body = exact_copy(data, len);
    enum status status = wire_parse_startup(body, startup, error);
    exact_free(body);
    return status;
}

static void a_session_names_its_parameters(void **state)
{
    struct wire_startup startup;
    assert_int_equal(wire_parse_startup(slice_of_literal(SESSION), &startup, NULL), STATUS_OK);
    assert_int_equal(startup.kind, WIRE_STARTUP_SESSION);
    assert_int_equal(startup.protocol, WIRE_PROTOCOL_3_0);
    assert_int_equal(startup.parameter_count, 3);
    assert_string_equal(wire_startup_value(&startup, "user"), "clinic");
    assert_string_equal(wire_startup_value(&startup, "database"), "shop");
    assert_string_equal(wire_startup_value(&startup, "options"), "-c a=b");
    assert_null(wire_startup_value(&startup, "replication"));
}

static void the_last_of_two_values_counts(void **state)
{
    struct wire_startup startup;
    assert_int_equal(
        wire_parse_startup(slice_of_literal("\0\3\0\0user\0a\0user\0b\0\0"), &startup, NULL),
        STATUS_OK);
    assert_string_equal(wire_startup_value(&startup, "user"), "b");
}

static void every_truncation_and_addition_is_refused(void **state)
{
    char bytes[sizeof SESSION + 1];
    struct wire_startup startup;
    memcpy(bytes, SESSION, sizeof SESSION - 1);
    for (size_t len = 0; len < sizeof SESSION - 1; len++)
        assert_int_equal(parse(bytes, len, &startup, NULL), STATUS_PEER);
    for (int byte = 0; byte < 256; byte++) {
        bytes[sizeof SESSION - 1] = (char)byte;
        assert_int_equal(parse(bytes, sizeof SESSION, &startup, NULL), STATUS_PEER);
    }
}

static void other_requests_have_their_exact_length(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum wire_startup_kind kind;
    } cases[] = {
        {"\x04\xd2\x16\x2f", 4, WIRE_STARTUP_SSL},
        {"\x04\xd2\x16\x30", 4, WIRE_STARTUP_GSSENC},
        {"\x04\xd2\x16\x2e\0\0\0\x07\xde\xad\xbe\xef", 12, WIRE_STARTUP_CANCEL},
    };
    for (size_t i = 0; i < 3; i++) {
        struct wire_startup startup = {.parameter_count = 9};
        char longer[16] = {0};
        memcpy(longer, cases[i].bytes, cases[i].len);
        for (size_t len = 0; len < cases[i].len; len++)
            assert_int_equal(parse(longer, len, &startup, NULL), STATUS_PEER);
        assert_int_equal(parse(longer, cases[i].len + 1, &startup, NULL), STATUS_PEER);
        assert_int_equal(startup.parameter_count, 9); /* not written on failure */
        assert_int_equal(parse(longer, cases[i].len, &startup, NULL), STATUS_OK);
        assert_int_equal(startup.kind, cases[i].kind);
        assert_null(wire_startup_value(&startup, "user"));
        if (startup.kind == WIRE_STARTUP_CANCEL) {
            assert_int_equal(startup.cancel_pid, 7);
            assert_int_equal(startup.cancel_secret, 0xdeadbeef);
        }
    }
}

static void minor_versions_pass_and_major_ones_do_not(void **state)
{
    struct wire_startup startup;
    struct error error;
    assert_int_equal(parse("\0\3\x27\x0f"
                           "user\0x\0",
                           12, &startup, NULL),
                     STATUS_OK);
    assert_int_equal(startup.protocol & 0xffff, 9999);
    static const char *const others[] = {"\0\2\0\0\0", "\0\4\0\0\0", "\x04\xd2\x16\x2d\0",
                                         "\0\0\0\0\0"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(parse(others[i], 5, &startup, &error), STATUS_PEER);
        assert_string_equal(error.sqlstate, "0A000");
    }
}

static void parameters_are_bounded(void **state)
{
    struct buffer body;
    struct wire_startup startup;
    buffer_init(&body, 10000);
    for (size_t count = WIRE_MAX_STARTUP_PARAMETERS; count <= WIRE_MAX_STARTUP_PARAMETERS + 1;
         count++) {
        buffer_clear(&body);
        buffer_append_u32be(&body, WIRE_PROTOCOL_3_0);
        for (size_t i = 0; i < count; i++)
            buffer_append(&body, "n\0v", 4);
        buffer_append_u8(&body, 0);
        assert_int_equal(wire_parse_startup(buffer_slice(&body), &startup, NULL),
                         count == WIRE_MAX_STARTUP_PARAMETERS ? STATUS_OK : STATUS_PEER);
    }
    buffer_free(&body);
}

/* Gathers "name=value;" into the buffer. */
static enum status gather(void *context, const char *name, const char *value, struct error *error)
{
    if (strcmp(name, "refused") == 0)
        return error_set(error, STATUS_DENIED, "42704", NULL, "refused");
    buffer_printf(context, "%s=%s;", name, value);
    return STATUS_OK;
}

static void options_are_split_as_postgresql_does(void **state)
{
    static const struct {
        const char *options, *settings; /* NULL: STATUS_PEER */
    } cases[] = {
        {"", ""},
        {"   ", ""},
        {"-c a=b", "a=b;"},
        {"  -c  a=b\t-ca=b\n--a=b ", "a=b;a=b;a=b;"},
        {"-c a=", "a=;"},
        {"-c a=b=c", "a=b=c;"},
        {"--statement-timeout=5", "statement_timeout=5;"},
        {"-c search-path=a-b", "search_path=a-b;"},
        {"-c a=b\\ c", "a=b c;"},
        {"-c a=b\\\\c", "a=b\\c;"},
        {"-c a=b\\ c\\\\", "a=b c\\;"},
        {"-c a=b\\", "a=b;"},
        {"-c", NULL},
        {"-c a", NULL},
        {"-c =b", NULL},
        {"--", NULL},
        {"--a", NULL},
        {"-d 5", NULL},
        {"a=b", NULL},
        {"-C a=b", NULL},
        {"-", NULL},
    };
    struct buffer settings;
    buffer_init(&settings, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        buffer_clear(&settings);
        enum status status = wire_parse_options(cases[i].options, gather, &settings, &error);
        if (cases[i].settings == NULL) {
            if (status != STATUS_PEER)
                fail_msg("\"%s\" was accepted: %s", cases[i].options, buffer_text(&settings));
            assert_true(error.hint[0] != '\0');
        } else {
            if (status != STATUS_OK)
                fail_msg("\"%s\" was refused", cases[i].options);
            assert_string_equal(buffer_text(&settings), cases[i].settings);
        }
    }
    buffer_free(&settings);
}

static void a_setting_refused_ends_the_walk(void **state)
{
    struct buffer settings;
    buffer_init(&settings, 1000);
    struct error error;
    assert_int_equal(wire_parse_options("-c a=1 -c refused=1 -c b=1", gather, &settings, &error),
                     STATUS_DENIED);
    assert_string_equal(error.sqlstate, "42704");
    assert_string_equal(buffer_text(&settings), "a=1;");
    buffer_free(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_names_its_parameters),
        cmocka_unit_test(the_last_of_two_values_counts),
        cmocka_unit_test(every_truncation_and_addition_is_refused),
        cmocka_unit_test(other_requests_have_their_exact_length),
        cmocka_unit_test(minor_versions_pass_and_major_ones_do_not),
        cmocka_unit_test(parameters_are_bounded),
        cmocka_unit_test(options_are_split_as_postgresql_does),
        cmocka_unit_test(a_setting_refused_ends_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
