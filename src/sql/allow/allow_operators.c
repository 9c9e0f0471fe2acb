/* Operators of pg_catalog that a statement may use.
 * TOTAL are comparisons and what cannot overflow; arithmetic is not: overflow and division by zero
 * speak of a row. Cross-type pairs that PostgreSQL compares after a cast are total where the cast
 * is. Regular expressions are here since their time is bounded by statement_timeout alone. */
#include "sql/allow/allow_table.h"

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
#define EDITS    "takes a part out of a document; fails where it is none"
#define SPANS    "compares where ranges or networks lie"

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

#define COMPARE_SAME(name, type) COMPARE(name, type, type)

/* Arrays whose elements are always comparable: json has no equality, which shows at run time. */
#define OF_ARRAYS(macro, name)                                                                     \
    macro(name, TEXTARRAYOID), macro(name, VARCHARARRAYOID), macro(name, BPCHARARRAYOID),          \
        macro(name, BOOLARRAYOID), macro(name, INT2ARRAYOID), macro(name, INT4ARRAYOID),           \
        macro(name, INT8ARRAYOID), macro(name, NUMERICARRAYOID), macro(name, FLOAT4ARRAYOID),      \
        macro(name, FLOAT8ARRAYOID), macro(name, DATEARRAYOID), macro(name, TIMEARRAYOID),         \
        macro(name, TIMETZARRAYOID), macro(name, TIMESTAMPARRAYOID),                               \
        macro(name, TIMESTAMPTZARRAYOID), macro(name, INTERVALARRAYOID),                           \
        macro(name, UUIDARRAYOID), macro(name, BYTEAARRAYOID), macro(name, JSONBARRAYOID)
#define OF_RANGES(macro, name)                                                                     \
    macro(name, INT4RANGEOID), macro(name, INT8RANGEOID), macro(name, NUMRANGEOID),                \
        macro(name, DATERANGEOID), macro(name, TSRANGEOID), macro(name, TSTZRANGEOID)

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
        COMPARE(name, JSONBOID, JSONBOID), COMPARE(name, INETOID, INETOID),                        \
        COMPARE(name, CIDROID, CIDROID), COMPARE_BOTH(name, INETOID, CIDROID),                     \
        COMPARE(name, OIDOID, OIDOID), COMPARE(name, NAMEOID, NAMEOID),                            \
        COMPARE(name, BITOID, BITOID), COMPARE(name, VARBITOID, VARBITOID),                        \
        OF_ARRAYS(COMPARE_SAME, name), OF_RANGES(COMPARE_SAME, name),                              \
        COMPARE_BOTH(name, INT2OID, INT4OID), COMPARE_BOTH(name, INT2OID, INT8OID),                \
        COMPARE_BOTH(name, INT4OID, INT8OID), COMPARE_BOTH(name, INT2OID, NUMERICOID),             \
        COMPARE_BOTH(name, INT4OID, NUMERICOID), COMPARE_BOTH(name, INT8OID, NUMERICOID),          \
        COMPARE_BOTH(name, INT2OID, FLOAT4OID), COMPARE_BOTH(name, INT4OID, FLOAT4OID),            \
        COMPARE_BOTH(name, INT8OID, FLOAT4OID), COMPARE_BOTH(name, INT2OID, FLOAT8OID),            \
        COMPARE_BOTH(name, INT4OID, FLOAT8OID), COMPARE_BOTH(name, INT8OID, FLOAT8OID),            \
        COMPARE_BOTH(name, FLOAT4OID, FLOAT8OID), COMPARE_NUMERIC_FLOAT(name, FLOAT4OID),          \
        COMPARE_NUMERIC_FLOAT(name, FLOAT8OID), COMPARE_BOTH(name, DATEOID, TIMESTAMPOID),         \
        COMPARE_ZONED(name, DATEOID, TIMESTAMPTZOID),                                              \
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
#define CONTAINING(name, type) OPERATOR(name, type, type, BOOLOID, TOTAL | IMMUTABLE, CONTAINS)
#define SPANNING(name, type)   OPERATOR(name, type, type, BOOLOID, TOTAL | IMMUTABLE, SPANS)
#define HOLDS(range, element)  OPERATOR("@>", range, element, BOOLOID, TOTAL | IMMUTABLE, CONTAINS)
#define HELD(range, element)   OPERATOR("<@", element, range, BOOLOID, TOTAL | IMMUTABLE, CONTAINS)
/* Written by the other type's output function, which may read settings. */
#define WRITES(type)                                                                               \
    OPERATOR("||", TEXTOID, type, TEXTOID, 0, JOINS),                                              \
        OPERATOR("||", type, TEXTOID, TEXTOID, 0, JOINS)

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
    OPERATOR("+", TIMEOID, INTERVALOID, TIMEOID, IMMUTABLE, SHIFTS),
    OPERATOR("+", INTERVALOID, DATEOID, TIMESTAMPOID, IMMUTABLE, SHIFTS),
    OPERATOR("+", INTERVALOID, TIMESTAMPOID, TIMESTAMPOID, IMMUTABLE, SHIFTS),
    OPERATOR("+", INTERVALOID, TIMESTAMPTZOID, TIMESTAMPTZOID, 0, SHIFTS),
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
    OPERATOR("-", TIMEOID, TIMEOID, INTERVALOID, IMMUTABLE, SHIFTS),
    OPERATOR("-", TIMEOID, INTERVALOID, TIMEOID, IMMUTABLE, SHIFTS),
    OPERATOR("-", DATEOID, TIMESTAMPOID, INTERVALOID, IMMUTABLE, SHIFTS),
    OPERATOR("-", TIMESTAMPOID, DATEOID, INTERVALOID, IMMUTABLE, SHIFTS),
    OPERATOR("-", TIMESTAMPTZOID, DATEOID, INTERVALOID, 0, SHIFTS),
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
    OPERATOR("||", VARBITOID, VARBITOID, VARBITOID, IMMUTABLE, JOINS),
    WRITES(BOOLOID),
    WRITES(INT2OID),
    WRITES(INT4OID),
    WRITES(INT8OID),
    WRITES(NUMERICOID),
    WRITES(FLOAT4OID),
    WRITES(FLOAT8OID),
    WRITES(DATEOID),
    WRITES(TIMEOID),
    WRITES(TIMESTAMPOID),
    WRITES(TIMESTAMPTZOID),
    WRITES(INTERVALOID),
    WRITES(UUIDOID),
    OPERATOR("||", ANYARRAYOID, ANYARRAYOID, ANYARRAYOID, IMMUTABLE, JOINS),
    OPERATOR("||", ANYARRAYOID, ANYELEMENTOID, ANYARRAYOID, IMMUTABLE, JOINS),
    OPERATOR("||", ANYELEMENTOID, ANYARRAYOID, ANYARRAYOID, IMMUTABLE, JOINS),
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
    /* fails where the left side is a scalar, or an array and the key is no place in it */
    OPERATOR("-", JSONBOID, TEXTOID, JSONBOID, IMMUTABLE, EDITS),
    OPERATOR("-", JSONBOID, INT4OID, JSONBOID, IMMUTABLE, EDITS),
    OPERATOR("-", JSONBOID, TEXTARRAYOID, JSONBOID, IMMUTABLE, EDITS),
    OPERATOR("#-", JSONBOID, TEXTARRAYOID, JSONBOID, IMMUTABLE, EDITS),
    OPERATOR("@?", JSONBOID, JSONPATHOID, BOOLOID, IMMUTABLE, READS),

    OF_ARRAYS(CONTAINING, "@>"),
    OF_ARRAYS(CONTAINING, "<@"),
    OF_ARRAYS(CONTAINING, "&&"),

    OF_RANGES(SPANNING, "@>"),
    OF_RANGES(SPANNING, "<@"),
    OF_RANGES(SPANNING, "&&"),
    OF_RANGES(SPANNING, "<<"),
    OF_RANGES(SPANNING, ">>"),
    OF_RANGES(SPANNING, "-|-"),
    OF_RANGES(SPANNING, "&<"),
    OF_RANGES(SPANNING, "&>"),
    HOLDS(INT4RANGEOID, INT4OID),
    HOLDS(INT8RANGEOID, INT8OID),
    HOLDS(NUMRANGEOID, NUMERICOID),
    HOLDS(DATERANGEOID, DATEOID),
    HOLDS(TSRANGEOID, TIMESTAMPOID),
    HOLDS(TSTZRANGEOID, TIMESTAMPTZOID),
    HELD(INT4RANGEOID, INT4OID),
    HELD(INT8RANGEOID, INT8OID),
    HELD(NUMRANGEOID, NUMERICOID),
    HELD(DATERANGEOID, DATEOID),
    HELD(TSRANGEOID, TIMESTAMPOID),
    HELD(TSTZRANGEOID, TIMESTAMPTZOID),

    SPANNING("<<", INETOID),
    SPANNING("<<=", INETOID),
    SPANNING(">>", INETOID),
    SPANNING(">>=", INETOID),
    SPANNING("&&", INETOID),
};
enum { OPERATOR_COUNT = sizeof operators / sizeof *operators };

const struct allow_signature *allow_operator_at(size_t index)
{
    return index < OPERATOR_COUNT ? &operators[index] : NULL;
}

bool allow_operator(const char *name)
{
    const struct allow_signature *entry = *allow_named(ALLOW_OPERATORS, name);

    return entry != NULL && strcmp(entry->name, name) == 0;
}

const struct allow_signature *allow_find_operator(const char *name, bool prefix, uint32_t left,
                                                  uint32_t right)
{
    uint32_t types[] = {prefix ? right : left, right};

    const struct allow_signature *const *entry = allow_named(ALLOW_OPERATORS, name);

    for (; *entry != NULL && strcmp((*entry)->name, name) == 0; entry++) {
        if (allow_matches(*entry, types, prefix ? 1 : 2))
            return *entry;
    }
    return NULL;
}

bool allow_like_pattern_total(const char *pattern, const char *escape)
{
    size_t len = strlen(escape);

    while (len > 0 && *pattern != 0) {
        if (strncmp(pattern, escape, len) == 0 && *(pattern += len) == 0)
            return false;
        pattern++;
    }
    return true;
}
