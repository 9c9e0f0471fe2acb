/* COPY … TO STDOUT: the query inside is planned as any query is, the options say how the gateway
 * writes its rows. A dataset stands for a SELECT of its columns. The rules on options are those of
 * ProcessCopyOptions() in PostgreSQL. */
#include <strings.h>
#include <string.h>

#include "sql/plan_session.h"

/* The options as written; NULL: not given. */
struct options {
    const char *format, *delimiter, *null, *quote, *escape, *encoding;
    bool header, quote_all;
    List *force_quote;
};

static enum status wrong_option(struct build *build, const char *what)
{
    return plan_refuse(build, "22023", "The options are those of PostgreSQL's COPY.", "%s", what);
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

static enum status header_option(struct build *build, const DefElem *option, bool *header)
{
    static const char *const on[] = {"true", "on", "1"}, *const off[] = {"false", "off", "0"};
    const char *word = "true";
    if (option->arg != NULL && IsA(option->arg, Integer))
        word = intVal(option->arg) == 1 ? "1" : intVal(option->arg) == 0 ? "0" : "";
    else if (option->arg != NULL && IsA(option->arg, Boolean))
        word = boolVal(option->arg) ? "true" : "false";
    else if (option->arg != NULL)
        word = IsA(option->arg, String) ? strVal(option->arg) : "";
    for (size_t i = 0; i < lengthof(on); i++) {
        if (strcasecmp(word, on[i]) != 0 && strcasecmp(word, off[i]) != 0)
            continue;
        *header = strcasecmp(word, on[i]) == 0;
        return STATUS_OK;
    }
    return wrong_option(build, "COPY option \"header\" needs a boolean");
}

static enum status quote_option(struct build *build, const DefElem *option, struct options *options)
{
    if (option->arg != NULL && IsA(option->arg, A_Star))
        options->quote_all = true;
    else if (option->arg != NULL && IsA(option->arg, List))
        options->force_quote = (List *)option->arg;
    else
        return wrong_option(build, "COPY option \"force_quote\" needs a list of columns or *");
    return STATUS_OK;
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
        return header_option(build, option, &options->header);
    if (strcmp(option->defname, "force_quote") == 0)
        return quote_option(build, option, options);
    return plan_refuse(build, "42601",
                       "FORMAT, DELIMITER, NULL, HEADER, QUOTE, ESCAPE, FORCE_QUOTE and ENCODING "
                       "are the options of COPY TO.",
                       "COPY option \"%s\" is not available", option->defname);
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
    return wrong_option(build, "COPY knows the formats text, csv and binary");
}

/* What goes with which format. */
static const char *misplaced(const struct options *options, enum wire_copy_format format)
{
    if (format == WIRE_COPY_BINARY &&
        (options->delimiter != NULL || options->null != NULL || options->header))
        return "DELIMITER, NULL and HEADER do not go with the binary format of COPY";
    if (format != WIRE_COPY_CSV && (options->quote != NULL || options->escape != NULL ||
                                    options->quote_all || options->force_quote != NIL))
        return "QUOTE, ESCAPE and FORCE_QUOTE go with the csv format of COPY only";
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
        return wrong_option(build, "COPY writes UTF8 and no other ENCODING");
    if (!single_byte(options->delimiter) || !single_byte(options->quote) ||
        !single_byte(options->escape))
        return plan_refuse(build, "0A000", "Choose one ASCII character.",
                           "DELIMITER, QUOTE and ESCAPE of COPY must be a single one-byte "
                           "character");
    copy->header = options->header;
    copy->delimiter = options->delimiter != NULL ? options->delimiter[0] : csv ? ',' : '\t';
    copy->quote = options->quote != NULL ? options->quote[0] : '"';
    copy->escape = options->escape != NULL ? options->escape[0] : copy->quote;
    copy->null = arena_strdup(&build->plan->arena, options->null != NULL ? options->null
                                                   : csv                 ? ""
                                                                         : "\\N");
    if (copy->null == NULL)
        return STATUS_NOMEM;
    wrong = ambiguous(copy);
    return wrong == NULL ? STATUS_OK : wrong_option(build, wrong);
}

/* FORCE_QUOTE, by column of the result; its columns are known once the query is planned. */
static enum status quote_columns(struct build *build, const struct options *options,
                                 struct wire_copy *copy)
{
    struct plan *plan = build->plan;
    ListCell *cell;
    if (!options->quote_all && options->force_quote == NIL)
        return STATUS_OK;
    bool *quoted = arena_array(&plan->arena, bool, plan->visible_count + 1);
    if (quoted == NULL)
        return STATUS_NOMEM;
    for (size_t i = 0; i < plan->visible_count; i++)
        quoted[i] = options->quote_all;
    foreach (cell, options->force_quote) {
        const char *name = strVal(lfirst(cell));
        size_t i = 0;
        while (i < plan->visible_count && strcmp(plan->visible_names[i], name) != 0)
            i++;
        if (i == plan->visible_count)
            return plan_refuse(build, "42P10", "Name columns of the result.",
                               "FORCE_QUOTE names \"%s\", which is not copied", name);
        quoted[i] = true;
    }
    copy->force_quote = quoted;
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

static enum status check_direction(struct build *build, const CopyStmt *copy)
{
    if (copy->is_from)
        return plan_refuse(build, "42501",
                           "Use INSERT, with many rows of VALUES, where it is granted.",
                           "not allowed: COPY FROM");
    if (copy->is_program || copy->filename != NULL)
        return plan_refuse(build, "42501",
                           "COPY … TO STDOUT sends the rows; the client can write the file.",
                           "not allowed: COPY to a file or program of the server");
    return STATUS_OK;
}

enum status plan_copy(struct build *build, CopyStmt *statement, Node **emitted)
{
    struct options options = {0};
    struct wire_copy *copy = arena_new(&build->plan->arena, struct wire_copy);
    Node *query = statement->query;
    ListCell *cell;
    if (copy == NULL)
        return STATUS_NOMEM;
    TRY(check_direction(build, statement));
    foreach (cell, statement->options)
        TRY(read_option(build, lfirst_node(DefElem, cell), &options));
    TRY(make_copy(build, &options, copy));
    if (query != NULL && !IsA(query, SelectStmt))
        return plan_refuse_statement(build, query);
    SelectStmt *select = query != NULL ? (SelectStmt *)query : select_of(statement);
    TRY(plan_query(build, select, emitted));
    if (build->plan->client_parameter_count > 0)
        return plan_refuse(build, "42P02", "Write the values into the query.",
                           "COPY takes no parameters");
    TRY(quote_columns(build, &options, copy));
    build->plan->command = "COPY";
    build->plan->copy = copy;
    return STATUS_OK;
}
