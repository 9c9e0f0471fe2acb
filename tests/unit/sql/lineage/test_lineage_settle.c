/* What each construct records beside its rows: a row of docs/decisions/0010 each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plan_fixture.h"

/* One letter a hidden column: d, w, i by grade; upper case: once a statement; a digit behind:
 * depth;
 * "?": the row may be missing. */
static const char *shape_of(const struct plan *plan)
{
    static char text[200];
    size_t len = 0;
    text[0] = 0;
    for (size_t i = 0; i < plan->hidden_count && len < sizeof text - 8; i++) {
        const struct plan_hidden *hidden = &plan->hidden[i];
        char letter = "-dawip"[hidden->grade];
        if (hidden->once)
            letter = (char)(letter - 'a' + 'A');
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%c%u%s", len == 0 ? "" : " ",
                                letter, hidden->depth, hidden->extended ? "?" : "");
    }
    return text;
}

static const struct {
    const char *sql, *shape;
} cases[] = {
    /* outer joins: the side that may be missing is carried, and says so */
    {"SELECT m.name, v.mileage FROM model m LEFT JOIN vehicle v ON v.model_id = m.model_id", "d0?"},
    {"SELECT m.name FROM vehicle v RIGHT JOIN model m USING (model_id)", "d0?"},
    {"SELECT 1 FROM vehicle v FULL JOIN enquirer e ON e.enquirer_id = v.mileage", "d0? d0?"},
    /* who leaves an outer join lets a row without match in: a group of those is told once */
    {"SELECT v.mileage, count(*) FROM model m LEFT JOIN vehicle v ON v.model_id = m.model_id "
     "GROUP BY v.mileage",
     "d1? I1"},
    {"SELECT m.name, count(v.mileage) FROM model m LEFT JOIN vehicle v ON v.model_id = "
     "m.model_id GROUP BY m.name",
     "d1? d1?"},
    /* rows that are there because nobody's matches: whoever could is told of, and charged */
    {"SELECT m.name FROM model m LEFT JOIN vehicle v ON v.model_id = m.model_id WHERE "
     "v.vehicle_id IS NULL",
     "d0? W1"},
    {"SELECT m.name FROM model m LEFT JOIN vehicle v ON v.model_id = m.model_id WHERE v.mileage > "
     "5 "
     "AND v.model_id IN (1, 2) AND v.registration IS NOT NULL",
     "d0?"},
    {"SELECT x.name FROM (SELECT m.name, v.mileage AS n FROM model m LEFT JOIN vehicle v ON "
     "v.model_id = m.model_id) x WHERE coalesce(x.n, 0) = 0",
     "d0? W1"},
    {"SELECT m.name FROM model m LEFT JOIN vehicle v ON v.model_id = m.model_id GROUP BY m.name "
     "HAVING count(v.vehicle_id) = 0",
     "d1? d1? W1"},
    {"SELECT m.name FROM model m LEFT JOIN vehicle v ON v.model_id = m.model_id GROUP BY m.name, "
     "v.vehicle_id HAVING v.vehicle_id IS NOT NULL",
     "d1?"},
    {"SELECT count(*) FROM model m LEFT JOIN vehicle v ON v.model_id = m.model_id GROUP BY "
     "v.vehicle_id IS NOT NULL HAVING v.vehicle_id IS NOT NULL",
     "d1? W1"},
    {"SELECT count(*) FROM model m LEFT JOIN vehicle v ON v.model_id = m.model_id GROUP BY "
     "v.vehicle_id IS NOT NULL HAVING count(*) > 1 AND v.vehicle_id IS NOT NULL",
     "d1? W1"},
    {"SELECT count(*) FROM vehicle GROUP BY mileage IS NOT NULL HAVING mileage IS NOT NULL", "d1"},
    {"SELECT m.name FROM model m LEFT JOIN vehicle v ON v.model_id = m.model_id ORDER BY "
     "v.vehicle_id NULLS FIRST LIMIT 5",
     "d0? W1"},
    {"SELECT x.name FROM (SELECT m.name, coalesce(v.vehicle_id, -1) AS n FROM model m LEFT JOIN "
     "vehicle v ON v.model_id = m.model_id) x WHERE x.n = -1",
     "d0? W1"},
    {"SELECT x.name FROM (SELECT m.name, v.vehicle_id AS n FROM model m LEFT JOIN vehicle v ON "
     "v.model_id = m.model_id) x WHERE x.n = 5",
     "d0?"},
    {"SELECT m.name FROM model m, LATERAL (SELECT count(*) AS n FROM vehicle v WHERE v.model_id = "
     "m.model_id) x WHERE x.n = 0",
     "d1 W1 I1"},
    {"SELECT name FROM (SELECT name FROM model UNION ALL SELECT registration FROM vehicle) u GROUP "
     "BY name HAVING count(*) = 1",
     "d1? W1"},
    {"SELECT m.name, v.vehicle_id FROM model m LEFT JOIN vehicle v ON v.model_id = m.model_id "
     "INTERSECT SELECT name, NULL FROM model",
     "d1? W1"},
    {"SELECT m.name FROM model m LEFT JOIN vehicle v ON v.model_id = m.model_id GROUP BY m.name "
     "ORDER BY count(*) LIMIT 1",
     "d1? W1"},
    {"SELECT c.customer_id FROM customer c LEFT JOIN vehicle v ON v.owner_id = c.customer_id GROUP "
     "BY c.customer_id HAVING count(v.vehicle_id) = 0",
     "d0"},
    {"SELECT 1 FROM vehicle WHERE mileage > 5 HAVING count(*) = 0", "d1 W1"},
    /* a scalar sub-select, and whatever is computed from one, is NULL where nobody's row matches */
    {"SELECT name FROM model m WHERE (SELECT 1 FROM vehicle v WHERE v.model_id = m.model_id AND "
     "v.mileage <> 7) IS NULL",
     "W1 W1"},
    {"SELECT name FROM model m WHERE coalesce((SELECT max(v.mileage) FROM vehicle v WHERE "
     "v.model_id = m.model_id), 0) = 0",
     "W1 W1"},
    {"SELECT name FROM model m WHERE (SELECT coalesce(max(v.mileage), 0) FROM vehicle v WHERE "
     "v.model_id = m.model_id) = 0",
     "W1 W1"},
    {"SELECT name FROM model m WHERE (SELECT 2 * max(v.mileage) FROM vehicle v WHERE v.model_id = "
     "m.model_id) + 1 > 5 AND name <> 'x'",
     "W1"},
    {"SELECT name FROM model WHERE (SELECT max(mileage) FROM vehicle WHERE model_id = 3) IS NULL",
     "W1 W1"},
    {"SELECT x.name FROM (SELECT name, EXISTS (SELECT 1 FROM vehicle v WHERE v.model_id = "
     "m.model_id) AS e FROM model m) x WHERE NOT x.e",
     "d1 W1"},
    {"SELECT x.name FROM (SELECT name, (SELECT max(v.mileage) FROM vehicle v WHERE v.model_id = "
     "m.model_id) AS e FROM model m) x WHERE x.e > 5",
     "d1"},
    {"SELECT m.name FROM model m LEFT JOIN vehicle v ON v.model_id = m.model_id WHERE v.mileage + "
     "1 "
     "> 5 AND NOT (v.mileage = 7) AND v.mileage BETWEEN 1 AND 9 AND v.registration LIKE 'a%'",
     "d0?"},
    {"SELECT m.name FROM model m LEFT JOIN vehicle v ON v.model_id = m.model_id WHERE NOT "
     "(v.mileage IS NOT NULL)",
     "d0? W1"},
    {"WITH q AS (SELECT model_id, mileage FROM vehicle) SELECT m.name FROM model m LEFT JOIN q a "
     "ON "
     "a.model_id = m.model_id LEFT JOIN q b ON b.model_id = m.model_id + 1 WHERE a.mileage = "
     "coalesce(b.mileage, 5)",
     "d0? d0? W1"},
    /* groups that stay out by their figures: everybody in any group */
    {"SELECT m.name FROM model m JOIN vehicle v ON v.model_id < m.model_id OR v.mileage = 7 GROUP "
     "BY m.name HAVING max(v.registration) = 'x'",
     "d1 I1"},
    {"SELECT x.name FROM (SELECT m.name, count(*) AS n FROM model m JOIN vehicle v ON v.model_id < "
     "m.model_id OR v.mileage = 7 GROUP BY m.name) x WHERE x.n = 1",
     "d1 I1"},
    {"SELECT m.name, count(*) FROM model m JOIN vehicle v ON v.model_id = m.model_id GROUP BY "
     "m.name HAVING count(*) > 7",
     "d1"},
    {"SELECT c.city FROM customer c LEFT JOIN vehicle v ON v.owner_id = c.customer_id WHERE "
     "v.vehicle_id IS NULL",
     "d0 d0?"},
    /* each value once: all who have it */
    {"SELECT DISTINCT city FROM customer", "d1"},
    {"SELECT DISTINCT c.city FROM customer c, enquirer e ORDER BY c.city LIMIT 3", "d1 d1"},
    {"SELECT city FROM customer UNION SELECT city FROM enquirer", "d1? d1?"},
    {"SELECT city FROM customer UNION ALL SELECT city FROM enquirer", "d0? d0?"},
    {"SELECT city FROM customer INTERSECT SELECT city FROM enquirer", "d1? d1?"},
    {"SELECT city FROM customer EXCEPT SELECT city FROM enquirer", "d1? W1"},
    {"SELECT DISTINCT ON (city) city, balance FROM customer ORDER BY city, balance", "d0"},
    /* sub-selects in expressions */
    {"SELECT name FROM model m WHERE EXISTS (SELECT 1 FROM vehicle v WHERE v.model_id = "
     "m.model_id)",
     "w1"},
    {"SELECT name FROM model WHERE model_id IN (SELECT model_id FROM vehicle)", "w1"},
    {"SELECT name FROM model m WHERE NOT EXISTS (SELECT 1 FROM vehicle v WHERE v.model_id = "
     "m.model_id)",
     "W1"},
    {"SELECT name FROM model WHERE model_id > ALL (SELECT model_id FROM vehicle)", "W1"},
    {"SELECT name FROM model m WHERE model_id < (SELECT avg(mileage) FROM vehicle v WHERE "
     "v.model_id = m.model_id)",
     "W1"},
    {"SELECT name, (SELECT count(*) FROM vehicle v WHERE v.model_id = m.model_id) FROM model m",
     "a1"},
    /* a figure over a column that only one may have shows that one's */
    {"SELECT name, (SELECT avg(mileage) FROM vehicle v WHERE v.model_id = m.model_id) FROM "
     "model m",
     "d1"},
    /* compared with what an expression picks: charged */
    {"SELECT 1 FROM model WHERE model_id < (SELECT max(CASE WHEN customer_id = 7 THEN balance END) "
     "FROM customer)",
     "W1"},
    {"SELECT 1 FROM model WHERE model_id > ALL (SELECT balance * 2 FROM customer)", "W1"},
    /* with rows to measure by it is as good as the value: and so is the largest alone */
    {"SELECT 1 FROM model WHERE model_id < (SELECT max(balance) FROM customer)", "W1"},
    {"SELECT 1 FROM model WHERE model_id < (SELECT avg(customer_id) FROM customer)", "A1"},
    /* those who have a value apart: for the others it is as if they were not there */
    {"SELECT 1 FROM model WHERE model_id < (SELECT avg(balance) FROM customer)", "A1 A1"},
    {"SELECT 1 FROM model WHERE model_id < (SELECT sum(balance) / avg(balance) FROM customer)",
     "A1 A1"},
    /* of several at once no set tells */
    {"SELECT sum(x.n) FROM (SELECT (SELECT count(*) FROM vehicle v WHERE v.model_id = m.model_id) "
     "AS n FROM model m) x",
     "d2"},
    {"SELECT name, ARRAY(SELECT registration FROM vehicle v WHERE v.model_id = m.model_id) "
     "FROM model m",
     "d1"},
    {"SELECT (SELECT max(full_name) FROM customer)", "D1"},
    {"SELECT (SELECT avg(customer_id) FROM customer)", "A1"},
    {"SELECT (SELECT avg(balance) FROM customer)", "A1 A1"},
    {"SELECT count(*) FROM model m WHERE EXISTS (SELECT 1 FROM vehicle v WHERE v.model_id = "
     "m.model_id)",
     "w2"},
    {"SELECT city, (SELECT max(e.full_name) FROM enquirer e WHERE e.city = c.city) FROM "
     "customer c GROUP BY city",
     "d1 d1"},
    /* windows: everybody in the input, for values of others as direct */
    {"SELECT rank() OVER (ORDER BY balance) FROM customer", "d0 I1"},
    {"SELECT rank() OVER (ORDER BY balance * 2) FROM customer", "d0 D1"},
    {"SELECT rank() OVER w FROM customer WINDOW w AS (PARTITION BY customer_id = 7)", "d0 D1"},
    {"SELECT count(*) OVER (), city FROM customer", "d0 I1"},
    {"SELECT lag(full_name) OVER (ORDER BY balance) FROM customer", "d0 D1"},
    {"SELECT sum(balance) OVER w FROM customer WINDOW w AS (ORDER BY balance)", "d0 D1"},
    {"SELECT city, rank() OVER (ORDER BY sum(balance)) FROM customer GROUP BY city", "d1 I1"},
    /* sub-selects in FROM */
    {"SELECT avg(n) FROM (SELECT count(*) AS n FROM customer GROUP BY city) s", "d2"},
    {"SELECT n, count(*) FROM (SELECT count(*) AS n FROM customer GROUP BY city) s GROUP BY n",
     "d2 I1"},
    {"SELECT city, max(n) FROM (SELECT city, count(*) AS n FROM customer GROUP BY city) s "
     "GROUP BY city",
     "d2"},
    {"SELECT m.name, s.registration FROM model m, LATERAL (SELECT registration FROM vehicle v "
     "WHERE v.model_id = m.model_id ORDER BY mileage LIMIT 1) s",
     "d0"},
    {"WITH w AS (SELECT city FROM customer) SELECT a.city FROM w a JOIN w b USING (city)", "d0 d0"},
    {"WITH RECURSIVE r(k, d) AS (SELECT customer_id, 0 FROM customer UNION ALL SELECT "
     "e.enquirer_id, d + 1 FROM r JOIN enquirer e ON e.enquirer_id = r.k / 2) SELECT k, d FROM "
     "r",
     "d1? d1?"},
    {"WITH RECURSIVE r(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM r WHERE k < 9) SELECT k "
     "FROM r",
     ""},
    /* nobody's rows, however many of them */
    {"VALUES (1, 'a'), (2, 'b') ORDER BY 1", ""},
    {"SELECT g, city FROM customer, generate_series(1, 3) AS g", "d0"},
    {"SELECT x.a FROM customer c, LATERAL (VALUES (c.city), ('x')) AS x(a)", "d0"},
    {"SELECT j.a FROM jsonb_to_recordset('[]'::jsonb) AS j(a int, b text)", ""},
    /* HAVING: a group that changes may pass */
    {"SELECT city FROM customer GROUP BY city HAVING count(*) > 2", "d1"},
    {"SELECT count(*) FROM (SELECT city FROM customer GROUP BY city HAVING count(*) > 2) s",
     "d2 I1 I1"},
};

static void test_shapes(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct plan *plan = plan_accepted("acme.app", cases[i].sql);
        if (strcmp(shape_of(plan), cases[i].shape) != 0)
            fail_msg("%s\nhas %s, not %s\nas %s", cases[i].sql, shape_of(plan), cases[i].shape,
                     plan_text(plan));
        plan_release(plan);
    }
}

static void test_once_sets_come_ahead_of_rows(void **state)
{
    struct plan *plan = plan_accepted(
        "acme.app",
        "SELECT city, city FROM customer c WHERE 3 < (SELECT sum(mileage) FROM vehicle v "
        "WHERE v.model_id = c.balance AND v.mileage > 7) ORDER BY balance");
    assert_true(plan->has_once);
    assert_int_equal(plan->visible_count, 2);
    plan_has(plan, "CASE WHEN ((row_number() OVER ()) OPERATOR(=) 1) THEN");
    plan_has(plan, "LEFT JOIN (SELECT c.city AS");
    plan_has(plan, "TRUE AS");
    /* Whoever can matter to a row outside. */
    plan_has(plan, "WHERE (v.model_id OPERATOR(=) c.balance) AND (v.mileage OPERATOR(>) 7))");
    plan_release(plan);
    /* What reads the row outside is left out, where those rows are not known beforehand. */
    plan = plan_accepted(
        "acme.app", "SELECT 1 FROM (SELECT city, max(balance) AS most FROM customer GROUP BY city) "
                    "c WHERE 3 < (SELECT sum(mileage) FROM vehicle v WHERE v.model_id = c.most AND "
                    "v.mileage > 7)");
    plan_has(plan, "WHERE v.mileage OPERATOR(>) 7)");
    plan_release(plan);
    /* Where absence decides it is everybody: who is passed over is whom a row tells of. */
    plan =
        plan_accepted("acme.app", "SELECT 1 FROM model m WHERE NOT EXISTS (SELECT 1 FROM vehicle "
                                  "v WHERE v.model_id = m.model_id AND v.mileage > 7)");
    plan_has(plan, "AS h7 FROM crm.vehicle AS t0 WHERE t0.owner_id IS NOT NULL) AS h6) AS h4)");
    plan_release(plan);
}

static void test_names_from_outside_are_not_caught(void **state)
{
    struct plan *plan = plan_accepted(
        "acme.app",
        "SELECT 1 FROM customer c WHERE EXISTS (SELECT 1 FROM vehicle c WHERE mileage = "
        "balance)");
    plan_has(plan, "c_2.mileage OPERATOR(=) c.balance");
    plan_release(plan);
    plan_refused("acme.app",
                 "SELECT 1 FROM customer c WHERE EXISTS (SELECT 1 FROM vehicle c WHERE "
                 "c.balance = 1)",
                 "42703", "balance");
    plan_refused("acme.app",
                 "SELECT city, (SELECT max(e.city) FROM enquirer e WHERE e.city = "
                 "c.full_name) FROM customer c GROUP BY city",
                 "42803", "subquery uses ungrouped column");
    plan_refused("acme.app", "SELECT (SELECT sum(c.balance)) FROM customer c", "0A000",
                 "columns of an outer query");
}

/* A failing expression below must not run for an outer row that the policy hides. */
static void test_guards_reach_outward(void **state)
{
    struct plan *plan = plan_accepted(
        "acme.app", "SELECT 1 FROM customer c WHERE EXISTS (SELECT 1 FROM model m WHERE 1 / "
                    "c.balance > m.model_id)");
    plan_has(plan, "CASE WHEN (c.h");
    plan_release(plan);
}

static void test_statistics_only_partners_get_one_set(void **state)
{
    plan_refused(
        "counts.app",
        "SELECT count(*) FROM customer WHERE balance > (SELECT avg(balance) FROM customer)",
        "42501", "sub-selects cannot group");
    plan_refused("counts.app",
                 "SELECT count(*) FROM customer WHERE balance > ALL (SELECT balance FROM customer)",
                 "42501", "more than one set of people");
    plan_refused("counts.app", "SELECT city, count(*) FROM customer GROUP BY ROLLUP (city)",
                 "42501", "grouping sets");
    plan_refused("counts.app", "SELECT count(*) FROM customer UNION ALL SELECT 1", "42501",
                 "sub-selects cannot group");
    plan_refused("counts.app", "SELECT count(*) FILTER (WHERE city = 'x') FROM customer", "42501",
                 "statistics only");
    plan_release(plan_accepted("counts.app", "SELECT rank() OVER (ORDER BY name) FROM model"));
}

static void expect_figure(const char *sql, const char *before, bool together)
{
    struct plan *plan = plan_accepted("acme.app", sql);
    plan_has(plan, together ? before : "(SELECT ARRAY(SELECT DISTINCT ");
    (together ? plan_has : plan_has_not)(plan, "FROM unnest(array_agg(");
    (together ? plan_has : plan_has_not)(plan, ", '{}') AS ");
    plan_release(plan);
}

/* A figure and everybody whom it is of come from one look at the rows. */
static void test_figures_and_their_people_are_computed_together(void **state)
{
    expect_figure("SELECT name FROM model WHERE model_id > (SELECT avg(mileage) FROM vehicle)",
                  "WITH h1 AS (SELECT avg(vehicle.mileage) AS h2, ARRAY(SELECT", true);
    /* ahead of what reads it */
    expect_figure("WITH q AS (SELECT name FROM model WHERE model_id > (SELECT max(mileage) FROM "
                  "vehicle)) SELECT name FROM q",
                  "WITH h1 AS (SELECT max(vehicle.mileage) AS h2, ARRAY(SELECT", true);
    /* behind what it reads it cannot be */
    expect_figure("WITH q AS (SELECT mileage FROM vehicle) SELECT name FROM model WHERE model_id > "
                  "(SELECT avg(mileage) FROM q)",
                  "", false);
    /* what may fail waits until it is asked for; no row is no figure */
    expect_figure("SELECT name FROM model WHERE model_id > (SELECT 1 / sum(mileage) FROM vehicle)",
                  "", false);
    expect_figure(
        "SELECT name FROM model WHERE model_id > (SELECT avg(mileage::float8) FROM vehicle)", "",
        false);
    expect_figure("SELECT name FROM model WHERE model_id > (SELECT mileage FROM vehicle WHERE "
                  "vehicle_id = 1)",
                  "", false);
}

/* Of the groups that a set operation makes sets are texts; elsewhere they are arrays. */
static void test_sets_of_groups_are_taken_apart(void **state)
{
    struct plan *plan = plan_accepted(
        "acme.app", "SELECT mileage FROM vehicle EXCEPT SELECT model_id FROM model EXCEPT SELECT "
                    "mileage FROM vehicle GROUP BY mileage ORDER BY 1 LIMIT 5 OFFSET $1");
    plan_has(plan, "FROM ((SELECT ");
    plan_has(plan, ", unnest(CAST(");
    plan_has(plan, " AS _text)) AS ");
    plan_release(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_figures_and_their_people_are_computed_together),
        cmocka_unit_test(test_sets_of_groups_are_taken_apart),
        cmocka_unit_test(test_once_sets_come_ahead_of_rows),
        cmocka_unit_test(test_names_from_outside_are_not_caught),
        cmocka_unit_test(test_guards_reach_outward),
        cmocka_unit_test(test_statistics_only_partners_get_one_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
