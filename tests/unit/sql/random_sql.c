/* A grammar as templates: each form is a text in which
 *   %e is an expression, %c a smaller expression (an operand of whatever precedence, without
 *   parentheses), %n a name, %q a query, %t a type, %f an item of FROM, %s a sort key, %l a
 *   literal, %o an operator, %w a window, %g a grouping element, %x a common table, %d a write,
 *   %a an assignment, %k what follows ON CONFLICT, %r what may stand in RETURNING,
 *   %y a literal with a type.
 * A form is chosen at random; when the budget of depth is used up, the first, plainest, one. */
#include "random_sql.h"

#include <stddef.h>
#include <string.h>

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
    "(%e, %e) IN (%q)",
    "ROW(%e) NOT IN (%q)",
    "(%e, (%e, %e)) IN ((%e, %e), (%e))",
    "(%e, %e) = (%e, %e)",
    "(%e, %e) IS DISTINCT FROM ROW(%e, %e)",
    "%c <= ALL (%q)",
    "(%e) OPERATOR(pg_catalog.~~) ANY (%q)",
    "(%e) NOT LIKE ALL (%q)",
    "(%e) NOT ILIKE (%e) ESCAPE (%e)",
    "(%e) SIMILAR TO (%e) ESCAPE '#'",
    "(%e) NOT BETWEEN SYMMETRIC %c AND (%e)",
    "%c %o ANY (%e)",
    "%c OPERATOR(s.<->) ALL (%e)",
    "(%e) IS NOT TRUE",
    "(%e) IS FALSE",
    "(%e) IS NOT UNKNOWN",
    "%c ISNULL",
    "%c NOTNULL",
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
    "%y",
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
    "%n(%e, %e) WITHIN GROUP (ORDER BY %s, %s) FILTER (WHERE %e)",
    "%n(DISTINCT %e, %e ORDER BY %s) FILTER (WHERE %e)",
    "%n(%e, VARIADIC %e ORDER BY %s)",
    "%n(*) FILTER (WHERE %e) OVER (%w)",
    "%n.%n(%n => %e, %n => %e)",
    "%n() OVER (%w)",
    "%n(ALL %e)",
    "%n((%q))",
    "%n((%e, %e))",
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
    "(%e) IS NOT NFKD NORMALIZED",
    "NORMALIZE(%e, NFC)",
    "EXTRACT('epoch' FROM %e)",
    "SUBSTRING(%e FOR %e)",
    "SUBSTRING((%e) SIMILAR (%e) ESCAPE (%e))",
    "OVERLAY(%e PLACING %e FROM %e FOR %e)",
    "TRIM(LEADING FROM %e)",
    "TRIM(TRAILING %e FROM %e, %e)",
    "COLLATION FOR (%e)",
    "CURRENT_USER",
    "SESSION_USER",
    "CURRENT_CATALOG",
    "CURRENT_SCHEMA",
    "LOCALTIMESTAMP(0)",
    "CURRENT_TIME",
    "CURRENT_DATE",
    "CURRENT_TIMESTAMP(3)",
    "LOCALTIME",
    "ARRAY[%e, %e]",
    "ARRAY[[%e], [%e]]",
    "ARRAY[]",
    "(%e)[%e]",
    "(%e)[%e:%e][:%e]",
    "%n[%e]",
    "%n[:]",
    "%n[%e:][%c]",
    "(%e).%n",
    "(%n(%e)).%n[%e].%n",
    "(%n.%n).*",
    "(%q).%n",
    "$2[%e]",
    "ARRAY[[[%e, %e], [%e, %e]], [[%e, %e], [%e, %e]]]",
    "ARRAY[ARRAY[%e], %e]::%t",
    "ARRAY[(%e, %e)]",
    "ROW(%e, %e)",
    "ROW(%n.*, %e)",
    "ROW(%e)",
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
    "SELECT %e FROM %f GROUP BY %g, %g HAVING %e",
    "SELECT %e, GROUPING(%e, %e) FROM %f WHERE %e GROUP BY DISTINCT %g, %g ORDER BY %s",
    "SELECT %e FROM %f GROUP BY ALL GROUPING SETS (%g, %g, ()), ROLLUP (%e, (%e, %e)) HAVING %e",
    "SELECT %e FROM %f GROUP BY %e, (%e, %e) HAVING %e",
    "SELECT %e FROM %f GROUP BY ROLLUP (%e, (%e, %e)), CUBE (%e)",
    "SELECT %e FROM %f GROUP BY DISTINCT GROUPING SETS ((), (%e), %e, ROLLUP (%e)), ROW(%e, %e)",
    "SELECT %e FROM %f WINDOW %n AS (%w), %n AS (%n)",
    "SELECT %e UNION ALL SELECT %e",
    "(%q) UNION (%q)",
    "(%q) INTERSECT ALL (%q) ORDER BY %s",
    "(%q) EXCEPT (%q) LIMIT %l OFFSET (%e)",
    "(%q) UNION ALL (%q) INTERSECT (%q)",
    "((%q) EXCEPT ALL (%q) ORDER BY %s) UNION (WITH %x TABLE %n)",
    "WITH %x (SELECT %e) UNION (%q) ORDER BY %s, %s FETCH FIRST %l ROWS WITH TIES",
    "WITH %x, %x SELECT * FROM %f, %f WHERE %e",
    "WITH RECURSIVE %n (%n) AS ((%q) UNION ALL (%q)), %x TABLE %n",
    "VALUES (%e) ORDER BY %s LIMIT ALL",
    "SELECT %n.*, * FROM %f ORDER BY %s OFFSET %e",
    "SELECT ALL %e AS %n FROM %f WINDOW %n AS (%w), %n AS (%n %w)",
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
    "ROWS FROM (%n(%e) AS (%n %t, %n %t COLLATE %n), %n()) WITH ORDINALITY AS %n (%n, %n)",
    "LATERAL ROWS FROM (%n(%e, %e)) AS %n",
    "%n(%e) AS %n (%n %t, %n %t)",
    "LATERAL %n.%n(%e) AS (%n %t COLLATE %n.%n)",
    "%n(%e) WITH ORDINALITY",
    "(VALUES (%e, %e), (%e, %e)) AS %n (%n, %n)",
    "%f NATURAL FULL JOIN %f",
    "%f LEFT JOIN (%f RIGHT JOIN %f ON %e) ON %e",
    "((%f JOIN %f USING (%n) AS %n) AS %n CROSS JOIN %f)",
    "%f LEFT JOIN LATERAL (%q) AS %n ON TRUE",
    "%f RIGHT JOIN %f USING (%n, %n, %n) AS %n",
    "(%f NATURAL LEFT JOIN %f) AS %n (%n, %n)",
    "ONLY (%n.%n) AS %n",
    "((%q) UNION ALL (%q)) AS %n",
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
    "ROWS BETWEEN %e PRECEDING AND %e PRECEDING EXCLUDE CURRENT ROW",
    "PARTITION BY %e ORDER BY %s, %s ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    "ORDER BY %s RANGE BETWEEN %e FOLLOWING AND %e FOLLOWING EXCLUDE NO OTHERS",
    "ORDER BY %s RANGE %e PRECEDING",
    "GROUPS CURRENT ROW",
};

static const char *const groupings[] = {
    "%e",
    "(%e, %e)",
    "ROW(%e, %e)",
    "()",
    "ROLLUP (%e, (%e, %e))",
    "CUBE (%e, (%e, %e), %e)",
    "GROUPING SETS (%g, %g)",
    "GROUPING SETS ((), (%e, %e), %g)",
};

static const char *const common_tables[] = {
    "%n AS (%q)",
    "%n (%n, %n) AS (%q)",
    "%n AS MATERIALIZED (%q)",
    "%n (%n) AS NOT MATERIALIZED (%q)",
    "%n AS MATERIALIZED (%d)",
    "%n (%n, %n) AS (%d)",
};

static const char *const writes[] = {
    "INSERT INTO %n VALUES (%e, DEFAULT), (%e, %e)%k%r",
    "INSERT INTO %n.%n AS %n (%n, %n, %n) %q%k%r",
    "INSERT INTO %n (%n[%e], %n.%n) OVERRIDING USER VALUE %q%r",
    "INSERT INTO %n (%n) OVERRIDING SYSTEM VALUE VALUES (%e)%k",
    "INSERT INTO %n DEFAULT VALUES%k%r",
    "WITH %x, %x INSERT INTO %n (%q)%k%r",
    "UPDATE %n SET %a WHERE %e",
    "UPDATE ONLY %n.%n AS %n SET %a, %a FROM %f, %f WHERE %e%r",
    "WITH RECURSIVE %x UPDATE %n SET %a, %a, %a%r",
    "DELETE FROM %n WHERE %e%r",
    "DELETE FROM ONLY %n AS %n USING %f, %f WHERE %e%r",
    "WITH %x DELETE FROM %n.%n%r",
};

static const char *const assignments[] = {
    "%n = %e",        "%n = DEFAULT",    "%n[%e] = %e",
    "%n.%n = %e",     "(%n, %n) = (%q)", "(%n, %n[%e], %n) = (%e, DEFAULT, %e)",
    "(%n) = ROW(%e)", "(%n, %n) = (%n)",
};

static const char *const conflicts[] = {
    "",
    " ON CONFLICT DO NOTHING",
    " ON CONFLICT (%n) DO UPDATE SET %a",
    " ON CONFLICT (%n COLLATE %n, (%e), %n %n.%n) WHERE %e DO UPDATE SET %a, %a WHERE %e",
    " ON CONFLICT ON CONSTRAINT %n DO NOTHING",
};

static const char *const returnings[] = {
    "",
    " RETURNING *",
    " RETURNING %e AS %n, %n.*, %e",
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
    "interval year to month",
    "interval(3)",
    "time(2) with time zone",
    "timestamp",
    "character varying",
    "bit varying(3)",
    "national character(3)",
    "float(20)",
    "decimal(5)",
    "jsonb",
    "s.t(1, 'x')[]",
    "text ARRAY[3]",
};

static const char *const typed_literals[] = {
    "int '1'",
    "s.t 'x'",
    "s.t(1, 2) 'x'",
    "double precision '1e3'",
    "NUMERIC(3, 1) '1.5'",
    "bit(3) '101'",
    "char '1'",
    "INTERVAL '1' YEAR TO MONTH",
    "INTERVAL '1' DAY TO SECOND(3)",
    "INTERVAL(2) '1.5'",
    "TIMESTAMP(3) WITH TIME ZONE 'now'",
    "TIME '10:00'",
    "date '2024-02-29'",
};

static const char *const names[] = {
    "a",
    "b",
    "\"Big\"",
    "\"with \"\"quote\"",
    "\"select\"",
    "\"\xc3\xa9\"",
    "t",
    "\"a b\"",
    "\"a.b\"",
    "\"uescape\"",
    "Fold",
    "\"\\\"",
    "U&\"d\\0061t\"",
    "\"$1\"",
    "\"'\"",
    "x1$",
};

static const char *const literals[] = {
    "1",
    "0",
    "2147483648",
    "1.5",
    "1e-7",
    ".5",
    "'x'",
    "'it''s'",
    "'\\'",
    "E'\\n\\\\'",
    "NULL",
    "TRUE",
    "FALSE",
    "B'01'",
    "X'f'",
    "$$d'q$$",
    "-3",
    "'--'",
    "'/*'",
    "U&'\\0061'",
    "''",
    "-1.5",
    "-2147483648",
    "-2147483649",
    "9223372036854775808",
    "1e400",
    "b''",
    "X'DeadBeef'",
    "N'n'",
    "'\xc3\xa9\xe2\x82\xac'",
    "U&'x!0061' UESCAPE '!'",
    "'a'\n'b'",
    "E'\\x41\\\\'",
};

static const char *const operators[] = {
    "+",           "-",   "*",   "/",  "%",  "^",    "=",   "<>",  "!=",  "<",
    "<=",          ">",   ">=",  "||", "->", "->>",  "#>",  "@>",  "<@",  "?",
    "?|",          "~",   "!~*", "&&", "&",  "|",    "#",   "<<",  "<->", "||/",
    "~~",          "#>>", "?&",  "@?", "@@", "!~~*", "~~*", "-|-", "<=>", "OPERATOR(s.+)",
    "OPERATOR(=)",
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
    RULE('e', expressions),   RULE('c', expressions),    RULE('q', queries),
    RULE('f', from_items),    RULE('s', sort_keys),      RULE('w', windows),
    RULE('t', types),         RULE('n', names),          RULE('l', literals),
    RULE('o', operators),     RULE('y', typed_literals), RULE('g', groupings),
    RULE('x', common_tables), RULE('d', writes),         RULE('a', assignments),
    RULE('k', conflicts),     RULE('r', returnings),
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
    else if (depth == 0 && strchr("qfswgxakr", letter) != NULL)
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
    char letter = next(random) % 8 == 0 ? 'd' : 'q';

    expand(random, out, letter, 2 + (unsigned)(next(random) % 4));
}
