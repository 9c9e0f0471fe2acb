/* cofferdam explain: a statement through an agent's eyes, without running it. */
#include "cli/admin.h"
#include "cli/verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "cli/pretty_sql.h"

enum { MOST_BLANKS = CLI_PAGE_COLUMNS / 2 }; /* at the begin of a line */

/* The statement from the command line, or all of standard input. */
static enum status read_statement(const struct cli_call *call, struct buffer *statement,
                                  struct error *error)
{
    if (call->argument_count > 1 && strcmp(call->arguments[1], "-") != 0) {
        buffer_append_text(statement, call->arguments[1]);
        return STATUS_OK;
    }
    char part[4096];
    size_t len;
    while ((len = fread(part, 1, sizeof part, stdin)) > 0)
        buffer_append(statement, part, len);
    if (ferror(stdin))
        return error_set_errno(error, errno, "cannot read the statement");
    return STATUS_OK;
}

/* Lines of a text, each behind some blanks. */
static void print_lines(const char *text)
{
    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, "\n");
        size_t blanks = strspn(text, " ");
        char *line = blanks >= len ? NULL : strndup(text + blanks, len - blanks);
        cli_print_text(stdout, line == NULL ? "" : line,
                       4 + (blanks < MOST_BLANKS ? blanks : MOST_BLANKS));
        free(line);
        text += len;
        text += *text == '\n';
    }
}

/* "topic: text"; what follows the text's first line stands below, and all of a statement. */
static void print_topic(const char *topic, const char *text)
{
    bool sql = strcmp(topic, "rewritten") == 0 || strcmp(topic, "statement") == 0;
    size_t len = sql ? 0 : strcspn(text, "\n");
    if (sql) {
        cli_print_heading(stdout, "%s:", topic);
    } else {
        char *line = strndup(text, len);
        cli_print_pair(stdout, topic, line == NULL ? "" : line);
        free(line);
    }
    print_lines(text + len + (text[len] == '\n'));
}

static void print_row(struct pretty_names *names, const char *topic, const char *text)
{
    struct buffer pretty;
    buffer_init(&pretty, CLI_RESULT_BYTES);
    if (strcmp(topic, "rewritten") == 0)
        pretty_sql(names, text, &pretty);
    else if (strcmp(topic, "hidden column") == 0)
        pretty_text(names, text, &pretty);
    const char *short_text = pretty.len == 0 ? NULL : buffer_text(&pretty);
    print_topic(topic, short_text == NULL ? text : short_text);
    buffer_free(&pretty);
}

static enum status print(const struct cli_call *call, const struct cli_result *result,
                         struct error *error)
{
    static struct pretty_names names;
    bool raw = cli_value(call, "raw") != NULL;
    if (call->json)
        return cli_print_result(call, result, error);
    for (const struct table_row *row = result->table.first; row != NULL; row = row->next) {
        const char *topic = cli_cell(&result->table, row, "topic");
        const char *text = cli_cell(&result->table, row, "text");
        if (strcmp(topic, "statement") == 0 && row != result->table.first)
            putchar('\n');
        if (raw)
            print_topic(topic, text);
        else
            print_row(&names, topic, text);
    }
    return STATUS_OK;
}

static enum status ask(const struct cli_call *call, const char *statement, struct error *error)
{
    struct cli_admin *admin = NULL;
    TRY(cli_admin_open(call, &admin, error));
    char login[2 * CLI_NAME_ROOM];
    snprintf(login, sizeof login, "%s", call->arguments[0]);
    char *slash = strchr(login, '/');
    if (slash != NULL)
        *slash = '.'; /* PARTNER/AGENT is written everywhere else; both are understood */
    struct cli_result result = {0};
    struct buffer command;
    buffer_init(&command, 4 * LIMIT_MESSAGE_BYTES);
    buffer_append_text(&command, "EXPLAIN");
    cli_admin_clause(&command, "AGENT", login);
    cli_admin_clause(&command, "PURPOSE", cli_value(call, "purpose"));
    cli_admin_clause(&command, "", statement);
    enum status status = cli_admin_ask(admin, &command, &result, error);
    if (status == STATUS_OK)
        status = print(call, &result, error);
    table_free(&result.table);
    buffer_free(&command);
    cli_admin_close(admin);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct buffer statement;
    buffer_init(&statement, LIMIT_MESSAGE_BYTES);
    enum status status = read_statement(call, &statement, error);
    const char *text = status == STATUS_OK ? buffer_text(&statement) : NULL;
    if (text != NULL)
        status = ask(call, text, error);
    else if (status == STATUS_OK)
        status = error_set(error, STATUS_LIMIT, "54000", NULL, "the statement is too long");
    buffer_free(&statement);
    return status;
}

static const struct cli_option options[] = {
    {"purpose", 0, "PURPOSE", "what the agent works for, where it has several purposes"},
    {"raw", 0, NULL, "the rewritten text as it is sent, with its hidden names"},
    {0},
};

const struct cli_command verb_explain = {
    .arguments = "PARTNER/AGENT [STATEMENT]",
    .least = 1,
    .most = 2,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_ADMIN | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Tells what the gateway would make of statements of this agent, and why: the text that "
        "the\n"
        "database would get, fences, hidden columns, what would be recorded; or the rule that\n"
        "refuses, and which change of the query or of the policy would let it pass. Nothing runs.\n"
        "What it tells is for staff: of tables and columns, too, that the agent must not know of.\n"
        "Without STATEMENT, or with -, the statement is read from standard input.",
    .examples = "explain north-mail/sync \"SELECT full_name FROM customer\"\n"
                "explain ringway/desk < lookup.sql\n",
    .run = run,
};
