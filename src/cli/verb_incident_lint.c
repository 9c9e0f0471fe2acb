/* cofferdam incident lint: are templates of notices fit to be sent? */
#include "cli/cli.h"
#include "cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "incident/lint_file.h"
#include "policy/config.h"

static const struct cli_option options[] = {
    {"data", 0, "DIR", "the data folder with words and rules; default: the configuration's"},
    {"samples", 0, "DIR", "write what the template says to five invented people there"},
    {NULL, 0, NULL, NULL},
};

static void print_findings(const struct table *findings)
{
    for (const struct table_row *row = findings->first; row != NULL; row = row->next)
        printf("%s:%s: %s: %s\n    would pass: %s\n", row->cells[0], row->cells[1], row->cells[2],
               row->cells[3], row->cells[4]);
}

static enum status lint_files(struct cli_call *call, const char *data, struct table *findings,
                              struct error *error)
{
    const char *samples = cli_value(call, "samples");
    for (int i = 0; i < call->argument_count; i++) {
        TRY(lint_file(data, call->arguments[i], findings, error));
        if (samples != NULL)
            TRY(lint_file_samples(data, call->arguments[i], samples, error));
    }
    return STATUS_OK;
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct config *config = NULL;
    const char *data = cli_value(call, "data");
    if (data == NULL)
        TRY(config_load(call->config_path, &config, error));
    struct table findings;
    lint_table(&findings);
    enum status status =
        lint_files(call, data == NULL ? config->data_folder : data, &findings, error);
    if (status == STATUS_OK && findings.row_count == 0)
        printf("nothing to mend\n");
    print_findings(&findings);
    if (status == STATUS_OK && findings.row_count > 0)
        status = error_set(error, STATUS_INVALID, "22023", "cofferdam-notice(5) explains the rules",
                           "%zu findings", findings.row_count);
    table_free(&findings);
    config_free(config);
    return status;
}

const struct cli_command verb_incident_lint = {
    .arguments = "FILE …",
    .least = 1,
    .most = 100,
    .takes = CLI_TAKES_CONFIG,
    .options = options,
    .description =
        "Checks templates of notices, named NAME.LANGUAGE.txt: their form, hedges, requests,\n"
        "links, long sentences, reading ease, what every message must hold, and whether a\n"
        "person could be told of categories that are not that person's own. Each template is\n"
        "filled in every form it can take. Prints file, line, rule and what would pass.",
    .examples = "incident lint /etc/cofferdam/data/notices/default.en.txt\n"
                "incident lint --data share --samples /tmp/look share/notices/default.fr.txt\n",
    .exits = "there are findings",
    .run = run,
};
