/* Marks: what makes a grant another one, and what does not; budgets that became narrower. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

static const char base[] =
    "    agents: [{name: a, identity: {scram: s}}]\n"
    "    aggregates: {min_subjects: 10}\n"
    "    budget: {subjects: {per_day: 50, total: 500}, rows_per_statement: 9}\n"
    "    grants:\n"
    "      - dataset: customer\n"
    "        rows: \"phone IS NOT NULL\"\n"
    "        columns: {customer_id: clear, full_name: initial}\n";

/* The base with its first `from` in place of `to`; NULL: as it is. */
static const struct policy *load_changed(const char *from, const char *to)
{
    char text[8000];
    const char *at = from == NULL ? NULL : strstr(base, from);
    if (from != NULL && at == NULL)
        fail_msg("no \"%s\" in the policy", from);
    if (at == NULL)
        snprintf(text, sizeof text, "%s%s", PARTNER, base);
    else
        snprintf(text, sizeof text, "%s%.*s%s%s", PARTNER, (int)(at - base), base, to,
                 at + strlen(from));
    return fixture_load(text);
}

static bool is_same(const char *from, const char *to)
{
    const struct policy *was = load_changed(NULL, NULL), *is = load_changed(from, to);
    bool same = memcmp(was->partners[0].grants[0].mark, is->partners[0].grants[0].mark, 32) == 0;
    policy_release(was);
    policy_release(is);
    return same;
}

static void what_a_grant_gives_is_marked(void **state)
{
    assert_true(is_same(NULL, NULL));
    assert_false(is_same("phone IS NOT NULL", "phone IS NULL"));
    assert_false(is_same("        rows: \"phone IS NOT NULL\"\n", ""));
    assert_false(is_same("full_name: initial", "full_name: clear"));
    assert_false(is_same("full_name: initial", "full_name: redact"));
    assert_false(is_same("full_name: initial", "phone: initial"));
    assert_false(is_same(", full_name: initial", ""));
    assert_false(is_same("dataset: customer", "write: {delete: true}\n        dataset: customer"));
}

static void how_the_partner_is_bound_is_marked(void **state)
{
    assert_false(is_same("min_subjects: 10", "min_subjects: 9"));
    assert_false(
        is_same("    aggregates", "    lookup_by: [customer.customer_id]\n    aggregates"));
}

static void when_and_for_whom_is_not(void **state)
{
    assert_true(
        is_same("dataset: customer", "valid: {until: 2027-01-01}\n        dataset: customer"));
    assert_true(is_same("dataset: customer", "agent: a\n        dataset: customer"));
    assert_true(is_same("per_day: 50", "per_day: 40"));
}

static bool is_narrower(const char *from, const char *to)
{
    const struct policy *was = load_changed(NULL, NULL), *is = load_changed(from, to);
    bool narrower = policy_budget_narrower(&was->partners[0].budget, &is->partners[0].budget);
    policy_release(was);
    policy_release(is);
    return narrower;
}

static void budgets_that_let_less_through(void **state)
{
    assert_false(is_narrower(NULL, NULL));
    assert_true(is_narrower("per_day: 50", "per_day: 49"));
    assert_false(is_narrower("per_day: 50", "per_day: 51"));
    assert_false(is_narrower("per_day: 50, ", ""));
    assert_true(is_narrower("total: 500", "total: 499"));
    assert_true(is_narrower("rows_per_statement: 9", "rows_per_statement: 8"));
    assert_true(is_narrower("rows_per_statement: 9", "rows_per_statement: 9, errors_per_day: 1"));
    assert_true(
        is_narrower("rows_per_statement: 9",
                    "rows_per_statement: 9, limits: [{name: names, category: name, subjects: "
                    "5, per: day}]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_grant_gives_is_marked),
        cmocka_unit_test(how_the_partner_is_bound_is_marked),
        cmocka_unit_test(when_and_for_whom_is_not),
        cmocka_unit_test(budgets_that_let_less_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
