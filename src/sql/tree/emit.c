/* The emitter's entry points, the check that closes it, and its smallest pieces.
 * Invariant: what emit_verified() lets out parses to the very tree it was given. Two comparisons
 * say so: equal() on the trees, and a second emission of the parsed one, byte for byte, since
 * equal() does not look at every field ((a, b) and ROW(a, b) mean different things in GROUP BY).
 * Threads: any, one tree on the thread that parsed it. */
#include "sql/tree/emitter.h"

#include <string.h>

#include "pg_query.h"
#include "pg_query/pg_query_internal.h"

void emit_refuse(struct emitter *emitter, const char *what)
{
    if (emitter->status == STATUS_OK)
        emitter->status =
            error_set(emitter->error, STATUS_DENIED, "0A000", "Write the statement in another way.",
                      "%s is not supported", what);
}

bool emit_enter(struct emitter *emitter)
{
    if (emitter->status != STATUS_OK)
        return false;
    if (emitter->depth >= EMIT_DEPTH_LIMIT) {
        emitter->status = error_set(emitter->error, STATUS_LIMIT, "54001", "Split the statement.",
                                    "the rewritten statement is nested too deep");
        return false;
    }
    emitter->depth++;
    return true;
}

void emit_leave(struct emitter *emitter)
{
    emitter->depth--;
}

void emit_text(struct emitter *emitter, const char *text)
{
    buffer_append_text(emitter->out, text);
}

/* text between quotes of the given kind; those within are doubled, and so are backslashes if
 * escape is set. */
static void emit_quoted(struct emitter *emitter, const char *text, char quote, bool escape)
{
    const char special[] = {quote, escape ? '\\' : 0, 0};

    buffer_append_u8(emitter->out, (uint8_t)quote);
    for (;;) {
        size_t plain = strcspn(text, special);
        buffer_append(emitter->out, text, plain);
        text += plain;
        if (*text == 0)
            break;
        buffer_append(emitter->out, (const char[]){*text, *text}, 2);
        text++;
    }
    buffer_append_u8(emitter->out, (uint8_t)quote);
}

void emit_identifier(struct emitter *emitter, const char *name)
{
    emit_quoted(emitter, name, '"', false);
}

void emit_identifier_node(struct emitter *emitter, Node *string)
{
    if (IsA(string, String))
        emit_identifier(emitter, strVal(string));
    else
        emit_refuse(emitter, "this kind of name");
}

void emit_qualified(struct emitter *emitter, List *names)
{
    ListCell *cell;

    foreach (cell, names) {
        if (cell != list_head(names))
            emit_text(emitter, ".");
        emit_identifier_node(emitter, lfirst(cell));
    }
}

void emit_string(struct emitter *emitter, const char *text)
{
    bool escape = strchr(text, '\\') != NULL;

    if (escape)
        emit_text(emitter, "E");
    emit_quoted(emitter, text, '\'', escape);
}

void emit_list(struct emitter *emitter, List *list, emit_function *function)
{
    ListCell *cell;

    foreach (cell, list) {
        if (cell != list_head(list))
            emit_text(emitter, ", ");
        function(emitter, lfirst(cell));
    }
}

enum status emit_statement(Node *statement, struct buffer *out, struct error *error)
{
    struct emitter emitter = {.out = out, .error = error};

    switch (nodeTag(statement)) {
    case T_SelectStmt:
        emit_select(&emitter, castNode(SelectStmt, statement));
        break;
    case T_InsertStmt:
        emit_insert(&emitter, castNode(InsertStmt, statement));
        break;
    case T_UpdateStmt:
        emit_update(&emitter, castNode(UpdateStmt, statement));
        break;
    case T_DeleteStmt:
        emit_delete(&emitter, castNode(DeleteStmt, statement));
        break;
    case T_TransactionStmt:
        emit_transaction(&emitter, castNode(TransactionStmt, statement));
        break;
    case T_VariableSetStmt:
        emit_set(&emitter, castNode(VariableSetStmt, statement));
        break;
    case T_VariableShowStmt:
        emit_show(&emitter, castNode(VariableShowStmt, statement));
        break;
    default:
        emit_refuse(&emitter, "this kind of statement");
    }
    if (emitter.status == STATUS_OK && out->overflowed)
        return error_set(error, STATUS_LIMIT, "54000", "Split the statement.",
                         "the rewritten statement is too long");
    return emitter.status;
}

static enum status not_exact(struct error *error)
{
    return error_set(error, STATUS_DENIED, "XX000", "Write the statement in another way.",
                     "the statement could not be rewritten exactly");
}

/* The only statement in the text; NULL if it does not parse to exactly one. */
static Node *parse_again(const char *text)
{
    PgQueryInternalParsetreeAndError result = pg_query_raw_parse(text);

    free(result.stderr_buffer);
    if (result.error != NULL) {
        pg_query_free_error(result.error);
        return NULL;
    }
    if (list_length(result.tree) != 1)
        return NULL;
    return linitial_node(RawStmt, result.tree)->stmt;
}

enum status emit_verified(Node *statement, struct buffer *out, struct error *error)
{
    struct buffer again;
    enum status status;
    const char *text;
    Node *parsed;

    TRY(emit_statement(statement, out, error));
    text = buffer_text(out);
    if (text == NULL)
        return error_set(error, STATUS_LIMIT, "54000", "Split the statement.",
                         "the rewritten statement is too long");
    parsed = parse_again(text);
    if (parsed == NULL || !equal(statement, parsed))
        return not_exact(error);

    buffer_init(&again, out->len + 1);
    status = emit_statement(parsed, &again, NULL);
    if (status != STATUS_OK || !slice_equal(buffer_slice(out), buffer_slice(&again)))
        status = not_exact(error);
    buffer_free(&again);
    return status;
}
