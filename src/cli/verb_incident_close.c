/* cofferdam incident close: nothing is open any more; the dossier. */
#include "cli/incident.h"
#include "cli/verbs.h"
#include "incident/dossier.h"

static const struct cli_option options[] = {
    {"why", 0, "WHY", "why the incident can be closed"},
    {"out", 0, "DIR", "write the dossier here; default: the incident's folder"},
    {"duty", 0, "NAME", "an open duty to be waived; goes with --waive"},
    {"waive", 0, "WHY", "why it need not be done"},
    CLI_INCIDENT_BY,
    {NULL, 0, NULL, NULL},
};

static enum status print_remaining(struct cli_call *call, struct casework *casework, int64_t number,
                                   struct error *error)
{
    static const char *const sections[] = {"remaining", NULL};
    struct casefile casefile;
    enum status status = casefile_open(casework, number, &casefile, error);
    if (status == STATUS_OK)
        status = cli_incident_print(call, &casefile, sections, error);
    casefile_close(&casefile);
    return status;
}

static enum status waive(struct cli_call *call, struct casework *casework, int64_t number,
                         struct error *error)
{
    const char *duty = cli_value(call, "duty");
    char step[CASEFILE_WAIVER_ROOM];
    struct casefile casefile;
    enum status status = casefile_open(casework, number, &casefile, error);
    if (status == STATUS_OK)
        status = casefile_check_duty(&casefile, duty, error);
    if (status == STATUS_OK) {
        casefile_waiver(duty, step);
        status = casework_decide(casework, number, casefile.incident.partner, step,
                                 cli_value(call, "waive"), error);
    }
    casefile_close(&casefile);
    TRY(status);
    return print_remaining(call, casework, number, error);
}

static enum status close_now(struct cli_call *call, struct casework *casework, int64_t number,
                             struct error *error)
{
    char folder[DOSSIER_ROOM];
    enum status status = dossier_close_incident(casework, number, cli_value(call, "why"),
                                                cli_value(call, "out"), folder, error);
    if (status == STATUS_DENIED) {
        struct error ignored; /* the duties are shown beside the refusal, not instead of it */
        if (print_remaining(call, casework, number, &ignored) != STATUS_OK)
            fprintf(stderr, "cofferdam: %s\n", ignored.message);
    }
    if (status == STATUS_OK)
        printf("incident %lld is closed; dossier: %s\n", (long long)number, folder);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    int64_t number;
    bool has_duty = cli_value(call, "duty") != NULL;
    struct casework *casework = NULL;
    TRY(cli_incident_number(call, &number, error));
    if (has_duty != (cli_value(call, "waive") != NULL))
        return cli_usage(call, error, "--duty NAME and --waive WHY go together");
    TRY(cli_incident_casework(call, true, &casework, error));
    enum status status =
        has_duty ? waive(call, casework, number, error) : close_now(call, casework, number, error);
    casework_close(casework);
    return status;
}

const struct cli_command verb_incident_close = {
    .arguments = "N",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG,
    .options = options,
    .description =
        "Closes an incident and writes its dossier: facts, effects, measures, evidence, with a\n"
        "MANIFEST of hashes. Refused while duties are open; they are listed. One can be waived\n"
        "by a decision. Of a closed incident the dossier is written again, the same bytes.",
    .examples = "incident close 1 --duty statement --waive \"all were told in person\" --by dpo\n"
                "incident close 1 --why \"everybody is told, the ICO has closed IC-123456\"\n",
    .run = run,
};
