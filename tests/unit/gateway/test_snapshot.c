/* Which purpose an agent works for. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "gateway/snapshot.h"

static const char *const two[] = {"recall", "survey"};

static void expect(const struct policy_partner *partner, const char *stated, const char *wanted)
{
    const struct policy_agent agent = {.name = "job", .login = "acme.job"};
    const char *purpose = NULL;
    struct error error;
    enum status status = snapshot_purpose(partner, &agent, stated, &purpose, &error);
    if (wanted == NULL) {
        assert_int_equal(status, STATUS_DENIED);
        assert_string_equal(error.sqlstate, "28000");
        assert_non_null(strstr(error.hint, "\"recall\""));
        assert_null(purpose);
    } else {
        assert_int_equal(status, STATUS_OK);
        assert_string_equal(purpose, wanted);
    }
}

static void test_stated(void **state)
{
    (void)state;
    struct policy_partner partner = {.name = "acme", .purposes = two, .purpose_count = 2};
    expect(&partner, "survey", "survey");
    expect(&partner, "recall", "recall");
    expect(&partner, "Recall", NULL);
    expect(&partner, "", NULL);
}

static void test_the_only_one(void **state)
{
    (void)state;
    struct policy_partner partner = {.name = "acme", .purposes = two, .purpose_count = 1};
    expect(&partner, NULL, "recall");
    expect(&partner, "survey", NULL);
}

static void test_the_only_one_of_the_agents_grants(void **state)
{
    (void)state;
    struct policy_grant grants[] = {
        {.purpose = "survey", .agent = "job"},
        {.purpose = NULL, .agent = NULL},
        {.purpose = "recall", .agent = "other"},
        {.purpose = "recall", .agent = NULL},
    };
    struct policy_partner partner = {
        .name = "acme", .purposes = two, .purpose_count = 2, .grants = grants};
    partner.grant_count = 3;
    expect(&partner, NULL, "survey");
    partner.grant_count = 4;
    expect(&partner, NULL, NULL);
    expect(&partner, "recall", "recall");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stated),
        cmocka_unit_test(test_the_only_one),
        cmocka_unit_test(test_the_only_one_of_the_agents_grants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
