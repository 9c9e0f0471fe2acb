/* cofferdam incident scope: who and what the partner of an incident had. Everything printed comes
 * from incident/scope.h; this file chooses and lays out. */
#include "cli/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/confirm.h"
#include "cli/incident.h"
#include "cli/json.h"
#include "crypto/crypto.h"
#include "incident/scope.h"
#include "incident/scope_csv.h"

enum {
    ROWS_SHOWN = 12,
    PATH_BYTES = 4096,
    LIST_MODE = 0600,
    FOLDER_MODE = 0700,
    NEVER_BYTES = 64 * 1024,
};
static const uint64_t NUMBER_MAX = 1000000000;

static const struct cli_option options[] = {
    {"phase", 0, "K", "the scope as of this phase; default: the newest"},
    {"new-phase", 0, NULL, "fix the ledger's state now as a new phase; needs --reason"},
    {"confirm", 0, "FILE", "compare with a list of what was taken; makes a new phase"},
    {"accept-since", 0, NULL, "go on though retention dropped old records; needs --reason"},
    {"reason", 0, "WHY", "why a phase or that is needed: goes into the decision log"},
    {"diff", 0, "K", "what changed since phase K"},
    {"table", 0, "NAME", "print this table only, whole"},
    {"csv", 0, "DIR", "write every table and the list of people as CSV into DIR"},
    {"list", 0, "FILE", "write the list of people as CSV; - is standard output"},
    {"by", 0, "NAME", "who acts, for the decision log; default: the login name"},
    {NULL, 0, NULL, NULL},
};

/* What stands above each table on the page. */
static const struct {
    const char *table, *heading;
} headings[] = {
    {"kind", "People"},
    {"tier", "Tiers: each person in the strongest one"},
    {"category", "Categories, with the people in each grade"},
    {"combination", "Some or all of: people with exactly this (direct or declared)"},
    {"grade", "Grades: how the data was reached"},
    {"dataset", "Datasets"},
    {"brand", "Brands"},
    {"language", "Languages"},
    {"country", "Countries"},
    {"day", "Days (UTC)"},
    {"window", "While the attacker was inside, and after (not in scope)"},
    {"change", "Changed by the partner, or meant to be (up to the cut-off)"},
    {"net", "Gross, and net of deletions that the partner attested"},
    {"deletion", "Attested deletions"},
    {"never", "Never disclosed to this partner"},
    {"partners", "Partners at the cut-off"},
};

/* ---- JSON ---- */

static bool is_count(const char *column)
{
    static const char *const counts[] = {
        "people",    "notified", "records",   "rows",        "statements", "refused",   "gross",
        "deleted",   "net",      "after",     "declared",    "direct",     "aggregate", "witness",
        "influence", "probe",    "committed", "rolled_back", "in_doubt",   NULL};
    for (size_t i = 0; counts[i] != NULL; i++)
        if (strcmp(column, counts[i]) == 0)
            return true;
    return false;
}

/* before is a count where phases are compared and an instant in the table of deletions. */
static json_t *table_json(const struct table *table)
{
    enum cli_json_kind kinds[TABLE_MAX_COLUMNS] = {0};
    bool compares = cli_column(table, "after") < table->column_count;
    bool deletions = cli_column(table, "request") < table->column_count;
    for (size_t i = 0; i < table->column_count; i++)
        if ((is_count(table->columns[i]) && !deletions) ||
            (compares && strcmp(table->columns[i], "before") == 0))
            kinds[i] = CLI_JSON_NUMBER;
    return cli_json_table(table, kinds);
}

static void set(json_t *object, const char *key, json_t *value)
{
    int failure = json_object_set_new(object, key, value);
    CHECK(failure == 0);
}

static json_t *instant_json(int64_t time_ns)
{
    char text[21];
    if (time_ns == INT64_MIN || time_ns == INT64_MAX)
        return json_null();
    clock_format_utc(time_ns, text);
    return json_string(text);
}

static json_t *totals_json(const struct scope *scope)
{
    struct scope_totals totals;
    scope_total(scope, &totals);
    json_t *value =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "people",
                  (json_int_t)totals.people, "notified", (json_int_t)totals.notified, "records",
                  (json_int_t)totals.records, "rows", (json_int_t)scope->rows, "confirmed",
                  (json_int_t)totals.confirmed, "in_window", (json_int_t)totals.in_window,
                  "deleted", (json_int_t)totals.deleted, "erased", (json_int_t)totals.erased,
                  "gone", (json_int_t)totals.gone, "children", (json_int_t)totals.children, "asked",
                  (json_int_t)totals.asked);
    CHECK(value != NULL);
    return value;
}

static enum status print_json(const struct scope *scope, struct error *error)
{
    char root[65];
    json_t *object = json_object(), *tables = json_object();
    const char *without = scope_without_traits(scope);
    CHECK(object != NULL && tables != NULL);
    crypto_hex(scope->phase.root, sizeof scope->phase.root, root);
    set(object, "incident", json_integer(scope->incident.number));
    set(object, "partner", cli_json_text(scope->incident.partner));
    set(object, "phase", json_integer(scope->phase.number));
    set(object, "cutoff", json_integer((json_int_t)scope->phase.cutoff));
    set(object, "root", json_string(root));
    set(object, "sha256", json_string(scope->sha256));
    set(object, "first", instant_json(scope->first_ns));
    set(object, "last", instant_json(scope->last_ns));
    set(object, "since",
        scope->since_ns == SINCE_EVER ? json_null() : instant_json(scope->since_ns));
    set(object, "ledger_first", instant_json(scope->ledger_first_ns));
    set(object, "without_traits", without == NULL ? json_null() : cli_json_text(without));
    set(object, "totals", totals_json(scope));
    for (const char *const *name = scope_tables; *name != NULL; name++) {
        struct table table;
        enum status status = scope_table(scope, *name, &table, error);
        if (status != STATUS_OK) {
            json_decref(object);
            json_decref(tables);
            return status;
        }
        set(tables, *name, table_json(&table));
        table_free(&table);
    }
    set(object, "tables", tables);
    return cli_json_print(object, false, error);
}

/* ---- the page ---- */

static void print_number(const char *name, uint64_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, number);
    cli_print_pair(stdout, name, text);
}

static void print_head(const struct scope *scope)
{
    char at[21], first[21], last[21], root[65], text[200];
    struct scope_totals totals;
    scope_total(scope, &totals);
    crypto_hex(scope->phase.root, sizeof scope->phase.root, root);
    clock_format_utc(scope->phase.at_ns, at);
    cli_print_heading(stdout, "Incident %" PRId64 ": what %s had, phase %" PRId64,
                      scope->incident.number, scope->incident.partner, scope->phase.number);
    snprintf(text, sizeof text, "%" PRIu64 " entries at %s, root %.16s…", scope->phase.cutoff, at,
             root);
    cli_print_pair(stdout, "ledger", text);
    cli_print_pair(stdout, "scope", scope->sha256);
    print_number("people", totals.people);
    print_number("to be notified", totals.notified);
    print_number("records", totals.records);
    print_number("rows released", scope->rows);
    if (totals.asked > 0)
        print_number("only asked about", totals.asked);
    if (totals.confirmed > 0)
        print_number("confirmed taken", totals.confirmed);
    if (totals.children > 0)
        print_number("children", totals.children);
    if (totals.gone > 0)
        print_number("no longer in the database", totals.gone);
    if (totals.erased > 0)
        print_number("forgotten here", totals.erased);
    if (scope->first_ns != INT64_MIN) {
        clock_format_utc(scope->first_ns, first);
        clock_format_utc(scope->last_ns, last);
        snprintf(text, sizeof text, "%s to %s", first, last);
        cli_print_pair(stdout, "disclosed", text);
    }
    if (scope->since_ns != SINCE_EVER) {
        char since[SINCE_TEXT_ROOM], sentence[SINCE_SENTENCE_ROOM];
        since_format(scope->since_ns, since);
        since_sentence(since, sentence);
        cli_print_text(stdout, sentence, 0);
    }
}

/* The first rows of a table; says how many more there are. */
static void print_some(const struct table *table)
{
    struct table some;
    const char *names[TABLE_MAX_COLUMNS + 1] = {NULL};
    memcpy(names, table->columns, table->column_count * sizeof names[0]);
    table_init(&some, CLI_RESULT_BYTES, names);
    const struct table_row *row = table->first;
    for (; row != NULL && some.row_count < ROWS_SHOWN; row = row->next) {
        struct table_row *copy = table_add(&some);
        for (size_t i = 0; i < table->column_count; i++)
            if (row->cells[i] != NULL)
                table_set(&some, copy, i, "%s", row->cells[i]);
    }
    cli_print_wrapped(stdout, &some);
    if (table->row_count > ROWS_SHOWN)
        printf("… and %zu more\n", table->row_count - ROWS_SHOWN);
    table_free(&some);
}

static enum status print_never(const struct scope *scope, struct error *error)
{
    struct table table;
    char since[21] = "";
    TRY(scope_table(scope, "never", &table, error));
    clock_format_utc(scope->ledger_first_ns, since);
    struct buffer names;
    buffer_init(&names, NEVER_BYTES);
    for (const struct table_row *row = table.first; row != NULL; row = row->next)
        buffer_printf(&names, "%s%s", row == table.first ? "" : ", ",
                      cli_cell(&table, row, "category"));
    const char *text = buffer_text(&names);
    cli_print_text(stdout, text == NULL ? "" : text, 0);
    buffer_free(&names);
    printf(
        scope->since_ns == SINCE_EVER
            ? "Never, since the ledger's first entry on %.10s, except what was declared.\n"
            : "Never, since %.10s, before which retention dropped what there was; except what was "
              "declared.\n",
        since);
    table_free(&table);
    return STATUS_OK;
}

static bool is_trait(const char *table)
{
    return strcmp(table, "brand") == 0 || strcmp(table, "language") == 0 ||
           strcmp(table, "country") == 0;
}

static enum status print_page(const struct scope *scope, struct error *error)
{
    const char *without = scope_without_traits(scope);
    print_head(scope);
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++) {
        struct table table;
        if (is_trait(headings[i].table) && without != NULL)
            continue;
        TRY(scope_table(scope, headings[i].table, &table, error));
        if (table.row_count > 0) {
            putchar('\n');
            cli_print_heading(stdout, "%s", headings[i].heading);
            if (strcmp(headings[i].table, "never") != 0)
                print_some(&table);
        }
        bool is_never = table.row_count > 0 && strcmp(headings[i].table, "never") == 0;
        table_free(&table);
        if (is_never)
            TRY(print_never(scope, error));
    }
    if (without != NULL)
        printf("\nBrand, language, country and what bars a notice (children, gone away …) are not "
               "known\nin this phase: %s\nOnce that is mended: cofferdam incident scope %" PRId64
               " --new-phase --reason \"traits of people\"\n",
               without, scope->incident.number);
    return STATUS_OK;
}

static enum status print_one(const struct cli_call *call, const struct scope *scope,
                             const char *name, struct error *error)
{
    struct table table;
    TRY(scope_table(scope, name, &table, error));
    enum status status = STATUS_OK;
    if (call->json)
        status = cli_json_print(table_json(&table), false, error);
    else
        cli_print_table(stdout, &table);
    table_free(&table);
    return status;
}

/* ---- files ---- */

/* Lists name people: for their owner's eyes only. Never over a file that is there. */
static enum status open_file(const char *path, FILE **file, struct error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, LIST_MODE);
    if (fd < 0)
        return error_set_errno(error, errno, "%.300s", path);
    *file = fdopen(fd, "w");
    if (*file != NULL)
        return STATUS_OK;
    close(fd);
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

static enum status close_file(const char *path, FILE *file, struct error *error)
{
    bool failed = fflush(file) != 0 || ferror(file) != 0 || fsync(fileno(file)) != 0;
    failed = fclose(file) != 0 || failed;
    return failed ? error_set(error, STATUS_IO, "58030", NULL, "%.300s: not written whole", path)
                  : STATUS_OK;
}

static enum status write_list(const struct scope *scope, const char *path, struct error *error)
{
    FILE *file = stdout;
    if (strcmp(path, "-") == 0)
        return scope_write_list(scope, stdout, error);
    TRY(open_file(path, &file, error));
    enum status status = scope_write_list(scope, file, error);
    if (status != STATUS_OK) {
        fclose(file);
        return status;
    }
    return close_file(path, file, error);
}

static enum status write_table(const struct scope *scope, const char *name, const char *path,
                               struct error *error)
{
    FILE *file;
    struct table table;
    TRY(scope_table(scope, name, &table, error));
    enum status status = open_file(path, &file, error);
    if (status == STATUS_OK) {
        scope_csv_table(file, &table);
        status = close_file(path, file, error);
    }
    table_free(&table);
    return status;
}

static enum status write_folder(const struct scope *scope, const char *folder, struct error *error)
{
    char path[PATH_BYTES];
    TRY(file_make_folder(folder, FOLDER_MODE, error));
    for (const char *const *name = scope_tables; *name != NULL; name++) {
        snprintf(path, sizeof path, "%s/%s.csv", folder, *name);
        TRY(write_table(scope, *name, path, error));
    }
    snprintf(path, sizeof path, "%s/list.csv", folder);
    TRY(write_list(scope, path, error));
    fprintf(stderr, "%s: every table, and the list of %zu people\n", folder, scope->person_count);
    return STATUS_OK;
}

/* ---- running ---- */

static enum status print_diff(const struct cli_call *call, struct casework *casework,
                              const struct scope *after, uint64_t phase, struct error *error)
{
    struct scope *before = NULL;
    struct table table;
    TRY(scope_open(casework, after->incident.number, (int64_t)phase, &before, error));
    enum status status = scope_diff(before, after, &table, error);
    scope_close(before);
    if (status != STATUS_OK)
        return status;
    if (call->json) {
        status = cli_json_print(table_json(&table), false, error);
    } else {
        cli_print_heading(stdout, "Incident %" PRId64 ": phase %" PRId64 " against phase %" PRIu64,
                          after->incident.number, after->phase.number, phase);
        cli_print_table(stdout, &table);
    }
    table_free(&table);
    return status;
}

static enum status show(struct cli_call *call, struct casework *casework, const struct scope *scope,
                        uint64_t against, struct error *error)
{
    const char *folder = cli_value(call, "csv"), *list = cli_value(call, "list");
    const char *table = cli_value(call, "table");
    if (folder != NULL)
        TRY(write_folder(scope, folder, error));
    if (list != NULL)
        TRY(write_list(scope, list, error));
    if (against != 0)
        return print_diff(call, casework, scope, against, error);
    if (table != NULL)
        return print_one(call, scope, table, error);
    if (folder != NULL || list != NULL)
        return STATUS_OK;
    return call->json ? print_json(scope, error) : print_page(scope, error);
}

/* A phase that this call makes; *phase stays as it is where it makes none. */
static enum status make_phase(struct cli_call *call, struct casework *casework, int64_t incident,
                              int64_t *phase, struct error *error)
{
    const char *reason, *list = cli_value(call, "confirm");
    bool anew = cli_value(call, "new-phase") != NULL;
    if (anew + (list != NULL) + (*phase != 0) > 1)
        return cli_usage(call, error, "--new-phase, --confirm and --phase exclude each other");
    if (list != NULL)
        return cli_confirm(casework, incident, list, phase, error);
    if (!anew)
        return STATUS_OK;
    TRY(cli_require(call, "reason", &reason, error));
    return scope_new_phase(casework, incident, reason, phase, error);
}

/* Of a phase that was made just now the difference from the one before is what is shown. */
static enum status open_and_show(struct cli_call *call, struct casework *casework,
                                 uint64_t incident, uint64_t phase, uint64_t against,
                                 struct error *error)
{
    struct scope *scope = NULL;
    int64_t made = (int64_t)phase;
    if (cli_value(call, "accept-since") != NULL) {
        const char *reason;
        TRY(cli_require(call, "reason", &reason, error));
        TRY(scope_accept_since(casework, (int64_t)incident, reason, error));
    }
    TRY(make_phase(call, casework, (int64_t)incident, &made, error));
    if ((uint64_t)made != phase && against == 0)
        against = (uint64_t)made - 1;
    phase = (uint64_t)made;
    TRY(scope_open(casework, (int64_t)incident, (int64_t)phase, &scope, error));
    enum status status = show(call, casework, scope, against, error);
    scope_close(scope);
    TRY(status);
    return cli_incident_warn_later(casework, (int64_t)incident, (int64_t)phase, error);
}

static enum status run(struct cli_call *call, struct error *error)
{
    struct casework *casework = NULL;
    uint64_t phase, against;
    char *end;
    unsigned long long incident = strtoull(call->arguments[0], &end, 10);
    if (incident == 0 || incident > NUMBER_MAX || *end != '\0')
        return cli_usage(call, error, "\"%.40s\" is not the number of an incident",
                         call->arguments[0]);
    TRY(cli_number(call, "phase", 1, NUMBER_MAX, 0, &phase, error));
    TRY(cli_number(call, "diff", 1, NUMBER_MAX, 0, &against, error));
    TRY(casework_open(call->config_path, cli_value(call, "by"), &casework, error));
    enum status status = open_and_show(call, casework, incident, phase, against, error);
    casework_close(casework);
    return status;
}

const struct cli_command verb_incident_scope = {
    .arguments = "N",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Tells whose data the partner of incident N had, and which: from the ledger's first\n"
        "entry to the phase's cut-off, or to the time at which the attacker had gone. The log\n"
        "is verified on the way. The same phase gives the same numbers and lists for as long\n"
        "as the case is kept; what came later needs a new phase, and phases can be compared.",
    .examples = "incident scope 3\n"
                "incident scope 3 --csv /root/incident-3\n"
                "incident scope 3 --new-phase --reason \"the partner found another export\"\n"
                "incident scope 3 --confirm sample.csv\n"
                "incident scope 3 --accept-since --reason \"no backup is older\"\n"
                "incident scope 3 --phase 2 --diff 1\n",
    .run = run,
};
