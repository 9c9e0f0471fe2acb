/* Private to allow_*.c: how the tables are written and searched. */
#ifndef COFFERDAM_SQL_ALLOW_TABLE_H
#define COFFERDAM_SQL_ALLOW_TABLE_H

#include "sql/allow.h"

/* Type OIDs by PostgreSQL's names, with nothing of the server behind them. */
#include "catalog/pg_type_d.h"

#define TOTAL     ALLOW_TOTAL
#define IMMUTABLE ALLOW_IMMUTABLE
#define AGGREGATE ALLOW_AGGREGATE
#define STATISTIC (ALLOW_AGGREGATE | ALLOW_STATISTIC)

enum { ALLOW_ANY_COUNT = 255, ALLOW_ANY_TYPE = 0 };

/* text, varchar and bpchar are one type to the tables. */
uint32_t allow_family(uint32_t type);
/* Does an argument of type `type` fit where the table says `wanted`? */
bool allow_fits(uint32_t wanted, uint32_t type);
/* Do these arguments fit the signature, in number and type? */
bool allow_matches(const struct allow_signature *signature, const uint32_t *types, size_t count);

#endif
