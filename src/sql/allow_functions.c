/* Functions of pg_catalog that a statement may call.
 * Not here, for a reason: what reads settings, sessions, files, large objects, sequences, the
 * catalogue or another server; what sleeps, locks or is random; XML; sets (generate_series,
 * unnest); repeat, lpad, rpad, format, factorial, array_fill, whose small arguments make huge
 * results; clock_timestamp, which tells time within a statement. */
#include "sql/allow_table.h"

#include <string.h>

#define TEXTUAL   "works on its text argument alone"
#define NUMERICAL "computes from numbers alone"
#define CALENDAR  "computes from points in time"
#define ZONED     "computes from points in time; reads the session's time zone or date style"
#define CLOCK     "the transaction's or statement's start, which the partner knows anyway"
#define DIGEST    "hashes its argument alone"
#define REGEX     "matches a regular expression; statement_timeout bounds its time"
#define DOCUMENT  "reads a part of a document"
#define BUILDS    "builds a document or array from its arguments"
#define ARRAYS    "works on its array argument alone"
#define STATS     "a plain statistic over a group"
#define PICKS     "an aggregate that can show one member's value"
#define WRITTEN   "stands for a piece of SQL syntax"

#define NONE(name, result, flags, reason)                                                          \
    {                                                                                              \
        name, {0}, 0, result, flags, reason                                                        \
    }
#define ONE(name, a, result, flags, reason)                                                        \
    {                                                                                              \
        name, {a}, 1, result, flags, reason                                                        \
    }
#define TWO(name, a, b, result, flags, reason)                                                     \
    {                                                                                              \
        name, {a, b}, 2, result, flags, reason                                                     \
    }
#define THREE(name, a, b, c, result, flags, reason)                                                \
    {                                                                                              \
        name, {a, b, c}, 3, result, flags, reason                                                  \
    }
#define FOUR(name, a, b, c, d, result, flags, reason)                                              \
    {                                                                                              \
        name, {a, b, c, d}, 4, result, flags, reason                                               \
    }
#define MANY(name, result, flags, reason)                                                          \
    {                                                                                              \
        name, {0}, ALLOW_ANY_COUNT, result, flags, reason                                          \
    }

/* name(text) */
#define OF_TEXT(name, result) ONE(name, TEXTOID, result, TOTAL | IMMUTABLE, TEXTUAL)
#define TRIMS(name)                                                                                \
    OF_TEXT(name, TEXTOID), TWO(name, TEXTOID, TEXTOID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL)
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
/* The unit is a text: a wrong one is an error, so nothing here is total. */
#define FIELD(name, result)                                                                        \
    TWO(name, TEXTOID, DATEOID, result, IMMUTABLE, CALENDAR),                                      \
        TWO(name, TEXTOID, TIMESTAMPOID, result, IMMUTABLE, CALENDAR),                             \
        TWO(name, TEXTOID, TIMESTAMPTZOID, result, 0, ZONED),                                      \
        TWO(name, TEXTOID, INTERVALOID, result, IMMUTABLE, CALENDAR),                              \
        TWO(name, TEXTOID, TIMEOID, result, IMMUTABLE, CALENDAR),                                  \
        TWO(name, TEXTOID, TIMETZOID, result, IMMUTABLE, CALENDAR)
#define OVERLAPS(type, flags)  FOUR("overlaps", type, type, type, type, BOOLOID, flags, WRITTEN)
#define HASH(name)             ONE(name, BYTEAOID, BYTEAOID, TOTAL | IMMUTABLE, DIGEST)
#define OF_ARRAY(name, result) ONE(name, 0, result, TOTAL | IMMUTABLE, ARRAYS)
#define OF_ARRAY_SIDE(name)    TWO(name, 0, INT4OID, INT4OID, TOTAL | IMMUTABLE, ARRAYS)

#define DEVIATION(name)                                                                            \
    ONE(name, INT2OID, NUMERICOID, STATISTIC | IMMUTABLE, STATS),                                  \
        ONE(name, INT4OID, NUMERICOID, STATISTIC | IMMUTABLE, STATS),                              \
        ONE(name, INT8OID, NUMERICOID, STATISTIC | IMMUTABLE, STATS),                              \
        ONE(name, NUMERICOID, NUMERICOID, STATISTIC | IMMUTABLE, STATS),                           \
        ONE(name, FLOAT4OID, FLOAT8OID, STATISTIC | IMMUTABLE, STATS),                             \
        ONE(name, FLOAT8OID, FLOAT8OID, STATISTIC | IMMUTABLE, STATS)
#define EXTREME_OF(name, type) ONE(name, type, type, AGGREGATE | TOTAL | IMMUTABLE, PICKS)
#define EXTREME(name)                                                                              \
    EXTREME_OF(name, TEXTOID), EXTREME_OF(name, INT2OID), EXTREME_OF(name, INT4OID),               \
        EXTREME_OF(name, INT8OID), EXTREME_OF(name, NUMERICOID), EXTREME_OF(name, FLOAT4OID),      \
        EXTREME_OF(name, FLOAT8OID), EXTREME_OF(name, DATEOID), EXTREME_OF(name, TIMEOID),         \
        EXTREME_OF(name, TIMETZOID), EXTREME_OF(name, TIMESTAMPOID),                               \
        EXTREME_OF(name, TIMESTAMPTZOID), EXTREME_OF(name, INTERVALOID)
#define TRUTH(name) ONE(name, BOOLOID, BOOLOID, AGGREGATE | TOTAL | IMMUTABLE, PICKS)
#define BITS_OF(name)                                                                              \
    ONE(name, INT2OID, INT2OID, AGGREGATE | TOTAL | IMMUTABLE, PICKS),                             \
        ONE(name, INT4OID, INT4OID, AGGREGATE | TOTAL | IMMUTABLE, PICKS),                         \
        ONE(name, INT8OID, INT8OID, AGGREGATE | TOTAL | IMMUTABLE, PICKS)

static const struct allow_signature functions[] = {
    /* text */
    OF_TEXT("length", INT4OID),
    ONE("length", BYTEAOID, INT4OID, TOTAL | IMMUTABLE, TEXTUAL),
    OF_TEXT("char_length", INT4OID),
    OF_TEXT("character_length", INT4OID),
    OF_TEXT("octet_length", INT4OID),
    ONE("octet_length", BYTEAOID, INT4OID, TOTAL | IMMUTABLE, TEXTUAL),
    OF_TEXT("bit_length", INT4OID),
    OF_TEXT("lower", TEXTOID),
    OF_TEXT("upper", TEXTOID),
    OF_TEXT("initcap", TEXTOID),
    OF_TEXT("reverse", TEXTOID),
    OF_TEXT("md5", TEXTOID),
    ONE("md5", BYTEAOID, TEXTOID, TOTAL | IMMUTABLE, DIGEST),
    TRIMS("btrim"),
    TRIMS("ltrim"),
    TRIMS("rtrim"),
    TWO("left", TEXTOID, INT4OID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL),
    TWO("right", TEXTOID, INT4OID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL),
    TWO("substr", TEXTOID, INT4OID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL),
    THREE("substr", TEXTOID, INT4OID, INT4OID, TEXTOID, IMMUTABLE, TEXTUAL),
    TWO("substring", TEXTOID, INT4OID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL),
    TWO("substring", TEXTOID, TEXTOID, TEXTOID, IMMUTABLE, REGEX),
    THREE("substring", TEXTOID, INT4OID, INT4OID, TEXTOID, IMMUTABLE, TEXTUAL),
    THREE("substring", TEXTOID, TEXTOID, TEXTOID, TEXTOID, IMMUTABLE, REGEX),
    TWO("strpos", TEXTOID, TEXTOID, INT4OID, TOTAL | IMMUTABLE, TEXTUAL),
    TWO("position", TEXTOID, TEXTOID, INT4OID, TOTAL | IMMUTABLE, WRITTEN),
    TWO("starts_with", TEXTOID, TEXTOID, BOOLOID, TOTAL | IMMUTABLE, TEXTUAL),
    THREE("overlay", TEXTOID, TEXTOID, INT4OID, TEXTOID, IMMUTABLE, WRITTEN),
    FOUR("overlay", TEXTOID, TEXTOID, INT4OID, INT4OID, TEXTOID, IMMUTABLE, WRITTEN),
    THREE("replace", TEXTOID, TEXTOID, TEXTOID, TEXTOID, IMMUTABLE, TEXTUAL),
    THREE("translate", TEXTOID, TEXTOID, TEXTOID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL),
    THREE("split_part", TEXTOID, TEXTOID, INT4OID, TEXTOID, IMMUTABLE, TEXTUAL),
    TWO("string_to_array", TEXTOID, TEXTOID, TEXTARRAYOID, IMMUTABLE, TEXTUAL),
    THREE("string_to_array", TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, IMMUTABLE, TEXTUAL),
    MANY("concat", TEXTOID, 0, "puts texts together; writes dates by the session's settings"),
    MANY("concat_ws", TEXTOID, 0, "puts texts together; writes dates by the session's settings"),
    ONE("ascii", TEXTOID, INT4OID, IMMUTABLE, TEXTUAL),
    ONE("chr", INT4OID, TEXTOID, IMMUTABLE, TEXTUAL),
    ONE("to_hex", INT4OID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL),
    ONE("to_hex", INT8OID, TEXTOID, TOTAL | IMMUTABLE, TEXTUAL),
    TWO("encode", BYTEAOID, TEXTOID, TEXTOID, IMMUTABLE, TEXTUAL),
    TWO("decode", TEXTOID, TEXTOID, BYTEAOID, IMMUTABLE, TEXTUAL),
    HASH("sha224"),
    HASH("sha256"),
    HASH("sha384"),
    HASH("sha512"),
    TWO("like_escape", TEXTOID, TEXTOID, TEXTOID, IMMUTABLE, WRITTEN),
    ONE("similar_to_escape", TEXTOID, TEXTOID, IMMUTABLE, WRITTEN),
    TWO("similar_to_escape", TEXTOID, TEXTOID, TEXTOID, IMMUTABLE, WRITTEN),
    MANY("normalize", TEXTOID, IMMUTABLE, WRITTEN),
    MANY("is_normalized", BOOLOID, IMMUTABLE, WRITTEN),
    MANY("regexp_like", BOOLOID, IMMUTABLE, REGEX),
    MANY("regexp_replace", TEXTOID, IMMUTABLE, REGEX),
    MANY("regexp_match", TEXTARRAYOID, IMMUTABLE, REGEX),
    MANY("regexp_substr", TEXTOID, IMMUTABLE, REGEX),
    MANY("regexp_count", INT4OID, IMMUTABLE, REGEX),
    MANY("regexp_instr", INT4OID, IMMUTABLE, REGEX),

    /* numbers */
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

    /* points in time */
    FIELD("extract", NUMERICOID),
    FIELD("date_part", FLOAT8OID),
    TWO("date_trunc", TEXTOID, TIMESTAMPOID, TIMESTAMPOID, IMMUTABLE, CALENDAR),
    TWO("date_trunc", TEXTOID, DATEOID, TIMESTAMPTZOID, 0, ZONED),
    TWO("date_trunc", TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, 0, ZONED),
    TWO("date_trunc", TEXTOID, INTERVALOID, INTERVALOID, IMMUTABLE, CALENDAR),
    THREE("date_trunc", TEXTOID, TIMESTAMPTZOID, TEXTOID, TIMESTAMPTZOID, 0, ZONED),
    THREE("date_bin", INTERVALOID, TIMESTAMPOID, TIMESTAMPOID, TIMESTAMPOID, IMMUTABLE, CALENDAR),
    THREE("date_bin", INTERVALOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, IMMUTABLE,
          CALENDAR),
    TWO("age", TIMESTAMPOID, TIMESTAMPOID, INTERVALOID, IMMUTABLE, CALENDAR),
    TWO("age", TIMESTAMPTZOID, TIMESTAMPTZOID, INTERVALOID, 0, ZONED),
    TWO("age", DATEOID, DATEOID, INTERVALOID, 0, ZONED),
    ONE("age", TIMESTAMPOID, INTERVALOID, 0, CLOCK),
    ONE("age", TIMESTAMPTZOID, INTERVALOID, 0, CLOCK),
    ONE("age", DATEOID, INTERVALOID, 0, CLOCK),
    ONE("date", TIMESTAMPOID, DATEOID, TOTAL | IMMUTABLE, CALENDAR),
    ONE("date", TIMESTAMPTZOID, DATEOID, 0, ZONED),
    THREE("make_date", INT4OID, INT4OID, INT4OID, DATEOID, IMMUTABLE, CALENDAR),
    THREE("make_time", INT4OID, INT4OID, FLOAT8OID, TIMEOID, IMMUTABLE, CALENDAR),
    MANY("make_timestamp", TIMESTAMPOID, IMMUTABLE, CALENDAR),
    MANY("make_interval", INTERVALOID, IMMUTABLE, CALENDAR),
    ONE("justify_days", INTERVALOID, INTERVALOID, IMMUTABLE, CALENDAR),
    ONE("justify_hours", INTERVALOID, INTERVALOID, IMMUTABLE, CALENDAR),
    ONE("justify_interval", INTERVALOID, INTERVALOID, IMMUTABLE, CALENDAR),
    ONE("isfinite", TIMESTAMPTZOID, BOOLOID, TOTAL | IMMUTABLE, CALENDAR),
    ONE("isfinite", TIMESTAMPOID, BOOLOID, TOTAL | IMMUTABLE, CALENDAR),
    ONE("isfinite", DATEOID, BOOLOID, TOTAL | IMMUTABLE, CALENDAR),
    ONE("isfinite", INTERVALOID, BOOLOID, TOTAL | IMMUTABLE, CALENDAR),
    OVERLAPS(TIMESTAMPOID, TOTAL | IMMUTABLE),
    OVERLAPS(TIMESTAMPTZOID, TOTAL | IMMUTABLE),
    OVERLAPS(TIMEOID, TOTAL | IMMUTABLE),
    OVERLAPS(DATEOID, 0),
    TWO("timezone", TEXTOID, TIMESTAMPOID, TIMESTAMPTZOID, IMMUTABLE, WRITTEN),
    TWO("timezone", TEXTOID, TIMESTAMPTZOID, TIMESTAMPOID, IMMUTABLE, WRITTEN),
    ONE("to_timestamp", FLOAT8OID, TIMESTAMPTZOID, IMMUTABLE, CALENDAR),
    TWO("to_timestamp", TEXTOID, TEXTOID, TIMESTAMPTZOID, 0, ZONED),
    TWO("to_date", TEXTOID, TEXTOID, DATEOID, 0, ZONED),
    TWO("to_char", 0, TEXTOID, TEXTOID, 0, ZONED),
    TWO("to_number", TEXTOID, TEXTOID, NUMERICOID, 0, ZONED),
    NONE("now", TIMESTAMPTZOID, TOTAL, CLOCK),
    NONE("transaction_timestamp", TIMESTAMPTZOID, TOTAL, CLOCK),
    NONE("statement_timestamp", TIMESTAMPTZOID, TOTAL, CLOCK),

    /* documents and arrays */
    MANY("json_extract_path", JSONOID, IMMUTABLE, DOCUMENT),
    MANY("json_extract_path_text", TEXTOID, IMMUTABLE, DOCUMENT),
    MANY("jsonb_extract_path", JSONBOID, IMMUTABLE, DOCUMENT),
    MANY("jsonb_extract_path_text", TEXTOID, IMMUTABLE, DOCUMENT),
    ONE("json_typeof", JSONOID, TEXTOID, IMMUTABLE, DOCUMENT),
    ONE("jsonb_typeof", JSONBOID, TEXTOID, TOTAL | IMMUTABLE, DOCUMENT),
    ONE("json_array_length", JSONOID, INT4OID, IMMUTABLE, DOCUMENT),
    ONE("jsonb_array_length", JSONBOID, INT4OID, IMMUTABLE, DOCUMENT),
    ONE("json_strip_nulls", JSONOID, JSONOID, IMMUTABLE, DOCUMENT),
    ONE("jsonb_strip_nulls", JSONBOID, JSONBOID, IMMUTABLE, DOCUMENT),
    ONE("to_json", 0, JSONOID, 0, BUILDS),
    ONE("to_jsonb", 0, JSONBOID, 0, BUILDS),
    MANY("json_build_object", JSONOID, 0, BUILDS),
    MANY("jsonb_build_object", JSONBOID, 0, BUILDS),
    MANY("json_build_array", JSONOID, 0, BUILDS),
    MANY("jsonb_build_array", JSONBOID, 0, BUILDS),
    OF_ARRAY("cardinality", INT4OID),
    OF_ARRAY("array_ndims", INT4OID),
    OF_ARRAY_SIDE("array_length"),
    OF_ARRAY_SIDE("array_lower"),
    OF_ARRAY_SIDE("array_upper"),
    MANY("array_position", INT4OID, IMMUTABLE, ARRAYS),
    MANY("array_append", 0, IMMUTABLE, BUILDS),
    MANY("array_prepend", 0, IMMUTABLE, BUILDS),
    MANY("array_cat", 0, IMMUTABLE, BUILDS),
    MANY("array_remove", 0, IMMUTABLE, ARRAYS),
    MANY("array_replace", 0, IMMUTABLE, ARRAYS),
    MANY("array_to_string", TEXTOID, 0, ARRAYS),

    /* aggregates */
    NONE("count", INT8OID, STATISTIC | TOTAL | IMMUTABLE, STATS),
    ONE("count", 0, INT8OID, STATISTIC | TOTAL | IMMUTABLE, STATS),
    ONE("sum", INT4OID, INT8OID, STATISTIC | IMMUTABLE, STATS),
    ONE("sum", INT2OID, INT8OID, STATISTIC | IMMUTABLE, STATS),
    ONE("sum", INT8OID, NUMERICOID, STATISTIC | IMMUTABLE, STATS),
    ONE("sum", NUMERICOID, NUMERICOID, STATISTIC | IMMUTABLE, STATS),
    ONE("sum", FLOAT4OID, FLOAT4OID, STATISTIC | IMMUTABLE, STATS),
    ONE("sum", FLOAT8OID, FLOAT8OID, STATISTIC | IMMUTABLE, STATS),
    ONE("sum", INTERVALOID, INTERVALOID, STATISTIC | IMMUTABLE, STATS),
    DEVIATION("avg"),
    ONE("avg", INTERVALOID, INTERVALOID, STATISTIC | IMMUTABLE, STATS),
    DEVIATION("stddev"),
    DEVIATION("stddev_pop"),
    DEVIATION("stddev_samp"),
    DEVIATION("variance"),
    DEVIATION("var_pop"),
    DEVIATION("var_samp"),
    TWO("corr", FLOAT8OID, FLOAT8OID, FLOAT8OID, AGGREGATE | IMMUTABLE, STATS),
    TWO("covar_pop", FLOAT8OID, FLOAT8OID, FLOAT8OID, AGGREGATE | IMMUTABLE, STATS),
    TWO("covar_samp", FLOAT8OID, FLOAT8OID, FLOAT8OID, AGGREGATE | IMMUTABLE, STATS),
    EXTREME("min"),
    EXTREME("max"),
    TRUTH("bool_and"),
    TRUTH("bool_or"),
    TRUTH("every"),
    BITS_OF("bit_and"),
    BITS_OF("bit_or"),
    TWO("string_agg", TEXTOID, TEXTOID, TEXTOID, AGGREGATE | IMMUTABLE, PICKS),
    ONE("array_agg", 0, 0, AGGREGATE | IMMUTABLE, PICKS),
    ONE("json_agg", 0, JSONOID, AGGREGATE, PICKS),
    ONE("jsonb_agg", 0, JSONBOID, AGGREGATE, PICKS),
    TWO("json_object_agg", 0, 0, JSONOID, AGGREGATE, PICKS),
    TWO("jsonb_object_agg", 0, 0, JSONBOID, AGGREGATE, PICKS),
    MANY("percentile_cont", 0, AGGREGATE | IMMUTABLE, PICKS),
    MANY("percentile_disc", 0, AGGREGATE | IMMUTABLE, PICKS),
    MANY("mode", 0, AGGREGATE | IMMUTABLE, PICKS),
};
enum { FUNCTION_COUNT = sizeof functions / sizeof *functions };

const struct allow_signature *allow_function_at(size_t index)
{
    return index < FUNCTION_COUNT ? &functions[index] : NULL;
}

bool allow_function(const char *name)
{
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        if (strcmp(functions[i].name, name) == 0)
            return true;
    }
    return false;
}

const struct allow_signature *allow_find_function(const char *name, const uint32_t *types,
                                                  size_t count)
{
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        if (strcmp(functions[i].name, name) == 0 && allow_matches(&functions[i], types, count))
            return &functions[i];
    }
    return NULL;
}

enum { NAME_MAX_LEN = 63, SUGGESTION_DISTANCE = 2 };

static unsigned min_of(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Edits that turn one name into the other (Levenshtein 1965). Both are at most NAME_MAX_LEN
 * long. */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[NAME_MAX_LEN + 1];
    size_t b_len = strlen(b);

    for (size_t j = 0; j <= b_len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; a[i] != 0; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < b_len; j++) {
            unsigned substituted = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = min_of(substituted, min_of(row[j], diagonal) + 1);
        }
    }
    return row[b_len];
}

const char *allow_suggestion(const char *name)
{
    const char *best = NULL;
    unsigned best_distance = SUGGESTION_DISTANCE + 1;

    if (strlen(name) > NAME_MAX_LEN)
        return NULL;
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        unsigned distance = edit_distance(name, functions[i].name);
        if (distance < best_distance && distance < strlen(name)) {
            best = functions[i].name;
            best_distance = distance;
        }
    }
    return best;
}
