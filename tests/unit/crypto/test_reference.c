/* References: Crockford's check characters, and what people type instead of what was printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "crypto/reference.h"

static const uint8_t key[32] = {7}, other_key[32] = {8};

static void parses_to(const char *typed, const char *canonical)
{
    char reference[REFERENCE_ROOM] = "not written";
    enum status status = reference_parse(slice_of_text(typed), reference);
    if (status != STATUS_OK || strcmp(reference, canonical) != 0)
        fail_msg("%s: %s %s, not %s", typed, status_name(status), reference, canonical);
}

static void refuses(const char *typed)
{
    char reference[REFERENCE_ROOM] = "not written";
    enum status status = reference_parse(slice_of_text(typed), reference);
    if (status != STATUS_INVALID || strcmp(reference, "not written") != 0)
        fail_msg("%s: %s %s, not invalid", typed, status_name(status), reference);
}

/* crockford.com/base32.html: check values 0 to 36 and their symbols, in this order. The number n is
 * its own remainder here. */
static void has_the_published_check_symbols(void **state)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    static const char published[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";
    for (unsigned n = 0; n < 37; n++) {
        char reference[REFERENCE_ROOM];
        snprintf(reference, sizeof reference, "0000-0000-0000-0000-00%c%c-%c", digits[n / 32],
                 digits[n % 32], published[n]);
        parses_to(reference, reference);
        for (unsigned wrong = 0; wrong < 37; wrong++) {
            reference[25] = published[wrong];
            if (wrong != n)
                refuses(reference);
        }
    }
    /* The example that implementations agree on: 1234 is 16J, check D. */
    parses_to("0000-0000-0000-0000-016J-D", "0000-0000-0000-0000-016J-D");
    /* 32^20 - 1 = 2^100 - 1; 2^36 = 1 modulo 37, so 2^28 - 1 = 11 remains. */
    parses_to("zzzzzzzzzzzzzzzzzzzzb", "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-B");
}

static void forgives_what_people_type(void **state)
{
    static const char canonical[] = "0000-0000-0000-0000-016J-D";
    parses_to("0000000000000000016jd", canonical);
    parses_to(" 0000 0000 0000 0000 016J D ", canonical);
    parses_to("OOOO-oooo-0000-0000-0I6j-d", canonical);
    parses_to("0000-0000-0000-0000-0l6j-d", canonical);
    parses_to("0000-0000-0000-0000-0L6J--D", canonical);
}

static void refuses_what_is_none(void **state)
{
    refuses("");
    refuses("-");
    refuses("0000-0000-0000-0000-016J");     /* no check character */
    refuses("0000-0000-0000-0000-016J-DD");  /* one too many */
    refuses("0000-0000-0000-0000-01J6-D");   /* two exchanged */
    refuses("0000-0000-0000-0000-016J-D\n"); /* a control character */
    refuses("0000-0000-0000-0000-U16J-D");   /* U can only be the check character */
    refuses("0000-0000-0000-0000-*16J-D");
    refuses("0000-0000-0000-0000-016\xC3\x89-D");
    char reference[REFERENCE_ROOM];
    assert_int_equal(reference_parse(slice_of("0000-0000-0000-0000\0-016J-D", 27), reference),
                     STATUS_INVALID);
}

static void finds_every_single_slip(void **state)
{
    struct slice part = slice_of_text("slip");
    char right[REFERENCE_ROOM], wrong[REFERENCE_ROOM];
    reference_derive(key, &part, 1, right);
    for (size_t i = 0; i < strlen(right); i++) {
        for (const char *to = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; *to != '\0'; to++) {
            memcpy(wrong, right, sizeof wrong);
            wrong[i] = *to;
            if (right[i] != '-' && right[i] != *to)
                refuses(wrong);
        }
    }
}

static void derives_by_key_and_parts(void **state)
{
    struct slice parts[2] = {slice_of_text("1"), slice_of_text("23")};
    struct slice shifted[2] = {slice_of_text("12"), slice_of_text("3")};
    char reference[REFERENCE_ROOM], again[REFERENCE_ROOM];
    reference_derive(key, parts, 2, reference);
    assert_int_equal(strlen(reference), REFERENCE_ROOM - 1);
    parses_to(reference, reference);
    reference_derive(key, parts, 2, again);
    assert_string_equal(again, reference);
    reference_derive(key, shifted, 2, again);
    assert_string_not_equal(again, reference);
    reference_derive(other_key, parts, 2, again);
    assert_string_not_equal(again, reference);
}

static void derives_nothing_hard_to_type(void **state)
{
    for (uint32_t n = 0; n < 5000; n++) {
        struct slice part = slice_of(&n, sizeof n);
        char reference[REFERENCE_ROOM];
        reference_derive(key, &part, 1, reference);
        if (strpbrk(reference, "*~$=UOIL") != NULL)
            fail_msg("%u: %s", n, reference);
        parses_to(reference, reference);
    }
}

static void marks_by_key(void **state)
{
    uint8_t mark[REFERENCE_MARK_BYTES], again[REFERENCE_MARK_BYTES];
    reference_mark(key, "0000-0000-0000-0000-016J-D", mark);
    reference_mark(key, "0000-0000-0000-0000-016J-D", again);
    assert_memory_equal(mark, again, sizeof mark);
    reference_mark(other_key, "0000-0000-0000-0000-016J-D", again);
    assert_memory_not_equal(mark, again, sizeof mark);
    reference_mark(key, "0000-0000-0000-0000-016K-E", again);
    assert_memory_not_equal(mark, again, sizeof mark);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_published_check_symbols),
        cmocka_unit_test(forgives_what_people_type),
        cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(finds_every_single_slip),
        cmocka_unit_test(derives_by_key_and_parts),
        cmocka_unit_test(derives_nothing_hard_to_type),
        cmocka_unit_test(marks_by_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
