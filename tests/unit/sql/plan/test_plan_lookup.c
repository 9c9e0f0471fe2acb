#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void test_pinned(void **state)
{
    static const char *const accepted[] = {
        "SELECT * FROM vehicle WHERE registration = 'A'",
        "SELECT * FROM vehicle WHERE $1 = registration AND model_id > 3",
        "SELECT * FROM vehicle WHERE registration IN ($1)",
        "SELECT c.city FROM vehicle v JOIN customer c ON c.customer_id = v.owner_id WHERE "
        "v.registration = 'A'",
        "SELECT * FROM vehicle v, model m, service_visit s WHERE m.model_id = v.model_id AND "
        "s.vehicle_id = v.vehicle_id AND v.registration = $1",
        "SELECT c.city FROM (SELECT owner_id FROM vehicle WHERE registration = 'A') s JOIN "
        "customer c "
        "ON c.customer_id = s.owner_id",
        "SELECT count(*) FROM vehicle WHERE registration = 'A'",
        "SELECT 1",
    };
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
        plan_release(plan_accepted("desk.app", accepted[i]));
}

static void test_not_pinned(void **state)
{
    static const char *const refused[] = {
        "SELECT * FROM vehicle",
        "SELECT * FROM model",
        "SELECT * FROM vehicle WHERE registration > 'A'",
        "SELECT * FROM vehicle WHERE registration LIKE 'A'",
        "SELECT * FROM vehicle WHERE registration IN ('A', 'B')",
        "SELECT * FROM vehicle WHERE registration NOT IN ('A')",
        "SELECT * FROM vehicle WHERE registration = 'A' OR true",
        "SELECT * FROM vehicle WHERE NOT (registration = 'A')",
        "SELECT * FROM vehicle WHERE registration = registration",
        "SELECT * FROM vehicle WHERE upper(registration) = 'A'",
        "SELECT * FROM vehicle WHERE (registration = 'A') = true",
        "SELECT * FROM vehicle v, customer c WHERE v.registration = 'A'",
        "SELECT * FROM vehicle v, customer c WHERE v.registration = 'A' AND c.city = "
        "v.registration",
        "SELECT * FROM vehicle v, vehicle w WHERE v.registration = 'A' AND w.model_id = v.model_id",
        "SELECT * FROM (SELECT * FROM vehicle) v WHERE registration = 'A'",
        "SELECT * FROM customer WHERE customer_id = 't1'",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        plan_refused("desk.app", refused[i], "42501", "may only look up");
}

static void test_hint_shows_an_example(void **state)
{
    struct plan *plan = NULL;
    struct error error = {0};
    assert_int_equal(plan_fixture_make("desk.app", "SELECT * FROM vehicle", NULL, 0, &plan, &error),
                     STATUS_DENIED);
    assert_string_equal(error.hint, "For example, SELECT … FROM vehicle WHERE registration = $1.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pinned),
        cmocka_unit_test(test_not_pinned),
        cmocka_unit_test(test_hint_shows_an_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
