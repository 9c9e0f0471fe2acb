/* See confirm.h. */
#include "cli/confirm.h"

#include <inttypes.h>

#include "incident/confirm.h"

static void print_lines(const char *what, const struct confirm_lines *lines)
{
    if (lines->count == 0)
        return;
    fprintf(stderr, "%" PRIu64 " line%s %s: ", lines->count, lines->count == 1 ? "" : "s", what);
    for (size_t i = 0; i < lines->count && i < CONFIRM_SHOWN; i++)
        fprintf(stderr, "%s%zu", i == 0 ? "" : ", ", lines->shown[i]);
    fprintf(stderr, "%s\n", lines->count > CONFIRM_SHOWN ? ", …" : "");
}

static void print_outside(const struct confirm_report *report, int64_t incident)
{
    if (report->outside.count == 0)
        return;
    fprintf(stderr, "\nWARNING: this list has people whom the ledger does not explain.\n");
    print_lines("of people of yours who are not in scope", &report->outside);
    fprintf(
        stderr,
        "The partner did not get them through the gateway before the cut-off: look for another\n"
        "source or a way past the gateway (cofferdam check lists side doors). If they were\n"
        "handed over outside it: cofferdam exposure declare, then incident scope %" PRId64
        " --new-phase,\nthen --confirm again.\n\n",
        incident);
}

enum status cli_confirm(struct casework *casework, int64_t incident, const char *path,
                        int64_t *phase, struct error *error)
{
    struct confirm_report report;
    TRY(confirm_file(casework, incident, path, &report, error));
    fprintf(stderr,
            "%" PRIu64 " lines compared with phase %" PRId64 " (sha256 %s)\n%" PRIu64
            " %s confirmed as taken: phase %" PRId64 "\n",
            report.lines, report.scope_phase, report.sha256, report.people,
            report.people == 1 ? "person" : "people", report.phase);
    print_outside(&report, incident);
    print_lines("fit more than one person, and confirm nobody", &report.ambiguous);
    print_lines("fit nobody", &report.unmatched);
    if (report.without_database[0] != '\0')
        fprintf(stderr, "Only keys and tokens of people in scope could be compared: %s\n",
                report.without_database);
    *phase = report.phase;
    return STATUS_OK;
}
