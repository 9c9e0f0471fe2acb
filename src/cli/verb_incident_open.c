/* cofferdam incident open: a partner has told of a breach. */
#include <inttypes.h>

#include "cli/incident.h"
#include "cli/verbs.h"
#include "incident/opening.h"

static const struct cli_option options[] = {
    {"partner", 0, "NAME", "the partner that was breached"},
    {"noticed", 0, "TIME", "when we were told: RFC 3339, or now; the clocks count from it"},
    {"from", 0, "TIME", "since when the attacker was inside, if known"},
    {"to", 0, "TIME", "until when: that day, or second, included"},
    {"suspect", 0, "WHAT", "agent:NAME, certificate:SERIAL, delivery:ID or unknown"},
    {"report", 0, "FILE", "the provider's own notice: kept as evidence"},
    {"what", 0, "TEXT", "what happened, in a sentence"},
    {"no-contain", 0, NULL, "leave the partner connected; needs --reason"},
    {"reason", 0, "WHY", "why it is left connected"},
    {"drill", 0, NULL, "an exercise: marked as such"},
    CLI_INCIDENT_BY,
    {NULL, 0, NULL, NULL},
};

static enum status read_request(struct cli_call *call, struct opening_request *request,
                                struct error *error)
{
    bool leave = cli_value(call, "no-contain") != NULL;
    const char *reason = cli_value(call, "reason");
    TRY(cli_require(call, "partner", &request->partner, error));
    TRY(cli_require(call, "noticed", &request->noticed, error));
    if (leave && (reason == NULL || reason[0] == '\0'))
        return cli_usage(call, error, "--no-contain needs --reason WHY");
    if (!leave && reason != NULL)
        return cli_usage(call, error, "--reason goes with --no-contain");
    request->no_contain = leave ? reason : NULL;
    request->from = cli_value(call, "from");
    request->to = cli_value(call, "to");
    request->suspect = cli_value(call, "suspect");
    request->report = cli_value(call, "report");
    request->what = cli_value(call, "what");
    request->by = cli_value(call, "by");
    request->is_drill = cli_value(call, "drill") != NULL;
    return STATUS_OK;
}

static enum status print(struct cli_call *call, const struct opened *opened, struct error *error)
{
    static const char *const sections[] = {"case", "clocks", "remaining", NULL};
    struct casework *casework = NULL;
    struct casefile casefile;
    TRY(cli_incident_casework(call, true, &casework, error));
    enum status status = casefile_open(casework, opened->number, &casefile, error);
    if (status == STATUS_OK && !call->json && opened->contained_now)
        printf("%s is contained; sessions ended: %s, in %s ms\n\n", casefile.incident.partner,
               opened->sessions, opened->cut_ms);
    if (status == STATUS_OK)
        status = cli_incident_print(call, &casefile, sections, error);
    if (status == STATUS_OK && !call->json && casefile.deadlines.count == 0)
        puts("\nNo clocks: the policy's controller names no jurisdictions.");
    casefile_close(&casefile);
    casework_close(casework);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct opening_request request = {0};
    struct opened opened = {0};
    TRY(read_request(call, &request, error));
    TRY(opening_open(call->config_path, &request, &opened, error));
    if (opened.not_stored[0] != '\0')
        fprintf(stderr, "cofferdam: contained, but NOT over a restart of the gateway: %s\n",
                opened.not_stored);
    if (opened.other != 0)
        fprintf(stderr,
                "cofferdam: incident %" PRId64 " of this partner is open, too. If it is about the "
                "same breach, close one of them:\nwhoever is told by both gets two messages\n",
                opened.other);
    if (opened.is_long_ago)
        fputs("cofferdam: --from or --to is more than a year ago: is the year right? What the "
              "partner was given after --to is not in scope\n",
              stderr);
    return print(call, &opened, error);
}

const struct cli_command verb_incident_open = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Opens an incident: contains the partner first, fixes the ledger's state as the first\n"
        "phase's cut-off, starts the clocks of the policy's jurisdictions, keeps the provider's\n"
        "notice, and tells what to do next. A partner that is contained already keeps its time.",
    .examples =
        "incident open --partner north-mail --noticed now --report notice.eml\n"
        "incident open --partner north-mail --noticed 2026-11-22T09:30:00Z --from 2026-11-18\n",
    .exits = "failed; whether the partner is contained is said",
    .run = run,
};
