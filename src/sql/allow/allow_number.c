/* Functions over numbers. Not here: factorial, whose small argument makes a huge result; setseed,
 * which changes the session. */
#include "sql/allow/allow_table.h"

#define NUMERICAL "computes from numbers alone"
#define CHANCE    "a random value, that no data decides"

/* Functions that exist for numeric and float8, and cast every other number to float8. */
#define REAL(name, flags)                                                                          \
    ONE(name, NUMERICOID, NUMERICOID, flags, NUMERICAL),                                           \
        ONE(name, FLOAT8OID, FLOAT8OID, flags, NUMERICAL),                                         \
        ONE(name, FLOAT4OID, FLOAT8OID, flags, NUMERICAL),                                         \
        ONE(name, INT2OID, FLOAT8OID, flags, NUMERICAL),                                           \
        ONE(name, INT4OID, FLOAT8OID, flags, NUMERICAL),                                           \
        ONE(name, INT8OID, FLOAT8OID, flags, NUMERICAL)
#define FLOATING(name) ONE(name, FLOAT8OID, FLOAT8OID, IMMUTABLE, NUMERICAL)
/* Functions that exist for each kind of integer and for numeric. */
#define INTEGRAL(name)                                                                             \
    TWO(name, INT4OID, INT4OID, INT4OID, IMMUTABLE, NUMERICAL),                                    \
        TWO(name, INT8OID, INT8OID, INT8OID, IMMUTABLE, NUMERICAL),                                \
        TWO(name, INT4OID, INT8OID, INT8OID, IMMUTABLE, NUMERICAL),                                \
        TWO(name, INT8OID, INT4OID, INT8OID, IMMUTABLE, NUMERICAL),                                \
        TWO(name, NUMERICOID, NUMERICOID, NUMERICOID, IMMUTABLE, NUMERICAL)

static const struct allow_signature functions[] = {
    ONE("abs", INT2OID, INT2OID, IMMUTABLE, NUMERICAL),
    ONE("abs", INT4OID, INT4OID, IMMUTABLE, NUMERICAL),
    ONE("abs", INT8OID, INT8OID, IMMUTABLE, NUMERICAL),
    ONE("abs", NUMERICOID, NUMERICOID, TOTAL | IMMUTABLE, NUMERICAL),
    ONE("abs", FLOAT4OID, FLOAT4OID, TOTAL | IMMUTABLE, NUMERICAL),
    ONE("abs", FLOAT8OID, FLOAT8OID, TOTAL | IMMUTABLE, NUMERICAL),
    REAL("sign", TOTAL | IMMUTABLE),
    REAL("trunc", TOTAL | IMMUTABLE),
    TWO("trunc", NUMERICOID, INT4OID, NUMERICOID, IMMUTABLE, NUMERICAL),
    REAL("ceil", IMMUTABLE), /* a numeric of 131,072 digits has no next integer */
    REAL("ceiling", IMMUTABLE),
    REAL("floor", IMMUTABLE),
    REAL("round", IMMUTABLE),
    TWO("round", NUMERICOID, INT4OID, NUMERICOID, IMMUTABLE, NUMERICAL),
    TWO("round", INT4OID, INT4OID, NUMERICOID, IMMUTABLE, NUMERICAL),
    TWO("round", INT8OID, INT4OID, NUMERICOID, IMMUTABLE, NUMERICAL),
    INTEGRAL("mod"),
    INTEGRAL("gcd"),
    INTEGRAL("lcm"),
    TWO("div", NUMERICOID, NUMERICOID, NUMERICOID, IMMUTABLE, NUMERICAL),
    TWO("power", FLOAT8OID, FLOAT8OID, FLOAT8OID, IMMUTABLE, NUMERICAL),
    TWO("power", NUMERICOID, NUMERICOID, NUMERICOID, IMMUTABLE, NUMERICAL),
    TWO("pow", FLOAT8OID, FLOAT8OID, FLOAT8OID, IMMUTABLE, NUMERICAL),
    TWO("pow", NUMERICOID, NUMERICOID, NUMERICOID, IMMUTABLE, NUMERICAL),
    REAL("sqrt", IMMUTABLE),
    REAL("exp", IMMUTABLE),
    REAL("ln", IMMUTABLE),
    REAL("log", IMMUTABLE),
    TWO("log", NUMERICOID, NUMERICOID, NUMERICOID, IMMUTABLE, NUMERICAL),
    REAL("log10", IMMUTABLE),
    FLOATING("cbrt"),
    FLOATING("degrees"),
    FLOATING("radians"),
    FLOATING("sin"),
    FLOATING("cos"),
    FLOATING("tan"),
    FLOATING("asin"),
    FLOATING("acos"),
    FLOATING("atan"),
    TWO("atan2", FLOAT8OID, FLOAT8OID, FLOAT8OID, IMMUTABLE, NUMERICAL),
    NONE("pi", FLOAT8OID, TOTAL | IMMUTABLE, NUMERICAL),
    MANY("width_bucket", INT4OID, IMMUTABLE, NUMERICAL),
    FLOATING("asind"),
    FLOATING("acosd"),
    FLOATING("atand"),
    FLOATING("sind"),
    FLOATING("cosd"),
    FLOATING("tand"),
    FLOATING("cot"),
    FLOATING("cotd"),
    FLOATING("sinh"),
    FLOATING("cosh"),
    FLOATING("tanh"),
    FLOATING("asinh"),
    FLOATING("acosh"),
    FLOATING("atanh"),
    TWO("atan2d", FLOAT8OID, FLOAT8OID, FLOAT8OID, IMMUTABLE, NUMERICAL),
    ONE("scale", NUMERICOID, INT4OID, TOTAL | IMMUTABLE, NUMERICAL),
    ONE("min_scale", NUMERICOID, INT4OID, TOTAL | IMMUTABLE, NUMERICAL),
    ONE("trim_scale", NUMERICOID, NUMERICOID, TOTAL | IMMUTABLE, NUMERICAL),
    NONE("random", FLOAT8OID, ALLOW_VOLATILE | TOTAL, CHANCE),
};

ALLOW_LIST(number, functions);
