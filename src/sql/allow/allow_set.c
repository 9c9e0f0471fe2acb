/* Functions that return a set of rows. A row of the level that calls one turns into any number of
 * rows, each with that row's keys, so deleting a person removes just rows that carry the person.
 * But how many rows a person has is the partner's choice then: no count above is a plain statistic.
 * How many rows come out is not bounded here: statement_timeout bounds the time, temp_file_limit
 * what is spilled. */
#include "sql/allow/allow_table.h"

#define COUNTS  "counts from one argument to another"
#define OPENS   "gives the parts of its argument one by one"
#define REGEX   "matches a regular expression; statement_timeout bounds its time"
#define PATH    "reads a document by a path; statement_timeout bounds its time"
#define COLUMNS "reads a document into the columns that the statement lists"

static const struct allow_signature functions[] = {
    TWO("generate_series", INT4OID, INT4OID, INT4OID, TOTAL | SET | IMMUTABLE, COUNTS),
    TWO("generate_series", INT8OID, INT8OID, INT8OID, TOTAL | SET | IMMUTABLE, COUNTS),
    TWO("generate_series", INT4OID, INT8OID, INT8OID, TOTAL | SET | IMMUTABLE, COUNTS),
    TWO("generate_series", INT8OID, INT4OID, INT8OID, TOTAL | SET | IMMUTABLE, COUNTS),
    TWO("generate_series", NUMERICOID, NUMERICOID, NUMERICOID, SET | IMMUTABLE, COUNTS),
    THREE("generate_series", INT4OID, INT4OID, INT4OID, INT4OID, SET | IMMUTABLE, COUNTS),
    THREE("generate_series", INT8OID, INT8OID, INT8OID, INT8OID, SET | IMMUTABLE, COUNTS),
    THREE("generate_series", NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, SET | IMMUTABLE,
          COUNTS),
    THREE("generate_series", TIMESTAMPOID, TIMESTAMPOID, INTERVALOID, TIMESTAMPOID, SET | IMMUTABLE,
          COUNTS),
    THREE("generate_series", TIMESTAMPTZOID, TIMESTAMPTZOID, INTERVALOID, TIMESTAMPTZOID, SET,
          COUNTS),
    THREE("generate_series", DATEOID, DATEOID, INTERVALOID, TIMESTAMPTZOID, SET, COUNTS),
    TWO("generate_subscripts", 0, INT4OID, INT4OID, TOTAL | SET | IMMUTABLE, OPENS),
    ONE("unnest", ANYARRAYOID, ANYELEMENTOID, TOTAL | SET | IMMUTABLE, OPENS),
    MANY("unnest", 0, SET | IMMUTABLE, OPENS),
    MANY("regexp_split_to_table", TEXTOID, SET | IMMUTABLE, REGEX),
    MANY("regexp_matches", TEXTARRAYOID, SET | IMMUTABLE, REGEX),
    TWO("string_to_table", TEXTOID, TEXTOID, TEXTOID, TOTAL | SET | IMMUTABLE, OPENS),
    THREE("string_to_table", TEXTOID, TEXTOID, TEXTOID, TEXTOID, TOTAL | SET | IMMUTABLE, OPENS),
    ONE("json_array_elements", JSONOID, JSONOID, SET | IMMUTABLE, OPENS),
    ONE("json_array_elements_text", JSONOID, TEXTOID, SET | IMMUTABLE, OPENS),
    ONE("json_object_keys", JSONOID, TEXTOID, SET | IMMUTABLE, OPENS),
    ONE("json_each", JSONOID, RECORDOID, SET | IMMUTABLE, OPENS),
    ONE("json_each_text", JSONOID, RECORDOID, SET | IMMUTABLE, OPENS),
    ONE("json_to_record", JSONOID, RECORDOID, SET, COLUMNS),
    ONE("json_to_recordset", JSONOID, RECORDOID, SET, COLUMNS),
    ONE("jsonb_array_elements", JSONBOID, JSONBOID, SET | IMMUTABLE, OPENS),
    ONE("jsonb_array_elements_text", JSONBOID, TEXTOID, SET | IMMUTABLE, OPENS),
    ONE("jsonb_object_keys", JSONBOID, TEXTOID, SET | IMMUTABLE, OPENS),
    ONE("jsonb_each", JSONBOID, RECORDOID, SET | IMMUTABLE, OPENS),
    ONE("jsonb_each_text", JSONBOID, RECORDOID, SET | IMMUTABLE, OPENS),
    ONE("jsonb_to_record", JSONBOID, RECORDOID, SET, COLUMNS),
    ONE("jsonb_to_recordset", JSONBOID, RECORDOID, SET, COLUMNS),
    MANY("jsonb_path_query", JSONBOID, SET | IMMUTABLE, PATH),
    MANY("jsonb_path_query_tz", JSONBOID, SET, PATH),
};

ALLOW_LIST(set, functions);
