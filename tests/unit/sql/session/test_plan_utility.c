#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void sends(const char *sql, const char *text, enum plan_kind kind, const char *setting,
                  const char *value)
{
    struct plan *plan = plan_accepted("acme.app", sql);
    const char *sent = plan->sql == NULL ? "" : plan->sql;
    if (strcmp(sent, text) != 0 || plan->kind != kind)
        fail_msg("%s is sent as \"%s\" (kind %d), not \"%s\" (%d)", sql, sent, plan->kind, text,
                 kind);
    if (setting != NULL)
        assert_string_equal(plan->setting, setting);
    if (value != NULL)
        assert_string_equal(plan->setting_value, value);
    plan_release(plan);
}

static void test_settings(void **state)
{
    sends("SET application_name = 'a''b'", "SET \"application_name\" TO 'a''b'", PLAN_UTILITY,
          "application_name", "a'b");
    sends("SET datestyle TO iso, mdy", "SET \"datestyle\" TO 'iso', 'mdy'", PLAN_UTILITY,
          "DateStyle", "iso, mdy");
    sends("SET extra_float_digits = 3", "SET \"extra_float_digits\" TO 3", PLAN_UTILITY, NULL, "3");
    sends("SET TIME ZONE 'UTC'", "SET \"timezone\" TO 'UTC'", PLAN_UTILITY, "TimeZone", "UTC");
    sends("SET TIME ZONE INTERVAL '+00:00' HOUR TO MINUTE",
          "SET \"timezone\" TO 'INTERVAL ''+00:00'''", PLAN_UTILITY, "TimeZone",
          "INTERVAL '+00:00'");
    sends("SET LOCAL TIME ZONE INTERVAL '-08:30'",
          "SET LOCAL \"timezone\" TO 'INTERVAL ''-08:30'''", PLAN_UTILITY, "TimeZone", NULL);
    sends("SET NAMES 'UTF8'", "SET \"client_encoding\" TO 'UTF8'", PLAN_UTILITY, NULL, NULL);
    /* asyncpg writes quotes of its own. */
    sends("SET client_encoding TO '''utf-8'''", "SET \"client_encoding\" TO '''utf-8'''",
          PLAN_UTILITY, NULL, NULL);
    sends("SET search_path TO public", "", PLAN_UTILITY, "search_path", "public");
    sends("SET search_path = \"$user\", public", "", PLAN_UTILITY, "search_path", NULL);
    sends("SET statement_timeout = '30s'", "SET \"statement_timeout\" TO '30s'", PLAN_UTILITY, NULL,
          NULL);
    sends("RESET timezone", "RESET \"timezone\"", PLAN_UTILITY, "TimeZone", NULL);
    sends("RESET ALL", "RESET ALL", PLAN_UTILITY, NULL, NULL);
    sends("DISCARD ALL", "DISCARD ALL", PLAN_UTILITY, NULL, NULL);
    sends("DISCARD PLANS", "DISCARD PLANS", PLAN_UTILITY, NULL, NULL);
    sends("UNLISTEN *", "", PLAN_UTILITY, NULL, NULL);
    sends("SET SESSION AUTHORIZATION DEFAULT", "", PLAN_UTILITY, NULL, NULL);
    sends("DEALLOCATE ALL", "", PLAN_UTILITY, NULL, NULL);
    sends("SET TRANSACTION ISOLATION LEVEL serializable",
          "SET TRANSACTION ISOLATION LEVEL serializable", PLAN_UTILITY, NULL, NULL);
}

static void test_settings_refused(void **state)
{
    static const char *const refused[] = {
        "SET client_encoding = 'latin1'",
        "SET client_encoding = 'utf-16'",
        "SET client_encoding = '-'",
        "SET standard_conforming_strings = off",
        "SET statement_timeout = 0",
        "SET statement_timeout = '-1'",
        "SET lock_timeout = 'x'",
        "SET search_path = crm",
        "SET search_path = pg_catalog",
        "SET role = postgres",
        "SET SESSION AUTHORIZATION postgres",
        "SET session_replication_role = replica",
        "SET row_security = off",
        "SET enable_seqscan = off",
        "SET server_version = '1'",
        "SET \"cofferdam.budget\" = 1",
        "SET default_transaction_read_only = off",
        "SET TRANSACTION READ WRITE",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "SET TRANSACTION SNAPSHOT 'x'",
        "RESET role",
        "SHOW data_directory",
        "SHOW ALL",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        plan_refused("acme.app", refused[i], "42501", "");
    plan_refused("acme.app", "SET TIME ZONE INTERVAL '1' HOUR", "0A000", "value in SET");
    plan_refused("acme.app", "SET TIME ZONE INTERVAL '05:30' HOUR", "0A000", "value in SET");
    plan_refused("acme.app", "SET TIME ZONE INTERVAL '16:00' HOUR TO MINUTE", "0A000", "in SET");
    plan_refused("acme.app", "SET TIME ZONE INTERVAL '01:60' HOUR TO MINUTE", "0A000", "in SET");
    plan_refused("acme.app", "SET TIME ZONE INTERVAL '1 day' HOUR TO MINUTE", "0A000", "in SET");
    plan_refused("acme.app", "SET TIME ZONE INTERVAL '+1:000' HOUR TO MINUTE", "0A000", "in SET");
    plan_refused("acme.app", "SET TIME ZONE INTERVAL '01:00'' OR' HOUR TO MINUTE", "0A000",
                 "in SET");
}

static void test_show(void **state)
{
    sends("SHOW timezone", "SHOW \"timezone\"", PLAN_SHOW, "TimeZone", NULL);
    sends("SHOW TRANSACTION ISOLATION LEVEL", "SHOW \"transaction_isolation\"", PLAN_SHOW, NULL,
          NULL);
    sends("SHOW cofferdam.budget", "", PLAN_LOCAL, "cofferdam.budget", NULL);
    sends("SHOW cofferdam.partner", "", PLAN_LOCAL, NULL, "acme");
    sends("SHOW cofferdam.purpose", "", PLAN_LOCAL, NULL, "testing");
    sends("SHOW cofferdam.datasets", "", PLAN_LOCAL, NULL,
          "customer, enquirer, vehicle, stock, service_visit, service_line, model");
    sends("SHOW search_path", "", PLAN_LOCAL, NULL, "public");
    sends("SHOW is_superuser", "", PLAN_LOCAL, NULL, "off");
    sends("SHOW session_authorization", "", PLAN_LOCAL, NULL, "acme.app");
}

static void test_transactions(void **state)
{
    static const struct {
        const char *sql, *text, *command;
        enum plan_transaction transaction;
    } cases[] = {
        {"begin", "BEGIN", "BEGIN", PLAN_TRANSACTION_BEGIN},
        {"START TRANSACTION READ ONLY", "START TRANSACTION READ ONLY", "START TRANSACTION",
         PLAN_TRANSACTION_BEGIN},
        {"END", "COMMIT", "COMMIT", PLAN_TRANSACTION_END},
        {"ABORT", "ROLLBACK", "ROLLBACK", PLAN_TRANSACTION_END},
        {"SAVEPOINT a", "SAVEPOINT \"a\"", "SAVEPOINT", PLAN_TRANSACTION_SAVEPOINT},
        {"RELEASE a", "RELEASE SAVEPOINT \"a\"", "RELEASE", PLAN_TRANSACTION_SAVEPOINT},
        {"ROLLBACK TO a", "ROLLBACK TO SAVEPOINT \"a\"", "ROLLBACK", PLAN_TRANSACTION_SAVEPOINT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct plan *plan = plan_accepted("acme.app", cases[i].sql);
        assert_string_equal(plan->sql, cases[i].text);
        assert_string_equal(plan->command, cases[i].command);
        assert_int_equal(plan->transaction, cases[i].transaction);
        plan_release(plan);
    }
    plan_refused("acme.app", "BEGIN READ WRITE", "42501", "written");
    plan_refused("acme.app", "COMMIT AND CHAIN", "0A000", "CHAIN");
    plan_refused("acme.app", "PREPARE TRANSACTION 'x'", "0A000", "two-phase");
    plan_refused("acme.app", "COMMIT PREPARED 'x'", "0A000", "two-phase");
}

static void test_other_statements(void **state)
{
    static const struct {
        const char *sql, *message;
    } cases[] = {
        {"INSERT INTO customer VALUES (1)", "INSERT"},
        {"UPDATE customer SET city = 'x'", "UPDATE"},
        {"DELETE FROM customer", "DELETE"},
        {"TRUNCATE customer", "TRUNCATE"},
        {"EXPLAIN SELECT 1", "EXPLAIN"},
        {"LISTEN a", "LISTEN"},
        {"DO 'x'", "DO"},
        {"CALL f()", "CALL"},
        {"CREATE TABLE a (b int)", "CREATE TABLE"},
        {"CREATE TABLE a AS SELECT 1", "CREATE TABLE AS"},
        {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''", "not allowed"},
        {"ALTER SYSTEM SET a = 1", "not allowed"},
        {"LOAD 'x'", "not allowed"},
        {"LOCK customer", "LOCK"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        plan_refused("acme.app", cases[i].sql, "42501", cases[i].message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_settings_refused),
        cmocka_unit_test(test_show),
        cmocka_unit_test(test_transactions),
        cmocka_unit_test(test_other_statements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
