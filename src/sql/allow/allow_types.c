/* Types that a cast may name, and what the casts between them may do.
 * Left out on purpose: regclass and its kin (they look names up in the catalogue; an oid is only a
 * number), xml, "char", money, geometry, text search, multiranges, macaddr. */
#include "sql/allow/allow_table.h"

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
    {"jsonpath", JSONPATHOID, JSONPATHARRAYOID},
    {"name", NAMEOID, NAMEARRAYOID},
    {"oid", OIDOID, OIDARRAYOID},
    {"bit", BITOID, BITARRAYOID},
    {"varbit", VARBITOID, VARBITARRAYOID},
    {"inet", INETOID, INETARRAYOID},
    {"cidr", CIDROID, CIDRARRAYOID},
    {"int4range", INT4RANGEOID, INT4RANGEARRAYOID},
    {"int8range", INT8RANGEOID, INT8RANGEARRAYOID},
    {"numrange", NUMRANGEOID, NUMRANGEARRAYOID},
    {"daterange", DATERANGEOID, DATERANGEARRAYOID},
    {"tsrange", TSRANGEOID, TSRANGEARRAYOID},
    {"tstzrange", TSTZRANGEOID, TSTZRANGEARRAYOID},
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

const char *allow_type_name(uint32_t type)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (types[i].oid == type)
            return types[i].name;
    }
    return NULL;
}

uint32_t allow_array_type(uint32_t element)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (types[i].oid == element)
            return types[i].array_oid;
    }
    return 0;
}

uint32_t allow_element_type(uint32_t array)
{
    for (size_t i = 0; array != 0 && i < TYPE_COUNT; i++) {
        if (types[i].array_oid == array)
            return types[i].oid;
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

/* Does the argument fit ANYARRAY or ANYELEMENT, and the arguments before it? PostgreSQL may widen
 * one that does not; what comes out then is not derived. */
static bool fits_element(uint32_t wanted, uint32_t type, uint32_t *element)
{
    uint32_t found = wanted == ANYARRAYOID ? allow_element_type(type) : type;

    if (type == UNKNOWNOID)
        return wanted == ANYELEMENTOID;
    if (found == 0 || allow_array_type(found) == 0 || (*element != 0 && *element != found))
        return false;
    *element = found;
    return true;
}

static bool matches(const struct allow_signature *signature, const uint32_t *argument_types,
                    size_t count, uint32_t *element)
{
    *element = 0;
    if (signature->argument_count == ALLOW_ANY_COUNT)
        return true;
    if (signature->argument_count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        uint32_t wanted = signature->arguments[i];
        bool poly = wanted == ANYARRAYOID || wanted == ANYELEMENTOID;
        if (poly ? !fits_element(wanted, argument_types[i], element)
                 : !allow_fits(wanted, argument_types[i]))
            return false;
    }
    return true;
}

bool allow_matches(const struct allow_signature *signature, const uint32_t *argument_types,
                   size_t count)
{
    uint32_t element;

    return matches(signature, argument_types, count, &element);
}

uint32_t allow_result(const struct allow_signature *signature, const uint32_t *argument_types,
                      size_t count)
{
    uint32_t element;

    if (signature == NULL || !matches(signature, argument_types, count, &element))
        return 0;
    return signature->result == ANYARRAYOID     ? allow_array_type(element)
           : signature->result == ANYELEMENTOID ? element
                                                : signature->result;
}

/* COLLATE "C", "en_US", "de-x-icu", "en_US.utf8". */
bool allow_collation(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t len = strlen(name);

    if (len == 0 || len > 63 || strspn(name, letters) == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (strchr(letters, name[i]) == NULL && strchr("0123456789_-.@", name[i]) == NULL)
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
    {JSONBOID, BOOLOID, IMMUTABLE}, /* of a scalar of that kind alone */
    {JSONBOID, INT2OID, IMMUTABLE},
    {JSONBOID, INT4OID, IMMUTABLE},
    {JSONBOID, INT8OID, IMMUTABLE},
    {JSONBOID, NUMERICOID, IMMUTABLE},
    {JSONBOID, FLOAT4OID, IMMUTABLE},
    {JSONBOID, FLOAT8OID, IMMUTABLE},
    {INT2OID, OIDOID, IMMUTABLE},
    {INT4OID, OIDOID, TOTAL | IMMUTABLE},
    {INT8OID, OIDOID, IMMUTABLE},
    {OIDOID, INT4OID, TOTAL | IMMUTABLE},
    {OIDOID, INT8OID, TOTAL | IMMUTABLE},
    {BITOID, INT4OID, IMMUTABLE},
    {BITOID, INT8OID, IMMUTABLE},
    {BITOID, VARBITOID, TOTAL | IMMUTABLE},
    {CIDROID, INETOID, TOTAL | IMMUTABLE},
    {INETOID, CIDROID, TOTAL | IMMUTABLE},
    {JSONOID, JSONBOID, IMMUTABLE}, /* json holds \u0000 and numbers that jsonb refuses */
};

/* Types whose text form depends on a setting (DateStyle, TimeZone, IntervalStyle, bytea_output,
 * extra_float_digits); PostgreSQL takes it that any array's and range's may. */
static bool text_depends_on_settings(uint32_t type)
{
    if (allow_element_type(type) != 0)
        return true;
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
    case INT4RANGEOID:
    case INT8RANGEOID:
    case NUMRANGEOID:
    case DATERANGEOID:
    case TSRANGEOID:
    case TSTZRANGEOID:
        return true;
    default:
        return allow_array_type(type) == 0;
    }
}

/* Reading a date or an interval depends on settings, and 'now' on the clock, and PostgreSQL takes
 * it that reading any array or range may; other texts read the same everywhere. */
static unsigned flags_from_text(uint32_t to)
{
    if (allow_element_type(to) != 0)
        return 0;
    switch (to) {
    case NAMEOID: /* cut to its length */
        return TOTAL | IMMUTABLE;
    case DATEOID:
    case TIMEOID:
    case TIMETZOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
    case INTERVALOID:
    case INT4RANGEOID:
    case INT8RANGEOID:
    case NUMRANGEOID:
    case DATERANGEOID:
    case TSRANGEOID:
    case TSTZRANGEOID:
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
        return !allow_parameter_type(from)      ? 0
               : text_depends_on_settings(from) ? TOTAL
                                                : TOTAL | IMMUTABLE;
    /* An array is cast element by element. */
    if (allow_element_type(from) != 0 && allow_element_type(to) != 0)
        return allow_cast_flags(allow_element_type(from), allow_element_type(to));
    for (size_t i = 0; i < sizeof casts / sizeof *casts; i++) {
        if (casts[i].from == from && casts[i].to == to)
            return casts[i].flags;
    }
    return 0;
}
