/* cofferdam exposure rebuild: the index of exposure made anew from the ledger, or held against it.
 */
#include "cli/json.h"
#include "cli/verbs.h"

#include <inttypes.h>

#include "base/check.h"
#include "base/clock.h"
#include "exposure/exposure.h"
#include "policy/config.h"

enum { PATH_ROOM = 4096 };

static const int64_t HOUR_NS = 3600LL * 1000000000;

static const struct cli_option options[] = {
    {"check", 0, NULL, "replace nothing: compare what is there with what would be made"},
    {NULL, 0, NULL, NULL},
};

static enum status print(const struct cli_call *call, const struct exposure_rebuilt *rebuilt,
                         double seconds, struct error *error)
{
    bool checks = cli_value(call, "check") != NULL;
    if (!call->json) {
        printf("%s: %" PRIu64 " entries of the ledger, %" PRIu64 " disclosures, %zu files, %" PRIu64
               " bytes, %.1f s\n",
               checks ? "the index is what the ledger says" : "the index is made anew",
               rebuilt->entries, rebuilt->disclosures, rebuilt->files, rebuilt->bytes, seconds);
        return STATUS_OK;
    }
    json_t *all = json_pack("{s:b, s:I, s:I, s:I, s:I, s:f}", "checked", checks, "entries",
                            (json_int_t)rebuilt->entries, "disclosures",
                            (json_int_t)rebuilt->disclosures, "files", (json_int_t)rebuilt->files,
                            "bytes", (json_int_t)rebuilt->bytes, "seconds", seconds);
    CHECK(all != NULL && (!checks || json_object_set_new(all, "same", json_true()) == 0));
    return cli_json_print(all, false, error);
}

/* ---- what differs ---- */

static const char *grade_name(uint8_t grade)
{
    static const char *const names[] = {"declared", "direct",           "aggregate",
                                        "witness",  "influence",        "probe",
                                        "changed",  "influence of few", "deleted"};
    return grade < sizeof names / sizeof names[0] ? names[grade] : "unknown";
}

static void format_hours(const struct exposure_difference *found, char from[static 21],
                         char until[static 21])
{
    clock_format_utc(found->from_hour * HOUR_NS, from);
    clock_format_utc(found->until_hour * HOUR_NS, until);
}

static void print_columns(const char *columns)
{
    for (const char *at = columns; *at != '\0'; at++)
        if (*at != '\n')
            putchar(*at);
        else if (at[1] != '\0')
            fputs(", ", stdout);
}

/* Of a series: whose it is, and of which time. */
static void print_series(const struct exposure_difference *found)
{
    char from[21], until[21];
    printf("  partner %s, agent %s, purpose %s, kind %u, grade %s\n  column set %" PRIu32 ": ",
           found->partner, found->agent[0] == '\0' ? "(none)" : found->agent,
           found->purpose[0] == '\0' ? "(none)" : found->purpose, found->kind,
           grade_name(found->grade), found->column_set);
    print_columns(found->columns);
    if (!found->has_hours) {
        printf("\n  of all time\n");
        return;
    }
    format_hours(found, from, until);
    printf("\n  from %s to %s\n", from, until);
}

static void print_statement(const struct exposure_difference *found)
{
    char from[21], until[21];
    format_hours(found, from, until);
    printf("%s: another account of what a statement told the partner %s\n"
           "  statement %s\n  from %s to %s\n"
           "  new people: %" PRIu64 " by the index, %" PRIu64 " by the ledger\n",
           found->file, found->partner, found->statement, from, until, found->index_count,
           found->ledger_count);
}

static void print_difference(const struct exposure_difference *found)
{
    switch (found->what) {
    case EXPOSURE_SAME:
        return;
    case EXPOSURE_FILE_DIFFERS:
        printf("%s: damaged, missing or superfluous\n", found->file);
        return;
    case EXPOSURE_STATEMENT_DIFFERS:
        print_statement(found);
        return;
    case EXPOSURE_PARTNER_DIFFERS:
        printf("%s: other column sets, or another deletion, of the partner %s\n", found->file,
               found->partner);
        return;
    case EXPOSURE_TEXT_DIFFERS:
        printf("%s: another text of column set %" PRIu32 "\n", found->file, found->column_set);
        return;
    case EXPOSURE_SUBJECT_DIFFERS:
        printf("%s: subject %" PRIu32 " is in the %s and not in the %s\n", found->file,
               found->subject, found->index_has ? "index" : "ledger",
               found->index_has ? "ledger" : "index");
        break;
    case EXPOSURE_HOURS_DIFFER:
        printf("%s: the same people, but another first or last hour\n", found->file);
        break;
    }
    print_series(found);
    printf("  people: %" PRIu64 " by the index, %" PRIu64 " by the ledger\n", found->index_count,
           found->ledger_count);
}

static json_t *describe_series(const struct exposure_difference *found)
{
    char from[21], until[21];
    json_t *told = json_pack(
        "{s:o, s:o, s:o, s:I, s:o, s:i, s:s, s:I, s:I}", "partner", cli_json_text(found->partner),
        "agent", cli_json_text(found->agent), "purpose", cli_json_text(found->purpose),
        "column_set", (json_int_t)found->column_set, "columns", cli_json_text(found->columns),
        "kind", (int)found->kind, "grade", grade_name(found->grade), "index_people",
        (json_int_t)found->index_count, "ledger_people", (json_int_t)found->ledger_count);
    CHECK(told != NULL);
    if (found->has_hours) {
        format_hours(found, from, until);
        CHECK(json_object_set_new(told, "from", json_string(from)) == 0 &&
              json_object_set_new(told, "to", json_string(until)) == 0);
    }
    if (found->what == EXPOSURE_SUBJECT_DIFFERS)
        CHECK(json_object_set_new(told, "subject", json_integer(found->subject)) == 0 &&
              json_object_set_new(told, "only_in",
                                  json_string(found->index_has ? "index" : "ledger")) == 0);
    return told;
}

static json_t *describe_statement(const struct exposure_difference *found)
{
    char from[21], until[21];
    format_hours(found, from, until);
    return json_pack("{s:s, s:o, s:s, s:s, s:I, s:I}", "hash", found->statement, "partner",
                     cli_json_text(found->partner), "from", from, "to", until, "index_new",
                     (json_int_t)found->index_count, "ledger_new", (json_int_t)found->ledger_count);
}

static enum status print_difference_json(const struct exposure_difference *found,
                                         const char *message, struct error *error)
{
    static const char *const names[] = {"same",    "subject", "hours", "statement",
                                        "partner", "text",    "file"};
    json_t *all = json_pack("{s:b, s:b, s:s, s:s, s:I, s:o}", "checked", true, "same", false,
                            "differs", names[found->what], "file", found->file, "byte",
                            (json_int_t)found->byte, "message", cli_json_text(message));
    CHECK(all != NULL);
    bool of_series =
        found->what == EXPOSURE_SUBJECT_DIFFERS || found->what == EXPOSURE_HOURS_DIFFER;
    if (of_series)
        CHECK(json_object_set_new(all, "series", describe_series(found)) == 0);
    if (found->what == EXPOSURE_STATEMENT_DIFFERS)
        CHECK(json_object_set_new(all, "statement", describe_statement(found)) == 0);
    if (found->what == EXPOSURE_PARTNER_DIFFERS)
        CHECK(json_object_set_new(all, "partner", cli_json_text(found->partner)) == 0);
    if (found->what == EXPOSURE_TEXT_DIFFERS)
        CHECK(json_object_set_new(all, "column_set", json_integer(found->column_set)) == 0);
    return cli_json_print(all, false, error);
}

/* Tells where they part, and hands the check's failure on. */
static enum status check(const struct cli_call *call, const char *index, const char *ledger,
                         struct exposure_rebuilt *rebuilt, struct error *error)
{
    struct exposure_difference found;
    struct error why = {0};
    enum status status = exposure_check(index, ledger, rebuilt, &found, &why);
    if (status == STATUS_OK)
        return STATUS_OK;
    if (status == STATUS_CORRUPT && call->json)
        TRY(print_difference_json(&found, why.message, error));
    else if (status == STATUS_CORRUPT)
        print_difference(&found);
    *error = why;
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    char index[PATH_ROOM], ledger[PATH_ROOM];
    struct config *config = NULL;
    struct exposure_rebuilt rebuilt;
    TRY(config_load(call->config_path, &config, error));
    int lengths[] = {snprintf(index, sizeof index, "%s/exposure", config->state_folder),
                     snprintf(ledger, sizeof ledger, "%s/ledger", config->state_folder)};
    config_free(config);
    if (lengths[0] >= PATH_ROOM || lengths[1] >= PATH_ROOM)
        return error_set(error, STATUS_INVALID, "F0000", NULL, "the folder's name is too long");
    int64_t since_ns = clock_monotonic_ns();
    if (cli_value(call, "check") != NULL)
        TRY(check(call, index, ledger, &rebuilt, error));
    else
        TRY(exposure_rebuild(index, ledger, &rebuilt, error));
    return print(call, &rebuilt, (double)(clock_monotonic_ns() - since_ns) / 1e9, error);
}

const struct cli_command verb_exposure_rebuild = {
    .arguments = "",
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Makes the files of the exposure index anew from the ledger, beside the old ones, and\n"
        "puts them in their place at once. A running gateway takes them over; it makes them\n"
        "anew by itself where they are damaged. With --check nothing is replaced: every byte\n"
        "is compared, and where one differs, whose series, of which hour, and the first person\n"
        "(by id) that only one of both has.",
    .examples = "exposure rebuild\n"
                "exposure rebuild --check --json\n",
    .exits = "with --check: the index is not what the ledger says",
    .run = run,
};
