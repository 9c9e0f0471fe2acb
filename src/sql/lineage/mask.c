/* Masks and row filters: SQL of the policy, rewritten over the raw columns of a fence, and tokens.
 * Built-in masks are our own text: they are total and immutable by the way they are written, which
 * is argued beside each, so they are not held against the allow-lists. */
#include <string.h>

#include "sql/plan/plan_build.h"

enum status mask_rewrite(struct build *build, const struct model_dataset *dataset, const char *sql,
                         bool trusted, const char *place, struct expression *out)
{
    struct resolver resolver = {.build = build, .place = place, .trusted = trusted};
    Node *node;
    TRY(parse_expression(sql, &node, build->error));
    resolver.level = fence_raw_level(build, dataset);
    resolver.names = &resolver.level->names;
    return resolve_expression(&resolver, node, out);
}

static const char *quoted(struct arena *arena, const char *name)
{
    char *text = arena_alloc(arena, 2 * strlen(name) + 3), *at = text;
    if (text == NULL)
        return NULL;
    *at++ = '"';
    for (; *name != 0; name++) {
        if (*name == '"')
            *at++ = '"';
        *at++ = *name;
    }
    *at = '"';
    return text;
}

const char *mask_fill(struct arena *arena, const char *sql, const char *column)
{
    static const char slot[] = "{column}";
    const char *name = quoted(arena, column);
    size_t slots = 0;
    for (const char *at = sql; (at = strstr(at, slot)) != NULL; at += sizeof slot - 1)
        slots++;
    if (name == NULL)
        return NULL;
    char *filled = arena_alloc(arena, strlen(sql) + slots * strlen(name) + 1), *out = filled;
    while (filled != NULL && *sql != 0) {
        bool here = strncmp(sql, slot, sizeof slot - 1) == 0;
        size_t len = here ? strlen(name) : 1;
        memcpy(out, here ? name : sql, len);
        out += len;
        sql += here ? sizeof slot - 1 : 1;
    }
    return filled;
}

static bool is_text(uint32_t type)
{
    return type == TYPE_TEXT || type == TYPE_VARCHAR || type == TYPE_BPCHAR;
}

static bool is_integer(uint32_t type)
{
    return type == TYPE_INT2 || type == TYPE_INT4 || type == TYPE_INT8;
}

struct builtin {
    const char *name;
    enum { FOR_ANY, FOR_TEXT, FOR_DIGITS, FOR_DATE } types;
    uint32_t type;
    const char *sql;
    bool total;
};

/* last4 shows nothing of a value that has no more than four characters. year and month leave out
 * infinity and, for month, dates so early that the first of their month is none; a date after the
 * year 294276 still fails in date_part(), so they are not total. */
static const struct builtin builtins[] = {
    {"null", FOR_ANY, TYPE_TEXT, "NULL::text", true},
    {"redact", FOR_ANY, TYPE_TEXT, "'***'::text", true},
    {"last4", FOR_DIGITS, TYPE_TEXT,
     "CASE WHEN length({column}::text) > 4 THEN '***' || right({column}::text, 4) "
     "WHEN {column} IS NOT NULL THEN '***' END",
     true},
    {"initial", FOR_TEXT, TYPE_TEXT, "left({column}::text, 1) || '.'", true},
    {"year", FOR_DATE, TYPE_INT4,
     "CASE WHEN isfinite({column}) THEN date_part('year', {column}::date)::int4 END", false},
    {"month", FOR_DATE, TYPE_DATE,
     "CASE WHEN isfinite({column}) AND {column}::date >= '0001-01-31'::date "
     "THEN {column}::date - (date_part('day', {column}::date)::int4 - 1) END",
     false},
    /* The letters before the first digit of a British postcode; of any other, two characters. */
    {"postcode_area", FOR_TEXT, TYPE_TEXT,
     "coalesce(upper(substring({column}::text, '^ *([A-Za-z]{1,2})[0-9]')), "
     "left(btrim({column}::text), 2))",
     true},
    {"domain", FOR_TEXT, TYPE_TEXT, "split_part({column}::text, '@', 2)", true},
};

static const char *type_reason(const struct builtin *builtin, uint32_t type)
{
    switch (builtin->types) {
    case FOR_TEXT:
        return is_text(type) ? NULL : "it works on text only";
    case FOR_DIGITS:
        return is_text(type) || is_integer(type) ? NULL : "it works on text and whole numbers only";
    case FOR_DATE:
        return type == TYPE_DATE || type == TYPE_TIMESTAMP ? NULL
               : type == TYPE_TIMESTAMPTZ
                   ? "the day of a timestamp with time zone depends on the session's TimeZone"
                   : "it works on date and timestamp without time zone only";
    case FOR_ANY:
        break;
    }
    return NULL;
}

/* x less its remainder, which numeric has exactly (a quotient would be rounded beyond 16 digits).
 * Nothing overflows of an integer; int8 holds it for the smaller ones since n is bounded. A numeric
 * of 131,072 digits may have no bucket below. */
static const char *bucket(struct arena *arena, long n, const struct catalog_column *column,
                          uint32_t *type, bool *total, const char **reason)
{
    bool small = column->type_oid == TYPE_INT2 || column->type_oid == TYPE_INT4;
    if (!is_integer(column->type_oid) && column->type_oid != TYPE_NUMERIC) {
        *reason = "it works on whole and decimal numbers only";
        return NULL;
    }
    if (n < 1 || n > 1000000000) {
        *reason = "its width must be between 1 and 1000000000";
        return NULL;
    }
    *total = column->type_oid != TYPE_NUMERIC;
    *type = small ? TYPE_INT8 : TYPE_NUMERIC;
    static const char sql[] = "(floor({column}::numeric) - mod(mod(floor({column}::numeric), %ld) "
                              "+ %ld, %ld))%s";
    const char *text = arena_printf(arena, sql, n, n, n, small ? "::int8" : "");
    return text == NULL ? NULL : mask_fill(arena, text, column->name);
}

const char *mask_builtin(struct arena *arena, const struct policy_granted_column *granted,
                         const struct catalog_column *column, uint32_t *type, bool *total,
                         const char **reason)
{
    if (strcmp(granted->mask, "bucket") == 0)
        return bucket(arena, granted->bucket, column, type, total, reason);
    for (size_t i = 0; i < lengthof(builtins); i++) {
        if (strcmp(builtins[i].name, granted->mask) != 0)
            continue;
        *reason = type_reason(&builtins[i], column->type_oid);
        *type = builtins[i].type;
        *total = builtins[i].total;
        return *reason != NULL ? NULL : mask_fill(arena, builtins[i].sql, column->name);
    }
    *reason = "there is no such mask";
    return NULL;
}

bool mask_token_type(const struct catalog_column *column)
{
    uint32_t type = column->type_oid;
    return column->deterministic &&
           (is_integer(type) || type == TYPE_UUID || type == TYPE_TEXT || type == TYPE_VARCHAR);
}

enum status mask_pad(struct build *build, const char *domain, bool outer, Node **node)
{
    for (size_t i = 0; i < build->secret_count; i++) {
        if (build->secrets[i].outer == outer && strcmp(build->secrets[i].domain, domain) == 0) {
            *node = rewrite_cast(rewrite_parameter(build->parameter_count + i + 1), "bytea");
            return STATUS_OK;
        }
    }
    if (build->secret_count == 2 * LIMIT_RELATIONS)
        return plan_refuse(build, "54000", "Read fewer token columns at once.",
                           "the statement reads tokens of more than %d domains", LIMIT_RELATIONS);
    build->secrets[build->secret_count++] = (struct plan_secret){.domain = domain, .outer = outer};
    *node = rewrite_cast(rewrite_parameter(build->parameter_count + build->secret_count), "bytea");
    return STATUS_OK;
}

static Node *value_bytes(const struct catalog_column *column)
{
    Node *value = rewrite_column("t0", column->name);
    if (column->type_oid == TYPE_UUID)
        return rewrite_call("uuid_send", list_make1(value));
    if (is_integer(column->type_oid))
        return rewrite_call("int8send", list_make1(rewrite_cast(value, "int8")));
    return rewrite_call("convert_to",
                        list_make2(rewrite_cast(value, "text"), rewrite_text("UTF8")));
}

/* 't' and 32 hex digits of HMAC-SHA-256 (RFC 2104): H(outer pad, H(inner pad, value)). NULL stays
 * NULL, since every function in it is strict. */
enum status mask_token(struct build *build, const struct model_granted *granted, Node **node)
{
    const char *domain = granted->column->domain;
    Node *inner, *outer;
    TRY(mask_pad(build, domain, false, &inner));
    TRY(mask_pad(build, domain, true, &outer));
    Node *hash = rewrite_call(
        "sha256", list_make1(rewrite_operator("||", inner, value_bytes(granted->column->catalog))));
    hash = rewrite_call("sha256", list_make1(rewrite_operator("||", outer, hash)));
    hash = rewrite_call("encode", list_make2(hash, rewrite_text("hex")));
    hash = rewrite_call("left", list_make2(hash, rewrite_integer(32)));
    *node = rewrite_operator("||", rewrite_cast(rewrite_text("t"), "text"), hash);
    return STATUS_OK;
}
