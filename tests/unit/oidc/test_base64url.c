#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "oidc/base64url.h"

static void reads_the_one_way_to_write(void **state)
{
    static const struct {
        const char *text;
        const char *bytes; /* NULL: refused */
    } cases[] = {{"", ""},           {"Zg", "f"},         {"Zm8", "fo"},   {"Zm9v", "foo"},
                 {"Zm9vYg", "foob"}, {"__4", "\xff\xfe"}, {"Zh", NULL},    {"Zm9", NULL},
                 {"Zg==", NULL},     {"Z", NULL},         {"Zm9vY", NULL}, {"+/4", NULL},
                 {"Zm 8", NULL},     {"Zm8\n", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer out;
        buffer_init(&out, 64);
        enum status status = base64url_decode(slice_of_text(cases[i].text), &out);
        if (cases[i].bytes == NULL
                ? status != STATUS_INVALID
                : status != STATUS_OK || out.len != strlen(cases[i].bytes) ||
                      (out.len > 0 && memcmp(out.data, cases[i].bytes, out.len) != 0))
            fail_msg("\"%s\": %s, %zu bytes", cases[i].text, status_name(status), out.len);
        buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_the_one_way_to_write)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
