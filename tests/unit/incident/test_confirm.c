/* Lists of what was taken: which column is what, and what a line says of a person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "incident/confirm_private.h"

static const struct policy_kind kinds[] = {
    {.name = "customer",
     .dataset = "customer",
     .key = "customer_id",
     .contact = {.name = "holder", .email = "mail_to"}},
    {.name = "enquirer", .dataset = "enquirer", .key = "enquirer_id"},
    {.name = "driver", .dataset = "driver", .key = "enquirer_id"},
};
static const struct policy policy = {.kinds = kinds, .kind_count = 3};
static struct arena arena;

static int start(void **state)
{
    arena_init(&arena, 1024 * 1024);
    return 0;
}

static int end(void **state)
{
    arena_free(&arena);
    return 0;
}

/* The first line of the text as a header: "key kind email phone name postcode", a digit or - each,
 * then the key's kind. */
static const char *header_of(const char *text, struct confirm_header *header)
{
    static char shown[64];
    struct csv csv;
    struct csv_row row;
    struct error error = {0};
    assert_int_equal(csv_open(&csv, slice_of_text(text), &error), STATUS_OK);
    assert_int_equal(csv_next(&csv, &row, &error), STATUS_OK);
    if (confirm_read_header(&policy, &row, header, &error) != STATUS_OK) {
        csv_close(&csv);
        return "refused";
    }
    for (size_t i = 0; i < CONFIRM_COLUMNS; i++)
        shown[i] = header->at[i] == SIZE_MAX ? '-' : (char)('0' + header->at[i]);
    snprintf(shown + CONFIRM_COLUMNS, sizeof shown - CONFIRM_COLUMNS, " %s%s",
             header->kind == CONFIRM_ANY_KIND ? "any" : kinds[header->kind].name,
             header->is_data ? " data" : "");
    csv_close(&csv);
    return shown;
}

static void columns_are_told_by_their_names(void **state)
{
    static const char *const cases[][2] = {
        {"customer_id\n", "0----- customer"},
        {"x,Customer ID,E-Mail\n", "1-2--- customer"},
        {"customer.customer_id;phone\n", "0--1-- customer"},
        {"driver.enquirer_id\n", "0----- driver"},
        {"enquirer_id\n", "0----- any"}, /* of two kinds */
        {"kind,key,tier\n", "10---- any"},
        {"token\n", "0----- any"},
        {"Full Name,Post Code,x\n", "----01 any"},
        {"holder,zip\n", "----01 any"},
        {"mail_to,a,b\n", "--0--- any"},
        {"4711\n", "0----- any data"},
        {"name,city\n", "refused"}, /* a name alone is nobody's */
        {"a,b\n", "refused"},
    };
    struct confirm_header header;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(header_of(cases[i][0], &header), cases[i][1]);
}

static enum status read_line(const char *head, const char *text, struct confirm_line *line,
                             struct error *error)
{
    struct confirm_header header;
    struct csv csv;
    struct csv_row row;
    header_of(head, &header);
    assert_int_equal(csv_open(&csv, slice_of_text(text), error), STATUS_OK);
    assert_int_equal(csv_next(&csv, &row, error), STATUS_OK);
    enum status status = confirm_read_line(&policy, &header, &row, &arena, line, error);
    csv_close(&csv);
    return status;
}

static void lines_say_who_may_be_meant(void **state)
{
    static const char token[] = "t0123456789abcdef0123456789abcdef";
    struct confirm_line line;
    struct error error = {0};
    assert_int_equal(read_line("customer_id,email,name,postcode\n",
                               " 42 ,a@example.org,Ann Lee,BA1 1AA\n", &line, &error),
                     STATUS_OK);
    assert_string_equal(line.key, "42");
    assert_null(line.token);
    assert_string_equal(line.email, "a@example.org");
    assert_string_equal(line.name_postcode, "Ann Lee\nBA1 1AA");
    assert_int_equal(line.kind, 0);
    assert_int_equal(read_line("key\n", token, &line, &error), STATUS_OK);
    assert_string_equal(line.token, token);
    assert_null(line.key);
    assert_int_equal(line.kind, CONFIRM_ANY_KIND);
    assert_int_equal(read_line("1\n", "a@example.org", &line, &error), STATUS_OK);
    assert_string_equal(line.email, "a@example.org");
    assert_int_equal(read_line("key,name,postcode\n", " ,Ann\n", &line, &error), STATUS_OK);
    assert_null(line.key);
    assert_null(line.name_postcode);
}

static void kinds_are_the_policys(void **state)
{
    struct confirm_line line;
    struct error error = {0};
    assert_int_equal(read_line("kind,key\n", "driver,1\n", &line, &error), STATUS_OK);
    assert_int_equal(line.kind, 2);
    assert_int_equal(read_line("kind,key\n", "secret-value,1\n", &line, &error), STATUS_INVALID);
    assert_string_equal(error.message, "line 1: no such kind of person");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(columns_are_told_by_their_names, start, end),
        cmocka_unit_test_setup_teardown(lines_say_who_may_be_meant, start, end),
        cmocka_unit_test_setup_teardown(kinds_are_the_policys, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
