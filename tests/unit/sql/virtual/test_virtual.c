#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "plan_fixture.h"

static const char login[] = "acme.app";

/* Statements over the catalogue, and how many columns they have. */
static const struct {
    const char *sql;
    size_t columns;
    const char *last; /* name of the last column */
} accepted[] = {
    {"SELECT relname FROM pg_class", 1, "relname"},
    {"SELECT * FROM pg_namespace", 5, "tableoid"},
    {"SELECT n.*, 1 AS one FROM pg_catalog.pg_namespace n", 6, "one"},
    {"SELECT * FROM pg_namespace JOIN pg_am USING (oid)", 9, "tableoid"},
    {"SELECT * FROM (SELECT oid, nspname FROM pg_namespace) AS s (a)", 2, "nspname"},
    {"WITH t(a, b) AS (SELECT oid, nspname FROM pg_namespace) SELECT * FROM t", 2, "b"},
    {"WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) "
     "SELECT * FROM t, pg_enum",
     6, "tableoid"},
    {"SELECT * FROM unnest(ARRAY[1]) WITH ORDINALITY AS u(a), pg_group", 5, "grolist"},
    {"SELECT word FROM pg_get_keywords()", 1, "word"},
    {"SELECT * FROM information_schema.schemata", 7, "sql_path"},
    {"SELECT 'customer'::regclass", 1, "regclass"},
    {"SELECT has_table_privilege('customer', 'SELECT')", 1, "has_table_privilege"},
    {"SELECT (SELECT nspname FROM pg_namespace LIMIT 1)::text, ARRAY(SELECT 1)", 2, "array"},
    {"SELECT (information_schema._pg_expandarray(indkey)).n FROM pg_index", 1, "n"},
    {"VALUES ('customer'::regclass, 2)", 2, "column2"},
    {"SELECT 1 FROM pg_class UNION SELECT 2", 1, "?column?"},
};

static void test_columns_are_told(void **state)
{
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        struct plan *plan = plan_accepted(login, accepted[i].sql);
        if (plan->visible_count != accepted[i].columns)
            fail_msg("%s: %zu columns, not %zu", accepted[i].sql, plan->visible_count,
                     accepted[i].columns);
        assert_string_equal(plan->visible_names[plan->visible_count - 1], accepted[i].last);
        plan_release(plan);
    }
}

static void test_rows_about_nobody_that_name_nothing_real(void **state)
{
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        struct plan *plan = plan_accepted(login, accepted[i].sql);
        assert_int_equal(plan->kind, PLAN_QUERY);
        assert_int_equal(plan->fence_count + plan->hidden_count + plan->secret_count, 0);
        if (strstr(plan->sql, "crm") != NULL || strstr(plan->sql, "rival") != NULL)
            fail_msg("%s\nnames what is real: %s", accepted[i].sql, plan->sql);
        plan_release(plan);
    }
}

static void test_only_what_is_granted_is_in_the_rows(void **state)
{
    struct plan *plan = plan_accepted(login, "SELECT attname FROM pg_attribute");
    assert_non_null(strstr(plan->sql, "'full_name'"));
    assert_null(strstr(plan->sql, "'gone_away'"));
    plan_release(plan);
}

static void test_a_table_is_written_once(void **state)
{
    struct plan *plan =
        plan_accepted(login, "SELECT obj_description(a.oid), pg_get_userbyid(b.relowner) FROM "
                             "pg_class a, pg_class b, pg_roles");
    const char *first = strstr(plan->sql, "'about nobody'");
    assert_non_null(first);
    assert_null(strstr(first + 1, "'about nobody'"));
    plan_release(plan);
}

static void test_arguments_are_not_captured(void **state)
{
    struct plan *plan =
        plan_accepted(login, "SELECT pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint AS k");
    plan_has(plan, "FROM (SELECT oid AS a1) AS given");
    plan_release(plan);
}

static void test_calls_in_disguise_are_refused(void **state)
{
    plan_refused(login, "SELECT q.pg_get_viewdef FROM unnest(ARRAY[1::oid]) AS q, pg_am", "42703",
                 "does not exist");
    plan_refused(login,
                 "SELECT q.pg_read_file FROM unnest(ARRAY['x']) AS q, pg_am, "
                 "(SELECT 1 AS pg_read_file) AS z",
                 "42703", "does not exist");
    plan_refused(login, "SELECT unnest.pg_ls_dir FROM unnest(ARRAY['x']), pg_am", "42703",
                 "does not exist");
    plan_refused(login, "SELECT (1::oid).pg_get_viewdef FROM pg_am", "0A000", "field");
    plan_refused(login, "SELECT pg_catalog.regclass(1) FROM pg_am", "42501", "regclass");
}

static void test_what_is_not_known_is_refused(void **state)
{
    plan_refused(login, "SELECT 1 FROM pg_catalog.pg_authid", "42501", "not available");
    plan_refused(login, "SELECT 1 FROM information_schema.sql_features", "42501", "not available");
    plan_refused(login, "SELECT pg_sleep(1) FROM pg_class", "42501", "pg_sleep");
    plan_refused(login, "SELECT set_config('a', 'b', true) FROM pg_class", "42501", "set_config");
    plan_refused(login, "SELECT repeat('a', 9) FROM pg_class", "42501", "repeat");
    plan_refused(login, "SELECT format('%9s', 1) FROM pg_class", "42501", "format");
    plan_release(plan_accepted(login, "SELECT format('%1$I.%s', 'a', 'b') FROM pg_class"));
    plan_refused(login, "SELECT crm.f(1) FROM pg_class", "42501", "function f");
    plan_refused(login, "SELECT relname FROM ONLY pg_class", "0A000", "ONLY");
    plan_refused(login, "SELECT 1 FROM x.pg_catalog.pg_class", "0A000", "databases");
    plan_refused(login, "SELECT 1 FROM pg_class FOR UPDATE", "0A000", "FOR UPDATE");
    plan_refused(login, "SELECT '=r/postgres'::aclitem FROM pg_class", "42501", "aclitem");
    plan_refused(login, "SELECT 1::oid::regprocedure FROM pg_class", "42501", "regprocedure");
    plan_refused(login, "SELECT NULL::crm.customer FROM pg_class", "42501", "customer");
    plan_refused(login, "SELECT 'crm.f'::regproc", "42883", "does not exist");
    plan_refused(login, "SELECT 1 OPERATOR(crm.+) 1 FROM pg_class", "0A000", "operator");
    plan_refused(login, "SELECT relname COLLATE crm.x FROM pg_class", "0A000", "collation");
}

static void test_names_that_mean_nothing(void **state)
{
    static const struct {
        const char *sql, *sqlstate, *message;
    } cases[] = {
        {"SELECT relnam FROM pg_class", "42703", "column \"relnam\" does not exist"},
        {"SELECT c.relnam FROM pg_class c", "42703", "column c.relnam does not exist"},
        {"SELECT 1 FROM pg_class ORDER BY relnam", "42703", "column \"relnam\" does not exist"},
        {"SELECT pg_class.nspname FROM pg_class", "42703",
         "column pg_class.nspname does not exist"},
        {"SELECT (SELECT c.attname FROM pg_am) FROM pg_class c", "42703", "c.attname does not"},
        {"SELECT s.x FROM (SELECT relname FROM pg_class) s", "42703", "column s.x does not exist"},
        {"WITH t AS (SELECT * FROM pg_am) SELECT t.b FROM t", "42703", "column t.b does not exist"},
        {"SELECT c.oid FROM pg_class AS c (a)", "42703", "column c.oid does not exist"},
        {"SELECT x.relname FROM pg_class c", "42P01", "missing FROM-clause entry for table \"x\""},
        {"SELECT x.* FROM pg_class c", "42P01", "missing FROM-clause entry for table \"x\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        plan_refused(login, cases[i].sql, cases[i].sqlstate, cases[i].message);
}

/* Whatever an item of FROM may be called, and whatever its columns. */
static void test_names_that_mean_something(void **state)
{
    static const char *const known[] = {
        "SELECT relname AS n, count(*) FROM pg_class GROUP BY n ORDER BY n",
        "SELECT pg_catalog.pg_class.relname, tableoid FROM pg_catalog.pg_class",
        "SELECT a, c.b, c, relnamespace, c.relkind FROM pg_class AS c (a, b)",
        "WITH t AS (SELECT * FROM pg_class) SELECT a, c.relkind FROM t AS c (a)",
        "SELECT s.relname, o FROM (SELECT c.*, 1 AS o FROM pg_class c) s",
        "SELECT column1, v.column2 FROM (VALUES (1, 2)) v, pg_am",
        "SELECT x, t.y FROM pg_am, (VALUES (1, 2)) AS t (x, y)",
        "SELECT i, i.i, n.ordinality FROM generate_series(1, 2) AS i, pg_am, "
        "unnest(ARRAY[1]) WITH ORDINALITY AS n",
        "SELECT generate_series, generate_series.generate_series FROM pg_am, generate_series(1, 2)",
        "SELECT key, j.value FROM pg_am, jsonb_each('{}') AS j (key, value)",
        "SELECT key, value FROM pg_am, jsonb_each('{}')",
        "WITH RECURSIVE t (p) AS (SELECT oid FROM pg_am UNION ALL SELECT p FROM t) SELECT t.p FROM "
        "t",
        "SELECT j.oid, oid, b.amname FROM (pg_am a JOIN pg_am b USING (oid)) AS j, pg_am b",
        "SELECT u.oid FROM pg_class JOIN pg_am USING (oid) AS u",
        "SELECT (SELECT c.relname FROM pg_am) FROM pg_class c",
        "SELECT exists, count FROM (SELECT EXISTS (SELECT 1 FROM pg_am), count(*) FROM pg_am) s",
        "SELECT c.relname FROM pg_class c UNION SELECT amname FROM pg_am ORDER BY relname",
        "SELECT word, k.catcode FROM pg_get_keywords() k",
        "SELECT (information_schema._pg_expandarray(indkey)).n, (p.x).n FROM pg_index, LATERAL "
        "(SELECT information_schema._pg_expandarray(indkey) AS x) p",
        "SELECT sum(relnatts) OVER w FROM pg_class WINDOW w AS (PARTITION BY relkind)",
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        plan_release(plan_accepted(login, known[i]));
}

/* Where there is very much to compare, PostgreSQL is left to find what means nothing. */
static void test_names_of_a_huge_statement(void **state)
{
    static char sql[64000];
    size_t len = (size_t)snprintf(sql, sizeof sql, "SELECT 1 FROM pg_catalog.pg_am a");
    for (int i = 0; i < 1000; i++)
        len += (size_t)snprintf(sql + len, sizeof sql - len, ", pg_am a%d", i);
    len += (size_t)snprintf(sql + len, sizeof sql - len, " WHERE nosuch = 1");
    plan_refused(login, sql, "42703", "nosuch");
    for (int i = 0; i < 2000; i++)
        len += (size_t)snprintf(sql + len, sizeof sql - len, " AND oid = 1");
    assert_true(len < sizeof sql);
    plan_release(plan_accepted(login, sql));
}

/* Each name stands twice for what the one before it stands for: 2^40 columns, or looks at them. */
static void test_columns_that_multiply_are_not_told(void **state)
{
    static char sql[64000];
    size_t len;
    static const char *const joins[] = {"x, a%d y", "NATURAL JOIN a%d y"};
    for (size_t join = 0; join < sizeof joins / sizeof joins[0]; join++) {
        len = (size_t)snprintf(sql, sizeof sql, "WITH a0 AS (SELECT * FROM pg_class)");
        for (int i = 0; i < 40; i++) {
            len += (size_t)snprintf(sql + len, sizeof sql - len, ", a%d AS (SELECT * FROM a%d ",
                                    i + 1, i);
            len += (size_t)snprintf(sql + len, sizeof sql - len, joins[join], i);
            len += (size_t)snprintf(sql + len, sizeof sql - len, ")");
        }
        snprintf(sql + len, sizeof sql - len, " SELECT * FROM a40");
        plan_refused(login, sql, "54011", "too many to be told");
    }
}

/* PostgreSQL would put the argument in each place that names it, and plan 3^n of n calls. */
static void test_nested_calls_are_planned_once(void **state)
{
    struct plan *plan = plan_accepted(login, "SELECT to_regtype(to_regtype('int4')::text)");
    plan_has(plan, "OFFSET 0) AS given");
    plan_release(plan);
    plan = plan_accepted(login, "SELECT pg_get_constraintdef(oid) FROM pg_constraint");
    assert_null(strstr(plan->sql, "OFFSET"));
    plan_release(plan);
}

/* Each reference is held against each function: 25 million times here, and nothing is made anew. */
static void test_functions_in_from_are_looked_at_once(void **state)
{
    static char sql[64000];
    size_t len = (size_t)snprintf(sql, sizeof sql, "SELECT 1 FROM pg_catalog.pg_am");
    for (int i = 0; i < 3500; i++)
        len += (size_t)snprintf(sql + len, sizeof sql - len, ",rank()a");
    len += (size_t)snprintf(sql + len, sizeof sql - len, " WHERE 1 IN (1");
    for (int i = 0; i < 7000; i++)
        len += (size_t)snprintf(sql + len, sizeof sql - len, ",a.a");
    snprintf(sql + len, sizeof sql - len, ")");
    struct rusage before, after;
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    plan_release(plan_accepted(login, sql));
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_true(after.ru_maxrss - before.ru_maxrss < 512 * 1024);
}

static void test_a_dataset_beside_the_catalogue(void **state)
{
    static const char *const mixed[] = {
        "SELECT full_name FROM customer, pg_class",
        "SELECT full_name FROM customer WHERE full_name IN (SELECT relname FROM "
        "pg_catalog.pg_class)",
        "SELECT table_name FROM information_schema.tables JOIN customer ON true",
    };
    for (size_t i = 0; i < sizeof mixed / sizeof *mixed; i++)
        plan_refused(login, mixed[i], "42501", "cannot be read beside datasets");
}

/* Drivers write long statements over the catalogue; others stay within what is configured. */
static void test_a_long_statement(void **state)
{
    static char filler[40000], sql[2 * sizeof filler];
    memset(filler, 'x', sizeof filler - 1);
    snprintf(sql, sizeof sql, "SELECT 1 FROM pg_catalog.pg_class WHERE relname = '%s'", filler);
    plan_release(plan_accepted(login, sql));
    snprintf(sql, sizeof sql, "SELECT 1 FROM customer WHERE full_name = 'pg_catalog%s'", filler);
    plan_refused(login, sql, "54000", "longer than 16384 bytes");
    snprintf(sql, sizeof sql, "SHOW timezone -- pg_catalog %s", filler);
    plan_refused(login, sql, "54000", "longer than 16384 bytes");
    snprintf(sql, sizeof sql, "SELECT 1 FROM pg_catalog.pg_class WHERE relname = '%.30000s%s'",
             filler, filler);
    plan_refused(login, sql, "54000", "longer than 65536 bytes");
}

/* A name of WITH stands before the catalogue's, but only where it can be seen. */
static void test_names_of_with(void **state)
{
    struct plan *plan =
        plan_accepted(login, "WITH pg_class AS (SELECT 1 AS a) SELECT a FROM pg_class, pg_am");
    assert_null(strstr(plan->sql, "about customer"));
    plan_release(plan);
    plan = plan_accepted(login, "SELECT relname FROM pg_class WHERE oid IN (WITH pg_class AS "
                                "(SELECT 1::oid AS a) SELECT a FROM pg_class)");
    assert_non_null(strstr(plan->sql, "about customer"));
    plan_release(plan);
    plan_refused(login,
                 "SELECT 1 FROM customers, pg_am WHERE EXISTS (WITH customers AS (SELECT 1) "
                 "SELECT 1 FROM customers)",
                 "42P01", "not granted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_told),
        cmocka_unit_test(test_rows_about_nobody_that_name_nothing_real),
        cmocka_unit_test(test_only_what_is_granted_is_in_the_rows),
        cmocka_unit_test(test_a_table_is_written_once),
        cmocka_unit_test(test_arguments_are_not_captured),
        cmocka_unit_test(test_calls_in_disguise_are_refused),
        cmocka_unit_test(test_what_is_not_known_is_refused),
        cmocka_unit_test(test_names_that_mean_nothing),
        cmocka_unit_test(test_names_that_mean_something),
        cmocka_unit_test(test_names_of_a_huge_statement),
        cmocka_unit_test(test_columns_that_multiply_are_not_told),
        cmocka_unit_test(test_nested_calls_are_planned_once),
        cmocka_unit_test(test_functions_in_from_are_looked_at_once),
        cmocka_unit_test(test_a_dataset_beside_the_catalogue),
        cmocka_unit_test(test_a_long_statement),
        cmocka_unit_test(test_names_of_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
