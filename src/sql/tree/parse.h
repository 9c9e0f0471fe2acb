/* Parsing, private to sql/: PostgreSQL's own grammar through libpg_query's raw parser.
 * Trees live in libpg_query's memory context of the calling thread: everything between
 * parse_begin() and parse_end() happens on one thread, and no node outlives it. */
#ifndef COFFERDAM_SQL_PARSE_H
#define COFFERDAM_SQL_PARSE_H

/* libpg_query makes the server's global variables thread-local (CurrentMemoryContext, which
 * makeNode() needs, among them), but the server's headers do not say so: this does. */
#define PGDLLIMPORT __thread
#include "postgres.h"
#include "nodes/parsenodes.h"
/* PostgreSQL's c.h takes STATUS_OK, its port.h renames the printf family: give the names back. */
#undef STATUS_OK
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

/* SelectStmt.limitOption as libpg_query fills it: it orders the enum unlike the server's headers.
 * (A comparison of pg_query.proto with the headers found no other difference in raw trees.) */
enum parse_limit_option {
    PARSE_LIMIT_NONE,
    PARSE_LIMIT_COUNT,
    PARSE_LIMIT_WITH_TIES,
};

struct parse_scope {
    MemoryContext context;
};
void parse_begin(struct parse_scope *scope);
void parse_end(struct parse_scope *scope);

/* Parses text into a list of RawStmt, empty if there is none. Every SelectStmt, InsertStmt,
 * UpdateStmt, DeleteStmt and MergeStmt in it, also inside PREPARE, DECLARE, EXPLAIN or COPY, has
 * been walked once with raw_expression_tree_walker, so that a second walk cannot raise an error;
 * other utility statements have not, and must not be walked. STATUS_LIMIT 54000 (longer than
 * bytes_limit), 54001 (nested deeper than depth_limit: judged on the tree and, before parsing, on
 * brackets); STATUS_DENIED 42601 for a syntax error, with the position (in characters, from 1) but
 * without any text of the statement, 22021 for text that is not UTF-8. Needs 1 kB of stack per
 * level of depth_limit. */
MUST_USE enum status parse_text(const char *sql, size_t bytes_limit, size_t depth_limit,
                                List **statements, struct error *error);

/* The longest that this text may be: more than bytes_limit where it names the system catalogs, for
 * drivers write long statements over them. Only a sieve: what turns out to read none is to be
 * refused with parse_too_long() if it is longer than bytes_limit. */
size_t parse_bytes_limit(const char *sql, size_t bytes_limit);
enum status parse_too_long(size_t bytes_limit, struct error *error);

/* Parses one expression over column references ("country = 'GB' AND NOT gone_away"): the raw
 * tree of the single target. STATUS_INVALID if it is anything else (subqueries, several) or not
 * valid at all. */
MUST_USE enum status parse_expression(const char *sql, Node **expression, struct error *error);

#endif
