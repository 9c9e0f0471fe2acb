/* Operators of pg_catalog that a statement may use.
 * TOTAL are comparisons and what cannot overflow; arithmetic is not: overflow and division by zero
 * speak of a row. Cross-type pairs that PostgreSQL compares after a cast are total where the cast
 * is. Regular expressions are here since their time is bounded by statement_timeout alone. */
#include "sql/allow_table.h"

#include <string.h>

#define COMPARES "compares, looks at nothing else"
#define ORDERS   "compares times of different kinds; the session's time zone decides"
#define COUNTS   "arithmetic; may overflow or divide by zero"
#define BITS     "works on bits, cannot overflow"
#define MATCHES  "matches a pattern; a pattern may end in a dangling escape"
#define REGEX    "matches a regular expression; statement_timeout bounds its time"
#define READS    "reads a part of a document"
#define CONTAINS "looks into an array or document"
#define SHIFTS   "moves a point in time; may leave the range"
#define JOINS    "puts together; the result may be too long"

#define OPERATOR(name, left, right, result, flags, reason)                                         \
    {                                                                                              \
        name, {left, right}, 2, result, flags, reason                                              \
    }
#define PREFIX(name, right, result, flags, reason)                                                 \
    {                                                                                              \
        name, {right}, 1, result, flags, reason                                                    \
    }

#define COMPARE(name, left, right)      OPERATOR(name, left, right, BOOLOID, TOTAL | IMMUTABLE, COMPARES)
#define COMPARE_BOTH(name, left, right) COMPARE(name, left, right), COMPARE(name, right, left)
/* numeric is cast to float8 here: 1e400 is out of its range */
#define COMPARE_NUMERIC_FLOAT(name, float_type)                                                    \
    OPERATOR(name, NUMERICOID, float_type, BOOLOID, IMMUTABLE, COMPARES),                          \
        OPERATOR(name, float_type, NUMERICOID, BOOLOID, IMMUTABLE, COMPARES)
#define COMPARE_ZONED(name, left, right)                                                           \
    OPERATOR(name, left, right, BOOLOID, TOTAL, ORDERS),                                           \
        OPERATOR(name, right, left, BOOLOID, TOTAL, ORDERS)

/* First the pairs of one type: an untyped literal takes the type of the other side. */
#define COMPARISONS(name)                                                                          \
    COMPARE(name, TEXTOID, TEXTOID), COMPARE(name, BOOLOID, BOOLOID),                              \
        COMPARE(name, INT2OID, INT2OID), COMPARE(name, INT4OID, INT4OID),                          \
        COMPARE(name, INT8OID, INT8OID), COMPARE(name, NUMERICOID, NUMERICOID),                    \
        COMPARE(name, FLOAT4OID, FLOAT4OID), COMPARE(name, FLOAT8OID, FLOAT8OID),                  \
        COMPARE(name, DATEOID, DATEOID), COMPARE(name, TIMEOID, TIMEOID),                          \
        COMPARE(name, TIMETZOID, TIMETZOID), COMPARE(name, TIMESTAMPOID, TIMESTAMPOID),            \
        COMPARE(name, TIMESTAMPTZOID, TIMESTAMPTZOID), COMPARE(name, INTERVALOID, INTERVALOID),    \
        COMPARE(name, UUIDOID, UUIDOID), COMPARE(name, BYTEAOID, BYTEAOID),                        \
        COMPARE(name, JSONBOID, JSONBOID), COMPARE(name, TEXTARRAYOID, TEXTARRAYOID),              \
        COMPARE(name, INT4ARRAYOID, INT4ARRAYOID), COMPARE(name, INT8ARRAYOID, INT8ARRAYOID),      \
        COMPARE(name, UUIDARRAYOID, UUIDARRAYOID), COMPARE_BOTH(name, INT2OID, INT4OID),           \
        COMPARE_BOTH(name, INT2OID, INT8OID), COMPARE_BOTH(name, INT4OID, INT8OID),                \
        COMPARE_BOTH(name, INT2OID, NUMERICOID), COMPARE_BOTH(name, INT4OID, NUMERICOID),          \
        COMPARE_BOTH(name, INT8OID, NUMERICOID), COMPARE_BOTH(name, INT2OID, FLOAT4OID),           \
        COMPARE_BOTH(name, INT4OID, FLOAT4OID), COMPARE_BOTH(name, INT8OID, FLOAT4OID),            \
        COMPARE_BOTH(name, INT2OID, FLOAT8OID), COMPARE_BOTH(name, INT4OID, FLOAT8OID),            \
        COMPARE_BOTH(name, INT8OID, FLOAT8OID), COMPARE_BOTH(name, FLOAT4OID, FLOAT8OID),          \
        COMPARE_NUMERIC_FLOAT(name, FLOAT4OID), COMPARE_NUMERIC_FLOAT(name, FLOAT8OID),            \
        COMPARE_BOTH(name, DATEOID, TIMESTAMPOID), COMPARE_ZONED(name, DATEOID, TIMESTAMPTZOID),   \
        COMPARE_ZONED(name, TIMESTAMPOID, TIMESTAMPTZOID)

#define ARITH(name, left, right, result) OPERATOR(name, left, right, result, IMMUTABLE, COUNTS)
#define ARITH_BOTH(name, left, right, result)                                                      \
    ARITH(name, left, right, result), ARITH(name, right, left, result)
#define ARITHMETIC_EXACT(name)                                                                     \
    ARITH(name, INT2OID, INT2OID, INT2OID), ARITH(name, INT4OID, INT4OID, INT4OID),                \
        ARITH(name, INT8OID, INT8OID, INT8OID), ARITH(name, NUMERICOID, NUMERICOID, NUMERICOID),   \
        ARITH_BOTH(name, INT2OID, INT4OID, INT4OID), ARITH_BOTH(name, INT2OID, INT8OID, INT8OID),  \
        ARITH_BOTH(name, INT4OID, INT8OID, INT8OID),                                               \
        ARITH_BOTH(name, INT2OID, NUMERICOID, NUMERICOID),                                         \
        ARITH_BOTH(name, INT4OID, NUMERICOID, NUMERICOID),                                         \
        ARITH_BOTH(name, INT8OID, NUMERICOID, NUMERICOID)
#define ARITHMETIC(name)                                                                           \
    ARITHMETIC_EXACT(name), ARITH(name, FLOAT4OID, FLOAT4OID, FLOAT4OID),                          \
        ARITH(name, FLOAT8OID, FLOAT8OID, FLOAT8OID),                                              \
        ARITH_BOTH(name, FLOAT4OID, FLOAT8OID, FLOAT8OID),                                         \
        ARITH_BOTH(name, INT2OID, FLOAT8OID, FLOAT8OID),                                           \
        ARITH_BOTH(name, INT4OID, FLOAT8OID, FLOAT8OID),                                           \
        ARITH_BOTH(name, INT8OID, FLOAT8OID, FLOAT8OID),                                           \
        ARITH_BOTH(name, INT2OID, FLOAT4OID, FLOAT8OID),                                           \
        ARITH_BOTH(name, INT4OID, FLOAT4OID, FLOAT8OID),                                           \
        ARITH_BOTH(name, INT8OID, FLOAT4OID, FLOAT8OID),                                           \
        ARITH_BOTH(name, NUMERICOID, FLOAT4OID, FLOAT8OID),                                        \
        ARITH_BOTH(name, NUMERICOID, FLOAT8OID, FLOAT8OID)

#define BITWISE(name)                                                                              \
    OPERATOR(name, INT2OID, INT2OID, INT2OID, TOTAL | IMMUTABLE, BITS),                            \
        OPERATOR(name, INT4OID, INT4OID, INT4OID, TOTAL | IMMUTABLE, BITS),                        \
        OPERATOR(name, INT8OID, INT8OID, INT8OID, TOTAL | IMMUTABLE, BITS)
#define BITSHIFT(name)                                                                             \
    OPERATOR(name, INT2OID, INT4OID, INT2OID, TOTAL | IMMUTABLE, BITS),                            \
        OPERATOR(name, INT4OID, INT4OID, INT4OID, TOTAL | IMMUTABLE, BITS),                        \
        OPERATOR(name, INT8OID, INT4OID, INT8OID, TOTAL | IMMUTABLE, BITS)
#define SIGN(name, flags)                                                                          \
    PREFIX(name, INT2OID, INT2OID, (flags), COUNTS),                                               \
        PREFIX(name, INT4OID, INT4OID, (flags), COUNTS),                                           \
        PREFIX(name, INT8OID, INT8OID, (flags), COUNTS),                                           \
        PREFIX(name, NUMERICOID, NUMERICOID, TOTAL | IMMUTABLE, COUNTS),                           \
        PREFIX(name, FLOAT4OID, FLOAT4OID, TOTAL | IMMUTABLE, COUNTS),                             \
        PREFIX(name, FLOAT8OID, FLOAT8OID, TOTAL | IMMUTABLE, COUNTS)
#define ARRAYS(name)                                                                               \
    OPERATOR(name, TEXTARRAYOID, TEXTARRAYOID, BOOLOID, TOTAL | IMMUTABLE, CONTAINS),              \
        OPERATOR(name, INT4ARRAYOID, INT4ARRAYOID, BOOLOID, TOTAL | IMMUTABLE, CONTAINS),          \
        OPERATOR(name, INT8ARRAYOID, INT8ARRAYOID, BOOLOID, TOTAL | IMMUTABLE, CONTAINS),          \
        OPERATOR(name, UUIDARRAYOID, UUIDARRAYOID, BOOLOID, TOTAL | IMMUTABLE, CONTAINS)

static const struct allow_signature operators[] = {
    COMPARISONS("="),
    COMPARISONS("<>"),
    COMPARISONS("<"),
    COMPARISONS("<="),
    COMPARISONS(">"),
    COMPARISONS(">="),

    ARITHMETIC("+"),
    SIGN("+", TOTAL | IMMUTABLE),
    OPERATOR("+", DATEOID, INT4OID, DATEOID, IMMUTABLE, SHIFTS),
    OPERATOR("+", INT4OID, DATEOID, DATEOID, IMMUTABLE, SHIFTS),
    OPERATOR("+", DATEOID, INTERVALOID, TIMESTAMPOID, IMMUTABLE, SHIFTS),
    OPERATOR("+", TIMESTAMPOID, INTERVALOID, TIMESTAMPOID, IMMUTABLE, SHIFTS),
    OPERATOR("+", TIMESTAMPTZOID, INTERVALOID, TIMESTAMPTZOID, 0, SHIFTS),
    OPERATOR("+", INTERVALOID, INTERVALOID, INTERVALOID, IMMUTABLE, SHIFTS),
    OPERATOR("+", DATEOID, TIMEOID, TIMESTAMPOID, IMMUTABLE, SHIFTS),
    ARITHMETIC("-"),
    SIGN("-", IMMUTABLE),
    OPERATOR("-", DATEOID, DATEOID, INT4OID, IMMUTABLE, SHIFTS),
    OPERATOR("-", DATEOID, INT4OID, DATEOID, IMMUTABLE, SHIFTS),
    OPERATOR("-", DATEOID, INTERVALOID, TIMESTAMPOID, IMMUTABLE, SHIFTS),
    OPERATOR("-", TIMESTAMPOID, TIMESTAMPOID, INTERVALOID, IMMUTABLE, SHIFTS),
    OPERATOR("-", TIMESTAMPOID, INTERVALOID, TIMESTAMPOID, IMMUTABLE, SHIFTS),
    OPERATOR("-", TIMESTAMPTZOID, TIMESTAMPTZOID, INTERVALOID, IMMUTABLE, SHIFTS),
    OPERATOR("-", TIMESTAMPTZOID, INTERVALOID, TIMESTAMPTZOID, 0, SHIFTS),
    OPERATOR("-", INTERVALOID, INTERVALOID, INTERVALOID, IMMUTABLE, SHIFTS),
    ARITHMETIC("*"),
    OPERATOR("*", INTERVALOID, FLOAT8OID, INTERVALOID, IMMUTABLE, SHIFTS),
    OPERATOR("*", INTERVALOID, INT4OID, INTERVALOID, IMMUTABLE, SHIFTS),
    OPERATOR("*", INT4OID, INTERVALOID, INTERVALOID, IMMUTABLE, SHIFTS),
    ARITHMETIC("/"),
    OPERATOR("/", INTERVALOID, FLOAT8OID, INTERVALOID, IMMUTABLE, SHIFTS),
    ARITHMETIC_EXACT("%"),
    ARITH("^", FLOAT8OID, FLOAT8OID, FLOAT8OID),
    ARITH("^", NUMERICOID, NUMERICOID, NUMERICOID),
    ARITH("^", INT4OID, INT4OID, FLOAT8OID),
    PREFIX("|/", FLOAT8OID, FLOAT8OID, IMMUTABLE, COUNTS),
    PREFIX("||/", FLOAT8OID, FLOAT8OID, TOTAL | IMMUTABLE, COUNTS),
    SIGN("@", IMMUTABLE),

    BITWISE("&"),
    BITWISE("|"),
    BITWISE("#"),
    BITSHIFT("<<"),
    BITSHIFT(">>"),
    PREFIX("~", INT2OID, INT2OID, TOTAL | IMMUTABLE, BITS),
    PREFIX("~", INT4OID, INT4OID, TOTAL | IMMUTABLE, BITS),
    PREFIX("~", INT8OID, INT8OID, TOTAL | IMMUTABLE, BITS),

    OPERATOR("||", TEXTOID, TEXTOID, TEXTOID, IMMUTABLE, JOINS),
    OPERATOR("||", BYTEAOID, BYTEAOID, BYTEAOID, IMMUTABLE, JOINS),
    OPERATOR("||", JSONBOID, JSONBOID, JSONBOID, IMMUTABLE, JOINS),
    OPERATOR("||", TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, IMMUTABLE, JOINS),
    OPERATOR("~~", TEXTOID, TEXTOID, BOOLOID, IMMUTABLE, MATCHES),
    OPERATOR("!~~", TEXTOID, TEXTOID, BOOLOID, IMMUTABLE, MATCHES),
    OPERATOR("~~*", TEXTOID, TEXTOID, BOOLOID, IMMUTABLE, MATCHES),
    OPERATOR("!~~*", TEXTOID, TEXTOID, BOOLOID, IMMUTABLE, MATCHES),
    OPERATOR("~", TEXTOID, TEXTOID, BOOLOID, IMMUTABLE, REGEX),
    OPERATOR("!~", TEXTOID, TEXTOID, BOOLOID, IMMUTABLE, REGEX),
    OPERATOR("~*", TEXTOID, TEXTOID, BOOLOID, IMMUTABLE, REGEX),
    OPERATOR("!~*", TEXTOID, TEXTOID, BOOLOID, IMMUTABLE, REGEX),
    OPERATOR("^@", TEXTOID, TEXTOID, BOOLOID, TOTAL | IMMUTABLE, COMPARES),

    /* json is not total: its text may hold \u0000, which no text value can. */
    OPERATOR("->", JSONBOID, TEXTOID, JSONBOID, TOTAL | IMMUTABLE, READS),
    OPERATOR("->", JSONBOID, INT4OID, JSONBOID, TOTAL | IMMUTABLE, READS),
    OPERATOR("->", JSONOID, TEXTOID, JSONOID, IMMUTABLE, READS),
    OPERATOR("->", JSONOID, INT4OID, JSONOID, IMMUTABLE, READS),
    OPERATOR("->>", JSONBOID, TEXTOID, TEXTOID, TOTAL | IMMUTABLE, READS),
    OPERATOR("->>", JSONBOID, INT4OID, TEXTOID, TOTAL | IMMUTABLE, READS),
    OPERATOR("->>", JSONOID, TEXTOID, TEXTOID, IMMUTABLE, READS),
    OPERATOR("->>", JSONOID, INT4OID, TEXTOID, IMMUTABLE, READS),
    OPERATOR("#>", JSONBOID, TEXTARRAYOID, JSONBOID, TOTAL | IMMUTABLE, READS),
    OPERATOR("#>", JSONOID, TEXTARRAYOID, JSONOID, IMMUTABLE, READS),
    OPERATOR("#>>", JSONBOID, TEXTARRAYOID, TEXTOID, TOTAL | IMMUTABLE, READS),
    OPERATOR("#>>", JSONOID, TEXTARRAYOID, TEXTOID, IMMUTABLE, READS),
    OPERATOR("?", JSONBOID, TEXTOID, BOOLOID, TOTAL | IMMUTABLE, CONTAINS),
    OPERATOR("?|", JSONBOID, TEXTARRAYOID, BOOLOID, TOTAL | IMMUTABLE, CONTAINS),
    OPERATOR("?&", JSONBOID, TEXTARRAYOID, BOOLOID, TOTAL | IMMUTABLE, CONTAINS),
    OPERATOR("@>", JSONBOID, JSONBOID, BOOLOID, TOTAL | IMMUTABLE, CONTAINS),
    OPERATOR("<@", JSONBOID, JSONBOID, BOOLOID, TOTAL | IMMUTABLE, CONTAINS),
    ARRAYS("@>"),
    ARRAYS("<@"),
    ARRAYS("&&"),
};
enum { OPERATOR_COUNT = sizeof operators / sizeof *operators };

const struct allow_signature *allow_operator_at(size_t index)
{
    return index < OPERATOR_COUNT ? &operators[index] : NULL;
}

bool allow_operator(const char *name)
{
    for (size_t i = 0; i < OPERATOR_COUNT; i++) {
        if (strcmp(operators[i].name, name) == 0)
            return true;
    }
    return false;
}

const struct allow_signature *allow_find_operator(const char *name, bool prefix, uint32_t left,
                                                  uint32_t right)
{
    uint32_t types[] = {prefix ? right : left, right};

    for (size_t i = 0; i < OPERATOR_COUNT; i++) {
        if (strcmp(operators[i].name, name) == 0 &&
            allow_matches(&operators[i], types, prefix ? 1 : 2))
            return &operators[i];
    }
    return NULL;
}

bool allow_like_pattern_total(const char *pattern)
{
    for (; *pattern != 0; pattern++) {
        if (*pattern == '\\' && *++pattern == 0)
            return false;
    }
    return true;
}
