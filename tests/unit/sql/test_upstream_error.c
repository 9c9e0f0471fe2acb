/* Upstream errors: each SQLSTATE gets a text of ours; those that data can cause count as probes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sql/plan.h"

static void tells_data_errors(void **state)
{
    static const struct {
        const char sqlstate[6];
        bool data_error;
    } cases[] = {
        {"22012", true},  {"22003", true},  {"22P02", true},  {"22999", true},  {"23505", true},
        {"21000", true},  {"57014", true},  {"XX000", true},  {"54000", true},  {"ZZZZZ", true},
        {"53200", true},  {"53300", false}, {"0A000", true},  {"", true},       {"42883", false},
        {"42803", false}, {"42999", false}, {"25P02", false}, {"40001", false}, {"40P01", false},
        {"57P01", false}, {"08006", false}, {"42501", false}, {"26000", false}, {"42601", true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct plan_upstream_error answer = plan_upstream_error(cases[i].sqlstate);
        if (answer.data_error != cases[i].data_error)
            fail_msg("%s: %d, expected %d", cases[i].sqlstate, answer.data_error,
                     cases[i].data_error);
    }
}

static void prefers_the_single_state_to_its_class(void **state)
{
    assert_string_equal(plan_upstream_error("22012").message, "division by zero");
    assert_string_equal(plan_upstream_error("22999").message, "an expression failed on the data");
    assert_string_equal(plan_upstream_error("25P02").hint, "Send ROLLBACK.");
}

/* Without datasets nothing that policy names can be missing. */
static void tells_whose_name_is_missing(void **state)
{
    static const char *const states[] = {"42703", "42P01"};

    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        char sqlstate[6];
        snprintf(sqlstate, sizeof sqlstate, "%s", states[i]);
        assert_non_null(strstr(plan_upstream_error(sqlstate).message, "policy"));
        assert_non_null(strstr(plan_catalogue_error(sqlstate).message, "statement"));
        assert_null(strstr(plan_catalogue_error(sqlstate).message, "policy"));
    }
    assert_string_equal(plan_catalogue_error("22012").message, "division by zero");
}

/* Every state that can be written gets a text, without a placeholder in it. */
static void answers_everything(void **state)
{
    for (unsigned i = 0; i < 36 * 36; i++) {
        static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        char sqlstate[6] = "00000";
        struct plan_upstream_error answer;

        sqlstate[0] = digits[i / 36];
        sqlstate[1] = digits[i % 36];
        answer = plan_upstream_error(sqlstate);
        assert_non_null(answer.message);
        assert_non_null(answer.hint);
        assert_true(strlen(answer.message) > 5);
        assert_null(strchr(answer.message, '%'));
        assert_int_equal(plan_catalogue_error(sqlstate).data_error, answer.data_error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_data_errors),
        cmocka_unit_test(prefers_the_single_state_to_its_class),
        cmocka_unit_test(tells_whose_name_is_missing),
        cmocka_unit_test(answers_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
