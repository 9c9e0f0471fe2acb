/* Text: one line of UTF-8 without control characters and nothing else; and where UTF-8 ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/text.h"

static void check(const char *text, bool plain)
{
    if (text_is_plain(slice_of_text(text)) != plain)
        fail_msg("\"%s\" is %s", text, plain ? "plain" : "not plain");
}

static void words_are_plain(void **state)
{
    check("", true);
    check("a b", true);
    check("Zo\xc3\xab \xe6\xbc\xa2 \xf0\x9f\x90\xa6", true);
    check("\xf4\x8f\xbf\xbf", true); /* U+10FFFF */
}

static void controls_and_broken_bytes_are_not(void **state)
{
    static const char *const texts[] = {
        "a\nb", "a\rb", "\x01",     "\x7f",         "\xc2\x85",         "\xe2\x80\xa8",
        "\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe6\xbc",
        "\x80"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check(texts[i], false);
    assert_false(text_is_plain(slice_of("a\0b", 3)));
}

static void what_is_not_plain_becomes_blanks(void **state)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"caf\xc3\xa9 \"x\"", "caf\xc3\xa9 \"x\""},
        {"a\nby=b\r\n\x1b[31m\x7f", "a by=b   [31m "},
        {"\xc2\x9b"
         "31m\xe2\x80\xa8 \xff\xc3",
         "  31m      "},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s", pairs[i][0]);
        text_make_plain(text);
        assert_string_equal(text, pairs[i][1]);
        assert_true(text_is_plain(slice_of_text(text)));
    }
}

static void utf8_ends_where_it_breaks(void **state)
{
    assert_int_equal(text_utf8_len(slice_of("", 0)), 0);
    assert_int_equal(text_utf8_len(slice_of("a\n\0\x7f", 4)), 4);
    assert_int_equal(text_utf8_len(slice_of_text("\xc3\xab\xf4\x8f\xbf\xbf")), 6);
    assert_int_equal(text_utf8_len(slice_of_text("ab\xff\xc3\xab")), 2);
    assert_int_equal(text_utf8_len(slice_of_text("a\xc3")), 1);
    assert_int_equal(text_utf8_len(slice_of_text("a\xed\xa0\x80")), 1);
    assert_int_equal(text_utf8_len(slice_of_text("\xc0\x80")), 0);
}

static void addresses_are_as_people_write_them(void **state)
{
    static const char *const pairs[][2] = {{"::ffff:192.0.2.7", "192.0.2.7"},
                                           {"2001:db8::7", "2001:db8::7"},
                                           {"::1", "::1"},
                                           {"::192.0.2.7", "::192.0.2.7"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char text[INET6_ADDRSTRLEN];
        struct in6_addr address, again;
        assert_int_equal(inet_pton(AF_INET6, pairs[i][0], &address), 1);
        text_of_address(&address, text);
        assert_string_equal(text, pairs[i][1]);
        assert_true(text_to_address(text, &again));
        assert_memory_equal(&again, &address, sizeof address);
    }
    struct in6_addr ignored;
    assert_false(text_to_address("", &ignored));
    assert_false(text_to_address("192.0.2.7.", &ignored));
    assert_false(text_to_address("2001:db8:::7", &ignored));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_plain),
        cmocka_unit_test(controls_and_broken_bytes_are_not),
        cmocka_unit_test(what_is_not_plain_becomes_blanks),
        cmocka_unit_test(utf8_ends_where_it_breaks),
        cmocka_unit_test(addresses_are_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
