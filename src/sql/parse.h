/* Parsing, private to sql/: PostgreSQL's own grammar through libpg_query's raw parser.
 * Trees live in libpg_query's memory context of the calling thread: everything between
 * parse_begin() and parse_end() happens on one thread, and no node outlives it. */
#ifndef COFFERDAM_SQL_PARSE_H
#define COFFERDAM_SQL_PARSE_H

#include "postgres.h"
#include "nodes/parsenodes.h"
/* PostgreSQL's port.h renames the printf family: give the names back. */
#undef printf
#undef fprintf
#undef sprintf
#undef snprintf
#undef vprintf
#undef vfprintf
#undef vsprintf
#undef vsnprintf
#undef strerror
#undef strerror_r

#include "base/status.h"

struct parse_scope {
    MemoryContext context;
};
void parse_begin(struct parse_scope *scope);
void parse_end(struct parse_scope *scope);

/* Parses text into a list of RawStmt. STATUS_LIMIT 54000 (longer than bytes_limit), 54001 (nested
 * deeper than depth_limit: judged on the tree and, before parsing, on brackets); STATUS_DENIED
 * 42601 for a syntax error, with the position but without any text of the statement's literals. */
MUST_USE enum status parse_text(const char *sql, size_t bytes_limit, size_t depth_limit,
                                List **statements, struct error *error);

/* Parses one expression over column references ("country = 'GB' AND NOT gone_away"): the raw
 * tree of the single target. STATUS_INVALID if it is anything else (subqueries, several). */
MUST_USE enum status parse_expression(const char *sql, Node **expression, struct error *error);

#endif
