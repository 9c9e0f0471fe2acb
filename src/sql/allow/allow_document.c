/* Functions over documents (json, jsonb), arrays and ranges. Whole rows never get here, since no
 * expression has one. Not here: array_fill, whose small arguments make a huge result;
 * json_populate_record and its kin, whose result is a row type of the database. */
#include "sql/allow/allow_table.h"

#define DOCUMENT "reads a part of a document"
#define BUILDS   "builds a document or array from its arguments"
#define ARRAYS   "works on its array argument alone"
#define PATH     "reads a document by a path; statement_timeout bounds its time"
#define RANGES   "builds a range or tells of one"

#define OF_ARRAY(name, result) ONE(name, 0, result, TOTAL | IMMUTABLE, ARRAYS)
#define OF_ARRAY_SIDE(name)    TWO(name, 0, INT4OID, INT4OID, TOTAL | IMMUTABLE, ARRAYS)
/* Called with another element type, PostgreSQL takes the wider of both. */
#define ARRAY_AND_ELEMENT(name)                                                                    \
    TWO(name, ANYARRAYOID, ANYELEMENTOID, ANYARRAYOID, IMMUTABLE, BUILDS),                         \
        MANY(name, 0, IMMUTABLE, BUILDS)
#define OF_ONE_RANGE(name, range) ONE(name, range, BOOLOID, TOTAL | IMMUTABLE, RANGES)
#define OF_RANGE(name)                                                                             \
    OF_ONE_RANGE(name, INT4RANGEOID), OF_ONE_RANGE(name, INT8RANGEOID),                            \
        OF_ONE_RANGE(name, NUMRANGEOID), OF_ONE_RANGE(name, DATERANGEOID),                         \
        OF_ONE_RANGE(name, TSRANGEOID), OF_ONE_RANGE(name, TSTZRANGEOID)
#define BOUNDS(range, element)                                                                     \
    ONE("lower", range, element, TOTAL | IMMUTABLE, RANGES),                                       \
        ONE("upper", range, element, TOTAL | IMMUTABLE, RANGES)

static const struct allow_signature functions[] = {
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
    ONE("array_to_json", 0, JSONOID, 0, BUILDS),
    TWO("array_to_json", 0, BOOLOID, JSONOID, 0, BUILDS),
    MANY("json_object", JSONOID, IMMUTABLE, BUILDS),
    MANY("jsonb_object", JSONBOID, IMMUTABLE, BUILDS),
    MANY("jsonb_set", JSONBOID, IMMUTABLE, BUILDS),
    MANY("jsonb_set_lax", JSONBOID, IMMUTABLE, BUILDS),
    MANY("jsonb_insert", JSONBOID, IMMUTABLE, BUILDS),
    ONE("jsonb_pretty", JSONBOID, TEXTOID, TOTAL | IMMUTABLE, DOCUMENT),
    MANY("jsonb_path_exists", BOOLOID, IMMUTABLE, PATH),
    MANY("jsonb_path_match", BOOLOID, IMMUTABLE, PATH),
    MANY("jsonb_path_query_array", JSONBOID, IMMUTABLE, PATH),
    MANY("jsonb_path_query_first", JSONBOID, IMMUTABLE, PATH),
    MANY("jsonb_path_exists_tz", BOOLOID, 0, PATH),
    MANY("jsonb_path_match_tz", BOOLOID, 0, PATH),
    MANY("jsonb_path_query_array_tz", JSONBOID, 0, PATH),
    MANY("jsonb_path_query_first_tz", JSONBOID, 0, PATH),

    /* arrays */
    OF_ARRAY("cardinality", INT4OID),
    OF_ARRAY("array_ndims", INT4OID),
    OF_ARRAY_SIDE("array_length"),
    OF_ARRAY_SIDE("array_lower"),
    OF_ARRAY_SIDE("array_upper"),
    MANY("array_position", INT4OID, IMMUTABLE, ARRAYS),
    MANY("array_to_string", TEXTOID, 0, ARRAYS),
    OF_ARRAY("array_dims", TEXTOID),
    MANY("array_positions", INT4ARRAYOID, IMMUTABLE, ARRAYS),
    ARRAY_AND_ELEMENT("array_append"),
    TWO("array_prepend", ANYELEMENTOID, ANYARRAYOID, ANYARRAYOID, IMMUTABLE, BUILDS),
    MANY("array_prepend", 0, IMMUTABLE, BUILDS),
    TWO("array_cat", ANYARRAYOID, ANYARRAYOID, ANYARRAYOID, IMMUTABLE, BUILDS),
    MANY("array_cat", 0, IMMUTABLE, BUILDS),
    ARRAY_AND_ELEMENT("array_remove"),
    THREE("array_replace", ANYARRAYOID, ANYELEMENTOID, ANYELEMENTOID, ANYARRAYOID, IMMUTABLE,
          BUILDS),
    MANY("array_replace", 0, IMMUTABLE, BUILDS),
    TWO("trim_array", ANYARRAYOID, INT4OID, ANYARRAYOID, IMMUTABLE, ARRAYS),

    /* ranges */
    MANY("int4range", INT4RANGEOID, IMMUTABLE, RANGES),
    MANY("int8range", INT8RANGEOID, IMMUTABLE, RANGES),
    MANY("numrange", NUMRANGEOID, IMMUTABLE, RANGES),
    MANY("daterange", DATERANGEOID, IMMUTABLE, RANGES),
    MANY("tsrange", TSRANGEOID, IMMUTABLE, RANGES),
    MANY("tstzrange", TSTZRANGEOID, IMMUTABLE, RANGES),
    OF_RANGE("isempty"),
    OF_RANGE("lower_inc"),
    OF_RANGE("upper_inc"),
    OF_RANGE("lower_inf"),
    OF_RANGE("upper_inf"),
    MANY("range_merge", 0, IMMUTABLE, RANGES),
    BOUNDS(INT4RANGEOID, INT4OID),
    BOUNDS(INT8RANGEOID, INT8OID),
    BOUNDS(NUMRANGEOID, NUMERICOID),
    BOUNDS(DATERANGEOID, DATEOID),
    BOUNDS(TSRANGEOID, TIMESTAMPOID),
    BOUNDS(TSTZRANGEOID, TIMESTAMPTZOID),
};

ALLOW_LIST(document, functions);
