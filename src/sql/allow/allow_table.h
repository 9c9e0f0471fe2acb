/* Private to allow_*.c: how the tables are written and searched. */
#ifndef COFFERDAM_SQL_ALLOW_TABLE_H
#define COFFERDAM_SQL_ALLOW_TABLE_H

#include "sql/allow/allow.h"

/* Type OIDs by PostgreSQL's names, with nothing of the server behind them. */
#include "catalog/pg_type_d.h"

#define TOTAL     ALLOW_TOTAL
#define IMMUTABLE ALLOW_IMMUTABLE
#define AGGREGATE ALLOW_AGGREGATE
#define STATISTIC (ALLOW_AGGREGATE | ALLOW_STATISTIC)
#define SET       ALLOW_SET
#define LENGTH    ALLOW_LENGTH

enum { ALLOW_ANY_COUNT = ALLOW_LOOSE, ALLOW_ANY_TYPE = 0 };

/* One signature, by its number of arguments. */
#define NONE(name, result, flags, reason)                                                          \
    {                                                                                              \
        name, {0}, 0, result, flags, reason                                                        \
    }
#define ONE(name, a, result, flags, reason)                                                        \
    {                                                                                              \
        name, {a}, 1, result, flags, reason                                                        \
    }
#define TWO(name, a, b, result, flags, reason)                                                     \
    {                                                                                              \
        name, {a, b}, 2, result, flags, reason                                                     \
    }
#define THREE(name, a, b, c, result, flags, reason)                                                \
    {                                                                                              \
        name, {a, b, c}, 3, result, flags, reason                                                  \
    }
#define FOUR(name, a, b, c, d, result, flags, reason)                                              \
    {                                                                                              \
        name, {a, b, c, d}, 4, result, flags, reason                                               \
    }
#define MANY(name, result, flags, reason)                                                          \
    {                                                                                              \
        name, {0}, ALLOW_ANY_COUNT, result, flags, reason                                          \
    }

/* The tables of functions, by topic; each in a file of its name. */
struct allow_list {
    const struct allow_signature *entries;
    size_t count;
};
extern const struct allow_list allow_list_text, allow_list_number, allow_list_time,
    allow_list_document, allow_list_aggregate, allow_list_set;

#define ALLOW_LIST(name, table)                                                                    \
    const struct allow_list allow_list_##name = {(table), sizeof(table) / sizeof *(table)}

/* text, varchar and bpchar are one type to the tables. */
uint32_t allow_family(uint32_t type);
/* Does an argument of type `type` fit where the table says `wanted`? */
bool allow_fits(uint32_t wanted, uint32_t type);
/* Do these arguments fit the signature, in number and type? */
bool allow_matches(const struct allow_signature *signature, const uint32_t *types, size_t count);

/* The entries of this name and, behind them, others and NULL: to be read while the name fits. */
enum allow_kind { ALLOW_FUNCTIONS, ALLOW_OPERATORS };
const struct allow_signature *const *allow_named(enum allow_kind kind, const char *name);

#endif
