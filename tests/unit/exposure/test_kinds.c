/* The kinds of subject keep their numbers: over restarts, and whatever the policy is made to say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exposure/kinds.h"

static char folder[64], path[80];

static int setup(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/cofferdam-kinds-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/kinds", folder);
    return 0;
}

static int teardown(void **state)
{
    unlink(path);
    return rmdir(folder);
}

static enum status settle(const char *first, const char *second, const char *third)
{
    struct error error;
    const struct policy_kind kinds[] = {{.name = first}, {.name = second}, {.name = third}};
    const struct policy policy = {.kinds = kinds,
                                  .kind_count = second == NULL  ? 1
                                                : third == NULL ? 2
                                                                : 3};
    return kinds_settle(folder, &policy, &error);
}

static void new_kinds_come_behind(void **state)
{
    assert_int_equal(settle("customer", NULL, NULL), STATUS_OK);
    assert_int_equal(settle("customer", NULL, NULL), STATUS_OK);
    assert_int_equal(settle("customer", "enquirer", NULL), STATUS_OK);
    assert_int_equal(settle("customer", "enquirer", "employee"), STATUS_OK);
    assert_int_equal(settle("customer", "enquirer", "employee"), STATUS_OK);
}

static void kinds_neither_move_nor_go(void **state)
{
    assert_int_equal(settle("customer", "enquirer", NULL), STATUS_OK);
    assert_int_equal(settle("enquirer", "customer", NULL), STATUS_INVALID);
    assert_int_equal(settle("customer", NULL, NULL), STATUS_INVALID);
    assert_int_equal(settle("customer", "employee", "enquirer"), STATUS_INVALID);
    assert_int_equal(settle("customers", "enquirer", NULL), STATUS_INVALID);
    assert_int_equal(settle("customer", "enquirer", NULL), STATUS_OK);
}

static void checking_adds_nothing(void **state)
{
    const struct policy_kind kinds[] = {{.name = "customer"}, {.name = "enquirer"}};
    const struct policy policy = {.kinds = kinds, .kind_count = 2};
    assert_int_equal(kinds_check(folder, &policy, NULL), STATUS_OK);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(settle("customer", NULL, NULL), STATUS_OK);
    assert_int_equal(kinds_check(folder, &policy, NULL), STATUS_OK);
    assert_int_equal(settle("customer", "employee", NULL), STATUS_OK);
    assert_int_equal(kinds_check(folder, &policy, NULL), STATUS_INVALID);
}

static void a_file_that_is_not_ours_stops(void **state)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("customer\ngarbage", file);
    fclose(file);
    assert_int_equal(settle("customer", "enquirer", NULL), STATUS_INVALID);
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        case_of(new_kinds_come_behind),
        case_of(kinds_neither_move_nor_go),
        case_of(checking_adds_nothing),
        case_of(a_file_that_is_not_ours_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
