/* See incident.h. */
#include "cli/incident.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "cli/json.h"

enum { ARENA_BYTES = 1024 * 1024 };

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
    cli_print_table(stdout, table);
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

/* "name: value" lines; everything else is a table. */
static void print_section(const struct casefile_section *section, const struct table *table)
{
    cli_print_heading(stdout, "%s", section->heading);
    if (strcmp(section->name, "case") != 0) {
        cli_print_table(stdout, table);
        return;
    }
    for (const struct table_row *row = table->first; row != NULL; row = row->next)
        cli_print_pair(stdout, row->cells[0], row->cells[1]);
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
        [SCOPE_DECLARED] = "declared",   [SCOPE_DIRECT] = "direct",
        [SCOPE_AGGREGATE] = "aggregate", [SCOPE_WITNESS] = "witness",
        [SCOPE_INFLUENCE] = "influence", [SCOPE_PROBE] = "probe"};
    const char *list = cli_value(call, "grades");
    *grades = list == NULL ? SCOPE_GRADES_NOTIFIED : 0;
    while (list != NULL && *list != '\0') {
        size_t len = strcspn(list, ",");
        unsigned found = SCOPE_GRADES;
        for (unsigned i = 0; i < SCOPE_GRADES; i++)
            if (strlen(names[i]) == len && memcmp(names[i], list, len) == 0)
                found = i;
        if (found == SCOPE_GRADES)
            return cli_usage(call, error,
                             "--grades takes direct, declared, aggregate, witness, influence, "
                             "probe");
        *grades |= 1U << found;
        list += len + (list[len] == ',');
    }
    if (*grades == 0)
        return cli_usage(call, error, "--grades names no grade");
    return STATUS_OK;
}
