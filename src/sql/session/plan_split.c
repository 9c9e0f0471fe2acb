/* A text with several statements, cut where the grammar says that they end. */
#include "sql/plan.h"

#include <string.h>

#include "sql/tree/parse.h"

static enum status split(const char *sql, size_t bytes_limit, size_t depth_limit,
                         struct plan_part *parts, size_t capacity, size_t *count,
                         struct error *error)
{
    List *statements;
    ListCell *cell;
    TRY(parse_text(sql, parse_bytes_limit(sql, bytes_limit), depth_limit, &statements, error));
    *count = 0;
    foreach (cell, statements) {
        const RawStmt *statement = lfirst_node(RawStmt, cell);
        size_t at = statement->stmt_location > 0 ? (size_t)statement->stmt_location : 0;
        size_t len = statement->stmt_len > 0 ? (size_t)statement->stmt_len : strlen(sql + at);
        if (*count < capacity)
            parts[*count] = (struct plan_part){.at = at, .len = len};
        (*count)++;
    }
    return STATUS_OK;
}

enum status plan_split(const char *sql, size_t bytes_limit, size_t depth_limit,
                       struct plan_part *parts, size_t capacity, size_t *count, struct error *error)
{
    struct parse_scope scope;
    parse_begin(&scope);
    enum status status = split(sql, bytes_limit, depth_limit, parts, capacity, count, error);
    parse_end(&scope);
    return status;
}
