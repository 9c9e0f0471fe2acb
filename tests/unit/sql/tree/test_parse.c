/* Parsing: bounds on length and depth, syntax errors without the statement's text, hostile nesting
 * on a thread with the stack that plan.h asks for. */
#include "sql/tree/parse.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sql/tree/emit.h"

static enum status parse_only(const char *sql, size_t bytes, size_t depth, int *count,
                              struct error *error)
{
    struct parse_scope scope;
    List *statements = NIL;
    enum status status;

    parse_begin(&scope);
    status = parse_text(sql, bytes, depth, &statements, error);
    if (status == STATUS_OK)
        *count = list_length(statements);
    parse_end(&scope);
    return status;
}

static void counts_statements(void **state)
{
    static const struct {
        const char *sql;
        int count;
    } cases[] = {
        {"", 0},
        {" ; ;", 0},
        {"-- only a comment", 0},
        {"SELECT 1", 1},
        {"SELECT 1;", 1},
        {"SELECT 1; SELECT 2", 2},
        {"SELECT ';'", 1},
        {"/* ; /* ; */ */ SELECT 1", 1},
        {"CREATE TABLE x (a int)", 1},
        {"DO $$ ; $$", 1},
    };

    for (size_t i = 0; i < lengthof(cases); i++) {
        int count = -1;
        struct error error = {0};
        enum status status = parse_only(cases[i].sql, 1000, 50, &count, &error);
        if (status != STATUS_OK || count != cases[i].count)
            fail_msg("%s: %s, %d statements, expected %d", cases[i].sql, status_name(status), count,
                     cases[i].count);
    }
}

static void expect(const char *sql, size_t bytes, size_t depth, enum status expected,
                   const char *sqlstate)
{
    struct error error = {0};
    int count;
    enum status status = parse_only(sql, bytes, depth, &count, &error);

    if (status != expected || (expected != STATUS_OK && strcmp(error.sqlstate, sqlstate) != 0))
        fail_msg("%s %s, expected %s %s for %.100s", status_name(status), error.sqlstate,
                 status_name(expected), sqlstate, sql);
}

static void caps_the_text(void **state)
{
    expect("SELECT 1", 8, 50, STATUS_OK, "");
    expect("SELECT 1", 7, 50, STATUS_LIMIT, "54000");
}

static void names_the_position_but_not_the_text(void **state)
{
    struct error error = {0};
    int count;

    assert_int_equal(parse_only("SELECT a FROM 'secret-value'", 1000, 50, &count, &error),
                     STATUS_DENIED);
    assert_string_equal(error.sqlstate, "42601");
    assert_string_equal(error.message, "syntax error at character 15");
    assert_int_equal(parse_only("SELECT 'unterminated secret", 1000, 50, &count, &error),
                     STATUS_DENIED);
    assert_null(strstr(error.message, "secret"));
}

static void refuses_what_is_not_utf8(void **state)
{
    static const char *const bad[] = {"SELECT '\x80'",
                                      "SELECT '\xc3'",
                                      "SELECT '\xc0\xaf'",
                                      "SELECT '\xed\xa0\x80'",
                                      "SELECT '\xf4\x90\x80\x80'",
                                      "SELECT '\xe0\x80\x80'",
                                      "SELECT 1 \xf0\x9f\x98",
                                      "SELECT '\xf5\x80\x80\x80'"};

    for (size_t i = 0; i < lengthof(bad); i++)
        expect(bad[i], 1000, 50, STATUS_DENIED, "22021");
    expect("SELECT '\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xed\x9f\xbf'", 1000, 50, STATUS_OK, "");
}

static void caps_runs_of_operator_characters(void **state)
{
    char sql[700] = "SELECT ";

    memset(sql + 7, '+', 501);
    expect(sql, 1000, 50, STATUS_LIMIT, "54000");
    memcpy(sql + 507, "a", 2);
    sql[100] = ' ';
    expect(sql, 1000, 50, STATUS_LIMIT, "54001");
    sql[7] = sql[507] = '\''; /* within a literal there is no limit */
    expect(sql, 1000, 50, STATUS_OK, "");
}

/* Tells depth on the tree: the parentheses of ((1)) leave no trace there, but NOT does. */
static void measures_depth(void **state)
{
    expect("SELECT NOT NOT NOT a", 1000, 6, STATUS_OK, "");
    expect("SELECT NOT NOT NOT a", 1000, 5, STATUS_LIMIT, "54001");
    expect("SELECT ((((1))))", 1000, 4, STATUS_OK, "");
    expect("SELECT (((((1)))))", 1000, 4, STATUS_LIMIT, "54001");
    expect("SELECT '((((((((((', \"(((((((((\"", 1000, 4, STATUS_OK, "");
    expect("PREPARE x AS SELECT NOT NOT NOT NOT a", 1000, 5, STATUS_LIMIT, "54001");
    expect("DECLARE c CURSOR FOR SELECT NOT NOT NOT NOT a", 1000, 5, STATUS_LIMIT, "54001");
    expect("EXPLAIN SELECT NOT NOT NOT NOT a", 1000, 5, STATUS_LIMIT, "54001");
    expect("COPY (SELECT NOT NOT NOT NOT a) TO STDOUT", 1000, 5, STATUS_LIMIT, "54001");
    expect("DELETE FROM t WHERE NOT NOT NOT NOT a", 1000, 5, STATUS_LIMIT, "54001");
}

static void takes_single_expressions(void **state)
{
    static const char *const good[] = {"country = 'GB' AND NOT gone_away",
                                       "a",
                                       "1",
                                       "f(a, b)",
                                       "a IN (1, 2)",
                                       "(a)",
                                       "a -- comment"};
    static const char *const bad[] = {
        "",
        "a, b",
        "a AS b",
        "a b",
        "a FROM t",
        "a WHERE b",
        "a; SELECT 1",
        "a) + (b",
        "DISTINCT a",
        "(SELECT 1)",
        "EXISTS (SELECT 1)",
        "a IN (SELECT 1)",
        "f(ARRAY(SELECT 1))",
        "a ORDER BY 1",
        "a LIMIT 1",
        "a UNION SELECT b",
        "a INTO b",
        "a GROUP BY b",
        "a HAVING b",
        "a WINDOW w AS ()",
        "a FOR UPDATE",
        "'open",
        "a OFFSET 1",
    };

    for (size_t i = 0; i < lengthof(good) + lengthof(bad); i++) {
        const char *sql = i < lengthof(good) ? good[i] : bad[i - lengthof(good)];
        enum status expected = i < lengthof(good) ? STATUS_OK : STATUS_INVALID, status;
        struct parse_scope scope;
        struct error error = {0};
        Node *expression = NULL;

        parse_begin(&scope);
        status = parse_expression(sql, &expression, &error);
        parse_end(&scope);
        if (status != expected || (expression != NULL) != (expected == STATUS_OK))
            fail_msg("%s: %s, expected %s", sql, status_name(status), status_name(expected));
    }
}

/* Hostile texts: a beginning, a unit repeated until `bytes` are full, an end for each unit. */
static const struct {
    const char *start, *unit, *middle, *end;
} hostile[] = {
    {"SELECT ", "(", "1", ")"},
    {"SELECT ", "(", "", ""},
    {"SELECT ", "[", "", ""},
    {"SELECT 1", "+1", "", ""},
    {"SELECT ", "1+(", "1", ")"},
    {"SELECT ", "NOT ", "a", ""},
    {"SELECT ", "- ", "a", ""},
    {"SELECT ", "+", "a", ""},
    {"SELECT ", "@!", "a", ""},
    {"", "/ *", "", ""},
    {"SELECT ", "-(", "a", ")"},
    {"SELECT ", "~ ", "a", ""},
    {"SELECT a", ".b", "", ""},
    {"SELECT a", "[1]", "", ""},
    {"SELECT a", "::int", "", ""},
    {"SELECT a", " IS NULL", "", ""},
    {"SELECT a", " COLLATE b", "", ""},
    {"SELECT a", " AND a", "", ""},
    {"SELECT ", "a OR b AND ", "c", ""},
    {"SELECT ", "CASE WHEN a THEN ", "b", " END"},
    {"SELECT ", "f(", "a", ")"},
    {"SELECT ", "ARRAY[", "a", "]"},
    {"SELECT ARRAY", "[", "a", "]"},
    {"SELECT ", "a IN (SELECT ", "b", ")"},
    {"SELECT ", "(SELECT ", "b", ")"},
    {"SELECT * FROM ", "(SELECT * FROM ", "t", ") x"},
    {"SELECT * FROM ", "(", "t", ")"},
    {"SELECT * FROM a", " JOIN a ON b", "", ""},
    {"SELECT * FROM ", "a JOIN ", "a", " ON b"},
    {"SELECT 1", " UNION SELECT 1", "", ""},
    {"", "(SELECT 1) UNION (", "SELECT 1", ")"},
    {"", "(", "SELECT 1", ")"},
    {"", "WITH a AS (", "SELECT 1", ") SELECT 2"},
    {"SELECT 1 GROUP BY ", "ROLLUP (", "a", ")"},
    {"SELECT 1 GROUP BY ", "GROUPING SETS (", "a", ")"},
    {"", "EXPLAIN ", "SELECT 1", ""},
    {"", "PREPARE a AS ", "SELECT 1", ""},
    {"", "/*", "", ""},
    {"", "SELECT 1;", "", ""},
    {"SELECT a", " ORDER BY a", "", ""},
    {"SELECT 1", ",1", "", ""},
    {"CREATE SCHEMA x ", "CREATE VIEW a AS SELECT 1 ", "", ""},
    {"SELECT 1 + ", "COALESCE(", "a", ")"},
    {"SELECT ", "ROW(", "a", ")"},
    {"SELECT a", " BETWEEN b AND c", "", ""},
    {"SELECT a", " LIKE b", "", ""},
    {"SELECT a", " = ANY (b)", "", ""},
    {"SELECT a", " AT TIME ZONE b", "", ""},
    {"CREATE VIEW v AS SELECT ", "NOT ", "a", ""},
};

/* Returned malloc'ed, about `bytes` long. */
static char *hostile_text(size_t which, size_t bytes)
{
    const char *start = hostile[which].start, *unit = hostile[which].unit;
    const char *middle = hostile[which].middle, *end = hostile[which].end;
    size_t each = strlen(unit) + strlen(end);
    size_t count = (bytes - strlen(start) - strlen(middle) - 1) / each, len = 0;
    char *text = malloc(bytes + 1);

    assert_non_null(text);
    len += (size_t)snprintf(text, bytes, "%s", start);
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, bytes + 1 - len, "%s", unit);
    len += (size_t)snprintf(text + len, bytes + 1 - len, "%s", middle);
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, bytes + 1 - len, "%s", end);
    return text;
}

struct hostile_run {
    size_t bytes, depth;
};

/* Any answer will do, a crash will not. */
static void *run_hostile(void *argument)
{
    const struct hostile_run *run = argument;

    for (size_t i = 0; i < lengthof(hostile); i++) {
        char *sql = hostile_text(i, run->bytes);
        struct parse_scope scope;
        struct error error = {0};
        struct buffer out;
        List *statements;

        buffer_init(&out, 1 << 22);
        parse_begin(&scope);
        if (parse_text(sql, run->bytes, run->depth, &statements, &error) == STATUS_OK &&
            list_length(statements) == 1) {
            enum status status =
                emit_verified(linitial_node(RawStmt, statements)->stmt, &out, &error);
            (void)status;
        }
        parse_end(&scope);
        buffer_free(&out);
        free(sql);
    }
    return NULL;
}

static void run_with_stack(size_t stack_bytes, struct hostile_run run)
{
    pthread_attr_t attributes;
    pthread_t thread;

    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, stack_bytes), 0);
    assert_int_equal(pthread_create(&thread, &attributes, run_hostile, &run), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
}

static void survives_hostile_nesting(void **state)
{
    run_with_stack(1 << 20, (struct hostile_run){16 * 1024, 200});
    run_with_stack(64 << 20, (struct hostile_run){64 * 1024, 200});
    run_with_stack(64 << 20, (struct hostile_run){64 * 1024, 64 * 1024});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_statements),
        cmocka_unit_test(caps_the_text),
        cmocka_unit_test(names_the_position_but_not_the_text),
        cmocka_unit_test(refuses_what_is_not_utf8),
        cmocka_unit_test(caps_runs_of_operator_characters),
        cmocka_unit_test(measures_depth),
        cmocka_unit_test(takes_single_expressions),
        cmocka_unit_test(survives_hostile_nesting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
