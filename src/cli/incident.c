/* See incident.h. */
#include "cli/incident.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "cli/json.h"

enum { ARENA_BYTES = 1024 * 1024, HASH_SHOWN = 16, INDENT = 4, WHY_INDENT = 5, LINE_BYTES = 2048 };

enum status cli_incident_number(struct cli_call *call, int64_t *number, struct error *error)
{
    const char *text = call->arguments[0];
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (text[0] < '1' || text[0] > '9' || *end != '\0' || errno != 0)
        return cli_usage(call, error, "\"%s\" is not the number of an incident", text);
    *number = value;
    return STATUS_OK;
}

enum status cli_incident_casework(struct cli_call *call, bool has_by, struct casework **casework,
                                  struct error *error)
{
    return casework_open(call->config_path, has_by ? cli_value(call, "by") : NULL, casework, error);
}

enum status cli_incident_warn_later(struct casework *casework, int64_t number, int64_t phase,
                                    struct error *error)
{
    struct arena arena;
    struct incident incident;
    struct incident_phase newest;
    struct scope_later later = {0};
    arena_init(&arena, ARENA_BYTES);
    enum status status = incidents_get(casework->incidents, number, &arena, &incident, error);
    if (status == STATUS_OK)
        status = incidents_get_phase(casework->incidents, number, 0, &arena, &newest, error);
    if (status == STATUS_OK && (phase == 0 || phase == newest.number))
        status = scope_read_later(casework, incident.partner, &newest, &later, error);
    if (later.declared + later.disclosures > 0)
        fprintf(stderr,
                "cofferdam: phase %" PRId64 " does not count what the ledger has of %s since: "
                "%" PRIu64 " declared exports, %" PRIu64 " batches of rows.\nWhose they are is not "
                "in scope before: cofferdam incident scope %" PRId64 " --new-phase --reason …\n",
                newest.number, incident.partner, later.declared, later.disclosures, number);
    arena_free(&arena);
    return status;
}

static json_t *table_json(const struct table *table)
{
    static const char *const numbers[] = {"number", "cutoff", "sequence", "phases",
                                          "phase",  "people", NULL};
    enum cli_json_kind kinds[TABLE_MAX_COLUMNS] = {0};
    for (size_t i = 0; i < table->column_count; i++) {
        for (size_t n = 0; numbers[n] != NULL; n++) {
            if (strcmp(table->columns[i], numbers[n]) == 0)
                kinds[i] = CLI_JSON_NUMBER;
        }
    }
    return cli_json_table(table, kinds);
}

enum status cli_incident_print_table(const struct cli_call *call, const struct table *table,
                                     struct error *error)
{
    if (call->json)
        return cli_json_print(table_json(table), false, error);
    cli_print_wrapped(stdout, table);
    return STATUS_OK;
}

static bool is_wanted(const char *const *names, const char *name, const struct table *table)
{
    if (names == NULL)
        return table->row_count > 0;
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* Hashes by their beginnings, where they stand beside other things; --json has them whole. */
static void shorten_hashes(struct table *table)
{
    static const char *const names[] = {"root", "scope_sha256", "sheet_sha256"};
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        size_t column = cli_column(table, names[n]);
        for (struct table_row *row = table->first; row != NULL && column < table->column_count;
             row = row->next)
            if (row->cells[column] != NULL && strlen(row->cells[column]) > HASH_SHOWN)
                table_set(table, row, column, "%.*s…", HASH_SHOWN, row->cells[column]);
    }
}

/* A duty, and below it what is to be typed, which must not be broken. */
static void print_duties(const struct table *table)
{
    for (const struct table_row *row = table->first; row != NULL; row = row->next) {
        printf("%s: %s\n", row->cells[0], row->cells[1]);
        cli_print_text(stdout, row->cells[2], INDENT);
    }
    if (table->row_count == 0)
        puts("(nothing)");
}

/* A line for each, and below it why. */
static void print_decisions(const struct table *table)
{
    for (const struct table_row *row = table->first; row != NULL; row = row->next) {
        char line[LINE_BYTES];
        snprintf(line, sizeof line, "%3s  %s  %s: %s (ledger entry %s)",
                 cli_cell(table, row, "number"), cli_cell(table, row, "at"),
                 cli_cell(table, row, "by"), cli_cell(table, row, "step"),
                 cli_cell(table, row, "sequence"));
        cli_print_text(stdout, line, 0);
        cli_print_text(stdout, cli_cell(table, row, "why"), WHY_INDENT);
    }
}

/* "name: value" lines for the case; everything else but decisions and duties is a table. */
static void print_section(const struct casefile_section *section, struct table *table)
{
    cli_print_heading(stdout, "%s", section->heading);
    if (strcmp(section->name, "remaining") == 0) {
        print_duties(table);
    } else if (strcmp(section->name, "decisions") == 0) {
        print_decisions(table);
    } else if (strcmp(section->name, "case") != 0) {
        shorten_hashes(table);
        cli_print_wrapped(stdout, table);
    } else {
        for (const struct table_row *row = table->first; row != NULL; row = row->next)
            cli_print_pair(stdout, row->cells[0], row->cells[1]);
    }
}

enum status cli_incident_print(const struct cli_call *call, const struct casefile *casefile,
                               const char *const *names, struct error *error)
{
    json_t *all = json_object();
    CHECK(all != NULL);
    bool first = true;
    for (size_t i = 0; i < casefile_section_count; i++) {
        const struct casefile_section *section = &casefile_sections[i];
        struct table table;
        enum status status = section->fill(casefile, &table, error);
        if (status != STATUS_OK) {
            json_decref(all);
            return status;
        }
        if (call->json) {
            int failure = json_object_set_new(all, section->name, table_json(&table));
            CHECK(failure == 0);
        } else if (is_wanted(names, section->name, &table)) {
            fputs(first ? "" : "\n", stdout);
            print_section(section, &table);
            first = false;
        }
        table_free(&table);
    }
    if (call->json)
        return cli_json_print(all, false, error);
    json_decref(all);
    return STATUS_OK;
}

enum status cli_incident_grades(struct cli_call *call, scope_grades *grades, struct error *error)
{
    static const char *const names[SCOPE_GRADES] = {
        [SCOPE_DECLARED] = "declared",
        [SCOPE_DIRECT] = "direct",
        [SCOPE_AGGREGATE] = "aggregate",
        [SCOPE_WITNESS] = "witness",
        [SCOPE_INFLUENCE] = "influence"}; /* who was only asked about is never written to */
    const char *list = cli_value(call, "grades");
    *grades = list == NULL ? SCOPE_GRADES_NOTIFIED : 0;
    while (list != NULL && *list != '\0') {
        size_t len = strcspn(list, ",");
        unsigned found = SCOPE_GRADES;
        for (unsigned i = 0; i < SCOPE_GRADES; i++)
            if (names[i] != NULL && strlen(names[i]) == len && memcmp(names[i], list, len) == 0)
                found = i;
        if (found == SCOPE_GRADES)
            return cli_usage(call, error,
                             "--grades takes direct, declared, aggregate, witness, influence");
        *grades |= 1U << found;
        list += len + (list[len] == ',');
    }
    if (*grades == 0)
        return cli_usage(call, error, "--grades names no grade");
    return STATUS_OK;
}
