/* Plans of what is about a session or wraps a query: COPY, cursors, prepared statements; and texts
 * that hold several statements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "plan_fixture.h"

static void test_a_copy_is_its_query(void **state)
{
    (void)state;
    struct plan *query = plan_accepted("acme.app", "SELECT * FROM model");
    struct plan *copy = plan_accepted("acme.app", "COPY model TO STDOUT");
    assert_int_equal(copy->kind, PLAN_QUERY);
    assert_string_equal(copy->command, "COPY");
    assert_int_equal(copy->visible_count, query->visible_count);
    assert_int_equal(copy->fence_count, 1);
    plan_has_not(copy, "COPY");
    plan_release(query);
    plan_release(copy);
    copy = plan_accepted("acme.app", "COPY (SELECT city FROM customer) TO STDOUT");
    assert_int_equal(copy->hidden_count, 1);
    plan_release(copy);
}

static void test_copy_options(void **state)
{
    (void)state;
    struct plan *plan = plan_accepted("acme.app", "COPY (SELECT 1 AS a, 2 AS b) TO STDOUT (FORMAT "
                                                  "csv, HEADER, NULL 'x', QUOTE '''', "
                                                  "FORCE_QUOTE (b))");
    assert_int_equal(plan->copy->format, WIRE_COPY_CSV);
    assert_true(plan->copy->header);
    assert_int_equal(plan->copy->delimiter, ',');
    assert_int_equal(plan->copy->quote, '\'');
    assert_int_equal(plan->copy->escape, '\''); /* the quote, where it is not given */
    assert_string_equal(plan->copy->null, "x");
    assert_false(plan->copy->force_quote[0]);
    assert_true(plan->copy->force_quote[1]);
    plan_release(plan);
    plan = plan_accepted("acme.app", "COPY (SELECT 1) TO STDOUT");
    assert_int_equal(plan->copy->delimiter, '\t');
    assert_string_equal(plan->copy->null, "\\N");
    assert_null(plan->copy->force_quote);
    plan_release(plan);
    plan_refused("acme.app", "COPY model FROM STDIN", "0A000", "COPY FROM");
    plan_refused("acme.app", "COPY customer (city) FROM STDIN", "42501", "INSERT");
    plan_refused("acme.app", "COPY (SELECT 1) TO PROGRAM 'x'", "42501", "program");
    plan_refused("acme.app", "COPY (SELECT $1::int) TO STDOUT", "42P02", "parameters");
    plan_refused("acme.app", "COPY (SELECT 1) TO STDOUT (HEADER match)", "22023", "boolean");
}

static void test_cursors(void **state)
{
    (void)state;
    struct plan *plan = plan_accepted("acme.app", "DECLARE \"A c\" BINARY INSENSITIVE CURSOR WITH "
                                                  "HOLD FOR SELECT city FROM customer");
    assert_int_equal(plan->kind, PLAN_DECLARE);
    assert_string_equal(plan->name, "A c");
    assert_true(plan->cursor.hold && plan->cursor.binary);
    assert_int_equal(plan->hidden_count, 1);
    assert_int_equal(strncmp(plan->sql, "SELECT", 6), 0); /* the gateway puts DECLARE before it */
    plan_release(plan);
    static const struct {
        const char *sql;
        bool moves;
        int64_t count;
    } fetches[] = {{"FETCH c", false, 1},           {"FETCH NEXT FROM c", false, 1},
                   {"FETCH 7 IN c", false, 7},      {"FETCH FORWARD 0 FROM c", false, 0},
                   {"FETCH ALL c", false, -1},      {"MOVE FORWARD ALL FROM c", true, -1},
                   {"MOVE FORWARD FROM c", true, 1}};
    for (size_t i = 0; i < sizeof fetches / sizeof *fetches; i++) {
        plan = plan_accepted("acme.app", fetches[i].sql);
        if (plan->kind != PLAN_FETCH || plan->cursor.moves != fetches[i].moves ||
            plan->cursor.count != fetches[i].count)
            fail_msg("%s: moves %d, count %lld", fetches[i].sql, plan->cursor.moves,
                     (long long)plan->cursor.count);
        assert_string_equal(plan->name, "c");
        plan_release(plan);
    }
    plan = plan_accepted("acme.app", "CLOSE ALL");
    assert_int_equal(plan->kind, PLAN_CLOSE);
    assert_null(plan->name);
    plan_release(plan);
    plan_refused("acme.app", "DECLARE c SCROLL CURSOR FOR SELECT 1", "0A000", "go back");
    plan_refused("acme.app", "FETCH PRIOR FROM c", "0A000", "forward");
    plan_refused("acme.app", "FETCH FORWARD -2 FROM c", "0A000", "forward");
    plan_refused("acme.app", "DECLARE c CURSOR FOR SELECT secret FROM customer", "42703", "");
}

static void test_prepared_statements(void **state)
{
    (void)state;
    struct plan *plan = plan_accepted("acme.app", "PREPARE p (int, text[], unknown) AS SELECT $1");
    assert_int_equal(plan->kind, PLAN_PREPARE);
    assert_string_equal(plan->preparation.sql, "SELECT $1");
    assert_int_equal(plan->preparation.type_count, 3);
    assert_int_equal(plan->preparation.types[0], 23);
    assert_int_equal(plan->preparation.types[1], 1009);
    assert_int_equal(plan->preparation.types[2], 0);
    plan_release(plan);
    plan = plan_accepted("acme.app", "EXECUTE p (-5, NULL, 'it''s', true, '7'::int8, 1.50)");
    static const struct plan_argument wanted[] = {{"-5", 0},   {NULL, 0}, {"it's", 0},
                                                  {"true", 0}, {"7", 20}, {"1.50", 0}};
    assert_int_equal(plan->argument_count, 6);
    for (size_t i = 0; i < 6; i++) {
        if (wanted[i].text == NULL)
            assert_null(plan->arguments[i].text);
        else
            assert_string_equal(plan->arguments[i].text, wanted[i].text);
        assert_int_equal(plan->arguments[i].type, wanted[i].type);
    }
    plan_release(plan);
    plan = plan_accepted("acme.app", "DEALLOCATE \"A b\"");
    assert_string_equal(plan->name, "A b");
    plan_release(plan);
    plan_refused("acme.app", "EXECUTE p (1 + 1)", "0A000", "constant");
    plan_refused("acme.app", "EXECUTE p ('x'::regclass)", "0A000", "constant");
    plan_refused("acme.app", "EXECUTE p ($1)", "0A000", "constant");
    plan_refused("acme.app", "PREPARE p (regclass) AS SELECT 1", "42501", "$1");
    plan_refused("acme.app", "PREPARE p AS VACUUM", "42601", "");
}

static void expect_parts(const char *sql, const char *expected)
{
    struct plan_part parts[4];
    struct error error;
    size_t count;
    char text[200] = "";
    assert_int_equal(plan_split(sql, 1000, 100, parts, 4, &count, &error), STATUS_OK);
    for (size_t i = 0; i < count && i < 4; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "[%.*s]", (int)parts[i].len,
                       sql + parts[i].at);
    assert_string_equal(text, expected);
}

static void test_several_statements(void **state)
{
    (void)state;
    struct plan_part parts[1];
    struct error error;
    size_t count;
    expect_parts("", "");
    expect_parts(" ; ;", "");
    expect_parts("SELECT 1", "[SELECT 1]");
    expect_parts("SELECT 1; SELECT ';' ;", "[SELECT 1][ SELECT ';' ]");
    expect_parts("SELECT 1 /* ; */; -- ;\nSELECT $$;$$", "[SELECT 1 /* ; */][ -- ;\nSELECT $$;$$]");
    assert_int_equal(
        plan_split("SELECT 1; SELECT 2; SELECT 3", 1000, 100, parts, 1, &count, &error), STATUS_OK);
    assert_int_equal(count, 3);
    assert_int_equal(plan_split("SELECT 1; SELEC 2", 1000, 100, parts, 1, &count, &error),
                     STATUS_DENIED);
    assert_string_equal(error.sqlstate, "42601");
    assert_int_equal(plan_split("SELECT 1; SELECT 2", 10, 100, parts, 1, &count, &error),
                     STATUS_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_copy_is_its_query),
        cmocka_unit_test(test_copy_options),
        cmocka_unit_test(test_cursors),
        cmocka_unit_test(test_prepared_statements),
        cmocka_unit_test(test_several_statements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
