/* The SQL of contact data: names are quoted, arrays escaped, and the role gets these columns only.
 * That a database understands it is shown in tests/integration/test_contact.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "contact/private.h"

static const char *const post[] = {"street", "post$code"};
static const struct policy_column columns[] = {{"id", NULL}};
static const struct policy_dataset datasets[] = {
    {.name = "people", .schema = "CRM", .table = "person", .columns = columns, .column_count = 1},
};
static const struct policy_kind kinds[] = {
    {.name = "customer",
     .dataset = "people",
     .key = "id",
     .contact =
         {.name = "street", .email = "Mail", .gone_away = "away", .post = post, .post_count = 2}},
    {.name = "visitor", .dataset = "people", .key = "id"},
};
static const struct policy policy = {
    .kinds = kinds, .kind_count = 2, .datasets = datasets, .dataset_count = 1};

static struct buffer sql;

static int start(void **state)
{
    buffer_init(&sql, 64 * 1024);
    return 0;
}

static int end(void **state)
{
    buffer_free(&sql);
    return 0;
}

static void has(const char *part)
{
    if (strstr(buffer_text(&sql), part) == NULL)
        fail_msg("no %s in: %s", part, buffer_text(&sql));
}

static void lacks(const char *part)
{
    if (strstr(buffer_text(&sql), part) != NULL)
        fail_msg("%s in: %s", part, buffer_text(&sql));
}

static void arrays_are_escaped(void **state)
{
    const char *const texts[] = {"1", "a\"b\\c", "x,{}", ""};
    contact_sql_array(&sql, texts, 4);
    assert_string_equal(buffer_text(&sql), "{\"1\",\"a\\\"b\\\\c\",\"x,{}\",\"\"}");
    buffer_clear(&sql);
    contact_sql_array(&sql, texts, 0);
    assert_string_equal(buffer_text(&sql), "{}");
}

static void names_are_quoted(void **state)
{
    contact_sql_identifier(&sql, "a\"b");
    assert_string_equal(buffer_text(&sql), "\"a\"\"b\"");
    buffer_clear(&sql);
    contact_sql_read(&policy, &kinds[0], "bigint", false, &sql);
    has("$1::text[]::bigint[]");
    has("\"CRM\".\"person\" AS t ON t.\"id\" = k.key ORDER BY k.at");
    has("t.\"Mail\"::text");
    has("t.\"post$code\"::text");
}

static void counting_reads_no_name_or_address(void **state)
{
    contact_sql_read(&policy, &kinds[0], "bigint", true, &sql);
    lacks("street");
    lacks("post$code");
    has("t.\"away\"::boolean");
    has("CASE WHEN btrim(t.\"Mail\"::text) <> '' THEN '' END");
}

static void the_role_gets_its_columns_once(void **state)
{
    struct config config = {.upstream.database = "crm"};
    struct error error;
    assert_int_equal(contact_grants(&config, &policy, &sql, &error), STATUS_OK);
    has("GRANT SELECT (\"id\", \"street\", \"Mail\", \"away\", \"post$code\") ON TABLE "
        "\"CRM\".\"person\" TO \"cofferdam_contact\";");
    has("GRANT CONNECT ON DATABASE \"crm\" TO \"cofferdam_contact\"");
    has("ALTER ROLE \"cofferdam_contact\" SET default_transaction_read_only = on;");
    buffer_clear(&sql);
    config.contact.user = "other";
    assert_int_equal(contact_grants(&config, &policy, &sql, &error), STATUS_OK);
    has("TO \"other\";");
    lacks("cofferdam_contact");
}

static void nothing_to_grant_is_an_error(void **state)
{
    struct policy none = policy;
    struct config config = {.upstream.database = "crm"};
    struct error error;
    none.kinds = &kinds[1];
    none.kind_count = 1;
    assert_int_equal(contact_grants(&config, &none, &sql, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "names no column"));
}

static void fields_without_a_column_cannot_be_matched(void **state)
{
    struct error error;
    assert_int_equal(contact_sql_match(&policy, &kinds[0], "phone", &sql, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "no column for the phone of a customer"));
    assert_int_equal(contact_sql_match(&policy, &kinds[0], "name and postcode", &sql, &error),
                     STATUS_OK);
    has("split_part(v.value, E'\\n', 1)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(arrays_are_escaped, start, end),
        cmocka_unit_test_setup_teardown(names_are_quoted, start, end),
        cmocka_unit_test_setup_teardown(counting_reads_no_name_or_address, start, end),
        cmocka_unit_test_setup_teardown(the_role_gets_its_columns_once, start, end),
        cmocka_unit_test_setup_teardown(nothing_to_grant_is_an_error, start, end),
        cmocka_unit_test_setup_teardown(fields_without_a_column_cannot_be_matched, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
