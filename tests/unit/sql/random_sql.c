/* A grammar as templates: each form is a text in which
 *   %e is an expression, %c a smaller expression (an operand of whatever precedence, without
 *   parentheses), %n a name, %q a query, %t a type, %f an item of FROM, %s a sort key, %l a
 *   literal, %o an operator, %w a window.
 * A form is chosen at random; when the budget of depth is used up, the first, plainest, one. */
#include "random_sql.h"

#include <stddef.h>

static const char *const expressions[] = {
    "%n",
    "%l",
    "%n.%n",
    "$1",
    "%l",
    "%n",
    "%c %o %c",
    "%c %o %c",
    "(%e) %o (%e)",
    "- %c",
    "+ %c",
    "(- (%e))",
    "@ (%e)",
    "~ %c",
    "%c OPERATOR(pg_catalog.+) %c",
    "OPERATOR(pg_catalog.-) (%e)",
    "%c || %c",
    "(%e)",
    "%c AND %c",
    "%c OR %c",
    "NOT %c",
    "(%e AND %e) OR %e",
    "(%e AND %e) AND %e",
    "(%e OR %e) OR (%e OR %e)",
    "(%e) IS NULL",
    "%c IS NOT NULL",
    "(%e) IS TRUE",
    "(%e) IS NOT FALSE",
    "%c IS UNKNOWN",
    "(%e) IS DISTINCT FROM %c",
    "(%e) IS NOT DISTINCT FROM (%e)",
    "NULLIF(%e, %e)",
    "(%e) LIKE %c",
    "(%e) NOT LIKE (%e) ESCAPE '!'",
    "(%e) ILIKE (%e)",
    "(%e) SIMILAR TO (%e)",
    "(%e) NOT SIMILAR TO (%e) ESCAPE (%e)",
    "(%e) BETWEEN (%e) AND (%e)",
    "(%e) NOT BETWEEN (%e) AND %c",
    "(%e) BETWEEN SYMMETRIC (%e) AND (%e)",
    "(%e) IN (%e, %e)",
    "(%e) NOT IN (%l)",
    "(%e) = ANY (%e)",
    "(%e) <> ALL (%e)",
    "(%e) LIKE ANY (ARRAY[%e])",
    "(%e) IN (%q)",
    "(%e) NOT IN (%q)",
    "(%e) > ANY (%q)",
    "(%e, %e) = ALL (%q)",
    "EXISTS (%q)",
    "NOT EXISTS (%q)",
    "(%q)",
    "ARRAY(%q)",
    "((%q))",
    "(%e)::%t",
    "CAST(%e AS %t)",
    "%c::%t",
    "%t '1'",
    "CASE WHEN %e THEN %e END",
    "CASE %e WHEN %e THEN %e WHEN %e THEN %e ELSE %e END",
    "COALESCE(%e, %e)",
    "GREATEST(%e)",
    "LEAST(%e, %e, %e)",
    "%n(%e)",
    "%n()",
    "%n.%n(%e, %e)",
    "%n(*)",
    "%n(DISTINCT %e)",
    "%n(VARIADIC %e)",
    "%n(%e, %n => %e)",
    "%n(%e ORDER BY %s, %s)",
    "%n(%e) FILTER (WHERE %e)",
    "%n(%e) WITHIN GROUP (ORDER BY %s)",
    "%n(%e) OVER (%w)",
    "%n(%e) FILTER (WHERE %e) OVER %n",
    "EXTRACT(year FROM %e)",
    "SUBSTRING(%e FROM %e FOR %e)",
    "TRIM(BOTH %e FROM %e)",
    "POSITION((%e) IN (%e))",
    "OVERLAY(%e PLACING %e FROM %e)",
    "(%e) AT TIME ZONE (%e)",
    "(%e, %e) OVERLAPS (%e, %e)",
    "(%e) IS NORMALIZED",
    "CURRENT_DATE",
    "CURRENT_TIMESTAMP(3)",
    "LOCALTIME",
    "ARRAY[%e, %e]",
    "ARRAY[[%e], [%e]]",
    "ARRAY[]",
    "(%e)[%e]",
    "(%e)[%e:%e][:%e]",
    "%n[%e]",
    "ROW(%e, %e)",
    "(%e, %e)",
    "ROW()",
    "(%e) COLLATE %n",
    "%c COLLATE pg_catalog.\"C\"",
    "GROUPING(%e)",
};

static const char *const queries[] = {
    "SELECT %e",
    "SELECT %n FROM %f",
    "SELECT *",
    "SELECT %e AS %n, %e %n FROM %f WHERE %e",
    "SELECT %e, %n.* FROM %f, %f",
    "SELECT DISTINCT %e FROM %f ORDER BY %s LIMIT %c",
    "SELECT DISTINCT ON (%e, %e) %e FROM %f",
    "VALUES (%e, %e), (%e, %e)",
    "SELECT %e FROM %f GROUP BY %e, (%e, %e) HAVING %e",
    "SELECT %e FROM %f GROUP BY ROLLUP (%e, (%e, %e)), CUBE (%e)",
    "SELECT %e FROM %f GROUP BY DISTINCT GROUPING SETS ((), (%e), %e, ROLLUP (%e)), ROW(%e, %e)",
    "SELECT %e FROM %f WINDOW %n AS (%w), %n AS (%n)",
    "SELECT %e UNION ALL SELECT %e",
    "(%q) UNION (%q)",
    "(%q) INTERSECT ALL (%q) ORDER BY %s",
    "(%q) EXCEPT (%q) LIMIT %l OFFSET (%e)",
    "WITH %n AS (%q), %n (%n, %n) AS MATERIALIZED (%q) SELECT %e FROM %f",
    "WITH RECURSIVE %n AS (%q) SELECT %e FROM %n",
    "SELECT %e FROM %f ORDER BY %s, %s OFFSET 2 FETCH FIRST (%e) ROWS WITH TIES",
    "SELECT",
    "TABLE %n",
    "SELECT %e FROM %f OFFSET %l ROWS FETCH NEXT 3 ROWS ONLY",
};

static const char *const from_items[] = {
    "%n",
    "%n.%n AS %n",
    "%n %n (%n, %n)",
    "ONLY %n",
    "(%q) AS %n",
    "LATERAL (%q) AS %n (%n)",
    "%f JOIN %f ON %e",
    "%f LEFT JOIN %f ON %e",
    "%f FULL JOIN %f USING (%n, %n)",
    "%f NATURAL JOIN %f",
    "%f CROSS JOIN %f",
    "(%f RIGHT JOIN %f ON %e) AS %n",
    "%f JOIN %f USING (%n) AS %n",
    "(%f JOIN %f ON %e)",
    "%n(%e) AS %n (%n)",
    "LATERAL %n(%e, %e) WITH ORDINALITY AS %n",
    "ROWS FROM (%n(%e), %n()) AS %n",
};

static const char *const sort_keys[] = {"%e", "%e DESC", "%e ASC NULLS FIRST", "%e NULLS LAST",
                                        "2"};

static const char *const windows[] = {
    "",
    "PARTITION BY %e, %e",
    "ORDER BY %s",
    "%n ORDER BY %s ROWS UNBOUNDED PRECEDING",
    "PARTITION BY %e ORDER BY %s RANGE BETWEEN %c PRECEDING AND CURRENT ROW EXCLUDE TIES",
    "ORDER BY %s GROUPS BETWEEN CURRENT ROW AND (%e) FOLLOWING EXCLUDE GROUP",
};

static const char *const types[] = {
    "int",
    "text",
    "numeric(10, 2)",
    "varchar(3)",
    "date",
    "timestamp(3) with time zone",
    "interval day to second(2)",
    "pg_catalog.int8",
    "\"Odd type\"",
    "s.t",
    "boolean",
    "double precision",
    "bit(3)",
    "char",
    "int[]",
    "text[3][]",
    "interval",
};

static const char *const names[] = {
    "a", "b",       "\"Big\"", "\"with \"\"quote\"", "\"select\"", "\"\xc3\xa9\"",
    "t", "\"a b\"", "\"a.b\"", "\"uescape\"",
};

static const char *const literals[] = {
    "1",    "0",          "2147483648", "1.5",        "1e-7",  ".5",    "'x'",  "'it''s'",
    "'\\'", "E'\\n\\\\'", "NULL",       "TRUE",       "FALSE", "B'01'", "X'f'", "$$d'q$$",
    "-3",   "'--'",       "'/*'",       "U&'\\0061'", "''",    "-1.5",
};

static const char *const operators[] = {
    "+",  "-",  "*",  "/", "%",  "^", "=",   "<>", "!=", "<", "<=", ">",  ">=",  "||",  "->", "->>",
    "#>", "@>", "<@", "?", "?|", "~", "!~*", "&&", "&",  "|", "#",  "<<", "<->", "||/", "~~",
};

static const struct {
    char letter;
    const char *const *forms;
    size_t count;
} rules[] = {
#define RULE(letter, forms)                                                                        \
    {                                                                                              \
        letter, forms, sizeof(forms) / sizeof *(forms)                                             \
    }
    RULE('e', expressions), RULE('c', expressions), RULE('q', queries), RULE('f', from_items),
    RULE('s', sort_keys),   RULE('w', windows),     RULE('t', types),   RULE('n', names),
    RULE('l', literals),    RULE('o', operators),
#undef RULE
};

/* xorshift64* (Vigna 2016) */
static uint64_t next(struct random_sql *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * UINT64_C(0x2545f4914f6cdd1d) >> 33;
}

static void expand(struct random_sql *random, struct buffer *out, char letter, unsigned depth)
{
    size_t rule = 0;
    const char *form;

    while (rules[rule].letter != letter)
        rule++;
    form = rules[rule].forms[next(random) % rules[rule].count];
    if (letter == 'e' && depth == 0)
        form = expressions[next(random) % 4];
    else if (letter == 'c')
        form = depth == 0 ? "%n" : next(random) % 2 ? expressions[next(random) % 6] : form;
    else if (depth == 0 && (letter == 'q' || letter == 'f' || letter == 's' || letter == 'w'))
        form = rules[rule].forms[0];
    for (; *form != 0; form++) {
        if (form[0] == '%' && form[1] >= 'a' && form[1] <= 'z')
            expand(random, out, *++form, depth > 0 ? depth - 1 : 0);
        else
            buffer_append_u8(out, (uint8_t)*form);
    }
}

void random_sql_statement(struct random_sql *random, struct buffer *out)
{
    expand(random, out, 'q', 2 + (unsigned)(next(random) % 4));
}
