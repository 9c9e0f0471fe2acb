/* What `cofferdam check` recommends, and that it is silent where there is nothing to gain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "plan_fixture.h"

#define COLUMN(name_, not_null_, unique_, indexed_)                                                \
    {                                                                                              \
        .name = name_, .type_oid = 20, .type_name = "bigint", .type_category = 'N',                \
        .type_builtin = true, .not_null = not_null_, .unique = unique_, .indexed = indexed_,       \
        .deterministic = true                                                                      \
    }

static const char policy[] =
    "controller: {name: T, dpo: {name: D, email: d@e.example}}\n"
    "subjects:\n"
    "  person: {dataset: person, key: p}\n"
    "datasets:\n"
    "  person: {table: s.person, subject: {kind: person, key: p}, columns: {p: {}}}\n"
    "  orders: {table: s.orders, subject: {kind: person, key: p}, columns: {o: {}, p: {}}}\n"
    "  line: {table: s.line, subject: {kind: person, via: [{dataset: orders, on: o}]}, columns: "
    "{o: "
    "{}}}\n"
    "  again: {table: s.line, subject: {kind: person, via: [{dataset: orders, on: o}]}, columns: "
    "{o: {}}}\n"
    "partners: {}\n";

static char last_reason[1000]; /* of what was advised last */

static const char *advice_of(bool not_null, bool indexed, bool refers, double rows)
{
    static char text[4000];
    const struct catalog_column person[] = {COLUMN("p", true, true, true)};
    const struct catalog_column orders[] = {COLUMN("o", true, true, true),
                                            COLUMN("p", true, false, indexed)};
    const struct catalog_column line[] = {COLUMN("o", not_null, false, indexed)};
    const struct catalog_reference references[] = {{&line[0], 2, "o"}};
    const struct catalog_table tables[] = {
        {.schema = "s",
         .name = "person",
         .oid = 1,
         .kind = 'r',
         .columns = person,
         .column_count = 1,
         .rows = rows},
        {.schema = "s",
         .name = "orders",
         .oid = 2,
         .kind = 'r',
         .columns = orders,
         .column_count = 2,
         .rows = rows},
        {.schema = "s",
         .name = "line",
         .oid = 3,
         .kind = 'r',
         .columns = line,
         .column_count = 1,
         .references = references,
         .reference_count = refers,
         .rows = rows},
    };
    struct catalog *catalog = calloc(1, sizeof *catalog);
    struct model *model;
    struct error error = {0};
    struct table table;
    size_t len = 0;
    CHECK(catalog != NULL);
    arena_init(&catalog->arena, 4096);
    catalog->tables = tables;
    catalog->table_count = 3;
    if (plan_fixture_bind_to(policy, catalog, &model, &error) != STATUS_OK)
        fail_msg("no model: %s (%s)", error.message, error.hint);
    model_advise(model, &table);
    text[0] = 0;
    for (const struct table_row *row = table.first; row != NULL; row = row->next) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%s: %s\n", row->cells[0],
                                row->cells[1]);
        snprintf(last_reason, sizeof last_reason, "%s", row->cells[2]);
    }
    table_free(&table);
    model_release(model);
    return text;
}

static void test_nothing_to_gain(void **state)
{
    (void)state;
    assert_string_equal(advice_of(true, false, true, 10), "");
    assert_string_equal(advice_of(true, false, true, -1), "");
}

static void test_indexes_once_each(void **state)
{
    (void)state;
    const char *advice = advice_of(true, false, true, 50000);
    assert_non_null(strstr(advice, "orders: CREATE INDEX ON \"s\".\"orders\" (\"p\")\n"));
    const char *line = strstr(advice, "line: CREATE INDEX ON \"s\".\"line\" (\"o\")\n");
    assert_non_null(line);
    assert_null(strstr(strchr(line, '\n'), "CREATE INDEX"));
    assert_null(strstr(advice, "foreign key"));
}

static void test_stored_keys_of_large_tables(void **state)
{
    (void)state;
    assert_string_equal(advice_of(true, true, true, 50000),
                        "line: store the person's key (bigint) in a column of s.line, as its "
                        "subject's key\n"
                        "again: store the person's key (bigint) in a column of s.line, as its "
                        "subject's key\n");
    assert_non_null(
        strstr(last_reason, "; a foreign key of (\"o\", it) to s.orders (\"o\", \"p\")"));
}

static void test_foreign_keys(void **state)
{
    (void)state;
    static const char wanted[] = "line: column \"o\" of s.line NOT NULL, with a foreign key to "
                                 "s.orders (\"o\") that is validated and not deferrable\n";
    assert_non_null(strstr(advice_of(true, true, false, 10), wanted));
    assert_non_null(strstr(advice_of(false, true, true, 10), wanted));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_gain),
        cmocka_unit_test(test_indexes_once_each),
        cmocka_unit_test(test_stored_keys_of_large_tables),
        cmocka_unit_test(test_foreign_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
