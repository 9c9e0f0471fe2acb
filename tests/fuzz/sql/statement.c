/* Fuzz target: a partner's statement. Whatever the parser takes, the emitter prints exactly or
 * refuses by name; "could not be rewritten exactly" is a defect here, since nothing was rewritten.
 * The same bytes are tried as an expression of a policy. */
#include "sql/tree/emit.h"

#include <string.h>

#include "base/check.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_LIMIT = 1024 * 1024 };

static void emit_each(List *statements)
{
    ListCell *cell;

    foreach (cell, statements) {
        struct error error = {0};
        struct buffer out;
        buffer_init(&out, OUT_LIMIT);
        if (emit_verified(lfirst_node(RawStmt, cell)->stmt, &out, &error) != STATUS_OK)
            CHECK(strcmp(error.sqlstate, "XX000") != 0);
        buffer_free(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct parse_scope scope;
    struct buffer sql;
    List *statements;
    Node *expression;
    const char *text;

    buffer_init(&sql, size + 1);
    buffer_append(&sql, data, size);
    text = buffer_text(&sql);
    CHECK(text != NULL);
    parse_begin(&scope);
    if (parse_text(text, LIMIT_STATEMENT_BYTES, LIMIT_STATEMENT_DEPTH, &statements, NULL) ==
        STATUS_OK)
        emit_each(statements);
    if (parse_expression(text, &expression, NULL) == STATUS_OK)
        CHECK(expression != NULL);
    parse_end(&scope);
    buffer_free(&sql);
    return 0;
}
