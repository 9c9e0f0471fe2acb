/* cofferdam incident report: the sheet to paste into an authority's form. */
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/incident.h"
#include "cli/json.h"
#include "cli/verbs.h"
#include "incident/layout.h"
#include "incident/report.h"

enum { PHASES_MAX = 1000000, ARENA_BYTES = 64 * 1024 * 1024, OUT_MODE = 0600 };

static const struct cli_option options[] = {
    {"authority", 0, "NAME", "whose form: ico, eu (needed)"},
    {"phase", 0, "K", "by the scope of this phase; default: the newest"},
    {"format", 0, "text|html", "default text"},
    {"follow-up", 0, NULL, "as a follow-up, though no filing has been recorded"},
    {"out", 'o', "FILE", "write the sheet there instead of standard output"},
    {NULL, 0, NULL, NULL},
};

static enum status read_request(struct cli_call *call, struct report_request *request,
                                struct error *error)
{
    uint64_t phase;
    const char *format = cli_value(call, "format");
    *request = (struct report_request){.is_follow_up = cli_value(call, "follow-up") != NULL};
    TRY(cli_incident_number(call, &request->incident, error));
    TRY(cli_require(call, "authority", &request->authority, error));
    TRY(cli_number(call, "phase", 1, PHASES_MAX, 0, &phase, error));
    request->phase = (int64_t)phase;
    if (format != NULL && strcmp(format, "text") != 0 && strcmp(format, "html") != 0)
        return cli_usage(call, error, "--format is text or html, not \"%s\"", format);
    request->html = format != NULL && strcmp(format, "html") == 0;
    return STATUS_OK;
}

/* Where the clock stands, in words. */
static const char *clock_words(const struct report *report, struct arena *arena)
{
    if (report->due_ns == INT64_MAX)
        return "no deadline";
    const char *due = layout_instant(report->due_ns, arena);
    if (report->filed_ns != INT64_MIN)
        return arena_printf(arena, "filed %s, %s", layout_instant(report->filed_ns, arena),
                            report->is_late ? "LATE" : "in time");
    int64_t left_ns = report->due_ns - clock_now_ns();
    return arena_printf(arena, "due %s, %s%s", due, report->is_late ? "OVERDUE by " : "in ",
                        layout_duration(left_ns < 0 ? -left_ns : left_ns, arena));
}

static enum status print_json(const struct report_request *request, const struct report *report,
                              struct error *error)
{
    char due[21];
    json_t *object =
        json_pack("{s:s, s:I, s:s, s:s, s:I, s:b}", "authority", request->authority, "phase",
                  (json_int_t)report->phase, "sha256", report->sha256, "sheet", report->path,
                  "missing", (json_int_t)report->missing_count, "late", report->is_late);
    if (report->due_ns != INT64_MAX) {
        clock_format_utc(report->due_ns, due);
        json_object_set_new(object, "due", cli_json_text(due));
    }
    return cli_json_print(object, false, error);
}

static enum status show(const struct cli_call *call, const struct report_request *request,
                        const struct report *report, struct arena *arena, struct error *error)
{
    const char *out = cli_value(call, "out");
    if (out != NULL)
        TRY(file_replace(out, buffer_slice(&report->bytes), OUT_MODE, error));
    if (call->json)
        return print_json(request, report, error);
    if (out == NULL)
        fwrite(report->bytes.data, 1, report->bytes.len, stdout);
    fprintf(stderr, "sheet    %s\nsha256   %s\nmissing  %zu\nclock    %s\n", report->path,
            report->sha256, report->missing_count, clock_words(report, arena));
    return STATUS_OK;
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct report_request request;
    struct report report = {0};
    struct casework *casework = NULL;
    struct arena arena;
    TRY(read_request(call, &request, error));
    TRY(cli_incident_casework(call, false, &casework, error));
    arena_init(&arena, ARENA_BYTES);
    enum status status = report_make(casework, &request, &arena, &report, error);
    if (status == STATUS_OK)
        status = show(call, &request, &report, &arena, error);
    if (status == STATUS_OK)
        status = cli_incident_warn_later(casework, request.incident, request.phase, error);
    report_free(&report);
    arena_free(&arena);
    casework_close(casework);
    return status;
}

const struct cli_command verb_incident_report = {
    .arguments = "N",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Prints what to paste into an authority's form, in its order: numbers from the scope, the\n"
        "rest from the facts told to the case. What is missing is said, with the command that\n"
        "supplies it. The sheet is kept with the case; it holds nobody's own data.",
    .examples = "incident report 1 --authority ico\n"
                "incident report 1 --authority eu --format html --out sheet.html\n",
    .run = run,
};
