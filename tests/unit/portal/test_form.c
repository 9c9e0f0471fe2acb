/* Forms: what browsers post is read as they meant it, and nothing else is read at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "portal/form.h"

static void expect(const char *body, const char *name, enum status expected, const char *value)
{
    char text[16] = "not written";
    enum status status = form_value(slice_of_text(body), name, text, sizeof text);
    value = value == NULL ? "" : value; /* nothing is compared where nothing is found */
    if (status != expected || (status == STATUS_OK && strcmp(text, value) != 0))
        fail_msg("%s of \"%s\": %s \"%s\", not %s \"%s\"", name, body, status_name(status), text,
                 status_name(expected), value);
}

static void reads_fields(void **state)
{
    expect("a=1&b=2", "a", STATUS_OK, "1");
    expect("a=1&b=2", "b", STATUS_OK, "2");
    expect("a=1&a=2", "a", STATUS_OK, "1");
    expect("&&a=1&", "a", STATUS_OK, "1");
    expect("a=1=2", "a", STATUS_OK, "1=2");
    expect("a", "a", STATUS_OK, "");
    expect("a=", "a", STATUS_OK, "");
    expect("%61=x", "a", STATUS_OK, "x");
    expect("a=1", "b", STATUS_NOT_FOUND, NULL);
    expect("ab=1", "a", STATUS_NOT_FOUND, NULL);
    expect("a=1", "ab", STATUS_NOT_FOUND, NULL);
    expect("", "a", STATUS_NOT_FOUND, NULL);
}

static void decodes_values(void **state)
{
    expect("a=b+c%20d", "a", STATUS_OK, "b c d");
    expect("a=++b++", "a", STATUS_OK, "b");
    expect("a=%2B%26%3d", "a", STATUS_OK, "+&=");
    expect("a=L%C3%A9ger", "a", STATUS_OK, "L\xC3\xA9ger");
    expect("a=L\xC3\xA9ger", "a", STATUS_OK, "L\xC3\xA9ger");
    expect("a=%F0%9F%9A%97", "a", STATUS_OK, "\xF0\x9F\x9A\x97");
}

static void refuses_what_is_no_text(void **state)
{
    static const char *const bodies[] = {
        "a=%",         "a=%4",        "a=%zz",          "a=%4g",    "a=%00",  "a=%0d%0a",
        "a=%7f",       "a=%C2%85",    "a=%C3",          "a=%C3%28", "a=%80",  "a=%C0%80",
        "a=%E0%80%80", "a=%ED%A0%80", "a=%F4%90%80%80", "a=%FF",    "a=\x01", "a=%E2%80%A8",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        expect(bodies[i], "a", STATUS_INVALID, NULL);
}

static void bounds_values(void **state)
{
    expect("a=123456789012345", "a", STATUS_OK, "123456789012345");
    expect("a=1234567890123456", "a", STATUS_INVALID, NULL);
    expect("a=%31%32%33%34%35%36%37%38%39%30%31%32%33%34%35", "a", STATUS_OK, "123456789012345");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_fields),
        cmocka_unit_test(decodes_values),
        cmocka_unit_test(refuses_what_is_no_text),
        cmocka_unit_test(bounds_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
