/* Who is the same person as whom, by keys and by what a statement equates: and what that saves. The
 * shop has everything the database can prove: keys, foreign keys, columns that are never NULL;
 * `loose` is about the same people by a table that proves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "plan_fixture.h"

#define COLUMN(name_, not_null_, unique_)                                                          \
    {                                                                                              \
        .name = name_, .type_oid = 20, .type_name = "bigint", .type_category = 'N',                \
        .type_builtin = true, .not_null = not_null_, .unique = unique_, .deterministic = true      \
    }
#define TEXT(name_, deterministic_)                                                                \
    {                                                                                              \
        .name = name_, .type_oid = 25, .type_name = "text", .type_category = 'S',                  \
        .type_builtin = true, .deterministic = deterministic_                                      \
    }
#define FLOAT(name_)                                                                               \
    {                                                                                              \
        .name = name_, .type_oid = 701, .type_name = "double precision", .type_category = 'N',     \
        .type_builtin = true, .deterministic = true                                                \
    }

static const struct catalog_column person_columns[] = {COLUMN("p", true, true), TEXT("city", true),
                                                       COLUMN("code", false, true), FLOAT("f")};
static const struct catalog_column order_columns[] = {
    COLUMN("o", true, true), COLUMN("p", true, false), COLUMN("total", true, false)};
static const struct catalog_column line_columns[] = {
    COLUMN("o", true, false), COLUMN("n", true, false), COLUMN("q", true, false),
    COLUMN("part", false, false), FLOAT("f")};
static const struct catalog_column loose_columns[] = {
    COLUMN("l", true, true), COLUMN("p", false, false), COLUMN("o", false, false),
    COLUMN("n", true, false)};
static const struct catalog_column part_columns[] = {COLUMN("part", true, true),
                                                     TEXT("name", true)};
/* Both hold the person of the order too. A foreign key sees to it in the one, nothing in the other.
 */
static const struct catalog_column note_columns[] = {COLUMN("o", true, false),
                                                     COLUMN("p", true, false)};
static const struct catalog_column memo_columns[] = {COLUMN("o", true, false),
                                                     COLUMN("p", true, false)};
static const struct catalog_agreement note_agreements[] = {
    {&note_columns[0], &note_columns[1], 2, "o", "p"},
    {&note_columns[1], &note_columns[0], 2, "p", "o"}};
static const struct catalog_column *const line_key[] = {&line_columns[0], &line_columns[1]};
static const struct catalog_key line_keys[] = {{line_key, 2}};
static const struct catalog_reference line_references[] = {{&line_columns[0], 2, "o"}};

#define TABLE(name_, oid_, columns_)                                                               \
    .schema = "s", .name = name_, .oid = oid_, .kind = 'r', .columns = columns_,                   \
    .column_count = sizeof columns_ / sizeof *columns_

static const struct catalog_table tables[] = {
    {TABLE("person", 1, person_columns)},
    {TABLE("orders", 2, order_columns)},
    {TABLE("line", 3, line_columns), .keys = line_keys, .key_count = 1,
     .references = line_references, .reference_count = 1},
    {TABLE("loose", 4, loose_columns)},
    {TABLE("part", 5, part_columns)},
    {TABLE("note", 6, note_columns), .agreements = note_agreements, .agreement_count = 2},
    {TABLE("memo", 7, memo_columns)},
};

static const char policy[] =
    "controller: {name: T, dpo: {name: D, email: d@e.example}}\n"
    "subjects:\n"
    "  person: {dataset: person, key: p}\n"
    "datasets:\n"
    "  person: {table: s.person, subject: {kind: person, key: p}, columns: {p: {}, city: {}, code: "
    "{}, f: {}}}\n"
    "  orders: {table: s.orders, subject: {kind: person, key: p}, columns: {o: {}, p: {}, total: "
    "{}}}\n"
    "  line: {table: s.line, subject: {kind: person, via: [{dataset: orders, on: o}]}, columns: "
    "{o: "
    "{}, n: {}, q: {}, part: {}, f: {}}}\n"
    "  loose: {table: s.loose, subject: {kind: person, via: [{dataset: orders, on: o}]}, columns: "
    "{l: {}, p: {}, o: {}, n: {}}}\n"
    "  strict: {table: s.loose, subject: {kind: person, key: p, when_null: refuse}, columns: {l: "
    "{}, "
    "p: {}}}\n"
    "  part: {table: s.part, subject: none, columns: {part: {}, name: {}}}\n"
    "  note: {table: s.note, subject: {kind: person, key: p}, columns: {o: {}, p: {}}}\n"
    "  memo: {table: s.memo, subject: {kind: person, key: p}, columns: {o: {}, p: {}}}\n"
    "partners:\n"
    "  acme:\n"
    "    contract: {agreement: A, breach_contact: {name: N, phone: '1'}}\n"
    "    purposes: [testing]\n"
    "    agents: [{name: app, identity: {certificate: \"spiffe://acme/app\"}}]\n"
    "    grants:\n"
    "      - {dataset: person, columns: all}\n"
    "      - {dataset: orders, columns: all}\n"
    "      - {dataset: line, columns: all}\n"
    "      - {dataset: loose, columns: all}\n"
    "      - {dataset: strict, columns: all}\n"
    "      - {dataset: part, columns: all}\n"
    "      - {dataset: note, columns: all}\n"
    "      - {dataset: memo, columns: all}\n"
    "  veiled:\n"
    "    contract: {agreement: A, breach_contact: {name: N, phone: '1'}}\n"
    "    purposes: [testing]\n"
    "    agents: [{name: app, identity: {certificate: \"spiffe://veiled/app\"}}]\n"
    "    grants:\n"
    "      - {dataset: person, columns: {p: token, city: clear}}\n"
    "      - {dataset: orders, columns: {o: zero, p: token, total: clear}}\n"
    "      - {dataset: line, columns: {o: zero, q: clear}}\n"
    "masks:\n"
    "  zero: {form: masked, sql: \"{column} - {column}\"}\n";

static int make_model(void **state)
{
    struct catalog *catalog = calloc(1, sizeof *catalog);
    struct model *model;
    struct error error = {0};
    CHECK(catalog != NULL);
    arena_init(&catalog->arena, 4096);
    catalog->tables = tables;
    catalog->table_count = sizeof tables / sizeof *tables;
    catalog->server_version = "15.18";
    catalog->server_version_number = 150018;
    if (plan_fixture_bind_to(policy, catalog, &model, &error) != STATUS_OK)
        fail_msg("no model: %s (%s)", error.message, error.hint);
    plan_fixture_use(model);
    return 0;
}

/* A letter a hidden column, upper case: once a statement; its depth; "?": its row may be missing;
 * "=": it repeats the one before. */
static const char *shape_of(const struct plan *plan)
{
    static char text[200];
    size_t len = 0;
    text[0] = 0;
    for (size_t i = 0; i < plan->hidden_count && len < sizeof text - 8; i++) {
        const struct plan_hidden *hidden = &plan->hidden[i];
        char letter = (hidden->once ? "-DAWIP" : "-dawip")[hidden->grade];
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%c%u%s%s", len == 0 ? "" : " ",
                                letter, hidden->depth, hidden->extended ? "?" : "",
                                hidden->equals_previous ? "=" : "");
    }
    return text;
}

struct shape {
    const char *sql, *shape;
};

static void check_shapes(const char *login, const struct shape *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct plan *plan = plan_accepted(login, cases[i].sql);
        if (strcmp(shape_of(plan), cases[i].shape) != 0)
            fail_msg("%s\nhas %s, not %s\nas %s", cases[i].sql, shape_of(plan), cases[i].shape,
                     plan_text(plan));
        plan_release(plan);
    }
}
#define CHECK_SHAPES(login, cases) check_shapes(login, cases, sizeof cases / sizeof *cases)

static void test_a_foreign_key_of_several_columns(void **state)
{
    static const struct shape cases[] = {
        {"SELECT 1 FROM orders JOIN note USING (o)", "d0"},
        {"SELECT 1 FROM note a, note b WHERE a.o = b.o", "d0"},
        {"SELECT 1 FROM line JOIN note USING (o)", "d0"},
        {"SELECT 1 FROM orders a WHERE EXISTS (SELECT 1 FROM note b WHERE b.o = a.o)", "d0"},
        {"SELECT 1 FROM orders a WHERE NOT EXISTS (SELECT 1 FROM note b WHERE b.o = a.o)", "d0"},
        {"SELECT o, count(*) FROM note GROUP BY o", "d0 d0="},
        /* the person of an order is not any order's of the person */
        {"SELECT 1 FROM note a, line b WHERE a.p = b.n", "d0 d0"},
        {"SELECT p, count(*) FROM (SELECT b.p, a.o FROM note a, memo b WHERE a.p = b.o) s GROUP BY "
         "p",
         "d1 d0"},
        /* a column that merely looks as if */
        {"SELECT 1 FROM orders JOIN memo USING (o)", "d0 d0"},
        {"SELECT 1 FROM note JOIN memo USING (o)", "d0 d0"},
        {"SELECT 1 FROM orders a WHERE EXISTS (SELECT 1 FROM memo b WHERE b.o = a.o)", "d0 w1"},
        {"SELECT o, count(*) FROM memo GROUP BY o", "d1"},
    };
    CHECK_SHAPES("acme.app", cases);
}

static void test_one_key_for_several(void **state)
{
    static const struct shape cases[] = {
        {"SELECT 1 FROM person JOIN orders USING (p)", "d0"},
        {"SELECT 1 FROM person a, orders b WHERE b.p = a.p", "d0"},
        {"SELECT 1 FROM orders JOIN line USING (o)", "d0"},
        {"SELECT 1 FROM line a, line b WHERE a.o = b.o", "d0"},
        {"SELECT 1 FROM person a, orders b, line c, loose d WHERE d.o = c.o AND c.o = b.o AND b.p "
         "= "
         "a.p",
         "d0"},
        /* one way round the corner, by a table that is about nobody */
        {"SELECT 1 FROM line a, part b, line c WHERE a.part = b.part AND b.part = c.part", "d0 d0"},
        /* the same row, by a key of several columns */
        {"SELECT 1 FROM line a, line b WHERE a.o = b.o AND a.n = b.n", "d0"},
        /* not the same */
        {"SELECT 1 FROM person, orders", "d0 d0"},
        {"SELECT 1 FROM person a, orders b WHERE a.p = b.o", "d0 d0"},
        {"SELECT 1 FROM person a, orders b WHERE a.p < b.p", "d0 d0"},
        {"SELECT 1 FROM person a, orders b WHERE a.p = b.p OR a.city = 'x'", "d0 d0"},
        {"SELECT 1 FROM person a, orders b WHERE NOT a.p = b.p", "d0 d0"},
        {"SELECT 1 FROM person a, orders b WHERE a.p + 0 = b.p", "d0 d0"},
        {"SELECT 1 FROM line a, line b WHERE a.n = b.n", "d0 d0"},
        {"SELECT 1 FROM person a, person b WHERE a.city = b.city", "d0 d0"},
        /* a unique column that may be NULL: equal values are of one row, though NULLs are not */
        {"SELECT 1 FROM person a, person b WHERE a.code = b.code", "d0 d0"},
        /* equality of floats leads from one number to another */
        {"SELECT 1 FROM person a, line b WHERE a.f = b.f", "d0 d0"},
        /* where a row may be missing, so may its key */
        {"SELECT 1 FROM person LEFT JOIN orders USING (p)", "d0 d0?"},
        {"SELECT 1 FROM person FULL JOIN orders USING (p)", "d0? d0?"},
        {"SELECT 1 FROM part x LEFT JOIN (person a JOIN orders b ON a.p = b.p) ON x.part = a.p",
         "d0? d0?"},
        /* NULL must be told */
        {"SELECT 1 FROM person JOIN strict USING (p)", "d0 d0"},
        /* through sub-selects and WITH; read twice it is two */
        {"SELECT 1 FROM (SELECT p AS x FROM person) a JOIN orders b ON a.x = b.p", "d0"},
        {"SELECT 1 FROM (SELECT a.p AS x FROM person a JOIN orders b USING (p)) c JOIN orders d ON "
         "d.p = c.x",
         "d0"},
        {"WITH w AS (SELECT p, city FROM person) SELECT 1 FROM w a, w b", "d0 d0"},
        {"WITH w AS (SELECT p, city FROM person) SELECT 1 FROM w a JOIN w b USING (p)", "d0"},
        {"SELECT 1 FROM (SELECT a.p AS x, b.city AS y FROM person a, person b) s, orders o WHERE "
         "o.p = s.x",
         "d0 d0"},
        /* groups of one person's rows, joined to the person */
        {"SELECT 1 FROM person a JOIN (SELECT p, sum(total) AS t FROM orders GROUP BY p) b ON a.p "
         "= "
         "b.p",
         "d0"},
        {"SELECT 1 FROM orders a JOIN (SELECT o, sum(q) AS t FROM line GROUP BY o) b ON a.o = b.o",
         "d0"},
        {"SELECT 1 FROM orders a JOIN (SELECT n, sum(q) AS t FROM line GROUP BY n) b ON a.o = b.n",
         "d0 d1"},
    };
    CHECK_SHAPES("acme.app", cases);
}

static void test_columns_of_all_are_told(void **state)
{
    struct plan *plan = plan_accepted("acme.app", "SELECT a.city FROM person a, orders b, line c "
                                                  "WHERE a.p = b.p AND b.o = c.o AND c.q > 1");
    assert_int_equal(plan->hidden_count, 1);
    assert_string_equal(plan_hidden_columns(&plan->hidden[0]),
                        "line.o:clear line.q:clear orders.o:clear orders.p:clear "
                        "person.city:clear person.p:clear");
    /* Nothing reads the path any more, and it hides nothing. */
    plan_has(plan, "LEFT JOIN s.orders AS t1");
    plan_release(plan);
    plan = plan_accepted("acme.app", "SELECT a.city FROM person a WHERE EXISTS (SELECT 1 FROM "
                                     "orders b JOIN line c USING (o) WHERE b.p = a.p AND c.q > 1)");
    assert_int_equal(plan->hidden_count, 1);
    assert_string_equal(plan_hidden_columns(&plan->hidden[0]),
                        "line.o:clear line.q:clear orders.o:clear orders.p:clear "
                        "person.city:clear person.p:clear");
    plan_release(plan);
}

static void test_masks_prove_nothing_and_tokens_do(void **state)
{
    static const struct shape cases[] = {
        {"SELECT 1 FROM person a JOIN orders b ON a.p = b.p", "d0"},
        {"SELECT 1 FROM orders a JOIN line b ON a.o = b.o", "d0 d0"},
        {"SELECT 1 FROM orders a WHERE EXISTS (SELECT 1 FROM line b WHERE b.o = a.o)", "d0 w1"},
        {"SELECT o, sum(q) FROM line GROUP BY o", "d1"},
        {"SELECT p, sum(total) FROM orders GROUP BY p", "d0 d0="},
    };
    CHECK_SHAPES("veiled.app", cases);
}

static void test_joins_that_cannot_miss(void **state)
{
    struct plan *plan = plan_accepted("acme.app", "SELECT 1 / n FROM line");
    plan_has(plan, "LEFT JOIN s.orders AS t1");
    plan_has_not(plan, "CASE WHEN"); /* no row is hidden */
    plan_release(plan);
    plan = plan_accepted("acme.app", "SELECT 1 / n FROM loose");
    plan_has(plan, "FROM (s.loose AS t0 JOIN s.orders AS t1");
    plan_has(plan, "CASE WHEN");
    plan_release(plan);
}

static void test_sub_selects_about_the_person_of_the_row(void **state)
{
    static const struct shape cases[] = {
        {"SELECT p FROM person a WHERE EXISTS (SELECT 1 FROM orders b WHERE b.p = a.p)", "d0"},
        {"SELECT p FROM person a WHERE NOT EXISTS (SELECT 1 FROM orders b WHERE b.p = a.p)", "d0"},
        {"SELECT p, (SELECT sum(total) FROM orders b WHERE b.p = a.p) FROM person a", "d0"},
        {"SELECT p, (SELECT total FROM orders b WHERE b.p = a.p ORDER BY 1 LIMIT 1) FROM person a",
         "d0"},
        {"SELECT n FROM line a WHERE NOT EXISTS (SELECT 1 FROM line b WHERE b.o = a.o AND b.q > "
         "a.q)",
         "d0"},
        {"SELECT o FROM orders WHERE o IN (SELECT o FROM line GROUP BY o HAVING sum(q) > 3)", "d0"},
        {"SELECT o FROM orders a WHERE total < (SELECT sum(b.q) FROM line b WHERE b.o = a.o)",
         "d0"},
        {"SELECT 1 FROM person a LEFT JOIN orders b ON EXISTS (SELECT 1 FROM line c WHERE c.o = "
         "b.o)",
         "d0 d0?"},
        {"SELECT 1 FROM orders a WHERE EXISTS (SELECT 1 FROM part WHERE EXISTS (SELECT 1 FROM line "
         "b WHERE b.o = a.o AND b.part = part.part))",
         "d0"},
        /* not about that person, or not only */
        {"SELECT p FROM person a WHERE NOT EXISTS (SELECT 1 FROM orders b WHERE b.o = a.p)",
         "d0 W1"},
        {"SELECT p FROM person a WHERE EXISTS (SELECT 1 FROM orders b WHERE b.p = a.p OR b.o = 1)",
         "d0 w1"},
        {"SELECT p FROM person a WHERE EXISTS (SELECT 1 FROM orders b, person c WHERE b.p = a.p)",
         "d0 w1 w1"},
        {"SELECT o FROM orders WHERE o NOT IN (SELECT o FROM line)", "d0 W1"},
        {"SELECT o FROM orders WHERE o IN (SELECT o FROM line ORDER BY q LIMIT 5)", "d0 w1"},
        {"SELECT o FROM orders WHERE o IN (SELECT max(o) FROM line)", "d0 w1"},
        {"SELECT p FROM person a WHERE EXISTS (SELECT 1 FROM (SELECT p FROM orders ORDER BY total "
         "LIMIT 3) b WHERE b.p = a.p)",
         "d0 W1"},
        /* above groups there is no row */
        {"SELECT city FROM person a GROUP BY city HAVING EXISTS (SELECT 1 FROM orders b WHERE b.p "
         "= "
         "3)",
         "d1 W1"},
    };
    CHECK_SHAPES("acme.app", cases);
}

static void test_outer_joins_of_one_person(void **state)
{
    static const struct shape cases[] = {
        /* groups change with a person only if the person stays in them */
        {"SELECT b.total, count(*) FROM person a LEFT JOIN orders b ON a.p = b.p GROUP BY 1",
         "d1 d1?"},
        {"SELECT b.total, count(*) FROM person a LEFT JOIN orders b ON a.p = b.p AND b.total > 3 "
         "GROUP BY 1",
         "d1 d1?"},
        {"SELECT b.total, count(*) FROM person a LEFT JOIN orders b ON a.p = b.o GROUP BY 1",
         "d1 d1? I1"},
        {"SELECT b.total, count(*) FROM person a LEFT JOIN (orders b JOIN person c ON c.p = b.o) "
         "ON "
         "a.p = b.p GROUP BY 1",
         "d1 d1? d1? I1"},
        {"SELECT b.total, count(*) FROM person a FULL JOIN orders b ON a.p = b.p GROUP BY 1",
         "d1? d1? I1 I1"},
    };
    CHECK_SHAPES("acme.app", cases);
}

static void test_groups_of_one_person(void **state)
{
    static const struct shape cases[] = {
        /* the key itself is a column of the group */
        {"SELECT p, count(*) FROM orders GROUP BY p", "d0"},
        {"SELECT a.p, count(*) FROM person a JOIN orders b USING (p) GROUP BY 1", "d0"},
        {"SELECT n, count(*) FROM (SELECT p, count(*) AS n FROM orders GROUP BY p) s GROUP BY n",
         "d1"},
        /* it follows from one */
        {"SELECT o, sum(q) FROM line GROUP BY o", "d0 d0="},
        {"SELECT a.o, sum(q) FROM orders a JOIN line b USING (o) GROUP BY 1", "d0 d0="},
        {"SELECT o, n, sum(q) FROM line GROUP BY o, n", "d0 d0="},
        {"SELECT l, count(*) FROM loose GROUP BY l", "d0 d0="},
        /* below the top it stays a set, which needs no proof */
        {"SELECT max(t) FROM (SELECT o, sum(q) AS t FROM line GROUP BY o) s", "d2"},
        /* who may be missing is the same person, and the group goes with them */
        {"SELECT n, count(*) FROM (SELECT a.p, count(b.o) AS n FROM person a LEFT JOIN orders b ON "
         "a.p = b.p GROUP BY a.p) s GROUP BY n",
         "d1"},
        {"SELECT n, count(*) FROM (SELECT a.part, count(b.o) AS n FROM part a LEFT JOIN orders b "
         "ON "
         "a.part = b.p GROUP BY a.part) s GROUP BY n",
         "d2? I1"},
        /* not known */
        {"SELECT n, sum(q) FROM line GROUP BY n", "d1"},
        {"SELECT o + 0, sum(q) FROM line GROUP BY 1", "d1"},
        {"SELECT code, count(*) FROM person GROUP BY code", "d1"},
        {"SELECT sum(q) FROM line", "d1"},
        {"SELECT o, sum(q) FROM line GROUP BY ROLLUP (o)", "d1"},
        {"SELECT b.p, count(*) FROM part a LEFT JOIN orders b ON a.part = b.o GROUP BY 1",
         "d1? I1"},
    };
    CHECK_SHAPES("acme.app", cases);
}

/* Conditions on a sub-select's value record those who can matter to a row, not all. */
static void test_sub_selects_read_by_few_rows(void **state)
{
    /* Only parts of that name; and of FROM only what the sub-select reads. */
    struct plan *plan = plan_accepted(
        "acme.app", "SELECT 1 FROM part a, loose x WHERE a.name = 'bolt' AND x.o = a.part AND 3 < "
                    "(SELECT sum(q) FROM line b WHERE b.part = a.part)");
    plan_has(plan, "SELECT ARRAY(SELECT DISTINCT b.h");
    plan_has(plan, "AS b WHERE (b.part OPERATOR(=) a.part) AND (a.name OPERATOR(=) 'bolt'))");
    assert_string_equal(shape_of(plan), "d0 W1");
    plan_release(plan);
    /* A condition that reads other people's rows is not held against them. */
    plan = plan_accepted(
        "acme.app", "SELECT 1 FROM part a WHERE a.name <> (SELECT max(city) FROM person) AND 3 "
                    "< (SELECT sum(q) FROM line b WHERE b.part = a.part)");
    plan_has(plan, "AS b WHERE b.part OPERATOR(=) a.part)");
    assert_string_equal(shape_of(plan), "W1 W1");
    plan_release(plan);
    /* One about nobody is. */
    plan = plan_accepted("acme.app", "SELECT 1 FROM part a WHERE a.part IN (SELECT max(part) FROM "
                                     "part) AND 3 < (SELECT sum(q) FROM line b WHERE b.part = "
                                     "a.part)");
    plan_has(plan, "AS b WHERE (b.part OPERATOR(=) a.part) AND (a.part IN (SELECT");
    plan_release(plan);
}

/* Everybody whose rows a grouped sub-select is made of is on its rows: they say who, not the
 * table. */
static void test_groups_tell_of_everybody(void **state)
{
    struct plan *plan = plan_accepted(
        "acme.app", "WITH r AS (SELECT n, sum(q) AS t FROM line WHERE n > 3 GROUP BY n) SELECT n "
                    "FROM r WHERE t = (SELECT max(t) FROM r)");
    assert_string_equal(shape_of(plan), "d1 W1");
    plan_release(plan);
    plan = plan_accepted("acme.app",
                         "WITH r AS (SELECT n, sum(q) AS t FROM line GROUP BY n HAVING sum(q) > 3) "
                         "SELECT n FROM r WHERE t = (SELECT max(t) FROM r)");
    assert_string_equal(shape_of(plan),
                        "d1 W1 I1"); /* not those alone who are in a group that shows */
    plan_release(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_foreign_key_of_several_columns),
        cmocka_unit_test(test_one_key_for_several),
        cmocka_unit_test(test_columns_of_all_are_told),
        cmocka_unit_test(test_masks_prove_nothing_and_tokens_do),
        cmocka_unit_test(test_joins_that_cannot_miss),
        cmocka_unit_test(test_sub_selects_about_the_person_of_the_row),
        cmocka_unit_test(test_outer_joins_of_one_person),
        cmocka_unit_test(test_groups_of_one_person),
        cmocka_unit_test(test_sub_selects_read_by_few_rows),
        cmocka_unit_test(test_groups_tell_of_everybody),
    };
    return cmocka_run_group_tests(tests, make_model, NULL);
}
