/* Types that a cast may name, and what the casts between them may do.
 * Left out on purpose: regclass and its kin (they look names up in the catalogue), xml, name,
 * "char", ranges, geometry, network addresses, text search. */
#include "sql/allow_table.h"

#include <string.h>

static const struct {
    const char *name; /* in pg_catalog */
    uint32_t oid, array_oid;
} types[] = {
    {"bool", BOOLOID, BOOLARRAYOID},
    {"int2", INT2OID, INT2ARRAYOID},
    {"int4", INT4OID, INT4ARRAYOID},
    {"int8", INT8OID, INT8ARRAYOID},
    {"numeric", NUMERICOID, NUMERICARRAYOID},
    {"float4", FLOAT4OID, FLOAT4ARRAYOID},
    {"float8", FLOAT8OID, FLOAT8ARRAYOID},
    {"text", TEXTOID, TEXTARRAYOID},
    {"varchar", VARCHAROID, VARCHARARRAYOID},
    {"bpchar", BPCHAROID, BPCHARARRAYOID},
    {"date", DATEOID, DATEARRAYOID},
    {"time", TIMEOID, TIMEARRAYOID},
    {"timetz", TIMETZOID, TIMETZARRAYOID},
    {"timestamp", TIMESTAMPOID, TIMESTAMPARRAYOID},
    {"timestamptz", TIMESTAMPTZOID, TIMESTAMPTZARRAYOID},
    {"interval", INTERVALOID, INTERVALARRAYOID},
    {"uuid", UUIDOID, UUIDARRAYOID},
    {"bytea", BYTEAOID, BYTEAARRAYOID},
    {"json", JSONOID, JSONARRAYOID},
    {"jsonb", JSONBOID, JSONBARRAYOID},
};
enum { TYPE_COUNT = sizeof types / sizeof *types };

uint32_t allow_type(const char *name)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (strcmp(types[i].name, name) == 0)
            return types[i].oid;
    }
    return 0;
}

uint32_t allow_array_type(uint32_t element)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (types[i].oid == element)
            return types[i].array_oid;
    }
    return 0;
}

bool allow_parameter_type(uint32_t type)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (types[i].oid == type || types[i].array_oid == type)
            return true;
    }
    return false;
}

uint32_t allow_family(uint32_t type)
{
    return type == VARCHAROID || type == BPCHAROID ? TEXTOID : type;
}

bool allow_fits(uint32_t wanted, uint32_t type)
{
    return wanted == ALLOW_ANY_TYPE || type == UNKNOWNOID || wanted == allow_family(type);
}

bool allow_matches(const struct allow_signature *signature, const uint32_t *argument_types,
                   size_t count)
{
    if (signature->argument_count == ALLOW_ANY_COUNT)
        return true;
    if (signature->argument_count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!allow_fits(signature->arguments[i], argument_types[i]))
            return false;
    }
    return true;
}

/* Casts with a say of their own; from the text family and to it, see below. */
static const struct {
    uint32_t from, to;
    unsigned flags;
} casts[] = {
    {BOOLOID, INT4OID, TOTAL | IMMUTABLE},
    {INT4OID, BOOLOID, TOTAL | IMMUTABLE},
    {INT2OID, INT4OID, TOTAL | IMMUTABLE},
    {INT2OID, INT8OID, TOTAL | IMMUTABLE},
    {INT2OID, NUMERICOID, TOTAL | IMMUTABLE},
    {INT2OID, FLOAT4OID, TOTAL | IMMUTABLE},
    {INT2OID, FLOAT8OID, TOTAL | IMMUTABLE},
    {INT4OID, INT2OID, IMMUTABLE},
    {INT4OID, INT8OID, TOTAL | IMMUTABLE},
    {INT4OID, NUMERICOID, TOTAL | IMMUTABLE},
    {INT4OID, FLOAT4OID, TOTAL | IMMUTABLE},
    {INT4OID, FLOAT8OID, TOTAL | IMMUTABLE},
    {INT8OID, INT2OID, IMMUTABLE},
    {INT8OID, INT4OID, IMMUTABLE},
    {INT8OID, NUMERICOID, TOTAL | IMMUTABLE},
    {INT8OID, FLOAT4OID, TOTAL | IMMUTABLE},
    {INT8OID, FLOAT8OID, TOTAL | IMMUTABLE},
    {NUMERICOID, INT2OID, IMMUTABLE},
    {NUMERICOID, INT4OID, IMMUTABLE},
    {NUMERICOID, INT8OID, IMMUTABLE},
    {NUMERICOID, FLOAT4OID, IMMUTABLE}, /* 1e400 is out of a float's range */
    {NUMERICOID, FLOAT8OID, IMMUTABLE},
    {FLOAT4OID, INT2OID, IMMUTABLE},
    {FLOAT4OID, INT4OID, IMMUTABLE},
    {FLOAT4OID, INT8OID, IMMUTABLE},
    {FLOAT4OID, NUMERICOID, IMMUTABLE}, /* before PostgreSQL 14 infinity is no numeric */
    {FLOAT4OID, FLOAT8OID, TOTAL | IMMUTABLE},
    {FLOAT8OID, INT2OID, IMMUTABLE},
    {FLOAT8OID, INT4OID, IMMUTABLE},
    {FLOAT8OID, INT8OID, IMMUTABLE},
    {FLOAT8OID, NUMERICOID, IMMUTABLE},
    {FLOAT8OID, FLOAT4OID, IMMUTABLE},
    {DATEOID, TIMESTAMPOID, IMMUTABLE}, /* dates reach further than timestamps */
    {TIMESTAMPOID, DATEOID, TOTAL | IMMUTABLE},
    {TIMESTAMPOID, TIMEOID, TOTAL | IMMUTABLE},
    {TIMEOID, INTERVALOID, TOTAL | IMMUTABLE},
    {INTERVALOID, TIMEOID, IMMUTABLE}, /* since PostgreSQL 17 intervals may be infinite */
    {TIMETZOID, TIMEOID, TOTAL | IMMUTABLE},
    {JSONBOID, JSONOID, TOTAL | IMMUTABLE},
    {JSONOID, JSONBOID, IMMUTABLE}, /* json holds \u0000 and numbers that jsonb refuses */
};

/* Types whose text form depends on a setting (DateStyle, TimeZone, IntervalStyle, bytea_output,
 * extra_float_digits). */
static bool text_depends_on_settings(uint32_t type)
{
    switch (type) {
    case FLOAT4OID:
    case FLOAT8OID:
    case DATEOID:
    case TIMEOID:
    case TIMETZOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
    case INTERVALOID:
    case BYTEAOID:
        return true;
    default:
        return allow_array_type(type) == 0;
    }
}

/* Reading a date or an interval depends on settings, and 'now' on the clock; other texts read the
 * same everywhere. */
static unsigned flags_from_text(uint32_t to)
{
    switch (to) {
    case DATEOID:
    case TIMEOID:
    case TIMETZOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
    case INTERVALOID:
        return 0;
    default:
        return allow_array_type(to) != 0 ? IMMUTABLE : 0;
    }
}

unsigned allow_cast_flags(uint32_t from, uint32_t to)
{
    /* A literal is read when the statement is planned: its error depends on no row. */
    if (from == UNKNOWNOID)
        return TOTAL | (allow_family(to) == TEXTOID ? IMMUTABLE : flags_from_text(to));
    from = allow_family(from);
    to = allow_family(to);
    if (from == to)
        return TOTAL | IMMUTABLE;
    if (from == TEXTOID)
        return flags_from_text(to);
    if (to == TEXTOID)
        return allow_array_type(from) == 0      ? 0
               : text_depends_on_settings(from) ? TOTAL
                                                : TOTAL | IMMUTABLE;
    for (size_t i = 0; i < sizeof casts / sizeof *casts; i++) {
        if (casts[i].from == from && casts[i].to == to)
            return casts[i].flags;
    }
    return 0;
}
