/* Forms: by looks, by the value, and by the grants that masked it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "trace/forms.h"

static const unsigned clear = FORM_CLEAR | FORM_OTHER;

static void by_looks(void **state)
{
    const struct {
        const char *text, *category;
        unsigned forms;
    } table[] = {
        {"t0123456789abcdef0123456789abcdef", "name", FORM_TOKEN},
        {"***", "phone", FORM_REDACT | FORM_LAST4},
        {"***0123", "phone", FORM_LAST4},
        {"A.", "name", FORM_INITIAL},
        {"A.", "email", clear},
        {"1987", "date_of_birth", FORM_YEAR},
        {"1987", "vehicle", clear | FORM_YEAR | FORM_BUCKET},
        {"1987-03-01", "date_of_birth", clear | FORM_MONTH},
        {"1987-03-02", "date_of_birth", clear},
        {"YO", "address", FORM_POSTCODE_AREA},
        {"YO", NULL, clear | FORM_POSTCODE_AREA},
        {"example.org", "email", FORM_DOMAIN},
        {"example.org", NULL, clear | FORM_DOMAIN},
        {"Ann", "name", clear},
        {"120", NULL, clear | FORM_BUCKET},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        unsigned forms = forms_by_looks(table[i].text, table[i].category);
        if (forms != table[i].forms)
            fail_msg("\"%s\": %x, expected %x", table[i].text, forms, table[i].forms);
    }
}

static void by_value(void **state)
{
    static const struct {
        const char *text, *value;
        unsigned forms;
    } table[] = {
        {"Ann Onymous", "ann onymous", FORM_CLEAR},
        {"Ann", "Anne", 0},
        {"+44 7700 900123", "07700 900123", FORM_CLEAR},
        {"+44 7700 900123", "07700 900124", 0},
        {"900123", "900123", FORM_CLEAR},
        {"22/11/1987", "1987-11-22", FORM_CLEAR},
        {"11/22/1987", "1987-11-22", 0},
        {"***0123", "+44 7700 900123", FORM_LAST4},
        {"***", "abcd", FORM_REDACT | FORM_LAST4},
        {"***", "abcde", FORM_REDACT},
        {"***\xC3\xA9lle", "ad\xC3\xA9lle", FORM_LAST4},
        {"A.", "Ann", FORM_INITIAL},
        {"a.", "Ann", 0},
        {"\xC3\x89.", "\xC3\x89mile", FORM_INITIAL},
        {"1987", "1987-11-22", FORM_YEAR},
        {"1987-11-01", "1987-11-22", FORM_MONTH},
        {"1987-11-01", "1987-11-01", FORM_CLEAR | FORM_MONTH},
        {"YO", " yo31 7HH", FORM_POSTCODE_AREA},
        {"M", "M1 1AA", FORM_POSTCODE_AREA},
        {"12", "12345", FORM_POSTCODE_AREA},
        {"example.org", "a@example.org", FORM_DOMAIN},
        {"b", "a@b@c", FORM_DOMAIN},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        unsigned forms = forms_by_value(table[i].text, table[i].value);
        if (forms != table[i].forms)
            fail_msg("\"%s\" of \"%s\": %x, expected %x", table[i].text, table[i].value, forms,
                     table[i].forms);
    }
}

/* What is too long to be masked here is compared in clear alone. */
static void long_values(void **state)
{
    char text[2 * FORM_TEXT_ROOM], masked[FORM_TEXT_ROOM];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_false(forms_apply(FORM_LAST4, text, masked));
    assert_int_equal(forms_by_value(text, text), FORM_CLEAR);
}

static const struct policy_column columns[] = {{"id", NULL}, {"phone", "phone"}, {"mail", "email"}};
static const struct policy_dataset datasets[] = {
    {.name = "person", .columns = columns, .column_count = 3}};
static const struct policy_granted_column first[] = {
    {.column = 0, .form = POLICY_FORM_CLEAR},
    {.column = 1, .form = POLICY_FORM_MASKED, .mask = "last4"}};
static const struct policy_granted_column second[] = {
    {.column = 1, .form = POLICY_FORM_MASKED, .mask = "redact"},
    {.column = 2, .form = POLICY_FORM_MASKED, .mask = "shorten"}};
static const struct policy_grant grants[] = {{.dataset = 0, .columns = first, .column_count = 2},
                                             {.dataset = 0, .columns = second, .column_count = 2}};
static const struct policy_partner partners[] = {
    {.name = "acme", .grants = grants, .grant_count = 2}};
static const struct policy_mask own[] = {{.name = "shorten", .sql = "left({column}, 3)"}};
static const struct policy policy = {.datasets = datasets,
                                     .dataset_count = 1,
                                     .masks = own,
                                     .mask_count = 1,
                                     .partners = partners,
                                     .partner_count = 1};

static void grants_tell_the_masks(void **state)
{
    assert_int_equal(forms_of_grants(&policy, "acme", "person", "phone"), FORM_LAST4 | FORM_REDACT);
    assert_int_equal(forms_of_grants(&policy, "acme", "person", "mail"), FORM_OTHER);
    /* Masked once, by a policy that is not there any more: any mask. */
    assert_int_equal(forms_of_grants(&policy, "acme", "person", "id"), FORM_MASKS);
    assert_int_equal(forms_of_grants(&policy, "gone", "person", "phone"), FORM_MASKS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_looks),
        cmocka_unit_test(by_value),
        cmocka_unit_test(long_values),
        cmocka_unit_test(grants_tell_the_masks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
