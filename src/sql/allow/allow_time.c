/* Functions over points in time and intervals. Not here: clock_timestamp and timeofday, which tell
 * how long the statement has been running, and so what upstream had to do. */
#include "sql/allow/allow_table.h"

#define CALENDAR "computes from points in time"
#define ZONED    "computes from points in time; reads the session's time zone or date style"
#define CLOCK    "the transaction's or statement's start, which the partner knows anyway"
#define WRITTEN  "stands for a piece of SQL syntax"

/* The unit is a text: a wrong one is an error, so nothing here is total. */
#define FIELD(name, result)                                                                        \
    TWO(name, TEXTOID, DATEOID, result, IMMUTABLE, CALENDAR),                                      \
        TWO(name, TEXTOID, TIMESTAMPOID, result, IMMUTABLE, CALENDAR),                             \
        TWO(name, TEXTOID, TIMESTAMPTZOID, result, 0, ZONED),                                      \
        TWO(name, TEXTOID, INTERVALOID, result, IMMUTABLE, CALENDAR),                              \
        TWO(name, TEXTOID, TIMEOID, result, IMMUTABLE, CALENDAR),                                  \
        TWO(name, TEXTOID, TIMETZOID, result, IMMUTABLE, CALENDAR)
#define OVERLAPS(type, flags) FOUR("overlaps", type, type, type, type, BOOLOID, flags, WRITTEN)

static const struct allow_signature functions[] = {
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
    MANY("make_timestamptz", TIMESTAMPTZOID, 0, ZONED),
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
    TWO("timezone", TEXTOID, TIMETZOID, TIMETZOID, 0, WRITTEN),
    TWO("timezone", INTERVALOID, TIMESTAMPOID, TIMESTAMPTZOID, IMMUTABLE, WRITTEN),
    TWO("timezone", INTERVALOID, TIMESTAMPTZOID, TIMESTAMPOID, IMMUTABLE, WRITTEN),
    TWO("timezone", INTERVALOID, TIMETZOID, TIMETZOID, IMMUTABLE, WRITTEN),
    ONE("to_timestamp", FLOAT8OID, TIMESTAMPTZOID, IMMUTABLE, CALENDAR),
    TWO("to_timestamp", TEXTOID, TEXTOID, TIMESTAMPTZOID, 0, ZONED),
    TWO("to_date", TEXTOID, TEXTOID, DATEOID, 0, ZONED),
    TWO("to_char", 0, TEXTOID, TEXTOID, 0, ZONED),
    TWO("to_number", TEXTOID, TEXTOID, NUMERICOID, 0, ZONED),
    NONE("now", TIMESTAMPTZOID, TOTAL, CLOCK),
    NONE("transaction_timestamp", TIMESTAMPTZOID, TOTAL, CLOCK),
    NONE("statement_timestamp", TIMESTAMPTZOID, TOTAL, CLOCK),
};

ALLOW_LIST(time, functions);
