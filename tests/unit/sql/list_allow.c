/* Prints the allow-lists as tab-separated lines, for the test that holds them against a live
 * server: function|operator, name, argument types, count, result type, flags, reason; and
 * type, name, OID; and cast, from, to, flags. */
#include <stdio.h>

#include "sql/allow.h"

static void print_signature(const char *kind, const struct allow_signature *signature)
{
    printf("%s\t%s\t", kind, signature->name);
    for (unsigned i = 0; signature->argument_count != 255 && i < signature->argument_count; i++)
        printf("%s%u", i > 0 ? "," : "", signature->arguments[i]);
    printf("\t%u\t%u\t%s%s%s%s\t%s\n", signature->argument_count, signature->result,
           signature->flags & ALLOW_TOTAL ? "t" : "", signature->flags & ALLOW_IMMUTABLE ? "i" : "",
           signature->flags & ALLOW_AGGREGATE ? "a" : "",
           signature->flags & ALLOW_STATISTIC ? "s" : "", signature->reason);
}

int main(void)
{
    static const char *const types[] = {
        "bool",        "int2",     "int4",   "int8",  "numeric", "float4", "float8",
        "text",        "varchar",  "bpchar", "date",  "time",    "timetz", "timestamp",
        "timestamptz", "interval", "uuid",   "bytea", "json",    "jsonb",
    };
    enum { TYPE_COUNT = sizeof types / sizeof *types };
    const struct allow_signature *signature;

    for (size_t i = 0; (signature = allow_function_at(i)) != NULL; i++)
        print_signature("function", signature);
    for (size_t i = 0; (signature = allow_operator_at(i)) != NULL; i++)
        print_signature("operator", signature);
    for (size_t i = 0; i < TYPE_COUNT; i++)
        printf("type\t%s\t%u\t%u\n", types[i], allow_type(types[i]),
               allow_array_type(allow_type(types[i])));
    for (size_t i = 0; i < TYPE_COUNT * TYPE_COUNT; i++) {
        uint32_t from = allow_type(types[i / TYPE_COUNT]), to = allow_type(types[i % TYPE_COUNT]);
        unsigned flags = allow_cast_flags(from, to);
        printf("cast\t%u\t%u\t%s%s\n", from, to, flags & ALLOW_TOTAL ? "t" : "",
               flags & ALLOW_IMMUTABLE ? "i" : "");
    }
    return 0;
}
