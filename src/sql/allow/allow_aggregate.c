/* Aggregates and window functions. Only STATS may count as aggregate(k); what picks members' values
 * out is disclosed like those. */
#include "sql/allow/allow_table.h"

#define STATS    "a plain statistic over a group"
#define PICKS    "an aggregate that can show one member's value"
#define PLACES   "the place of a row among others, no value of theirs"
#define OTHERS   "a window function that shows another row's value"
#define SUPPOSES "the place that a value would have in the group"

#define ORDERED  (ALLOW_AGGREGATE | ALLOW_ORDERED_SET | ALLOW_IMMUTABLE)
#define COUNTING (ALLOW_WINDOW | TOTAL | IMMUTABLE)
#define SHOWING  (ALLOW_WINDOW | ALLOW_SHOWS_OTHERS | IMMUTABLE)

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
#define REGRESSION(name, result)                                                                   \
    TWO(name, FLOAT8OID, FLOAT8OID, result, AGGREGATE | IMMUTABLE, PICKS)
#define SHOWS_VALUE(name)                                                                          \
    ONE(name, ANYELEMENTOID, ANYELEMENTOID, SHOWING | TOTAL, OTHERS),                              \
        ONE(name, 0, 0, SHOWING | TOTAL, OTHERS)
#define SHOWS_ROW(name)                                                                            \
    SHOWS_VALUE(name), TWO(name, ANYELEMENTOID, INT4OID, ANYELEMENTOID, SHOWING | TOTAL, OTHERS),  \
        TWO(name, 0, INT4OID, 0, SHOWING | TOTAL, OTHERS), MANY(name, 0, SHOWING, OTHERS)

static const struct allow_signature functions[] = {
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
    REGRESSION("regr_avgx", FLOAT8OID),
    REGRESSION("regr_avgy", FLOAT8OID),
    REGRESSION("regr_count", INT8OID),
    REGRESSION("regr_intercept", FLOAT8OID),
    REGRESSION("regr_r2", FLOAT8OID),
    REGRESSION("regr_slope", FLOAT8OID),
    REGRESSION("regr_sxx", FLOAT8OID),
    REGRESSION("regr_sxy", FLOAT8OID),
    REGRESSION("regr_syy", FLOAT8OID),
    EXTREME("min"),
    EXTREME("max"),
    TRUTH("bool_and"),
    TRUTH("bool_or"),
    TRUTH("every"),
    BITS_OF("bit_and"),
    BITS_OF("bit_or"),
    BITS_OF("bit_xor"),
    TWO("string_agg", TEXTOID, TEXTOID, TEXTOID, AGGREGATE | IMMUTABLE, PICKS),
    TWO("string_agg", BYTEAOID, BYTEAOID, BYTEAOID, AGGREGATE | IMMUTABLE, PICKS),
    ONE("array_agg", ANYARRAYOID, ANYARRAYOID, AGGREGATE | IMMUTABLE, PICKS),
    ONE("array_agg", ANYELEMENTOID, ANYARRAYOID, AGGREGATE | IMMUTABLE, PICKS),
    ONE("array_agg", 0, 0, AGGREGATE | IMMUTABLE, PICKS),
    ONE("json_agg", 0, JSONOID, AGGREGATE, PICKS),
    ONE("jsonb_agg", 0, JSONBOID, AGGREGATE, PICKS),
    TWO("json_object_agg", 0, 0, JSONOID, AGGREGATE, PICKS),
    TWO("jsonb_object_agg", 0, 0, JSONBOID, AGGREGATE, PICKS),
    MANY("range_agg", 0, AGGREGATE | IMMUTABLE, PICKS),
    MANY("range_intersect_agg", 0, AGGREGATE | IMMUTABLE, PICKS),
    ONE("any_value", ANYELEMENTOID, ANYELEMENTOID, AGGREGATE | IMMUTABLE, PICKS),
    ONE("any_value", 0, 0, AGGREGATE | IMMUTABLE, PICKS),

    /* OVER */
    NONE("row_number", INT8OID, COUNTING, PLACES),
    NONE("rank", INT8OID, COUNTING, PLACES),
    NONE("dense_rank", INT8OID, COUNTING, PLACES),
    NONE("percent_rank", FLOAT8OID, COUNTING, PLACES),
    NONE("cume_dist", FLOAT8OID, COUNTING, PLACES),
    ONE("ntile", INT4OID, INT4OID, ALLOW_WINDOW | IMMUTABLE, PLACES),
    SHOWS_ROW("lag"),
    SHOWS_ROW("lead"),
    SHOWS_VALUE("first_value"),
    SHOWS_VALUE("last_value"),
    TWO("nth_value", ANYELEMENTOID, INT4OID, ANYELEMENTOID, SHOWING, OTHERS),
    TWO("nth_value", 0, INT4OID, 0, SHOWING, OTHERS),

    /* WITHIN GROUP */
    MANY("percentile_cont", 0, ORDERED, PICKS),
    MANY("percentile_disc", 0, ORDERED, PICKS),
    MANY("mode", 0, ORDERED, PICKS),
    MANY("rank", INT8OID, ORDERED, SUPPOSES),
    MANY("dense_rank", INT8OID, ORDERED, SUPPOSES),
    MANY("percent_rank", FLOAT8OID, ORDERED, SUPPOSES),
    MANY("cume_dist", FLOAT8OID, ORDERED, SUPPOSES),
};

ALLOW_LIST(aggregate, functions);
