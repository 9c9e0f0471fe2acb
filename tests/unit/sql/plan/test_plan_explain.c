/* What an inquiry is told: fences, hidden columns and their reasons, near misses, rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static const struct plan_explanation *find(const struct plan_inquiry *inquiry, const char *topic,
                                           const char *part)
{
    const struct plan_explanation *at = inquiry->first;
    while (at != NULL && (strcmp(at->topic, topic) != 0 || strstr(at->text, part) == NULL))
        at = at->next;
    return at;
}

static void accepted_tells(const char *sql, const char *topic, const char *part)
{
    struct plan_inquiry inquiry;
    struct plan *plan = NULL;
    struct error error;
    if (plan_fixture_ask("acme.app", sql, &inquiry, &plan, &error) != STATUS_OK)
        fail_msg("refused: %s: %s", sql, error.message);
    if (find(&inquiry, topic, part) == NULL)
        fail_msg("%s: nothing about %s says \"%s\"", sql, topic, part);
    assert_null(inquiry.rule);
    plan_release(plan);
    plan_inquiry_free(&inquiry);
}

static void refused_tells(const char *sql, const char *rule, const char *topic, const char *part)
{
    struct plan_inquiry inquiry;
    struct plan *plan = NULL;
    struct error error;
    if (plan_fixture_ask("acme.app", sql, &inquiry, &plan, &error) == STATUS_OK)
        fail_msg("not refused: %s", sql);
    if (strcmp(inquiry.rule, rule) != 0)
        fail_msg("%s: %s, not %s", sql, inquiry.rule, rule);
    if (topic != NULL && find(&inquiry, topic, part) == NULL)
        fail_msg("%s: nothing about %s says \"%s\"", sql, topic, part);
    plan_inquiry_free(&inquiry);
}

static void test_what_is_accepted(void **state)
{
    accepted_tells("SELECT 1 / balance FROM customer OFFSET 3", "limit", "skips 3 rows");
    accepted_tells("SELECT 1 / balance FROM customer", "fence", "reads: balance clear");
    accepted_tells("SELECT 1 / balance FROM customer", "guard", "1 expression");
    accepted_tells("SELECT 1 FROM customer", "fence", "reads: no column");
    accepted_tells("SELECT balance FROM customer", "hidden column", "why: the row is made");
}

static void test_reasons(void **state)
{
    accepted_tells("SELECT count(*) FROM customer", "hidden column", "why: all members");
    accepted_tells("SELECT rank() OVER (ORDER BY balance) FROM customer", "hidden column",
                   "why: whole input: window");
    accepted_tells("SELECT balance FROM customer EXCEPT SELECT 1", "hidden column", "why: ");
    accepted_tells("SELECT 1 EXCEPT SELECT balance FROM customer", "hidden column",
                   "right side of EXCEPT");
    accepted_tells("SELECT (SELECT max(balance) FROM customer)", "hidden column",
                   "sub-select whose value");
    accepted_tells("SELECT 1 FROM model m WHERE EXISTS (SELECT 1 FROM customer c "
                   "WHERE c.balance = m.model_id)",
                   "hidden column", "witness of EXISTS");
}

static void test_what_is_refused(void **state)
{
    refused_tells("SELECT nothing FROM customer", "column-not-granted", NULL, NULL);
    refused_tells("SELECT balanc FROM customer", "column-not-granted", "near miss", "\"balance\"");
    refused_tells("SELECT 1 FROM custmer", "dataset-not-granted", "near miss", "\"customer\"");
    refused_tells("SELECT pg_sleep(1)", "function-not-allowed", NULL, NULL);
    refused_tells("SELECT customer FROM customer", "whole-row", NULL, NULL);
    refused_tells("SELEC 1", "syntax", NULL, NULL);
    refused_tells("SELECT 1 WHERE generate_series(1, 2) = 1", "set-misplaced", NULL, NULL);
    refused_tells("DELETE FROM customer", "dataset-not-writable", "change of the policy",
                  "write: {delete: true}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_accepted),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
