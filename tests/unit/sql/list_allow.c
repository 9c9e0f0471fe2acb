/* Prints the allow-lists as tab-separated lines, for the test that holds them against a live
 * server: function|operator, name, argument types, count, result type, flags, reason; and
 * type, name, OID, array's OID; and cast, from, to, flags. */
#include <stdio.h>

#include "sql/allow/allow.h"

static const char *const types[] = {
    "bool",        "int2",     "int4",      "int8",    "numeric",   "float4", "float8",
    "text",        "varchar",  "bpchar",    "date",    "time",      "timetz", "timestamp",
    "timestamptz", "interval", "uuid",      "bytea",   "json",      "jsonb",  "jsonpath",
    "name",        "oid",      "bit",       "varbit",  "inet",      "cidr",   "int4range",
    "int8range",   "numrange", "daterange", "tsrange", "tstzrange",
};
enum { TYPE_COUNT = sizeof types / sizeof *types };

static void print_flags(unsigned flags)
{
    static const char letters[] = "tiaswrohvl"; /* by bit, from ALLOW_TOTAL on */

    for (unsigned i = 0; letters[i] != 0; i++) {
        if (flags & (1u << i))
            putchar(letters[i]);
    }
}

static void print_signature(const char *kind, const struct allow_signature *signature)
{
    printf("%s\t%s\t", kind, signature->name);
    for (unsigned i = 0; signature->argument_count != 255 && i < signature->argument_count; i++)
        printf("%s%u", i > 0 ? "," : "", signature->arguments[i]);
    printf("\t%u\t%u\t", signature->argument_count, signature->result);
    print_flags(signature->flags);
    printf("\t%s\n", signature->reason);
}

/* Types first, then the arrays over them. */
static uint32_t type_at(size_t index)
{
    uint32_t type = allow_type(types[index % TYPE_COUNT]);

    return index < TYPE_COUNT ? type : allow_array_type(type);
}

int main(void)
{
    const struct allow_signature *signature;

    for (size_t i = 0; (signature = allow_function_at(i)) != NULL; i++)
        print_signature("function", signature);
    for (size_t i = 0; (signature = allow_operator_at(i)) != NULL; i++)
        print_signature("operator", signature);
    for (size_t i = 0; i < TYPE_COUNT; i++)
        printf("type\t%s\t%u\t%u\n", types[i], allow_type(types[i]),
               allow_array_type(allow_type(types[i])));
    for (size_t i = 0; i < 4 * TYPE_COUNT * TYPE_COUNT; i++) {
        uint32_t from = type_at(i / (2 * TYPE_COUNT)), to = type_at(i % (2 * TYPE_COUNT));
        printf("cast\t%u\t%u\t", from, to);
        print_flags(allow_cast_flags(from, to));
        putchar('\n');
    }
    return 0;
}
