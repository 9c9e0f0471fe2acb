/* Casts in statements over the catalogue. PostgreSQL's regclass, regtype and the like look a name
 * or an OID up in the real catalogue when they are read and again when they are written, so no
 * value of them may ever arise from a partner's: here they are OIDs, or names as text where a name
 * is shown. regproc alone stays, held to PostgreSQL's own functions. */
#include <string.h>

#include "sql/allow/allow.h"
#include "sql/virtual/virtual_private.h"

#define NUMBER(n) "CASE WHEN (" n ")::text ~ '^[0-9]{1,10}$' THEN (" n ")::text::oid END"
#define OWN_TYPE                                                                                   \
    "t.typnamespace = 11 AND t.oid < 16384 AND t.oid = coalesce(" NUMBER(                          \
        "$1") ", to_regtype(" VIRTUAL_TYPE_NAME("$1") "))"

#define OWN_FUNCTION "p.pronamespace = 11 AND p.oid < 16384 AND p.oid = " NUMBER("$1")

/* From a name or an OID to an OID or a name. */
static const struct reference {
    const char *type, *number, *name;
} references[] = {
    {"regclass",
     "coalesce((SELECT r.oid FROM pg_class r WHERE " VIRTUAL_MEANT("$1") "), " NUMBER("$1") ")",
     "coalesce((SELECT quote_ident(r.relname) FROM pg_class r WHERE " VIRTUAL_MEANT(
         "$1") "), "
               "(SELECT c.relname::text FROM pg_catalog.pg_class c WHERE c.relnamespace = 11 AND "
               "c.oid < 16384 AND c.oid = " NUMBER("$1") "), ($1)::text)"},
    {"regtype", "(SELECT t.oid FROM pg_catalog.pg_type t WHERE " OWN_TYPE ")",
     "(SELECT format_type(t.oid, NULL) FROM pg_catalog.pg_type t WHERE " OWN_TYPE ")"},
    {"regnamespace",
     "(SELECT n.oid FROM pg_namespace n WHERE ($1)::text IN (n.oid::text, n.nspname::text))",
     "(SELECT n.nspname::text FROM pg_namespace n WHERE ($1)::text IN (n.oid::text, "
     "n.nspname::text))"},
    {"regrole", "(SELECT n.oid FROM pg_roles n WHERE ($1)::text IN (n.oid::text, n.rolname::text))",
     "(SELECT n.rolname::text FROM pg_roles n WHERE ($1)::text IN (n.oid::text, n.rolname::text))"},
    {"regproc", "(SELECT p.oid FROM pg_catalog.pg_proc p WHERE " OWN_FUNCTION ")",
     "(SELECT p.proname::text FROM pg_catalog.pg_proc p WHERE " OWN_FUNCTION ")"},
};

static const char *type_name(const TypeName *type)
{
    return type->names == NIL ? "" : strVal(llast(type->names));
}

static const struct reference *find_reference(const TypeName *type)
{
    for (size_t i = 0; i < lengthof(references); i++)
        if (strcmp(references[i].type, type_name(type)) == 0)
            return &references[i];
    return NULL;
}

bool virtual_is_reference_cast(const Node *node)
{
    return IsA(node, TypeCast) && find_reference(((const TypeCast *)node)->typeName) != NULL;
}

static enum status refuse_type(struct virtual_walk *walk, const TypeName *type)
{
    return plan_refuse(walk->build, "42501",
                       "Numbers, text, name, oid, dates and times, boolean, json and their arrays "
                       "are; so are regclass, regtype, regproc, regnamespace and regrole.",
                       "casting to type \"%s\" is not allowed over the system catalogs",
                       type_name(type));
}

static const char *literal_text(const Node *node)
{
    if (!IsA(node, A_Const) || ((const A_Const *)node)->isnull ||
        !IsA(&((const A_Const *)node)->val, String))
        return NULL;
    return ((const A_Const *)node)->val.sval.sval;
}

/* The name behind a schema that is PostgreSQL's own, or none. */
static const char *own_name(const char *text)
{
    static const char schema[] = "pg_catalog.";
    if (strncmp(text, schema, strlen(schema)) == 0)
        text += strlen(schema);
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789")] == '\0' ? text : NULL;
}

/* 'pg_class'::regclass */
static uint32_t catalogue_oid(const char *text)
{
    const char *name = own_name(text);
    const struct virtual_table *table = name == NULL ? NULL : virtual_find(NULL, name);
    return table == NULL ? 0 : table->oid;
}

static enum status cast_own_function(struct virtual_walk *walk, Node **slot, const char *text,
                                     bool shown)
{
    const char *name = own_name(text);
    if (name == NULL)
        return plan_refuse(walk->build, "42883", "Functions of pg_catalog are known.",
                           "this function does not exist");
    *slot =
        shown ? rewrite_cast(rewrite_text(name), "text")
              : rewrite_cast(rewrite_cast(rewrite_text(psprintf("pg_catalog.%s", name)), "regproc"),
                             "oid");
    return STATUS_OK;
}

/* The SQL for each element of an array, or of an oidvector, in order. */
static const char *for_each(const char *sql)
{
    char *each = palloc(2 * strlen(sql) + 1), *to = each;
    for (const char *at = sql; *at != '\0'; at++) {
        bool argument = at[0] == '$' && at[1] == '1';
        *to++ = argument ? 'e' : *at;
        if (argument) {
            *to++ = '.';
            *to++ = 'e';
            at++;
        }
    }
    *to = '\0';
    return psprintf("(SELECT array_agg(%s ORDER BY e.n) FROM unnest(('{' || translate(btrim("
                    "($1)::text, '{}'), ' ', ',') || '}')::text[]) WITH ORDINALITY AS e(e, n))",
                    each);
}

static enum status walk_reference(struct virtual_walk *walk, const struct reference *reference,
                                  Node **slot, bool text)
{
    TypeCast *cast = (TypeCast *)*slot;
    const char *literal = literal_text(cast->arg);
    bool array = cast->typeName->arrayBounds != NIL;
    if (literal != NULL && !array && strcmp(reference->type, "regproc") == 0)
        return cast_own_function(walk, slot, literal, text);
    if (literal != NULL && !array && strcmp(reference->type, "regclass") == 0 &&
        catalogue_oid(literal) != 0) {
        *slot = text ? rewrite_cast(rewrite_text(own_name(literal)), "text")
                     : rewrite_cast(rewrite_integer((int)catalogue_oid(literal)), "oid");
        return STATUS_OK;
    }
    TRY(virtual_walk_node(walk, (Node **)&cast->arg, false));
    Node *arguments[] = {cast->arg};
    const char *sql = text ? reference->name : reference->number;
    return virtual_expression(walk, array ? for_each(sql) : sql, arguments, 1, slot);
}

/* Types beyond those that any statement may name: they hold their value, and look nothing up. */
static bool is_plain(const char *name)
{
    static const char *const plain[] = {
        "name",  "oid",   "char", "int2vector", "oidvector", "xid",   "json",  "jsonb", "inet",
        "_text", "_name", "_oid", "_int2",      "_int4",     "_int8", "_char", "_bool", "_varchar"};
    for (size_t i = 0; i < lengthof(plain); i++)
        if (strcmp(plain[i], name) == 0)
            return true;
    return allow_type(name) != 0;
}

/* The domains of information_schema, as what they are made of. */
static const char *schema_type(const TypeName *type)
{
    static const struct {
        const char *domain, *base;
    } domains[] = {{"sql_identifier", "name"},
                   {"character_data", "varchar"},
                   {"yes_or_no", "varchar"},
                   {"cardinal_number", "int4"},
                   {"time_stamp", "timestamptz"}};
    if (list_length(type->names) != 2 ||
        strcmp(strVal(linitial(type->names)), "information_schema") != 0)
        return NULL;
    for (size_t i = 0; i < lengthof(domains); i++)
        if (strcmp(domains[i].domain, type_name(type)) == 0)
            return domains[i].base;
    return NULL;
}

static enum status qualify_type(struct virtual_walk *walk, TypeName *type)
{
    size_t count = (size_t)list_length(type->names);
    const char *base = schema_type(type);
    bool own =
        count == 1 || (count == 2 && strcmp(strVal(linitial(type->names)), "pg_catalog") == 0);
    if (base == NULL &&
        (!own || type->setof || type->pct_type || (!walk->trusted && !is_plain(type_name(type)))))
        return refuse_type(walk, type);
    type->names = rewrite_qualified(base == NULL ? type_name(type) : base);
    return STATUS_OK;
}

static bool shows_text(const TypeName *type)
{
    const char *name = type_name(type);
    return type->arrayBounds == NIL && (strcmp(name, "text") == 0 || strcmp(name, "varchar") == 0 ||
                                        strcmp(name, "name") == 0 || strcmp(name, "bpchar") == 0);
}

enum status virtual_walk_cast(struct virtual_walk *walk, Node **slot, bool text)
{
    TypeCast *cast = (TypeCast *)*slot;
    const struct reference *reference = find_reference(cast->typeName);
    if (reference != NULL && !walk->trusted)
        return walk_reference(walk, reference, slot, text);
    TRY(qualify_type(walk, cast->typeName));
    return virtual_walk_node(walk, &cast->arg, shows_text(cast->typeName));
}
