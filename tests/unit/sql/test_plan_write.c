/* Writes: what may be written, and what goes upstream for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void show(const char *sql)
{
    struct plan *plan = NULL;
    struct error error = {0};
    if (plan_fixture_make("writer.app", sql, NULL, 0, &plan, &error) != STATUS_OK) {
        printf("%s\n   => %s %s (%s)\n", sql, error.sqlstate, error.message, error.hint);
        return;
    }
    printf("%s\n   => %s\n   hidden=%zu visible=%zu\n", sql, plan_text(plan), plan->hidden_count, plan->visible_count);
    plan_release(plan);
}

static void shows(void **state)
{
    show("UPDATE customer SET city = 'x', balance = balance + 1 WHERE customer_id = 7");
    show("UPDATE customer c SET city = $1 WHERE customer_id = 7 RETURNING c.city, full_name || 'x', *");
    show("UPDATE customer SET city = vehicle.registration FROM vehicle WHERE owner_id = customer_id");
    show("DELETE FROM vehicle WHERE vehicle_id = 3 RETURNING *");
    show("INSERT INTO vehicle (vehicle_id, owner_id, registration) VALUES (1, 2, $1), ($2, 3, DEFAULT)");
    show("INSERT INTO vehicle (vehicle_id, owner_id, registration) VALUES (1, 2, $1) RETURNING vehicle_id");
    show("INSERT INTO vehicle (vehicle_id, owner_id, registration) SELECT customer_id, customer_id, 'x' FROM customer");
    show("INSERT INTO vehicle (vehicle_id, owner_id, registration) VALUES (1, 2, $1) ON CONFLICT (vehicle_id) DO UPDATE SET registration = excluded.registration RETURNING *");
    show("INSERT INTO vehicle (vehicle_id, owner_id, registration) VALUES (1, 2, $1) ON CONFLICT (vehicle_id) DO NOTHING");
    show("INSERT INTO service_visit (visit_id, vehicle_id) VALUES (1, 2) RETURNING visit_id");
    show("UPDATE customer SET phone = 'x'");
    show("UPDATE customer SET full_name = 'x'");
    show("DELETE FROM customer");
    show("UPDATE model SET name = 'x'");
    show("UPDATE nothing SET name = 'x'");
    show("UPDATE customer SET city = count(*)");
    show("UPDATE customer SET city = 'x' RETURNING count(*)");
    show("UPDATE customer SET city = 'x' RETURNING ctid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
