/* COPY … TO STDOUT: the query inside is planned as any query is, the options say how the gateway
 * writes its rows. A dataset stands for a SELECT of its columns. COPY … FROM STDIN: the gateway
 * reads the rows and inserts them by statements of the partner, of which one is planned here to say
 * what is not granted. The rules on options are those of ProcessCopyOptions() in PostgreSQL. */
#include <strings.h>
#include <string.h>

#include "sql/session/plan_session.h"
#include "sql/write/plan_write.h"

/* The options as written; NULL: not given. */
struct options {
    const char *format, *delimiter, *null, *quote, *escape, *encoding;
    bool from, header, header_match, quote_all, not_null_all, null_all;
    List *force_quote, *force_not_null, *force_null;
};

static enum status wrong_option(struct build *build, const char *what, const char *hint)
{
    return plan_refuse(build, "22023", hint, "%s", what);
}

static enum status text_option(struct build *build, const DefElem *option, const char **text)
{
    if (*text != NULL)
        return plan_refuse(build, "42601", "Give it once.", "COPY option \"%s\" is given twice",
                           option->defname);
    if (option->arg == NULL || !IsA(option->arg, String))
        return plan_refuse(build, "42601", "Write the value as a string.",
                           "COPY option \"%s\" needs a text", option->defname);
    *text = strVal(option->arg);
    return STATUS_OK;
}

static enum status header_option(struct build *build, const DefElem *option,
                                 struct options *options)
{
    static const char *const on[] = {"true", "on", "1"}, *const off[] = {"false", "off", "0"};
    const char *word = "true";
    if (option->arg != NULL && IsA(option->arg, Integer))
        word = intVal(option->arg) == 1 ? "1" : intVal(option->arg) == 0 ? "0" : "";
    else if (option->arg != NULL && IsA(option->arg, Boolean))
        word = boolVal(option->arg) ? "true" : "false";
    else if (option->arg != NULL)
        word = IsA(option->arg, String) ? strVal(option->arg) : "";
    options->header_match = options->from && strcasecmp(word, "match") == 0;
    options->header = options->header_match;
    if (options->header_match)
        return STATUS_OK;
    for (size_t i = 0; i < lengthof(on); i++) {
        if (strcasecmp(word, on[i]) != 0 && strcasecmp(word, off[i]) != 0)
            continue;
        options->header = strcasecmp(word, on[i]) == 0;
        return STATUS_OK;
    }
    return wrong_option(build,
                        options->from ? "COPY option \"header\" needs a boolean or MATCH"
                                      : "COPY option \"header\" needs a boolean",
                        "Write HEADER, or HEADER false.");
}

/* FORCE_…: by columns or, where *all can be said, all of them. */
static enum status force_option(struct build *build, const DefElem *option, List **columns,
                                bool *all)
{
    if (option->arg != NULL && IsA(option->arg, A_Star))
        *all = true;
    else if (option->arg != NULL && IsA(option->arg, List))
        *columns = (List *)option->arg;
    else
        return plan_refuse(build, "22023", "Write the columns in parentheses, or *.",
                           "COPY option \"%s\" needs a list of columns or *", option->defname);
    return STATUS_OK;
}

static enum status unknown_option(struct build *build, const DefElem *option, bool from)
{
    if (from && strcmp(option->defname, "freeze") == 0)
        return plan_refuse(build, "0A000", "Leave it out.",
                           "FREEZE needs a table that the same transaction has made, which cannot "
                           "be here");
    return plan_refuse(build, "42601",
                       from ? "FORMAT, DELIMITER, NULL, HEADER, QUOTE, ESCAPE, FORCE_NOT_NULL, "
                              "FORCE_NULL and ENCODING are the options of COPY FROM."
                            : "FORMAT, DELIMITER, NULL, HEADER, QUOTE, ESCAPE, FORCE_QUOTE and "
                              "ENCODING are the options of COPY TO.",
                       "COPY option \"%s\" is not available", option->defname);
}

static enum status read_option(struct build *build, const DefElem *option, struct options *options)
{
    const struct {
        const char *name;
        const char **text;
    } texts[] = {{"format", &options->format}, {"delimiter", &options->delimiter},
                 {"null", &options->null},     {"quote", &options->quote},
                 {"escape", &options->escape}, {"encoding", &options->encoding}};
    for (size_t i = 0; i < lengthof(texts); i++)
        if (strcmp(option->defname, texts[i].name) == 0)
            return text_option(build, option, texts[i].text);
    if (strcmp(option->defname, "header") == 0)
        return header_option(build, option, options);
    if (strcmp(option->defname, "force_quote") == 0 && !options->from)
        return force_option(build, option, &options->force_quote, &options->quote_all);
    if (strcmp(option->defname, "force_not_null") == 0 && options->from)
        return force_option(build, option, &options->force_not_null, &options->not_null_all);
    if (strcmp(option->defname, "force_null") == 0 && options->from)
        return force_option(build, option, &options->force_null, &options->null_all);
    return unknown_option(build, option, options->from);
}

static enum status read_format(struct build *build, const char *name, enum wire_copy_format *format)
{
    static const char *const names[] = {
        [WIRE_COPY_TEXT] = "text", [WIRE_COPY_CSV] = "csv", [WIRE_COPY_BINARY] = "binary"};
    for (size_t i = 0; i < lengthof(names); i++) {
        if (name == NULL || strcmp(name, names[i]) == 0) {
            *format = (enum wire_copy_format)i;
            return STATUS_OK;
        }
    }
    return wrong_option(build, "COPY knows the formats text, csv and binary",
                        "Write FORMAT and one of these.");
}

static bool forces(const struct options *options)
{
    return options->quote_all || options->not_null_all || options->null_all ||
           options->force_quote != NIL || options->force_not_null != NIL ||
           options->force_null != NIL;
}

/* What goes with which format. */
static const char *misplaced(const struct options *options, enum wire_copy_format format)
{
    if (format == WIRE_COPY_BINARY &&
        (options->delimiter != NULL || options->null != NULL || options->header))
        return "DELIMITER, NULL and HEADER do not go with the binary format of COPY";
    if (format != WIRE_COPY_CSV &&
        (options->quote != NULL || options->escape != NULL || forces(options)))
        return "QUOTE, ESCAPE and FORCE_… go with the csv format of COPY only";
    return NULL;
}

/* What could not be told apart in the output. Each character is one byte long. */
static const char *ambiguous(const struct wire_copy *copy)
{
    const char *null = copy->null;
    if (strchr("\r\n", copy->delimiter) != NULL)
        return "the DELIMITER of COPY cannot be newline or carriage return";
    if (strpbrk(null, "\r\n") != NULL)
        return "the NULL of COPY cannot hold newline or carriage return";
    if (copy->format == WIRE_COPY_TEXT &&
        strchr("\\.abcdefghijklmnopqrstuvwxyz0123456789", copy->delimiter) != NULL)
        return "the DELIMITER of COPY cannot be this character";
    if (strchr(null, copy->delimiter) != NULL)
        return "the DELIMITER of COPY cannot stand in its NULL";
    if (copy->format == WIRE_COPY_CSV && copy->delimiter == copy->quote)
        return "the DELIMITER and QUOTE of COPY must differ";
    if (copy->format == WIRE_COPY_CSV && strchr(null, copy->quote) != NULL)
        return "the QUOTE of COPY cannot stand in its NULL";
    return NULL;
}

static bool single_byte(const char *text)
{
    return text == NULL || (strlen(text) == 1 && (unsigned char)text[0] < 0x80);
}

static enum status make_copy(struct build *build, const struct options *options,
                             struct wire_copy *copy)
{
    TRY(read_format(build, options->format, &copy->format));
    bool csv = copy->format == WIRE_COPY_CSV;
    const char *wrong = misplaced(options, copy->format);
    if (wrong != NULL)
        return plan_refuse(build, "0A000", "Leave it out, or choose another FORMAT.", "%s", wrong);
    if (options->encoding != NULL && strcasecmp(options->encoding, "UTF8") != 0 &&
        strcasecmp(options->encoding, "UTF-8") != 0)
        return wrong_option(build, "COPY takes UTF8 and no other ENCODING",
                            "Leave ENCODING out, and convert at the client.");
    if (!single_byte(options->delimiter) || !single_byte(options->quote) ||
        !single_byte(options->escape))
        return plan_refuse(build, "0A000", "Choose one ASCII character.",
                           "DELIMITER, QUOTE and ESCAPE of COPY must be a single one-byte "
                           "character");
    copy->header = options->header;
    copy->header_match = options->header_match;
    copy->delimiter = options->delimiter != NULL ? options->delimiter[0] : csv ? ',' : '\t';
    copy->quote = options->quote != NULL ? options->quote[0] : '"';
    copy->escape = options->escape != NULL ? options->escape[0] : copy->quote;
    copy->null = arena_strdup(&build->plan->arena, options->null != NULL ? options->null
                                                   : csv                 ? ""
                                                                         : "\\N");
    if (copy->null == NULL)
        return STATUS_NOMEM;
    wrong = ambiguous(copy);
    return wrong == NULL ? STATUS_OK : wrong_option(build, wrong, "Choose another one.");
}

/* FORCE_…, by column; these are known once the rest is planned. */
static enum status force_columns(struct build *build, const char *option, const List *names,
                                 bool all, const bool **out)
{
    struct plan *plan = build->plan;
    ListCell *cell;
    if (!all && names == NIL)
        return STATUS_OK;
    bool *forced = arena_array(&plan->arena, bool, plan->visible_count + 1);
    if (forced == NULL)
        return STATUS_NOMEM;
    for (size_t i = 0; i < plan->visible_count; i++)
        forced[i] = all;
    foreach (cell, names) {
        const char *name = strVal(lfirst(cell));
        size_t i = 0;
        while (i < plan->visible_count && strcmp(plan->visible_names[i], name) != 0)
            i++;
        if (i == plan->visible_count)
            return plan_refuse(build, "42P10", "Name columns that are copied.",
                               "%s names \"%s\", which is not copied", option, name);
        forced[i] = true;
    }
    *out = forced;
    return STATUS_OK;
}

static ResTarget *target_of(Node *field)
{
    ColumnRef *column = makeNode(ColumnRef);
    ResTarget *target = makeNode(ResTarget);
    column->fields = list_make1(field);
    column->location = target->location = -1;
    target->val = (Node *)column;
    return target;
}

/* SELECT columns FROM dataset. */
static SelectStmt *select_of(const CopyStmt *copy)
{
    SelectStmt *select = makeNode(SelectStmt);
    ListCell *cell;
    select->fromClause = list_make1(copy->relation);
    foreach (cell, copy->attlist)
        select->targetList = lappend(select->targetList, target_of(lfirst(cell)));
    if (copy->attlist == NIL)
        select->targetList = list_make1(target_of((Node *)makeNode(A_Star)));
    return select;
}

/* ---- FROM ---- */

static const char *quoted(const char *name)
{
    char *text = palloc(2 * strlen(name) + 3), *at = text;
    *at++ = '"';
    for (; *name != '\0'; name++) {
        if (*name == '"')
            *at++ = '"';
        *at++ = *name;
    }
    *at++ = '"';
    *at = '\0';
    return text;
}

/* INSERT INTO dataset (columns) VALUES ($1, …), as text up to the rows: the gateway writes as many
 * as it has. */
static enum status keep_insert(struct build *build, const CopyStmt *copy)
{
    const RangeVar *range = copy->relation;
    struct buffer text;
    buffer_init(&text, LIMIT_STATEMENT_BYTES);
    buffer_append_text(&text, "INSERT INTO ");
    if (range->schemaname != NULL)
        buffer_printf(&text, "%s.", quoted(range->schemaname));
    buffer_append_text(&text, quoted(range->relname));
    for (size_t i = 0; i < build->plan->visible_count; i++)
        buffer_printf(&text, "%s%s", i == 0 ? " (" : ", ", quoted(build->plan->visible_names[i]));
    buffer_append_text(&text, ") VALUES ");
    const char *sql = buffer_text(&text);
    build->plan->preparation.sql = sql == NULL ? NULL : arena_strdup(&build->plan->arena, sql);
    buffer_free(&text);
    return build->plan->preparation.sql == NULL ? STATUS_NOMEM : STATUS_OK;
}

static InsertStmt *insert_of(const CopyStmt *copy)
{
    InsertStmt *insert = makeNode(InsertStmt);
    SelectStmt *select = makeNode(SelectStmt);
    List *values = NIL;
    ListCell *cell;
    insert->relation = copyObject(copy->relation);
    insert->override = OVERRIDING_NOT_SET;
    foreach (cell, copy->attlist) {
        ParamRef *parameter = makeNode(ParamRef);
        ResTarget *target = makeNode(ResTarget);
        parameter->number = foreach_current_index(cell) + 1;
        parameter->location = target->location = -1;
        target->name = pstrdup(strVal(lfirst(cell)));
        insert->cols = lappend(insert->cols, target);
        values = lappend(values, parameter);
    }
    select->valuesLists = list_make1(values);
    insert->selectStmt = (Node *)select;
    return insert;
}

/* With the columns that may be written, to be pasted. */
static enum status refuse_list(struct build *build, const CopyStmt *copy)
{
    const struct plan_request *request = build->request;
    const struct model_grant *grant = model_find_grant(request, copy->relation->relname);
    const char *columns = grant == NULL ? NULL : plan_write_list(grant, false);
    return plan_refuse(build, "0A000",
                       columns == NULL ? "COPY dataset (column, …) FROM STDIN"
                                       : psprintf("COPY %s (%s) FROM STDIN",
                                                  grant->dataset->policy->name, columns),
                       "COPY FROM without a list of columns is not supported");
}

static enum status check_from(struct build *build, const CopyStmt *copy)
{
    if (copy->is_program || copy->filename != NULL)
        return plan_refuse(build, "42501",
                           "COPY … FROM STDIN takes the rows; the client can read the file.",
                           "not allowed: COPY from a file or program of the server");
    if (copy->whereClause != NULL)
        return plan_refuse(build, "0A000", "Leave the rows out where they come from.",
                           "WHERE in COPY FROM is not supported");
    if (copy->attlist == NIL)
        return refuse_list(build, copy);
    if (build->request->parameter_type_count > 0)
        return plan_refuse(build, "42P02", "Declare none, and send the values as rows.",
                           "COPY takes no parameters");
    return STATUS_OK;
}

/* What the plan of one INSERT has is its own: of it, only what tells the reader stays. */
static enum status forget_insert(struct build *build, const CopyStmt *copy)
{
    struct plan *plan = build->plan;
    size_t count = (size_t)list_length(copy->attlist);
    const char **names = arena_array(&plan->arena, const char *, count + 1);
    for (size_t i = 0; names != NULL && i < count; i++)
        names[i] = arena_strdup(&plan->arena, strVal(list_nth(copy->attlist, (int)i)));
    plan->kind = PLAN_COPY_IN;
    plan->command = "COPY";
    plan->write = NULL;
    plan->visible_names = names;
    plan->visible_count = count;
    plan->hidden_count = plan->secret_count = plan->client_parameter_count = 0;
    return names == NULL ? STATUS_NOMEM : STATUS_OK;
}

static enum status plan_copy_from(struct build *build, const CopyStmt *statement,
                                  const struct options *options, struct wire_copy *copy)
{
    Node *emitted;
    TRY(check_from(build, statement));
    TRY(plan_write(build, (Node *)insert_of(statement), &emitted));
    TRY(forget_insert(build, statement));
    TRY(force_columns(build, "FORCE_NOT_NULL", options->force_not_null, options->not_null_all,
                      &copy->force_not_null));
    TRY(force_columns(build, "FORCE_NULL", options->force_null, options->null_all,
                      &copy->force_null));
    build->plan->copy = copy;
    return keep_insert(build, statement);
}

/* ---- both ---- */

static enum status plan_copy_to(struct build *build, CopyStmt *statement,
                                const struct options *options, struct wire_copy *copy,
                                Node **emitted)
{
    Node *query = statement->query;
    if (statement->is_program || statement->filename != NULL)
        return plan_refuse(build, "42501",
                           "COPY … TO STDOUT sends the rows; the client can write the file.",
                           "not allowed: COPY to a file or program of the server");
    if (query != NULL && !IsA(query, SelectStmt))
        return plan_refuse_statement(build, query);
    SelectStmt *select = query != NULL ? (SelectStmt *)query : select_of(statement);
    TRY(plan_query(build, select, emitted));
    if (build->plan->client_parameter_count > 0)
        return plan_refuse(build, "42P02", "Write the values into the query.",
                           "COPY takes no parameters");
    TRY(force_columns(build, "FORCE_QUOTE", options->force_quote, options->quote_all,
                      &copy->force_quote));
    build->plan->command = "COPY";
    build->plan->copy = copy;
    return STATUS_OK;
}

enum status plan_copy(struct build *build, CopyStmt *statement, Node **emitted)
{
    struct options options = {.from = statement->is_from};
    struct wire_copy *copy = arena_new(&build->plan->arena, struct wire_copy);
    ListCell *cell;
    if (copy == NULL)
        return STATUS_NOMEM;
    foreach (cell, statement->options)
        TRY(read_option(build, lfirst_node(DefElem, cell), &options));
    TRY(make_copy(build, &options, copy));
    if (!statement->is_from)
        return plan_copy_to(build, statement, &options, copy, emitted);
    *emitted = NULL;
    return plan_copy_from(build, statement, &options, copy);
}
