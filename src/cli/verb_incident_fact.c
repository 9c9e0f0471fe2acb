/* cofferdam incident fact: what people know of the breach and no ledger does. */
#include "base/file.h"
#include "cli/incident.h"
#include "cli/verbs.h"
#include "incident/facts.h"

static const struct cli_option options[] = {
    {"file", 0, "FILE", "the value is this file's text"},
    {"list", 0, NULL, "all that can be told, with what has been"},
    CLI_INCIDENT_BY,
    {NULL, 0, NULL, NULL},
};

static enum status list(struct cli_call *call, struct casework *casework, int64_t number,
                        struct error *error)
{
    struct table table;
    TRY(facts_list(casework, number, &table, error));
    enum status status = cli_incident_print_table(call, &table, error);
    table_free(&table);
    return status;
}

static enum status give(struct cli_call *call, struct casework *casework, int64_t number,
                        struct error *error)
{
    const char *file = cli_value(call, "file");
    struct buffer text;
    buffer_init(&text, FACTS_VALUE_BYTES + 1);
    enum status status = STATUS_OK;
    if (file != NULL)
        status = file_read(file, &text, error);
    else
        buffer_append_text(&text, call->arguments[2]);
    while (text.len > 0 && text.data[text.len - 1] == '\n')
        text.len--;
    const char *value = status == STATUS_OK ? buffer_text(&text) : NULL;
    if (status == STATUS_OK && value == NULL)
        status = error_set(error, STATUS_LIMIT, "54000", NULL, "a fact has at most %d bytes",
                           FACTS_VALUE_BYTES);
    if (status == STATUS_OK)
        status = facts_give(casework, number, call->arguments[1], value, error);
    buffer_free(&text);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    int64_t number;
    struct casework *casework = NULL;
    struct casefile casefile;
    bool lists = cli_value(call, "list") != NULL;
    int wanted = lists ? 1 : cli_value(call, "file") != NULL ? 2 : 3;
    TRY(cli_incident_number(call, &number, error));
    if (call->argument_count != wanted)
        return cli_usage(call, error, "give N NAME VALUE, N NAME --file FILE, or N --list");
    TRY(cli_incident_casework(call, true, &casework, error));
    enum status status = casefile_open(casework, number, &casefile, error);
    casefile_close(&casefile);
    if (status == STATUS_OK)
        status = lists ? list(call, casework, number, error) : give(call, casework, number, error);
    casework_close(casework);
    return status;
}

const struct cli_command verb_incident_fact = {
    .arguments = "N [NAME [VALUE]]",
    .least = 1,
    .most = 3,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Tells the case a fact: what happened, how likely harm is, what is being done. Reports\n"
        "and statements draw on them. The newest value counts; earlier ones are kept.",
    .examples = "incident fact 1 --list\n"
                "incident fact 1 likelihood likely\n"
                "incident fact 1 what_happened --file what.txt\n",
    .run = run,
};
