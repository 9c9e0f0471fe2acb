/* Statuses: error texts are whole, terminated, and cut at a character's edge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/status.h"

static bool is_utf8(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != 0;) {
        size_t more = *at < 0x80 ? 0 : *at < 0xC0 ? 9 : *at < 0xE0 ? 1 : *at < 0xF0 ? 2 : 3;
        if (more == 9)
            return false;
        for (at++; more > 0; more--, at++)
            if ((*at & 0xC0) != 0x80)
                return false;
    }
    return true;
}

static const char *repeat(const char *unit, size_t lead, size_t count)
{
    static char text[4096];
    memset(text, 'a', lead);
    text[lead] = '\0';
    for (size_t i = 0; i < count; i++)
        memcpy(text + lead + i * strlen(unit), unit, strlen(unit) + 1);
    return text;
}

static void fills_all_fields_and_returns_the_status(void **state)
{
    struct error error;
    assert_int_equal(error_set(&error, STATUS_DENIED, "42501", "ask", "no %s", "way"),
                     STATUS_DENIED);
    assert_int_equal(error.status, STATUS_DENIED);
    assert_string_equal(error.sqlstate, "42501");
    assert_string_equal(error.message, "no way");
    assert_string_equal(error.hint, "ask");
    assert_int_equal(error_set(&error, STATUS_LIMIT, "54000", NULL, "x"), STATUS_LIMIT);
    assert_string_equal(error.hint, "");
    assert_int_equal(error_set(NULL, STATUS_IO, "58030", NULL, "x"), STATUS_IO);
}

static void long_texts_end_on_a_whole_character(void **state)
{
    static const char *const units[] = {"é", "€", "𝄞"};
    struct error error;
    for (size_t unit = 0; unit < 3; unit++)
        for (size_t lead = 0; lead < 8; lead++) {
            error_set(&error, STATUS_IO, "58030", repeat(units[unit], lead, 300), "%s",
                      repeat(units[unit], lead, 300));
            size_t room = sizeof error.message - 1, wide = strlen(units[unit]);
            assert_true(is_utf8(error.message));
            assert_true(is_utf8(error.hint));
            assert_int_equal(strlen(error.message), room - (room - lead) % wide);
            assert_int_equal(strlen(error.hint), strlen(error.message));
        }
}

static void a_text_that_just_fits_is_not_cut(void **state)
{
    struct error error;
    const char *text = repeat("é", 1, (sizeof error.message - 2) / 2);
    assert_int_equal(strlen(text), sizeof error.message - 1);
    error_set(&error, STATUS_IO, "58030", NULL, "%s", text);
    assert_string_equal(error.message, text);
}

static void prefix_goes_before_and_keeps_characters_whole(void **state)
{
    struct error error;
    error_set(&error, STATUS_IO, "58030", NULL, "inner");
    error_prefix(&error, "outer %d", 7);
    assert_string_equal(error.message, "outer 7: inner");
    for (size_t lead = 0; lead < 4; lead++) {
        error_set(&error, STATUS_IO, "58030", NULL, "%s", repeat("€", lead, 300));
        error_prefix(&error, "p");
        assert_true(is_utf8(error.message));
        assert_true(strlen(error.message) > sizeof error.message - 4);
        error_prefix(&error, "%s", repeat("€", lead, 300));
        assert_true(is_utf8(error.message));
    }
    error_prefix(NULL, "fine");
}

static void errno_is_spelled_out(void **state)
{
    struct error error;
    assert_int_equal(error_set_errno(&error, ENOENT, "/a/%s", "b"), STATUS_IO);
    assert_string_equal(error.message, "/a/b: No such file or directory");
    assert_string_equal(error.sqlstate, "58030");
    error_set_errno(&error, ENOENT, "%s", repeat("€", 1, 300));
    assert_true(is_utf8(error.message));
    assert_non_null(strstr(error.message, ": No such file or directory"));
    assert_int_equal(error_set_errno(NULL, ENOENT, "x"), STATUS_IO);
    assert_string_equal(error.hint, "");
}

static void errno_comes_with_what_to_do(void **state)
{
    struct error error;
    char user[32];
    snprintf(user, sizeof user, "as user %u,", (unsigned)geteuid());
    error_set_errno(&error, EACCES, "/a");
    assert_non_null(strstr(error.hint, user));
    error_set_errno(&error, ENOSPC, "/a");
    assert_non_null(strstr(error.hint, "df"));
    error_set_errno(&error, EROFS, "/a");
    assert_non_null(strstr(error.hint, "dmesg"));
}

static void every_status_has_a_name(void **state)
{
    for (int status = STATUS_OK; status <= STATUS_NOMEM; status++)
        assert_string_not_equal(status_name(status), "unknown");
    assert_string_equal(status_name(STATUS_NOMEM + 1), "unknown");
    assert_string_equal(status_name(-1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_all_fields_and_returns_the_status),
        cmocka_unit_test(long_texts_end_on_a_whole_character),
        cmocka_unit_test(a_text_that_just_fits_is_not_cut),
        cmocka_unit_test(prefix_goes_before_and_keeps_characters_whole),
        cmocka_unit_test(errno_is_spelled_out),
        cmocka_unit_test(errno_comes_with_what_to_do),
        cmocka_unit_test(every_status_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
