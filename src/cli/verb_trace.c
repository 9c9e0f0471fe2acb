/* cofferdam trace: whose copy leaked. Everything printed comes from trace/trace.h; this file takes
 * the options, asks whether the columns are right, and lays out. No value of the file is shown:
 * numbers of lines are. */
#include "cli/verbs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "cli/json.h"
#include "cli/trace_page.h"
#include "trace/trace.h"

enum { MOST_GIVEN = 256, LIST_BYTES = 64 * 1024 };

static const struct cli_option options[] = {
    {"format", 0, "csv|jsonl", "of the file; default: by its first character"},
    {"leaked-before", 0, "TIME", "what was given from then on cannot be in it; default: now"},
    {"column", 0, "NAME=dataset.column,…",
     "what a column is, instead of the guess; NAME=: nothing"},
    {"prior", 0, "PARTNER=P,…", "how probable a source is before; outside=P: another; older=P"},
    {"elsewhere", 0, "P", "that a record was got from no copy; default 0.2"},
    {"ratio", 0, "N", "how many times as probable the first must be as the next; default 20"},
    {"yes", 'y', NULL, "do not ask whether the columns are right"},
    {NULL, 0, NULL, NULL},
};

/* ---- options ---- */

/* The texts of the lists, cut up in place. */
struct given {
    struct column_choice choices[MOST_GIVEN];
    struct trace_prior priors[MOST_GIVEN];
    char *column_list, *prior_list;
};

/* "a=b,c=d": calls take for each; a usage error where there is no =. */
static enum status each_given(
    struct cli_call *call, const char *option, char **copy,
    enum status (*take)(struct cli_call *call, struct trace_options *wanted, struct given *given,
                        const char *name, const char *value, struct error *error),
    struct trace_options *wanted, struct given *given, struct error *error)
{
    const char *text = cli_value(call, option);
    if (text == NULL)
        return STATUS_OK;
    if (strlen(text) > LIST_BYTES || (*copy = strdup(text)) == NULL)
        return cli_usage(call, error, "--%s has too long a list", option);
    size_t count = 0;
    for (char *at = *copy, *next; at != NULL; at = next) {
        next = strchr(at, ',');
        if (next != NULL)
            *next++ = '\0';
        char *equals = strchr(at, '=');
        if (equals == NULL || equals == at || count++ == MOST_GIVEN)
            return cli_usage(call, error, "--%s takes a list such as %s, not \"%s\"", option,
                             option[0] == 'c' ? "mail=customer.email,tel=customer.phone"
                                              : "north-mail=0.2,outside=0.5",
                             at);
        *equals = '\0';
        TRY(take(call, wanted, given, at, equals + 1, error));
    }
    return STATUS_OK;
}

static enum status take_choice(struct cli_call *call, struct trace_options *wanted,
                               struct given *given, const char *name, const char *value,
                               struct error *error)
{
    given->choices[wanted->choice_count++] = (struct column_choice){name, value};
    return STATUS_OK;
}

static enum status read_fraction(struct cli_call *call, const char *option, const char *text,
                                 double most, double *value, struct error *error)
{
    char *end;
    double number = strtod(text, &end);
    if (text[0] == '\0' || *end != '\0' || text[strspn(text, "0123456789.e-")] != '\0' ||
        !(number >= 0 && number <= most))
        return cli_usage(call, error, "--%s takes a number from 0 to %g, not \"%s\"", option, most,
                         text);
    *value = number;
    return STATUS_OK;
}

static enum status take_prior(struct cli_call *call, struct trace_options *wanted,
                              struct given *given, const char *name, const char *value,
                              struct error *error)
{
    struct trace_prior *prior = &given->priors[wanted->prior_count++];
    prior->partner = name;
    return read_fraction(call, "prior", value, 1, &prior->prior, error);
}

static enum status read_options(struct cli_call *call, struct trace_options *wanted,
                                struct given *given, struct error *error)
{
    const char *format = cli_value(call, "format"), *before = cli_value(call, "leaked-before");
    const char *elsewhere = cli_value(call, "elsewhere"), *ratio = cli_value(call, "ratio");
    wanted->path = call->arguments[0];
    if (format != NULL && strcmp(format, "csv") != 0 && strcmp(format, "jsonl") != 0)
        return cli_usage(call, error, "--format is csv or jsonl, not \"%s\"", format);
    if (format != NULL)
        wanted->format = strcmp(format, "csv") == 0 ? LEAK_CSV : LEAK_JSON_LINES;
    wanted->before_ns = clock_now_ns();
    if (before != NULL && clock_parse(before, &wanted->before_ns, NULL) != STATUS_OK)
        return cli_usage(call, error, "--leaked-before takes a date or an instant, not \"%s\"",
                         before);
    if (before == NULL) /* later than the gateway's clock, should the two differ */
        wanted->before_ns = INT64_MAX;
    if (elsewhere != NULL)
        TRY(read_fraction(call, "elsewhere", elsewhere, 1, &wanted->elsewhere, error));
    if (ratio != NULL)
        TRY(read_fraction(call, "ratio", ratio, 1e9, &wanted->ratio, error));
    wanted->choices = given->choices;
    wanted->priors = given->priors;
    TRY(each_given(call, "column", &given->column_list, take_choice, wanted, given, error));
    return each_given(call, "prior", &given->prior_list, take_prior, wanted, given, error);
}

/* ---- asking ---- */

/* On a terminal alone; elsewhere the guess is told with the answer. */
static enum status ask(void *context, const struct trace_report *report, struct error *error)
{
    char answer[16] = "";
    trace_page_columns(stderr, report);
    fprintf(stderr, "Are these columns right? [y/N] ");
    if (fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "57014",
                     "say what they are: --column NAME=dataset.column,…", "nothing was judged");
}

/* ---- the verb ---- */

static enum status run(struct cli_call *call, struct error *error)
{
    struct trace_options wanted = {.elsewhere = TRACE_ELSEWHERE, .ratio = TRACE_RATIO};
    struct given *given = calloc(1, sizeof *given);
    struct casework *casework = NULL;
    struct trace_report report = {0};
    CHECK(given != NULL);
    enum status status = read_options(call, &wanted, given, error);
    bool asks = cli_value(call, "yes") == NULL && !call->json && isatty(STDIN_FILENO) &&
                isatty(STDERR_FILENO);
    if (asks)
        wanted.confirm = ask;
    if (status == STATUS_OK)
        status = casework_open_bare(call->config_path, NULL, &casework, error);
    if (status == STATUS_OK)
        status = trace_run(casework, &wanted, &report, error);
    if (status == STATUS_OK && call->json)
        status = cli_json_print(trace_page_json(&report), false, error);
    else if (status == STATUS_OK)
        trace_page_print(stdout, &report, call->arguments[0]);
    trace_report_free(&report);
    casework_close(casework);
    free(given->column_list);
    free(given->prior_list);
    free(given);
    return status;
}

const struct cli_command verb_trace = {
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Tells whose copy a leaked sample can have come from. FILE is CSV, or has one JSON object\n"
        "a line. Its people are recognised by keys, tokens, e-mail addresses, telephone numbers,\n"
        "names with postcodes, and by the canaries of deliveries; the ledger tells which copies\n"
        "had exactly these columns of them, in these forms, before the leak. It ranks copies,\n"
        "never companies, names the lines that decide, and may answer that one cannot tell.\n"
        "Reading people's contact data for this is recorded in the ledger; nothing of the file is\n"
        "kept.",
    .examples = "trace sample.csv --leaked-before 2026-11-20\n"
                "trace dump.jsonl --column \"mail=customer.email,tel=customer.phone\" --yes\n"
                "trace sample.csv --prior north-mail=0.4,outside=0.3 --json\n",
    .run = run,
};
